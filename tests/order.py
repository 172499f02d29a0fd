"""Which worker runs which tests, and in which order, where `pytest -n` runs them on several.

A worker takes a file at a time. The longest files begin, so that all workers end together; those of one line
here share what is dear to start (a Spark session) and go to one worker. The rest is run as it is found.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

LONGEST: tuple[tuple[str, ...], ...] = (
    # unit and contract tests
    ("tests/contract/test_renderings.py", "tests/contract/test_statistics.py"),
    ("tests/unit/ingest/test_payments.py",),
    ("tests/contract/test_schema.py",),
    ("tests/contract/test_compatibility.py",),
    ("tests/contract/test_strict_yaml.py",),
    ("tests/contract/test_schema_bodies.py",),
    ("tests/contract/test_contract.py",),
    # integration tests
    ("tests/integration/train/test_run.py",),
    ("tests/integration/transform/test_landing.py",),
    ("tests/integration/train/test_targets.py",),
    ("tests/integration/serve/test_follower.py",),
    ("tests/integration/monitoring/test_line.py",),
    ("tests/integration/people/test_new.py",),
    ("tests/integration/transform/test_tiles_job.py",),
    ("tests/integration/train/test_window.py",),
    ("tests/integration/test_gaps.py",),
    ("tests/integration/ingest/test_job.py",),
    ("tests/integration/train/test_evolution.py",),
    ("tests/integration/transform/test_points.py",),
    ("tests/integration/monitoring/test_job.py",),
    ("tests/integration/transform/test_streams.py",),
)
_RANK = {file: rank for rank, files in enumerate(LONGEST) for file in files}


def rank(test: str) -> int:
    """The smaller, the earlier: of the test of this id."""
    return _RANK.get(file(test), len(LONGEST))


def file(test: str) -> str:
    """The file of a test's id."""
    return test.split("::", 1)[0]


class Lines(LoadFileScheduling):  # type: ignore[misc]
    """Files to workers, those of one line as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        found = rank(nodeid)
        return LONGEST[found][0] if found < len(LONGEST) else file(nodeid)
