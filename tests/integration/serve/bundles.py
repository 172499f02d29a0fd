"""Real small bundles of a made-up pipeline, `things`: two MOJOs in tests/data, one with categories.

Their feature n00 is `minutes_between(event_time, due_at)`, so the same question asked later scores otherwise.
"""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import Sealed, chunked, seal
from hotpath.clock import MINUTE, Micros
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import row_function
from hotpath.contract.types import Type, Value
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import Log
from hotpath.settings import PROJECT
from serve import engine
from serve.generation import CATEGORY, NUMBER, Target

DATA = PROJECT / "tests" / "data"
PIPELINE = "things"
START: Micros = 1_795_000_000_000_000
NUMBERS = [f"n{i:02d}" for i in range(1, 20)]
CATEGORIES = ["e3", "e10", "e32", "e40", "e300"]
MOJOS = {"numbers": DATA / "gbm_numbers.zip", "categories": DATA / "gbm_categories.zip"}


@cache
def contract(kind: str, pipeline: str = PIPELINE, *more: str) -> Contract:
    """A pipeline's contract with the features of one of the two MOJOs; both take the same events.

    `more` are further fields of the event, as lines of the file.
    """
    fields = {
        *more,
        "thing_id: {type: string}",
        "event_id: {type: string}",
        "host: {type: string}",
        "event_time: {type: timestamp}",
        "due_at: {type: timestamp}",
        *(f"{n}: {{type: double, nullable: true}}" for n in NUMBERS),
        *(f"{e}: {{type: category, nullable: true}}" for e in CATEGORIES),
    }
    features = ["n00: minutes_between(event_time, due_at)", *(f"{n}: {n}" for n in NUMBERS)]
    features += [f"{e}: {e}" for e in CATEGORIES] if kind == "categories" else []
    gap = "\n    "
    return Contract.from_yaml(
        f"""
name: {pipeline}
question: Will it be late?
events:
  topic: things.asked
  id: event_id
  entity: thing_id
  host: host
  time: event_time
  fields:
    {gap.join(sorted(fields))}
labels:
  topic: things.done
  entity: thing_id
  fields:
    thing_id: {{type: string}}
    late: {{type: bool}}
  target: late
  horizon: 1h
features:
  {gap[:-2].join(features)}
train: {{window: 30d, holdout: 20%, retrain_every: 2h}}
gate: {{auc: ">= 0.60"}}
serve: {{fresh: 3h, expired: 24h}}
""",
        f"{kind}.yaml",
    )


def event(number: int) -> dict[str, Value]:
    """A decoded event; every number gives another row, some with nulls."""
    numbers = {
        n: None if (number + i) % 11 == 0 else (number * (i + 3)) % 97 / 7 - 4 for i, n in enumerate(NUMBERS)
    }
    levels = {"e3": 3, "e10": 10, "e32": 32, "e40": 40, "e300": 300}
    return {
        "thing_id": f"t{number}",
        "event_id": f"e{number}",
        "host": "h1",
        "event_time": START + number * MINUTE,
        "due_at": START + (number % 5 + 1) * 7 * MINUTE,
        **numbers,
        **{e: f"{e}_{number % n:03d}" for e, n in levels.items()},
    }


def request(number: int, **parts: object) -> dict[str, Any]:
    """A question in the protocol's form, without a time: the scorer's now is meant."""
    tensors = []
    for field in contract("numbers").events.fields:
        value: object = event(number)[field.name]
        if field.name in ("event_time", "event_id", "host"):
            continue
        datatype = "FP64" if field.type == Type.DOUBLE else "BYTES"
        value = "2026-11-18T12:26:40Z" if field.name == "due_at" else value
        tensors.append({"name": field.name, "datatype": datatype, "shape": [1], "data": [value]})
    return {"id": f"q{number}", "inputs": tensors, **parts}


@cache
def model(kind: str) -> engine.Mojo:
    """The MOJO as the engine loads it."""
    engine.start(engine.JARS)
    features = contract(kind).features
    kinds = {f.name: CATEGORY if f.type == Type.CATEGORY else NUMBER for f in features}
    return engine.load(MOJOS[kind].read_bytes(), kinds, Target("binary", ("0", "1")))


def golden(kind: str, of: Contract | None = None) -> dict[str, list[Any]]:
    """Columns of golden rows: features by the row function, scores by the engine; further fields are null."""
    known = [f.name for f in (of or contract(kind)).events.fields]
    events = [dict.fromkeys(known) | event(number) for number in range(60)]
    features = [row_function(contract(kind))(e) for e in events]
    names = [f.name for f in contract(kind).features]
    return {
        **{f"event.{n}": [e[n] for e in events] for n in events[0]},
        **{f"feature.{n}": [row[i] for row in features] for i, n in enumerate(names)},
        "score": [model(kind)(row).score for row in features],
    }


def parquet(columns: dict[str, list[Any]]) -> bytes:
    """The table's file; instants as the lake has them."""
    instants = {"event.event_time", "event.due_at"}
    arrays = {
        n: pa.array(v, pa.timestamp("us", "UTC") if n in instants else None) for n, v in columns.items()
    }
    out = io.BytesIO()
    pq.write_table(pa.table(arrays), out)
    return out.getvalue()


def files(kind: str, of: Contract) -> dict[str, bytes]:
    """A good bundle's content."""
    return {
        "contract.json": of.canonical(),
        "fitted.json": Fitted().to_bytes(),
        "model.zip": MOJOS[kind].read_bytes(),
        "scorecard.json": json.dumps({"kind": "binary", "threshold": 0.4}).encode(),
        "golden.parquet": parquet(golden(kind, of)),
        "card.html": b"<p>A model.</p>",
    }


def sealed(kind: str, key: Ed25519PrivateKey, of: Contract | None = None, **changed: bytes) -> Sealed:
    """A bundle, packed, `of` another contract than usual; `changed` replaces entries (dots: underscores)."""
    made = of or contract(kind)
    facts = {"pipeline": made.name, "trained_at": START, "fingerprint": made.fingerprint}
    content = {name: changed.get(name.replace(".", "_"), data) for name, data in files(kind, made).items()}
    return seal(content, facts, key)


def announcement(bundle: Sealed, sequence: int, pipeline: str = PIPELINE) -> Announcement:
    """The word that it is to go live."""
    chunks = len(chunked(bundle.packed))
    size = len(bundle.packed)
    return Announcement(pipeline, bundle.id, bundle.sha256, size, chunks, sequence, "promote", "fresh", START)


def send(log: Log, bundle: Sealed, sequence: int, key: Ed25519PrivateKey, pipeline: str = PIPELINE) -> None:
    """Publish as the trainer does: the bytes, then the announcement."""
    for index, chunk in enumerate(chunked(bundle.packed)):
        log.send(BUNDLES, chunk, key=f"{bundle.id}/{index}".encode())
    word = announcement(bundle, sequence, pipeline).signed(key)
    log.send(MODELS, word, key=f"{pipeline}/{bundle.id}".encode())


def environment(folder: Path, port: int, kafka_port: int) -> dict[str, str]:
    """Environment of a scorer or follower that lives in `folder`."""
    return {
        "HOTPATH__DATA": str(folder),
        "HOTPATH__SERVE__PORT": str(port),
        "HOTPATH__KAFKA__ONPREM__PORT": str(kafka_port),
    }
