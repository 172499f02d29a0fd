"""A scoring request: the same checks as for an event, the answer a BadInput naming the field.

A request asks now, so its id, host and time may be absent; nothing else differs from an event. What is
nested in a record has its dotted name here. The caller's parameters are declared and checked alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hotpath.contract.checks import Check, check, checks
from hotpath.contract.model import Contract
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Scalar, Value
from hotpath.errors import BadInput

Decode = Callable[[Mapping[str, object]], dict[str, Value]]
"""Values as they came, by name, to decoded ones. Raises BadInput, whose `expected` never holds a value."""


def request_decoder(contract: Contract) -> Decode:
    """Fields of a request in, every event field out; `thing` of a BadInput is the field's name.

    An absent field is its default, or None where it is nullable or may be left out.
    """
    by_name, unasked = checks(contract.events), left_out(contract)
    wanted = [_Wanted(f.name, by_name[f.name], f.default, f.name in unasked) for f in contract.events.fields]
    unknown = None if contract.serve.unknown == "ignore" else _refusal("", "a field of this model", by_name)
    return _decoder(wanted, unknown)


def parameters_decoder(contract: Contract) -> Decode:
    """The caller's parameters in, every declared one out; `thing` of a BadInput is `parameters.NAME`."""
    fields = contract.serve.parameters
    wanted = [_Wanted(f.name, check(replace(f, name=_PREFIX + f.name)), f.default, False) for f in fields]
    known = [f.name for f in fields]
    ignored = contract.serve.unknown == "ignore"
    return _decoder(wanted, None if ignored else _refusal(_PREFIX, "a parameter of this model", known))


def left_out(contract: Contract) -> frozenset[str]:
    """Event fields that a question may leave out although they are neither nullable nor have a default.

    None that is an aggregate's key: without it a question would read nothing of what its row was taught.
    """
    events = contract.events
    asked = {events.id, events.host, events.time} - {a.key for a in contract.aggregates}
    return frozenset(f.name for f in events.fields if f.name in asked and f.default is None)


_PREFIX = "parameters."


@dataclass(frozen=True)
class _Wanted:
    name: str
    check: Check
    default: Scalar
    left_out: bool


def _decoder(wanted: Sequence[_Wanted], unknown: Callable[[str, object], BadInput] | None) -> Decode:
    required = tuple((w.name, w.check, w.default) for w in wanted if not w.left_out)
    unasked = tuple((w.name, w.check) for w in wanted if w.left_out)
    known = frozenset(w.name for w in wanted)

    def decode(request: Mapping[str, object]) -> dict[str, Value]:
        if unknown is not None and not request.keys() <= known:
            name = next(name for name in request if name not in known)
            raise unknown(name, request[name])
        found = {name: one(request.get(name, default)) for name, one, default in required}
        for name, one in unasked:
            found[name] = one(request[name]) if name in request else None
        return found

    return decode


def _refusal(prefix: str, what: str, known: Iterable[str]) -> Callable[[str, object], BadInput]:
    names = tuple(known)
    return lambda name, value: BadInput(prefix + name, value, what + nearest(name, names))
