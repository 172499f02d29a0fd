"""`hotpath models …`: what was announced and what became of it, what the gate held back, a force."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hotpath import deployed, settings
from hotpath.cli.models import Cloud, held_back, listed, promote
from hotpath.cli.options import AsJson, instant, show
from hotpath.clock import Clock
from hotpath.keys import SigningKey, verify_key
from hotpath.settings import Settings
from hotpath.signatures import Pair

app = typer.Typer(help="The models that were announced, held back or forced.")

Pipeline = Annotated[str, typer.Option(help="The pipeline's name.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, pipeline: Pipeline = "flights", as_json: AsJson = False) -> None:
    """List the models that were announced, and what the scorers did with them."""
    if context.invoked_subcommand is not None:
        return
    from hotpath.kafka import KafkaLog

    found = _of(pipeline)
    rows = listed(KafkaLog(found.kafka.onprem.address), found.verify_key(), pipeline)
    if as_json:
        print(json.dumps(rows))
    else:
        show(("sequence", "bundle", "kind", "receipts"), [tuple(map(str, r.values())) for r in rows])


@app.command()
def held(pipeline: Pipeline = "flights", as_json: AsJson = False) -> None:
    """List the bundles that the gate held back, with its reasons; `promote` makes one public all the same."""
    from hotpath.bundle_store import BundleStore

    rows = held_back(BundleStore(_of(pipeline).bundle_store() / pipeline))
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
    from hotpath.bundle_store import BundleStore
    from hotpath.kafka import KafkaLog
    from hotpath.publish import DELIVERY_S

    found = _of(pipeline)
    cloud = Cloud(
        pipeline,
        BundleStore(found.bundle_store() / pipeline),
        KafkaLog(found.kafka.cloud.address, timeout_ms=DELIVERY_S * 1000),
        Pair(SigningKey(found.signing_key()), verify_key(found.verify_key())),
        Clock(found.clock_file()),
    )
    said, new = promote(cloud, bundle, by, why)
    if as_json:
        print(json.dumps({"sequence": said.sequence, "bundle": said.bundle, "new": new}))
    else:
        print(f"{'announced' if new else 'announced already'} as sequence {said.sequence}")


def _of(pipeline: str) -> Settings:
    """The settings. Raises BadConfig where there is no such pipeline."""
    found = settings.load()
    deployed.contract(found, pipeline)
    return found
