"""From topics to the live pointer, through the real sandbox: what is good goes live, nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import Sealed, sha256
from hotpath.clock import MINUTE, Clock, Segment
from hotpath.errors import BadArtifact
from hotpath.handoffs import COMMANDS, HANDOFFS, Command, Receipt, Score, scores_topic
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.progress import read
from hotpath.settings import PROJECT
from serve import engine
from serve.admission import Sandbox
from serve.folder import BundleFolder, Pointer
from serve.follower import TOPICS
from serve.generation import Generation
from serve.metrics import Metrics
from serve.scorer import Scorer
from serve.warm import loader
from tests.conftest import until
from tests.integration.serve import bundles
from tests.integration.serve.conftest import Host, Running, ended

Made = Callable[[], bytes]

ANOTHER_KEY = Ed25519PrivateKey.generate()


def folder(host: Host) -> BundleFolder:
    return BundleFolder(host.follower.root / bundles.PIPELINE)


def flipped(bundle: Sealed, at: int) -> Sealed:
    """The same bundle with one bit changed, announced as if it were right."""
    packed = bytearray(bundle.packed)
    packed[at] ^= 1
    return Sealed(bundle.id, bytes(packed), sha256(bytes(packed)))


def last(host: Host) -> Receipt:
    return host.receipts()[-1]


def test_bad_candidates_are_refused_and_the_live_model_answers_on(scorer: Running) -> None:
    host, live = scorer.host, scorer.live()
    good = bundles.sealed("categories", host.key)

    bundles.send(host.log, flipped(good, len(good.packed) // 2), live + 1, host.key)
    host.follow()
    assert last(host).kind == "refused"

    bundles.send(host.log, bundles.sealed("categories", ANOTHER_KEY), live + 2, host.key)
    host.follow()
    assert "bundle's signature" in last(host).why

    bundles.send(host.log, good, live + 3, ANOTHER_KEY)
    host.follow()
    assert "announcement's signature" in last(host).why

    bundles.send(host.log, good, live - 1, host.key)
    host.follow()
    assert (last(host).sequence, last(host).kind) == (live - 1, "refused")
    assert "older sequence" in last(host).why

    assert scorer.live() == live
    assert host.follower.live() == {bundles.PIPELINE: live}


def test_a_chunk_that_changed_on_its_way_is_refused(host: Host) -> None:
    bundle = bundles.sealed("numbers", host.key)
    packed = flipped(bundle, 1000).packed
    bundles.send(host.log, Sealed(bundle.id, packed, bundle.sha256), 1, host.key)
    host.follow()
    assert "bundle's bytes" in last(host).why
    assert host.follower.live() == {}


def test_a_command_whose_pipeline_is_a_path_writes_nothing(host: Host) -> None:
    host.log.send(COMMANDS, Command("../elsewhere", "hold", 0, "nobody", 1).to_bytes())
    host.follow()
    assert host.follower.counts["refused"] == 1
    assert not (host.follower.root.parent / "elsewhere").exists()


def altered_golden(column: str, change: float) -> bytes:
    """Golden rows with one value changed by a little."""
    columns = bundles.golden("numbers")
    values = columns[column]
    place = next(i for i, v in enumerate(values) if v is not None)
    return bundles.parquet(
        {**columns, column: [*values[:place], values[place] + change, *values[place + 1 :]]}
    )


@pytest.mark.parametrize(
    ("why", "entries"),
    [
        ("score of golden row 0", {"golden_parquet": lambda: altered_golden("score", 1e-6)}),
        ("feature n00 of golden row", {"golden_parquet": lambda: altered_golden("feature.n00", 1e-9)}),
        ("model's columns", {"model_zip": lambda: bundles.MOJOS["categories"].read_bytes()}),
        ("bundle's fingerprint", {"contract_json": lambda: bundles.contract("categories").canonical()}),
        ("bundle's threshold", {"scorecard_json": lambda: b'{"threshold": 1.5}'}),
        ("fitted.json", {"fitted_json": lambda: b'{"levels": 1}'}),
    ],
)
def test_a_bundle_whose_parts_disagree_is_refused_by_name(
    host: Host, why: str, entries: dict[str, Made]
) -> None:
    changed: dict[str, Any] = {name: made() for name, made in entries.items()}
    bundle = bundles.sealed("numbers", host.key, **changed)
    with pytest.raises(BadArtifact) as refused:
        host.follower.sandbox(bundles.announcement(bundle, 1), bundle.packed)
    assert why in str(refused.value)


def test_a_sandbox_that_takes_too_long_is_a_refusal(host: Host) -> None:
    bundle = bundles.sealed("numbers", host.key)
    key = host.folder / "onprem" / "keys" / "verify.pem"
    with pytest.raises(BadArtifact, match="no answer in"):
        Sandbox(key, deadline_s=0.1).prove(bundles.announcement(bundle, 1), bundle.packed)


def test_a_sandbox_that_breaks_ends_at_once_and_says_why(host: Host) -> None:
    key = host.folder / "onprem" / "keys" / "verify.pem"
    command = [sys.executable, "-m", "serve.sandbox", str(host.folder / "gone.zip"), str(key), "things"]
    broken = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=30, check=False)
    assert broken.returncode == 1
    assert b"FileNotFoundError" in broken.stderr


def test_a_restart_admits_nothing_anew_and_moves_nothing(host: Host) -> None:
    host.go_live("numbers", 4)
    host.go_live("categories", 5)
    before, said = folder(host).pointer(), len(host.receipts())
    again = restarted(host)
    again.follow()
    assert again.follower.live() == {bundles.PIPELINE: 5}
    assert folder(host).pointer() == before
    assert len(host.receipts()) == said


def restarted(host: Host) -> Host:
    """The same host with a new follower that reads everything again and must not need the sandbox."""

    def never(*_: object) -> None:
        raise AssertionError("proved twice")

    old = host.follower
    new = type(old)(old.root, old.key, old.log, old.clock, old.scorer, never)
    new.restore()
    return Host(host.folder, host.key, host.log, new, host.log.tail(TOPICS), host.environment)


def loaded(host: Host) -> Generation:
    """What a worker makes of the live pointer."""
    pointer = folder(host).pointer()
    assert isinstance(pointer, Pointer)
    engine.start(engine.JARS)
    return loader(host.follower.key, engine.load)(folder(host), pointer)


def test_a_placed_bundle_that_was_tampered_with_is_not_loaded(host: Host) -> None:
    bundle = host.go_live("numbers", 1)
    file = folder(host).root / bundle / "bundle.zip"
    file.write_bytes(flipped(Sealed(bundle, file.read_bytes(), ""), 5000).packed)
    with pytest.raises(BadArtifact):
        loaded(host)


def test_the_same_question_a_virtual_minute_later_is_another_question(host: Host) -> None:
    host.go_live("numbers", 1)
    generation, clock = loaded(host), host.follower.clock
    scorer = Scorer("s", clock, host.log, Metrics())
    for later in (0, 1):
        clock.append(Segment(real=later, virtual=bundles.START + later * MINUTE, rate=0))
        scorer.infer(generation, bundles.request(3), clock.now())
    topic = scores_topic(bundles.PIPELINE)
    first, second = (Score.from_bytes(e.value) for e in host.log.entries if e.topic == topic)
    place = [f.name for f in generation.contract.features].index("n00")
    assert first.features[place] - second.features[place] == 1  # type: ignore[operator]
    assert second.asked_at - first.asked_at == MINUTE
    assert first.request == second.request


def test_a_full_queue_costs_the_record_and_not_the_answer(host: Host) -> None:
    host.go_live("numbers", 1)
    generation, metrics = loaded(host), Metrics()
    host.log.refuse = True
    answer = Scorer("s", Clock(), host.log, metrics).infer(generation, bundles.request(3), bundles.START)
    assert answer["outputs"]
    assert b'hotpath_scores_dropped_total{pipeline="things"} 1.0' in metrics.rendered({}, 0)


@pytest.mark.parametrize("broker", ["there", "away"])
def test_the_follower_process_follows_and_ends_on_sigterm(
    host: Host, request: pytest.FixtureRequest, broker: str
) -> None:
    if broker == "there":
        address: str = request.getfixturevalue("kafka")
        host.environment["HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS"] = address
        publish(host, address)
    process = subprocess.Popen(
        [sys.executable, "-m", "serve.job"],
        env={**os.environ, **host.environment},
        cwd=PROJECT,
        process_group=0,
    )
    state = host.folder / "state" / "follower.json"
    try:
        until(lambda: "state" in read(state), "the follower speaks")
        if broker == "there":
            until(lambda: folder(host).pointer() is not None, "the bundle is live")
    finally:
        process.send_signal(signal.SIGTERM)
        assert ended(process) == 0


def publish(host: Host, address: str) -> None:
    """A good bundle through a real broker."""
    Admin(address).ensure(HANDOFFS, "onprem", 1)
    log = KafkaLog(address)
    bundles.send(log, bundles.sealed("numbers", host.key), 1, host.key)
    assert log.flush(20) == 0


WIDER = "colour: {type: string, nullable: true}"
NARROWER = "colour: {type: string}"


def test_a_candidate_that_would_refuse_what_callers_send_is_refused_and_says_why(host: Host) -> None:
    host.go_live("numbers", 1)
    narrower = bundles.contract("numbers", bundles.PIPELINE, NARROWER)
    bundles.send(host.log, bundles.sealed("numbers", host.key, narrower), 2, host.key)
    host.follow()
    assert (last(host).sequence, last(host).kind) == (2, "refused")
    assert "events.fields.colour" in last(host).why
    assert host.follower.live() == {bundles.PIPELINE: 1}


def test_a_candidate_that_takes_all_that_callers_send_and_more_goes_live(host: Host) -> None:
    host.go_live("numbers", 1)
    wider = bundles.contract("numbers", bundles.PIPELINE, WIDER)
    bundles.send(host.log, bundles.sealed("numbers", host.key, wider), 2, host.key)
    host.follow()
    assert host.follower.live() == {bundles.PIPELINE: 2}


def test_the_first_model_of_a_pipeline_has_no_callers_to_disappoint(host: Host) -> None:
    host.go_live("numbers", 1)
    other = bundles.contract("numbers", "others", NARROWER)
    bundles.send(host.log, bundles.sealed("numbers", host.key, other), 1, host.key, "others")
    host.follow()
    assert host.follower.live() == {bundles.PIPELINE: 1, "others": 1}


def test_an_operator_may_go_back_to_a_model_that_takes_less(host: Host) -> None:
    wider = bundles.contract("numbers", bundles.PIPELINE, WIDER)
    host.go_live("numbers", 1)
    bundles.send(host.log, bundles.sealed("numbers", host.key, wider), 2, host.key)
    host.follow()
    host.log.send(COMMANDS, Command(bundles.PIPELINE, "roll back", 2, "operator", bundles.START).to_bytes())
    host.follow()
    assert host.follower.live() == {bundles.PIPELINE: 1}


def test_a_rollback_that_nobody_commanded_thinks_of_callers_too(host: Host) -> None:
    wider = bundles.contract("numbers", bundles.PIPELINE, WIDER)
    bundles.send(host.log, bundles.sealed("numbers", host.key, wider), 1, host.key)
    host.follow()
    older = bundles.sealed("numbers", host.key)
    word = replace(bundles.announcement(older, 2), kind="rollback", why="below the floor")
    bundles.send(host.log, older, 2, host.key)
    host.log.entries[-1] = replace(host.log.entries[-1], value=word.signed(host.key))
    host.follow()
    assert (last(host).kind, host.follower.live()) == ("refused", {bundles.PIPELINE: 1})


def test_a_live_bundle_that_cannot_be_read_holds_no_better_one_back(host: Host) -> None:
    bundle = host.go_live("numbers", 1)
    (folder(host).root / bundle / "bundle.zip").write_bytes(b"")
    host.go_live("categories", 2)


def test_a_model_from_the_future_is_refused(host: Host) -> None:
    bundle = bundles.sealed("numbers", host.key)
    word = replace(bundles.announcement(bundle, 1), announced_at=bundles.START - 1)
    with pytest.raises(BadArtifact, match="trained_at"):
        host.follower.sandbox(word, bundle.packed)
