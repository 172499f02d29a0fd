"""Fields of a scoring request: the same checks as for an event, the answer a BadInput naming the field.

A request asks now, so its id, host and time may be absent; nothing else differs from an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hotpath.contract.checks import checks
from hotpath.contract.model import Contract
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Value
from hotpath.errors import BadInput


def request_decoder(contract: Contract) -> Callable[[Mapping[str, object]], dict[str, Value]]:
    """Fields of a request in, every event field out (absent id, host, time and nullable ones: None).

    The function raises BadInput; `thing` is the field's name, `expected` never holds its value.
    """
    events = contract.events
    optional, by_name = {events.id, events.host, events.time}, checks(events)
    known = tuple(by_name)

    def decode(request: Mapping[str, object]) -> dict[str, Value]:
        for name in request:
            if name not in by_name:
                raise BadInput(name, request[name], f"a field of this model{nearest(name, known)}")
        return {
            name: None if name in optional and name not in request else check(request.get(name))
            for name, check in by_name.items()
        }

    return decode
