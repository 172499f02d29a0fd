"""What an answer holds, by kind of target: one row an output, for the scorer, its schema and the docs.

A contract may narrow these (`serve.response`), and add features and parameters to be given back.
"""

from __future__ import annotations

from hotpath.contract.parts import Field, Labels
from hotpath.contract.types import Type

DECISIONS = ("abstain", "accept", "decline")


def outputs(labels: Labels) -> tuple[Field, ...]:
    """The outputs of a model of this target, `decision` last.

    binary: `score`, the probability of yes. classes: `class`, the likeliest, and `score`, its probability.
    number: `score`, in the target's unit. A score is null where none could be had.
    """
    decision = Field("decision", Type.CATEGORY, levels=DECISIONS, doc="what to do")
    return (*_SCORES[labels.kind](labels), decision)


def _binary(_: Labels) -> tuple[Field, ...]:
    return (Field("score", Type.DOUBLE, nullable=True, min=0.0, max=1.0, doc="probability of yes"),)


def _classes(labels: Labels) -> tuple[Field, ...]:
    return (
        Field("class", Type.CATEGORY, nullable=True, levels=labels.classes, doc="the likeliest class"),
        Field("score", Type.DOUBLE, nullable=True, min=0.0, max=1.0, doc="the class's probability"),
    )


def _number(labels: Labels) -> tuple[Field, ...]:
    return (Field("score", Type.DOUBLE, nullable=True, unit=labels.truth.unit, doc="the estimate"),)


_SCORES = {"binary": _binary, "classes": _classes, "number": _number}
