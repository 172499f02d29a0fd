"""The reference page of contracts (docs/contract.md), rendered from the tables that the code runs on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hotpath.contract.decode import DECODERS
from hotpath.contract.formats import FORMATS
from hotpath.contract.functions import FUNCTIONS, Example, Function
from hotpath.contract.keys import RESERVED, SECTIONS
from hotpath.contract.markdown import table
from hotpath.contract.metrics import METRICS
from hotpath.contract.outputs import DECISIONS
from hotpath.contract.statistics import LARGEST, STATISTICS
from hotpath.contract.types import (
    DEEPEST_FIELD,
    EPOCH,
    FIELD_TYPES,
    LONGEST_TEXT,
    MOST_ITEMS,
    MOST_LEVELS,
    UNITS,
    Type,
    Value,
)

_INTRO = """# The contract: keys, types, functions

Rendered from the tables in `hotpath/contract` by `make docs`; a test compares. Do not edit.

A contract is one YAML file in `config/pipelines`, called like its pipeline. It is read strictly: an unknown
key, a wrong type or a null is refused with file, line and column. `hotpath check FILE` says what is wrong.
YAML has one reading here: no tags, anchors or duplicate keys; `no`, `on` and dates are text. The order of
keys has no meaning: fields and features are kept sorted by name. Each pipeline has a page of its own, and
its requests, answers and records as JSON Schema, in [pipelines](pipelines).
"""
_FIELDS = f"""A nested object is a field of `type: object` with `fields` of its own, at most {DEEPEST_FIELD}
names deep; an expression and a request call what is within `device.os`. In an object that may be null all is
nullable; an absent object is one whose values are absent. An array is a field of `type: array` with `of`; its
other options are those of its items, of which none is null. `from` is the key that a record has for a field.

Where a field is absent its `default` is taken, written as a record would have it; null is refused unless the
field is `nullable`. A value that fails its check rejects the record, with the field's name. `max_length`
counts characters (default {LONGEST_TEXT}), `max_items` items (default {MOST_ITEMS}). `levels` are all that a
category may be; without them any text is one, and `level(FIELD)` keeps the `max_levels` most frequent of the
training rows (default {MOST_LEVELS}).
"""
_TARGETS = f"""## Targets and answers

A bool target makes a binary model, a category with `levels` one of many classes, a long or a double one
that estimates a number. An answer holds `score` (the probability of yes or of the likeliest class, or the
estimate), of many classes `class`, and `decision`: {", ".join(DECISIONS)}. A contract asks after what one
would rather not have (late, fraud), so a yes is declined; a class or a number is accepted as it is.
`serve.response` may name fewer of them, with narrower options, and features and parameters to be given
back. A value of an answer that is not what was declared is answered as null, with the flag
`invalid:NAME`.

