"""What a contract may ask of training, gate, scorecard, its own metrics and its fallback rule."""

from __future__ import annotations

import pytest

from hotpath.clock import DAY, MINUTE
from hotpath.contract.business import amounts, values
from hotpath.contract.model import Contract
from hotpath.contract.parts import Decide, Floor, Gate, Rule, Scorecard, Search
from hotpath.contract.row import fallback_function
from hotpath.errors import BadConfig
from tests.contract.samples import CONTRACT, small

TRAIN, GATE, SERVE = "retrain_every: 2h}", '{auc: ">= 0.60"}', "{fresh: 3h, expired: 24h}"
BOOL = "truth: {type: bool}"
WAYS = (BOOL, "truth: {type: category, levels: [air, rail, sea]}"), (GATE, '{accuracy: ">= 0.5"}')
COSTS = (BOOL, "truth: {type: double}"), (GATE, '{rmse: "<= 9"}')
RATES = "false_positive_rate: [0.01, 0.05], false_negative_rate: [0.1]"

Texts = tuple[tuple[str, str], ...]


def made(*texts: tuple[str, str]) -> Contract:
    """The small contract with texts replaced, old by new."""
    found = CONTRACT
    for old, new in texts:
        assert old in found
        found = found.replace(old, new, 1)
    return Contract.from_yaml(found, "small.yaml")


def training(said: str) -> Texts:
    return ((TRAIN, f"retrain_every: 2h, {said}}}"),)


def search(said: str) -> Texts:
    return training(f"search: {{{said}}}")


def gate(said: str, *more: tuple[str, str]) -> Texts:
    return (*more, (GATE, f'{{auc: ">= 0.60", {said}}}'))


def own(expression: str, name: str = "cost") -> Texts:
    return (("gate:", f"metrics: {{{name}: {expression}}}\ngate:"),)


def card(said: str) -> Texts:
    return (("serve:", f"scorecard: {{{said}}}\nserve:"),)


def rule(expression: str) -> Texts:
    return ((SERVE, f"\n  fresh: 3h\n  expired: 24h\n  fallback: >-\n    {expression}"),)


def floor(said: str) -> Texts:
    return ((SERVE, f"{SERVE}\nfloor: {{{said} window: 1h, windows: 3, labels: 200}}"),)


