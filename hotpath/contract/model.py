"""The contract: one pipeline's question, data and rules as one frozen value that travels as data.

Pure: text or bytes in, a Contract out, canonical JSON and fingerprints from it. The YAML file and the
bundle's contract.json have the same keys, read by the same code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from hotpath.contract import build, build_aggregates, build_serving, build_training, fields, plain
from hotpath.contract.aggregates import Aggregate, Layout, parts_of
from hotpath.contract.build_aggregates import plain as kept
from hotpath.contract.durations import duration_text
from hotpath.contract.keys import CONTRACT
from hotpath.contract.parts import (
    Business,
    Events,
    Feature,
    Field,
    Floor,
    Gate,
    Labels,
    Scorecard,
    Serve,
    Source,
    Stream,
    Train,
)
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import Document, load_yaml
from hotpath.contract.tables import Table
from hotpath.contract.tree import Reading
from hotpath.contract.types import PIPELINE_NAME, Type
from hotpath.contract.used import readings_used
from hotpath.errors import BadArtifact, BadConfig

__all__ = [
    "Aggregate",
    "Contract",
    "Events",
    "Feature",
    "Field",
    "Floor",
    "Gate",
    "Labels",
    "Serve",
    "Stream",
    "Table",
    "Train",
    "Type",
]


@dataclass(frozen=True)
class Contract:
    """Equal contracts have equal canonical JSON, whatever the order of keys in their files."""

    name: str
    question: str
    events: Events
    labels: Labels
    features: tuple[Feature, ...]
    train: Train
    gate: Gate
    serve: Serve
    floor: Floor | None = None
    tables: tuple[Table, ...] = ()
    streams: tuple[Stream, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    metrics: tuple[Business, ...] = ()
    scorecard: Scorecard = field(default_factory=Scorecard)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """What the features read of tiles, each once, by name."""
        return readings_used(self.features)

    @cached_property
    def layouts(self) -> tuple[Layout, ...]:
        """What must be kept of each aggregate for these features, by its name."""
        return tuple(
            Layout(self.name, a, self.source(a.over).topic, parts_of(self.readings, a.name))
            for a in self.aggregates
        )

    def source(self, name: str) -> Source:
        """The source of that name: events, labels or a stream's. KeyError: there is none."""
        return self.sources[name]

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every topic that is decoded, by its dataset's name."""
        return {"events": self.events, "labels": self.labels, **{s.name: s for s in self.streams}}

    @classmethod
    def from_yaml(cls, text: str, source: str, read: build.ReadFile = build.no_file) -> Contract:
        """The contract in `text`; `read` gives the files that it names.

        Raises BadConfig naming `source`, line, column, key and expectation.
        """
        return cls._from(load_yaml(text, source), read)

    @classmethod
    def from_json(cls, raw: bytes) -> Contract:
        """The contract that `canonical` wrote. Raises BadArtifact on anything else."""
        try:
            data = orjson.loads(raw)
            found = cls._from(
                Document("contract.json", data if isinstance(data, dict) else {}), build.verbatim
            )
        except orjson.JSONDecodeError as error:
            raise BadArtifact("contract.json", str(error), "JSON") from error
        except BadConfig as error:
            raise BadArtifact(error.thing, error.value, error.expected, error.todo) from error
        if found.canonical() != raw:
            raise BadArtifact("contract.json", raw[:80], "canonical JSON")
        return found

    def canonical(self) -> bytes:
        """Sorted keys, no spaces, expressions in one spelling, defaults written out."""
        return json.dumps(self._plain(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def _plain(self) -> dict[str, Any]:
        labels = self.labels
        return {
            "name": self.name,
            "question": self.question,
            "events": _events(self.events),
            "labels": {
                **_source(labels),
                "target": labels.target,
                "horizon": duration_text(labels.horizon),
            },
            "features": {f.name: f.expression for f in self.features},
            "train": plain.train(self.train),
            "gate": plain.gate(self.gate),
            "serve": plain.serve(self.serve, labels),
            # Left out where absent: a contract without them keeps the fingerprint it always had.
            **({} if self.floor is None else {"floor": plain.floor(self.floor)}),
            **({"metrics": {m.name: m.expression for m in self.metrics}} if self.metrics else {}),
            **({} if self.scorecard == Scorecard() else {"scorecard": plain.scorecard(self.scorecard)}),
            **({"streams": {s.name: _stream(s) for s in self.streams}} if self.streams else {}),
            **({"aggregates": {a.name: kept(a) for a in self.aggregates}} if self.aggregates else {}),
            **({"tables": {t.name: t.plain() for t in self.tables}} if self.tables else {}),
        }

    @classmethod
    def _from(cls, document: Document, read: build.ReadFile) -> Contract:
        section = Section(document, (), document.data).only(CONTRACT)
        events = build.events(section.section("events"), read)
        labels = build.labels(section.section("labels"), events, read)
        tables = build.tables(section.section("tables"), read) if "tables" in section.data else ()
        streams = build.streams(section, events, labels, read)
        aggregates = build_aggregates.aggregates(section, events, labels, streams)
        features = build.features(section.section("features"), events, labels, tables, aggregates)
        build_aggregates.all_read(section, aggregates, features)
        has = section.data.__contains__
        own: tuple[Business, ...] = ()
        if has("metrics"):
            own = build_training.business(section.section("metrics"), events, labels)
        training = build_training.train(section.section("train"))
        return cls(
            name=section.text("name", "lower-case letters, digits and -", PIPELINE_NAME),
            question=section.text("question", "a sentence"),
            events=events,
            labels=labels,
            features=features,
            train=training,
            gate=build_training.gate(section.section("gate"), labels, own, training),
            serve=build_serving.serve(section.section("serve"), labels, features),
            floor=build_training.floor(section.section("floor"), labels) if has("floor") else None,
            tables=tables,
            streams=streams,
            aggregates=aggregates,
            metrics=own,
            scorecard=(
                build_training.scorecard(section.section("scorecard"), labels)
                if has("scorecard")
                else Scorecard()
            ),
        )


def _source(source: Source) -> dict[str, Any]:
    # The decoder is left out where it is the ordinary one, as it always was.
    decoding = {} if source.decoder == "json" else {"decoder": source.decoder}
    schema = {} if source.schema is None else {"schema": source.schema}
    own = {"topic": source.topic, "entity": source.entity, "fields": fields.plain(source.parts)}
    return {**own, **decoding, **schema}


def _stream(stream: Stream) -> dict[str, Any]:
    return {key: value for key, value in _source(stream).items() if key != "entity"}


def _events(events: Events) -> dict[str, Any]:
    roles = {"id": events.id, "host": events.host, "time": events.time}
    return {**_source(events), **roles, **({} if events.consent is None else {"consent": events.consent})}
