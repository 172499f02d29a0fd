from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from hotpath import spark
from train.build import CONF


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    """One Spark for a module's tests; H2O must not start beside it."""
    found = spark.session("hotpath window tests", "local[2]", "1g", conf=CONF)
    yield found
    found.stop()
