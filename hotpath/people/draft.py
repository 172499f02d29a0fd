"""A contract drafted from samples of events and labels: fields, roles, features, gate. Pure.

Rows in, a Draft out; what is written where is hotpath/cli/new.py's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hotpath.clock import DAY, HOUR, MINUTE, Micros
from hotpath.contract import fields as contract_fields
from hotpath.contract.parts import Field, Part, leaves
from hotpath.contract.times import instant
from hotpath.contract.types import ARRAYS, EPOCH, MOST_LEVELS, Type
from hotpath.errors import BadInput
from hotpath.people.features import features
from hotpath.people.infer import Inferred, LeftOut, infer, named
from hotpath.people.roles import missing, roles
from hotpath.people.truth import Truth, truth

Row = dict[str, Any]
TARGETS = ("target", "label", "outcome", "class", "y")
"""What a target is usually called, where nobody says which it is."""
MADE_UP = {"id": "event_id", "host": "host", "time": "event_time"}
"""What a role is called that a sample has no field for."""
FILLED_FROM: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z: the instant of the first row where a sample has none; the next a minute later."""
SHUFFLED = 20130709
"""Seed of the order that rows without a time are put into."""
LEAST_WINDOW, LONGEST_WINDOW = 30, 999
"""Days."""


@dataclass(frozen=True)
class Wanted:
    """What the user said: the pipeline's name, targets (the first is learned), roles by name, and whether a
    missing id, host or time is to be made up.
    """

    name: str
    targets: tuple[str, ...] = ()
    roles: Mapping[str, str] | None = None
    fill: bool = False


@dataclass(frozen=True)
class Draft:
    """The contract's parts as plain data, rows and answers that fit it, and `notes` for people."""

    name: str
    question: str
    events: Mapping[str, Any]
    labels: Mapping[str, Any]
    features: Mapping[str, str]
    window_days: int
    gate: Mapping[str, str]
    rows: tuple[Row, ...]
    answers: tuple[Row, ...]
    notes: tuple[str, ...]


def draft(wanted: Wanted, events: Sequence[Row], labels: Sequence[Row] = ()) -> Draft:
    """The draft. Without `labels` each event holds its own answer, which is parted from it.

    Raises BadInput where no target or role can be found, saying what to name or send.
    """
    filled, made_up = _filled(events, wanted.roles or {}) if wanted.fill else (list(events), {})
    target = _target(wanted, events, labels)
    later = [target, *wanted.targets[1:]]
    asked = [_without(row, later) for row in filled] if not labels else filled
    found = infer(asked)
    said = {**made_up, **(wanted.roles or {})}
    has = _roles(found, asked, labels, {k: named(v) for k, v in said.items()})
    entity = _key(found.parts, has["entity"])
    answers = list(labels) or [_answer(row, entity, later) for row in filled]
    return _drafted(wanted, found, has, asked, answers, target, tuple(made_up))


def _drafted(
    wanted: Wanted,
    found: Inferred,
    has: Mapping[str, str],
    asked: Sequence[Row],
    answers: Sequence[Row],
    target: str,
    made_up: tuple[str, ...],
) -> Draft:
    key = _key(found.parts, has["entity"])
    known = {row[key] for row in asked}
    of_all = infer(answers)
    same = _key(of_all.parts, has["entity"])
    told = [row for row in answers if row.get(target) is not None and row.get(same) in known]
    if not told:
        raise BadInput(
            "labels", f"none of {len(answers)} speaks of an event", f"a {has['entity']} of the sample"
        )
    answered = infer(told)
    learned = truth(_of_target(answered, target), [row[target] for row in told])
    told = [{**row, target: learned.convert(row[target])} for row in told]
    parts = tuple(_as_role(part, has) for part in found.parts)
    answer_parts = tuple(_as_answer(part, has["entity"], learned) for part in answered.parts)
    made, unused = features(parts, has, asked, made_up)
    if not made:
        why = "; ".join(f"{x.path}: {x.why}" for x in (*found.left_out, *unused)) or "no other field"
        raise BadInput("sample", why, "a field that can be a feature, besides id, entity, host and time")
    spans = _spans(asked, _key(parts, has["time"]), told)
    return Draft(
        name=wanted.name,
        question=_question(learned.field),
        events={"topic": f"{wanted.name}.events", **has, "fields": contract_fields.plain(parts)},
        labels={
            "topic": f"{wanted.name}.labels",
            "entity": has["entity"],
            "target": learned.field.name,
            "horizon": f"{spans[1]}h",
            "fields": contract_fields.plain(answer_parts),
        },
        features=made,
        window_days=spans[0],
        gate=learned.gate,
        rows=tuple(asked),
        answers=tuple(told),
        notes=_notes(found, answered, learned, unused, made_up, "hour" in made),
    )


def _filled(events: Sequence[Row], said: Mapping[str, str]) -> tuple[list[Row], dict[str, str]]:
    """Rows with a made-up id, host and time each that they lack, and which these are.

    Where the time is made up the rows are shuffled: a file is often sorted by its target, and what is newest
    judges the model.
    """
    found = infer(events)
    has = _found(found, events, (), {})
    taken = {part.name for part in found.parts}
    lacking = [role for role in MADE_UP if role not in {*has, *said}]
    made_up = {role: _new(MADE_UP[role], taken) for role in lacking}
    order = list(range(len(events)))
    if "time" in made_up:
        random.Random(SHUFFLED).shuffle(order)
    rows = [
        {**events[row], **{made_up[role]: _made_up(role, row, place) for role in made_up}}
        for place, row in enumerate(order)
    ]
    return rows, made_up


