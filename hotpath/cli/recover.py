"""`hotpath lake recover NAME`: the way back where a stream job's checkpoint and the lake disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hotpath import deployed, settings
from hotpath.cli.options import AsJson, Name
from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.files import hold
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.settings import Settings
from transform.checkpoint import recover as recovered
from transform.joining import forget_attempts
from transform.lost import PURGED, past
from transform.streams import streams

AcceptLoss = Annotated[
    bool, typer.Option("--accept-loss", help="Step over records that the cloud's topics no longer hold.")
]

NO_LAKE = (
    "restore the lake from a copy, or see lake.url; to begin anew without what had landed, move both away"
)


def recover(name: Name, accept_loss: AcceptLoss = False, as_json: AsJson = False) -> None:
    """Make the stream job's checkpoint anew from the lake's newest manifest; the old one is kept aside."""
    found = settings.load()
    contract = deployed.contract(found, name)
    checkpoint, lake = found.checkpoint(name), Lake(found.lake_root(), name)
    with hold(checkpoint.with_suffix(".lock"), "stream job a checkpoint"):
        _has_its_lake(checkpoint, lake)
        lost = _stepped_over(lake, contract, found) if accept_loss else 0
        batch, aside = recovered(checkpoint, lake)
    if as_json:
        print(json.dumps({"batch": batch, "aside": None if aside is None else str(aside), "lost": lost}))
        return
    begins = "from the topics' beginning" if batch is None else f"behind batch {batch}"
    print(f"the stream job of {name} goes on {begins}; offsets stepped over: {lost}")
    if aside is not None:
        print(f"the checkpoint of before is at {aside}; delete it once the job runs")


def _has_its_lake(checkpoint: Path, lake: Lake) -> None:
    """Raises BadArtifact where something had landed and no manifest says so: a lake that is gone or elsewhere
    is not made good by a stream that begins anew.
    """
    if lake.newest() is not None:
        return
    committed = any((checkpoint / "commits").glob("[0-9]*"))
    if committed or any((checkpoint / "offsets").glob("[1-9]*")):
        raise BadArtifact(
            str(lake.folder), "no manifest", f"the batches that {checkpoint} has landed", NO_LAKE
        )
    if unlisted := lake.unlisted():
        raise BadArtifact(
            str(lake.folder), f"{len(unlisted)} files and no manifest", "their manifests", NO_LAKE
        )


def _stepped_over(lake: Lake, contract: Contract, found: Settings) -> int:
    """Publish a batch that says which offsets are missing; how many. Raises Unavailable."""
    newest = lake.newest()
    manifest = None if newest is None else lake.manifest(newest)
    if manifest is None:
        return 0  # a stream that has yet to begin takes whatever is there
    starts = Admin(found.kafka.cloud.address).starts([s.topic for s in streams(contract)])
    batch = past(manifest, starts, Clock(found.clock_file()).now())
    if batch is None:
        return 0
    forget_attempts(lake, batch.batch)
    lake.publish(batch)
    return batch.counts[PURGED]
