"""The trainer: `python -m train.job PIPELINE`; with `--once`, one run for an outer scheduler.

Whenever a run is due by the domain's clock it makes an attempt, never two at once on a machine. What a run
came to is kept in the bundle store, so that a restart knows when the next is due, and `--once` may be called
as often as anyone likes: where no run is due nothing is done, and the last one's exit code is given again. A
run that failed is due again at once, for it is an outer scheduler that calls.
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
from hotpath.errors import BadArtifact, BadConfig, HotpathError, Unavailable
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
FAILED, SETTINGS, REFUSED = 1, 2, 3
CODES: dict[State, int] = {"trained": 0, "waiting": REFUSED, "refused": REFUSED, "failed": FAILED}
"""Exit codes of `--once`."""

logger = logging.getLogger("train")


def main(argv: Sequence[str], reached: Callable[[str], None] = lambda _: None) -> int:
    """Train the pipeline that `argv` names until SIGTERM. Where it cannot begin 1, or SETTINGS where settings
    or keys are why; the reason is logged.

    `reached` is told the named points of publishing.

    With `--once`: 0 a model was announced; REFUSED where window or gate held it back, or it waits for
    outcomes; 1 the run failed, or it was told to end.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # SystemExit unwinds every `with`, so that children end before this process does.
    told = FAILED if "--once" in argv[1:] else 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(told))
    try:
        pipeline, found = argv[0], settings.load()
        turn = found.data / "cloud" / "train" / "turn.lock"
        made = replace(trainer(pipeline, found), reached=reached)
        made.key.sign(b"")  # a key that is no good is said before a run's work, not after it
        if "--once" in argv[1:]:
            return once(made, lambda: deployed.contract(found, pipeline), turn)
        work(made, lambda: deployed.contract(found, pipeline), turn)
    except BadConfig as error:
        logger.error("%s", error)
        return SETTINGS
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


def once(trainer: Trainer, contract: Callable[[], Contract], turn: Path) -> int:
    """One run, if one is due once it is this trainer's turn; its exit code, or the last one's."""
    if (held := free(turn)) is None:
        logger.info("another run is under way: waits for its turn")
    while held is None:
        wait(LOOK_S)
        held = free(turn)
    with held:
        runs = trainer.store.runs()
        now = replace(trainer, contract=contract())
        if runs and runs[-1].state != "failed" and not now.due(runs[-1]):
            last = runs[-1]
            logger.info("no run is due: the last one began at %d: %s %s", last.began_at, last.state, last.why)
            return CODES[last.state]
        run = ran(now)
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
