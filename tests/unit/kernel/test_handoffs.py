"""Records and topics: one spelling, nothing unknown, signatures that hold."""

from __future__ import annotations

import base64
from dataclasses import replace

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.contract.load import load
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import Announcement, Mark, Receipt, Score, topics
from hotpath.settings import PROJECT

KEY = Ed25519PrivateKey.generate()
ANNOUNCED = Announcement("flights", "b" * 32, "c" * 64, 10, 1, 7, "promote", "auc 0.7", 123)
SCORED = Score(
    "p1",
    "flights",
    "f1",
    {"carrier": "UA"},
    [1.5, None, "UA"],
    0.25,
    "accept",
    0.5,
    "b" * 32,
    7,
    "d" * 64,
    1,
    2,
    [],
)


@pytest.mark.parametrize(
    "record", [ANNOUNCED, SCORED, Mark("onprem", 1, 2), replace(SCORED, score=None, entity=None)]
)
def test_a_record_comes_back_as_it_was(record: Announcement | Score | Mark) -> None:
    assert type(record).from_bytes(record.to_bytes()) == record


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"site": "x"}',
        b'{"site":"x","sequence":1,"at":2,"more":3}',
        b'{"site":1,"sequence":1,"at":2}',
        b'{"site":"x","sequence":true,"at":2}',
        b'{"site":"x","sequence":1.5,"at":2}',
        b'{"site":"x","sequence":9223372036854775808,"at":2}',
    ],
)
def test_a_damaged_record_is_refused(value: bytes | None) -> None:
    with pytest.raises(BadInput, match="Mark"):
        Mark.from_bytes(value)


def test_a_receipt_of_an_unknown_kind_is_refused() -> None:
    said = orjson.loads(Receipt("p", "s", 1, "b", "live", "", 1).to_bytes()) | {"kind": "guessed"}
    with pytest.raises(BadInput, match=r"Receipt\.kind"):
        Receipt.from_bytes(orjson.dumps(said))


def test_an_announcement_that_this_key_signed_is_believed() -> None:
    assert Announcement.verified(ANNOUNCED.signed(KEY), KEY.public_key()) == ANNOUNCED


def forged(**changed: object) -> bytes:
    said = orjson.loads(ANNOUNCED.signed(KEY))
    said["announcement"] |= changed
    return orjson.dumps(said)


@pytest.mark.parametrize(
    "value",
    [
        ANNOUNCED.signed(Ed25519PrivateKey.generate()),
        forged(sequence=8),
        forged(kind="hold"),
        forged(x=1),
        b"",
        b"{}",
        orjson.dumps(
            {"announcement": orjson.loads(ANNOUNCED.to_bytes()), "signature": base64.b64encode(b"x").decode()}
        ),
        orjson.dumps({"announcement": orjson.loads(ANNOUNCED.to_bytes()), "signature": "not base64"}),
        orjson.dumps({"announcement": orjson.loads(ANNOUNCED.to_bytes()), "signature": "é"}),
    ],
)
def test_an_announcement_that_was_not_signed_so_is_refused(value: bytes) -> None:
    with pytest.raises(BadArtifact, match="announcement"):
        Announcement.verified(value, KEY.public_key())


def test_on_prem_topics_carry_the_brokers_stamp_and_their_mirrored_copies_keep_it() -> None:
    declared = {t.name: t for t in topics([load(PROJECT / "config/pipelines/flights.yaml")])}
    assert declared["flights.status"].configs("onprem")["message.timestamp.type"] == "LogAppendTime"
    assert "message.timestamp.type" not in declared["flights.status"].configs("cloud")
    assert declared["hotpath.models"].configs("cloud") == {"cleanup.policy": "compact"}


def test_no_topic_goes_both_ways() -> None:
    declared = topics([load(PROJECT / "config/pipelines/flights.yaml")])
    assert len({t.name for t in declared}) == len(declared)
