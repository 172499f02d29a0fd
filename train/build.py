"""Root of the child process that builds one window with Spark: `python -m train.build FOLDER NOW`.

Reads contract and hosts.json in the run's folder and the lake's manifest-listed files, leaves the window's
Parquet files and its account, and ends, so that its memory is free before H2O's is taken. NOW is the
domain's time in µs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from hotpath import settings, spark
from hotpath.clock import Clock, Micros
from hotpath.contract.model import Contract
from hotpath.errors import HotpathError
from hotpath.lake import Lake
from train.account import Account, Span
from train.clocks import Clocks
from train.folder import Folder
from train.sources import Held, held, table
from train.stages import Stages
from train.tiles import with_readings
from train.window import judged
from train.written import write

CONF = {
    # A run is over before the optimising compiler pays, and the machine is shared with the scorer. Without it
    # a JVM keeps room for a fifth of the code, and breaks where a long session has filled that.
    spark.OPTIONS: f"{spark.CONF[spark.OPTIONS]} -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    # Above this many paths Spark lists files in a job of one task a file; ours are listed already.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000000",
    # The plan is fixed and its tables are small: planning anew at every shuffle only costs.
    "spark.sql.adaptive.enabled": "false",
    # Rows that a worker makes tiles of at a time: so many that a key has several in a tile.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    # As the lake's own files have it; and any year that a field holds is what it says.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}


def main(argv: Sequence[str]) -> int:
    """Build the window that ends at NOW; 1 where lake or settings are bad, the reason logged."""
    folder, now = Folder(Path(argv[0]).resolve()), int(argv[1])
    try:
        found = settings.load()
        contract = Contract.from_json(folder.contract.read_bytes())
        scratch = str(folder.path / "spark")
        conf = {**CONF, "spark.local.dir": scratch, "spark.sql.warehouse.dir": scratch}
        say = Stages(folder.stages, Clock())
        with say.stage("files") as spent:
            lake = held(Lake(found.lake_root(), contract.name), contract)
            spent.bytes = lake.bytes
        with say.stage("start spark"):
            session = spark.session("hotpath window", found.spark.master, found.spark.memory, conf=conf)
        build(session, lake, contract, now, folder, Clocks.from_bytes(folder.hosts.read_bytes()), say)
    except HotpathError as error:
        logging.error("%s", error)
        return 1
    return 0


def build(
    session: SparkSession,
    lake: Held,
    contract: Contract,
    now: Micros,
    folder: Folder,
    clocks: Clocks,
    say: Stages | None = None,
) -> Account:
    """The window that ends at `now`, without what wrong clocks stamped; its stages told to `say`."""
    span = Span(now - contract.train.window, now)
    known = clocks.within(span.start, span.end)
    tables = {name: table(session, lake.files[name], source) for name, source in contract.sources.items()}
    rows = judged(tables["events"], tables["labels"], contract, span, known)
    whole = with_readings(rows, tables["events"], tables, contract, span)
    return write(whole, contract, span, known, lake, folder, say or Stages(folder.stages, Clock()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
