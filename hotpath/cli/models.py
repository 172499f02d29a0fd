"""The models of a pipeline: what was announced and what became of it, what was held back, and a force.

An operator may make public what the gate held back, under their own name; what a scorer refused they may not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hotpath import deployed, settings
from hotpath.bundle import Sealed, opened
from hotpath.bundle_store import BundleStore, Forced
from hotpath.cli.options import AsJson, instant, show
from hotpath.clock import Clock
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import MODELS, Announcement, Receipt
from hotpath.kafka import KafkaLog, Log, standing
from hotpath.keys import SigningKey, verify_key
from hotpath.publish import DELIVERY_S, announced, publish, receipts
from hotpath.settings import Settings
from hotpath.signatures import Pair, Verifies

app = typer.Typer(help="The models that were announced, held back or forced.")

Pipeline = Annotated[str, typer.Option(help="The pipeline's name.")]

ORDER = ("older sequence", "sequence taken", "barred by a rollback", "retired before")
"""How a refusal begins that is of an announcement's place, not of its bundle (serve.swap says them)."""


FORCED = "forced by "
"""How the reason of an announcement begins that an operator made: `forced by NAME: TEXT`."""


@app.callback(invoke_without_command=True)
def models(context: typer.Context, pipeline: Pipeline = "flights", as_json: AsJson = False) -> None:
    """List the models that were announced, and what the scorers did with them."""
    if context.invoked_subcommand is not None:
        return
    found = _of(pipeline)
    rows = listed(KafkaLog(found.kafka.onprem.address), found.verify_key(), pipeline)
    if as_json:
        print(json.dumps(rows))
    else:
        show(("sequence", "bundle", "kind", "receipts"), [tuple(map(str, r.values())) for r in rows])


@app.command()
def held(pipeline: Pipeline = "flights", as_json: AsJson = False) -> None:
    """List the bundles that were not announced, and why; `promote` makes one public all the same."""
    rows = held_back(_cloud(pipeline))
    if as_json:
        print(json.dumps(rows))
    else:
        drawn = [(str(r["bundle"]), instant(int(str(r["at"]))), str(r["state"]), str(r["why"])) for r in rows]
        show(("bundle", "trained", "state", "why"), drawn)


@app.command("promote")
def forced(
    bundle: Annotated[str, typer.Argument(help="One that `hotpath models held` lists.")],
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    why: Annotated[str, typer.Option(help="The reason, for the record.")],
    pipeline: Pipeline = "flights",
    as_json: AsJson = False,
) -> None:
    """Announce a bundle whatever the gate said of it; a scorer proves it as any other."""
    said, new = promote(_cloud(pipeline), bundle, by, why)
    if as_json:
        print(json.dumps({"sequence": said.sequence, "bundle": said.bundle, "new": new}))
    else:
        print(f"{'announced' if new else 'announced already'} as sequence {said.sequence}")


def _of(pipeline: str) -> Settings:
    """The settings. Raises BadConfig where there is no such pipeline."""
    found = settings.load()
    deployed.contract(found, pipeline)
    return found


def _cloud(pipeline: str) -> Cloud:
    """Where its models are made. Raises BadConfig where there is no such pipeline, or no signing key."""
    found = _of(pipeline)
    return Cloud(
        pipeline,
        BundleStore(found.bundle_store() / pipeline),
        KafkaLog(found.kafka.cloud.address, timeout_ms=DELIVERY_S * 1000),
        Pair(SigningKey(found.signing_key()), verify_key(found.verify_key())),
        Clock(found.clock_file()),
    )


def listed(log: Log, key_file: Path, pipeline: str) -> list[dict[str, object]]:
    """One row an announcement, oldest sequence first. Raises Unavailable, BadConfig."""
    key = verify_key(key_file)
    said = _verified((e.value for e in standing(log, MODELS)), key)
    words = receipts(pipeline, log)
    rows = sorted((a for a in said if a.pipeline == pipeline), key=lambda a: a.sequence)
    return [
        {
            "sequence": a.sequence,
            "bundle": a.bundle,
            "kind": a.kind,
            "receipts": [r.kind for r in words if r.sequence == a.sequence],
        }
        for a in rows
    ]


@dataclass(frozen=True)
class Cloud:
    """One pipeline where its models are made: its store, the cloud's log and keys."""

    pipeline: str
    store: BundleStore
    log: Log
    key: Pair
    clock: Clock


