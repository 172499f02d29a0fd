"""The ranks of docs/architecture.md: who may import whom, who may do IO, who may read a clock.

kernel (hotpath) <- pure cores of a stage <- adapters that do IO <- composition roots
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hotpath.settings import PROJECT

STAGES = ("ingest", "transform", "train", "serve", "monitoring")
ROOTS = frozenset(
    {
        "ingest.job",
        "ingest.marks",
        "transform.job",
        "transform.tiles_job",
        "transform.upkeep",
        "train.job",
        "train.attempt",
        "train.build",
        "train.fit",
        "train.search",
        "serve.job",
        "serve.app",
        "serve.state_job",
        "serve.sandbox",
        "serve.stopwatch",
        "monitoring.job",
        "monitoring.agent",
        "monitoring.clock_watch",
        "monitoring.observed",
        "monitoring.watching",
    }
)
"""What puts adapters together, beside everything in hotpath.cli and hotpath.local; nothing imports a root."""
ADAPTERS = frozenset(
    {
        "hotpath.as_of",
        "hotpath.bundle_store",
        "hotpath.child",
        "hotpath.class_archives",
        "hotpath.clock",
        "hotpath.contract.load",
        "hotpath.contract.zones",
        "hotpath.deployed",
        "hotpath.ending",
        "hotpath.files",
        "hotpath.forgetting",
        "hotpath.kafka",
        "hotpath.kafka_admin",
        "hotpath.kafka_group",
        "hotpath.keys",
        "hotpath.lake",
        "hotpath.lake_check",
        "hotpath.lake_files",
        "hotpath.people.samples",
        "hotpath.progress",
        "hotpath.replayed",
        "hotpath.rewriting",
        "hotpath.settings",
        "hotpath.tile_rows",
        "serve.edge",
        "hotpath.spark",
        "ingest.ledger",
        "ingest.nycflights",
        "ingest.produce",
        "ingest.sources",
        "transform.compaction",
        "transform.checkpoint",
        "transform.joining",
        "transform.landing",
        "transform.replaced",
        "transform.standing",
        "transform.tiler",
        "transform.writing",
        "train.folder",
        "train.h2o_backend",
        "train.h2o_grid",
        "train.h2o_server",
        "train.handed",
        "train.latency",
        "train.levels",
        "train.provenance",
        "train.quality_files",
        "train.search_folder",
        "train.search_place",
        "train.seen",
        "train.sources",
        "train.stages",
        "train.tiles",
        "train.to_spark",
        "train.window",
        "train.written",
        "monitoring.freshness",
        "monitoring.influx_setup",
        "monitoring.influx_api",
        "monitoring.influx",
        "monitoring.machine",
        "monitoring.mirror_way",
        "monitoring.outcome_watch",
        "monitoring.outbox",
        "monitoring.parity_watch",
        "monitoring.verdict_watch",
        "monitoring.console.app",
        "serve.admission",
        "serve.engine",
        "serve.redis_shelf",
        "serve.redis_state",
        "serve.folder",
        "serve.golden",
        "serve.http",
        "serve.metrics",
        "serve.routes",
    }
)
"""Modules that do IO or belong to a library that does; whatever is neither here nor a root is pure."""
IO_MODULES = frozenset(
    [
        "asyncio",
        "confluent_kafka",
        "fastapi",
        "fcntl",
        "h2o",
        "httpx",
        "influxdb_client",
        "apprise",
        "jpype",
        "os",
        "prometheus_client",
        "psutil",
        "pyarrow.csv",
        "pyarrow.parquet",
        "pyspark",
        "redis",
        "hiredis",
        "shutil",
        "signal",
        "socket",
        "starlette",
        "subprocess",
        "tempfile",
        "urllib",
        "uvicorn",
    ]
)
IO_CALLS = frozenset(
    ["mkdir", "open", "read_bytes", "read_text", "rename", "rmdir", "unlink", "write_bytes", "write_text"]
)
CLOCK_CALLS = frozenset(
    [
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.perf_counter_ns",
        "time.sleep",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
    ]
)
FORBIDDEN_IN_THE_SCORER = frozenset({"pyspark", "h2o", "train", "transform", "ingest"})


def module(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module(path): path for top in ("hotpath", *STAGES) for path in sorted((PROJECT / top).rglob("*.py"))}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text())


def imported(name: str) -> Iterator[str]:
    """Modules that a file imports, inside functions too: `from a import b` is both a and a.b."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, tops: frozenset[str] | tuple[str, ...]) -> bool:
    return any(name == top or name.startswith(f"{top}.") for top in tops)


def is_root(name: str) -> bool:
    return name in ROOTS or within(name, ("hotpath.cli", "hotpath.local"))


def calls(name: str) -> Iterator[str]:
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("name", [n for n in FILES if not is_root(n)])
def test_only_adapters_and_roots_do_io(name: str) -> None:
    if name in ADAPTERS:
        return
    assert not [i for i in imported(name) if within(i, IO_MODULES)]
    assert not [c for c in calls(name) if c.split(".")[-1] in IO_CALLS]


@pytest.mark.parametrize("name", [n for n in FILES if n != "hotpath.clock"])
def test_only_the_clock_knows_the_time(name: str) -> None:
    assert not [c for c in calls(name) if c in CLOCK_CALLS]


@pytest.mark.parametrize("name", [n for n in FILES if not is_root(n)])
def test_nothing_but_a_root_imports_a_root(name: str) -> None:
    assert not [i for i in imported(name) if i in FILES and is_root(i)]


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith("hotpath") and not is_root(n)])
def test_the_kernel_knows_no_stage(name: str) -> None:
    assert not [i for i in imported(name) if within(i, STAGES)]


@pytest.mark.parametrize("name", [n for n in FILES if within(n, STAGES)])
def test_a_stage_knows_the_kernel_and_itself(name: str) -> None:
    others = tuple(stage for stage in STAGES if stage != name.split(".")[0])
    assert not [i for i in imported(name) if within(i, others)]


@pytest.mark.parametrize(
    "root", ["serve.app", "serve.job", "serve.sandbox", "serve.state_job", "serve.stopwatch"]
)
def test_the_scorers_imports_reach_neither_spark_nor_h2o_nor_another_stage(root: str) -> None:
    reached, todo = set(), [root]
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        assert not within(name, FORBIDDEN_IN_THE_SCORER), name
        todo += (
            [i for i in imported(name) if i in FILES or within(i, FORBIDDEN_IN_THE_SCORER)]
            if name in FILES
            else []
        )


def test_every_name_in_the_tables_is_a_module() -> None:
    assert not (ADAPTERS | ROOTS) - set(FILES)
