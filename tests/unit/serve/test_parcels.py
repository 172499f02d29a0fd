"""Chunks become a bundle in any order, and nothing else does."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.bundle import MOST_BYTES, chunked, sha256
from hotpath.clock import Clock
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import Announcement
from serve.parcels import MOST_CHUNKS, Parcels

PACKED = bytes(range(256)) * 5
CHUNKS = chunked(PACKED, 100)
WORD = Announcement("p", "b1", sha256(PACKED), len(PACKED), len(CHUNKS), 1, "promote", "", 0)


@given(st.permutations(range(len(CHUNKS))), st.integers(0, len(CHUNKS)))
def test_chunks_in_any_order_around_their_announcement_make_the_bundle(order: list[int], when: int) -> None:
    parcels = Parcels()
    for position, index in enumerate(order):
        if position == when:
            parcels.announced(WORD)
        assert parcels.whole("b1") is None
        parcels.add(f"b1/{index}".encode(), CHUNKS[index])
    parcels.announced(WORD)
    assert parcels.whole("b1") == PACKED


def test_a_chunk_with_one_bit_changed_makes_a_bad_bundle() -> None:
    parcels = Parcels()
    parcels.announced(WORD)
    for index, chunk in enumerate(CHUNKS):
        parcels.add(f"b1/{index}".encode(), bytes([chunk[0] ^ 1, *chunk[1:]]) if index == 3 else chunk)
    with pytest.raises(BadArtifact, match="announced"):
        parcels.whole("b1")


def test_what_nobody_announced_makes_room_oldest_first() -> None:
    parcels = Parcels(most_bytes=250)
    parcels.announced(WORD)
    for key in (b"b1/0", b"old/0", b"new/0"):
        parcels.add(key, b"x" * 100)
    assert set(parcels.held) == {"b1", "new"}


def test_an_announced_bundle_takes_no_more_chunks_than_were_announced() -> None:
    parcels = Parcels()
    parcels.announced(WORD)
    with pytest.raises(BadInput, match="below 13"):
        parcels.add(b"b1/13", b"x")


def filled(parcels: Parcels, *less: int) -> Parcels:
    for index, chunk in enumerate(CHUNKS):
        if index not in less:
            parcels.add(f"b1/{index}".encode(), chunk)
    return parcels


def test_a_chunk_that_is_lost_is_named_until_it_comes() -> None:
    parcels = Parcels()
    assert parcels.missing("b1") == ()
    parcels.announced(WORD)
    assert parcels.missing("b1") == (0, 1, 2, 3, 4)
    filled(parcels, 3, 7)
    assert (parcels.whole("b1"), parcels.missing("b1")) == (None, (3, 7))
    filled(parcels)
    assert (parcels.whole("b1"), parcels.missing("b1")) == (PACKED, ())


@given(st.lists(st.integers(0, len(CHUNKS) - 1), max_size=30))
def test_a_chunk_that_comes_twice_counts_once(more: list[int]) -> None:
    parcels = Parcels()
    parcels.announced(WORD)
    for index in [*more, *range(len(CHUNKS)), *more]:
        parcels.add(f"b1/{index}".encode(), CHUNKS[index])
    assert parcels.whole("b1") == PACKED
    assert parcels.held == {"b1": len(PACKED)}


def test_a_chunk_that_was_taken_back_half_way_is_waited_for_again() -> None:
    parcels = filled(Parcels(), 7)
    parcels.announced(WORD)
    parcels.lose(b"b1/2")
    parcels.lose(b"b1/2")
    parcels.lose(b"nobody/0")
    assert parcels.missing("b1") == (2, 7)
    assert parcels.held["b1"] == len(PACKED) - 200


def test_a_chunk_of_another_bundle_makes_neither_whole() -> None:
    parcels = filled(Parcels(), 5)
    parcels.announced(WORD)
    parcels.add(b"b2/5", CHUNKS[5])
    assert parcels.whole("b1") is None
    assert parcels.whole("b2") is None


def test_a_bundle_that_is_announced_as_too_large_is_not_waited_for() -> None:
    parcels = Parcels()
    parcels.announced(replace(WORD, size=MOST_BYTES + 1))
    with pytest.raises(BadArtifact, match="size"):
        parcels.whole("b1")


@pytest.mark.parametrize("key", [None, b"", b"b1", b"b1/", b"b1/x", b"b1/-1", b"b1/9999999", b"\xff/\xff"])
def test_a_chunk_without_a_place_is_refused(key: bytes | None) -> None:
    with pytest.raises(BadInput):
        Parcels().add(key, b"x")


@pytest.mark.parametrize("chunks", [10**7, 2**62])
def test_a_declared_count_of_chunks_costs_nothing_until_they_come(chunks: int) -> None:
    parcels = Parcels()
    parcels.announced(replace(WORD, chunks=chunks))
    tracemalloc.start()
    try:
        assert parcels.whole("b1") is None
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_chunks_of_nobody_are_bounded_in_number_and_quickly_taken_in() -> None:
    parcels, begun = Parcels(), Clock().elapsed()
    for number in range(50_000):
        parcels.add(f"{number:032x}/0".encode(), b"")
    assert Clock().elapsed() - begun < 10
    assert len(parcels.held) <= MOST_CHUNKS
