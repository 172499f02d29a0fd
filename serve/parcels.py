"""Bundles on their way: chunks of `hotpath.bundles` until the announced whole is there. Pure.

Chunks may come before their announcement, and nothing proves them until then; `most_bytes` bounds what is
kept, and the oldest bundle that nobody has announced goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from hotpath.bundle import MOST_BYTES, sha256
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import Announcement

UNPROVED_BYTES = 64 * 1024 * 1024
"""Of chunks that no announcement speaks for."""
MOST_CHUNKS = 20_000
"""Of any size: a chunk without a byte takes room too."""
MOST_NAMED = 5


class Parcels:
    """Chunks by bundle, oldest bundle first."""

    def __init__(self, most_bytes: int = UNPROVED_BYTES) -> None:
        self._most = most_bytes
        self._chunks: dict[str, dict[int, bytes]] = {}
        self._announced: dict[str, Announcement] = {}
        self._bytes = self._number = 0

    def announced(self, announcement: Announcement) -> None:
        """From now on this bundle's chunks are waited for."""
        self._announced[announcement.bundle] = announcement

    def add(self, key: bytes | None, chunk: bytes) -> str:
        """Keep one chunk under its key, BUNDLE/INDEX, and name its bundle. Raises BadInput on another key."""
        bundle, index = _place(key)
        if bundle in self._announced and index >= self._announced[bundle].chunks:
            raise BadInput("chunk's key", key, f"an index below {self._announced[bundle].chunks}")
        chunks = self._chunks.setdefault(bundle, {})
        self._bytes += len(chunk) - len(chunks.get(index, b""))
        self._number += index not in chunks
        chunks[index] = chunk
        self._make_room(bundle)
        return bundle

    def lose(self, key: bytes | None) -> None:
        """The chunk was taken back (its tombstone). Raises BadInput on another key."""
        bundle, index = _place(key)
        if (gone := self._chunks.get(bundle, {}).pop(index, None)) is not None:
            self._bytes -= len(gone)
            self._number -= 1

    def missing(self, bundle: str) -> tuple[int, ...]:
        """The first chunks that are waited for, at most MOST_NAMED; () once all are there."""
        announcement, chunks = self._announced.get(bundle), self._chunks.get(bundle, {})
        awaited = () if announcement is None else range(announcement.chunks)
        return tuple(islice((index for index in awaited if index not in chunks), MOST_NAMED))

    def whole(self, bundle: str) -> bytes | None:
        """The bundle's bytes once all chunks are there.

        Raises BadArtifact where they are others, or where more were announced than a bundle may have.
        """
        announcement, chunks = self._announced.get(bundle), self._chunks.get(bundle, {})
        if announcement is not None and announcement.size > MOST_BYTES:
            raise BadArtifact("bundle's size", announcement.size, f"at most {MOST_BYTES} bytes")
        # Lazily: how many there are to be is only somebody's word.
        if announcement is None or any(index not in chunks for index in range(announcement.chunks)):
            return None
        packed = b"".join(chunks[i] for i in range(announcement.chunks))
        if len(packed) != announcement.size or sha256(packed) != announcement.sha256:
            raise BadArtifact("bundle's bytes", sha256(packed), f"the announced {announcement.sha256}")
        return packed

    def pipeline(self, bundle: str) -> str | None:
        """Whose bundle it is, once it was announced."""
        announcement = self._announced.get(bundle)
        return None if announcement is None else announcement.pipeline

    def drop(self, bundle: str) -> None:
        """Forget its chunks and its announcement."""
        self._forget(bundle)
        self._announced.pop(bundle, None)

    @property
    def held(self) -> Mapping[str, int]:
        """Bytes kept by bundle."""
        return {bundle: sum(map(len, chunks.values())) for bundle, chunks in self._chunks.items()}

    def _make_room(self, newest: str) -> None:
        while self._bytes > self._most or self._number > MOST_CHUNKS:
            unproved = (b for b in self._chunks if b not in self._announced and b != newest)
            if (oldest := next(unproved, None)) is None:
                return
            self._forget(oldest)

    def _forget(self, bundle: str) -> None:
        gone = self._chunks.pop(bundle, {})
        self._bytes -= sum(map(len, gone.values()))
        self._number -= len(gone)


def _place(key: bytes | None) -> tuple[str, int]:
    bundle, slash, index = (key or b"").decode("utf-8", "replace").rpartition("/")
    if not slash or not index.isascii() or not index.isdigit() or len(index) > 6:
        raise BadInput("chunk's key", key, "BUNDLE/INDEX")
    return bundle, int(index)
