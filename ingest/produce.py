"""A file of events, one JSON object a line, into the on-prem topic: what `hotpath produce FILE` does.

Each line is checked by the contract's own decoder first, so that what the lake would reject is told here,
by number of line and reason. Such a record is the sender's own: it is no part of the replay's ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hotpath.contract.decode import Decoded, Rejected, decoder
from hotpath.contract.model import Contract
from hotpath.errors import BadInput, Unavailable
from hotpath.kafka import Log

DEADLINE_S = 20.0


@dataclass(frozen=True)
class Produced:
    """Records acknowledged, and the lines that were not sent: why, by number (from 1)."""

    sent: int
    refused: Mapping[int, str]

    def to_json(self) -> dict[str, object]:
        """Plain data."""
        return {"sent": self.sent, "refused": {str(line): why for line, why in self.refused.items()}}


def produce_file(path: Path, contract: Contract, log: Log) -> Produced:
    """Send the good lines to the contract's event topic, keyed by entity. Empty lines are passed over.

    Raises BadInput where the file cannot be read, Unavailable where the broker does not acknowledge.
    """
    source, refused = contract.events, dict[int, str]()
    decode = decoder(source)
    sent = 0
    for number, line in enumerate(_lines(path), start=1):
        match decode(line):
            case Decoded(values):
                try:
                    _send(log, source.topic, line, str(values[source.entity]).encode())
                    sent += 1
                except BadInput as error:
                    refused[number] = str(error)
            case Rejected(reason):
                refused[number] = reason
    if left := log.flush(DEADLINE_S):
        raise Unavailable(
            f"topic {source.topic}", f"{left} records not acknowledged", "an acknowledgement each"
        )
    return Produced(sent, refused)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(str(path), error.strerror, "a readable file of JSON lines") from error


def _send(log: Log, topic: str, line: bytes, key: bytes) -> None:
    while not log.send(topic, line, key, on_delivery=_delivered):
        log.flush(0.1)


def _delivered(error: Exception | None) -> None:
    if error is not None:
        raise error
