"""What `hotpath new` writes of a draft: the contract's YAML, the README beside its tests. Pure: text."""

from __future__ import annotations

from typing import Any

from hotpath.people.draft import Draft
from hotpath.people.evidence import Evidence
from hotpath.people.trying import Tried, trier
from hotpath.people.yaml_text import block

HEAD = """\
# Drafted by `hotpath new` from a sample: ranges are wider than what was seen, units are not known.
# Keys, field types and functions: docs/contract.md. What is wrong or suspicious: `hotpath check {name}`.
"""

NULL_CASES = 3
PLAN_HEAD = """\
# What `hotpath test {name}` holds the pipeline to; a field that a case leaves out is the first row's.
"""

README = """\
# {name}

{question}

Drafted by `hotpath new` from {rows} events and {answers} labels.

| file | what it is |
| --- | --- |
| `../{name}.yaml` | the contract: fields, features, training, gate |
| `sample.jsonl` | events, one a line, as producers send them to `{topic}` |
| `labels.jsonl` | the answers, as producers send them to `{labels}` |
| `tests.yaml` | what `hotpath test {name}` holds the pipeline to |
| `accepted.json` | the quality that was last accepted; `hotpath test {name} --accept` writes it |

```
hotpath check {name}            # what is wrong, what is suspicious
hotpath try {name} --rows 20    # rows, their features, and where nulls come from
hotpath test {name} --accept    # train on the sample and accept what came of it
hotpath test {name}             # from then on
hotpath deploy {name}           # into the running stack
```
{notes}"""


def contract_text(draft: Draft) -> str:
    """The contract as a person would have written it."""
    parts: tuple[dict[str, Any], ...] = (
        {"name": draft.name, "question": draft.question},
        {"events": _shown(draft.events)},
        {"labels": _shown(draft.labels)},
        {"features": draft.features},
        {
            "train": {"window": f"{draft.window_days}d", "holdout": "20%", "retrain_every": "2h"},
            "gate": draft.gate,
            "serve": {"fresh": "3h", "expired": "24h"},
        },
    )
    return HEAD.format(name=draft.name) + "\n".join(map(block, parts))


def plan_text(shown: Evidence) -> str:
    """tests.yaml: what the first row gives now, what becomes of nulls, budgets that a scorer keeps easily."""
    tried = trier(shown.contract)
    cases = [_case("the first row of the sample", {}, tried(shown.rows[0]))] if shown.rows else []
    for field in [f for f in shown.contract.events.fields if f.nullable][:NULL_CASES] if shown.rows else []:
        row = {field.name: None}
        cases.append(_case(f"{field.name} is null", row, tried({**shown.rows[0], **row}), nulls=True))
    data = {
        "unit": [case for case in cases if case["features"]],
        "model": {"tolerance": 0.05},
        "integration": {"rows": 50},
        "resource": {"row_us": 200, "load_ms": 5000, "memory_mib": 500},
    }
    return PLAN_HEAD.format(name=shown.contract.name) + block(data)


def _case(name: str, row: dict[str, Any], tried: Tried, nulls: bool = False) -> dict[str, Any]:
    kept = {n: v for n, v in tried.features.items() if v is None or not nulls}
    return {"name": name, **({"row": row} if row else {}), "features": kept}


def readme(draft: Draft) -> str:
    """The README of the pipeline's folder."""
    notes = "".join(f"- {note}\n" for note in draft.notes)
    return README.format(
        name=draft.name,
        question=draft.question,
        rows=len(draft.rows),
        answers=len(draft.answers),
        topic=draft.events["topic"],
        labels=draft.labels["topic"],
        notes=f"\nWhat was decided on the way:\n\n{notes}" if notes else "",
    )


def _shown(source: Any) -> dict[str, Any]:
    return {**source, "fields": {name: _field(field) for name, field in source["fields"].items()}}


def _field(field: dict[str, Any]) -> dict[str, Any]:
    """Without what a field is anyway."""
    inner = {name: _field(part) for name, part in field["fields"].items()} if "fields" in field else None
    said = {key: value for key, value in field.items() if not (key == "nullable" and value is False)}
    if "levels" in said:
        del said["max_levels"]
    return said if inner is None else {**said, "fields": inner}