# What is replaced by what, where the message points, what it says.
REFUSED: dict[str, tuple[Texts, str, str]] = {
    "a window of few rows": (training("max_rows: 10"), "27:65: train.max_rows", "from 1000"),
    "no slice": (training("validation: 0"), "train.validation", "from 1 to 10"),
    "a quality as a number": (training("timestamp_quality: 0.8"), "train.timestamp_quality", "1% to 100%"),
    "a leak like chance": (training("leak: 0.5"), "train.leak", "above 0.5 to 1"),
    "a leak beyond one": (training("leak: 1.1"), "train.leak", "above 0.5 to 1"),
    "an unknown key of search": (search("every: 2h, budgets: 1m"), "search.budgets", "mean budget?"),
    "a search without budget": (search("every: 2h"), "train.search.budget", "missing"),
    "a search more often than a run": (search("every: 1h, budget: 1m"), "search.every", "no less than train"),
    "a search longer than a run": (search("every: 24h, budget: 2h"), "search.budget", "waits for a search"),
    "an unknown algorithm": (
        search("every: 24h, budget: 1m, algorithms: [gbm, xgbost]"),
        "train.search.algorithms",
        "did you mean xgboost?",
    ),
    "an algorithm twice": (
        search("every: 24h, budget: 1m, algorithms: [gbm, gbm]"),
        "train.search.algorithms",
        "different",
    ),
    "a gate of nothing but outcomes": (((GATE, "{shadow: 5}"),), "28:17: gate.shadow", "a rule beside it"),
    "a gate of an unknown metric": (gate('aucs: ">= 0.6"'), "gate.aucs", "did you mean auc?"),
    "half an outcome": (gate("shadow: 0.5"), "gate.shadow", "a whole number"),
    "a confidence of one": (gate("confidence: 1"), "gate.confidence", "from 0.5 to 0.9999"),
    "a latency that is better higher": (gate('latency_us: ">= 5"'), "gate.latency_us", '"<= 10"'),
    "an own metric without relation": (
        (*own("fn / rows"), *gate("cost: 3")),
        "gate.cost",
        'a rule like "<= 3"',
    ),
    "a null in the gate": (gate("brier: null"), "gate.brier", "a rule"),
    "an own metric of something else": (
        own("40 * fns / rows"),
        "28:22: metrics.cost: found 'fns'",
        "a count or sum of outcomes (fn, fn_count, fn_size, fp, fp_count",
    ),
    "a sum over a text": (own("fn_level"), "metrics.cost", "a count or sum of outcomes"),
    "an own metric of nothing": (own("1 + 1"), "metrics.cost", "over outcomes: rows, tp, fp, tn, fn"),
    "an own metric that is no number": (own("fn > fp"), "metrics.cost", "of type long, double, not bool"),
    "an own metric called like another": (own("fn", "auc"), "metrics.auc", "a name of its own"),
    "an own metric called like a key": (own("fn", "shadow"), "metrics.shadow", "a name of its own"),
    "an own metric called like a count": (own("fn / rows", "rows"), "metrics.rows", "what it counts"),
    "an own metric called like a turn": (own("fp / rows", "fn"), "metrics.fn", "a name of its own"),
    "an own metric called like a sum": (own("fp / rows", "fn_size"), "metrics.fn_size", "a name of its own"),
    "an own metric of classes": (
        (*WAYS, *own("fn")),
        "metrics.cost",
        "it counts decisions on a bool target, not classes",
    ),
    "a tolerance of nothing": (card("false_positive_rate: []"), "scorecard.false_positive_rate", "1 to 20"),
    "a tolerance of zero": (card("false_positive_rate: [0, 0.1]"), "false_positive_rate", "above 0 to 0.5"),
    "a tolerance beyond half": (card("false_negative_rate: [0.6]"), "false_negative_rate", "above 0 to 0.5"),
    "a tolerance twice": (card("false_negative_rate: [0.1, 0.1]"), "false_negative_rate", "each once"),
    "tolerances downwards": (
        card("false_negative_rate: [0.2, 0.1]"),
        "false_negative_rate",
        "smallest first",
    ),
    "a tolerance that is a text": (card("false_negative_rate: [5%]"), "false_negative_rate", "numbers"),
    "one tolerance, not a list": (card("false_negative_rate: 0.1"), "false_negative_rate", "a list"),
    "a coverage of a yes or no": (card("coverage: [0.9]"), "scorecard.coverage", "a target that is number"),
    "a whole coverage": ((*COSTS, *card("coverage: [1.0]")), "scorecard.coverage", "to below 1"),
    "a rate of a number": ((*COSTS, *card(RATES)), "false_positive_rate", "binary or classes"),
    "decisions on classes": (
        (*WAYS, *card(f"{RATES}, decide: {{false_positive_rate: 0.05}}")),
        "scorecard.decide",
        "a target that is binary",
    ),
    "a decision by what is not listed": (
        card(f"{RATES}, decide: {{false_positive_rate: 0.02}}"),
        "scorecard.decide.false_positive_rate",
        "one of the rates that scorecard.false_positive_rate lists (0.01, 0.05)",
    ),
    "a decision by nothing": (card(f"{RATES}, decide: {{}}"), "scorecard.decide", "keys with values"),
    "a fallback over a field": (
        rule("size > 1"),
        "32:13: serve.fallback: found 'size'",
        "a feature (big, level)",
    ),
    "a fallback that is no yes or no": (rule("1 + 1"), "serve.fallback", "of type bool, not long"),
    "a fallback with levels": (rule('level(level) == "a"'), "serve.fallback", "without level(…)"),
    "a fallback over the event's time": (rule("hours_until(at) > 1"), "serve.fallback", "a feature"),
    "a fallback to no class": (
        (*WAYS, *rule('if_else(big, "rail", "see")')),
        "serve.fallback",
        "classes of truth (air, rail, sea), not 'see'; did you mean sea?",
    ),
    "a fallback to a class of a number": ((*COSTS, *rule('"air"')), "serve.fallback", "long, double"),
    "a floor of nothing": (floor(""), "floor.auc", "one metric"),
    "a floor of two metrics": (floor('auc: ">= 0.5", f1: ">= 0.5",'), "floor.f1", "one metric"),
    "a floor of another target": (
        (*COSTS, *floor('auc: ">= 0.5",')),
        "floor.auc",
        "for a double target: rmse",
    ),
    "a floor of the proof": (floor('latency_us: "<= 9",'), "floor.latency_us", "one of"),
}


