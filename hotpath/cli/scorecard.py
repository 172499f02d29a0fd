"""`hotpath scorecard`: what a model promises, and what it would promise for any other tolerance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hotpath import deployed, settings
from hotpath.bundle import Bundle
from hotpath.bundle_store import BundleStore
from hotpath.cli.options import AsJson, Name, printable
from hotpath.errors import BadArtifact, BadInput

_SHARE = "Between 0 and 1."


def scorecard(
    name: Name,
    bundle: Annotated[str | None, typer.Option(help="Which (default: the newest announced).")] = None,
    false_positive_rate: Annotated[
        float | None, typer.Option(help=f"The threshold that keeps to it. {_SHARE}")
    ] = None,
    false_negative_rate: Annotated[
        float | None, typer.Option(help=f"The threshold that keeps to it. {_SHARE}")
    ] = None,
    coverage: Annotated[
        float | None, typer.Option(help=f"Of a number: how far off such a share is at most. {_SHARE}")
    ] = None,
    confidence: Annotated[float | None, typer.Option(help="How sure (default: the contract's).")] = None,
    of: Annotated[str, typer.Option("--class", help="Of many classes, which.")] = "1",
    card: Annotated[Path | None, typer.Option(help="Write the model card, a page, to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a model promises for a tolerance on false positives or negatives, and what that costs.

    Without a tolerance: what the contract lists.
    """
    from hotpath.scorecard import COVERAGE, asked, said, sentences

    found = _bundle(name, bundle)
    if card is not None:
        card.write_bytes(found.files["card.html"])
    said_of: Mapping[str, Any] = json.loads(found.files["scorecard.json"])
    questions = {
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": false_negative_rate,
        COVERAGE: coverage,
    }
    answers = [
        asked(said_of, on, tolerance, confidence, of)
        for on, tolerance in questions.items()
        if tolerance is not None
    ]
    if not answers and (confidence is not None or of != "1"):
        raise BadInput(
            "--confidence and --class", "no tolerance", "one beside them, such as --false-positive-rate 0.01"
        )
    if as_json:
        told = [{**asdict(answer), "class": of, "bundle": found.id} for answer in answers]
        print(json.dumps(told or said_of))
        return
    print(f"{name}, bundle {found.id}:")
    for line in [said(answer, of, said_of) for answer in answers] or sentences(said_of):
        print(printable(line))


def _bundle(pipeline: str, asked: str | None) -> Bundle:
    """Raises BadInput where there is none, BadArtifact where it is not kept whole."""
    found = settings.load()
    deployed.contract(found, pipeline)  # refused where there is no such pipeline
    store = BundleStore(found.bundle_store() / pipeline)
    known = store.kept()
    runs = [run for run in reversed(store.runs()) if run.bundle in known]
    newest = next((run.bundle for run in (*(r for r in runs if r.sequence), *runs)), None)
    if (wanted := asked or newest) is None:
        raise BadInput(f"{pipeline}'s models", "none yet", "a run that came to one", "hotpath train once")
    if wanted not in known:
        raise BadArtifact("bundle", wanted, "one that is kept", "see hotpath models, hotpath models held")
    return store.bundle(wanted)
