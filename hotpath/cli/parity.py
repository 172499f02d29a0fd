"""`hotpath parity NAME`: logged answers computed again from the lake, and every value that differs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from hotpath import settings
from hotpath.bundle_store import BundleStore
from hotpath.cli.options import WRONG, AsJson, Name
from hotpath.clock import Clock, Micros
from hotpath.contract.durations import span_of
from hotpath.errors import BadInput
from hotpath.lake import Lake, Manifest
from hotpath.parity import Judged, Logged, logged, recomputed, sampled, tally


def parity(
    name: Name,
    last: Annotated[str, typer.Option(help="How far back answers are taken, such as 30m or 6h.")] = "1h",
    sample: Annotated[int, typer.Option(min=1, help="Answers at the most, by their random id.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Recompute answers from the lake as of their time; exit code 1 where a value differs."""
    found = settings.load()
    if (span := span_of(last)) is None:
        raise BadInput("--last", last, "a duration like 30m, 6h or 2d")
    lake = Lake(found.lake_root(), name)
    since = Clock(found.clock_file()).now() - span
    chosen: list[Logged] = []
    for manifest in _landed(lake, since):  # one by one: of all answers only the sample is ever held
        answers = (a for a in logged(lake, [manifest]) if a.asked_at >= since)
        chosen = sampled([*chosen, *answers], sample)
    verdicts = recomputed(chosen, lake, BundleStore(found.bundle_store() / name))
    print(json.dumps(plain(chosen, verdicts)) if as_json else "\n".join(lines(chosen, verdicts)))
    sys.exit(WRONG if tally(verdicts)["differing"] else 0)


def plain(answers: Sequence[Logged], verdicts: Sequence[Judged]) -> dict[str, object]:
    """Plain data: counts, and every answer that is not equal with what differs."""
    unequal = [asdict(one) for one in verdicts if one.verdict != "equal"]
    unknown = len(answers) - len(verdicts)
    return {"answers": len(answers), **tally(verdicts), "without a bundle": unknown, "unequal": unequal}


def lines(answers: Sequence[Logged], verdicts: Sequence[Judged]) -> list[str]:
    """A line a value that differs by no fault of time, by feature; then the counts."""
    wrong = [value for one in verdicts if one.verdict == "differing" for value in one.differs]
    told = [
        f"{v.feature}  {v.prediction_id}  answered {v.answered!r}  lake {v.recomputed!r}"
        for v in sorted(wrong, key=lambda v: (v.feature, v.prediction_id))
    ]
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(tally(verdicts).items()))
    unknown = len(answers) - len(verdicts)
    rest = f", {unknown} of bundles that are not kept" if unknown else ""
    return [*told, f"{len(answers)} answers: {counts or 'none'}{rest}"]


def _landed(lake: Lake, since: Micros) -> list[Manifest]:
    """The batches that landed since then: an answer lands after it was asked."""
    return [manifest for manifest in lake.manifests() if manifest.landed_at >= since]
