"""Everything the stages say to each other: topics and records, declared once.

Owns names, directions and formats; knows no Kafka client. A record has `to_bytes` and `from_bytes`;
Hotpath's own instants are whole microseconds. Adding a hand-off is one entry in `HANDOFFS`.
"""

from __future__ import annotations

import base64
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Literal, Protocol, Self, cast, get_args, get_type_hints

import orjson
from cryptography.exceptions import InvalidSignature

from hotpath.clock import Micros
from hotpath.errors import BadArtifact, BadInput
from hotpath.signatures import Signs, Verifies

Site = Literal["onprem", "cloud"]
Direction = Literal["onprem->cloud", "cloud->onprem", "cloud"]
"""The way a topic takes over the mirror; `cloud`: it stays there."""

MODELS = "hotpath.models"
BUNDLES = "hotpath.bundles"
RECEIPTS = "hotpath.receipts"
COMMANDS = "hotpath.commands"
MARKS = "hotpath.marks"
HOSTS = "hotpath.hosts"
TILES = "hotpath.tiles"
PARITY = "hotpath.parity"
POINTS = "hotpath.points"

ARRIVED_HEADER = "hotpath-arrived-at"
"""Imported history carries its arrival (decimal µs) here; honoured only in recorded offset ranges."""
IMPORT_HEADER = "hotpath-import"
"""The id of the import that a record belongs to."""


@dataclass(frozen=True)
class Topic:
    """A topic of one direction of the mirror (or of none). `log_append`: the broker stamps its records."""

    name: str
    direction: Direction
    compacted: bool = False
    partitions: int | None = None

    @property
    def log_append(self) -> bool:
        """On-prem topics carry the on-prem broker's time, the reference for host clocks."""
        return self.direction == "onprem->cloud"

    def stands_at(self, site: Site) -> bool:
        """Whether the topic exists at a site."""
        return "->" in self.direction or self.direction == site

    def configs(self, site: Site) -> dict[str, str]:
        """Topic settings at a site: retention of seven days, or compaction; broker's stamps at the source.

        The mirrored copy keeps the stamp that the on-prem broker gave, so it must not stamp anew.
        """
        kept = {"cleanup.policy": "compact"} if self.compacted else {"retention.ms": str(7 * 86_400_000)}
        stamped = self.log_append and site == "onprem"
        return {**kept, "message.timestamp.type": "LogAppendTime"} if stamped else kept


HANDOFFS: tuple[Topic, ...] = (
    Topic(RECEIPTS, "onprem->cloud", partitions=1),
    Topic(COMMANDS, "onprem->cloud", compacted=True, partitions=1),
    Topic(MARKS, "onprem->cloud", partitions=1),
    # Parts in the cloud write their own points into the mirrored copy: nothing mirrors it back.
    Topic(POINTS, "onprem->cloud", partitions=1),
    Topic(HOSTS, "cloud", compacted=True, partitions=1),
    Topic(PARITY, "cloud", compacted=True, partitions=1),
    # One partition: a layout's own record follows the tiles of its keys.
    Topic(TILES, "cloud->onprem", compacted=True, partitions=1),
    Topic(MODELS, "cloud->onprem", compacted=True, partitions=1),
    Topic(BUNDLES, "cloud->onprem", compacted=True, partitions=1),
)


class Source(Protocol):
    """What a contract says of a topic that it reads."""

    @property
    def topic(self) -> str: ...


class Pipeline(Protocol):
    """As much of a contract as the hand-offs need."""

    @property
    def name(self) -> str: ...
    @property
    def events(self) -> Source: ...
    @property
    def labels(self) -> Source: ...
    @property
    def streams(self) -> Sequence[Source]: ...


def scores_topic(pipeline: str) -> str:
    """Topic of one record an answer."""
    return f"hotpath.scores.{pipeline}"


def topics(contracts: Iterable[Pipeline]) -> tuple[Topic, ...]:
    """Every topic of a deployment: the fixed hand-offs and those the contracts name."""
    named = (
        Topic(name, "onprem->cloud")
        for c in contracts
        for name in (c.events.topic, c.labels.topic, *(s.topic for s in c.streams), scores_topic(c.name))
    )
    return (*HANDOFFS, *dict.fromkeys(named))


