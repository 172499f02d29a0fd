"""Fields of a scoring request: the same checks as for an event, the answer a BadInput naming the field.

A request asks now, so its id, host and time may be absent; nothing else differs from an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hotpath.contract.checks import check
from hotpath.contract.model import Contract
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Value
from hotpath.errors import BadInput


def request_decoder(contract: Contract) -> Callable[[Mapping[str, object]], dict[str, Value]]:
    """Fields of a request in, every event field out (absent id, host, time and nullable ones: None).

    The function raises BadInput; `thing` is the field's name, `expected` never holds its value.
    """
    events = contract.events
    absent = {events.id, events.host, events.time} | {f.name for f in events.fields if f.nullable}
    checks = {f.name: check(f, f.name in events.never_empty) for f in events.fields}
    known = tuple(checks)

    def decode(request: Mapping[str, object]) -> dict[str, Value]:
        for name in request:
            if name not in checks:
                raise BadInput(name, request[name], f"a field of this model{nearest(name, known)}")
        values: dict[str, Value] = {}
        for name, made in checks.items():
            if name in request:
                values[name] = made(request[name])
            elif name in absent:
                values[name] = None
            else:
                raise BadInput(name, None, "a value")
        return values

    return decode
