"""The trainer: `python -m train.job PIPELINE`.

Whenever a run is due by the domain's clock: the window (Spark, a child), the model (H2O, a child), the gate,
the bundle, the announcement; one after the other, never two runs at once. What a run came to is kept in the
bundle store, so that a restart knows when the next is due. A run that fails leaves the live model untouched.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath import child, deployed, settings
from hotpath.bundle import Sealed, seal
from hotpath.bundle_store import BundleStore, Run, State
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.fitted import Fitted
from hotpath.contract.metrics import METRICS
from hotpath.contract.model import Contract
from hotpath.due import due
from hotpath.errors import HotpathError
from hotpath.files import free
from hotpath.handoffs import HOSTS, PARITY, Announcement, Parity
from hotpath.kafka import KafkaLog, Log, standing
from hotpath.keys import signing_key
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.publish import DELIVERY_S, publish
from train.account import Account
from train.clocks import Clocks, for_clocks
from train.content import Model, facts, files
from train.folder import Folder
from train.gate import agreeing, trainable, verdict
from train.parameters import FIXED
from train.provenance import revision, versions
from train.scorecard import Measured

LOOK_S = 0.5
GAP_S = 3 * LOOK_S
"""Between two runs: whoever waits for the turn takes it, also where this one's next run is due already."""
ROOM_S = 2.0
"""Between two tries to note a run where the store has no room."""
BUILD_S = 900.0
FIT_S = 900.0

logger = logging.getLogger("train")


def main(argv: Sequence[str]) -> int:
    """Train the pipeline that `argv` names until SIGTERM; 1 where it cannot begin, the reason logged."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # SystemExit unwinds every `with`, so that children end before this process does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        pipeline, found = argv[0], settings.load()
        turn = found.data / "cloud" / "train" / "turn.lock"
        work(trainer(pipeline, found), lambda: deployed.contract(found, pipeline), turn)
    except HotpathError as error:
        logger.error("%s", error)
    return 1


@dataclass(frozen=True)
class Trainer:
    """All that a run needs. `clock_limit`: how far off (real µs) a host's clock may be."""

    contract: Contract
    folder: Folder
    store: BundleStore
    log: Log
    key: Ed25519PrivateKey
    clock: Clock
    progress: Progress
    clock_limit: Micros

    @property
    def points(self) -> Points:
        """Where runs and their stages are told."""
        return Points(self.log, self.clock, {"pipeline": self.contract.name})

    def due(self, last: Run | None) -> bool:
        """Whether a run is due now, after the last one (None: there was none)."""
        began_at = None if last is None else last.began_at
        changed = last is not None and last.fingerprint != self.contract.fingerprint
        return due(began_at, self.contract.train.retrain_every, self.clock.now(), changed)


def trainer(pipeline: str, found: settings.Settings) -> Trainer:
    """The trainer of one pipeline under these settings. Raises BadConfig."""
    return Trainer(
        contract=deployed.contract(found, pipeline),
        folder=Folder(found.data / "cloud" / "train" / pipeline),
        store=BundleStore(found.bundle_store() / pipeline),
        log=KafkaLog(found.kafka.cloud.address, timeout_ms=DELIVERY_S * 1000),
        key=signing_key(found.signing_key()),
        clock=Clock(found.clock_file()),
        progress=Progress(found.state(f"train-{pipeline}")),
        clock_limit=int(found.clocks.limit_s * SECOND),
    )


def work(trainer: Trainer, contract: Callable[[], Contract], turn: Path) -> NoReturn:
    """Run whenever a run is due, for ever, by the contract that is deployed then.

    `turn`: a lock that the trainers of a machine share: one run at a time, or they would not fit its memory.
    """
    while True:
        runs = trainer.store.runs()
        trainer.progress.say("idle", **tally(runs))
        with _next(trainer, contract, turn, runs[-1] if runs else None) as now:
            run = attempt(now)
        remember(trainer, run)
        logger.info("run of %d: %s %s %s", run.began_at, run.state, run.why, run.seconds)
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
    trainer: Trainer, contract: Callable[[], Contract], turn: Path, last: Run | None
) -> Iterator[Trainer]:
    """The trainer under the contract of now, once a run of it is due and it is its turn."""
    while True:
        now = replace(trainer, contract=contract())
        if now.due(last) and (held := free(turn)) is not None:
            with held:
                yield now
            return
        wait(LOOK_S)


def tally(runs: Sequence[Run]) -> dict[str, int | float | None]:
    """What all runs came to, as the trainer's progress shows it."""
    states = [run.state for run in runs]
    return {
        "trained": sum(bool(run.metrics) for run in runs),
        "announced": sum(run.sequence is not None for run in runs),
        "refused": states.count("refused"),
        "failed": states.count("failed"),
        "holdout_auc": next((run.auc for run in reversed(runs) if run.auc is not None), None),
    }


