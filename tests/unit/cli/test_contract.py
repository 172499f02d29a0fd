"""`hotpath contract …` prints what a contract says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hotpath.cli.contract import app
from hotpath.contract.fitted import Fitted
from hotpath.contract.load import load
from hotpath.contract.program import program
from hotpath.contract.reference import page
from hotpath.contract.schema_bodies import document
from hotpath.errors import BadArtifact
from hotpath.settings import PROJECT

CONTRACT = PROJECT / "config" / "pipelines" / "flights.yaml"


def said(*args: str) -> str:
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_schema_is_printed_as_yaml_and_as_json() -> None:
    made = json.loads(json.dumps(document(load(CONTRACT))))
    assert yaml.safe_load(said("schema", "flights")) == made
    assert yaml.safe_load(said("schema", "flights", "--yaml")) == made
    assert json.loads(said("schema", str(CONTRACT), "--json")) == made


def test_the_page_is_printed_or_written(tmp_path: Path) -> None:
    assert said("docs", "flights") == page(load(CONTRACT))
    assert said("docs", "flights", "--out", str(tmp_path / "flights.md")) == ""
    assert (tmp_path / "flights.md").read_text() == page(load(CONTRACT))


def test_the_program_holds_what_was_fitted(tmp_path: Path) -> None:
    fitted = Fitted(levels={"carrier": ("AA", "UA")})
    (tmp_path / "fitted.json").write_bytes(fitted.to_bytes())
    assert json.loads(said("program", "flights")) == json.loads(json.dumps(program(load(CONTRACT))))
    with_levels = said("program", "flights", "--fitted", str(tmp_path / "fitted.json"))
    assert json.loads(with_levels) == json.loads(json.dumps(program(load(CONTRACT), fitted)))


def test_a_file_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match=r"fitted\.json"):
        said("program", "flights", "--fitted", str(tmp_path / "fitted.json"))
