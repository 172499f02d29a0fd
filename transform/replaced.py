"""The contracts whose tiles must be told: those that are deployed, and each that was replaced for as long as
a model of it may be live.

One small file. A model is not used once it is older than its contract's `serve.expired`, and none is made of
a contract that is not deployed any longer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.files import replace


@dataclass(frozen=True)
class Entry:
    """`until`: when no model of it is used any longer; None while it is deployed."""

    contract: Contract
    until: Micros | None = None


def renewed(known: Iterable[Entry], deployed: Iterable[Contract], now: Micros) -> tuple[Entry, ...]:
    """What is to be remembered from `now` on, the deployed ones first. Pure."""
    current = {contract.fingerprint: contract for contract in deployed}
    older = [
        entry if entry.until is not None else Entry(entry.contract, now + entry.contract.serve.expired)
        for entry in known
        if entry.contract.fingerprint not in current
    ]
    left = [entry for entry in older if entry.until is not None and entry.until > now]
    return (*map(Entry, current.values()), *left)


class Remembered:
    """The file. Raises BadArtifact where it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)

    def contracts(self, deployed: Iterable[Contract], now: Micros) -> tuple[Contract, ...]:
        """Every contract whose tiles must be told, of two of one pipeline the newer first."""
        found = renewed(self._known, deployed, now)
        if found != self._known:
            said = [{"contract": e.contract.canonical().decode(), "until": e.until} for e in found]
            replace(self._path, json.dumps(said).encode())
            self._known = found
        return tuple(entry.contract for entry in found)


def _read(path: Path) -> tuple[Entry, ...]:
    if not path.exists():
        return ()
    try:
        said = json.loads(path.read_bytes())
        return tuple(Entry(Contract.from_json(e["contract"].encode()), e["until"]) for e in said)
    except (ValueError, KeyError, TypeError, AttributeError, BadArtifact) as error:
        todo = "remove it: models of contracts that were replaced are without tiles then"
        raise BadArtifact(str(path), str(error), "contracts whose tiles are told", todo) from error
