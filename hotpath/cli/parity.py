"""`hotpath parity NAME`: logged answers computed again from the lake, and every value that differs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Annotated, get_args

import typer

from hotpath import settings
from hotpath.bundle_store import BundleStore
from hotpath.cli.lake import lake_of
from hotpath.cli.options import WRONG, AsJson, Name
from hotpath.clock import Clock, Micros
from hotpath.contract.durations import span_of
from hotpath.errors import BadConfig
from hotpath.lake import Lake, Manifest
from hotpath.parity import Judged, Logged, Verdict, logged, recomputed, sampled, tally


def parity(
    name: Name,
    last: Annotated[str, typer.Option(help="How far back answers are taken, such as 30m or 6h.")] = "1h",
    sample: Annotated[int, typer.Option(min=1, help="Answers at the most, by their random id.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Recompute answers from the lake as of their time; exit code 1 where a value differs, or where there are
    answers and none can be checked.
    """
    found = settings.load()
    if (span := span_of(last)) is None:
        raise BadConfig("--last", last, "a duration like 30m, 6h or 2d")
    lake, store = lake_of(found, name), BundleStore(found.bundle_store() / name)
    since = Clock(found.clock_file()).now() - span
    chosen: list[Logged] = []
    for manifest in _landed(lake, since):  # one by one: of all answers only the sample is ever held
        answers = (a for a in logged(lake, [manifest]) if a.asked_at >= since)
        chosen = sampled([*chosen, *answers], sample)
    verdicts = recomputed(chosen, lake, store)
    missed = unchecked(chosen, verdicts, store.kept())
    print(json.dumps(plain(verdicts, missed)) if as_json else "\n".join(lines(verdicts, missed)))
    sys.exit(WRONG if tally(verdicts)["differing"] or (chosen and not verdicts) else 0)


def unchecked(answers: Sequence[Logged], verdicts: Sequence[Judged], kept: Collection[str]) -> Counter[str]:
    """How many answers have no verdict, by what is wrong with their bundle."""
    judged = {one.prediction_id for one in verdicts}
    of = (one.bundle for one in answers if one.prediction_id not in judged)
    return Counter("damaged" if bundle in kept else "not kept" for bundle in of)


def plain(verdicts: Sequence[Judged], missed: Counter[str]) -> dict[str, object]:
    """Plain data: counts, and every answer that is not equal with what differs."""
    counts = tally(verdicts)
    return {
        "answers": len(verdicts) + missed.total(),
        **{verdict: counts[verdict] for verdict in get_args(Verdict)},
        "without a bundle": missed["not kept"],
        "with a damaged bundle": missed["damaged"],
        "unequal": [asdict(one) for one in verdicts if one.verdict != "equal"],
    }


def lines(verdicts: Sequence[Judged], missed: Counter[str]) -> list[str]:
    """A line a value that differs by no fault of time, by feature; then the counts."""
    wrong = [value for one in verdicts if one.verdict == "differing" for value in one.differs]
    told = [
        f"{v.feature}  {v.prediction_id}  answered {v.answered!r}  lake {v.recomputed!r}"
        for v in sorted(wrong, key=lambda v: (v.feature, v.prediction_id))
    ]
    counts = [f"{n} {kind}" for kind, n in sorted(tally(verdicts).items())]
    rest = [f"{n} of bundles that are {why}" for why, n in sorted(missed.items())]
    answers = len(verdicts) + missed.total()
    return [*told, f"{answers} answers: {', '.join([*(counts or ['none']), *rest])}"]


def _landed(lake: Lake, since: Micros) -> list[Manifest]:
    """The batches that landed since then: an answer lands after it was asked."""
    return [manifest for manifest in lake.manifests() if manifest.landed_at >= since]
