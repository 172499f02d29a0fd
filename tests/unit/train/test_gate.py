"""The gate: what it is asked, what it says, and that nothing better is ever worse."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.parts import Decide, Gate, Rule
from hotpath.handoffs import Parity
from train.gate import Evidence, Verdict, judged, judged_shadow
from train.measured import Estimate, Measured, Rival, Shadow

BETTER, WORSE = Estimate(0.02, 0.01, 0.03), Estimate(-0.02, -0.03, -0.01)
ABOUT = Estimate(-0.01, -0.03, 0.01)
ORDER = ("hold", "wait", "promote")


def of(figures: Mapping[str, float | None], **parts: object) -> Evidence:
    """Evidence of a binary challenger with these figures; `parts` of what was measured beside them."""
    known = {name: value for name, value in figures.items() if value is not None}
    return Evidence(Measured("binary", known, {}, **parts), figures)  # type: ignore[arg-type]


def gate(*rules: Rule, shadow: int = 0) -> Gate:
    return Gate(rules, shadow=shadow)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (Rule("auc", 0.6, ">="), 0.6),
        (Rule("log_loss", 0.5, "<="), 0.5),
        (Rule("log_loss", 0.5, "<="), 0.1),
        (Rule("cost", 3.0, "<="), -4.0),
        (Rule("latency_us", 500, "<="), 12.5),
    ],
)
def test_a_model_that_reaches_a_rule_exactly_or_is_better_is_promoted(rule: Rule, value: float) -> None:
    assert judged(gate(rule), of({rule.metric: value})).state == "promote"


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        (Rule("auc", 0.6, ">="), 0.5999, "auc is 0.5999, the gate asks for at least 0.6"),
        (Rule("auc", 0.6, ">="), nan, "auc is nan, the gate asks for at least 0.6"),
        (Rule("rmse", 12.5, "<="), 12.6, "rmse is 12.6000, the gate asks for at most 12.5"),
        (Rule("rmse", 12.5, "<="), nan, "rmse is nan, the gate asks for at most 12.5"),
        (Rule("saved", 2.0, ">="), None, "saved is nan, the gate asks for at least 2"),
        (Rule("latency_us", 500, "<="), inf, "latency_us is inf, the gate asks for at most 500"),
    ],
)
def test_a_model_on_the_wrong_side_of_a_rule_is_held_and_says_why(
    rule: Rule, value: float | None, why: str
) -> None:
    found = judged(gate(rule), of({rule.metric: value}))
    assert (found.state, found.why) == ("hold", why)


def test_a_figure_that_nobody_measured_reaches_no_bound() -> None:
    assert judged(gate(Rule("latency_us", 500, "<=")), of({})).state == "hold"


def test_all_rules_that_fail_are_named_and_those_that_hold_are_there_with_their_numbers() -> None:
    rules = (Rule("accuracy", 0.8, ">="), Rule("auc", 0.6, ">="), Rule("log_loss", 0.7, "<="))
    found = judged(gate(*rules), of({"accuracy": 0.5, "auc": 0.7, "log_loss": 0.8}))
    assert found.why.split("; ") == [
        "accuracy is 0.5000, the gate asks for at least 0.8",
        "log_loss is 0.8000, the gate asks for at most 0.7",
    ]
    told = {r.rule: (r.value, r.asked, r.holds) for r in found.reasons}
    assert told["auc"] == (0.7, "at least 0.6", True)
    assert told["accuracy"] == (0.5, "at least 0.8", False)


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(BETTER, "promote"), (ABOUT, "promote"), (WORSE, "hold"), (Estimate(nan, nan, nan), "hold")],
)
def test_only_what_is_significantly_worse_than_the_champion_is_held(ahead: Estimate, state: str) -> None:
    found = judged(gate(), of({"auc": 0.7}, champion=Rival({"auc": 0.7}, ahead)))
    assert found.state == state


def test_a_promotion_says_how_good_it_is_and_against_whom() -> None:
    found = judged(gate(), of({"auc": 0.7132}, champion=Rival({"auc": 0.72}, ABOUT)))
    assert found.why == "holdout auc 0.7132, -0.0100 (-0.0300 to +0.0100) against the champion"


def unknown(value: float) -> Estimate:
    return Estimate(value, -sys.float_info.max, sys.float_info.max)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_bounds_of_which_nothing_is_known_hold_nothing_back_that_is_no_worse(value: float) -> None:
    found = judged(gate(), of({"auc": 0.7}, champion=Rival({}, unknown(value))))
    assert (found.state, found.why) == (
        "promote",
        f"holdout auc 0.7000, {value:+.4f} (bounds unknown) against the champion",
    )


def test_a_worse_figure_whose_bounds_nobody_knows_is_held() -> None:
    found = judged(gate(), of({"auc": 0.7}, champion=Rival({}, unknown(-0.3))))
    assert (found.state, found.why) == (
        "hold",
        "auc is -0.3000 (bounds unknown) against the champion, worse, and nothing says that it is chance",
    )
    assert judged(gate(), of({}, baselines={"constant": Rival({}, unknown(-0.1))})).state == "hold"
    waited = replace(of({}), shadow=Shadow(500, unknown(-0.1)))
    assert judged(gate(shadow=500), waited).state == "hold"


def test_a_refusal_names_both_and_the_bounds() -> None:
    found = judged(gate(), of({"auc": 0.70}, champion=Rival({"auc": 0.72}, WORSE)))
    assert found.why == (
        "auc is -0.0200 (-0.0300 to -0.0100) against the champion, significantly worse at 0.95"
    )


@pytest.mark.parametrize("apart", [{}, {"champion": "its feature late_share reads another aggregate"}])
def test_a_champion_that_cannot_be_held_against_is_said_and_blocks_nothing(apart: dict[str, str]) -> None:
    found = judged(gate(), replace(of({"auc": 0.7}), apart=apart))
    (told,) = [r for r in found.reasons if r.rule == "champion"]
    assert (found.state, told.holds, told.value) == ("promote", True, None)
    assert apart.get("champion", "no champion") in told.says
    asked = "; the champion could not be asked: its feature late_share reads another aggregate"
    assert found.why == "holdout auc 0.7000" + asked * bool(apart)


def test_a_champion_whose_answers_are_none_could_not_be_asked() -> None:
    found = judged(gate(), of({"auc": 0.7}, unsound=("champion",)))
    says = "the champion could not be asked: its answers to the holdout are not one finite number a row"
    assert [r.says for r in found.reasons if r.rule == "champion"] == [says]
    assert (found.state, found.why) == ("promote", f"holdout auc 0.7000; {says}")


@pytest.mark.parametrize("name", ["constant", "fallback"])
def test_what_does_worse_than_no_model_at_all_is_held(name: str) -> None:
    baselines = {"constant": Rival({}, ABOUT), "fallback": Rival({}, ABOUT)}
    assert judged(gate(), of({}, baselines=baselines)).state == "promote"
    found = judged(gate(), of({}, baselines={**baselines, name: Rival({}, WORSE)}))
    assert found.state == "hold"
    assert f"against the {name}" in found.why


def test_a_tolerance_that_decisions_are_made_by_must_be_promised() -> None:
    asked = Decide(false_positive_rate=0.05)
    assert judged(gate(), replace(of({}), decide=asked)).state == "promote"
    found = judged(gate(), replace(of({}, promised=False), decide=asked))
    assert (found.state, found.why) == (
        "hold",
        "false_positive_rate 0.05 cannot be promised on this holdout",
    )


@pytest.mark.parametrize(
    ("believed", "state"), [(1.0, "promote"), (0.8, "promote"), (0.79, "hold"), (nan, "hold")]
)
def test_a_window_of_too_few_honest_timestamps_teaches_nothing(believed: float, state: str) -> None:
    found = judged(gate(), replace(of({}), believed=believed, least_believed=0.8))
    assert found.state == state


# shadow: 500   outcomes 0 ──▶ wait ── 499 ──▶ wait ── 500 ──▶ promote, or hold where they are worse
@pytest.mark.parametrize(
    ("shadow", "state"),
    [
        (None, "wait"),
        (Shadow(499, WORSE), "wait"),
        (Shadow(500, None), "promote"),
        (Shadow(500, ABOUT), "promote"),
        (Shadow(500, WORSE), "hold"),
    ],
)
def test_a_contract_may_ask_for_outcomes_in_the_shadow_first(shadow: Shadow | None, state: str) -> None:
    assert judged(gate(shadow=500), replace(of({}), shadow=shadow)).state == state


def test_what_fails_for_good_does_not_wait() -> None:
    found = judged(gate(Rule("auc", 0.6, ">="), shadow=500), of({"auc": 0.5}))
    assert found.state == "hold"
    assert "0 outcomes in the shadow" in found.why


@pytest.mark.parametrize(
    ("shadow", "state"),
    [(Shadow(499, BETTER), "wait"), (Shadow(500, ABOUT), "promote"), (Shadow(500, WORSE), "hold")],
)
def test_who_has_waited_is_judged_by_its_outcomes_and_parity_alone(shadow: Shadow, state: str) -> None:
    asked = gate(Rule("auc", 0.6, ">="), shadow=500)
    waited = replace(of({}), shadow=shadow)
    found = judged_shadow(asked, waited)
    assert found.state == state
    assert f"{shadow.outcomes} outcomes in the shadow" in found.why or state == "hold"
    assert judged_shadow(asked, replace(waited, parity=parity(9, 1))).state == "hold"


@pytest.mark.parametrize(
    ("apart", "says"),
    [
        ({}, "the shadow has no champion to be held against"),
        ({"champion": "its bundle is not kept"}, "the champion could not be asked: its bundle is not kept"),
    ],
)
def test_a_shadow_that_was_held_against_nobody_says_so(apart: dict[str, str], says: str) -> None:
    found = judged_shadow(gate(shadow=500), replace(of({}), shadow=Shadow(500, None), apart=apart))
    assert (found.state, found.why.split("; ")[-1]) == ("promote", says)


def parity(checked: int, differing: int) -> Parity:
    example: dict[str, object] = {"prediction_id": "p1", "feature": "late", "answered": 1, "recomputed": 2}
    counts = {"equal": checked - differing, "late": 0, "degraded": 0, "differing": differing}
    return Parity("flights", checked, **counts, examples=[example] * bool(differing), since=0, at=1)


@pytest.mark.parametrize("said", [None, parity(0, 0), parity(100, 0)])
def test_where_no_answer_differs_from_the_lake_parity_holds_nothing_up(said: Parity | None) -> None:
    assert judged(gate(), replace(of({}), parity=said)).state == "promote"


def test_one_answer_that_differs_from_the_lake_blocks_the_gate_by_name() -> None:
    found = judged(gate(), replace(of({}), parity=parity(100, 1)))
    assert found.state == "hold"
    assert found.why == "1 of 100 answers differ from the lake: late of p1 answered 1, the lake gives 2"


figures = st.floats(-1, 1) | st.just(nan)
estimates = st.builds(
    lambda value, down, up: Estimate(value, value - down, value + up),
    figures,
    st.floats(0, 1),
    st.floats(0, 1),
)
rivals = st.builds(Rival, st.just({}), estimates | st.builds(unknown, st.floats(-1, 1)))
gates = st.builds(
    lambda bound, latency, shadow: gate(
        Rule("auc", bound, ">="), Rule("latency_us", latency, "<="), shadow=shadow
    ),
    st.floats(-1, 1),
    st.floats(0, 100),
    st.sampled_from([0, 0, 5]),
)


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    measured = Measured(
        "binary",
        {"auc": draw(figures)},
        {},
        baselines=draw(st.dictionaries(st.sampled_from(["constant", "fallback"]), rivals)),
        champion=draw(st.none() | rivals),
        promised=draw(st.booleans()),
    )
    return Evidence(
        measured,
        {**measured.metrics, "latency_us": draw(st.none() | st.floats(0, 100))},
        parity=draw(st.sampled_from([None, parity(9, 0), parity(9, 2)])),
        believed=draw(st.floats(0, 1)),
        least_believed=0.5,
        decide=draw(st.sampled_from([None, Decide(0.05, 0.01)])),
        shadow=draw(st.none() | st.builds(Shadow, st.integers(0, 9), st.none() | estimates)),
    )


@st.composite
def improved(draw: st.DrawFn) -> tuple[Evidence, Evidence]:
    """The same evidence, and one with a single input made better."""
    now = draw(evidence())
    up = draw(st.floats(0, 1))

    def higher(of: Estimate) -> Estimate:
        return Estimate(of.value + up, of.low + up, of.high + up)

    measured, metrics = now.measured, dict(now.metrics)
    match draw(
        st.sampled_from(["auc", "latency", "parity", "clocks", "promise", "champion", "baseline", "shadow"])
    ):
        case "auc":
            return now, replace(now, metrics={**metrics, "auc": (metrics["auc"] or 0) + up})
        case "latency":
            latency = metrics["latency_us"]
            return now, replace(
                now, metrics={**metrics, "latency_us": None if latency is None else latency - up}
            )
        case "parity":
            return now, replace(now, parity=parity(9, 0))
        case "clocks":
            return now, replace(now, believed=now.believed + up)
        case "promise":
            return now, replace(now, measured=replace(measured, promised=True))
        case "champion" if measured.champion is not None:
            live = replace(measured.champion, ahead=higher(measured.champion.ahead))
            return now, replace(now, measured=replace(measured, champion=live))
        case "baseline":
            better = {name: replace(r, ahead=higher(r.ahead)) for name, r in measured.baselines.items()}
            return now, replace(now, measured=replace(measured, baselines=better))
        case "shadow" if now.shadow is not None and now.shadow.ahead is not None:
            return now, replace(now, shadow=replace(now.shadow, ahead=higher(now.shadow.ahead)))
        case _:
            return now, now


@given(gates, improved())
def test_nothing_that_gets_better_ever_gets_a_worse_verdict(
    asked: Gate, pair: tuple[Evidence, Evidence]
) -> None:
    worse, better = (judged(asked, found) for found in pair)
    assert ORDER.index(better.state) >= ORDER.index(worse.state)


@given(gates, evidence(), st.integers(0, 9))
def test_more_outcomes_never_take_a_promotion_back(asked: Gate, now: Evidence, more: int) -> None:
    shadow = now.shadow or Shadow(0, None)
    later = replace(now, shadow=replace(shadow, outcomes=shadow.outcomes + more))
    if judged(asked, now).state == "promote":
        assert judged(asked, later).state == "promote"


@given(gates, evidence())
def test_the_verdict_follows_from_its_reasons_and_each_is_plain_data(asked: Gate, now: Evidence) -> None:
    found = judged(asked, now)
    failed = [r for r in found.reasons if not r.holds]
    assert (found.state == "promote") == (not failed)
    assert all(r.says in found.why for r in failed)
    assert not any(value != value for r in found.reasons for value in asdict(r).values())
    assert isinstance(found, Verdict)
    assert "\n" not in found.why