def held_back(cloud: Cloud) -> list[dict[str, object]]:
    """One row a bundle that is kept and does not stand announced: why not, and its metrics.

    Oldest first; last those whose publishing failed, of which no run's note tells: their numbers were taken.
    Raises Unavailable.
    """
    said = announced(cloud.pipeline, cloud.log, cloud.key)
    kept = set(cloud.store.kept()) - {a.bundle for a in said.values()}
    runs = {run.bundle: run for run in cloud.store.runs() if run.bundle in kept}
    taken = {of.get("bundle"): (s, of.get("at")) for s, of in sorted(cloud.store.taken().items())}
    return [
        *(
            {"bundle": bundle, "at": run.began_at, "state": run.state, "why": run.why, "metrics": run.metrics}
            for bundle, run in runs.items()
        ),
        *(
            {"bundle": bundle, "at": at, "state": "failed", "why": _never(sequence), "metrics": {}}
            for bundle, (sequence, at) in taken.items()
            if bundle in kept - runs.keys()
        ),
    ]


def _never(sequence: int) -> str:
    return f"sequence {sequence} was taken for it and never announced"


def promote(cloud: Cloud, bundle: str, by: str, why: str) -> tuple[Announcement, bool]:
    """Announce a bundle of the store, whatever the gate said; False where that was done already.

    Raises BadInput where nobody says who and why, BadArtifact on a bundle that is unknown, of another
    pipeline, signed by no key of this deployment, or that a scorer has refused. Raises Unavailable.
    """
    for thing, given in (("--by", by), ("--why", why)):
        if not given.strip():
            raise BadInput(thing, given, "a name, and a reason, for the record")
    sealed = _proved(cloud, bundle)
    standing_now = announced(cloud.pipeline, cloud.log, cloud.key)
    newest = standing_now[max(standing_now)] if standing_now else None
    if newest is not None and newest.bundle == bundle:
        _noted(cloud.store, newest)
        return newest, False
    _unrefused(receipts(cloud.pipeline, cloud.log), bundle)
    forced, now = f"{FORCED}{by}: {why}", cloud.clock.now()
    said = publish(sealed, cloud.pipeline, forced, now, cloud.log, cloud.store, cloud.key)
    cloud.store.note_forced(Forced(bundle, said.sequence, by, why, now))
    return said, True


def _noted(store: BundleStore, said: Announcement) -> None:
    """Note the force that an announcement tells of, in its own signed words, where nobody has: the command
    that announced it was killed before it could.
    """
    if not said.why.startswith(FORCED) or any(f.sequence == said.sequence for f in store.forced()):
        return
    by, _, why = said.why.removeprefix(FORCED).partition(": ")
    store.note_forced(Forced(said.bundle, said.sequence, by, why, said.announced_at))


def _proved(cloud: Cloud, bundle: str) -> Sealed:
    if bundle not in cloud.store.kept():  # an operator's text: no path is made of it before it is known
        raise BadArtifact("bundle", bundle, "one that the store keeps", "see hotpath models held")
    sealed = cloud.store.sealed(bundle)
    found = opened(sealed.packed, cloud.key)
    of = found.facts.get("pipeline")
    if (found.id, of) != (bundle, cloud.pipeline):
        raise BadArtifact(f"bundle {bundle}", f"{found.id} of {of}", f"a bundle of {cloud.pipeline}")
    return sealed


def _unrefused(said: Sequence[Receipt], bundle: str) -> None:
    """Raises BadArtifact where the newest word of a scorer's host on the bundle itself is a refusal."""
    of = [r for r in said if r.bundle == bundle and not (r.kind == "refused" and r.why.startswith(ORDER))]
    newest = max(of, key=lambda r: r.at, default=None)
    if newest is not None and newest.kind == "refused":
        todo = "it would be refused again"
        raise BadArtifact(f"bundle {bundle}", f"refused by {newest.scorer}: {newest.why}", "a proof", todo)


def _verified(values: Iterable[bytes | None], key: Verifies) -> Iterator[Announcement]:
    """Forged and garbled ones are left out, as the follower leaves them out: it says so in a receipt."""
    for value in values:
        with suppress(BadArtifact):
            if value is not None:
                yield Announcement.verified(value, key)
