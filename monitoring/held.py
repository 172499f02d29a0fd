"""What the outcomes' watch holds between two looks: columns of answers and labels, and the cursor. Pure.

Rows go in as batches land; `settled` drops what a duplicate or its age makes needless. Of everything asked
since `since` all answers and all labels that could count for them are held, so the outcomes of that span are
exact, in whatever batches its records came. Written down it is one piece: a SHA-256, then numpy's `.npz`.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from hotpath.clock import DAY, Micros
from hotpath.contract.model import Contract
from hotpath.contract.parts import Labels
from hotpath.errors import BadArtifact
from monitoring.joined import ANSWER, LABEL, Rows, answer_type, once

LEAST_KEPT = 7 * DAY
FORMAT = 2
"""Of the state; another one is rebuilt. It grows with every change to `joined.answer_type` or `LABEL`."""
DIGEST = 32


def retention(contract: Contract) -> Micros:
    """How long an answer is held after it was asked: long enough for its label and the floor's windows."""
    floor = contract.floor
    judged = 0 if floor is None else (2 * floor.windows + 1) * floor.window
    return max(LEAST_KEPT, contract.labels.horizon + judged)


def about(labels: Labels) -> list[object]:
    """What answers and labels are about: a state of another target, or of other classes, is none."""
    truth = labels.truth
    return [labels.topic, labels.entity, labels.target, truth.type.value, truth.unit, list(labels.classes)]


@dataclass
class Held:
    """`cursor`: the batch that comes next; `seen`: how far the records of the batches before it reach."""

    labelled: Labels
    kept: Micros
    cursor: int = 0
    seen: Micros = 0
    bundles: dict[int, str] = field(default_factory=dict)
    answers: Rows = field(default_factory=lambda: np.zeros(0, ANSWER))
    labels: Rows = field(default_factory=lambda: np.zeros(0, LABEL))
    _new: list[tuple[Rows, Rows]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not len(self.answers):
            self.answers = np.zeros(0, answer_type(self.labelled))

    @property
    def since(self) -> Micros:
        """What was asked before this is forgotten."""
        return self.seen - self.kept

    def take(self, batch: int, landed_at: Micros, answers: Rows, labels: Rows) -> None:
        """The rows of one batch. Time moves as far as both the records and their landing say, so that neither
        the on-prem clock nor the cloud's, far ahead, can make everything old.
        """
        newest = max((int(rows["arrived_at"].max()) for rows in (answers, labels) if len(rows)), default=0)
        self.seen = max(self.seen, min(newest, landed_at))
        self._new.append((answers, labels))
        self.cursor = batch + 1

    def settled(self) -> Held:
        """This, with what was taken put to the rest, each answer once, and what is too old dropped."""
        if not self._new:
            return self
        answers = np.concatenate([self.answers, *(a for a, _ in self._new)])
        labels = np.concatenate([self.labels, *(told for _, told in self._new)])
        self._new.clear()
        # Before a duplicate is dropped: of an answer's two records neither is older than the other.
        self.answers = once(answers[answers["asked_at"] >= self.since])
        self.labels = labels[labels["arrived_at"] >= self.since]
        live = set(np.unique(self.answers["sequence"]).tolist())
        self.bundles = {sequence: b for sequence, b in self.bundles.items() if sequence in live}
        return self

    def to_bytes(self, pipeline: str) -> bytes:
        """The file's content; settles first."""
        self.settled()
        facts = {
            "format": FORMAT,
            "pipeline": pipeline,
            "kept": self.kept,
            "about": about(self.labelled),
            "cursor": self.cursor,
            "seen": self.seen,
            "bundles": list(self.bundles.items()),
        }
        out = io.BytesIO()
        np.savez(out, facts=np.array(json.dumps(facts)), answers=self.answers, labels=self.labels)
        return sha256(out.getvalue()).digest() + out.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes, pipeline: str, labelled: Labels, kept: Micros) -> Held:
        """What `to_bytes` wrote. Raises BadArtifact on anything else: the lake has it all."""
        rebuilt = "it is rebuilt from the lake"
        digest, content = raw[:DIGEST], raw[DIGEST:]
        if sha256(content).digest() != digest:
            raise BadArtifact(
                "outcomes' state", f"{len(raw)} bytes", "the bytes that hash as it says", rebuilt
            )
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            facts = json.loads(str(found["facts"]))
            expected = [FORMAT, pipeline, kept, about(labelled)]
            known = [facts.get(name) for name in ("format", "pipeline", "kept", "about")]
            if known != expected:  # what was dropped under a shorter retention is missing under a longer one
                raise BadArtifact("outcomes' state", known, f"{expected}", rebuilt)
            bundles = {int(sequence): str(bundle) for sequence, bundle in facts["bundles"]}
            rows = found["answers"], found["labels"]
            return cls(labelled, kept, facts["cursor"], facts["seen"], bundles, *rows)
