"""The sources that Hotpath itself can produce: one entry a pipeline.

To add one, add a factory to SOURCES; importing, replaying, restarts and the ledger are the job's. A pipeline
whose producers are a customer's own has no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.settings import Settings
from ingest import nycflights
from ingest.flights import WRONG_CLOCKS
from ingest.payments import Payments
from ingest.plan import resumed
from ingest.records import Due
from ingest.traffic import Traffic


class Records(Protocol):
    """Everything that a pipeline's hosts say, by when it arrives."""

    @property
    def history_from(self) -> Micros:
        """First instant of what is imported."""

    def due(self, since: Micros, until: Micros) -> list[Due]:
        """The records that arrive from `since` (inclusive) to `until` (exclusive), in order of arrival."""


@dataclass(frozen=True)
class Start:
    """`first`: the replayed clock's first instant. `begins`: what arrives from then on is sent when it is
    due, what arrived before is imported.
    """

    first: Micros
    begins: Micros


Factory = Callable[[Settings, Contract, Start], Records]
"""Raises BadConfig where the contract has a field that the source has not."""


def _flights(_: Settings, contract: Contract, start: Start) -> Records:
    return nycflights.flights(resumed(start.first), contract.events, contract.labels, WRONG_CLOCKS)


def _payments(settings: Settings, contract: Contract, start: Start) -> Records:
    traffic = Traffic(**settings.sources.payments.model_dump())
    return Payments(traffic, start.begins, contract.events, contract.labels)


SOURCES: Mapping[str, Factory] = {"flights": _flights, "payments": _payments}
