"""Root that makes the archives of one program: `python -m hotpath.local.archive_classes kafka|spark`.

The program is started once, does a little of what it does in earnest, and writes down at its end which
classes it had loaded (hotpath/class_archives.py).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from hotpath import spark
from hotpath.class_archives import FOLDER, archive, made
from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.handoffs import MODELS, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.local import broker, mirror, one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes

DEADLINE_S, LOOK_S = 120.0, 0.1
ROWS = 1_000


def main(argv: Sequence[str]) -> int:
    """Those of one program, each put where it belongs once it is whole."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    make, names = {"kafka": (of_kafka, ("kafka", "mirror")), "spark": (of_spark, ("spark",))}[argv[0]]
    for old in names:  # of other jars or another Java: no JVM that is to make one may start from it
        archive(old).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=FOLDER) as name:
        folder = Path(name)
        make(folder)
        for found in folder.glob("*.jsa"):
            found.replace(archive(found.stem))
    return 0


def of_kafka(folder: Path) -> None:
    """kafka.jsa and mirror.jsa: a mirror that carries one record, a broker that answers."""
    processes, declared, port = Processes(folder / "logs"), topics([]), free_port()
    try:
        cloud = one_broker.start("cloud", folder, free_port(), processes)
        onprem = one_broker.start("onprem", folder, port, processes)
        for site, address in (("cloud", cloud), ("onprem", onprem)):
            Admin(address).ensure(declared, "cloud" if site == "cloud" else "onprem", 1)
        config = folder / "mm2.properties"
        config.write_text(mirror.properties(declared, onprem, cloud, free_port()))
        _start(processes, mirror.run_command(config), folder / "mirror.jsa")
        log = KafkaLog(cloud)
        log.send(MODELS, b"{}", b"one")
        log.flush(DEADLINE_S)
        _until(lambda: bool(standing(KafkaLog(onprem), MODELS)), "a record that has crossed the mirror")
        _end(processes, folder / "mirror.jsa")
        processes.stop("onprem")
        _start(processes, broker.run_command(folder / "onprem.properties"), folder / "kafka.jsa")
        _until(lambda: _answers(onprem), "a broker that answers")
        _end(processes, folder / "kafka.jsa")
    finally:
        processes.stop_all([])


def of_spark(folder: Path) -> None:
    """spark.jsa: a session that reads and writes Parquet, joins, sorts, and calls Python."""
    options = f"{spark.CONF[spark.OPTIONS]} {' '.join(made(folder / 'spark.jsa'))}"
    session = spark.session("hotpath classes", "local[2]", "1g", conf={spark.OPTIONS: options})
    jvm = session.sparkContext._gateway.proc  # type: ignore[union-attr]
    _worked(session.range(ROWS), folder / "rows")
    session.stop()
    jvm.stdin.close()  # it ends when nobody holds the other end
    jvm.wait(DEADLINE_S)


def _worked(numbers: DataFrame, folder: Path) -> None:
    """What a window's builder does, in small."""
    event = F.struct(F.col("id").cast("string").alias("key"), F.rand(7).alias("value"))
    at = F.timestamp_micros(F.col("id"))
    numbers.select("id", event.alias("event"), at.alias("at")).write.parquet(str(folder / "a"))
    rows = numbers.sparkSession.read.parquet(str(folder / "a"))
    by_id = Window.partitionBy("id").orderBy("at")
    first = F.first("event").over(by_id)
    asked = rows.withColumn("nth", F.row_number().over(by_id)).withColumn("first", first)
    newest = F.max_by("event", F.struct("at", "id"))
    answers = rows.groupBy("id").agg(newest.alias("answer"), F.countDistinct("at").alias("times"))
    tiles = rows.select("id").mapInArrow(_same, "id bigint").groupBy("id").agg(F.sum(F.lit(1)).alias("tiles"))
    joined = asked.join(answers, "id", "left").join(tiles, ["id"], "left").join(F.broadcast(tiles), "id")
    late = F.when(F.col("answer").isNull(), "none").when(F.hour("at") < 0, "late")
    known = joined.withColumn("left_out", late).filter("left_out IS NULL").orderBy("id", "at")
    known.select(F.explode(F.array("event")), F.xxhash64("id"), F.log1p("nth")).write.parquet(
        str(folder / "b")
    )
    known.groupBy("left_out").count().collect()


def _same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return batches


def _start(processes: Processes, command: list[str], archive: Path) -> None:
    processes.start(archive.stem, [command[0], *made(archive), *command[1:]])


def _end(processes: Processes, archive: Path) -> None:
    """End it and wait until it has written. Raises Unavailable."""
    child = processes.running[archive.stem]
    os.kill(child.pid, signal.SIGTERM)
    _until(lambda: child.code() is not None, f"{archive.stem} has ended")
    processes.stop(archive.stem)


def _answers(address: str) -> bool:
    with suppress(Unavailable):
        return bool(Admin(address).topics(1.0))
    return False


def _until(holds: Callable[[], bool], what: str) -> None:
    clock = Clock()
    end = clock.elapsed() + DEADLINE_S
    while not holds():
        if clock.elapsed() > end:
            raise Unavailable(what, "not yet", f"within {DEADLINE_S:.0f} s")
        wait(LOOK_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
