"""A Spark session as every stage wants it: quiet, on loopback, in UTC, with this very Python.

Imported by the stream job and the trainer only: the scorer must never reach pyspark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from hotpath.class_archives import shared

OPTIONS = "spark.driver.extraJavaOptions"
QUIET = Path(__file__).with_name("spark-log4j2.properties")

CONF: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # The machine is shared with the scorer: the serial collector brings no threads that compete with it.
    OPTIONS: f"-XX:+UseSerialGC -Dlog4j2.configurationFile=file:{QUIET}",
}


def session(
    name: str, master: str, memory: str, jars: Sequence[Path] = (), conf: Mapping[str, str] | None = None
) -> SparkSession:
    """Start a session (about 6 s). `memory` is the driver's heap, such as 1g."""
    # Workers must be this interpreter: another one has other packages.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName(name).master(master).config("spark.driver.memory", memory)
    if jars:
        builder = builder.config("spark.jars", ",".join(str(j) for j in jars))
    said = {**CONF, **(conf or {})}
    said[OPTIONS] = " ".join([*shared("spark"), said[OPTIONS]])
    for key, value in said.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()
