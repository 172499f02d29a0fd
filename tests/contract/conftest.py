from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from hotpath.spark import CONF, session

# The quick compiler alone: these jobs are many and short, and half of Spark's time went into compiling them.
QUICK = {"spark.driver.extraJavaOptions": f"{CONF['spark.driver.extraJavaOptions']} -XX:TieredStopAtLevel=1"}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One small session for all of this folder's tests."""
    made = session("contract-tests", "local[1]", "512m", conf=QUICK)
    yield made
    made.stop()
