"""`hotpath models`: what verifies is listed, what the gate held back has its reason, a force has a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath import keys
from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore, Forced, Run
from hotpath.cli.models import Cloud, held_back, listed, promote
from hotpath.clock import Clock
from hotpath.errors import BadArtifact, BadInput, HotpathError, Unavailable
from hotpath.handoffs import MODELS, RECEIPTS, Announcement, Command, Receipt
from hotpath.kafka import MemoryLog
from hotpath.publish import publish, retire
from hotpath.signatures import Pair
from serve.moves import Admitted, Announced, Arrived, Commanded, Event, Say, State
from serve.swap import step

WORD = Announcement("p", "b1", "0" * 64, 1, 1, 7, "promote", "", 0)
SAID = Receipt("p", "s", 7, "b1", "live", "", 0)
KEY, RETIRED = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def test_garbage_among_announcements_and_receipts_is_passed_over(tmp_path: Path) -> None:
    signing, verify, log = tmp_path / "s.pem", tmp_path / "v.pem", MemoryLog()
    keys.make(signing, verify)
    for value in (b"", b"x", b'{"announcement":{}}', WORD.signed(keys.signing_key(signing)), None):
        log.send(MODELS, value)
    for value in (b"", b"x", SAID.to_bytes(), None):
        log.send(RECEIPTS, value)
    assert [(row["sequence"], row["receipts"]) for row in listed(log, verify, "p")] == [(7, ["live"])]


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud("p", BundleStore(tmp_path), MemoryLog(), Pair(KEY, KEY.public_key()), Clock())


def trained(
    cloud: Cloud, name: str, state: str = "refused", pipeline: str = "p", key: Ed25519PrivateKey = KEY
) -> str:
    """A run's bundle, kept in the store whatever the gate said; its id."""
    bundle = seal(dict.fromkeys(CONTENT, b"{}"), {"pipeline": pipeline, "name": name}, key)
    if state == "trained":
        publish(bundle, pipeline, "good", 1, cloud.log, cloud.store, cloud.key)
    else:
        cloud.store.keep(bundle)
    why = f"{name} is 0.5, the gate asks for more"
    cloud.store.record(Run(state, why, 1, {}, {"auc": 0.5}, bundle.id))  # type: ignore[arg-type]
    return bundle.id


def heard(cloud: Cloud, bundle: str, kind: str, why: str = "", at: int = 0) -> None:
    said = Receipt("p", "host", 9, bundle, kind, why, at)  # type: ignore[arg-type]
    cloud.log.send(RECEIPTS, said.to_bytes())


def announcements(cloud: Cloud) -> list[Announcement]:
    assert isinstance(cloud.log, MemoryLog)
    values = [e.value for e in cloud.log.entries if e.topic == MODELS and e.value is not None]
    return [Announcement.verified(value, KEY.public_key()) for value in values]


def test_what_the_gate_held_back_is_listed_with_its_reason(cloud: Cloud) -> None:
    trained(cloud, "good", "trained")
    held, waits = trained(cloud, "held"), trained(cloud, "waits", "waiting")
    rows = [(row["bundle"], row["state"], row["why"]) for row in held_back(cloud)]
    assert rows == [
        (held, "refused", "held is 0.5, the gate asks for more"),
        (waits, "waiting", "waits is 0.5, the gate asks for more"),
    ]


def test_a_force_announces_what_was_held_back_under_the_operators_name_and_notes_it(cloud: Cloud) -> None:
    trained(cloud, "good", "trained")
    held = trained(cloud, "held")
    said, new = promote(cloud, held, "ann", "the fair is on")
    assert new
    assert (said.bundle, said.kind, said.why) == (held, "promote", "forced by ann: the fair is on")
    assert said.sequence > announcements(cloud)[0].sequence
    assert announcements(cloud)[-1] == said
    assert [(f.bundle, f.sequence, f.by, f.why) for f in cloud.store.forced()] == [
        (held, said.sequence, "ann", "the fair is on")
    ]
    assert held_back(cloud) == []


def test_a_force_that_comes_twice_has_one_effect(cloud: Cloud) -> None:
    held = trained(cloud, "held")
    first, _ = promote(cloud, held, "ann", "why not")
    second, new = promote(cloud, held, "bob", "me too")
    assert (second, new) == (first, False)
    assert len(announcements(cloud)) == len(cloud.store.forced()) == 1


