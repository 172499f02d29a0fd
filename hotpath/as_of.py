"""What rows read of tiles as the lake has them: for parity, and for whoever asks what a value was.

The tiles that a row of instant t may read are a pure function of what the manifests list, so they are made
anew from the lake; of the batches up to `upto` they are what had been published when that batch was newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.lake import Lake, Manifest
from hotpath.tile_rows import tiles
from hotpath.tiles import Reader, Tiles
from hotpath.tiling import tiles_of

Asked = tuple[Micros, tuple[str | None, ...]]
"""A row's instant, and its key in each layout of the contract's `Reader`."""


def as_of(
    lake: Lake, contract: Contract, asked: Sequence[Asked], upto: int | None = None
) -> list[dict[str, Value]]:
    """The readings of each row by name, from all that is in force or from the batches up to `upto`.

    Raises BadArtifact on a file that does not read.
    """
    reader = Reader.of(contract)
    if not asked or not reader.layouts:
        return [{} for _ in asked]
    manifests = lake.manifests() if upto is None else lake.upto(upto)
    found = [_tiles(lake, manifests, contract, reader, place, asked) for place in range(len(reader.layouts))]
    return [
        reader.read(
            [None if key is None else of.get(key, Tiles(at, 0)) for key, of in zip(keys, found, strict=True)],
            at,
        )
        for at, keys in asked
    ]


def _tiles(
    lake: Lake,
    manifests: Sequence[Manifest],
    contract: Contract,
    reader: Reader,
    place: int,
    asked: Sequence[Asked],
) -> Mapping[str, Tiles]:
    """Of one layout all tiles that any of the rows reads, by key."""
    layout, aggregate = reader.layouts[place], reader.layouts[place].aggregate
    ended = [aggregate.ended(at) for at, keys in asked if keys[place] is not None]
    if not ended:
        return {}
    span = max(reading.span for reading in reader.readings[place])
    since, until = min(ended) * aggregate.tile - span, max(ended) * aggregate.tile
    keys = {key for _, found in asked if (key := found[place]) is not None}
    source = contract.source(aggregate.over)
    return tiles_of(tiles(lake, manifests, layout, source, since, until, keys), layout, until, 0)
