"""Each pipeline has a page and a schema in docs, rendered from its contract, and a question it accepts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from hotpath.cli.pages import rendered
from hotpath.contract.checks import check
from hotpath.contract.docs import markdown
from hotpath.contract.example import FORMATTED, example, example_request
from hotpath.contract.fitted import Baseline, Fitted
from hotpath.contract.formats import FORMATS
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.contract.monitors import feature_monitors
from hotpath.contract.parts import Field
from hotpath.contract.reference import page
from hotpath.contract.schema_bodies import document
from hotpath.settings import PROJECT
from tests.contract.declared import fields, taken
from tests.contract.judge import accepts
from tests.contract.samples import CONTRACT, small

PIPELINES = ("flights", "payments")
FURTHER = """\
streams:
  wind: {topic: small.wind, fields: {place: {type: string}, gust: {type: double, min: 0, max: 80}}}
aggregates:
  gusts: {over: wind, by: place, key: host, value: gust, digits: 1, tile: 5m, horizon: 1h, delay: 2m,
    default: {max: 3}}
features:
  calm: max(gusts, "15m") < 20.5
"""


def said() -> Contract:
    """A contract with a stream and an aggregate."""
    return Contract.from_yaml(CONTRACT.replace("features:\n", FURTHER), "small.yaml")


def test_the_pages_in_docs_are_rendered_from_the_contracts() -> None:
    stale = [path for path, text in rendered().items() if (PROJECT / path).read_text() != text]
    assert not stale, "run make docs"


@pytest.mark.parametrize("name", PIPELINES)
def test_a_page_names_every_field_feature_and_monitor(name: str) -> None:
    contract = load(PROJECT / "config" / "pipelines" / f"{name}.yaml")
    text = page(contract)
    names = [f.name for f in (*contract.events.fields, *contract.labels.fields)]
    names += [f.name for f in contract.features] + [m.name for m in feature_monitors(contract)]
    assert all(f"`{name}`" in text for name in names)
    assert contract.question in text


@pytest.mark.parametrize("name", PIPELINES)
def test_the_example_on_the_page_is_a_request_of_the_schema(name: str) -> None:
    contract = load(PROJECT / "config" / "pipelines" / f"{name}.yaml")
    shown = json.loads(page(contract).split("```json\n")[1].split("```")[0])
    assert shown == example_request(contract)
    assert accepts(document(contract), "request", shown)


@given(fields())
def test_an_example_of_a_field_is_a_value_of_it(field: Field) -> None:
    assert taken(check(field), example(field))


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ("min: 0, max: 12345678", "0 to 12345678"),
        ("min: 0.1234567, max: 1", "0.1234567 to 1"),
        ("min: -1", "from -1"),
        ("max: 1e+20", "to 1e+20"),
    ],
)
def test_a_range_is_said_in_full(bounds: str, said: str) -> None:
    assert f"| `size` | double | km | {said} |" in page(small("min: -1, max: 10.5", bounds))


def test_a_gate_is_said_in_full() -> None:
    text = CONTRACT.replace("truth: {type: bool}", "truth: {type: double}")
    text = text.replace('auc: ">= 0.60"', 'rmse: "<= 1234567.5"')
    assert "It goes live with rmse <= 1234567.5, not" in page(Contract.from_yaml(text, "small.yaml"))


PROMISED = """metrics: {cost: 40 * fn / rows}
gate: {auc: ">= 0.60", cost: "<= 3", shadow: 500}
scorecard: {false_positive_rate: [0.01, 0.05], false_negative_rate: [0.1], decide: {DECIDE}}
"""


@pytest.mark.parametrize(
    ("decide", "says"),
    [
        ("false_positive_rate: 0.05", "Decisions: at most 0.05 of the no are declined."),
        ("false_negative_rate: 0.1", "Decisions: at most 0.1 of the yes are accepted."),
        ("false_positive_rate: 0.05, false_negative_rate: 0.1", "left to the caller (`abstain`)."),
    ],
)
def test_a_page_says_what_is_promised_decided_and_answered_without_a_model(decide: str, says: str) -> None:
    said = PROMISED.replace("DECIDE", decide)
    text = CONTRACT.replace('gate:  {auc: ">= 0.60"}\n', said).replace("24h}\n", "24h, fallback: big}\n")
    text = text.replace("every: 2h}", "every: 2h, search: {every: 24h, budget: 10m, algorithms: [gbm]}}")
    found = page(Contract.from_yaml(text, "small.yaml"))
    assert "auc >= 0.6, cost <= 3, not significantly worse than what is live and after 500 labelled" in found
    assert "| `cost` | `40 * fn / rows` |" in found
    assert "| `false_positive_rate` | 0.01, 0.05 |" in found
    assert "not used: then `big` answers" in found
    assert "Every 1d better models of `gbm` are looked for, 10m long." in found
    assert says in found


def test_a_page_shows_streams_aggregates_and_what_reads_them() -> None:
    text = page(said())
    assert "## Stream wind\n\nTopic `small.wind`" in text
    row = (
        "| `gusts` | wind | `place` (a question's `host`) | `gust`, 1 digits | 5m | 1h | 2m | `max` of 15m |"
    )
    assert row in text
    assert "Where tiles of `gusts` cannot be had: max 3.0, else null." in text
    assert "| `calm` | bool | `max(gusts, '15m') < 20.5` | `gusts` |" in text
    assert "## Aggregates" not in page(small())


def test_a_streams_records_have_a_schema() -> None:
    made = document(said())
    assert accepts(made, "stream.wind", {"place": "", "gust": 7})
    assert not accepts(made, "stream.wind", {"place": "EWR", "gust": -1})


def test_every_format_has_an_example() -> None:
    assert FORMATTED.keys() == {f.name for f in FORMATS}


def test_monitors_carry_the_baseline_of_their_feature() -> None:
    baseline = Baseline(rows=10, nulls=1, levels=(("a", 9),))
    watched = feature_monitors(small(), Fitted(baselines={"level": baseline}))
    assert [(m.name, m.feature, m.baseline) for m in watched] == [
        ("drift_big", "big", None),
        ("parity_big", "big", None),
        ("drift_level", "level", baseline),
        ("parity_level", "level", baseline),
    ]


def test_the_contracts_page_is_among_the_rendered() -> None:
    assert rendered()["docs/contract.md"] == markdown()