def attempt(trainer: Trainer) -> Run:
    """One run to its end; whatever goes wrong becomes a failed run."""
    attempted = Attempt(trainer, began_at=trainer.clock.now())
    try:
        run = attempted.run()
    except Exception as error:
        logger.exception("the run failed")
        run = attempted.ended("failed", str(error))
    trainer.points.say("run", measured(run, attempted.account), {"state": run.state})
    return run


def measured(run: Run, account: Account | None) -> dict[str, float | None]:
    """The measurement `run`; `account` is its window's, None where it came to none."""
    left_out = account.left_out if account else {}
    return {
        "seconds": sum(run.seconds.values()),
        "rows": account.rows["train"] if account else None,
        "left_out": sum(left_out.values()) if account else None,
        "wrong_clock": for_clocks(left_out) if account else None,
        **{metric.name: run.metrics.get(metric.name) for metric in METRICS},
        "sequence": run.sequence,
    }


@dataclass
class Attempt:
    """One run under way."""

    trainer: Trainer
    began_at: Micros
    seconds: dict[str, float] = field(default_factory=dict)
    account: Account | None = None

    def run(self) -> Run:
        """Window, model, gate, bundle, announcement."""
        folder = self.trainer.folder.begun(self.trainer.contract.canonical())
        folder.hosts.write_bytes(self._clocks().to_bytes())
        return self.taught(folder, self._window(folder))

    def taught(self, folder: Folder, account: Account) -> Run:
        """The model of a window and what came of it; refused where the window cannot teach one."""
        self.account = account
        if not (found := trainable(account)).passed:
            return self.ended("refused", found.why)
        return self.judged(folder, account, self._model(folder))

    def judged(self, folder: Folder, account: Account, measured: Measured) -> Run:
        """The gate's word on a model: published, or refused with the live one kept."""
        for found in (verdict(self.trainer.contract.gate, measured), agreeing(self._parity())):
            if not found.passed:
                return self.ended("refused", found.why, measured)
        return self._published(folder, account, measured)

    def _parity(self) -> Parity | None:
        """What monitoring said last of training and serving. Raises Unavailable."""
        pipeline = self.trainer.contract.name
        said = Parity.readable(e.value for e in standing(self.trainer.log, PARITY))
        return next((one for one in reversed(said) if one.pipeline == pipeline), None)

    def _clocks(self) -> Clocks:
        """The wrong clocks known now. Raises Unavailable or BadConfig: without them nothing is learned."""
        to = self.trainer
        # The way of an event takes real time, which a replay magnifies.
        tolerance = int(to.clock_limit * max(1.0, to.clock.timeline().rate))
        return Clocks.standing(standing(to.log, HOSTS), to.contract.name, tolerance)

    def _window(self, folder: Folder) -> Account:
        with self._stage("window"):
            self._child("train.build", [str(folder.path), str(self.began_at)], BUILD_S)
            return Account.from_bytes(folder.account.read_bytes())

    def _model(self, folder: Folder) -> Measured:
        with self._stage("training"):
            self._child("train.fit", [str(folder.path)], FIT_S)
            return Measured(**json.loads(folder.measured.read_bytes()))

    def _published(self, folder: Folder, account: Account, measured: Measured) -> Run:
        with self._stage("publishing"):
            sealed = self._sealed(folder, account, measured)
            to = self.trainer
            why = f"holdout {measured.headline}"
            said = publish(sealed, to.contract.name, why, to.clock.now(), to.log, to.store, to.key)
        return self.ended("trained", why, measured, said)

    def ended(
        self, state: State, why: str, measured: Measured | None = None, said: Announcement | None = None
    ) -> Run:
        """What this run came to; `said` where it was announced."""
        return Run(
            state=state,
            why=why,
            began_at=self.began_at,
            seconds=self.seconds,
            metrics=dict(measured.metrics) if measured else {},
            bundle=said.bundle if said else None,
            sequence=said.sequence if said else None,
            left_out=dict(self.account.left_out) if self.account else {},
            fingerprint=self.trainer.contract.fingerprint,
        )

    def _sealed(self, folder: Folder, account: Account, measured: Measured) -> Sealed:
        contract = self.trainer.contract
        code = {"versions": versions(), "revision": revision(settings.PROJECT)}
        said = facts(contract, account, measured, FIXED, self.trainer.clock.now(), code)
        fitted = Fitted.from_bytes(folder.fitted.read_bytes())
        model = Model(folder.mojo.read_bytes(), folder.scored.read_bytes(), fitted, measured)
        return seal(files(contract, account, model, said), said, self.trainer.key)

    def _child(self, module: str, arguments: Sequence[str], deadline_s: float) -> None:
        log = self.trainer.folder.path / f"{module}.log"
        child.run(module, [sys.executable, "-m", module, *arguments], log, deadline_s, self.trainer.clock)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.trainer.progress.say(name)
        began = self.trainer.clock.elapsed()
        yield
        self.seconds[name] = round(self.trainer.clock.elapsed() - began, 2)
        self.trainer.points.say("stage", {"seconds": self.seconds[name]}, {"stage": name})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
