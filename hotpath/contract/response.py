"""What an answer must hold: the declared fields, checked like a request's, composed once per bundle.

Knows no protocol: an answer is {name: value}, its values as they are written in JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hotpath.contract.checks import check
from hotpath.contract.model import Contract
from hotpath.contract.outputs import outputs
from hotpath.contract.parts import Field
from hotpath.contract.types import Value
from hotpath.errors import BadInput

Wrong = Callable[[Mapping[str, Value]], tuple[str, ...]]
"""The names of an answer that are not what the contract declares, sorted; () where all is right."""


def answered(contract: Contract) -> tuple[Field, ...]:
    """What one answer holds: `serve.response`, or where that is empty the outputs of the target's kind."""
    return contract.serve.response or outputs(contract.labels)


def response_checker(contract: Contract) -> Wrong:
    """The check of one answer: absent, undeclared and wrong values are named, nothing is raised."""
    by_name = {f.name: check(f) for f in answered(contract)}
    pairs, size = tuple(by_name.items()), len(by_name)

    def wrong(values: Mapping[str, Value]) -> tuple[str, ...]:
        try:
            for name, one in pairs:
                one(values[name])
        except (KeyError, BadInput):
            return _wrong(values, by_name)
        return () if len(values) == size else _wrong(values, by_name)

    return wrong


def _wrong(values: Mapping[str, Value], by_name: Mapping[str, Callable[[Value], Value]]) -> tuple[str, ...]:
    undeclared = values.keys() - by_name.keys()
    return tuple(sorted({*undeclared, *(n for n, one in by_name.items() if not _holds(n, one, values))}))


def _holds(name: str, one: Callable[[Value], Value], values: Mapping[str, Value]) -> bool:
    try:
        one(values[name])
    except (KeyError, BadInput):
        return False
    return True
