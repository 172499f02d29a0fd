"""`hotpath new`, `check`, `try` and `test` on files, and the pipelines that ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hotpath.cli import check, cut, new, test_, try_
from hotpath.cli.rehearsal import Record, arrivals
from hotpath.cli.stream_mistakes import COUNT, made
from hotpath.clock import HOUR
from hotpath.contract.load import load
from hotpath.errors import BadInput
from hotpath.lake import Lake
from hotpath.people import samples
from hotpath.people.results import Kind
from hotpath.people.suspicion import suspicious
from hotpath.settings import PROJECT
from tests.integration.train.lakes import land, place
from tests.unit.people.rides import START, contract, rides, shown

SHIPPED = ("flights", "payments")
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pipelines with the rides' samples beside it."""
    monkeypatch.setenv("HOTPATH__PIPELINES", str(tmp_path / "pipelines"))
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    events, labels = rides()
    samples.store(tmp_path, "events", samples.encoded(events))
    samples.store(tmp_path, "answers", samples.encoded(labels))
    return tmp_path / "pipelines"


@pytest.fixture
def run() -> Run:
    """Run a command; exit code and stdout."""
    app = typer.Typer()
    commands: dict[str, Callable[..., None]] = {
        "new": new.new,
        "check": check.check,
        "try": try_.try_,
        "test": test_.run,
    }
    for name, command in commands.items():
        app.command(name)(command)

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return call


@pytest.fixture
def made_new(pipelines: Path, run: Run) -> Path:
    """The pipeline `rides`, made anew from its samples."""
    files = [str(pipelines.parent / name) for name in ("events.jsonl", "answers.jsonl")]
    assert run("new", "rides", "--from", files[0], "--labels", files[1], "--target", "cancelled")[0] == 0
    return pipelines


def test_new_writes_a_pipeline_that_checks_and_holds_its_own_unit_tests(made_new: Path, run: Run) -> None:
    names = sorted(path.name for path in (made_new / "rides").iterdir())
    assert names == ["README.md", "labels.jsonl", "sample.jsonl", "tests.yaml"]
    code, said = run("check", "rides", "--json")
    assert code == 0
    assert {finding["suspicion"] for finding in json.loads(said)["suspicious"]} == {"no unit"}
    code, said = run("test", "rides", "--kind", "unit", "--kind", "mistake", "--json")
    assert code == 0
    assert {result["kind"] for result in json.loads(said)} == {"unit", "mistake"}


def test_new_never_writes_over_a_pipeline(made_new: Path, run: Run) -> None:
    with pytest.raises(BadInput, match="there already"):
        run("new", "rides", "--from", str(made_new.parent / "events.jsonl"), "--target", "surge")


def test_new_names_what_it_wrote_elsewhere_by_its_file(pipelines: Path) -> None:
    file = pipelines / "rides.yaml"
    assert new.following("rides", file, None).startswith("hotpath check rides · hotpath try rides")
    assert new.following("rides", file, pipelines).startswith(f"hotpath check {file} · hotpath try {file}")


def test_new_refuses_a_folder_that_cannot_be_made(pipelines: Path, run: Run) -> None:
    events, answers = (str(pipelines.parent / name) for name in ("events.jsonl", "answers.jsonl"))
    with pytest.raises(BadInput, match="a folder that can be made"):
        run("new", "rides", "--from", events, "--labels", answers, "--target", "cancelled", "--out", events)


def test_check_says_of_a_sample_that_is_refused_whole_that_it_was_read(made_new: Path, run: Run) -> None:
    other = samples.write(made_new.parent, "other", [{"a": 1}] * 3)
    said = run("check", "rides", "--sample", str(other))[1]
    assert "sample: 0 events, 200 labels" in said
    assert "3 lines of the sample are refused" in said


def test_new_refuses_a_name_that_names_no_topic(pipelines: Path, run: Run) -> None:
    with pytest.raises(BadInput, match="NAME"):
        run("new", "../x", "--from", str(pipelines.parent / "events.jsonl"))


def test_what_is_suspicious_is_an_error_only_where_that_is_asked_for(made_new: Path, run: Run) -> None:
    assert run("check", str(made_new / "rides.yaml"))[0] == 0
    code, said = run("check", "rides", "--strict")
    assert code == 1
    assert "no unit: seats" in said


@pytest.mark.usefixtures("made_new")
def test_try_shows_rows_features_and_where_nulls_come_from(run: Run) -> None:
    code, said = run("try", "rides", "--rows", "3", "--json")
    first, second, _ = json.loads(said)
    assert code == 0
    assert first["row"]["ride_id"] == "r-0"
    assert first["nulls"]["surge"] == ["surge"]
    assert "surge" not in second["nulls"]
    assert "null from surge" in run("try", "rides", "--rows", "1")[1]


def test_try_shows_the_newest_rows_of_the_lake(made_new: Path, run: Run) -> None:
    lake = Lake(made_new.parent / "data" / "cloud" / "lake", "rides")
    stood = [place("rides.events", 0, n, START + n * HOUR) for n in range(200)]
    rows = [{**row, **here} for row, here in zip(shown().rows, stood, strict=True)]
    land(lake, load(made_new / "rides.yaml"), 0, rows, [])
    _, said = run("try", "rides", "--lake", "--rows", "2", "--json")
    assert [shown["row"]["ride_id"] for shown in json.loads(said)] == ["r-198", "r-199"]
    assert json.loads(said)[1]["row"]["asked_at"] == rides()[0][-1]["asked_at"]


def test_a_failed_case_is_exit_code_1(made_new: Path, run: Run) -> None:
    plan = made_new / "rides" / "tests.yaml"
    plan.write_text(plan.read_text().replace("seats:", "seats: 99 #"))
    code, said = run("test", "rides", "--kind", "unit")
    assert code == 1
    assert "FAIL unit: the first row of the sample  seats is" in said


def test_records_arrive_when_they_say_and_mistakes_after_all_of_them() -> None:
    events, labels = (samples.encoded(rows).splitlines() for rows in rides())
    asked, told = arrivals(contract(), events, labels)
    assert told[0].arrived_at - asked[0].arrived_at == HOUR
    spoiled = made(contract(), asked)
    assert len(spoiled) == 3 * COUNT
    assert min(r.arrived_at for r in spoiled) > max(r.arrived_at for r in asked)
    assert isinstance(spoiled[0], Record)
    assert {r.value for r in spoiled[:COUNT]} <= set(events)
    assert not {r.value for r in spoiled[COUNT:]} & set(events)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_pipeline_that_ships_passes_its_unit_tests_and_notices_mistakes(name: str) -> None:
    file = PROJECT / "config" / "pipelines" / f"{name}.yaml"
    kinds = frozenset({Kind.UNIT, Kind.MISTAKE})
    results = list(test_.outcomes(load(file), file.with_suffix(""), kinds))
    assert len(results) > 10
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_sample_that_ships_is_whole_and_small(name: str) -> None:
    file = PROJECT / "config" / "pipelines" / f"{name}.yaml"
    found = check.gathered(load(file), file.with_suffix(""))
    assert not found.refused
    assert len(found.rows) > 4_000
    assert not [finding for finding in suspicious(found) if finding.suspicion == "changed unit"]
    assert sum(path.stat().st_size for path in file.with_suffix("").iterdir()) < 2**20
    assert set(cut.CUTS) == set(SHIPPED)
