"""`make faults`: breaks what the table says, sees whether what must hold holds, writes faults/results.json.

    python -m faults.run [--seed N] [NAME …]

Without names, all; several may also stand in one argument, a comma between them. Rows that are not run anew
stay as they were. The exit code is 1 where one does not hold.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Mapping, Sequence

from faults.brokers import FAULTS as BROKERS
from faults.checkpoints import FAULTS as CHECKPOINTS
from faults.clocks import FAULTS as CLOCKS
from faults.disks import FAULTS as DISKS
from faults.influx import FAULTS as INFLUX
from faults.inverted import FAULTS as INVERTED
from faults.line import FAULTS as LINE
from faults.mirror import FAULTS as MIRROR
from faults.producers import FAULTS as PRODUCERS
from faults.redis import FAULTS as REDIS
from faults.stores import FAULTS as STORES
from faults.stream_kills import FAULTS as STREAM_KILLS
from faults.table import Fault
from faults.training import FAULTS as TRAINING
from hotpath.contract.strict_yaml import nearest
from hotpath.errors import BadConfig
from hotpath.files import replace
from hotpath.settings import PROJECT

RESULTS = PROJECT / "faults" / "results.json"
FAULTS: tuple[Fault, ...] = (
    *CLOCKS,
    *LINE,
    *MIRROR,
    *INFLUX,
    *PRODUCERS,
    *BROKERS,
    *STREAM_KILLS,
    *CHECKPOINTS,
    *DISKS,
    *STORES,
    *REDIS,
    *TRAINING,
    *INVERTED,
)
"""Every fault, in the order in which `make faults` runs them."""


def main(argv: Sequence[str]) -> int:
    """Run what is named, or all. Raises BadConfig on an unknown name."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args(argv)
    names = [name.strip() for several in asked.names for name in several.split(",")]
    chosen = _named(names) if names else FAULTS
    rows = {row["fault"]: row for row in _kept()}
    failed = 0
    for fault in chosen:
        found = fault.run(asked.seed)
        failed += not found.holds
        rows[fault.name] = {
            "fault": fault.name,
            "seed": asked.seed,
            "holds": found.holds,
            "figures": dict(found.figures),
        }
        print(f"{'holds' if found.holds else 'FAILS'}  {fault.name}  {dict(found.figures)}", flush=True)
        _write([rows[f.name] for f in FAULTS if f.name in rows])
    return 1 if failed else 0


def _named(names: Sequence[str]) -> list[Fault]:
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in known:
            raise BadConfig("fault", name, f"one of {', '.join(known)}{nearest(name, list(known))}")
    return [known[name] for name in names]


def _kept() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(RESULTS.read_bytes())["rows"] if RESULTS.exists() else []
    return rows


def _write(rows: Sequence[Mapping[str, object]]) -> None:
    replace(RESULTS, json.dumps({"rows": rows}, indent=1).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
