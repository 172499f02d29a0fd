"""A judged window put to disk: training rows, holdout, golden rows, what was fitted, account.

Runs the plan's actions and writes into one folder. Spark goes over the rows; what is narrow is read from what
it wrote: the verdicts, to divide and to count them here, and the features (`seen`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from train import counted, golden
from train.account import SIDES, Account, Side, Span
from train.clocks import Clocks, for_clocks
from train.division import Division, Rows, Sides, divided, sides
from train.folder import Folder
from train.levels import fitted_levels
from train.rivals import apart
from train.seen import Seen, seen
from train.sources import Held
from train.stages import Stages
from train.tiles import READINGS
from train.window import (
    AFTER_CUT,
    BEYOND,
    GROUNDS,
    LEFT_OUT,
    ORDER,
    beside_holdout,
    beside_training,
    featured,
    field,
    label,
    parted,
    with_alone,
)

LEVELS_BYTES = 32_768
"""Of a column's dictionary: room for a thousand levels. Doubles do not fit, which H2O reads a fifth quicker
out of no dictionary."""


@dataclass(frozen=True)
class Verdicts:
    """A judged window as narrow columns: all its events, those that nothing speaks against, their bounds."""

    every: pa.Table
    found: pa.Table
    rows: Rows
    division: Division
    sides: Sides

    def order(self, side: Side) -> NDArray[np.int64]:
        """Which of `found` each row of a side is, in the order in which they are written."""
        return counted.in_order(self.found, getattr(self.sides, side))


def write(
    judged: DataFrame, contract: Contract, span: Span, clocks: Clocks, lake: Held, folder: Folder, say: Stages
) -> Account:
    """Write train.parquet/, holdout.parquet/, golden.parquet/, fitted.json, account.json, and the holdout as
    each rival sees it.
    """
    with say.stage("judge") as spent:
        whole = _put_down(judged, folder)
        spent.bytes = _bytes(folder.judged)
    with say.stage("divide") as spent:
        verdicts = _verdicts(contract, folder)
        spent.rows = len(verdicts.every)
        table = parted(whole, verdicts.division, contract.labels.kind)
    train = _side(table, "train").orderBy(*ORDER)
    holdout = with_alone(_side(table, "holdout")).orderBy(*ORDER)
    truth = label(contract.labels.kind)
    with say.stage("levels"):
        levels = Fitted(fitted_levels(_side(table, "train"), contract))
    with say.stage("train rows") as spent:
        made = featured(train, contract, levels, *beside_training(), truth)
        _write_rows(made, contract, folder.part("train"))
        spent.rows, spent.bytes = int(verdicts.sides.train.sum()), _bytes(folder.part("train"))
    with say.stage("holdout rows") as spent:
        made = featured(holdout, contract, levels, *beside_holdout(contract), truth, ruled=True)
        _write_rows(made, contract, folder.part("holdout"))
        spent.rows, spent.bytes = int(verdicts.sides.holdout.sum()), _bytes(folder.part("holdout"))
    with say.stage("rivals"):
        rivals = {name: _write_rival(name, holdout, contract, levels, folder) for name in folder.rivals}
    with say.stage("features"):
        found = seen(contract, folder)
    with say.stage("golden rows") as spent:
        spent.rows = _write_golden(whole, verdicts, found, contract, levels, folder)
        spent.bytes = _bytes(folder.part("golden"))
    account = _account(verdicts, found, rivals, contract, span, clocks, lake, folder)
    folder.fitted.write_bytes(Fitted(levels.levels, found.baselines).to_bytes())
    folder.account.write_bytes(account.to_bytes())
    shutil.rmtree(folder.judged)
    return account


def _put_down(judged: DataFrame, folder: Folder) -> DataFrame:
    """The table as it is read again from disk: of a cached one Spark would look through the long plan that
    made it at each of the actions that follow, and hold it in the heap.
    """
    kept = judged.drop(*GROUNDS)
    kept.write.parquet(str(folder.judged))
    return kept.sparkSession.read.schema(kept.schema).parquet(str(folder.judged))


def _judged(folder: Folder) -> ds.Dataset:
    # The same text in most rows: held as a number for each.
    texts = ds.ParquetFileFormat(dictionary_columns=["left_out", "topic"])
    return ds.dataset([str(path) for path in sorted(folder.judged.glob("*.parquet"))], format=texts)


def _verdicts(contract: Contract, folder: Folder) -> Verdicts:
    every = _judged(folder).to_table(columns=dict(counted.COLUMNS))
    found = counted.candidates(every)
    rows = counted.rows(found, contract.labels)
    division = divided(rows, contract.train)
    return Verdicts(every, found, rows, division, sides(rows, division))


def _side(table: DataFrame, side: Side) -> DataFrame:
    return table.filter(F.col("side") == side)


def _write_rows(made: DataFrame, contract: Contract, to: Path) -> None:
    """Features, then what stands beside them, then the label, of rows in their order."""
    features = [f"feature.{f.name}" for f in contract.features]
    others = [name for name in made.columns if name not in {*features, "label"}]
    ordered = made.select(*map(field, [*features, *others, "label"]))
    ordered.write.option("parquet.dictionary.page.size", LEVELS_BYTES).parquet(str(to))


def _write_rival(name: str, holdout: DataFrame, contract: Contract, ours: Fitted, folder: Folder) -> str:
    """The holdout's rows as the rival's contract makes features of them; why there are none, else ""."""
    try:
        theirs = Contract.from_json((folder.rival(name) / "contract.json").read_bytes())
        levels = Fitted.from_bytes((folder.rival(name) / "fitted.json").read_bytes())
    except BadArtifact as error:
        return str(error)
    if why := apart(theirs, contract):
        return why
    if (theirs.fingerprint, levels.levels) == (contract.fingerprint, ours.levels):
        folder.part("holdout", name).symlink_to(folder.part("holdout"))
        return ""
    made = featured(holdout, theirs, levels, label(contract.labels.kind))
    _write_rows(made, theirs, folder.part("holdout", name))
    return ""


def _write_golden(
    whole: DataFrame, verdicts: Verdicts, found: Seen, contract: Contract, levels: Fitted, folder: Folder
) -> int:
    """The rows chosen, and those made of them, with their features; how many they are."""
    columns = ["event", READINGS] if contract.readings else ["event"]
    real = _judged(folder).take(_golden_places(verdicts, found), columns=columns).combine_chunks()
    rows = [(row["event"], row.get(READINGS, {})) for row in real.to_pylist()]
    made = [
        {"event": event, READINGS: read} if contract.readings else {"event": event}
        for event, read in golden.made(rows, contract, found.met)
    ]
    asked = pa.concat_tables([real, pa.Table.from_pylist(made, schema=real.schema)])
    pq.write_table(asked, folder.asked)
    # One file in one piece, so that the rows stay in their order.
    again = whole.sparkSession.read.schema(whole.select(*columns).schema).parquet(str(folder.asked))
    fields = [F.col("event").getField(f.name).alias(f"event.{f.name}") for f in contract.events.fields]
    fields += [F.col(READINGS).getField(r.name).alias(f"reading.{r.name}") for r in contract.readings]
    featured(again.coalesce(1), contract, levels, *fields).write.parquet(str(folder.part("golden")))
    folder.asked.unlink()
    return len(asked)


def _golden_places(verdicts: Verdicts, found: Seen) -> pa.ChunkedArray:
    """Where the chosen rows stand among all events: the holdout's, and training rows where those are few."""
    rows, telling, sample = verdicts.rows, [], []
    for side in reversed(SIDES):
        order = verdicts.order(side)
        places = (rows.stratum[order], rows.partition[order], rows.offset[order])
        more, drawn = golden.chosen(found.reached[side], *places)
        telling += order[more].tolist()
        sample += order[drawn].tolist()
    return verdicts.found["place"].take(pa.array(golden.together(telling, sample), pa.int64()))


