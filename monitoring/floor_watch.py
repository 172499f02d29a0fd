"""The live model held against the contract's floor at every look, and rolled back where it must go.

Knows which sequence is live (receipts and answers must agree) and what was announced; what follows from that
is `monitoring.floor`'s, how it is announced `monitoring.rollback`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hotpath.clock import Clock
from hotpath.contract.parts import Floor
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import Announcement, Receipt
from hotpath.points import Points
from monitoring.floor import Ruling, Standing, Window, row_since, ruling
from monitoring.outcomes import Outcomes, by_bundle, by_sequence, windows
from monitoring.rollback import Rollback

SHOWN = 24
"""Windows that are looked back over, or four times what a rollback takes: it is a row of the newest."""

log = logging.getLogger(__name__)


class FloorWatch:
    """One pipeline's floor; `announced` by sequence, as far as the topic's tail was read."""

    def __init__(self, floor: Floor, rollback: Rollback, points: Points, clock: Clock) -> None:
        self._floor, self._rollback, self._points, self._clock = floor, rollback, points, clock
        self.announced: dict[int, Announcement] = {}
        self._live: Receipt | None = None
        self._lived: dict[int, str] = {}
        self._refused: set[int] = set()
        self._left: set[int] = set()
        self._backs: tuple[int, frozenset[int]] = (0, frozenset())
        self._stuck: int | None = None

    def receipt(self, receipt: Receipt) -> None:
        """A scorer says what it did: the newest that went live, or was gone back to, is what answers.

        What an operator went back from counts as refused: it is no better choice than before.
        """
        if receipt.kind == "refused":
            self._refused.add(receipt.sequence)
        elif receipt.kind != "admitted":
            self._live = receipt
            self._lived[receipt.sequence] = receipt.bundle
        if receipt.kind == "rolled_back":
            self._left |= {s for s in self._lived if s > receipt.sequence}
            self._refused |= self._left

    def look(self, outcomes: Outcomes, bundles: Mapping[int, str]) -> None:
        """Rule on the live model, and act on it; `bundles` of the sequences that answered.

        Raises BadArtifact where the store holds a force's note that does not read.
        """
        scored = outcomes.of(~np.isnan(outcomes.answers["score"]))
        if (live := self._answering(outcomes)) is None or live not in bundles:
            return
        standing = self._standing(live, scored, bundles[live])
        ruled = ruling(self._floor, standing)
        if ruled.due:
            try:
                ruled = self._act(self._informed(standing, scored, bundles))
            except Unavailable as error:  # the next look asks again what stands on the topic
                log.error("%s: no rollback yet: %s", self._rollback.pipeline, error)
                return
        self._say(live, ruled)

    def _answering(self, outcomes: Outcomes) -> int | None:
        """The live sequence; None before the first answer.

        None too while the newest answer to land is another sequence's than the newest receipt says: a swap is
        under way, or receipts are still being read from their beginning.
        """
        if not len(outcomes.answers):
            return None
        newest = int(outcomes.answers["sequence"][np.argmax(outcomes.answers["arrived_at"])])
        return newest if self._live is None or self._live.sequence == newest else None

    def _standing(self, live: int, scored: Outcomes, bundle: str) -> Standing:
        """Enough of it to say whether the live model must go."""
        if self._backs[0] != live:  # each is a file of the store; what they say up to a sequence stays
            self._backs = live, self._rollback.backs()
        found = self._windows(live, scored, self._backs[1])
        return Standing(live, bundle, found, self.announced, frozenset(self._refused))

    def _windows(self, live: int, scored: Outcomes, backs: frozenset[int]) -> list[Window]:
        answered = np.unique(scored.answers["sequence"]).tolist()
        sequences = row_since(live, backs, self._left, answered)
        row = scored.of(np.isin(scored.answers["sequence"], list(sequences)))
        newest = windows(row, self._floor.window, max(SHOWN, 4 * self._floor.windows))
        return [Window(part.quality(), by_sequence(part)) for part in newest]

    def _informed(self, standing: Standing, scored: Outcomes, bundles: Mapping[int, str]) -> Standing:
        """With what it takes to choose: what stands on the topic now, what was left, how good others were.

        The row too, once more: a force is noted a moment after it is announced. Raises Unavailable.
        """
        self.announced = self._rollback.announced()
        self._backs = standing.live, self._rollback.backs()
        left = self._rollback.left() | {b for s, b in self._lived.items() if s in self._refused}
        return replace(
            standing,
            windows=self._windows(standing.live, scored, self._backs[1]),
            announced=self.announced,
            left=left,
            quality=by_bundle(scored, bundles),
        )

    def _act(self, standing: Standing) -> Ruling:
        """Announce the first choice whose bytes are good, if the model must go. Raises Unavailable."""
        ruled = ruling(self._floor, standing)
        for to in ruled.to:
            try:
                said = self._rollback.announce(to, standing.live, ruled.why, self._clock.now())
            except BadArtifact as error:
                log.error("%s: no rollback to bundle %s: %s", self._rollback.pipeline, to.bundle, error)
            else:
                self.announced[said.sequence] = said
                return replace(ruled, due=False)
        return replace(ruled, to=())

    def _say(self, live: int, ruled: Ruling) -> None:
        if ruled.due and self._stuck != live:
            log.error("%s: %s; no older model is good enough", self._rollback.pipeline, ruled.why)
        self._stuck = live if ruled.due else None
        back = any(a.kind == "rollback" and s >= live for s, a in self.announced.items())
        said = {"windows_below": ruled.below, "rolled_back": int(back), "stuck": int(ruled.due)}
        self._points.say("floor", said)
