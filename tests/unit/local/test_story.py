"""What the demonstration tells: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from hotpath.local.story import PLAIN_EVERY_S, Scene, Story, headline

SCENE = Scene(
    elapsed_s=100.0,
    virtual=1_795_165_200_000_000,
    states={
        "kafka-onprem": {"state": "running"},
        "ingest": {"state": "replaying", "produced": {"flights.status": 100, "flights.landed": 20}},
        "transform-flights": {
            "state": "running",
            "landed": {"events": 99, "labels": 20, "rejected": 1, "rejected.events": 1, "scores": 7},
        },
        "train-flights": {"state": "training", "trained": 2, "announced": 1},
        "transactions": {"state": "asking", "total": 50, "failed": 0, "live": 3, "age_s": 5400.0},
        "scorer": {},
    },
    lag={"flights.status": 4, "hotpath.marks": 0},
)


def told(terminal: bool) -> str:
    out = io.StringIO()
    with Story(Console(file=out, force_terminal=terminal, width=200)) as story:
        story.show(SCENE)
        story.say("model 3 is live")
        story.show(SCENE)
    return out.getvalue()


def test_the_headline_follows_the_arrow_and_ends_with_the_live_models_age() -> None:
    said = headline(SCENE)
    assert said == (
        "produced 120, mirror 4 behind, landed 120, trained 2, announced 1, "
        "live model 3, 1.5 virtual h old, answers 50, failed 0"
    )


def test_a_terminal_shows_every_part_with_its_state_and_counts() -> None:
    shown = told(terminal=True)
    for expected in ("kafka-onprem", "replaying", "flights.status 100", "not started", "model 3 is live"):
        assert expected in shown


def test_without_a_terminal_there_are_plain_lines_and_not_too_many() -> None:
    lines = told(terminal=False).splitlines()
    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)
    assert "train-flights training" in lines[0]
    assert lines[1].endswith("model 3 is live")
    assert PLAIN_EVERY_S > 1
