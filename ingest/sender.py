"""Sends each record of a source once, whatever was killed before.

A record counts as sent if the ledger has it, or if it stands in the on-prem topic already: then the process
was killed between the acknowledgement and its note, and the note is made now. So a restart needs no position:
it composes what is due anew and sends what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import orjson

from hotpath.contract.parts import Events, Labels, Source
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER
from hotpath.kafka import Entry, Headers, Log, standing
from ingest.ledger import Ledger
from ingest.records import Due

Found = Mapping[tuple[str, str | None], Mapping[str, int]]
"""How often each id stands in the on-prem topics, by topic and import (None: sent live)."""


def found(onprem: Log, events: Events, labels: Labels) -> Found:
    """What stands in both topics now; records that name no id are others'. Raises as `standing` does."""
    ids: dict[tuple[str, str | None], Counter[str]] = {}
    for source, field in ((events, events.id), (labels, labels.entity)):
        key = _key(source, field)
        for entry in standing(onprem, source.topic):
            name = _id(entry, key)
            if name is not None:
                ids.setdefault((source.topic, _import(entry)), Counter())[name] += 1
    return ids


def _key(source: Source, field: str) -> str:
    """What a record calls a field that is no part of an object, as every id of ours is."""
    return next(f.key for f in source.fields if f.name == field)


def _id(entry: Entry, key: str) -> str | None:
    try:
        fields = orjson.loads(entry.value or b"")
    except orjson.JSONDecodeError:
        return None
    name = fields.get(key) if isinstance(fields, dict) else None
    return name if isinstance(name, str) else None


def _import(entry: Entry) -> str | None:
    claimed = entry.headers.get(IMPORT_HEADER)
    return None if claimed is None else claimed.decode(errors="replace")


@dataclass(frozen=True)
class Sender:
    """Sends to the on-prem cluster what is neither noted nor standing."""

    log: Log
    ledger: Ledger
    there: Found

    def send(self, record: Due, import_id: str | None = None) -> bool:
        """False where the client's queue is full: try again later.

        Raises Unavailable (here or while the log is flushed) where a record was not acknowledged in time:
        only a restart, which reads the topic, can tell whether it stands there.
        """
        if self.ledger.has(record.topic, record.id, record.copy):
            return True
        if self.there.get((record.topic, import_id), {}).get(record.id, 0) > record.copy:
            self.ledger.note(record.topic, record.id)
            return True
        told = partial(self._delivered, record)
        return self.log.send(record.topic, record.value, record.key, _headers(record, import_id), told)

    def _delivered(self, record: Due, error: Exception | None) -> None:
        if error is not None:
            raise error
        self.ledger.note(record.topic, record.id)


def _headers(record: Due, import_id: str | None) -> Headers | None:
    if import_id is None:
        return None
    return {ARRIVED_HEADER: str(record.at).encode(), IMPORT_HEADER: import_id.encode()}
