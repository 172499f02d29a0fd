"""The watch of one pipeline's host clocks: landed batches and marks in; ledger entries and points out.

Carries out what `ledger` and `sites` decide. Its file is written now and then, never torn; what was taken
since is taken again, with the same result. What stands on `hotpath.hosts` is read at the start, so that
nothing is said twice, and nothing is said while old batches are caught up with: half a ledger would take
back what a whole one said.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, Unavailable
from hotpath.files import replace as replace_file
from hotpath.handoffs import HOSTS, HostClock, Mark
from hotpath.hosts import key, newest
from hotpath.kafka import Entry, Log, standing
from hotpath.lake import Lake, Manifest
from hotpath.points import Points
from monitoring.clock_points import Voice
from monitoring.clocks import Hosts, Judged
from monitoring.entries import Named, entry
from monitoring.ledger import Memory
from monitoring.line import Line
from monitoring.observed import observed
from monitoring.sites import Marks, Wrong, vote
from monitoring.windows import Rules

FILE = "clocks.json"
SAVE_S = 5.0

logger = logging.getLogger("monitoring.clocks")


class ClockWatch:
    """Feed it manifests in order and marks as they come, and `tick` it now and then."""

    def __init__(
        self,
        lake: Lake,
        contract: Contract,
        rules: Rules,
        log: Log,
        points: Points,
        clock: Clock,
        folder: Path,
    ) -> None:
        """Raises Unavailable where `hotpath.hosts` cannot be read."""
        self._lake, self._contract, self.rules = lake, contract, rules
        self._log, self._clock = log, clock
        self._file = folder / FILE
        self._memory = _remembered(self._file, rules).under(rules, clock.now())
        self._said = _standing(standing(log, HOSTS), contract.name)
        newest = lake.newest()
        self._behind_until = 0 if newest is None else newest + 1
        # A ledger that begins anew measures nothing of what is long past.
        self._news_from = self.cursor or self._behind_until
        self._marks, self._line = Marks(), Line(_real(rules, clock), clock.elapsed())
        self._last: Judged | None = None
        self._voice, self._saved = Voice(points, contract.name), clock.elapsed()

    @property
    def cursor(self) -> int:
        """The next batch this watch wants."""
        return self._memory.cursor

    @property
    def caught_up(self) -> bool:
        """Whether every batch that was there at the start has been taken."""
        return self.cursor >= self._behind_until

    def take(self, manifest: Manifest) -> None:
        """The next batch; one that was taken already changes nothing. Raises BadArtifact on a harmed file."""
        if manifest.batch < self.cursor:
            return
        before = self._memory.ledger
        rows = observed(self._lake, manifest, self._contract.events, self.rules)
        ledger, closed = before.seen(rows, self.rules).settled(self._difference(), self.rules)
        self._memory = replace(self._memory, ledger=ledger, cursor=manifest.batch + 1)
        self._last = closed[-1] if closed else self._last
        if manifest.batch >= self._news_from:
            fresh = rows.met.keys() - before.hosts.keys()
            self._voice.landed(sum(rows.met[h].live is not None for h in fresh), rows.ahead)
            for judged in closed:
                self._voice.window(judged, ledger.hosts)

    def mark(self, entry: Entry, received: Micros) -> None:
        """A record of `hotpath.marks`; `received` is real. Raises BadInput where it is no mark."""
        sequence = Mark.from_bytes(entry.value).sequence
        line = self._clock.timeline()
        stamped, heard = line.virtual(entry.at), line.virtual(received)
        self._marks = self._marks.with_mark(stamped, heard, self.rules)
        self._line = self._line.with_mark(sequence, entry.at, received, self._clock.elapsed())
        self._memory = replace(self._memory, mark=max(self._memory.mark, stamped))
        if abs(heard - stamped) <= self.rules.limit:  # both clocks agree, and this one came at once
            self._memory = self._memory.at(heard, self.rules)

    def tick(self) -> None:
        """Say what is new to `hotpath.hosts`, the points that are due, and keep the file."""
        elapsed = self._clock.elapsed()
        self._log.flush(0)  # serves what was given up: where nothing is sent, nobody else asks
        hosts = self._hosts()
        spoke = self.caught_up and self._publish(hosts)
        self._line = self._voice.line(self._line, elapsed)
        self._voice.ledger(self._last, sum(h.wrong for h in hosts.values()), self.wrong(), elapsed)
        if spoke or elapsed - self._saved >= SAVE_S:
            replace_file(self._file, self._memory.to_bytes())
            self._saved = elapsed

    def hosts(self) -> Mapping[str, HostClock]:
        """Every host's entry as it stands now, by name."""
        now, name = self._clock.now(), self._contract.name
        return {h: entry(name, h, host, self._said.get(h), now) for h, host in self._hosts().items()}

    def wrong(self) -> Wrong:
        """Whose clock the votes name."""
        return vote(self._last.median if self._last else None, self._difference(), self.rules.limit)

    def named(self) -> tuple[Named, ...]:
        """Every interval of the ledger, and when its host was named in it, oldest first."""
        known = self._memory.named
        found = [
            Named(name, span.since, span.until, span.offset, known[name, span.since])
            for name, host in self._hosts().items()
            for span in host.spans
            if (name, span.since) in known
        ]
        return tuple(sorted(found, key=lambda n: n.at))

    def _difference(self) -> Micros | None:
        return self._marks.difference(self.rules)

    def _hosts(self) -> Hosts:
        return self._memory.ledger.view(self._memory.mark, self._difference(), self.rules)

    def _publish(self, hosts: Hosts) -> bool:
        now, spoke = self._clock.now(), False
        for name, host in hosts.items():
            before = self._said.get(name)
            told = entry(self._contract.name, name, host, before, now)
            self._remember(told, before)
            if before is None or told.version != before.version:
                spoke = self._sent(told, before) or spoke
        return spoke

    def _remember(self, told: HostClock, before: HostClock | None) -> None:
        """When a host was named: the first time that its interval is seen, here or on the topic."""
        already = {b.since for b in before.bad()} if before else set()
        for bad in told.bad():
            if (place := (told.host, bad.since)) not in self._memory.named:
                at = before.at if before and bad.since in already else told.at
                self._memory = replace(self._memory, named={**self._memory.named, place: at})
                logger.warning("%s: clock %s by %.3f s", told.host, told.state, abs(bad.offset) / SECOND)

    def _sent(self, told: HostClock, before: HostClock | None) -> bool:
        """Whether the log took it. What it gives up later is said again."""
        name = told.host
        try:
            told_off = partial(self._delivered, told, before)
            if not self._log.send(HOSTS, told.to_bytes(), key(told.pipeline, name), on_delivery=told_off):
                return False
        except Unavailable as error:
            logger.warning("%s", error)
            return False
        self._said[name] = told
        return True

    def _delivered(self, told: HostClock, before: HostClock | None, error: Exception | None) -> None:
        if error is None or self._said.get(told.host) is not told:
            return
        logger.warning("%s: entry not delivered: %s", told.host, error)
        if before is None:
            del self._said[told.host]
        else:
            self._said[told.host] = before


def _standing(records: Sequence[Entry], pipeline: str) -> dict[str, HostClock]:
    """What stands of each host. What something else lies on is said again: compaction keeps the top."""
    top = {record.key: record.value for record in records}
    found = newest(records, pipeline)
    return {host: told for host, told in found.items() if top[key(pipeline, host)] == told.to_bytes()}


def _real(rules: Rules, clock: Clock) -> Rules:
    """The rules in real µs: what the root multiplied by the replay's rate, divided by it."""
    rate = max(1.0, clock.timeline().rate)
    return replace(rules, window=int(rules.window / rate), limit=int(rules.limit / rate))


def _remembered(file: Path, rules: Rules) -> Memory:
    """What the file holds; nothing, to be rebuilt from the lake, where it is absent, harmed or of old."""
    try:
        return Memory.from_bytes(file.read_bytes(), str(file))
    except FileNotFoundError:
        return Memory(rules)
    except BadArtifact as error:
        logger.warning("%s; the ledger is rebuilt from the lake", error)
        return Memory(rules)
