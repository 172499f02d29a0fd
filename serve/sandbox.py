"""Root of the child process that meets a bundle first: `python -m serve.sandbox BUNDLE.zip KEY.pem PIPELINE`.

Runs every check of law 4 that opens the bundle. Whatever a crafted model does, it does to this process, which
holds nothing, has a small heap and is killed at its deadline. One JSON line on stdout and exit code 0 is a
yes; `{"why": …}` and exit code 3 a refusal; anything else counts as one.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from hotpath.bundle import opened
from hotpath.clock import Clock
from hotpath.errors import HotpathError
from hotpath.keys import verify_key
from serve import engine, golden
from serve.generation import build
from serve.proof import prove

REFUSED = 3
HEAP = "96m"
OUTLIVES_S = 60
"""The kernel ends this process by then, should the follower have died without doing it."""


def main(argv: list[str]) -> int:
    """0: admitted; REFUSED: not, and why."""
    signal.alarm(OUTLIVES_S)
    packed, key, pipeline = Path(argv[0]), Path(argv[1]), argv[2]
    try:
        engine.start(engine.JARS, heap=HEAP)
        bundle = opened(packed.read_bytes(), verify_key(key))
        generation = build(bundle, 0, pipeline, engine.load)
        rows = golden.read(bundle.files["golden.parquet"], generation.contract)
        proof = prove(generation, rows, Clock().elapsed)
    except HotpathError as error:
        print(json.dumps({"why": str(error)}))
        return REFUSED
    print(json.dumps({"rows": proof.rows, "median_us": round(proof.median_s * 1e6, 1)}))
    return 0


if __name__ == "__main__":
    engine.live_and_leave(main)
