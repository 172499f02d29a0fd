"""The command line: exit codes mean something, errors are one line, `--json` is only JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hotpath import settings
from hotpath.cli import main as cli
from hotpath.cli.options import show
from hotpath.cli.scoring import ask
from hotpath.contract.example import example_request
from hotpath.contract.load import load
from hotpath.contract.request import request_decoder
from hotpath.errors import BadConfig
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("parity", "nope"),
        ("parity", ""),
        ("parity", "../lake/flights"),
        ("parity", "flights"),
        ("parity", "flights", "--last", "6hours"),
        ("features", "get", "flights", "--entity", "x", "--at", "yesterday"),
        ("features", "get", "flights", "--entity", "x"),
        ("try", "flights", "--lake"),
        ("lake", "ls", "nope"),
        ("rejected", "ls", "nope"),
        ("models", "--pipeline", "nope"),
        ("forget", "x", "--pipeline", "nope"),
        ("contract", "diff", "nope", "flights"),
        ("score",),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_pipeline_that_nobody_serves_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "post", lambda *_args, **_named: httpx.Response(404))
    with pytest.raises(BadConfig, match="nope"):
        ask("http://scorer", "nope", b"{}")


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "/a/b"), OSError("torn")])
def test_what_the_machine_refuses_is_one_line_with_its_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(settings, "load", refuse)
    code, out, err = run("status")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert str(error.filename or error) in err


def test_a_reader_of_stdout_that_went_away_is_told_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "hotpath.cli.main", "contract", "docs", "flights"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=PROJECT, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_what_a_table_holds_is_data_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show(("a",), [("[/red]A",), ("[red]B",), (":smile:",), ("\x1b[31mC",)], "[/bold]D")
    said = capsys.readouterr().out
    for text in ("[/red]A", "[red]B", ":smile:", "\\x1b[31mC", "[/bold]D"):
        assert text in said


def test_into_a_pipe_no_name_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show(("a", "b"), [("a" * 200, "b" * 200)])
    said = capsys.readouterr().out
    assert "a" * 200 in said
    assert "b" * 200 in said
