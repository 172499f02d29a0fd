"""The reference page of one pipeline (docs/pipelines/NAME.md), rendered from its contract. Pure.

For whoever calls it, feeds it or is about to change it. What keys, types and functions mean is docs.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from hotpath.contract.aggregates import Aggregate
from hotpath.contract.durations import duration_text
from hotpath.contract.example import example_request
from hotpath.contract.markdown import table
from hotpath.contract.metrics import BY_NAME
from hotpath.contract.model import Contract
from hotpath.contract.monitors import MEANINGS, feature_monitors
from hotpath.contract.parts import Field, Floor, Train
from hotpath.contract.request import left_out
from hotpath.contract.response import answered
from hotpath.contract.schema_bodies import as_yaml, document
from hotpath.contract.sections import rule_text
from hotpath.contract.used import made_of

_FIELDS = ("name", "type", "unit", "range", "where absent", "meaning")
_CHANGE = """## Change it

1. Edit `config/pipelines/{name}.yaml`: a feature is one line under `features:`.
   [The contract's page](../contract.md) has every key, type and function.
2. `hotpath check config/pipelines/{name}.yaml` says what is wrong and what is suspicious;
   `hotpath try {name} --rows 20` shows rows and features.
3. `hotpath contract diff {name} config/pipelines/{name}.yaml` says what the change breaks.
4. `hotpath deploy {name}` trains it on the history that has landed; it is live once it has passed the gate.
"""


def pages(contracts: Iterable[Contract]) -> dict[str, str]:
    """Page and schema of each pipeline, by their paths in the project."""
    made = [(f"docs/pipelines/{contract.name}", contract) for contract in contracts]
    schemas = {f"{path}.schema.yaml": as_yaml(document(contract)) for path, contract in made}
    return {**{f"{path}.md": page(contract) for path, contract in made}, **schemas}


def page(contract: Contract) -> str:
    """The whole page."""
    return "\n".join(
        [
            f"# {contract.name}\n",
            f"{contract.question}\n",
            "Rendered from the contract by `make docs`; a test compares. Do not edit.\n",
            *_events(contract),
            *_labels(contract),
            *_streams(contract),
            *_aggregates(contract),
            *_features(contract),
            *_tables(contract),
            *_training(contract),
            *_serving(contract),
            _asking(contract),
            _monitors(contract),
            _CHANGE.format(name=contract.name),
        ]
    )


def _events(contract: Contract) -> Iterable[str]:
    events = contract.events
    yield (
        f"## Events\n\nTopic `{events.topic}`, records in {events.decoder}. `{events.id}` is unique,"
        f" `{events.entity}` is what a label refers to, `{events.host}` is the machine whose clock stamped"
        f" `{events.time}`. A question may leave out {_names(sorted(left_out(contract)))}.\n"
    )
    if events.consent:
        yield f"A record whose `{events.consent}` is not true is not landed.\n"
    yield _fields(events.fields)


def _labels(contract: Contract) -> Iterable[str]:
    labels = contract.labels
    classes = f" with the classes {_names(labels.classes)}" if labels.kind == "classes" else ""
    yield (
        f"## Labels\n\nTopic `{labels.topic}`, records in {labels.decoder}, joined to events by"
        f" `{labels.entity}`. The target is `{labels.target}` ({labels.kind}{classes}); an event without a"
        f" label after {duration_text(labels.horizon)} stays unlabelled.\n"
    )
    yield _fields(labels.fields)


def _streams(contract: Contract) -> Iterable[str]:
    for stream in contract.streams:
        yield (
            f"## Stream {stream.name}\n\nTopic `{stream.topic}`, records in {stream.decoder};"
            f" for aggregates alone, in the lake as the dataset `{stream.name}`.\n"
        )
        yield _fields(stream.fields)


def _aggregates(contract: Contract) -> Iterable[str]:
    if not contract.aggregates:
        return
    yield (
        "## Aggregates\n\nOver closed tiles of the time of arrival, by key. A row reads the tiles that had"
        " ended by its arrival less the delay.\n"
    )
    heads = ("name", "of", "by", "value", "tile", "horizon", "delay", "read as")
    yield table(heads, [_aggregate(contract, a) for a in contract.aggregates])
    for a in contract.aggregates:
        if a.default:
            said = ", ".join(f"{name} {value}" for name, value in a.default)
            yield f"Where tiles of `{a.name}` cannot be had: {said}, else null.\n"


def _aggregate(contract: Contract, a: Aggregate) -> tuple[str, ...]:
    by = f"`{a.by}`" if a.key == a.by else f"`{a.by}` (a question's `{a.key}`)"
    digits = "" if a.digits is None else f", {a.digits} digits"
    value = "records" if a.value is None else f"`{a.value}`{digits}"
    read = [f"`{r.statistic}` of {duration_text(r.span)}" for r in contract.readings if r.aggregate == a.name]
    spans = (duration_text(span) for span in (a.tile, a.horizon, a.delay))
    return (f"`{a.name}`", a.over, by, value, *spans, ", ".join(read))


def _features(contract: Contract) -> Iterable[str]:
    lines = [
        (
            f"`{f.name}`",
            f.type.value,
            f"`{f.expression}`",
            _names(made_of(f.tree)),
        )
        for f in contract.features
    ]
    read = " and the tiles of the aggregates" if contract.aggregates else " alone"
    yield f"## Features\n\nWhat the model sees, from event fields{read}.\n"
    yield table(("name", "type", "expression", "made of"), lines)


def _tables(contract: Contract) -> Iterable[str]:
    if contract.tables:
        lines = [
            (f"`{t.name}`", f"`{t.key}`", _names([c.name for c in t.columns]), str(len(t.keys)))
            for t in contract.tables
        ]
        yield "## Tables\n\nThey ship with the contract; its fingerprint covers every cell.\n"
        yield table(("name", "key", "columns", "rows"), lines)


def _training(contract: Contract) -> Iterable[str]:
    train, floor = contract.train, contract.floor
    rules = ", ".join(f"{r.metric} {rule_text(r.sign, r.bound)}" for r in contract.gate.rules)
    kept = (
        f" It is rolled back where its {floor.metric} is not {_floor(floor)} in {floor.windows} windows of"
        f" {duration_text(floor.window)} in a row that have {floor.labels} labels each."
        if floor
        else ""
    )
    shadow = f" and after {contract.gate.shadow} labelled rows since" if contract.gate.shadow else ""
    yield (
        f"## Training\n\nEvery {duration_text(train.retrain_every)} on the rows of the last"
        f" {duration_text(train.window)}, at most {train.max_rows}; the newest {train.holdout:.0%} judge the"
        f" model. It goes live with {rules}, not significantly worse than what is live{shadow}.{kept}\n"
    )
    yield (
        f"A window with less than {train.timestamp_quality:.0%} of its events from sound clocks, or with a"
        f" feature that alone tells the label better than {train.leak:g}, teaches nothing.{_search(train)}\n"
    )
    if contract.metrics:
        yield "The business's own metrics, over outcomes of decisions on the holdout:\n"
        yield table(("metric", "is"), [(f"`{m.name}`", f"`{m.expression}`") for m in contract.metrics])
    yield from _promises(contract)


def _search(train: Train) -> str:
    if train.search is None:
        return ""
    every, budget = duration_text(train.search.every), duration_text(train.search.budget)
    return f" Every {every} better models of {_names(train.search.algorithms)} are looked for, {budget} long."


def _promises(contract: Contract) -> Iterable[str]:
    card = contract.scorecard
    lines = [
        (f"`{name}`", ", ".join(f"{rate:g}" for rate in listed))
        for name in ("false_positive_rate", "false_negative_rate", "coverage")
        if (listed := getattr(card, name))
    ]
    if lines:
        yield f"Each bundle says what it can promise with {card.confidence:.4g} confidence:\n"
        yield table(("tolerance of", "listed"), lines)
    if contract.labels.kind == "binary":
        yield f"{_decided(contract)}\n"


def _decided(contract: Contract) -> str:
    decide = contract.scorecard.decide
    if decide is None:
        return "Scores from that of the largest F1 on are declined."
    wrong, missed = decide.false_positive_rate, decide.false_negative_rate
    said = [
        *([f"at most {wrong:.4g} of the no are declined"] if wrong is not None else []),
        *([f"at most {missed:.4g} of the yes are accepted"] if missed is not None else []),
    ]
    rest = "; what lies between is left to the caller (`abstain`)" if len(said) == 2 else ""
    return f"Decisions: {', '.join(said)}{rest}."


def _without(contract: Contract) -> str:
    fallback = contract.serve.fallback
    return f": then `{fallback.expression}` answers" if fallback else ": the decision is `abstain`"


def _floor(floor: Floor) -> str:
    return rule_text(BY_NAME[floor.metric].sign, floor.bound)


def _serving(contract: Contract) -> Iterable[str]:
    serve = contract.serve
    fresh, expired = duration_text(serve.fresh), duration_text(serve.expired)
    unknown = "refused" if serve.unknown == "refuse" else "passed over and counted"
    yield (
        f"## Serving\n\nAn answer of a model older than {fresh} is marked stale; one older than {expired} is"
        f" not used{_without(contract)}. A field of a request that is not above is {unknown}."
        f" Both directions as JSON Schema: [{contract.name}.schema.yaml]({contract.name}.schema.yaml).\n"
    )
    if serve.parameters:
        yield f"The caller's `parameters`:\n\n{_fields(serve.parameters)}"
    yield f"The answer's outputs:\n\n{_fields(answered(contract))}"


def _asking(contract: Contract) -> str:
    asked = example_request(contract)
    tensors = ",\n  ".join(json.dumps(tensor, ensure_ascii=False) for tensor in asked.pop("inputs"))
    more = "".join(f",\n {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in asked.items())
    body = f'{{"inputs": [\n  {tensors}\n ]{more}}}'
    return f"""## Ask it

`hotpath score --pipeline {contract.name} --example` asks this:

```json
{body}
```
"""


def _monitors(contract: Contract) -> str:
    watched = feature_monitors(contract)
    lines = [
        (f"`{f.name}`", *(f"`{m.name}`" for m in watched if m.feature == f.name)) for f in contract.features
    ]
    said = " ".join(f"{kind.capitalize()}: {meaning}." for kind, meaning in MEANINGS.items())
    return (
        f"## Monitors\n\n{said} Baselines are fitted with each model and stand on its bundle's card.\n\n"
        f"{table(('feature', *MEANINGS), lines)}"
    )


def _fields(fields: Iterable[Field]) -> str:
    return table(
        _FIELDS,
        [(f"`{f.name}`", f.type.value, f.unit or "", _range(f), _absent(f), f.doc or "") for f in fields],
    )


def _range(field: Field) -> str:
    said = [_names(field.levels) if field.levels else "", _bounds(field.min, field.max), field.format or ""]
    return ", ".join(text for text in said if text)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f"to {_number(high)}"
    return f"from {_number(low)}" if high is None else f"{_number(low)} to {_number(high)}"


def _number(bound: float) -> str:
    """As short as it can be said exactly."""
    return repr(bound).removesuffix(".0")


def _absent(field: Field) -> str:
    if field.nullable:
        return "null"
    return "refused" if field.default is None else f"`{json.dumps(field.default, ensure_ascii=False)}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
