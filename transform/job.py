"""The stream job of one pipeline: `python -m transform.job flights`.

Composition root: settings, contract, clock and lake meet Spark here. One streaming query and one
checkpoint a pipeline. Ends on SIGTERM: the batch in hand is given up, or done if its manifest is out already;
a kill at any moment loses nothing. A disk without room or a broker that does not answer ends the query, not
the job: the batch failed whole, and is tried again until it can be done.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from hotpath import deployed, spark
from hotpath import settings as configuration
from hotpath.clock import Clock, wait
from hotpath.contract.model import Contract
from hotpath.errors import HotpathError
from hotpath.files import hold
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.points import Points
from hotpath.progress import Progress
from transform.checkpoint import examine
from transform.hindered import hindrance
from transform.joining import take_up
from transform.landing import Landing
from transform.lost import lost
from transform.measured import Batches
from transform.streams import streams
from transform.writing import Reached, nothing

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

MOST_RECORDS = 250_000
"""In one batch: bounds a worker's memory; more brings no further rate."""
QUEUED_POINTS = 1_000
FLUSH_S = 1.0
AGAIN_S = 5.0
"""Between a query that was hindered and its next try."""
LOOK_S = 0.2
JARS = configuration.PROJECT / ".jars" / "spark"
CONF = {
    # The workers decode: bigger Arrow batches only cost them memory.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    # What may end between two looks; each look reads all of them.
    "spark.sql.streaming.numRecentProgressUpdates": "5",
}

log = logging.getLogger("transform")


def stream(session: SparkSession, servers: str, contract: Contract) -> DataFrame:
    """The pipeline's records as Spark's Kafka source gives them."""
    reader = session.readStream.format("kafka").option("kafka.bootstrap.servers", servers)
    options = {
        "subscribe": ",".join(s.topic for s in streams(contract)),
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "includeHeaders": "true",
        "kafka.isolation.level": "read_committed",
        "maxOffsetsPerTrigger": str(MOST_RECORDS),
    }
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader.load()


def start(
    settings: configuration.Settings,
    contract: Contract,
    session: SparkSession,
    progress: Progress,
    batches: Batches,
    reached: Reached = nothing,
    failed: Callable[[HotpathError], None] = lambda _: None,
) -> StreamingQuery:
    """Start the pipeline's query; `batches` hears what lands, `failed` why a batch was refused.

    The lock on its checkpoint must be held.
    """
    lake = Lake(settings.lake_root(), contract.name)
    checkpoint = settings.checkpoint(contract.name)
    landing = Landing(lake, checkpoint, contract, Clock(settings.clock_file()), reached)
    counts = lake.counts()

    def land(batch: DataFrame, number: int) -> None:
        try:
            manifest = landing(batch, number)
        except HotpathError as error:
            failed(error)  # beyond the JVM it would be a text
            raise
        if manifest is not None:
            counts.update(manifest.counts)
            batches.landed(number, manifest.counts)
        progress.say("running", batch=number, landed=dict(counts))

    writer = stream(session, settings.kafka.cloud.address, contract).writeStream
    writer = writer.queryName(contract.name).option("checkpointLocation", str(checkpoint))
    return writer.foreachBatch(land).trigger(processingTime=f"{settings.spark.trigger_s} seconds").start()


def main(arguments: Sequence[str] | None = None, reached: Reached = nothing) -> int:
    """Run until SIGTERM. Returns 0, or 1 after an error that was logged."""
    parser = argparse.ArgumentParser(prog="transform.job", description=__doc__)
    parser.add_argument("pipeline")
    parser.add_argument("--settings", type=Path)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        _run(configuration.load(asked.settings), asked.pipeline, reached)
    except HotpathError as error:
        log.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def _run(settings: configuration.Settings, pipeline: str, reached: Reached) -> None:
    # Until the query runs there is nothing to finish.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    contract = deployed.contract(settings, pipeline)
    progress = Progress(settings.state(f"transform-{pipeline}"))
    progress.say("starting")
    # Held until the process ends: two jobs on one checkpoint would each believe to be alone.
    held = hold(settings.checkpoint(pipeline).with_suffix(".lock"), "stream job a checkpoint")
    checkpoint, lake = settings.checkpoint(pipeline), Lake(settings.lake_root(), pipeline)
    landed = [s.topic for s in streams(contract)]
    now = Clock(settings.clock_file()).now()
    take_up(checkpoint, lake, landed, Admin(settings.kafka.cloud.address).starts, now)
    examine(checkpoint, lake)
    session = spark.session(
        f"transform-{pipeline}",
        settings.spark.master,
        settings.spark.memory,
        sorted(JARS.glob("*.jar")),
        CONF,
    )
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    kafka = KafkaLog(settings.kafka.cloud.address, queued=QUEUED_POINTS)
    points = Points(kafka, Clock(settings.clock_file()), {"pipeline": pipeline})
    while not asked:
        batches, refused = Batches(), list[HotpathError]()
        query = start(settings, contract, session, progress, batches, reached, refused.append)
        progress.say("running")
        try:
            _follow(query, asked, points, batches)
        except StreamingQueryException as error:
            if refused:
                raise refused[0] from error
            _wait_out(error, asked, progress)
    kafka.flush(FLUSH_S)
    progress.say("stopped")
    session.stop()
    held.close()


def _follow(query: StreamingQuery, asked: Sequence[int], points: Points, batches: Batches) -> None:
    """Until told to stop. Raises StreamingQueryException where a batch failed."""
    # Stopped from here, not from the handler: py4j's connection is busy waiting inside this thread.
    while not asked and not query.awaitTermination(timeout=1):
        _tell(points, batches, query)
    query.stop()
    _tell(points, batches, query)


def _wait_out(error: StreamingQueryException, asked: Sequence[int], progress: Progress) -> None:
    """Until the next try, or told to stop. Raises the error where it would not pass, named if it is known."""
    if (named := lost(str(error))) is not None:
        raise named from error
    if (why := hindrance(str(error))) is None:
        raise error
    log.error("%s, tried again every %.0f s: %s", why, AGAIN_S, error)
    progress.say(f"waits: {why}")
    for _ in range(round(AGAIN_S / LOOK_S)):
        if not asked:
            wait(LOOK_S)


def _tell(points: Points, batches: Batches, query: StreamingQuery) -> None:
    for fields in batches.fresh(query.recentProgress):
        points.say("stream", fields)


if __name__ == "__main__":
    sys.exit(main())