@dataclass(frozen=True)
class Record:
    """A frozen value that travels as one JSON object of its fields; those with a default may be absent."""

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces (so that a signature is over one spelling)."""
        return orjson.dumps(vars(self), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, value: bytes | None) -> Self:
        """Raises BadInput where the bytes are not such a record."""
        try:
            raw = orjson.loads(value or b"")
        except orjson.JSONDecodeError as error:
            raise BadInput(cls.__name__, value, "one JSON object") from error
        return cls.from_fields(raw)

    @classmethod
    def from_fields(cls, raw: object) -> Self:
        """Raises BadInput on a missing, unknown or mistyped field."""
        hints, needed = _hints(cast("Hashable", cls)), _needed(cast("Hashable", cls))
        if not isinstance(raw, Mapping) or not needed <= raw.keys() <= hints.keys():
            raise BadInput(cls.__name__, raw, f"an object with exactly the fields {sorted(hints)}")
        for name, value in raw.items():
            if not fits(value, hint := hints[name]):
                raise BadInput(f"{cls.__name__}.{name}", value, str(getattr(hint, "__name__", hint)))
        return cls(**cast("dict[str, object]", raw))

    @classmethod
    def readable(cls, values: Iterable[bytes | None]) -> list[Self]:
        """Those of `values` that are such records: what anyone else wrote into a topic costs them nothing."""
        found = []
        for value in values:
            with suppress(BadInput):
                found.append(cls.from_bytes(value))
        return found


@cache  # resolving the hints costs many times what a record does
def _hints(record: Hashable) -> Mapping[str, object]:
    return get_type_hints(record)


@cache
def _needed(record: Hashable) -> frozenset[str]:
    """Fields without a default: one that a record gained later is absent from those of before."""
    given = fields(cast("type[Record]", record))
    return frozenset(f.name for f in given if f.default is MISSING and f.default_factory is MISSING)


def fits(value: object, hint: object) -> bool:
    """Whether a JSON value has the type that a record's field declares; an int is one of 64 bits."""
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if isinstance(hint, type):
        return isinstance(value, hint)
    choices = get_args(hint)
    if getattr(hint, "__origin__", None) is Literal:
        return value in choices
    if getattr(hint, "__origin__", None) in (list, dict):
        return isinstance(value, cast("type", hint.__origin__))  # type: ignore[attr-defined]
    return any(fits(value, choice) for choice in choices)


AGGREGATES = "aggregates"
"""In an answer's `degraded`: it rests on a default because tiles could not be had."""
LATE = "late:"
"""How such a flag begins where a tile that should have been read was not there yet: `late:AGGREGATE`."""


@dataclass(frozen=True)
class Score(Record):
    """One answer of the scorer, whole enough to be recomputed (law 7).

    `threshold` is null unless the question is binary. Of many classes `predicted` is the likeliest, `score`
    its probability and `scores` that of each, in the order of the contract's. `parameters` as they came.
    `tiles`: what was read of each aggregate, by name: [through (µs), batch] as hotpath.tiles has them, null
    where its tiles could not be had.
    """

    prediction_id: str
    pipeline: str
    entity: str | None
    request: dict[str, object]
    features: list[object]
    score: float | None
    decision: str
    threshold: float | None
    bundle: str
    sequence: int
    fingerprint: str
    asked_at: Micros
    answered_at: Micros
    degraded: list[str]
    predicted: str | None = None
    scores: list[object] = field(default_factory=list)
    parameters: dict[str, object] = field(default_factory=dict)
    tiles: dict[str, object] = field(default_factory=dict)


SIGNED_BY = "one by a key of this deployment that was not retired"


