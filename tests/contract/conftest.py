from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from hotpath.spark import session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One small session for all of this folder's tests."""
    made = session("contract-tests", "local[1]", "512m")
    yield made
    made.stop()
