"""`hotpath try NAME`: rows, their features, and where nulls come from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from hotpath import settings
from hotpath.cli.lake import lake_of
from hotpath.cli.landed import events
from hotpath.cli.options import AsJson, contract_file, show
from hotpath.contract.decode import Decoded, Rejected, decoder
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.lake import Lake
from hotpath.people import samples
from hotpath.people.evidence import levels_of
from hotpath.people.trying import Tried, trier
from hotpath.people.wire import sent

LONGEST = 24
"""Characters of a value in print."""
Row = Mapping[str, Value]


def try_(
    pipeline: Annotated[str, typer.Argument(help="A pipeline's name, or its contract's file.")],
    rows: Annotated[int, typer.Option(min=1, max=1000, help="Rows to show.")] = 20,
    source: Annotated[Path | None, typer.Option("--from", help="Events, one JSON object a line.")] = None,
    lake: Annotated[
        bool, typer.Option("--lake", help="The newest rows that the running system landed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show rows, their features, and where nulls come from."""
    found = settings.load()
    file = contract_file(found, pipeline)
    contract = load(file)
    if lake:
        known = landed(lake_of(found, contract.name), contract, rows)
    else:
        known = list(decoded(contract, source or samples.needed(file.with_suffix(""), "sample")))
    tried = trier(contract, levels_of(contract, known))
    shown = [(row, tried(row)) for row in known[:rows]]
    if as_json:
        print(json.dumps([_plain(contract, row, of) for row, of in shown]))
    else:
        _print(contract, shown)


def decoded(contract: Contract, path: Path) -> Iterator[Row]:
    """The rows of a file that the decoder takes; of others it is said why, on stderr."""
    decode = decoder(contract.events)
    for number, line in enumerate(samples.lines(path), start=1):
        match decode(line):
            case Decoded(values):
                yield values
            case Rejected(reason):
                print(f"{path}, line {number}: refused: {reason}", file=sys.stderr)


def landed(lake: Lake, contract: Contract, most: int) -> list[Row]:
    """The newest rows of the lake, oldest first, instants in µs as the decoder gives them."""
    found = pa.table({})
    for manifest in reversed(lake.manifests()):
        table = events(lake, contract, [manifest])
        table = pa.concat_tables([table, found]) if len(found) else table
        found = table.sort_by("arrived_at").slice(max(0, len(table) - most))
        if len(found) == most:
            break
    return [{field.name: row[field.name] for field in contract.events.fields} for row in found.to_pylist()]


def _plain(contract: Contract, row: Row, tried: Tried) -> dict[str, object]:
    return {
        "row": {field.name: sent(field, row[field.name]) for field in contract.events.fields},
        "features": dict(tried.features),
        "nulls": {name: list(origins) for name, origins in tried.nulls.items()},
    }


def _print(contract: Contract, shown: Sequence[tuple[Row, Tried]]) -> None:
    columns = ("feature", "value", "expression, or where the null comes from")
    for number, (row, tried) in enumerate(shown, start=1):
        cells = []
        for feature in contract.features:
            value, origins = tried.features[feature.name], tried.nulls.get(feature.name)
            because = f"null from {', '.join(origins)}" if origins else feature.expression
            cells.append((feature.name, "" if value is None else str(value)[:LONGEST], because))
        show(columns, cells, f"{number}: {row[contract.events.entity]}")
    counts = {f.name: sum(f.name in tried.nulls for _, tried in shown) for f in contract.features}
    nulls = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    print(f"{len(shown)} rows; nulls: {nulls or 'none'}")