@dataclass(frozen=True)
class Announcement(Record):
    """A bundle is to go live: signed, named by a sequence that only grows."""

    pipeline: str
    bundle: str
    sha256: str
    size: int
    chunks: int
    sequence: int
    kind: Literal["promote", "rollback", "hold"]
    why: str
    announced_at: Micros

    def signed(self, key: Signs) -> bytes:
        """The record's value on `hotpath.models`: this announcement and its Ed25519 signature."""
        body = self.to_bytes()
        return orjson.dumps(
            {"announcement": vars(self), "signature": base64.b64encode(key.sign(body)).decode()}
        )

    @classmethod
    def verified(cls, value: bytes, key: Verifies) -> Announcement:
        """The announcement, if a signature that `key` knows is on it. Raises BadArtifact otherwise."""
        try:
            raw = orjson.loads(value)
            found = cls.from_fields(raw["announcement"])
            key.verify(base64.b64decode(raw["signature"], validate=True), found.to_bytes())
        except (ValueError, BadInput, KeyError, TypeError) as error:
            raise BadArtifact("announcement", value, "an announcement and its signature") from error
        except InvalidSignature as error:
            raise BadArtifact("announcement's signature", value, SIGNED_BY) from error
        return found


@dataclass(frozen=True)
class Receipt(Record):
    """What a scorer did with a generation."""

    pipeline: str
    scorer: str
    sequence: int
    bundle: str
    kind: Literal["admitted", "refused", "live", "rolled_back"]
    why: str
    at: Micros


@dataclass(frozen=True)
class Command(Record):
    """An operator's word, obeyed on-prem; `expects` is the sequence the operator saw live."""

    pipeline: str
    kind: Literal["roll back", "hold", "release", "promote", "retrain now"]
    expects: int
    by: str
    at: Micros


@dataclass(frozen=True)
class Mark(Record):
    """One a second: the line is alive, and `site`'s clock said `at`."""

    site: str
    sequence: int
    at: Micros


@dataclass(frozen=True)
class Parity(Record):
    """What recomputing logged answers from the lake came to of late (key: pipeline); each a count of answers.

    `checked` = `equal` + `late` + `degraded` + `differing`: late ones read a tile that came later than its
    delay or was published anew since, or records that were erased since; degraded ones had no tiles.
    `examples` of what differs, each {prediction_id, feature, answered, recomputed}. `since` and `at`: the
    span of `asked_at` looked at.
    """

    pipeline: str
    checked: int
    equal: int
    late: int
    degraded: int
    differing: int
    examples: list[dict[str, object]]
    since: Micros
    at: Micros


@dataclass(frozen=True)
class HostClock(Record):
    """The ledger's whole entry of one host, a new version at each change (key: pipeline/host).

    `offset` (µs) is the smallest `arrived_at - event_time` less the peers' median: negative means ahead; None
    while it is not known. `intervals` are the spans of `arrived_at` in which the host's clock was wrong,
    oldest first, each [since, until, offset]: since inclusive, until exclusive, null while it lasts.
    """

    pipeline: str
    host: str
    version: int
    state: Literal["new", "good", "ahead", "behind"]
    offset: int | None
    first_seen: Micros
    last_seen: Micros
    count: int
    intervals: list[list[int | None]]
    at: Micros

    def __post_init__(self) -> None:
        """Raises BadInput where an interval is not [since, until or null, offset]."""
        self.bad()

    def bad(self) -> tuple[BadInterval, ...]:
        """The intervals as values."""
        return tuple(BadInterval.of(self.host, raw) for raw in self.intervals)


@dataclass(frozen=True)
class BadInterval:
    """A host's rows that arrived from `since` on, before `until` (None: up to now), teach nothing."""

    host: str
    since: Micros
    until: Micros | None
    offset: Micros

    @classmethod
    def of(cls, host: str, raw: object) -> BadInterval:
        """Raises BadInput where `raw` is not [since, until or null, offset]."""
        match raw:
            case [int(since), None | int() as until, int(offset)] if _whole(since, until, offset):
                return cls(host, since, until, offset)
            case _:
                raise BadInput(f"interval of {host}", raw, "[since, until or null, offset] in µs")


def _whole(*numbers: int | None) -> bool:
    """Whether each that there is has 64 bits and is no truth value, which Python takes for a number."""
    return all(fits(number, int | None) for number in numbers)
