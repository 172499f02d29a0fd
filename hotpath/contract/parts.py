"""The parts of a contract as frozen values. Order carries no meaning: everything named is sorted by name.

Reading them from a file is build.py's; what a value of a field must be is checks.py's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from hotpath.clock import Micros
from hotpath.contract.expressions import Tree
from hotpath.contract.types import LONGEST_TEXT, MOST_ITEMS, MOST_LEVELS, Scalar, Type


@dataclass(frozen=True)
class Field:
    """One decoded value of a record; `name` is its path from the record's root, such as `device.os`.

    `min`, `max` are inclusive, in `unit`; `max_length` is in characters. `default` is taken where the field
    is absent and is never beside `nullable`; `levels` (sorted) are all a category may be, () where any text
    is one; `format` names a row of formats.FORMATS; `source` is the record's own key where it differs
    (`from:`).
    Of an array `min` to `format` say what an item must be.
    """

    name: str
    type: Type
    nullable: bool = False
    min: int | float | None = None
    max: int | float | None = None
    max_levels: int = MOST_LEVELS
    max_length: int = LONGEST_TEXT
    unit: str | None = None
    default: Scalar = None
    levels: tuple[str, ...] = ()
    format: str | None = None
    max_items: int = MOST_ITEMS
    doc: str | None = None
    source: str | None = None

    @property
    def key(self) -> str:
        """What a record calls it, in the object that it is a part of."""
        return self.source or self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Object:
    """A nested object: `parts` (sorted by name) are its fields and the objects within."""

    name: str
    parts: tuple[Part, ...]
    nullable: bool = False
    doc: str | None = None
    source: str | None = None

    @property
    def key(self) -> str:
        """What a record calls it, in the object that it is a part of."""
        return self.source or self.name.rpartition(".")[2]


Part = Field | Object


def leaves(parts: Iterable[Part], nullable: bool = False) -> Iterator[Field]:
    """Every field, depth first; what is in a nullable object is nullable too."""
    for part in parts:
        if isinstance(part, Object):
            yield from leaves(part.parts, nullable or part.nullable)
        else:
            yield replace(part, nullable=True, default=None) if nullable else part


@dataclass(frozen=True)
class Source:
    """A topic's records. `parts` as declared; `decoder` is an entry of decode.DECODERS, `schema` the text
    of the schema file that it needs (None: it needs none).
    """

    topic: str
    entity: str
    parts: tuple[Part, ...]
    decoder: str = "json"
    schema: str | None = None

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Every decoded value, sorted by name."""
        return tuple(sorted(leaves(self.parts), key=lambda f: f.name))

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Names of the text fields that identify something, so that "" is no value for them."""
        return (self.entity,)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the decoded fields; names the lake's folder."""
        return _fingerprint(self.fields)


@dataclass(frozen=True, kw_only=True)
class Events(Source):
    """The question's topic. `id`, `entity`, `host` and `time` name fields, none of them nullable.

    `consent` names a bool field: a record in which it is not true is not landed.
    """

    id: str
    host: str
    time: str
    consent: str | None = None

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Names of the text fields that identify something, so that "" is no value for them."""
        return (self.id, self.entity, self.host)


Kind = Literal["binary", "classes", "number"]
"""What a target is: a bool, one of a category's levels, a number."""


@dataclass(frozen=True, kw_only=True)
class Labels(Source):
    """The answer's topic. `horizon` (µs): an event without a label after this stays unlabelled."""

    target: str
    horizon: Micros

    @property
    def truth(self) -> Field:
        """The target's field."""
        return next(f for f in self.fields if f.name == self.target)

    @property
    def kind(self) -> Kind:
        """What a model of this target is."""
        kinds: dict[Type, Kind] = {Type.BOOL: "binary", Type.CATEGORY: "classes"}
        return kinds.get(self.truth.type, "number")

    @property
    def classes(self) -> tuple[str, ...]:
        """The target's levels as the model names them: "0", "1" of a binary one, () of a number."""
        return {"binary": ("0", "1"), "classes": self.truth.levels, "number": ()}[self.kind]


