"""What goes into a bundle: its files and the facts that its manifest signs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from train.account import Account
from train.card import card
from train.parameters import GBM
from train.scorecard import Measured, scorecard


def facts(
    contract: Contract,
    account: Account,
    measured: Measured,
    parameters: GBM,
    trained_at: Micros,
    code: Mapping[str, object],
) -> dict[str, object]:
    """Where a model comes from; `code` names versions and revision. Everything is plain JSON."""
    return {
        "pipeline": contract.name,
        "trained_at": trained_at,
        "window": {"from": account.span.start, "to": account.span.end},
        "batches": list(account.batches),
        "offsets": {
            topic: {str(partition): list(ends) for partition, ends in partitions.items()}
            for topic, partitions in account.offsets.items()
        },
        "left_out": dict(account.left_out),
        "noticed": dict(account.noticed),
        "host_intervals": [asdict(interval) for interval in account.clocks.intervals],
        "clock_tolerance": account.clocks.tolerance,
        "parameters": asdict(parameters),
        "seed": parameters.seed,
        "fingerprint": contract.fingerprint,
        "auc": measured.auc,
        **code,
    }


def files(
    contract: Contract,
    account: Account,
    measured: Measured,
    said: Mapping[str, object],
    model: bytes,
    golden: bytes,
) -> dict[str, bytes]:
    """A bundle's entries by name; `said` are its facts."""
    quality = scorecard(measured, account)
    return {
        "contract.json": contract.canonical(),
        "model.zip": model,
        "scorecard.json": json.dumps(quality, sort_keys=True).encode(),
        "golden.parquet": golden,
        "card.html": card(contract.question, quality, said).encode(),
    }
