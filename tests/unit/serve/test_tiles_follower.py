"""Redis is brought up to the topic, whatever becomes of it in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import DAY, HOUR, MINUTE, SECOND
from hotpath.errors import Unavailable
from hotpath.handoffs import TILES
from hotpath.kafka import MemoryLog
from hotpath.tiles import Tiles, packed
from serve import tiles_follower
from serve.redis_shelf import PLACE, MemoryShelf
from serve.state import PREFIX
from serve.tiles_follower import TilesFollower, expiry_s, is_layouts
from tests.unit.serve.generations import READING

LAYOUT = READING.layouts[0]
OWN = LAYOUT.id.encode()


@dataclass
class Case:
    """A topic, a shelf and a follower of both."""

    log: MemoryLog = field(default_factory=MemoryLog)
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    topic: str = "T"
    now: float = 0.0

    def __post_init__(self) -> None:
        self.follower = self.started()

    def started(self) -> TilesFollower:
        """Another process."""
        return TilesFollower(self.log, self.shelf, lambda: self.topic, lambda: self.now)

    def say(self, **values: str | None) -> None:
        """Records by key; `own` is the layout's."""
        for name, value in values.items():
            key = OWN if name == "own" else LAYOUT.key(name).encode()
            self.log.send(TILES, None if value is None else value.encode(), key)

    def turns(self, count: int = 3) -> None:
        for _ in range(count):
            self.now += 1
            self.follower.turn()

    def stands(self) -> dict[str, str]:
        """What is in Redis, in the words of `say`."""
        found = {}
        for key, value in self.shelf.values.items():
            name = key.removeprefix(PREFIX).removeprefix(OWN).decode()
            found[{"": "own"}.get(name, name.lstrip("/"))] = value.decode()
        return found


@pytest.fixture
def case() -> Case:
    return Case()


def test_the_newest_of_each_key_stands_with_the_place(case: Case) -> None:
    case.say(a="1", b="1", own="x", c="9")
    case.say(a="2", c=None, own="y")
    case.turns()
    assert case.stands() == {"a": "2", "b": "1", "own": "y", "position": "T/7"}
    case.say(b="3")
    case.turns()
    assert case.stands()["b"] == "3"
    assert case.follower.counts == {"written": 5, "refills": 1}


def test_a_restart_goes_on_where_redis_stands(case: Case) -> None:
    case.say(a="1", own="x")
    case.turns()
    case.shelf.values[PREFIX + LAYOUT.key("a").encode()] = b"kept"  # would be lost if it were read again
    case.say(b="1")
    case.follower = case.started()
    case.turns()
    assert case.stands() == {"a": "kept", "own": "x", "b": "1", "position": "T/3"}
    assert case.follower.counts["refills"] == 0


def test_an_emptied_redis_is_filled_again_within_a_look(case: Case) -> None:
    case.say(a="1", own="x")
    case.turns()
    full = dict(case.shelf.values)
    case.shelf.values.clear()
    case.turns()
    assert case.shelf.values == full


def test_nothing_is_written_into_a_redis_that_was_emptied_since(case: Case) -> None:
    case.say(a="1", own="x")
    case.turns()
    case.shelf.values.clear()
    case.say(b="1", own="y")
    case.follower.turn()  # has something to write, and finds that its place is gone
    assert case.shelf.values == {}
    case.turns()
    assert case.stands() == {"a": "1", "b": "1", "own": "y", "position": "T/4"}


def test_a_restored_older_redis_is_brought_up_from_where_it_stands(case: Case) -> None:
    case.say(a="1", own="x")
    case.turns()
    snapshot = dict(case.shelf.values)
    case.say(a="2", own="y")
    case.turns()
    case.shelf.values.clear()
    case.shelf.values.update(snapshot)
    case.turns()
    assert case.stands() == {"a": "2", "own": "y", "position": "T/4"}


def test_a_recreated_topic_begins_anew_and_leaves_nothing_old(case: Case) -> None:
    case.say(a="1", own="x")
    case.turns()
    case.log.entries.clear()
    case.topic = "U"
    case.say(b="2", own="z")
    case.follower = case.started()
    case.turns()
    assert case.stands() == {"b": "2", "own": "z", "position": "U/2"}


def test_layouts_records_wait_until_the_end_is_reached(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles_follower, "MOST", 2)
    case.say(a="1", own="x", b="1")
    case.follower.turn()
    assert case.stands() == {"a": "1", "position": "T/0"}
    case.turns()
    assert case.stands() == {"a": "1", "b": "1", "own": "x", "position": "T/3"}


def test_a_layouts_record_that_is_gone_goes_before_its_keys(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.say(a="1", own="x")
    case.turns()
    case.follower.forget()
    monkeypatch.setattr(tiles_follower, "MOST", 2)
    case.say(own=None, a=None)
    case.say(b="1")
    case.follower.turn()
    assert case.stands() == {"position": "T/2"}


def test_redis_away_is_said_and_tried_again(case: Case) -> None:
    case.say(a="1", own="x")
    case.shelf.away = True
    with pytest.raises(Unavailable):
        case.follower.turn()
    case.follower.forget()
    case.shelf.away = False
    case.turns()
    assert case.stands() == {"a": "1", "own": "x", "position": "T/2"}


@given(
    st.lists(st.sampled_from(["a", "b", "own", "empty", "snap", "restore", "restart", "turn"]), max_size=30)
)
def test_in_the_end_redis_holds_the_newest_of_everything(steps: list[str]) -> None:
    case, snapshot = Case(), {}
    for number, step in enumerate(steps):
        match step:
            case "empty":
                case.shelf.values.clear()
            case "snap":
                snapshot = dict(case.shelf.values)
            case "restore":
                case.shelf.values.clear()
                case.shelf.values.update(snapshot)
            case "restart":
                case.follower = case.started()
            case "turn":
                case.turns(1)
            case name:
                case.say(**{name: str(number)})
    case.turns(4)
    newest = {s: str(n) for n, s in enumerate(steps) if s in ("a", "b", "own")}
    assert case.stands() == {**newest, "position": f"T/{len(case.log.entries)}"}


@pytest.mark.parametrize(
    ("tile", "at_least", "at_most"),
    [(5 * MINUTE, 10 * DAY, 16 * DAY), (HOUR, 60 * DAY, 190 * DAY), (SECOND, DAY, DAY)],
)
def test_an_expiry_is_far_longer_than_any_horizon_of_the_tile(tile: int, at_least: int, at_most: int) -> None:
    number = 1_795_000_000_000_000 // tile
    columns = tuple((1,) for _ in LAYOUT.parts)
    raw = packed(Tiles((number + 1) * tile, 1, (number,), columns), LAYOUT)
    assert at_least <= (expiry_s(raw) or 0) * SECOND <= at_most


def test_a_layouts_own_record_stays_and_what_cannot_be_read_goes() -> None:
    assert expiry_s(packed(Tiles(5, 1), LAYOUT)) is None
    assert expiry_s(b"no tiles") == expiry_s(b"") == 86_400
    assert is_layouts(OWN)
    assert not is_layouts(LAYOUT.key("a/b").encode())


def test_the_place_is_no_records_key() -> None:
    assert b"/" not in PLACE
