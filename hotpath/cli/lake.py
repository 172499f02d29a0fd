"""`hotpath lake …`: what a pipeline's lake holds, whether every law of it is kept, compaction by hand."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import typer

from hotpath import deployed, settings
from hotpath.cli.options import WRONG, AsJson, Name, instant, show
from hotpath.cli.recover import recover
from hotpath.contract.model import Contract
from hotpath.errors import BadConfig
from hotpath.lake import REJECTED, File, Lake
from hotpath.lake_check import Schemas
from hotpath.lake_check import check as checked
from hotpath.lake_files import arrivals
from hotpath.settings import Settings
from transform.compaction import compact as made
from transform.ranges import large
from transform.streams import REJECTED_FOLDER, streams

app = typer.Typer(no_args_is_help=True, help="What a pipeline's lake holds.")

app.command()(recover)


@app.command()
def ls(name: Name, as_json: AsJson = False) -> None:
    """Say what is there: datasets, batches, rows, bytes, files, the time they span."""
    found = contents(lake_of(settings.load(), name))
    if as_json:
        print(json.dumps(found))
    else:
        _print(found)


@app.command()
def check(name: Name, as_json: AsJson = False) -> None:
    """Hold every law of the hand-off against the lake, hashes included; exit code 1 names each breach."""
    loaded = settings.load()
    done = checked(lake_of(loaded, name), schemas(deployed.contract(loaded, name)))
    facts = {key: value for key, value in vars(done).items() if key != "breaches"}
    if as_json:
        print(json.dumps({**facts, "breaches": [vars(breach) for breach in done.breaches]}))
    else:
        print(", ".join(f"{value} {key}" for key, value in facts.items()))
        for breach in done.breaches:
            print(breach)
        print("every law holds" if not done.breaches else f"{len(done.breaches)} breaches")
    sys.exit(WRONG if done.breaches else 0)


@app.command()
def compact(name: Name, as_json: AsJson = False) -> None:
    """Put what is small into ranges now; what they supersede goes when its time is over."""
    lake = lake_of(settings.load(), name)
    ranges = made(lake)
    said = {"ranges": ranges, "manifests": len(lake.manifests()), "large": large(lake.manifests())}
    print(json.dumps(said) if as_json else ", ".join(f"{key} {value}" for key, value in said.items()))


def lake_of(loaded: Settings, name: str) -> Lake:
    """A pipeline's lake. Raises BadConfig where there is none of that name."""
    lake = Lake(loaded.lake_root(), name)
    if name != lake.folder.name or not (lake.folder / "manifest").is_dir():
        raise BadConfig("lake", name, "a pipeline that has landed something", f"see {loaded.lake_root()}")
    return lake


def schemas(contract: Contract) -> Schemas:
    """What the files that the deployed contract lands look like."""
    known = {(s.dataset, s.fingerprint): s.schema for s in streams(contract)}
    return {**known, ("rejected", REJECTED_FOLDER): REJECTED}


def contents(lake: Lake) -> dict[str, object]:
    """What `ls` says, as plain data."""
    manifests = lake.manifests()
    files = defaultdict[str, list[File]](list)
    for file in (file for manifest in manifests for file in manifest.files):
        files[file.dataset].append(file)
    counts = lake.counts()
    old = {f.path: f.bytes for m in lake.superseded() for f in m.files if lake.path(f).exists()}
    for file in (file for found in files.values() for file in found):
        old.pop(file.path, None)
    return {
        "batches": [manifests[0].first, manifests[-1].batch] if manifests else [],
        "manifests": len(manifests),
        "datasets": {name: _dataset(lake, found) for name, found in sorted(files.items())},
        "large": large(manifests),
        "landed": [instant(m.landed_at) for m in (manifests[:1] + manifests[-1:])],
        "counts": dict(sorted(counts.items())),
        "superseded": {"files": len(old), "bytes": sum(old.values())},
        "unlisted": len(lake.unlisted()),
    }


def _dataset(lake: Lake, files: Sequence[File]) -> dict[str, object]:
    spans = [span for file in files if (span := arrivals(lake.checked(file))) is not None]
    return {
        "files": len(files),
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.bytes for file in files),
        "arrived": [instant(min(s[0] for s in spans)), instant(max(s[1] for s in spans))] if spans else [],
    }


def _print(found: Mapping[str, object]) -> None:
    datasets = cast("Mapping[str, Mapping[str, Any]]", found["datasets"])
    rows = [
        (name, *(str(facts[k]) for k in ("files", "rows", "bytes")), " to ".join(facts["arrived"]))
        for name, facts in datasets.items()
    ]
    show(("dataset", "files", "rows", "bytes", "first and last arrival"), rows)
    for name, value in found.items():
        if name != "datasets":
            print(f"{name}: {value if isinstance(value, int | float) else json.dumps(value)}")
