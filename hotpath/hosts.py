"""What stands on `hotpath.hosts`: each host's entry, as trainer, monitoring and report read it. Pure.

Anybody on the cluster can write a record there. One that is no entry, or not of the host that its key names,
is logged and passed over, and the one before it stands: it must neither end a reader nor hide a wrong clock.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from hotpath.errors import BadInput
from hotpath.handoffs import HOSTS, HostClock
from hotpath.kafka import Entry

log = logging.getLogger(__name__)


def key(pipeline: str, host: str) -> bytes:
    """The record's key on the compacted topic."""
    return f"{pipeline}/{host}".encode()


def newest(records: Iterable[Entry], pipeline: str) -> dict[str, HostClock]:
    """The newest entry of each host of a pipeline; none of a host whose record was taken back."""
    found: dict[bytes, HostClock] = {}
    for record in records:
        if record.value is None:
            found.pop(record.key or b"", None)
        elif (told := said(record, pipeline)) is not None:
            found[key(pipeline, told.host)] = told
    return {told.host: told for told in found.values()}


def said(record: Entry, pipeline: str) -> HostClock | None:
    """The entry that a record holds; None where it is none of this pipeline."""
    if not (record.key or b"").startswith(key(pipeline, "")):
        return None
    try:
        told = HostClock.from_bytes(record.value)
        if record.key != key(told.pipeline, told.host):
            raise BadInput(
                "host's entry", f"{told.pipeline}/{told.host}", f"what its key says, {record.key!r}"
            )
    except BadInput as error:
        log.warning("%s, offset %d, passed over: %s", HOSTS, record.offset, error)
        return None
    return told
