"""A whole contract around generated expressions: each is a feature over the fields of strategies.py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hotpath.contract.build_aggregates import plain as as_written
from hotpath.contract.expressions import Reading, parse
from hotpath.contract.model import Contract
from hotpath.contract.types import ITEMS, Type
from hotpath.contract.used import nodes
from tests.contract.strategies import AGGREGATES, FIELDS, SCOPE, TABLES


def around(texts: Sequence[str]) -> Contract:
    """The contract as a scorer has it: out of a file, and through the JSON of a bundle."""
    text = {"type": "string"}
    read = {
        node.aggregate for text in texts for node in nodes(parse(text, SCOPE)) if isinstance(node, Reading)
    }
    plain = {
        "name": "whole",
        "question": "Is it so?",
        "events": {
            "topic": "whole.asked", "id": "id", "entity": "id", "host": "id", "time": "t",
            "fields": {"id": text, **_fields(), "t": {"type": "timestamp"}},
        },
        "labels": {
            "topic": "whole.answered", "entity": "id", "target": "truth", "horizon": "1d",
            "fields": {"id": text, "truth": {"type": "bool"}},
        },
        **({"aggregates": {name: as_written(AGGREGATES[name]) for name in sorted(read)}} if read else {}),
        "tables": {table.name: table.plain() for table in TABLES.values()},
        "features": {f"f{n}": text for n, text in enumerate(texts)},
        "train": {"window": "1d", "holdout": "20%", "retrain_every": "1h"},
        "gate": {"auc": ">= 0.6"},
        "serve": {"fresh": "1h", "expired": "2h"},
    }  # fmt: skip
    written = Contract.from_yaml(json.dumps(plain, ensure_ascii=False), "whole.yaml")
    return Contract.from_json(written.canonical())


def _fields() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in FIELDS.items():
        *around, last = name.split(".")
        holder = found
        for part in around:
            holder = holder.setdefault(part, {"type": "object", "fields": {}})["fields"]
        holder[last] = _field(kind)
    return found


def _field(kind: Type) -> Mapping[str, Any]:
    own = {"type": "array", "of": ITEMS[kind]} if kind in ITEMS else {"type": kind}
    return {**own, "nullable": True}
