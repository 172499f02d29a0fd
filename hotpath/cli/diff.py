"""`hotpath contract diff OLD NEW`: what parts two contracts, and whom it breaks."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hotpath import settings
from hotpath.cli.options import WRONG, AsJson
from hotpath.contract.compatibility import Change, changes
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadArtifact, BadConfig, BadInput

Named = Annotated[str, typer.Argument(help="A contract file, a deployed pipeline, or a bundle's id.")]


def diff(
    old: Named,
    new: Named,
    as_json: AsJson = False,
) -> None:
    """Say what a change breaks: callers, producers, lake, bundles. Exit code 1 where it breaks anything."""
    found = changes(contract(old), contract(new))
    print(json.dumps([plain(change) for change in found]) if as_json else "\n".join(lines(found)))
    sys.exit(WRONG if any(change.breaks for change in found) else 0)


def lines(found: Sequence[Change]) -> list[str]:
    """A line a change, those that break something first."""
    ordered = sorted(found, key=lambda change: not change.breaks)
    return [f"{c}; breaks {', '.join(c.breaks) or 'nobody'}" for c in ordered] or ["the same contract"]


def plain(change: Change) -> dict[str, object]:
    """Plain data."""
    said = {"what": change.what, "was": change.was, "now": change.now, "breaks": change.breaks}
    return {"change": change.rule.name, **said, "why": change.rule.why}


def contract(named: str) -> Contract:
    """The contract of that name. Raises BadConfig where nothing has it, BadInput, BadArtifact."""
    path = Path(named)
    if path.suffix == ".yaml":
        return load(path)
    if path.suffix == ".json":
        return Contract.from_json(_bytes(path))
    config = settings.load()
    if (running := Deployed(config.deployed()).get(named)) is not None:
        return running
    for bundle in config.bundle_store().glob("*/bundles/*.zip"):
        if bundle.stem == named:
            return _bundled(bundle)
    if (file := config.pipelines / f"{named}.yaml").exists():
        return load(file)
    raise BadConfig("contract", named, "a contract file, a deployed pipeline, or a bundle's id")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), error.strerror, "a readable contract") from error


def _bundled(bundle: Path) -> Contract:
    try:
        with zipfile.ZipFile(bundle) as packed:
            return Contract.from_json(packed.read("contract.json"))
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise BadArtifact(str(bundle), str(error), "a bundle with its contract") from error
