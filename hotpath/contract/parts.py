"""The parts of a contract as frozen values. Order carries no meaning: everything named is sorted by name.

Reading them from a file is build.py's; what a value of a field must be is checks.py's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from hotpath.clock import Micros
from hotpath.contract.expressions import Tree
from hotpath.contract.types import LONGEST_TEXT, MOST_LEVELS, Type


@dataclass(frozen=True)
class Field:
    """One decoded field. `min`, `max` are inclusive, in `unit`; `max_length` is in characters."""

    name: str
    type: Type
    nullable: bool = False
    min: int | float | None = None
    max: int | float | None = None
    max_levels: int = MOST_LEVELS
    max_length: int = LONGEST_TEXT
    unit: str | None = None


@dataclass(frozen=True)
class Events:
    """The question's topic. `id`, `entity`, `host` and `time` name fields, none of them nullable."""

    topic: str
    id: str
    entity: str
    host: str
    time: str
    fields: tuple[Field, ...]

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Names of the text fields that identify something, so that "" is no value for them."""
        return (self.id, self.entity, self.host)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the decoded fields; names the lake's folder."""
        return _fingerprint(self.fields)


@dataclass(frozen=True)
class Labels:
    """The answer's topic. `horizon` (µs): an event without a label after this stays unlabelled."""

    topic: str
    entity: str
    target: str
    horizon: Micros
    fields: tuple[Field, ...]

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Names of the text fields that identify something, so that "" is no value for them."""
        return (self.entity,)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the decoded fields; names the lake's folder."""
        return _fingerprint(self.fields)


@dataclass(frozen=True)
class Feature:
    """What the model sees under `name`: `expression` as normalised source text, and typed as `tree`."""

    name: str
    expression: str
    tree: Tree

    @property
    def type(self) -> Type:
        """category, bool, long or double."""
        return self.tree.type


@dataclass(frozen=True)
class Train:
    """`window` and `retrain_every` in µs; `holdout` is a share of 1."""

    window: Micros
    holdout: float
    retrain_every: Micros


@dataclass(frozen=True)
class Gate:
    """`auc`: a challenger goes live with at least this area under the ROC curve on the holdout."""

    auc: float


@dataclass(frozen=True)
class Serve:
    """Ages of a model in µs: older than `fresh` it is stale, older than `expired` it is not used."""

    fresh: Micros
    expired: Micros


@dataclass(frozen=True)
class Floor:
    """When a live model is rolled back: `windows` outcome windows of `window` µs in a row lie below `auc`.

    A window, and an older model to go back to, counts from `labels` labelled answers on.
    """

    auc: float
    window: Micros
    windows: int
    labels: int


def _fingerprint(fields: tuple[Field, ...]) -> str:
    # Only what changes the meaning of a stored column: a wider range or a newly nullable field must
    # not part a pipeline from its history.
    shape = {f.name: [f.type, f.unit] for f in fields}
    return hashlib.sha256(json.dumps(shape, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