def _new(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name = f"made_{name}"
    return name


def _made_up(role: str, row: int, place: int) -> str:
    """Of the file's row of this number, which stands at this place of the sample."""
    at = _rfc3339(FILLED_FROM + place * MINUTE)
    return {"id": f"row-{row:06d}", "host": "sample", "time": at}[role]


def _rfc3339(at: Micros) -> str:
    return str((EPOCH + timedelta(microseconds=at)).isoformat()).replace("+00:00", "Z")


def _target(wanted: Wanted, events: Sequence[Row], labels: Sequence[Row]) -> str:
    known = set().union(*(labels or events))
    for name in wanted.targets:
        if name not in known:
            raise BadInput("--target", name, f"a field of the sample: {', '.join(sorted(known))}")
    usual = [name for name in TARGETS if name in known]
    of_labels = sorted(known - set().union(*events)) if labels else []
    guesses: list[str] = [*wanted.targets, *usual, *(of_labels if len(of_labels) == 1 else ())]
    if not guesses:
        raise BadInput(
            "target", sorted(of_labels or known), "the field that the model learns", "name it with --target"
        )
    return guesses[0]


def _without(row: Row, keys: Iterable[str]) -> Row:
    return {key: value for key, value in row.items() if key not in keys}


def _answer(row: Row, entity: str, later: Sequence[str]) -> Row:
    return {entity: row[entity], **{key: row.get(key) for key in later}}


def _roles(
    found: Inferred, rows: Sequence[Row], labels: Sequence[Row], said: Mapping[str, str]
) -> dict[str, str]:
    answered = [f.name for f in leaves(infer(labels).parts)] if labels else []
    has = _found(found, rows, answered, said)
    if lost := missing(has):
        wants = "; ".join(f"{role.name}: {role.means}" for role in lost)
        todo = (
            f"name it ({' '.join(f'--{r.name} FIELD' for r in lost)}), send it, or let --fill make it up here"
        )
        raise BadInput("sample", f"no field for {', '.join(r.name for r in lost)}", wants, todo)
    return has


def _found(
    found: Inferred, rows: Sequence[Row], answered: Iterable[str], said: Mapping[str, str]
) -> dict[str, str]:
    # A nested field may have no role here: nothing guesses at one, and a role is looked up by its key.
    flat = [part for part in found.parts if isinstance(part, Field)]
    keys = {field.name: field.key for field in flat}

    def unique(name: str) -> bool:
        values = [row.get(keys[name]) for row in rows]
        return len(set(map(str, values))) == len(values)

    return roles(flat, unique, answered, said)


def _key(parts: Iterable[Part], name: str) -> str:
    return next(part.key for part in parts if part.name == name)


def _of_target(answered: Inferred, target: str) -> Field:
    found = next((p for p in answered.parts if p.key == target), None)
    if isinstance(found, Field) and found.type not in ARRAYS.values():
        return found
    why = next((x.why for x in answered.left_out if x.path == target), "an object or a list")
    raise BadInput(f"target {target}", why, "true or false, a class or a number")


def _as_role(part: Part, has: Mapping[str, str]) -> Part:
    """A field that identifies something has no levels."""
    if isinstance(part, Field) and part.name in (has["id"], has["entity"], has["host"]):
        return replace(part, type=Type.STRING, max_levels=MOST_LEVELS)
    return part


def _as_answer(part: Part, entity: str, learned: Truth) -> Part:
    if part.name == learned.field.name:
        return learned.field
    return _as_role(part, {"id": "", "entity": entity, "host": ""})


def _spans(rows: Sequence[Row], time: str, answers: Sequence[Row]) -> tuple[int, int]:
    """Days of a training window that holds the sample, and hours in which its labels come."""
    asked = [at for row in rows if (at := instant(str(row[time]))) is not None]
    told = [at for row in answers for value in row.values() if (at := instant(str(value))) is not None]
    span = max([*asked, *told]) - min(asked)
    days = min(LONGEST_WINDOW, max(LEAST_WINDOW, 2 * span // DAY + 1))
    # Which answer is to which event is not known here: the whole sample is the longest that one may take.
    hours = min(days * 24, 2 * span // HOUR + 1) if told else 24
    return int(days), int(max(24, hours))


def _question(field: Field) -> str:
    asks = {Type.BOOL: "Will {} be true?", Type.CATEGORY: "Which {} is it?"}
    return asks.get(field.type, "How much will {} be?").format(field.name)


def _notes(
    found: Inferred,
    answered: Inferred,
    learned: Truth,
    unused: Iterable[LeftOut],
    made_up: tuple[str, ...],
    hourly: bool,
) -> tuple[str, ...]:
    return (
        *([learned.note] if learned.note else []),
        *(f"{role} is made up in the sample: producers must send it" for role in made_up),
        *(["the sample's rows are shuffled, for want of a time"] if "time" in made_up else []),
        *(f"{x.path} is left out: {x.why}" for x in (*found.left_out, *answered.left_out)),
        *(f"{x.path} is no feature: {x.why}" for x in unused),
        *(["the feature hour is UTC's: name the zone of your clocks in it"] if hourly else []),
    )
