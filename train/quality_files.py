"""What measuring a model comes to, put into the run's folder: figures, scorecard, pictures.

Apart from `train.fit`, which loads this module beside H2O's start: its libraries take seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from train import measuring
from train.account import Account
from train.card import written
from train.folder import Folder
from train.handed import FEATURE, read
from train.holdout import Given
from train.measured import CHALLENGER
from train.plots import plots


def write(folder: Folder, contract: Contract, given: Mapping[str, Given]) -> None:
    """How good the new model is: measured.json, scorecard.json, plots.json."""
    told = _told(folder)
    account = Account.from_bytes(folder.account.read_bytes())
    found = measuring.measure(contract, told, given, account)
    card = measuring.scorecard(contract, told, given, found, account)
    folder.measured.write_bytes(found.to_bytes())
    folder.scorecard.write_text(json.dumps(card, sort_keys=True, allow_nan=False))
    folder.plots.write_bytes(written(plots(contract, told, given[CHALLENGER], card)))


def write_shadow(folder: Folder, contract: Contract, given: Mapping[str, Given], since: Micros) -> None:
    """What a waiting challenger is worth beside the champion, to rows after `since` (µs): shadow.json."""
    found = measuring.shadow(contract, _told(folder), given, since)
    folder.shadow.write_bytes(found.to_bytes())


def _told(folder: Folder) -> pa.Table:
    """The holdout apart from its features: what the models' answers are held against."""
    files = folder.files("holdout")
    return read(files, [n for n in pq.read_schema(files[0]).names if not n.startswith(FEATURE)])
