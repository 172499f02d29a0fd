"""What goes into a bundle: its files and the facts that its manifest signs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hotpath.clock import Micros
from hotpath.contract.fitted import Baseline, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.monitors import feature_monitors
from train.account import Account, Span
from train.card import Plot, card
from train.measured import Measured
from train.parameters import Chosen

_SHOWN_LEVELS = 5


@dataclass(frozen=True)
class Model:
    """What a run has made: MOJO, golden rows with their scores, what was fitted, scorecard and plots."""

    mojo: bytes
    golden: bytes
    fitted: Fitted
    scorecard: bytes
    plots: tuple[Plot, ...]


def facts(
    contract: Contract,
    account: Account,
    measured: Measured,
    chosen: Chosen,
    trained_at: Micros,
    code: Mapping[str, object],
) -> dict[str, object]:
    """Where a model comes from; `code` names versions and revision. Everything is plain JSON."""
    return {
        "pipeline": contract.name,
        "trained_at": trained_at,
        "window": {"from": account.span.start, "to": account.span.end},
        "batches": list(account.batches),
        "files": dict(account.files),
        "offsets": {
            topic: {str(partition): list(ends) for partition, ends in partitions.items()}
            for topic, partitions in account.offsets.items()
        },
        "tiles": _tiles(contract, account.span),
        "left_out": dict(account.left_out),
        "noticed": dict(account.noticed),
        "budget": dict(account.budget),
        "believed": account.believed,
        "host_intervals": [asdict(interval) for interval in account.clocks.intervals],
        "clock_tolerance": account.clocks.tolerance,
        "algorithm": chosen.algorithm,
        "parameters": chosen.named(),
        "searched": dict(chosen.evidence),
        "seed": chosen.seed,
        "fingerprint": contract.fingerprint,
        "kind": measured.kind,
        "metrics": dict(measured.metrics),
        **code,
    }


def files(contract: Contract, model: Model, said: Mapping[str, object]) -> dict[str, bytes]:
    """A bundle's entries by name; `said` are its facts."""
    quality = json.loads(model.scorecard)
    seen = _features(contract, model.fitted)
    return {
        "contract.json": contract.canonical(),
        "fitted.json": model.fitted.to_bytes(),
        "model.zip": model.mojo,
        "scorecard.json": model.scorecard,
        "golden.parquet": model.golden,
        "card.html": card(contract.question, quality, model.plots, seen, _shown(said)).encode(),
    }


def _shown(said: Mapping[str, object]) -> dict[str, object]:
    """Facts for people: of the files their number, the manifest has each with its hash."""
    files = said["files"]
    return {**said, "files": f"{len(files)} files" if isinstance(files, Mapping) else files}


def _tiles(contract: Contract, span: Span) -> dict[str, object]:
    """By the tiles' layout the arrivals (µs, from the first up to before the second) that they are made of,
    in the same batches as the rows.
    """
    made_of = {layout.id: span.tiled(layout.aggregate) for layout in contract.layouts}
    return {layout: {"from": first, "to": end} for layout, (first, end) in made_of.items()}


def _features(contract: Contract, fitted: Fitted) -> list[dict[str, object]]:
    """A line of the card for each feature: where it comes from, how it was spread, what watches it."""
    watched: dict[str, list[str]] = {f.name: [] for f in contract.features}
    for monitor in feature_monitors(contract, fitted):
        watched[monitor.feature].append(monitor.name)
    return [
        {
            "feature": f.name,
            "expression": f.expression,
            "training rows": _spread(fitted.baselines[f.name]),
            "monitors": ", ".join(watched[f.name]),
        }
        for f in contract.features
    ]


def _spread(found: Baseline) -> str:
    """A baseline in a few words."""
    missing = f"{found.nulls} of {found.rows} null"
    if found.levels:
        return f"{missing}; {', '.join(f'{level} {rows}' for level, rows in found.levels[:_SHOWN_LEVELS])}"
    if found.deciles:
        least, median, greatest = (found.deciles[n] for n in (0, 5, 10))
        return f"{missing}; {least:.4g} to {greatest:.4g}, median {median:.4g}"
    return missing
