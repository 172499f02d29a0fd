"""`hotpath rejected …`: records that the lake could not decode, and those of them that it could by now."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from hotpath import deployed, settings
from hotpath.cli.lake import lake_of
from hotpath.cli.options import AsJson, Name, printable, show
from hotpath.contract.decode import Decoded
from hotpath.contract.model import Contract
from hotpath.handoffs import scores_topic
from hotpath.lake import Lake
from hotpath.replayed import Accepts, Refused, refused
from hotpath.replayed import replay as replayed
from transform.streams import Stream, streams

EXAMPLES = 3
REACH_S = 5.0
"""The broker's time to say which topics it has."""

app = typer.Typer(no_args_is_help=True, help="Records that the lake could not decode.")


@app.command()
def ls(
    name: Name,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show the examples' bytes: they may be personal.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Count rejected records by reason and dataset, with examples of where they stood."""
    loaded = settings.load()
    found = by_reason(lake_of(loaded, name), deployed.contract(loaded, name), raw)
    if as_json:
        print(json.dumps(found))
        return
    rows = [
        (*(str(row[key]) for key in ("dataset", "reason", "records")), "\n".join(row["places"]))
        for row in found
    ]
    show(("dataset", "reason", "records", "such as"), rows)
    for line in (text for row in found for text in row.get("raw", ())):
        print(printable(line))


@app.command()
def replay(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what a run that was cut short may have sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send what the deployed contract accepts by now to its on-prem topic again, once each."""
    from hotpath.kafka import KafkaLog
    from hotpath.kafka_admin import partitions

    loaded = settings.load()
    lake, contract = lake_of(loaded, name), deployed.contract(loaded, name)
    left_out = foreign(contract, deployed.contracts(loaded))
    accepts = {topic: of for topic, of in accepting(contract).items() if topic not in left_out}
    log, address = None, loaded.kafka.onprem.address
    if not dry_run:
        for topic in accepts:  # before anything is claimed: what is claimed and not sent is in doubt
            partitions(address, topic, REACH_S)
        log = KafkaLog(address)
    done = replayed(lake, accepts, log, again)
    if as_json:
        print(json.dumps({**vars(done), "left_out": left_out}))
        return
    print(f"{done.accepted} accepted by now: {done.sent} {'to be sent' if dry_run else 'sent'}, ", end="")
    print(f"{done.before} sent before; {done.left} are rejected still")
    if left_out:
        print(f"left out, for others write there: {', '.join(left_out)}")
    if done.doubtful and not again:
        print(f"{done.doubtful} may have been sent by a run that was cut short: --again sends them")


def by_reason(lake: Lake, contract: Contract, raw: bool = False) -> list[dict[str, Any]]:
    """Records by dataset and reason, most first, with a few places; bytes only where `raw`."""
    datasets = {stream.topic: stream.dataset for stream in streams(contract)}
    counts = Counter[tuple[str, str]]()
    examples = defaultdict[tuple[str, str], list[Refused]](list)
    for record in refused(lake):
        kind = datasets.get(record.place[0], record.place[0]), record.reason
        counts[kind] += 1
        if len(examples[kind]) < EXAMPLES:
            examples[kind].append(record)
    return [
        {
            "dataset": kind[0],
            "reason": kind[1],
            "records": count,
            "places": ["/".join(map(str, record.place)) for record in examples[kind]],
            **({"raw": [record.raw.decode("utf-8", "replace") for record in examples[kind]]} if raw else {}),
        }
        for kind, count in counts.most_common()
    ]


def foreign(contract: Contract, others: Iterable[Contract]) -> list[str]:
    """Topics of further streams that another of the contracts reads too, or that scorers write: what is sent
    there again comes twice to whoever took it at first.
    """
    read = {s.topic for other in others if other.name != contract.name for s in other.sources.values()}
    ours = {contract.events.topic, contract.labels.topic}
    further = {stream.topic for stream in contract.streams} - ours
    return sorted(topic for topic in further if topic in read or topic.startswith(scores_topic("")))


def accepting(contract: Contract) -> Mapping[str, Accepts]:
    """By topic, what the pipeline's streams take now, and the key it is sent with."""
    entities = {name: source.entity for name, source in contract.sources.items()} | {"scores": "entity"}
    return {stream.topic: _accepts(stream, entities[stream.dataset]) for stream in streams(contract)}


def _accepts(stream: Stream, entity: str) -> Accepts:
    decode = stream.decoder()

    def accepts(raw: bytes) -> bytes | None:
        match decode(raw):
            case Decoded(values) if stream.consent is None or values[stream.consent] is True:
                return str(values.get(entity) or "").encode()  # a further stream has no entity
        return None

    return accepts