@dataclass(frozen=True, kw_only=True)
class Stream(Source):
    """A further topic that aggregates read, such as weather; `name` is what they call it, and its dataset."""

    name: str

    @property
    def never_empty(self) -> tuple[str, ...]:
        """None: a record of it identifies nothing."""
        return ()


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


ALGORITHMS = ("deeplearning", "drf", "gbm", "glm", "xgboost")
"""The kinds of model that a search may try, by the names that H2O has for them."""


@dataclass(frozen=True)
class Search:
    """A search for better hyperparameters at every `every` of the domain's time.

    `budget` is real µs of all `algorithms` together (sorted, of ALGORITHMS).
    """

    every: Micros
    budget: Micros
    algorithms: tuple[str, ...]


@dataclass(frozen=True)
class Train:
    """`window` and `retrain_every` in µs; `holdout` is a share of 1.

    `max_rows` is what a window holds at the most; `validation` counts the slices of time that a search must
    hold over. A window whose timestamp quality is below `timestamp_quality` (share of 1) teaches nothing, nor
    does one in which a single feature tells the label better than `leak`.
    """

    window: Micros
    holdout: float
    retrain_every: Micros
    max_rows: int = 2_000_000
    validation: int = 3
    timestamp_quality: float = 0.5
    leak: float = 0.999
    search: Search | None = None


Sign = Literal[">=", "<="]


@dataclass(frozen=True)
class Rule:
    """`metric` (of metrics.METRICS, or one of the contract's own) is `sign` `bound`."""

    metric: str
    bound: float
    sign: Sign


@dataclass(frozen=True)
class Gate:
    """What a challenger must reach on the holdout: every rule, sorted by metric.

    `shadow`: live outcomes of its own that it must have had first; `confidence` of what is called worse.
    """

    rules: tuple[Rule, ...]
    shadow: int = 0
    confidence: float = 0.95


ROWS = "rows"
TURNS = ("tp", "fp", "tn", "fn")
"""How a decision turns out: a yes declined, a no declined, a no accepted, a yes accepted."""


@dataclass(frozen=True)
class Business:
    """A metric of the contract's own: `tree` refers to ROWS, to TURNS, and to sums such as `fn_amount`."""

    name: str
    expression: str
    tree: Tree


@dataclass(frozen=True)
class Decide:
    """The tolerances that decisions are made by: from the first on decline, below the second's accept."""

    false_positive_rate: float | None = None
    false_negative_rate: float | None = None


@dataclass(frozen=True)
class Scorecard:
    """What a bundle must say it can promise, at `confidence`: each tolerance in ascending order.

    Rates are of a binary target or of each class of many; `coverage` is of a number's interval.
    """

    false_positive_rate: tuple[float, ...] = ()
    false_negative_rate: tuple[float, ...] = ()
    coverage: tuple[float, ...] = ()
    confidence: float = 0.95
    decide: Decide | None = None


@dataclass(frozen=True)
class Fallback:
    """What is answered where the model cannot: `tree` refers to the features by their names."""

    expression: str
    tree: Tree


@dataclass(frozen=True)
class Serve:
    """Ages of a model in µs: older than `fresh` it is stale, older than `expired` it is not used.

    `parameters`: what a caller may send beside the event's fields. `response`: what an answer holds, each a
    name of `outputs.of(kind)`, of a feature or of a parameter. `unknown`: whether a request's unknown field
    is refused or passed over.
    """

    fresh: Micros
    expired: Micros
    parameters: tuple[Field, ...] = ()
    response: tuple[Field, ...] = ()
    unknown: Literal["refuse", "ignore"] = "refuse"
    fallback: Fallback | None = None


@dataclass(frozen=True)
class Floor:
    """When a live model is rolled back: `windows` outcome windows of `window` µs in a row miss `bound`.

    `metric` is one of metrics.of(kind), which says on which side of the bound is good. A window, and an older
    model to go back to, counts from `labels` labelled answers on.
    """

    metric: str
    bound: float
    window: Micros
    windows: int
    labels: int


def _fingerprint(fields: tuple[Field, ...]) -> str:
    # Only what changes the meaning of a stored column: a wider range or a newly nullable field must
    # not part a pipeline from its history.
    shape = {f.name: [f.type, f.unit] for f in fields}
    return hashlib.sha256(json.dumps(shape, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