@pytest.mark.parametrize(("texts", "where", "says"), REFUSED.values(), ids=REFUSED)
def test_a_bad_rule_is_refused_with_place_and_expectation(texts: Texts, where: str, says: str) -> None:
    with pytest.raises(BadConfig) as error:
        made(*texts)
    assert where in str(error.value)
    assert says in str(error.value)


def test_what_is_left_out_has_its_default_and_leaves_no_trace() -> None:
    said = "max_rows: 2000000, validation: 3, timestamp_quality: 50%, leak: 0.999"
    spelt = made(*training(said), *gate("shadow: 0, confidence: 0.95"), *card("confidence: 0.95"))
    assert spelt == small()
    assert spelt.fingerprint == small().fingerprint


def test_a_search_tries_what_it_lists_or_what_is_usual() -> None:
    listed = made(*search("every: 24h, budget: 10m, algorithms: [xgboost, gbm]"))
    assert listed.train.search == Search(DAY, 10 * MINUTE, ("gbm", "xgboost"))
    usual = made(*search("every: 1d, budget: 600s"))
    assert usual.train.search == Search(DAY, 10 * MINUTE, ("drf", "gbm", "glm"))


def test_a_gate_may_ask_for_the_contracts_own_metrics_either_way_round() -> None:
    asked = gate('cost: "<= 3", latency_us: "<= 500", shadow: 500, confidence: 0.9')
    found = made(*own("(40 * fn + 5 * fp) / rows"), *asked)
    rules = (Rule("auc", 0.6, ">="), Rule("cost", 3, "<="), Rule("latency_us", 500, "<="))
    assert found.gate == Gate(rules, 500, 0.9)
    other = made(*own("tp - fp"), *gate('cost: ">= -2.5"'))
    assert other.gate.rules[1] == Rule("cost", -2.5, ">=")
    assert Contract.from_json(found.canonical()) == found


def test_an_own_metric_counts_outcomes_and_sums_the_events_numbers() -> None:
    contract = made(*own("(fn_size + 2 * fp) / (tp + fn)"))
    (metric,) = contract.metrics
    assert amounts(contract) == ("size",)
    counts = {"rows": 10, "tp": 3, "fp": 2, "tn": 4, "fn": 1, "fn_size": 8}
    assert values(metric.tree, counts) == 3
    assert values(metric.tree, {**counts, "tp": 0, "fn": 0}) is None


def test_a_scorecard_lists_what_it_must_promise() -> None:
    found = made(*card(f"{RATES}, confidence: 0.99, decide: {{false_positive_rate: 0.05}}"))
    assert found.scorecard == Scorecard((0.01, 0.05), (0.1,), (), 0.99, Decide(0.05))
    assert made(*COSTS, *card("coverage: [0.8, 0.9]")).scorecard.coverage == (0.8, 0.9)
    assert made(*WAYS, *card(RATES)).scorecard.false_negative_rate == (0.1,)


def test_a_floor_may_be_on_any_metric_of_the_target() -> None:
    found = made(*COSTS, *floor('mae: "<= 12.5",'))
    assert found.floor is not None
    assert (found.floor.metric, found.floor.bound) == ("mae", 12.5)
    assert found.floor == Floor("mae", 12.5, found.floor.window, 3, 200)
    assert Contract.from_json(found.canonical()) == found


@pytest.mark.parametrize(
    ("texts", "features", "says"),
    [
        (rule('big or level == "b"'), (True, None), True),
        (rule('big or level == "b"'), (False, "b"), True),
        (rule('big or level == "b"'), (False, "a"), False),
        (rule('big or level == "b"'), (False, None), None),
        ((*COSTS, *rule("if_else(big, 7, 2)")), (True, None), 7.0),
        ((*COSTS, *rule("if_else(big, 7, 2)")), (None, None), None),
        ((*WAYS, *rule('coalesce(level, "sea")')), (None, "air"), "air"),
        ((*WAYS, *rule('coalesce(level, "sea")')), (None, None), "sea"),
        ((*WAYS, *rule('coalesce(level, "sea")')), (None, "road"), None),
    ],
)
def test_a_fallback_rule_speaks_of_features(texts: Texts, features: tuple[object, ...], says: object) -> None:
    contract = made(*texts)
    assert [f.name for f in contract.features] == ["big", "level"]
    rule = fallback_function(contract)
    assert rule is not None
    found = rule(features)  # type: ignore[arg-type]
    assert (found, type(found)) == (says, type(says))


def test_without_a_rule_there_is_none() -> None:
    assert fallback_function(small()) is None
