"""`make bench`: runs every benchmark of the table (or those named) and writes benchmarks/results.json.

    python -m benchmarks.run [NAME …]

A benchmark measures both sides of a ratio in one run and gives the median of at least five rounds. Rows that
are not run anew stay as they were. The exit code is 0 also where a figure misses its `must`: a slower
result is a result, and it is said.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

from benchmarks.handing import h2o_import
from benchmarks.landing import freshness_p95, json_to_parquet, json_to_parquet_tiles
from benchmarks.language import contract_load_ms, row_function_us, spark_rendering
from benchmarks.large_files import measure as large_files
from benchmarks.ledger_cost import measure as ledger_cost
from benchmarks.mirror import measure as mirror_rate
from benchmarks.models import fresh_model
from benchmarks.redis import redis_cached, redis_features
from benchmarks.refusals import bad_bundle_s
from benchmarks.search_kill import measure as search_resume
from benchmarks.skew import measure as skew
from benchmarks.table import Measure
from hotpath.clock import SECOND, Clock
from hotpath.errors import BadConfig
from hotpath.files import replace
from hotpath.settings import PROJECT

RESULTS = PROJECT / "benchmarks" / "results.json"
BENCHMARKS: Mapping[str, Measure] = {
    "skew": skew,
    "ledger_cost": ledger_cost,
    "large_files": large_files,
    "mirror_rate": mirror_rate,
    "row_function_us": row_function_us,
    "contract_load_ms": contract_load_ms,
    "spark_rendering": spark_rendering,
    "json_to_parquet": json_to_parquet,
    "json_to_parquet_tiles": json_to_parquet_tiles,
    "freshness_p95": freshness_p95,
    "redis_features": redis_features,
    "redis_cached": redis_cached,
    "fresh_model": fresh_model,
    "h2o_import": h2o_import,
    "search_resume": search_resume,
    "bad_bundle_s": bad_bundle_s,
}
"""By name; adding one is one entry here."""
PACKAGES = ("pyspark", "h2o", "pyarrow", "confluent-kafka", "numpy", "scikit-learn")


def main(argv: Sequence[str]) -> int:
    """Run what is named, or all."""
    for name in argv:
        if name not in BENCHMARKS:
            raise BadConfig("benchmark", name, f"one of {', '.join(BENCHMARKS)}")
    rows = {row["name"]: row for row in _kept()}
    for name in argv or BENCHMARKS:
        for row in BENCHMARKS[name]():
            rows[row.name] = asdict(row)
            said = "" if row.met else f"  MISSES {row.must}"
            print(f"{row.name}: {row.value} ({row.spread[0]} to {row.spread[1]}){said}", flush=True)
        _write(list(rows.values()))
    return 0


def _kept() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(RESULTS.read_bytes())["rows"] if RESULTS.exists() else []
    return rows


def _write(rows: Sequence[Mapping[str, object]]) -> None:
    found = {
        "machine": f"{platform.machine()}, {psutil.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 1024**3:.0f} GiB, {platform.platform()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "date": f"{datetime.fromtimestamp(Clock().real() // SECOND, UTC):%Y-%m-%d}",
        "rows": rows,
    }
    replace(RESULTS, json.dumps(found, indent=1).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
