"""The host-clock ledger: who was wrong, when, by how much; judged window by window. Pure.

A host's offset is its figure less its peers' median (negative: ahead). It is named after `confirm` judged
windows in a row beyond the limit that agree with each other within the limit (a backlog that drains shrinks
from window to window: it is no clock), and cleared after as many within half the limit. What arrived from
the start of its last good window on is bad, for the clock may have stepped inside it, until the end of the
first good one.

    good   good | wrong  wrong  wrong | good   good
           since ------- named ------------ until  cleared
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hotpath.clock import Micros
from monitoring.sites import Wrong, vote
from monitoring.windows import Met, Rules, Window

State = Literal["new", "good", "ahead", "behind"]

FEWEST_PEERS = 3
MARGIN = 10
"""A window counts as good only where the offset keeps the limit by a part of it, one in so many."""
MOST_SPANS = 500
"""A clock wrong more often than that teaches nothing of what lies between its oldest spans either."""
MOVED = 20
"""A wrong clock's size is said anew when it has moved by more than the limit by this."""


@dataclass(frozen=True)
class Span:
    """Arrivals from `since` on, before `until` (None: up to now), of a host that was wrong by `offset`."""

    since: Micros
    until: Micros | None
    offset: Micros


@dataclass(frozen=True)
class Host:
    """A host's whole entry. `beyond` and `within`: the newest judged windows in a row that are so.

    `beyond` holds their offsets, `within` their ends; at most `confirm` of either.
    """

    met: Met
    state: State = "new"
    offset: Micros | None = None
    last_good: Micros | None = None
    beyond: tuple[Micros, ...] = ()
    within: tuple[Micros, ...] = ()
    spans: tuple[Span, ...] = ()
    late: int = 0

    @property
    def wrong(self) -> bool:
        """Whether the host is in a bad interval now."""
        return self.state in ("ahead", "behind")

    def judged(self, offset: Micros, window: int, rules: Rules) -> Host:
        """The entry after one more window in which this host's offset was found."""
        size, start = abs(offset), window * rules.window
        if size > rules.limit:
            run = self.beyond if _spread((*self.beyond, offset)) <= rules.limit else ()
            later = replace(self, beyond=(*run, offset)[-rules.confirm :], within=())
            return later._named(rules) if len(later.beyond) == rules.confirm else later
        if size > rules.limit // 2:
            # The figure is the clock's error and a little of the way: near the limit it may be beyond.
            near = size > rules.limit - rules.limit // MARGIN
            later = replace(self, beyond=(), within=())
            return later if near else later._good(offset, start)
        within = (*self.within, rules.ends(window))[-rules.confirm :]
        later = replace(self, beyond=(), within=within)._good(offset, start)
        return later._cleared(offset) if len(within) == rules.confirm else later

    def _good(self, offset: Micros, start: Micros) -> Host:
        """A window within the limit; a host that was named stays so until more of them agree."""
        if self.wrong:
            return replace(self, last_good=start)
        return replace(self, last_good=start, state="good", offset=offset)

    def _named(self, rules: Rules) -> Host:
        offset = self.beyond[-1]
        state: State = "ahead" if offset < 0 else "behind"
        if not self.wrong:
            first = self.met.first if self.met.live is None else self.met.live
            since = first if self.last_good is None else self.last_good
            after = max(since, self.spans[-1].until or since) if self.spans else since
            spans = _kept((*self.spans, Span(after, None, offset)))
            return replace(self, state=state, offset=offset, spans=spans)
        # A drift goes on, a backlog comes and goes: only a size that stands still is said anew.
        moved = abs(offset - self.spans[-1].offset) * MOVED > rules.limit
        if not moved or _spread(self.beyond) * MOVED > rules.limit:
            return self
        newest = replace(self.spans[-1], offset=offset)
        return replace(self, state=state, offset=offset, spans=(*self.spans[:-1], newest))

    def _cleared(self, offset: Micros) -> Host:
        if not self.wrong:
            return self
        ended = replace(self.spans[-1], until=self.within[0])
        return replace(self, state="good", offset=offset, spans=(*self.spans[:-1], ended))


@dataclass(frozen=True)
class Judged:
    """What one closed window came to: offsets of the hosts that could be judged, in µs."""

    window: int
    seen: Window
    offsets: Mapping[str, Micros] = field(default_factory=dict)
    median: Micros | None = None
    wrong: Wrong = "unknown"


Hosts = Mapping[str, Host]


def judge(
    hosts: Hosts, window: int, seen: Window, monitor: Micros | None, rules: Rules
) -> tuple[Hosts, Judged]:
    """The ledger after a window. `monitor`: how far its clock is ahead of on-prem's; None: not known."""
    figures = {host: s.figure for host, s in seen.items()}
    # Who is known to be wrong is nobody's peer.
    peers = Peers.of([f for host, f in figures.items() if f is not None and not hosts[host].wrong])
    wrong = vote(peers.median, monitor, rules.limit)
    sound = monitor is not None and abs(monitor) <= rules.limit
    offsets: dict[str, Micros] = {}
    for host, figure in figures.items():
        if figure is not None:
            others = peers.without(None if hosts[host].wrong else figure)
            offset = _offset(figure, others, wrong, sound, rules.limit)
            offsets |= {} if offset is None else {host: offset}
    later = {host: hosts[host].judged(offset, window, rules) for host, offset in offsets.items()}
    return {**hosts, **later}, Judged(window, seen, offsets, peers.median, wrong)


def _offset(
    figure: Micros, others: tuple[Micros, Micros] | None, wrong: Wrong, sound: bool, limit: Micros
) -> Micros | None:
    """A figure less the reference; None where there is none. `sound`: the marks vouch for on-prem."""
    if others is None or wrong == "hosts":
        return figure if sound else None
    if wrong == "unknown":
        return None
    # Of an even number of peers the middle is a span: near half of them wrong, its mean is nobody's time.
    median = min(max(figure, others[0]), others[1])
    if sound and 2 * abs(median) > limit and abs(figure) <= limit:
        return figure  # most hosts may be about to leave: who agrees with the on-prem clock is not accused
    return figure - median


@dataclass(frozen=True)
class Peers:
    """Figures of the hosts that are not known to be wrong, ascending."""

    figures: Sequence[Micros]

    @classmethod
    def of(cls, figures: Collection[Micros]) -> Peers:
        """In any order."""
        return cls(sorted(figures))

    @property
    def median(self) -> Micros | None:
        """Of the two middle ones the farther from zero; None where there are too few."""
        middle = _middle(self.figures)
        return None if middle is None else max(middle, key=abs)

    def without(self, figure: Micros | None) -> tuple[Micros, Micros] | None:
        """The middle (one or two) of the others; None where there are too few."""
        if figure is None:
            return _middle(self.figures)
        at = bisect_left(self.figures, figure)
        count = len(self.figures) - 1
        if count < FEWEST_PEERS:
            return None
        low, high = ((count - 1) // 2, count // 2)
        return self.figures[low + (low >= at)], self.figures[high + (high >= at)]


def _middle(figures: Sequence[Micros]) -> tuple[Micros, Micros] | None:
    count = len(figures)
    return (figures[(count - 1) // 2], figures[count // 2]) if count >= FEWEST_PEERS else None


def _kept(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """At most so many, the two oldest made one: an entry must fit into a record."""
    if len(spans) <= MOST_SPANS:
        return spans
    return (replace(spans[1], since=spans[0].since), *spans[2:])


def _spread(offsets: Sequence[Micros]) -> Micros:
    return max(offsets) - min(offsets)