@pytest.mark.parametrize("ran", [True, False], ids=["that waited", "of this run"])
def test_a_bundle_whose_publishing_failed_is_listed_too(cloud: Cloud, ran: bool) -> None:
    bundle = seal(dict.fromkeys(CONTENT, b"{}"), {"pipeline": "p", "name": "x"}, KEY)
    if ran:
        cloud.store.record(Run("waiting", "it waits for outcomes", 1, {}, {"auc": 0.5}, bundle.id))
    with pytest.raises(Unavailable):
        publish(bundle, "p", "good", 7, MemoryLog(refuse=True), cloud.store, cloud.key)
    (row,) = held_back(cloud)
    assert row["bundle"] == bundle.id
    if not ran:  # the run that failed knows of no bundle
        assert (row["state"], row["at"], row["metrics"]) == ("failed", 7, {})
        assert row["why"] == "sequence 1 was taken for it and never announced"
    assert promote(cloud, bundle.id, "ann", "it was good")[0].sequence == 2


def test_a_force_that_was_killed_before_it_was_noted_is_noted_when_it_is_said_again(cloud: Cloud) -> None:
    held = trained(cloud, "held")
    bundle = cloud.store.sealed(held)
    said = publish(bundle, "p", "forced by ann: the fair: now", 7, cloud.log, cloud.store, cloud.key)
    for by in ("bob", "ann"):
        assert promote(cloud, held, by, "the fair is on") == (said, False)
    assert cloud.store.forced() == (Forced(held, said.sequence, "ann", "the fair: now", 7),)


def test_what_the_gate_let_through_is_no_force_where_an_operator_says_it_again(cloud: Cloud) -> None:
    assert not promote(cloud, trained(cloud, "good", "trained"), "ann", "me too")[1]
    assert cloud.store.forced() == ()


def test_an_older_model_may_be_forced_over_a_newer_one(cloud: Cloud) -> None:
    older, _ = trained(cloud, "older", "trained"), trained(cloud, "newer", "trained")
    said, new = promote(cloud, older, "ann", "it was better")
    assert (said.sequence, new) == (3, True)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda _: "0" * 32, "one that the store keeps"),
        (lambda _: "../../etc/passwd", "one that the store keeps"),
        (lambda c: trained(c, "theirs", pipeline="q"), "a bundle of p"),
        (lambda c: trained(c, "old", key=RETIRED), "not retired"),
    ],
    ids=["unknown", "a path", "of another pipeline", "of a retired key"],
)
def test_what_may_not_be_forced_is_refused_in_words(cloud: Cloud, prepare: object, why: str) -> None:
    bundle = prepare(cloud)  # type: ignore[operator]
    with pytest.raises(BadArtifact, match=why):
        promote(cloud, bundle, "ann", "because")
    assert announcements(cloud) == []
    assert cloud.store.taken() == {}
    assert cloud.store.forced() == ()


@pytest.mark.parametrize(("by", "why"), [("", "because"), ("ann", " ")])
def test_nobody_forces_without_a_name_and_a_reason(cloud: Cloud, by: str, why: str) -> None:
    with pytest.raises(BadInput, match="for the record"):
        promote(cloud, trained(cloud, "held"), by, why)


def test_what_a_scorer_refused_is_not_forced_and_the_scorers_reason_is_told(cloud: Cloud) -> None:
    held = trained(cloud, "held")
    heard(cloud, held, "refused", "score of golden row 0", 5)
    with pytest.raises(BadArtifact, match="refused by host: score of golden row 0"):
        promote(cloud, held, "ann", "because")
    heard(cloud, held, "admitted", "", 6)
    assert promote(cloud, held, "ann", "because")[1]


def refusals_of_place() -> list[str]:
    """What the swap machine says of announcements whose bundles are good."""
    state, said = State(), []
    five, four = (Announcement("p", f"b{n}", "", 1, 1, n, "promote", "", n) for n in (5, 4))
    events: list[Event] = [
        Announced(five),
        Arrived("b5"),
        Admitted(5),
        Announced(four),
        Commanded(Command("p", "roll back", 6, "ann", 9)),
        Announced(Announcement("p", "b6", "", 1, 1, 6, "promote", "", 8)),
        Announced(Announcement("p", "bX", "", 1, 1, 4, "promote", "", 8)),
    ]
    for event in events:
        state, actions = step(state, event)
        said += [a.why for a in actions if isinstance(a, Say) and a.kind == "refused"]
    return said


def test_a_refusal_of_an_announcements_place_is_none_of_its_bundle(cloud: Cloud) -> None:
    whys = refusals_of_place()
    assert len(whys) >= 3
    for number, why in enumerate(whys):
        held = trained(cloud, f"held{number}")
        heard(cloud, held, "refused", why, number)
        assert promote(cloud, held, "ann", "because")[1], why


def test_a_bundle_that_was_retired_is_unknown(cloud: Cloud) -> None:
    held = trained(cloud, "held")
    retire(held, "p", cloud.log, cloud.store)
    with pytest.raises(HotpathError, match="store keeps"):
        promote(cloud, held, "ann", "because")
