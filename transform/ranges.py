"""Which of a lake's manifests become one range next. Pure.

Neighbours are put together, oldest first, up to so many bytes; a range that is small still is put together
again with what came after it. No range crosses a day of landing, so that what is past its time can go day by
day, and the newest batch stays alone: a killed attempt at it may have to be swept yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hotpath.clock import DAY
from hotpath.manifests import RETIRED, Manifest

MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """Bytes: of a `range` at the most, of a full `file`, and the `least` of one where there is enough.

    From `least` on a file counts as large.
    """

    range: int = 2048 * MIB
    file: int = 128 * MIB
    least: int = 64 * MIB


def large(manifests: Iterable[Manifest], sizes: Sizes | None = None) -> float:
    """The share of bytes that are in large files; 1 where there are none."""
    least = (sizes or Sizes()).least
    found = [file.bytes for manifest in manifests for file in manifest.files]
    return sum(size for size in found if size >= least) / sum(found) if sum(found) else 1.0


def next_range(manifests: Iterable[Manifest], sizes: Sizes) -> tuple[Manifest, ...]:
    """The first of the manifests in force (oldest first) that should be one; empty where none should."""
    group: list[Manifest] = []
    size = 0
    for manifest in _all_but_the_newest(manifests):
        full = _full(manifest, sizes)
        if group and (full or not _joins(group[-1], manifest) or size + manifest.size > sizes.range):
            if len(group) > 1:
                break
            group, size = [], 0
        if not full:
            group.append(manifest)
            size += manifest.size
    return tuple(group) if len(group) > 1 else ()


def _joins(before: Manifest, manifest: Manifest) -> bool:
    return manifest.first == before.batch + 1 and manifest.landed_at // DAY == before.landed_at // DAY


def _full(manifest: Manifest, sizes: Sizes) -> bool:
    """Whether it is not touched again: a range that is large, or what is retired."""
    return RETIRED in manifest.counts or (not manifest.alone and manifest.size * 2 >= sizes.range)


def _all_but_the_newest(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    before: Manifest | None = None
    for manifest in manifests:
        if before is not None:
            yield before
        before = manifest
