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
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.forgetting import Forgotten
from hotpath.forgetting import forget as erase
from hotpath.handoffs import scores_topic
from hotpath.lake import Lake


def forget(
    entity: Annotated[str, typer.Argument(help="The entity, as events and labels name it.")],
    pipeline: Annotated[str, typer.Option(help="The pipeline's name.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Erase an entity from the lake: events, labels, scores, and rejected records that name it."""
    found = settings.load()
    contract = deployed.contract(found, pipeline)
    done = erase(Lake(found.lake_root(), pipeline), contract, entity)
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
    return [contract.events.topic, contract.labels.topic, scores_topic(contract.name)]


def holding(store: BundleStore, contract: Contract, entity: str) -> list[str]:
    """Ids of the bundles whose golden rows hold the entity. Raises BadArtifact on one that does not read."""
    kept = sorted({run.bundle for run in store.runs() if run.bundle is not None})
    return [bundle for bundle in kept if _holds(store, bundle, f"event.{contract.events.entity}", entity)]


def _holds(store: BundleStore, bundle: str, column: str, entity: str) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(store.sealed(bundle).packed)) as packed:
            golden = pq.read_table(pa.BufferReader(packed.read("golden.parquet")))
    except (zipfile.BadZipFile, KeyError, pa.ArrowException) as error:
        raise BadArtifact(f"bundle {bundle}", str(error), "golden rows that read") from error
    return column in golden.column_names and entity in golden[column].to_pylist()
