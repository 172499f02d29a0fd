"""One run of the trainer, from the lake to an announcement or a refusal with its numbers.

Window (Spark, a child), a search where one is due and a model (H2O, children), the bundle, the proof that a
scorer will ask for (a child), the gate; one after the other. Whatever goes wrong before the announcement
leaves the live model as it is. Composition root: `train.job` says when.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from hotpath import child, settings
from hotpath.bundle import Sealed, seal
from hotpath.bundle_store import BundleStore, Run, State, waiting
from hotpath.champion import champion
from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract import metrics
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.due import due
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import HOSTS, PARITY, Parity
from hotpath.kafka import Log, standing
from hotpath.keys import SigningKey, verify_key
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.publish import publish, receipts
from hotpath.signatures import Pair
from train import card, search_place, stages
from train.account import Account
from train.clocks import Clocks
from train.content import Model, facts, files
from train.folder import Folder
from train.gate import Evidence, Verdict, judged, judged_shadow
from train.measured import CHAMPION, WAITING, Measured, Shadow
from train.parameters import DEFAULT, Chosen
from train.provenance import revision, versions
from train.runs import measured, usual

PROOF_S = 60.0
"""What the proof in the sandbox may take: beside a window of another pipeline it is not alone."""
NOTHING: Mapping[str, float | None] = MappingProxyType({})

logger = logging.getLogger("train")


@dataclass(frozen=True)
class Trainer:
    """All that a run needs. `clock_limit`: how far off (real µs) a host's clock may be; `signing` and
    `verifying`: the key files, looked at whenever one is used, so that a rotated key is taken up;
    `reached`: told the named points of publishing (hotpath.publish.POINTS).
    """

    contract: Contract
    folder: Folder
    store: BundleStore
    log: Log
    signing: Path
    verifying: Path
    clock: Clock
    progress: Progress
    clock_limit: Micros
    limits: settings.Training
    reached: Callable[[str], None] = lambda _: None

    @property
    def key(self) -> Pair:
        """What signs, and what is believed. Raises BadConfig where a file is no good key."""
        return Pair(SigningKey(self.signing), verify_key(self.verifying))

    @property
    def points(self) -> Points:
        """Where runs and their stages are told."""
        return Points(self.log, self.clock, {"pipeline": self.contract.name})

    def due(self, last: Run | None) -> bool:
        """Whether a run is due now, after the last one (None: there was none)."""
        began_at = None if last is None else last.began_at
        changed = last is not None and last.fingerprint != self.contract.fingerprint
        return due(began_at, self.contract.train.retrain_every, self.clock.now(), changed)


def attempt(trainer: Trainer) -> Run:
    """One run to its end; whatever goes wrong becomes a failed run."""
    attempted = Attempt(trainer, began_at=trainer.clock.now())
    try:
        run = attempted.run()
    except Exception as error:
        logger.exception("the run failed")
        run = attempted.ended("failed", str(error))
    trainer.points.say("run", measured(run, attempted.account, attempted.latency_us), {"state": run.state})
    return run


@dataclass
class Attempt:
    """One run under way. `latency_us`: what the proof measured, once there was one.

    `_against`: the bundle that was live when it began; `_unasked`: why a rival cannot be asked, by name.
    """

    trainer: Trainer
    began_at: Micros
    seconds: dict[str, float] = field(default_factory=dict)
    account: Account | None = None
    latency_us: float | None = None
    _against: str | None = None
    _unasked: dict[str, str] = field(default_factory=dict)
    _doing: stages.Doing = field(default_factory=stages.Doing)
    _told: tuple[str, Mapping[str, object]] | None = None

    def run(self) -> Run:
        """Window, model, proof, gate, announcement; in place of a model a waiting challenger's outcomes."""
        to = self.trainer
        folder = to.folder.begun(to.contract.canonical())
        folder.hosts.write_bytes(self._clocks().to_bytes())
        self._champion(folder)
        waits = self._waiting(folder)
        return self.taught(folder, self._window(folder), waits)

    def taught(self, folder: Folder, account: Account, waits: Run | None = None) -> Run:
        """What a window comes to: refused where it cannot teach; else a model, or what `waits` has to say."""
        self.account, to = account, self.trainer
        if short := list(account.shortcomings(to.contract)):
            return self.ended("refused", "; ".join(short))
        if waits is not None:
            return self._matured(folder, account, waits)
        chosen = self._searched(folder)
        self._grow(folder)
        return self.judged(folder, account, chosen)

    def _champion(self, folder: Folder) -> None:
        """What the scorers' receipts say is live, put where the builder looks. Raises Unavailable."""
        self._against = self._live()
        if self._against is not None and (why := self._rival(folder, CHAMPION, self._against)):
            self._unasked[CHAMPION] = why

    def _live(self) -> str | None:
        """The bundle that receipts say is live. Raises Unavailable."""
        found = champion(receipts(self.trainer.contract.name, self.trainer.log))
        return None if found is None else found.bundle

    @cached_property
    def _runs(self) -> tuple[Run, ...]:
        """The runs before this one."""
        return self.trainer.store.runs()

    def _waiting(self, folder: Folder) -> Run | None:
        """The challenger that waits for outcomes of its own, put there likewise.

        It waits no more where another contract is asked for now, or where an operator has made it public.
        """
        found, to = waiting(self._runs), self.trainer
        if found is None or found.bundle is None or found.fingerprint != to.contract.fingerprint:
            return None
        if found.bundle == self._against or any(f.bundle == found.bundle for f in to.store.forced()):
            return None
        return None if self._rival(folder, WAITING, found.bundle) else found

    def _rival(self, folder: Folder, name: str, bundle: str) -> str:
        """Put a kept bundle where the window's builder looks; why that cannot be done, else ""."""
        try:
            files = self.trainer.store.bundle(bundle).files
        except BadArtifact as error:  # nothing to be held against: the gate's own rules are what is left
            logger.error("%s: no %s to compare with: %s", self.trainer.contract.name, name, error)
            return str(error)
        place = folder.rival(name)
        place.mkdir(parents=True)
        for entry in ("contract.json", "fitted.json", "model.zip"):
            (place / entry).write_bytes(files[entry])
        return ""

    def _matured(self, folder: Folder, account: Account, waits: Run) -> Run:
        """What a waiting challenger's outcomes say: it goes live, it is refused, or it waits on."""
        gate = self.trainer.contract.gate
        if why := account.rivals.get(WAITING):
            return self.ended("refused", f"it waited for outcomes, and {why}", bundle=waits.bundle)
        self._grow(folder, "shadow", str(waits.began_at))
        nobody = Measured(self.trainer.contract.labels.kind, {}, {})
        shadow = Shadow.from_bytes(folder.shadow.read_bytes())
        apart = {**account.rivals, **self._unasked}
        found = judged_shadow(gate, Evidence(nobody, {}, parity=self._parity(), shadow=shadow, apart=apart))
        if found.state == "promote" and waits.bundle is not None:
            return self._published(self.trainer.store.sealed(waits.bundle), found, waits.metrics)
        if found.state == "wait" and self.began_at - waits.began_at > self.trainer.contract.train.window:
            # Every row of the holdout is newer than it is: there will never be more.
            why = f"it has waited for longer than a window: {found.why}"
            return self.ended("refused", why, waits.metrics, found, waits.bundle)
        return self._held(found, waits.bundle, waits.metrics)

    def _searched(self, folder: Folder) -> Chosen:
        """The algorithm and parameters to grow by: those that a search finds now if one is due, else those
        that the newest one found. A search that fails is noted, and the run goes on with what was known.
        """
        to, search, runs = self.trainer, self.trainer.contract.train.search, self._runs
        known = Chosen.of(to.store.chosen()) or DEFAULT
        folder.chosen.write_bytes(known.to_bytes())
        # The first model of a contract waits for no search.
        if search is None or not any(r.sequence and r.fingerprint == to.contract.fingerprint for r in runs):
            return known
        if not due(known.at, search.every, self.began_at, known.fingerprint != to.contract.fingerprint):
            return known
        try:
            with self._stage("search", expected_s=search.budget / SECOND):
                self._child("train.search", [str(folder.path)], search.budget / SECOND + to.limits.model_s)
            found = Chosen.from_bytes(folder.searched.read_bytes())
        except Unavailable as error:
            logger.error("the search failed, the run goes on without: %s", error)
            found = known.after_failure(str(error), self.began_at, to.contract.fingerprint)
        to.store.keep_chosen(found.plain())
        if folder.searched.exists():  # of a search that failed the server's log may help
            search_place.over(folder)
        folder.chosen.write_bytes(found.to_bytes())
        return found

    def _grow(self, folder: Folder, *what: str) -> None:
        with self._stage("training"):
            self._child("train.fit", [str(folder.path), *what], self.trainer.limits.model_s)

    def judged(self, folder: Folder, account: Account, chosen: Chosen) -> Run:
        """Of a grown model the proof that a scorer will ask for, and the gate's word on it."""
        quality = Measured.from_bytes(folder.measured.read_bytes())
        sealed = self._sealed(folder, account, quality, chosen)
        known = {**quality.metrics, metrics.LATENCY: self._proved(sealed, folder)}
        contract = self.trainer.contract
        found = judged(
            contract.gate,
            Evidence(
                measured=quality,
                metrics=known,
                parity=self._parity(),
                believed=account.believed,
                least_believed=contract.train.timestamp_quality,
                decide=contract.scorecard.decide,
                apart={**account.rivals, **self._unasked},
            ),
        )
        if found.state == "promote" and not (why := self._overtaken()):
            return self._published(sealed, found, quality.metrics)
        self.trainer.store.keep(sealed)  # an operator may force it, or it waits for outcomes
        if found.state == "promote":
            return self.ended("refused", why, quality.metrics, found, sealed.id)
        return self._held(found, sealed.id, quality.metrics)

    def _overtaken(self) -> str:
        """Why the gate's word is no longer about what is live, such as after a rollback; "" where it is."""
        live = self._live()
        if self._against is None or live in (None, self._against):
            return ""
        return f"it was held against {self._against}, and {live} went live meanwhile: the next run tries anew"

    def _sealed(self, folder: Folder, account: Account, quality: Measured, chosen: Chosen) -> Sealed:
        to = self.trainer
        code = {"versions": versions(), "revision": revision(settings.PROJECT)}
        said = facts(to.contract, account, quality, chosen, to.clock.now(), code)
        model = Model(
            folder.mojo.read_bytes(),
            folder.scored.read_bytes(),
            Fitted.from_bytes(folder.fitted.read_bytes()),
            folder.scorecard.read_bytes(),
            card.read(folder.plots.read_bytes()),
        )
        return seal(files(to.contract, model, said), said, to.key)

    def _proved(self, sealed: Sealed, folder: Folder) -> float:
        """Median µs of a row's features and score. Raises Unavailable where a scorer would refuse it."""
        packed, to = folder.path / "bundle.zip", self.trainer
        packed.write_bytes(sealed.packed)
        with self._stage("proof"):
            log = self._child("serve.sandbox", [str(packed), str(to.verifying), to.contract.name], PROOF_S)
        self.latency_us = float(json.loads(log.read_text().splitlines()[-1])["median_us"])
        return self.latency_us

    def _published(self, sealed: Sealed, found: Verdict, quality: Mapping[str, float]) -> Run:
        to = self.trainer
        with self._stage("publishing"):
            name, now = to.contract.name, to.clock.now()
            said = publish(sealed, name, found.why, now, to.log, to.store, to.key, reached=to.reached)
        return self.ended("trained", found.why, quality, found, said.bundle, said.sequence)

    def _held(self, found: Verdict, bundle: str | None, quality: Mapping[str, float]) -> Run:
        state: State = "waiting" if found.state == "wait" else "refused"
        return self.ended(state, found.why, quality, found, bundle)

    def ended(
        self,
        state: State,
        why: str,
        quality: Mapping[str, float | None] = NOTHING,
        found: Verdict | None = None,
        bundle: str | None = None,
        sequence: int | None = None,
    ) -> Run:
        """What this run came to; `sequence` where it was announced."""
        return Run(
            state=state,
            why=why,
            began_at=self.began_at,
            seconds=self.seconds,
            metrics={name: value for name, value in quality.items() if value is not None},
            bundle=bundle,
            sequence=sequence,
            left_out=dict(self.account.left_out) if self.account else {},
            fingerprint=self.trainer.contract.fingerprint,
            reasons=[asdict(reason) for reason in found.reasons] if found else [],
        )

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
            arguments = [str(folder.path), str(self.began_at)]
            self._child("train.build", arguments, self.trainer.limits.window_s)
        return Account.from_bytes(folder.account.read_bytes())

    def _child(self, module: str, arguments: Sequence[str], deadline_s: float) -> Path:
        """Run a child to its end, its stages told; its log. Raises Unavailable where it fails or is late."""
        to, folder = self.trainer, self.trainer.folder
        folder.stages.unlink(missing_ok=True)
        log = folder.path / f"{module}.log"
        command = [sys.executable, "-m", module, *arguments]
        try:
            child.run(module, command, log, deadline_s, to.clock, tick=self._tick)
        finally:
            for name, spent in stages.read(folder.stages).spent.items():
                to.points.say("stage", asdict(spent), {"stage": f"{self._doing.name}/{name}"})
        return log

    @contextmanager
    def _stage(self, name: str, expected_s: float | None = None) -> Iterator[None]:
        """A stage of the run, told while it lasts; `expected_s`: None as long as it took of late."""
        to = self.trainer
        logger.info("%s", name)
        self._doing = stages.Doing(name, to.clock.elapsed(), expected_s or usual(name, self._runs))
        self._tick()
        try:
            yield
        finally:  # also of a stage that failed: it is that one's figure that one looks for
            self.seconds[name] = round(to.clock.elapsed() - self._doing.began, 2)
            to.points.say("stage", {"seconds": self.seconds[name]}, {"stage": name})

    def _tick(self) -> None:
        """Say what the run does just now, where that is not what was said last."""
        to, doing = self.trainer, self._doing
        said = doing.told(stages.read(to.folder.stages), to.clock.elapsed())
        if (now := (doing.name, said)) != self._told:
            self._told = now
            to.progress.say(doing.name, **said)
