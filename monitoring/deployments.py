"""The contracts that run, for parts that look again and again: what is deployed is taken up as it comes."""

from __future__ import annotations

import logging

from hotpath.contract.model import Contract
from hotpath.deployed import Deployed, contracts
from hotpath.errors import BadArtifact
from hotpath.settings import Settings

log = logging.getLogger("monitoring")


class Deployments:
    """`now` costs a look at each file. A spoilt one leaves what ran, and is said once."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadConfig or BadArtifact where the first look finds a spoilt file."""
        self._deployed = Deployed(settings.deployed())
        self._last = contracts(settings)
        self._said = ""

    def now(self) -> tuple[Contract, ...]:
        """Every contract that runs, by name."""
        try:
            self._last, self._said = self._deployed.all() or self._last, ""
        except BadArtifact as error:
            if str(error) != self._said:
                log.error("what was deployed before is watched on: %s", error)
            self._said = str(error)
        return self._last
