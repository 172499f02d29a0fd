"""`hotpath check NAME`: what is wrong with a contract, and what is suspicious."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from hotpath import settings
from hotpath.cli.options import WRONG, AsJson, contract_file
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.people import samples
from hotpath.people.accepted import Accepted
from hotpath.people.evidence import Evidence, evidence
from hotpath.people.suspicion import Finding, suspicious

SHOWN = 6
"""Fields of one suspicion that are named in print."""


def check(
    contract: Annotated[str, typer.Argument(help="A contract's file, or its pipeline's name.")],
    sample: Annotated[
        Path | None, typer.Option(help="Events, one a line; default: NAME/sample.jsonl beside the contract.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 on what is suspicious.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a contract (exit code 2), and what is suspicious about it and its sample."""
    file = contract_file(settings.load(), contract)
    loaded = load(file)
    shown = gathered(loaded, file.with_suffix(""), sample)
    findings = suspicious(shown)
    if as_json:
        print(json.dumps(_plain(loaded, shown, findings)))
    else:
        _print(file, loaded, shown, findings)
    sys.exit(WRONG if strict and findings else 0)


def gathered(contract: Contract, folder: Path, sample: Path | None = None) -> Evidence:
    """What the sample shows; without one, the contract alone. Raises BadInput on an unreadable sample."""
    events = sample or samples.beside(folder, "sample")
    labels = samples.beside(folder, "labels")
    known = accepted(folder)
    return evidence(
        contract,
        samples.lines(events) if events else (),
        samples.lines(labels) if labels else (),
        known.spreads if known else None,
    )


def accepted(folder: Path) -> Accepted | None:
    """What was accepted of a pipeline, None before the first time. Raises BadArtifact on a spoilt file."""
    path = folder / "accepted.json"
    return Accepted.from_bytes(path.read_bytes(), str(path)) if path.exists() else None


def _plain(contract: Contract, shown: Evidence, findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "name": contract.name,
        "fingerprint": contract.fingerprint,
        "features": len(contract.features),
        "rows": len(shown.rows),
        "suspicious": [asdict(finding) for finding in findings],
    }


def _print(file: Path, contract: Contract, shown: Evidence, findings: Iterable[Finding]) -> None:
    print(f"{file}: ok, {len(contract.features)} features, {contract.fingerprint}")
    sample = bool(shown.rows or shown.refused)
    print(f"sample: {len(shown.rows)} events, {len(shown.answers)} labels" if sample else "no sample")
    for (name, todo), same in groupby(findings, lambda f: (f.suspicion, f.todo)):
        found = list(same)
        for finding in found[:SHOWN]:
            print(f"{name}: {finding.where}: {finding.says}")
        if more := [finding.where for finding in found[SHOWN:]]:
            print(f"{name}: {len(more)} more: {', '.join(more)}")
        print(f"  -> {todo}")
