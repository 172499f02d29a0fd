"""A live model that has learned inverted labels, in the whole demonstration: nobody takes it back by hand.

A second trainer reads a copy of the lake in which every label says the opposite. By those labels its model
is far better than the live one, so its own gate promotes it, and it goes live. The floor has only the labels
that come afterwards, which are right.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.compute as pc

from faults.table import Fault, Outcome
from hotpath import keys
from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import SECOND, Clock
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.handoffs import Announcement
from hotpath.kafka import KafkaLog
from hotpath.lake import Lake, Manifest, schema
from hotpath.publish import announced
from tests.conftest import until
from tests.e2e.system import System
from tests.integration.train.lakes import put_down

NAME = "flights"
NOW = Path(__file__).with_name("trained_now.py")
READY_S, TRAINED_S, BACK_S, END_S = 300.0, 300.0, 900.0, 120.0
FLOOR = 'floor: {log_loss: "<= 0.8", window: 1h, windows: 2, labels: 200}'
"""In the first hours of a replay only flights that landed soon have labels, and no model ranks those well;
how far off its chances are shows at once."""


def inverted_live(_: int) -> Outcome:
    """From a good model that is live, over the inverted one, back to the good one."""
    with TemporaryDirectory(prefix="hotpath-inverted-") as name, _demonstration(Path(name)) as system:
        good = _live(system)
        run = _poisoned(system, Path(name) / "poisoned")
        until(lambda: _live(system)["sequence"] > good["sequence"], "the inverted model is live", READY_S)
        at, clock, poor = Clock(system.data / "clock.jsonl"), Clock(), _live(system)
        began, asked = clock.elapsed(), at.now()
        until(lambda: bool(_rollbacks(system)), "a rollback is announced", BACK_S)
        back = _rollbacks(system)[-1]
        until(lambda: _live(system)["sequence"] == back.sequence, "it is live", READY_S)
        figures: dict[str, object] = {
            "run": run.state,
            "gate": run.why[:200],
            "floor": back.why[:200],
            "back_after_s": round(clock.elapsed() - began),
            "back_after_virtual_s": (at.now() - asked) // SECOND,
        }
        answers = _report(system)["answers"]
        figures |= {key: answers[key] for key in ("total", "failed", "mixed")}
    returned = back.bundle == good["bundle"] != poor["bundle"]
    return Outcome(run.state == "trained" and returned and not answers["failed"] + answers["mixed"], figures)


@contextmanager
def _demonstration(folder: Path) -> Iterator[System]:
    system = System(folder)
    system.edit(NAME, r"floor: \{.*\}", FLOOR)
    # No better model comes of itself in the meantime.
    system.edit(NAME, r"retrain_every: \w+", "retrain_every: 24h")
    demo = system.start()
    try:
        until(system.ready, "the first model is live", READY_S)
        yield system
    finally:
        if demo.poll() is None:
            demo.send_signal(signal.SIGTERM)
            demo.wait(END_S)


def _poisoned(system: System, folder: Path) -> Run:
    """What a trainer comes to whose lake says the opposite, with this system's keys, store and topics."""
    contract = load(system.pipelines / f"{NAME}.yaml")
    _inverted(contract, Lake(system.data / "cloud" / "lake", NAME), Lake(folder / "cloud" / "lake", NAME))
    Deployed(folder / "deployed").put(contract)
    for path in ("cloud/keys", "onprem/keys"):
        shutil.copytree(system.data / path, folder / path)
    for path in ("cloud/bundles", "clock.jsonl"):
        (folder / path).symlink_to(system.data / path)
    command = (sys.executable, str(NOW), NAME)
    env = {**system.env, "HOTPATH__DATA": str(folder)}
    subprocess.run(command, env=env, check=True, timeout=TRAINED_S)
    return BundleStore(system.data / "cloud" / "bundles" / NAME).runs()[-1]


def _inverted(contract: Contract, lake: Lake, copy: Lake) -> None:
    files = []
    for name, source in contract.sources.items():
        columns = schema([(f.name, f.type) for f in source.fields])
        table = lake.read(name, columns.names).cast(columns)
        if name == "labels":
            place = table.column_names.index(contract.labels.target)
            table = table.set_column(place, columns.field(place), pc.invert(table.column(place)))
        files.append(put_down(copy, name, source, 0, table))
    copy.publish(Manifest(0, {}, {}, tuple(files), {f.dataset: f.rows for f in files}, 0))


def _live(system: System) -> dict[str, Any]:
    answer = system.json("score", "--example")["parameters"]
    return {"sequence": answer["sequence"], "bundle": answer["bundle"]}


def _rollbacks(system: System) -> list[Announcement]:
    log = KafkaLog(system.settings().kafka.cloud.address)
    key = keys.verify_key(system.data / "onprem" / "keys" / "verify.pem")
    return [said for said in announced(NAME, log, key).values() if said.kind == "rollback"]


def _report(system: System) -> Any:
    """What the demonstration says at its end."""
    assert system.demo is not None
    system.demo.send_signal(signal.SIGINT)
    system.demo.wait(END_S)
    return json.loads(system.report.read_text())


FAULTS = (
    Fault(
        "live model that learned inverted labels",
        "a trainer whose lake says the opposite of every label; what its gate promotes goes live",
        inverted_live,
    ),
)
