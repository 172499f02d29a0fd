"""Root of the child process that meets a bundle first: `python -m serve.sandbox BUNDLE.zip KEY.pem PIPELINE`.

Runs every check of law 4 that opens the bundle. Whatever a crafted model does, it does to this process, which
holds nothing, has a small heap and little memory beside it, and is killed at its deadline. One JSON line on
stdout and exit code 0 is a yes; `{"why": …}` and exit code 3 a refusal; anything else counts as one.
"""

from __future__ import annotations

import json
import resource
import signal
from pathlib import Path

import pyarrow as pa

from hotpath.bundle import opened
from hotpath.clock import Clock
from hotpath.errors import HotpathError
from hotpath.keys import verify_key
from serve import engine, golden, trees
from serve.generation import build
from serve.proof import prove

REFUSED = 3
HEAP = "96m"
MEMORY = 384 * 1024 * 1024
"""For the JVM (heap, classes, compiled code) and the bundle: what the proof may take beside the imports."""
OUTLIVES_S = 60
"""The kernel ends this process by then, should the follower have died without doing it."""


def main(argv: list[str]) -> int:
    """0: admitted; REFUSED: not, and why."""
    signal.alarm(OUTLIVES_S)
    _confine()
    packed, key, pipeline = Path(argv[0]), Path(argv[1]), argv[2]
    try:
        bundle = opened(packed.read_bytes(), verify_key(key))
        trees.whole(bundle.files["model.zip"])
        engine.start(engine.JARS, heap=HEAP)
        generation = build(bundle, 0, pipeline, engine.load)
        rows = golden.read(bundle.files["golden.parquet"], generation.contract)
        proof = prove(generation, rows, Clock().elapsed)
    except (HotpathError, MemoryError) as error:
        print(json.dumps({"why": str(error) or "more memory than a proof may take"}))
        return REFUSED
    print(json.dumps({"rows": proof.rows, "median_us": round(proof.median_s * 1e6, 1)}))
    return 0


def _confine() -> None:
    """Bound what this process can write to from now on: the kernel refuses it more."""
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own reserves a gigabyte for a start
    # What libraries have set aside until now differs from host to host: some of it is by core.
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    engine.live_and_leave(main)
