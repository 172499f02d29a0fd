"""What a change of a contract breaks, and why: one row a kind of change, for `contract diff` and the docs.

To add a kind of change, add a row here and say in compatibility.py when it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Whom = Literal["callers", "producers", "lake", "bundles"]
WHOM: dict[Whom, str] = {
    "callers": "who asks the scorer: a request that was answered would be refused, or its answer changes",
    "producers": "who writes events or labels: a record that landed would be rejected",
    "lake": "the rows that have landed: under the new contract they lack a value or mean another thing",
    "bundles": "older bundles: gone back to, they refuse what may be sent by now, or answer another question",
}


@dataclass(frozen=True)
class Rule:
    """A kind of change, by a name that is unique. Where a field is no part of a request, callers are none."""

    name: str
    breaks: tuple[Whom, ...]
    why: str


_ALL: tuple[Whom, ...] = ("callers", "producers", "lake", "bundles")
_SENDERS: tuple[Whom, ...] = ("callers", "producers")
_NONE: tuple[Whom, ...] = ()

RULES: tuple[Rule, ...] = (
    Rule("pipeline renamed", _ALL, "topics, lake, bundles and the scorer's path carry the name"),
    Rule("topic moved", ("producers",), "records of the old topic are read no more"),
    Rule("decoder changed", ("producers",), "records are written in another way"),
    Rule("role moved", ("lake",), "id, entity, host or time is another field than older rows were landed by"),
    Rule(
        "consent demanded",
        ("producers", "lake"),
        "what landed before was never asked for it: see `hotpath forget`",
    ),
    Rule("consent dropped", _NONE, "more records land from now on"),
    Rule("field added, required", _ALL, "nobody sends it yet, and no older row has it"),
    Rule("field added", ("bundles",), "older rows have its default or null; an older bundle refuses it"),
    Rule(
        "field added that was passed over",
        ("callers",),
        "it was taken whatever its value, and is checked now",
    ),
    Rule(
        "field removed",
        ("callers", "bundles"),
        "a request that names it is refused; its column stays in the lake",
    ),
    Rule(
        "field removed, passed over", ("bundles",), "requests may name it still; an older bundle may need it"
    ),
    Rule("type changed", _ALL, "the field is parted from its history: older rows count as absent"),
    Rule("category or string", _NONE, "a text either way"),
    Rule("unit changed", _ALL, "the same number means another thing; older rows count as absent"),
    Rule("narrowed", _SENDERS, "values that were accepted are refused"),
    Rule("widened", ("bundles",), "values may come that an older bundle refuses"),
    Rule("null refused", ("callers", "producers", "lake"), "null was accepted, and older rows may hold it"),
    Rule("null allowed", ("bundles",), "null may come, which an older bundle refuses"),
    Rule("absence refused", _SENDERS, "it could be left out"),
    Rule("absence allowed", ("bundles",), "it may be left out, which an older bundle refuses"),
    Rule(
        "default changed",
        _NONE,
        "where it is left out it is another value from now on; what landed keeps the old",
    ),
    Rule(
        "renamed in records",
        ("producers",),
        "records call it by another key (`from`); requests use its own name",
    ),
    Rule("unknown fields refused", ("callers",), "they were passed over"),
    Rule("unknown fields passed over", ("bundles",), "they may come, which an older bundle refuses"),
    Rule("output removed", ("callers",), "an answer holds it no more"),
    Rule("output added", _NONE, "an answer holds more"),
    Rule("output changed", ("callers",), "its type or unit is another, or it may hold what it never held"),
    Rule(
        "target changed",
        ("callers", "lake", "bundles"),
        "answers, labels and models of before are to another question",
    ),
    Rule("levels kept changed", _NONE, "`level` keeps more or fewer of them in the next model"),
    Rule("horizon changed", _NONE, "from now on; windows are built anew each time"),
    Rule("feature added", _NONE, "features are computed when a window is built, from all that has landed"),
    Rule("feature removed", _NONE, "nothing landed for it"),
    Rule(
        "feature changed",
        _NONE,
        "the next window has it for its whole history; older bundles carry their own",
    ),
    Rule("table changed", _NONE, "it travels in the bundle: older ones keep theirs"),
    Rule("stream added", _NONE, "its records land from now on; it has no history before"),
    Rule("stream removed", ("producers",), "its records are read no more"),
    Rule("aggregate added", _NONE, "its tiles are made from what has landed"),
    Rule("aggregate removed", _NONE, "an older model keeps its tiles for as long as it may be live"),
    Rule(
        "aggregate changed",
        _NONE,
        "it gets tiles of its own, an older model keeps those that it reads; where only key, delay, grace or "
        "default changed both read the same tiles, each by its own contract: told by the shorter grace, kept "
        "for the longer delay",
    ),
    Rule("training changed", _NONE, "window, holdout and times of the next run"),
    Rule("own metric changed", _NONE, "what the next model is measured by"),
    Rule("gate or floor changed", _NONE, "what the next model is held to"),
    Rule("scorecard changed", _NONE, "what the next model must say it can promise"),
    Rule(
        "decisions changed",
        _NONE,
        "by other tolerances, from the next model on: accept, decline and abstain mean what they meant",
    ),
    Rule("fallback changed", _NONE, "what is answered without a model, once the next is live"),
    Rule("ages changed", _NONE, "when an answer is stale, or falls back"),
    Rule("words changed", _NONE, "question, documentation, or a figure that is not enforced"),
)
BY_NAME = {rule.name: rule for rule in RULES}


def page() -> str:
    """docs/compatibility.md."""
    audience = "\n".join(f"- **{whom}**: {what}" for whom, what in WHOM.items())
    rows = "\n".join(f"| {r.name} | {', '.join(r.breaks) or 'nobody'} | {r.why} |" for r in RULES)
    return f"""# Compatibility

What a change of a contract breaks, and for whom. `hotpath contract diff OLD NEW` applies these rules to two
contracts (files, deployed pipelines or bundles) and ends with 1 where anything breaks. A candidate that
breaks the callers of the live model is refused by the scorer. Rendered by `make docs`.

{audience}

| change | breaks | why |
| --- | --- | --- |
{rows}
"""