def _account(
    verdicts: Verdicts,
    found: Seen,
    rivals: Mapping[str, str],
    contract: Contract,
    span: Span,
    clocks: Clocks,
    lake: Held,
    folder: Folder,
) -> Account:
    kind, rows, parts = contract.labels.kind, verdicts.rows, verdicts.sides
    classes = {} if kind == "number" else counted.classes(rows, parts)
    left_out = {**dict.fromkeys(LEFT_OUT, 0), **counted.left_out(verdicts.every)}
    left_out[BEYOND] = int(parts.beyond.sum())
    left_out[AFTER_CUT] = len(rows) - int((parts.beyond | parts.train | parts.holdout).sum())
    unmet = set(contract.labels.classes) - set(classes.get("train", {}))
    events = len(verdicts.every)
    return Account(
        span=span,
        kind=kind,
        rows={side: int(getattr(parts, side).sum()) for side in SIDES},
        classes=classes,
        spread=counted.spread(verdicts.found, parts) if kind == "number" else {},
        left_out=left_out,
        noticed={
            "entities whose labels disagree": _entities(folder, "disagree"),
            "entities whose label came again": _entities(folder, "again"),
            "files in no manifest": lake.unlisted,
            "classes without a training row": len(unmet),
        },
        batches=lake.batches,
        offsets=counted.offsets(verdicts.found, parts),
        clocks=clocks,
        believed=1 - for_clocks(left_out) / events if events else 1.0,
        files=lake.hashes,
        budget=verdicts.division.budget,
        slices=verdicts.division.slices,
        leaks=found.leaks,
        rivals=rivals,
    )


def _entities(folder: Folder, where: str) -> int:
    """Entities of which a column of the judged table is true."""
    found = _judged(folder).to_table(columns=["entity"], filter=pc.field(where))
    return int(pc.count_distinct(found["entity"]).as_py())


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))