What a gate may ask of the newest part of the window (`latency_us`: of the bundle, as it is proved):
"""
_PROMISES = """\
The contract's own metrics may stand in the gate too, with either sign. Of every challenger the gate asks
besides that it is not significantly worse (at `gate.confidence`) than what is live, than a constant (the
training rows' share or mean) and than the fallback rule, on the same rows; equally good is good enough,
for a fresh model is worth more than an old one. Where the rows give a difference no bounds, whatever is
worse is held. A live model that could not be asked holds nothing back, and the run says why. With
`gate.shadow` it first waits for so many labelled rows that arrived after its own window: on these it is
held against what is live, and no caller sees its answers.

## Metrics of your own

What a wrong decision costs is the business's to say: `metrics` holds expressions over how decisions
turned out on the holdout, of a bool target.

| name | counts |
| --- | --- |
| `tp` | declined, and the truth was yes |
| `fp` | declined, and the truth was no |
| `tn` | accepted, and the truth was no |
| `fn` | accepted, and the truth was yes |
| `rows` | all, those too that were neither declined nor accepted |
| `fn_amount` | the sum of the event's number `amount` over the rows of `fn`; so of the others |

`cost: (fn_amount + 5 * fp) / rows` is what a decision costs where a fraud that passes costs its amount
and a good customer who is turned away 5. A field that is null counts 0. All are doubles, so `fn / rows`
is a share; a division by zero makes the metric null, and null reaches no bound. Which side is good the
gate's sign says: `gate: {cost: "<= 3"}`.

## Risk: what a model promises

A score is no decision. `scorecard` lists what you can bear, and each bundle says at which threshold it
keeps to it:

- `false_positive_rate: [0.01]`: of all entities whose truth is no, one question each, at most 1 in 100 are
  declined. The threshold is the lowest score from which that holds.
- `false_negative_rate: [0.05]`: of all entities whose truth is yes, one question each, at most 1 in 20 are
  accepted. The threshold is the highest score below which that holds.
- `coverage: [0.9]` (a number): how far either side of the estimate the truth of 9 in 10 entities lies, one
  question each.

It is a promise, not a measurement: the rate on the holdout has an upper bound (Clopper-Pearson, at
`scorecard.confidence`), and that bound is within the tolerance. With confidence 0.95, of twenty models
that promise the same at most one is expected to break it, as long as tomorrow is like the holdout. Each
entity counts once, for many questions about one thing are not many trials: the promise is about entities,
not about questions. Where entities with many questions fare worse, so that the rate over all the
holdout's rows is above the tolerance at that threshold, it is no promise at all. What too few rows carry
is answered "cannot promise", with how many it takes: 5% at 95% needs 59 rows of that truth without a
single error. A target of many classes has a promise a class, each against the rest. Holdout rows of a
class that no training row has are measured as the wrong answers that they get; more than 1% of them, and
the window is refused.

`decide` chooses the tolerances that answers are decided by, out of those listed:

```
score 0 ──── accept ────┤ accept_below ──── abstain ──── threshold ├──── decline ──── 1
           at most 5% of the yes                             at most 1% of the no
```

| `decide` names | declined | accepted | else |
| --- | --- | --- | --- |
| both | from the threshold of `false_positive_rate` on | below that of `false_negative_rate` | abstain |
| both, and they overlap | from the threshold of `false_positive_rate` on | below it: both promises hold | |
| one of them | from its threshold on | below it | |
| nothing | from the score of the largest F1 on | below it | |

To abstain is an answer: the data do not part these cases within what you can bear, so a person, a second
question or a default of yours decides. By a tolerance that cannot be promised nobody is declined (or
accepted), and the gate holds such a model back. Tighter tolerances and more confidence leave more to
abstain.

## Fallback: an answer without a model

`serve.fallback` is the rule that answers where the model cannot: past `expired`, or where it gives no
score. It is an expression over the features by their names, as the model would have seen them (a category
is a text). Of a bool target it says true (decline) or false (accept), of a category a class, of a number
a number. Where it is null, and without a rule, the decision is `abstain`.

- Such an answer has the flag `fallback`, beside `expired` or `no score`. Its `score` is null: the model
  did not say it, and a yes or no of a rule is no probability. Of many classes `class`, of a number
  `score` hold what the rule says.
- A score record holds the model's word alone, so `score` and `predicted` are null there and no rule's
  answer counts as a model's quality; `decision` and `degraded` say what was answered.
- Without a rule an expired model's score is still given back, with the decision `abstain`.
- Tables, aggregates and `level` belong in a feature, which the rule then names. The rule is measured as a
  baseline on every holdout: a model that is worse than it does not go live.
"""
_EXPRESSIONS = """## Expressions

Python's grammar, static types, nothing evaluated as Python. An expression may use event fields (never a
label's), literals (`1` is a long, `1.0` a double, `"UA"` a string, `True`, `False`), tables by their names,
statistics of aggregates (`mean(NAME, "3h")`) and the functions below; parentheses group. A feature must come
out as category, bool, long or double: of an instant or a duration take `hour`, `minutes` or the like.

- Null in, null out, unless the function says otherwise. Nothing raises at run time.
- A long, instant or duration beyond 64 bits is null; a double result that is infinite or NaN is null.
- A long meets a double as the nearest double; a category meets a text as text.
- One comparison at a time: write `a < b and b < c`.
- What must be a literal (a zone, a bound, a number of digits) is checked when the contract is read.
"""
_AGGREGATES = f"""## Streams and aggregates

A stream is a further topic, such as weather or another pipeline's answers (`hotpath.scores.NAME`): it lands
in the lake as a dataset of its name, for aggregates alone. It gathers history from the day it is declared, so
it may be declared before anything reads it. What has been deployed may not be moved or taken back.

An aggregate keeps statistics of a source's records by key, over tiles: spans of the time of arrival, `tile`
long, cut at whole multiples of it since 1970. A tile is published once a mark from on-prem has passed its end
by `grace`. A row that arrived at t, in training as online, reads the tiles that had ended by t - `delay`:
`delay` must cover the way to the cloud and back, and a replay at 60 times needs 60 times as much. A window is
whole tiles, the newest that the row may read: `mean(NAME, "3h")`; without one it is the `horizon`.

- A double is counted in whole units of 10**-`digits`, rounded half to even, so that no order of sums changes
  anything; a bool counts as 0 or 1. A value beyond {LARGEST:.0e} of these units is in no tile; a field's
  `min` and `max` narrow that. Of so many records that a sum might not fit 64 bits (2**63 over the largest
  value) `sum`, `mean` and `std` are null.
- A record whose key or value is null is in no tile. Every record that landed counts: what a producer sends
  twice is counted twice. A record of an older contract that lacks the field (or has it in another type or
  unit) counts with the field's default, without one not at all.
- A row whose own key (`key`) is null reads null. A key without records reads 0 of `count` and else null.
- Where tiles cannot be had in time, a question reads `default`, and its answer is `degraded`.

Examples: records a minute apart, the row five minutes after the last.
"""


def markdown() -> str:
    """The whole page."""
    sections = (_keys(), _types(), _targets(), _statistics(), [_EXPRESSIONS], _functions())
    return "\n".join([_INTRO, *(text for section in sections for text in section)])


def _keys() -> Iterable[str]:
    for title, keys in SECTIONS.items():
        lines = [(f"`{k.name}`" + (" (optional)" if k.optional else ""), k.takes, k.doc) for k in keys]
        yield f"## {title}\n\n{table(('key', 'takes', 'meaning'), lines)}"
    yield "A duration is a whole number of `s`, `m`, `h` or `d`. Units: " + ", ".join(UNITS) + ".\n"
    yield f"No field may be called {', '.join(RESERVED)}: the lake adds columns of these names.\n"
    yield f"Decoders: {', '.join(DECODERS)}. All but json need a `schema` beside the contract.\n"


def _types() -> Iterable[str]:
    lines = [
        (f"`{t.type}`", t.wire, ", ".join(t.options) or "none", "yes" if t.feature else "no")
        for t in FIELD_TYPES
    ]
    heads = ("type", "on the wire", "options", "as a feature")
    yield f"## Field types\n\n{table(heads, lines)}"
    yield _FIELDS
    formats = [(f"`{f.name}`", f.doc, f"`{f.pattern}`", f.source) for f in FORMATS]
    yield "The pattern of a text's `format` matches the whole text:\n"
    yield table(("format", "is", "pattern", "source"), formats)


def _targets() -> Iterable[str]:
    yield _TARGETS
    lines = [(f"`{m.name}`", " and ".join(m.kinds), f"`{m.sign} NUMBER`", m.doc) for m in METRICS]
    yield table(("metric", "of targets", "rule", "is"), lines)
    yield _PROMISES


def _statistics() -> Iterable[str]:
    yield _AGGREGATES
    lines = [
        (
            f"`{s.name}`",
            s.gives.value if s.gives else "as the value, a bool as long",
            s.doc,
            "; ".join(f"{_value(e.value)} of {', '.join(map(str, e.values)) or 'none'}" for e in s.examples),
        )
        for s in STATISTICS
    ]
    yield table(("statistic", "gives", "is", "examples"), lines)
    yield "All but `count` and `age` need a `value`. Row function and Spark agree to the bit.\n"


def _functions() -> Iterable[str]:
    lines = [(_called(f), " or ".join(_signatures(f)), f.doc, _examples(f)) for f in FUNCTIONS]
    yield table(("name", "takes → gives", "meaning", "examples"), lines)
    yield "Row function and Spark agree to the bit (tolerance 0) unless a function states a tolerance.\n"


def _called(function: Function) -> str:
    return f"`{function.name}`" + (f" (tolerance {function.tolerance})" if function.tolerance else "")


def _signatures(function: Function) -> Iterable[str]:
    more = ", …" if function.repeats else ""
    return (f"{', '.join(takes)}{more} → {gives}" for takes, gives in function.signatures)


def _examples(function: Function) -> str:
    return "; ".join(map(_example, function.examples))


def _example(example: Example) -> str:
    row = [f"{name} = {_value(value, kind)}" for name, kind, value in example.row]
    fitted = [f"the levels {', '.join(levels)} of {name}" for name, levels in example.levels.items()]
    given = " and ".join([", ".join(row), *fitted])
    return f"`{example.text}` is {_value(example.value)} for {given}"


def _value(value: Value, kind: Type | None = None) -> str:
    if kind == Type.TIMESTAMP and isinstance(value, int):
        return (EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
