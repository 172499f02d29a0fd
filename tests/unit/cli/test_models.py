"""`hotpath models` lists what verifies, whatever else stands in the topics."""

from __future__ import annotations

from pathlib import Path

from hotpath import keys
from hotpath.cli.models import listed
from hotpath.handoffs import MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import MemoryLog

WORD = Announcement("p", "b1", "0" * 64, 1, 1, 7, "promote", "", 0)
SAID = Receipt("p", "s", 7, "b1", "live", "", 0)


def test_garbage_among_announcements_and_receipts_is_passed_over(tmp_path: Path) -> None:
    signing, verify, log = tmp_path / "s.pem", tmp_path / "v.pem", MemoryLog()
    keys.make(signing, verify)
    for value in (b"", b"x", b'{"announcement":{}}', WORD.signed(keys.signing_key(signing)), None):
        log.send(MODELS, value)
    for value in (b"", b"x", SAID.to_bytes(), None):
        log.send(RECEIPTS, value)
    assert [(row["sequence"], row["receipts"]) for row in listed(log, verify, "p")] == [(7, ["live"])]
