"""Law 1 on real parts: the stream job is killed, its checkpoint is lost, and the lake holds everything once.

What kills it, and what counts, is the faults' own (`make faults`, `make kills`); here each happens once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults.load import account, load
from faults.stream_site import CONTRACT, POINTS, stream_site
from hotpath.errors import BadArtifact
from hotpath.files import hold
from transform.checkpoint import examine, recover

START_S = 90.0


def test_a_stream_job_killed_at_every_point_and_then_without_a_checkpoint_loses_and_repeats_nothing() -> None:
    """after the manifest x | before the manifest x | mid-file x | before the write x | recover | the rest"""
    with stream_site() as site:
        with load(site.sent_to, CONTRACT) as made:
            for point in reversed(POINTS):
                site.kill_at(point)
        shutil.rmtree(site.checkpoint)
        with pytest.raises(BadArtifact, match="operations"):
            examine(site.checkpoint, site.lake)
        assert recover(site.checkpoint, site.lake) == (site.lake.newest(), None)
        site.start_job()
        site.drained(made)
        assert site.stop_job() == 0
        found = account(made, site.lake)
        assert found.holds, found
        assert not site.lake.unlisted()


def test_a_second_stream_job_on_one_checkpoint_refuses_and_names_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "cloud" / "checkpoints" / "flights.lock"
    with hold(lock, "stream job a checkpoint"):
        second = subprocess.run(
            [sys.executable, "-m", "transform.job", "flights"],
            env={**os.environ, "HOTPATH__DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
    assert second.returncode == 1
    assert f"BadConfig: {lock}: found 'held by another process'" in second.stderr
