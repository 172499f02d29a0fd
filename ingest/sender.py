"""Sends each record of the season once, whatever was killed before.

A record counts as sent if the ledger has it, or if it stands in the on-prem topic already: then the process
was killed between the acknowledgement and its note, and the note is made now. So a restart needs no position:
it composes what is due anew and sends what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import partial

import orjson

from hotpath.contract.parts import Events, Labels
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER
from hotpath.kafka import Entry, Headers, Log, standing
from ingest.flights import Due
from ingest.ledger import Ledger

Found = Mapping[tuple[str, str | None], Set[str]]
"""Ids of the records in the on-prem topics, by topic and import (None: sent live)."""


def found(onprem: Log, events: Events, labels: Labels) -> Found:
    """What stands in both topics now; records that name no id are others'. Raises as `standing` does."""
    ids: dict[tuple[str, str | None], set[str]] = {}
    for topic, field in ((events.topic, events.id), (labels.topic, labels.entity)):
        for entry in standing(onprem, topic):
            name = _id(entry, field)
            if name is not None:
                ids.setdefault((topic, _import(entry)), set()).add(name)
    return ids


def _id(entry: Entry, field: str) -> str | None:
    try:
        fields = orjson.loads(entry.value or b"")
    except orjson.JSONDecodeError:
        return None
    name = fields.get(field) if isinstance(fields, dict) else None
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
        if self.ledger.has(record.topic, record.id):
            return True
        if record.id in self.there.get((record.topic, import_id), ()):
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
