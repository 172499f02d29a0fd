"""Redis and its twins in memory answer the same; a paused one costs its deadline; no reply is mixed up."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, ResponseError

from hotpath.clock import Clock
from hotpath.errors import Unavailable
from hotpath.local import redisd
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.tiles import Tiles, packed
from serve.redis_shelf import PLACE, MemoryShelf, RedisShelf
from serve.redis_state import MemoryStore, RedisStore
from serve.state import PREFIX, Store
from serve.tiles_follower import Shelf
from tests.conftest import until
from tests.unit.serve.generations import READING

DEADLINE_S = 0.25
LAYOUT = READING.layouts[0]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> int:
    """A real Redis."""
    found = free_port()
    redisd.start("redis-tests", tmp_path_factory.mktemp("redis"), found, processes)
    return found


@pytest.fixture
def client(port: int) -> Iterator[Any]:
    """An empty Redis, as an operator sees it."""
    with Redis(port=port, socket_timeout=5) as found:
        found.flushall()
        yield found


def made_store(port: int) -> RedisStore:
    return RedisStore(f"redis://127.0.0.1:{port}", DEADLINE_S, Clock().elapsed)


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store that holds a value, and a list at another key."""
    if request.param == "memory":
        found: Store = MemoryStore({b"a": b"1\r\n\0", b"list": [1]})
        found.connect()
        yield found
        return
    client = request.getfixturevalue("client")
    client.set(b"a", b"1\r\n\0")
    client.rpush(b"list", 1)
    with closing(made_store(request.getfixturevalue("port"))) as real:
        real.connect()
        yield real


def test_values_come_in_the_order_of_the_keys(store: Store) -> None:
    assert store.got([b"a", b"none", b"list", b"a"]) == [b"1\r\n\0", None, b"", b"1\r\n\0"]
    assert store.got([b"a"]) == [b"1\r\n\0"]


def test_many_large_values_come_whole(port: int, client: Any) -> None:
    values = {b"k%d" % n: bytes([n % 256]) * 20_000 for n in range(320)}
    client.mset(values)
    with closing(made_store(port)) as store:
        store.connect()
        assert store.got(list(values)) == list(values.values())


def test_before_it_is_connected_nothing_answers(port: int) -> None:
    with pytest.raises(Unavailable, match="no connection"):
        made_store(port).got([b"a"])
    with pytest.raises(Unavailable):
        made_store(free_port()).connect()


def test_a_reply_that_comes_late_is_never_the_next_ones(port: int, client: Any, processes: Processes) -> None:
    client.mset({b"a": b"first", b"b": b"second"})
    clock, pid = Clock(), processes.running["redis-tests"].pid
    with closing(made_store(port)) as store:
        store.connect()
        os.kill(pid, signal.SIGSTOP)
        try:
            began = clock.elapsed()
            with pytest.raises(Unavailable, match="timed out"):
                store.got([b"a"])
            assert clock.elapsed() - began < 4 * DEADLINE_S
        finally:
            os.kill(pid, signal.SIGCONT)
        with pytest.raises(Unavailable, match="no connection"):
            store.got([b"b"])
        until(lambda: connects(store), "it answers again")
        assert store.got([b"b"]) == [b"second"]


def connects(store: RedisStore) -> bool:
    try:
        store.connect()
    except Unavailable:
        return False
    return True


def test_what_nobody_needs_is_switched_off(client: Any) -> None:
    for command in redisd.OFF:
        with pytest.raises(ResponseError, match="unknown command"):
            client.execute_command(command)


@pytest.fixture(params=["redis", "memory"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    if request.param == "memory":
        yield MemoryShelf()
        return
    request.getfixturevalue("client")
    with closing(RedisShelf(f"redis://127.0.0.1:{request.getfixturevalue('port')}")) as real:
        yield real


def test_a_write_goes_in_whole_where_the_place_is_the_expected_one(shelf: Shelf) -> None:
    assert shelf.place() is None
    assert not shelf.put({b"p/a@1/k": b"1"}, "T/0", "T/1")
    shelf.clear("T/0")
    assert shelf.put({b"p/a@1/k": b"1", b"p/a@1/gone": None}, "T/0", "T/2")
    assert not shelf.put({b"p/a@1/k": b"2"}, "T/1", "T/3")
    assert shelf.place() == "T/2"


def test_values_expire_a_layouts_own_record_does_not(port: int, client: Any) -> None:
    columns = tuple((1,) for _ in LAYOUT.parts)
    value = packed(Tiles(5_000_001 * LAYOUT.aggregate.tile, 1, (5_000_000,), columns), LAYOUT)
    with closing(RedisShelf(f"redis://127.0.0.1:{port}")) as shelf:
        shelf.clear("T/0")
        own = packed(Tiles(5, 1), LAYOUT)
        assert shelf.put({LAYOUT.key("k").encode(): value, LAYOUT.id.encode(): own}, "T/0", "T/1")
    assert client.ttl(PREFIX + LAYOUT.key("k").encode()) > 10 * 86_400
    assert client.ttl(PREFIX + LAYOUT.id.encode()) == client.ttl(PLACE) == -1


def test_to_clear_takes_only_what_is_ours(port: int, client: Any) -> None:
    client.mset({b"somebody": b"else's", PREFIX + b"p/a@1/k": b"1"})
    with closing(RedisShelf(f"redis://127.0.0.1:{port}")) as shelf:
        shelf.clear("T/0")
    assert set(client.scan_iter()) == {b"somebody", PLACE}


def test_to_clear_takes_layouts_own_records_before_keys(
    port: int, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {PREFIX + b"p/a@1/%d" % n: b"1" for n in range(20)}
    client.mset(keys | {PREFIX + b"p/a@1": b"own"})
    monkeypatch.setattr("serve.redis_shelf._PAGE", 10)
    with closing(RedisShelf(f"redis://127.0.0.1:{port}")) as shelf:
        unlink = shelf._redis.unlink

        def once(*names: bytes) -> None:
            unlink(*names)
            raise ConnectionError("killed half way")

        monkeypatch.setattr(shelf._redis, "unlink", once)
        with pytest.raises(ConnectionError, match="half way"):
            shelf.clear("T/0")
    assert client.get(PREFIX + b"p/a@1") is None
    assert sum(map(client.exists, keys)) == 11


def test_replies_that_drip_do_not_prolong_the_deadline() -> None:
    clock, store = Clock(), made_store(free_port())
    store._socket, redis = socket.socketpair()
    redis.sendall(b"$")
    timer = threading.Timer(0.9 * DEADLINE_S, redis.sendall, (b"1",))
    timer.start()
    began = clock.elapsed()
    with closing(store), redis, pytest.raises(Unavailable, match="timed out"):
        store.got([b"a"])
    timer.join()
    assert clock.elapsed() - began < 1.5 * DEADLINE_S


def test_redis_that_takes_no_writes_is_unavailable(tmp_path: Path, processes: Processes) -> None:
    port = free_port()
    url = redisd.start("redis-full", tmp_path, port, processes, "--maxmemory", "8mb")
    with closing(RedisShelf(url)) as shelf:
        shelf.clear("T/0")
        large = {b"p/a@1/%d" % n: bytes(500_000) for n in range(40)}
        with pytest.raises(Unavailable, match="one that takes writes"):
            shelf.put(large, "T/0", "T/1")
        assert shelf.place() == "T/0"
    processes.stop("redis-full")
