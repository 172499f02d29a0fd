"""What a reader of a topic can never have any more: records that went before it took them. Pure.

A gap is told from consecutive looks at a partition. Its log's first offset passed the reader's position
(purged), or the topic is another one of the same name (recreated): then what had not been taken of the old
one is lost, and of the new one what a reader skips that resumes at its old position. Knows no mirror and no
lake: each is a reader with positions.

    log      |- - - purged - - -|====== held ======|
    reader   ....... position            start    end
                     [---- gap ---)

What was taken before it was purged is no gap. Whoever looks at a compacted topic says 0 for its start: what
compaction takes away is no loss.

    >>> _, gaps = step(Seen("A", end=900, next=100), Look("A", start=400, end=950))
    >>> [(g.first, g.end, g.why) for g in gaps]
    [(100, 400, 'purged')]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

MOST_AT_ONCE = 20_000
"""Records of a partition that the mirror commits at once, at the most: a longer step has skipped some."""

Place = tuple[str, int]
"""Topic and partition."""
Why = Literal["purged", "recreated"]


@dataclass(frozen=True)
class Look:
    """A partition now: first offset and end of its log, asked *before* `taken` was read: the positions (the
    offset that comes next) that the reader has committed since the last look, in order.
    """

    topic_id: str
    start: int
    end: int
    taken: tuple[int, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What is known from the last look. `next`: nothing before it is yet to come, taken or told as lost.
    `old`: the position in a topic that is gone, where the reader may resume, until it has spoken.
    """

    topic_id: str
    end: int
    next: int
    old: int | None = None


@dataclass(frozen=True)
class Gap:
    """Offsets from `first` on, before `end`, that the reader has not got and never will."""

    first: int
    end: int
    why: Why

    @property
    def records(self) -> int:
        """How many; at the most, where a log holds other than records (markers of transactions)."""
        return self.end - self.first


Found = tuple[Place, Gap]


def looked(
    seen: Mapping[Place, Seen], looks: Mapping[Place, Look], most: int | None = MOST_AT_ONCE
) -> tuple[dict[Place, Seen], list[Found]]:
    """One `step` of each partition; one that is not there just now stays as it was seen."""
    known, found = dict(seen), []
    for place, look in looks.items():
        known[place], gaps = step(seen.get(place), look, most)
        found += [(place, gap) for gap in gaps]
    return known, found


def step(seen: Seen | None, look: Look, most: int | None = MOST_AT_ONCE) -> tuple[Seen, tuple[Gap, ...]]:
    """What is known after a look, and the gaps that it shows.

    `most`: records that the reader commits at once at the most (None: it never skips any). Where it takes
    up again between two looks, a skip that is longer is told; a shorter one cannot be told from its work.
    """
    if seen is None:
        # A reader that has never spoken begins with what there is.
        begun = look.taken[-1] if look.taken else look.start
        return _same(Seen(look.topic_id, look.end, begun), replace(look, taken=()), most)
    if look.topic_id != seen.topic_id:
        return _recreated(seen, look, 0, most)
    if look.end < seen.next:  # a log only ever grows
        return _recreated(seen, look, look.start, most)
    return _same(seen, look, most)


def _recreated(seen: Seen, look: Look, begins: int, most: int | None) -> tuple[Seen, tuple[Gap, ...]]:
    """The old one's rest, then the new one from where it `begins`."""
    upto, taken = seen.next, look.taken
    while taken and taken[0] >= upto and taken[0] > look.end:  # positions that only the old one had
        upto, taken = taken[0], taken[1:]
    rest = Gap(upto, seen.end, "recreated")
    old = upto if seen.old is None else seen.old
    state, gaps = _same(Seen(look.topic_id, look.end, begins, old), replace(look, taken=taken), most)
    return state, (rest, *gaps) if rest.records > 0 else gaps


def _same(seen: Seen, look: Look, most: int | None) -> tuple[Seen, tuple[Gap, ...]]:
    following, old, gaps = seen.next, seen.old, []
    for position in look.taken:
        if old is not None and position > old:
            gaps.append(Gap(following, old, "recreated"))
        elif most is not None and position - following > most and following < look.start:
            gaps.append(Gap(following, min(look.start, position), "purged"))
        following, old = max(following, position), None
    if following < look.start:
        gaps.append(Gap(following, look.start, "purged"))
    state = Seen(look.topic_id, look.end, max(following, look.start), old)
    return state, tuple(gap for gap in gaps if gap.records > 0)
