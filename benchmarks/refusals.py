"""How soon a bad bundle is refused: CPU seconds of the sandbox, the dearest of all rows of bad bundles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import ROUNDS, Row, row
from tests.integration.serve.test_bad_bundles import ROWS, proved


def bad_bundle_s(rounds: int = ROUNDS) -> Sequence[Row]:
    """Every row once a round."""
    return [row("bad_bundle_s", [_dearest() for _ in range(rounds)], "lower", must=2)]


def _dearest() -> float:
    with TemporaryDirectory(prefix="hotpath-refusals-") as folder:
        return max(proved(packed(), Path(folder)).cpu_s for packed, _ in ROWS.values())
