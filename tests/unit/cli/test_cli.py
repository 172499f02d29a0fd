"""The command line: exit codes mean something, errors are one line, `--json` is only JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hotpath.cli import main as cli
from hotpath.contract.example import example_request
from hotpath.contract.load import load
from hotpath.contract.request import request_decoder
from hotpath.progress import Progress
from hotpath.settings import PROJECT

Run = Callable[..., tuple[object, str, str]]
CONTRACT = PROJECT / "config/pipelines/flights.yaml"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command; (exit code, stdout, stderr)."""
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr("sys.argv", ["hotpath", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call


def test_a_good_contract_is_said_to_be_good(run: Run) -> None:
    code, out, _ = run("check", str(CONTRACT), "--json")
    assert code == 0
    assert json.loads(out)["name"] == "flights"


def test_a_bad_contract_is_one_line_with_its_place_and_exit_code_2(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "flights.yaml"
    bad.write_text(CONTRACT.read_text().replace("horizon: 24h", "horzion: 24h"))
    code, out, err = run("check", str(bad))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "flights.yaml:" in err
    assert "horizon" in err


def test_a_bad_setting_is_exit_code_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__SERVE__PORT", "many")
    code, _, err = run("status")
    assert code == 2
    assert "serve.port" in err


def test_status_says_with_its_exit_code_that_nothing_runs(run: Run) -> None:
    assert run("status", "--json")[:2] == (1, "{}\n")


def test_a_scorer_that_is_away_is_exit_code_1_and_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTPATH__SERVE__PORT", "9")
    code, _, err = run("score", "--example")
    assert code == 1
    assert "hotpath demo" in err


def test_an_unknown_command_is_exit_code_2(run: Run) -> None:
    assert run("guess")[0] == 2


def test_the_example_is_a_question_that_the_contract_accepts() -> None:
    contract = load(CONTRACT)
    inputs = example_request(contract)["inputs"]
    assert isinstance(inputs, list)
    asked = {tensor["name"]: tensor["data"][0] for tensor in inputs}
    assert request_decoder(contract)(asked)["carrier"] == "example"


@pytest.mark.parametrize("path", ["/nope", "."])
def test_a_request_that_cannot_be_read_is_one_line(run: Run, path: str) -> None:
    code, _, err = run("score", "--request", path)
    assert (code, len(err.splitlines())) == (1, 1)


def test_a_strange_pipeline_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__SERVE__PORT", "1")
    code, _, err = run("score", "--request", "/dev/null", "--pipeline", "a\x01b")
    assert (code, len(err.splitlines())) == (1, 1)


def test_a_section_that_is_no_json_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__KAFKA", "foo")
    code, _, err = run("status")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "kafka" in err


@pytest.mark.parametrize("escape", ["\\U00110000", "\\UFFFFFFFF"])
def test_an_escape_beyond_unicode_is_one_line(run: Run, tmp_path: Path, escape: str) -> None:
    bad = tmp_path / "flights.yaml"
    bad.write_text(f'a: "{escape}"\n')
    code, _, err = run("check", str(bad))
    assert (code, len(err.splitlines())) == (2, 1)


def test_status_tells_a_part_that_is_gone_from_one_that_runs(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "data" / "state"
    state.mkdir(parents=True)
    (state / "scorer.json").write_text('{"state": "ready", "pid": 999999999}')
    code, out, _ = run("status", "--json")
    assert (code, json.loads(out)["scorer"]["state"]) == (1, "ended (said: ready)")
    Progress(state / "ingest.json").say("replaying")
    code, out, _ = run("status", "--json")
    assert (code, json.loads(out)["ingest"]["state"]) == (0, "replaying")
