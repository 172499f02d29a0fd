"""A trainer that stops dead at a named point of publishing: `killed_trainer.py MARKER POINT PIPELINE`."""

import sys
import threading
from pathlib import Path

from train.job import main


def wait_to_be_killed(marker: Path, wanted: str, point: str) -> None:
    """At the wanted point: say so, and never return."""
    if point == wanted:
        marker.touch()
        threading.Event().wait()


if __name__ == "__main__":
    marker, point, pipeline = sys.argv[1:]
    sys.exit(main([pipeline], lambda at: wait_to_be_killed(Path(marker), point, at)))
