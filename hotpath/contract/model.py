"""The contract: one pipeline's question, data and rules as one frozen value that travels as data.

Pure: text or bytes in, a Contract out, canonical JSON and fingerprints from it. The YAML file and the
bundle's contract.json have the same keys, read by the same code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from hotpath.contract import build
from hotpath.contract.keys import CONTRACT, EVENTS, LABELS, Key
from hotpath.contract.parts import Events, Feature, Field, Floor, Gate, Labels, Serve, Train
from hotpath.contract.sections import Section, duration_text
from hotpath.contract.strict_yaml import Document, load_yaml
from hotpath.contract.types import PIPELINE_NAME, Type
from hotpath.errors import BadArtifact, BadConfig

__all__ = ["Contract", "Events", "Feature", "Field", "Floor", "Gate", "Labels", "Serve", "Train", "Type"]


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

    @classmethod
    def from_yaml(cls, text: str, source: str) -> Contract:
        """The contract in `text`. Raises BadConfig naming `source`, line, column, key and expectation."""
        return cls._from(load_yaml(text, source))

    @classmethod
    def from_json(cls, raw: bytes) -> Contract:
        """The contract that `canonical` wrote. Raises BadArtifact on anything else."""
        try:
            data = orjson.loads(raw)
            found = cls._from(Document("contract.json", data if isinstance(data, dict) else {}))
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
        events, labels = self.events, self.labels
        return {
            "name": self.name,
            "question": self.question,
            "events": {**_named(events, EVENTS), "fields": _fields(events.fields)},
            "labels": {
                **_named(labels, LABELS),
                "horizon": duration_text(labels.horizon),
                "fields": _fields(labels.fields),
            },
            "features": {f.name: f.expression for f in self.features},
            "train": {
                "window": duration_text(self.train.window),
                "holdout": f"{self.train.holdout:.0%}",
                "retrain_every": duration_text(self.train.retrain_every),
            },
            "gate": {"auc": f">= {self.gate.auc:g}"},
            "serve": {k: duration_text(v) for k, v in vars(self.serve).items()},
            # Left out where it is absent: a contract without it keeps the fingerprint it always had.
            **({} if self.floor is None else {"floor": _floor(self.floor)}),
        }

    @classmethod
    def _from(cls, document: Document) -> Contract:
        section = Section(document, (), document.data).only(CONTRACT)
        events = build.events(section.section("events"))
        labels = build.labels(section.section("labels"), events)
        return cls(
            name=section.text("name", "lower-case letters, digits and -", PIPELINE_NAME),
            question=section.text("question", "a sentence"),
            events=events,
            labels=labels,
            features=build.features(section.section("features"), events, labels),
            train=build.train(section.section("train")),
            gate=build.gate(section.section("gate")),
            serve=build.serve(section.section("serve")),
            floor=build.floor(section.section("floor")) if "floor" in section.data else None,
        )


def _named(source: Events | Labels, keys: Sequence[Key]) -> dict[str, Any]:
    return {key.name: getattr(source, key.name) for key in keys}


def _floor(floor: Floor) -> dict[str, Any]:
    return {**vars(floor), "auc": f">= {floor.auc:g}", "window": duration_text(floor.window)}


def _fields(fields: tuple[Field, ...]) -> dict[str, dict[str, Any]]:
    return {f.name: _field(f) for f in fields}


def _field(field: Field) -> dict[str, Any]:
    options = build.options(field.type)
    return {key: value for key, value in vars(field).items() if key in options and value is not None}
