"""Bytes of a topic to decoded values: one table of decoders by format, each total (nothing raises).

A record is Decoded, Rejected with a short reason that names the field and never its value, or Skipped
where it is empty. The stream job's workers and the tests run this same code. To add a format, add an
entry to DECODERS: what makes a source's reader, and raises BadConfig where its schema file does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotpath.contract.csv_records import csv_records
from hotpath.contract.json_records import json_records
from hotpath.contract.parts import Source
from hotpath.contract.records import Decoded, Read
from hotpath.errors import BadInput

__all__ = ["DECODERS", "Decode", "Decoded", "Rejected", "Skipped", "check_schema", "decoder"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why: `field: expected …`, or `message: expected …` where no field can be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An empty or absent value: counted, nothing landed."""


Decode = Callable[[bytes | None], Decoded | Rejected | Skipped]


def decoder(source: Source) -> Decode:
    """The decoder of a source's records, composed once. It never raises."""
    read = DECODERS[source.decoder](source)

    def decode(raw: bytes | None) -> Decoded | Rejected | Skipped:
        if not raw:
            return Skipped()
        try:
            return read(raw)
        except BadInput as error:
            return Rejected(f"{error.thing}: expected {error.expected}")

    return decode


def check_schema(source: Source) -> None:
    """Raises BadConfig (`schema`, found, expected) where decoder and schema file do not fit."""
    DECODERS[source.decoder](source)


def _avro_records(source: Source) -> Read:
    # Imported here, because its library takes 70 ms that a start of the scorer should not pay.
    from hotpath.contract.avro_records import avro_records

    return avro_records(source)


DECODERS: Mapping[str, Callable[[Source], Read]] = {
    "json": json_records,
    "csv": csv_records,
    "avro": _avro_records,
}
