"""The trainer: `python -m train.job PIPELINE`; with `--once`, one run for an outer scheduler.

Whenever a run is due by the domain's clock it makes an attempt, never two at once on a machine. What a run
came to is kept in the bundle store, so that a restart knows when the next is due, and `--once` may be called
as often as anyone likes: where no run is due, nothing is done.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from hotpath import deployed, settings
from hotpath.bundle_store import BundleStore, Run, State
from hotpath.clock import SECOND, Clock, wait
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, HotpathError, Unavailable
from hotpath.files import free
from hotpath.kafka import KafkaLog
from hotpath.progress import Progress
from hotpath.publish import DELIVERY_S, Unanswered, sweep
from train.attempt import Trainer, attempt
from train.folder import Folder
from train.runs import tally

LOOK_S = 0.5
GAP_S = 3 * LOOK_S
"""Between two runs: whoever waits for the turn takes it, also where this one's next run is due already."""
ROOM_S = 2.0
"""Between two tries to note a run where the store has no room."""
FAILED, REFUSED = 1, 3
CODES: dict[State, int] = {"trained": 0, "waiting": REFUSED, "refused": REFUSED, "failed": FAILED}
"""Exit codes of `--once`."""

logger = logging.getLogger("train")


def main(argv: Sequence[str], reached: Callable[[str], None] = lambda _: None) -> int:
    """Train the pipeline that `argv` names until SIGTERM; 1 where it cannot begin, the reason logged.

    `reached` is told the named points of publishing.

    With `--once`: 0 a model was announced, or nothing was due; REFUSED where window or gate held it back, or
    it waits for outcomes; 1 the run failed.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # SystemExit unwinds every `with`, so that children end before this process does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        pipeline, found = argv[0], settings.load()
        turn = found.data / "cloud" / "train" / "turn.lock"
        made = replace(trainer(pipeline, found), reached=reached)
        if "--once" in argv[1:]:
            return once(made, turn)
        work(made, lambda: deployed.contract(found, pipeline), turn)
    except HotpathError as error:
        logger.error("%s", error)
    return FAILED


def trainer(pipeline: str, found: settings.Settings) -> Trainer:
    """The trainer of one pipeline under these settings. Raises BadConfig."""
    return Trainer(
        contract=deployed.contract(found, pipeline),
        folder=Folder(found.data / "cloud" / "train" / pipeline),
        store=BundleStore(found.bundle_store() / pipeline),
        log=KafkaLog(found.kafka.cloud.address, timeout_ms=DELIVERY_S * 1000),
        signing=found.signing_key(),
        verifying=found.verify_key(),
        clock=Clock(found.clock_file()),
        progress=Progress(found.state(f"train-{pipeline}")),
        clock_limit=int(found.clocks.limit_s * SECOND),
        limits=found.train,
    )


def once(trainer: Trainer, turn: Path) -> int:
    """One run, if one is due once it is this trainer's turn; its exit code."""
    while (held := free(turn)) is None:
        wait(LOOK_S)
    with held:
        runs = trainer.store.runs()
        if not trainer.due(runs[-1] if runs else None):
            logger.info("no run is due: the last one began at %d", runs[-1].began_at)
            return 0
        run = ran(trainer)
    trainer.progress.say("idle", **tally((*runs, run)))
    trainer.log.flush(DELIVERY_S)
    return CODES[run.state]


def ran(trainer: Trainer) -> Run:
    """One run, noted; and what the store keeps no longer taken back."""
    run = attempt(trainer)
    remember(trainer, run)
    logger.info("run of %d: %s %s %s", run.began_at, run.state, run.why, run.seconds)
    name, now = trainer.contract.name, trainer.clock.now()
    with _said("nothing is taken back"):
        sweep(name, trainer.log, trainer.store, trainer.limits.keep_bundles, now)
    return run


def work(trainer: Trainer, contract: Callable[[], Contract], turn: Path) -> NoReturn:
    """Run whenever a run is due, for ever, by the contract that is deployed then.

    `turn`: a lock that the trainers of a machine share: one run at a time, or they would not fit its memory.
    """
    unanswered = Unanswered(trainer.contract.name, trainer.log, trainer.store, trainer.key, trainer.clock)
    while True:
        runs = trainer.store.runs()
        trainer.progress.say("idle", **tally(runs))
        with _next(trainer, contract, turn, runs[-1] if runs else None, unanswered) as now:
            ran(now)
        wait(GAP_S)


def remember(trainer: Trainer, run: Run) -> None:
    """Record a run, as soon as there is room for its note: where a disk is full, the trainer waits."""
    while True:
        try:
            trainer.store.record(run)
            return
        except OSError as error:
            logger.error("the run of %d is noted once there is room: %s", run.began_at, error)
            trainer.progress.say(f"waits: {error.strerror}", why=run.why)
        wait(ROOM_S)


@contextmanager
def _next(
    trainer: Trainer,
    contract: Callable[[], Contract],
    turn: Path,
    last: Run | None,
    unanswered: Unanswered,
) -> Iterator[Trainer]:
    """The trainer under the contract of now, once a run of it is due and it is its turn."""
    while True:
        now = replace(trainer, contract=contract())
        if now.due(last) and (held := free(turn)) is not None:
            with held:
                yield now
            return
        with _said("nothing is sent again"):
            unanswered.look()
        wait(LOOK_S)


@contextmanager
def _said(what: str) -> Iterator[None]:
    """What may wait until the next time is logged where it does not work."""
    try:
        yield
    except (Unavailable, BadArtifact, OSError) as error:
        logger.error("%s: %s", what, error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
