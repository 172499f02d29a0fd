"""The whole system as a newcomer meets it: started, asked, watched, hurt, ended, continued.

One run serves all tests of this file, in their order; each goes on where the one before it stopped.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from hotpath.clock import MINUTE, Clock
from hotpath.contract import metrics
from hotpath.lake import Lake
from hotpath.local.ports import free_port
from hotpath.settings import PROJECT
from ingest.flights import WRONG_CLOCKS
from monitoring.flux import queries
from monitoring.influx import read_access
from monitoring.monitors import MONITORS
from tests.conftest import until
from tests.e2e.readme import commands, snippets
from tests.e2e.system import HOTPATH, System, line

pytestmark = pytest.mark.timeout(900)

READY_S = 240.0
WATCHED_S = 300.0
"""Two hosts join two minutes into the replay; labels of the first answers come after an hour of flight."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made = System(tmp_path_factory.mktemp("system"))
    yield made
    for process in made.deploying.values():  # of tests that were not run
        process.kill()
        process.communicate()
    if made.demo is not None and made.demo.poll() is None:
        made.demo.terminate()
        made.demo.wait(120)


def test_a_busy_port_is_said_before_anything_starts(system: System) -> None:
    busy = {**system.env, "HOTPATH__SERVE__PORT": str(free_port())}
    with _listening(int(busy["HOTPATH__SERVE__PORT"])):
        done = subprocess.run(
            [HOTPATH, "demo"], env=busy, text=True, capture_output=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert "serve.port" in done.stderr
    assert not system.processes()


def test_from_nothing_a_model_is_live_and_answers(system: System) -> None:
    system.start()
    until(system.ready, "the first model is live", READY_S)
    answer = system.json("score", "--example")
    assert answer["model_name"] == "flights"
    assert answer["parameters"]["sequence"] >= 1
    assert 0 <= answer["outputs"][0]["data"][0] <= 1


def test_a_second_demonstration_in_the_same_folder_is_refused(system: System) -> None:
    done = system.run(HOTPATH, "demo", check=False)
    assert done.returncode == 2
    assert "one demonstration in a data folder at a time" in done.stderr


def test_a_second_pipeline_and_a_changed_feature_are_deployed_into_the_running_system(system: System) -> None:
    """They are seen to the end further down: all between here and there holds while they are on their way."""
    system.before = system.untouched()
    assert set(system.before) == {"serve.app", "serve.job", "monitoring.job", "transform.job"}
    system.history = len(system.landed())
    file = system.pipelines / "flights.yaml"
    file.write_text(file.read_text().replace("distance > 1500", "distance > 1400 and distance < 2400"))
    for name in ("payments", "flights"):
        system.deploy(name)


def test_every_command_of_the_readme_works(system: System) -> None:
    for command in commands():
        if " deploy " in command:  # a test of its own
            continue
        dry = re.sub(r"^make ", "make -n ", command)
        done = system.run("bash", "-c", system.here(dry), check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if "/infer" in command:
            assert json.loads(done.stdout)["outputs"][0]["name"] == "score", done.stdout
        elif command.startswith("curl"):
            assert json.loads(done.stdout)["arrow"][0]["name"] == "producers", done.stdout


def test_an_event_put_in_with_a_plain_kafka_client_is_followed_into_the_lake(system: System) -> None:
    (snippet,) = snippets()
    system.run(sys.executable, "-c", system.here(snippet))
    until(lambda: "by-hand-1" in system.landed(), "the snippet's event has landed")


def test_a_file_of_events_is_followed_into_the_lake(system: System) -> None:
    until(lambda: {"by-hand-a", "by-hand-b"} <= system.landed(), "the README's file has landed")


def test_a_bad_line_of_a_file_is_named_and_the_others_are_sent(system: System, tmp_path: Path) -> None:
    good = (PROJECT / "tests/data/events.jsonl").read_text().splitlines()[0].replace("by-hand-a", "by-hand-c")
    (tmp_path / "events.jsonl").write_text(f'{{"event_id": "torn\n{good}\n')
    done = system.run(HOTPATH, "produce", str(tmp_path / "events.jsonl"), "--json", check=False)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["sent"] == 1
    assert list(said["refused"]) == ["1"]
    until(lambda: "by-hand-c" in system.landed(), "the good line has landed")


def test_programs_can_read_what_it_does(system: System) -> None:
    status = system.json("status")
    assert status["scorer"]["state"] == "ready"
    assert status["transform-flights"]["landed"]["events"] > 100_000
    (first, *_) = system.json("models")
    assert first["sequence"] == 1
    assert first["receipts"][:2] == ["admitted", "live"]
    assert system.json("check", "config/pipelines/flights.yaml")["name"] == "flights"
    assert all(f["verdict"] != "wrong" for f in system.json("doctor"))


def test_answers_read_what_the_lake_gives(system: System) -> None:
    """Tiles go all the way: published, mirrored, in Redis, read by answers that parity finds equal."""
    lake = Lake(system.data / "cloud" / "lake", "flights")

    def read() -> bool:
        newest = lake.read("scores", ["tiles", "degraded"], lake.manifests()[-20:]).to_pylist()
        return any(json.loads(row["tiles"])["late_at_origin"] and row["degraded"] == "[]" for row in newest)

    until(read, "an answer rests on tiles that were in time", 120)
    shown = system.json("features", "get", "flights", "--entity", "hand-1")
    rows = {row["name"]: row for row in shown["features"]}
    assert rows["landed_1h"]["as_of"] > 0
    assert rows["landed_1h"]["same"] or shown["degraded"]
    parity = system.json("parity", "flights", "--last", "2h")
    assert parity["equal"] > 0
    assert parity["differing"] == 0


def test_a_compacted_lake_is_the_same_lake(system: System) -> None:
    before = len(system.landed())
    system.run(HOTPATH, "lake", "compact", "flights")
    lake = Lake(system.data / "cloud" / "lake", "flights")
    assert any(not manifest.alone for manifest in lake.manifests())
    assert len(system.landed()) >= before
    done = system.run(HOTPATH, "lake", "check", "flights", check=False)
    assert done.returncode == 0, done.stdout


def test_a_redis_that_is_killed_costs_no_answer_and_is_filled_again(system: System) -> None:
    # It names itself anew by its port, over its arguments and environment: it is not among `processes`.
    title = f"redis-server 127.0.0.1:{system.ports['REDIS__PORT']}"
    (victim,) = (p for p in psutil.process_iter() if "".join(line(p)).endswith(title))
    victim.kill()
    answer = system.json("score", "--example")
    assert answer["outputs"][0]["data"][0] is not None

    def whole() -> bool:
        return "aggregates" not in system.json("score", "--example")["parameters"]["degraded"]

    until(whole, "Redis is back and filled from the topic", 60)


def test_the_second_pipeline_is_live_and_nothing_was_started_again_for_it(system: System) -> None:
    assert system.deployed("payments")["live"] >= 1
    assert system.untouched() == system.before
    answer = system.json("score", "--pipeline", "payments", "--example")
    assert answer["model_name"] == "payments"
    assert 0 <= answer["outputs"][0]["data"][0] <= 1
    assert {"flights", "payments"} <= set(system.json("status")["scorer"]["live"])


def test_the_changed_feature_is_live_trained_on_the_history_that_was_there(system: System) -> None:
    deployed = system.deployed("flights")
    assert system.untouched() == system.before
    answer = system.json("score", "--example")
    assert answer["parameters"]["fingerprint"] == deployed["fingerprint"]
    assert answer["parameters"]["sequence"] >= deployed["live"]
    assert len(system.landed()) >= system.history > 100_000


def test_a_contract_that_would_refuse_callers_is_not_deployed(system: System) -> None:
    file = system.pipelines / "flights.yaml"
    kept = file.read_text()
    changed = re.sub(r"(\bdistance: +\{type: )double", r"\1long", kept)
    assert changed != kept
    file.write_text(changed)
    done = system.run(HOTPATH, "deploy", "flights", check=False)
    file.write_text(kept)
    assert done.returncode == 2
    assert "distance" in done.stderr


def test_the_two_hosts_with_wrong_clocks_are_named_and_no_other(system: System) -> None:
    def hosts(pipeline: str) -> list[dict[str, Any]]:
        return [h for h in system.console()["hosts"] if h["pipeline"] == pipeline]

    def flagged(pipeline: str) -> dict[str, int]:
        found = [h for h in hosts(pipeline) if h["state"] in ("ahead", "behind")]
        return {h["host"]: round(h["offset_s"] / 60) for h in found}

    until(lambda: len(flagged("flights")) >= 2, "both are named", WATCHED_S)
    assert flagged("flights") == {stranger.host: -stranger.ahead // MINUTE for stranger in WRONG_CLOCKS}
    assert len(hosts("flights")) == 12 + 2
    (bad,) = system.settings().sources.payments.bad_hosts.items()
    until(lambda: len(flagged("payments")) >= 1, "the terminal with a wrong clock is named", WATCHED_S)
    assert flagged("payments") == {bad[0]: -round(bad[1] / 60)}


def test_every_panel_of_the_dashboard_has_something_to_show(system: System) -> None:
    influx = read_access(system.settings())
    others = {m.name for m in metrics.METRICS} - {m.name for m in metrics.of("binary")}
    elsewhere = {m.title for m in MONITORS if m.reads.field in others}  # of targets that nobody deployed
    wanted = {t: flux for t, flux in queries(influx.bucket, minutes=30).items() if t not in elsewhere}

    def empty() -> list[str]:
        return [title for title, flux in wanted.items() if not influx.query(flux)]

    until(lambda: not empty(), "no panel is empty", WATCHED_S, empty)


def test_a_stream_job_that_is_killed_is_started_again_and_goes_on(system: System) -> None:
    batches = Lake(system.data / "cloud" / "lake", "flights").newest() or 0
    victim = next(p for p in system.processes() if line(p)[-2:] == ["transform.job", "flights"])
    for process in [*victim.children(recursive=True), victim]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: "transform-flights ended with code" in system.told, "its end is said")
    lake = Lake(system.data / "cloud" / "lake", "flights")
    until(lambda: (lake.newest() or 0) > batches + 1, "it lands again", 120)


def test_ctrl_c_ends_it_with_a_report_and_nothing_left_behind(system: System) -> None:
    assert system.demo is not None
    system.demo.send_signal(signal.SIGINT)
    assert system.demo.wait(120) == 0, system.told[-3000:]
    assert not system.processes()
    report = json.loads(system.report.read_text())
    for records in (report["events"], report["labels"]):
        assert (records["lost"], records["duplicated"]) == (0, 0)
    assert report["events"]["landed"] == report["events"]["produced"] + 4
    assert (report["answers"]["failed"], report["answers"]["mixed"]) == (0, 0)
    assert report["answers"]["total"] > 0
    assert report["models"]["went_live"] >= 1
    assert {host["host"] for host in report["hosts_flagged"]} == {s.host for s in WRONG_CLOCKS}
    quality = report["quality"]
    assert quality["live_auc"] == pytest.approx(quality["live_auc_brute_force"], abs=1e-9)
    assert quality["label_coverage"] > 0
    assert report["parity"]["equal"] > 0
    assert report["parity"].get("differing", 0) == 0
    assert report["points"]["written"] > 0
    assert report["points"]["lost"] == 0
    assert set(_keys(report)) == _documented()
    payments = report["pipelines"]["payments"]
    assert payments["models"]["went_live"] >= 1
    for records in (payments["events"], payments["labels"]):
        assert (records["lost"], records["duplicated"]) == (0, 0)
        assert records["landed"] > 0


def test_a_second_start_continues_and_a_killed_supervisor_takes_everything_with_it(system: System) -> None:
    stopped_at = Clock(system.data / "clock.jsonl").timeline().segments[-1].virtual
    goes_on = "payments: its history has landed"
    before = system.told.count(goes_on)
    demo = system.start()
    until(system.ready, "the model that was live answers again", READY_S)
    assert "continuing the earlier run" in system.told
    answer = system.json("score", "--example")
    assert answer["parameters"]["sequence"] >= 1
    assert answer["parameters"]["asked_at"] >= stopped_at
    assert system.json("score", "--pipeline", "payments", "--example")["model_name"] == "payments"
    until(lambda: system.told.count(goes_on) > before, "the pipeline that was deployed goes on too", READY_S)
    demo.kill()
    demo.wait()
    until(lambda: not system.processes(), "everything has ended", 30)


def _keys(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield f"{prefix}{key}"
        if isinstance(inner, dict) and key not in ("pipelines", "parity"):  # by name, by verdict
            yield from _keys(inner, f"{prefix}{key}.")


def _documented() -> set[str]:
    """Every key that docs/report.md names, and those it names by saying `labels.…` and in one row."""
    page = (PROJECT / "docs/report.md").read_text()
    rows = set(re.findall(r"^\| `([a-z0-9_.]+)`", page, re.MULTILINE))
    events = {row.removeprefix("events.") for row in rows if row.startswith("events.")}
    percentiles = {
        f"answers.{k}.{p}" for k in ("latency_us", "latency_us_in_swaps") for p in ("p50", "p99", "p999")
    }
    groups = {"events", "labels", "models", "answers", "quality", "points"}
    freshness = {"freshness_s.p50", "freshness_s.p95"}
    return rows | {f"labels.{e}" for e in events} | percentiles | groups | freshness


def _listening(port: int) -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken
