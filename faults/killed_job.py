"""A stream job that stops dead at a named point and waits to be killed: `killed_job.py MARKER POINT BATCH`.

Run as a script, so that the worker, too, gets the switch by value.
"""

import functools
import sys
import threading
from pathlib import Path

from transform.job import main


def wait_to_be_killed(marker: str, wanted: str, first: int, point: str, batch: int) -> None:
    """At the wanted point of batch `first` or a later one: say so, and never return."""
    if point == wanted and batch >= first:
        Path(marker).touch()
        threading.Event().wait()


if __name__ == "__main__":
    marker, point, batch = sys.argv[1:]
    sys.exit(main(["flights"], functools.partial(wait_to_be_killed, marker, point, int(batch))))
