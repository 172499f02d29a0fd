"""Takes away the files that no training window can want any more; their account stays.

A range, or a batch that no range took up, goes whole, once its newest row arrived and landed longer ago than
a contract needs: a newer revision of its manifest lists no files, and still says offsets and counts, so that
law 1 can be held against the topics.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from hotpath import rewriting
from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.lake import File, Lake
from hotpath.lake_files import arrivals
from hotpath.manifests import RETIRED, Manifest

log = logging.getLogger("retention")


def kept_for(contract: Contract) -> Micros:
    """How long a row is needed: in the oldest window, by the latest label, in the oldest tile of a row."""
    tiles = max((a.horizon + a.delay + a.tile for a in contract.aggregates), default=0)
    return contract.train.window + contract.labels.horizon + tiles


def retire(lake: Lake, contract: Contract, now: Micros) -> int:
    """Put the files of all out of force that is past its time at `now`, but of the newest batch, which its
    stream job may have to sweep yet; how many ranges and batches they were.

    A file that does not read is taken to be no newer than it landed: what is lost keeps nothing in force.
    Raises BadConfig where somebody else rewrites the lake, BadArtifact on a manifest that does not read.
    """
    limit = now - kept_for(contract)
    with rewriting.hold(lake):
        found = [m for m in lake.manifests()[:-1] if m.files and _older(lake, m, limit)]
        for manifest in found:
            rows = sum(file.rows for file in manifest.files)
            counts = {**manifest.counts, RETIRED: rows}
            lake.publish(replace(manifest, files=(), counts=counts, revision=manifest.revision + 1))
    return len(found)


def _older(lake: Lake, manifest: Manifest, limit: Micros) -> bool:
    return manifest.landed_at < limit and all(_newest(lake, file) < limit for file in manifest.files)


def _newest(lake: Lake, file: File) -> Micros:
    try:
        found = arrivals(lake.checked(file))
    except BadArtifact as error:
        log.warning("taken to be no newer than it landed: %s", error)
        return 0
    return 0 if found is None else found[1]
