"""Every answer of a run computed again from the bundle that it names: failed, mixed, slow.

Reads the lines that the transactions client wrote, the bundles as they were signed, and what the answers had
read of tiles as the lake's score records have it. An answer is mixed where score, decision, threshold or a
feature of the event alone are not the named bundle's, where that bundle cannot be had, or where one sequence
named two bundles. Whether what was read of tiles was right is `hotpath.parity`'s to say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import orjson

from hotpath.bundle import opened
from hotpath.contract.types import Value
from hotpath.contract.used import readings_used
from hotpath.errors import BadArtifact, BadInput, Unavailable
from hotpath.keys import verify_key
from hotpath.lake import Lake
from hotpath.local.answers import SLOW_US, Answered, Transaction, during, latency, parse, swaps
from hotpath.local.report import Answers, Latency
from hotpath.settings import Settings, load
from serve import engine
from serve.answer import answer
from serve.generation import Generation, build

TOLERANCE = 1e-12
"""Of a score: the same engine on the same row; another generation differs by far more."""
MOST_TOLD = 20
DEADLINE_S = 120.0

Generations = Callable[[str], Generation | None]
"""The generation that a bundle makes, by its id; None where it cannot be had."""
Features = Mapping[str, tuple[Value, ...]]
"""The feature vector of each logged answer, by prediction id."""


def check(settings: Settings, pipeline: str) -> Answers:
    """The report's view of all transactions so far; starts this process's JVM. Raises BadConfig."""
    engine.start(engine.JARS)
    found = list(transactions(settings.data / "onprem" / "answers"))
    return counted(found, generations(settings, pipeline), features(Lake(settings.lake_root(), pipeline)))


def features(lake: Lake) -> Features:
    """Of every answer whose record has landed. Raises BadArtifact on a file that does not read."""
    rows = lake.read("scores", ("prediction_id", "features")).to_pylist()
    return {row["prediction_id"]: tuple(orjson.loads(row["features"])) for row in rows}


def counted(found: Sequence[Transaction], of: Generations, logged: Features) -> Answers:
    """Counts and percentiles of `found`."""
    swapped = swaps(found)
    slow = [t for t in found if t.latency_us > SLOW_US]
    return Answers(
        total=len(found),
        failed=sum(t.answered is None for t in found),
        mixed=sum(mixed(t, of, logged) for t in found) + two_bundles(found),
        over_1s=len(slow),
        latency_us=latency(t for t in found if not during(t.scheduled_at, swapped)),
        latency_us_in_swaps=latency(t for t in found if during(t.scheduled_at, swapped)),
        over_1s_while=[name for name, _ in Counter(b for t in slow for b in t.busy).most_common(MOST_TOLD)],
    )


def mixed(transaction: Transaction, of: Generations, logged: Features) -> bool:
    """Whether the answer is not the one that the bundle it names would give.

    Of an answer that rests on tiles and whose record has not landed this cannot be said: it is not.
    """
    said = transaction.answered
    if said is None:
        return False
    generation = of(said.bundle)
    if generation is None:
        return True
    read = bool(generation.contract.readings)
    if read and said.prediction_id not in logged:
        return False
    try:
        if read:
            generation = _with(generation, logged[said.prediction_id])
        again = answer(generation, dict(transaction.request), said.asked_at, "", transaction.parameters)
    except BadInput:  # this bundle's contract would have refused the question
        return True
    same = again.decision == said.decision and generation.threshold == said.threshold
    return not (same and _same_score(again.score, said))


def _with(generation: Generation, logged: tuple[Value, ...]) -> Generation:
    """One that takes what rests on tiles from the log, and makes every other feature itself."""
    places = [i for i, f in enumerate(generation.contract.features) if readings_used([f])]
    made = generation.features

    def features(row: Mapping[str, Value]) -> tuple[Value, ...]:
        ours = list(made(row))
        for place in places:
            ours[place] = logged[place]
        return tuple(ours)

    return replace(generation, features=features)


def _same_score(score: float | None, said: Answered) -> bool:
    if score is None or said.score is None:
        return score is said.score
    return abs(score - said.score) <= TOLERANCE


def two_bundles(found: Sequence[Transaction]) -> int:
    """Answers whose sequence had named another bundle before."""
    named: dict[int, str] = {}
    answers = (t.answered for t in found if t.answered is not None)
    return sum(named.setdefault(a.sequence, a.bundle) != a.bundle for a in answers)


def transactions(folder: Path) -> Iterator[Transaction]:
    """Every whole line, oldest file first; the last of a client that was killed may be torn."""
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as lines:
            yield from (parse(line) for line in lines if line.endswith(b"\n"))


def generations(settings: Settings, pipeline: str) -> Generations:
    """Bundles of the scorer's folder, or, where they were retired there, of the store."""
    key = verify_key(settings.verify_key())

    @cache
    def of(bundle: str) -> Generation | None:
        for path in (
            settings.bundle_folder() / pipeline / bundle / "bundle.zip",
            settings.bundle_store() / pipeline / "bundles" / f"{bundle}.zip",
        ):
            try:
                return build(opened(path.read_bytes(), key), 0, pipeline, engine.load)
            except (FileNotFoundError, BadArtifact):
                continue
        return None

    return of


def apart(pipeline: str) -> Answers:
    """`check` in a process of its own: a JVM must not live in the caller's. Raises Unavailable."""
    command = [sys.executable, "-m", "hotpath.local.replay_check", pipeline]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired as error:
        said = f"an end within {DEADLINE_S:.0f} s"
        raise Unavailable("check of the answers", "still at work", said, "FRESH=1 starts anew") from error
    if done.returncode:
        raise Unavailable("check of the answers", done.stderr[-500:], "a run without error")
    said = json.loads(done.stdout)
    plain, swapped = Latency(**said.pop("latency_us")), Latency(**said.pop("latency_us_in_swaps"))
    return Answers(latency_us=plain, latency_us_in_swaps=swapped, **said)


def main(argv: Sequence[str]) -> int:
    """`argv`: the pipeline's name. Prints the answers' part of the report."""
    print(json.dumps(asdict(check(load(), argv[0]))))
    return 0


if __name__ == "__main__":
    engine.live_and_leave(main)
