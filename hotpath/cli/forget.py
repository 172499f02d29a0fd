"""`hotpath forget ENTITY`: erases an entity from a pipeline's lake, and says where copies of it remain."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from hotpath import deployed, settings
from hotpath.bundle_store import BundleStore
from hotpath.cli.options import AsJson
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.forgetting import Forgotten
from hotpath.forgetting import forget as erase
from hotpath.handoffs import scores_topic
from hotpath.lake import Lake

PATIENCE_S = 120.0
"""With a compaction that is under way: one range takes a minute at the most."""


def forget(
    entity: Annotated[str, typer.Argument(help="The entity, as events and labels name it.")],
    pipeline: Annotated[str, typer.Option(help="The pipeline's name.")],
    as_json: AsJson = False,
) -> None:
    """Erase an entity from the lake: events, labels, scores, further streams, rejected records."""
    found = settings.load()
    contract = deployed.contract(found, pipeline)
    done = erase(Lake(found.lake_root(), pipeline), contract, entity, patience_s=PATIENCE_S)
    bundles = holding(BundleStore(found.bundle_store() / pipeline), contract, entity)
    if as_json:
        print(json.dumps({**vars(done), "bundles": bundles, "topics": topics(contract)}))
    else:
        print("\n".join(lines(done, bundles, contract)))


def lines(done: Forgotten, bundles: list[str], contract: Contract) -> list[str]:
    """What was done, in words."""
    erased = ", ".join(f"{rows} of {dataset}" for dataset, rows in sorted(done.rows.items()))
    said = [f"erased: {erased or 'nothing'}", f"files rewritten: {done.rewritten}, up to batch {done.batch}"]
    if done.leftovers:
        said.append(f"files of an earlier attempt removed: {done.leftovers}")
    said.append(f"copies remain until their retention ends: {', '.join(topics(contract))}")
    if bundles:
        said.append(f"copies remain among the golden rows of bundles: {', '.join(bundles)}; retire them")
    return said


def topics(contract: Contract) -> list[str]:
    """The topics, of both sites, that may hold the entity's records until their retention ends."""
    return [*(source.topic for source in contract.sources.values()), scores_topic(contract.name)]


def holding(store: BundleStore, contract: Contract, entity: str) -> list[str]:
    """Ids of the bundles whose golden rows hold the entity, or cannot be read: rather one too many."""
    return [bundle for bundle in store.kept() if _holds(store, bundle, contract, entity)]


def _holds(store: BundleStore, bundle: str, contract: Contract, entity: str) -> bool:
    """Told by the entity's column, or by all of an event where an older contract called it otherwise."""
    try:
        with zipfile.ZipFile(io.BytesIO(store.sealed(bundle).packed)) as packed:
            golden = pq.read_table(pa.BufferReader(packed.read("golden.parquet")))
    except (BadArtifact, zipfile.BadZipFile, KeyError, pa.ArrowException):
        return True
    named, there = f"event.{contract.events.entity}", golden.column_names
    columns = [named] if named in there else [name for name in there if name.startswith("event.")]
    return any(entity in golden[name].to_pylist() for name in columns)
