"""The swap machine: examples for people, laws over random histories for the rest.

sequence   5 ──── live ───── previous ─────────
           6        └ candidate ─ admitted ─ live
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import example, given
from hypothesis import strategies as st

from hotpath.handoffs import Announcement, Command
from serve.moves import (
    Action,
    Admit,
    Admitted,
    Announced,
    Arrived,
    Commanded,
    Drop,
    Event,
    Memory,
    Place,
    PointLive,
    Refused,
    Remember,
    Restored,
    Retired,
    Say,
    State,
)
from serve.swap import step

Word = Literal["promote", "rollback", "hold"]
Order = Literal["roll back", "hold", "release", "promote", "retrain now"]


def announced(sequence: int, bundle: str = "", kind: Word = "promote", at: int = 0) -> Announced:
    name = bundle or f"b{sequence}"
    return Announced(Announcement("p", name, "0" * 64, 1, 1, sequence, kind, "fresh", at or sequence * 10))


def commanded(kind: Order, expects: int, at: int) -> Commanded:
    return Commanded(Command("p", kind, expects, "operator", at))


def after(events: Iterable[Event], state: State | None = None) -> tuple[State, list[Action]]:
    actions: list[Action] = []
    state = state or State()
    for event in events:
        state, more = step(state, event)
        actions += more
    return state, actions


def good(*sequences: int) -> list[Event]:
    """Announced, arrived and admitted, one after another."""
    return [e for s in sequences for e in (announced(s), Arrived(f"b{s}"), Admitted(s))]


def test_a_candidate_is_proved_once_its_bytes_are_here_whichever_came_first() -> None:
    events: list[Event] = [announced(5), Arrived("b5")]
    for order in (events, events[::-1]):
        assert after(order)[1] == [Admit(announced(5).announcement)]


def test_an_admitted_generation_is_placed_then_remembered_then_live() -> None:
    state, actions = after(good(5))
    assert [type(a) for a in actions] == [Admit, Place, Remember, Say, PointLive]
    assert state.memory.live == 5


def test_the_one_before_stays_for_an_instant_rollback() -> None:
    state, _ = after(good(4, 5, 6))
    assert (state.memory.live, state.memory.previous) == (6, 5)
    assert set(state.memory.admitted) == {5, 6}


def test_a_refused_candidate_leaves_what_is_live_and_says_why() -> None:
    state, actions = after([*good(5), announced(6), Arrived("b6"), Refused(6, "bad scores")])
    assert state.memory.live == 5
    assert actions[-2:] == [Say("refused", 6, "b6", "bad scores"), Drop("b6")]


def test_an_older_sequence_is_refused() -> None:
    state, actions = after([*good(5), announced(3), Arrived("b3")])
    assert state.memory.live == 5
    assert Say("refused", 3, "b3", "older sequence: 5 was admitted before it") in actions
    assert Admit(announced(3).announcement) not in actions


def test_a_taken_sequence_keeps_its_first_bundle() -> None:
    state, actions = after([*good(5), announced(6), announced(6, "other")])
    assert state.candidates[6].bundle == "b6"
    assert actions[-2:] == [
        Say("refused", 6, "other", "sequence taken by another announcement"),
        Drop("other"),
    ]


def test_a_newer_admission_spares_the_older_candidates_theirs() -> None:
    state, actions = after([announced(5), announced(6), Arrived("b5"), Arrived("b6"), Admitted(6)])
    assert state.memory.live == 6
    assert state.candidates == {}
    assert Say("refused", 5, "b5", "older sequence: 6 was admitted before it") in actions


def test_a_rollback_goes_to_the_previous_and_bars_what_was_announced_before_it() -> None:
    events = [*good(4, 5), announced(6), commanded("roll back", 5, at=65), Arrived("b6")]
    state, actions = after(events)
    assert state.memory.live == 4
    assert PointLive(4, "b4") in actions
    assert Say("refused", 6, "b6", "barred by a rollback") in actions
    assert after(good(7), state)[0].memory.live == 7


def test_of_two_rollbacks_at_once_the_first_wins() -> None:
    both = [commanded("roll back", 5, at=65), commanded("roll back", 5, at=66)]
    assert after([*good(3, 4, 5), *both])[0].memory.live == 4


def test_a_rollback_to_nothing_has_no_effect() -> None:
    assert after([*good(5), commanded("roll back", 5, at=65)])[0].memory.live == 5


def test_a_hold_keeps_what_is_live_until_it_is_released() -> None:
    held, _ = after([*good(5), commanded("hold", 5, at=55), *good(6, 7)])
    assert held.memory.live == 5
    released, actions = after([commanded("release", 5, at=75)], held)
    assert released.memory.live == 7
    assert PointLive(7, "b7") in actions


def test_a_hold_from_the_cloud_takes_effect_at_once() -> None:
    state, _ = after([*good(5), announced(6, "b5", kind="hold"), *good(7)])
    assert state.memory.live == 5


def test_a_rollback_from_the_cloud_is_a_new_generation_of_an_old_bundle() -> None:
    state, actions = after([*good(4, 5), announced(6, "b4", kind="rollback"), Admitted(6)])
    assert Admit(announced(6, "b4", kind="rollback").announcement) in actions
    assert (state.memory.live, state.memory.admitted[6].bundle) == (6, "b4")


def test_a_rollback_from_the_cloud_may_go_further_back_than_the_previous() -> None:
    state, actions = after([*good(3, 4, 5), announced(6, "b3", kind="rollback"), Admitted(6)])
    assert (state.memory.live, state.memory.admitted[6].bundle, state.memory.previous) == (6, "b3", 5)
    assert actions[-1] == PointLive(6, "b3")
    assert after(good(7), state)[0].memory.live == 7


def test_a_rollback_from_the_cloud_waits_for_bytes_that_had_been_dropped() -> None:
    dropped, _ = after([*good(3, 4, 5), Retired("b3")])
    word = announced(6, "b3", kind="rollback")
    events: list[Event] = [word, Arrived("b3")]
    for order in (events, events[::-1]):
        state, actions = after(order, dropped)
        assert actions == [Admit(word.announcement)]
        assert after([Admitted(6)], state)[0].memory.live == 6


def test_a_rollback_from_the_cloud_may_go_back_to_a_bundle_that_this_host_had_refused() -> None:
    refused, _ = after([*good(4), announced(5), Arrived("b5"), Refused(5, "no memory"), *good(6)])
    word = announced(7, "b5", kind="rollback")
    state, actions = after([word, Arrived("b5"), Admitted(7)], refused)
    assert Admit(word.announcement) in actions
    assert state.memory.live == 7


def test_a_host_that_lost_its_bundles_rolls_back_all_the_same() -> None:
    before, _ = after(good(3, 4, 5))
    word = announced(6, "b3", kind="rollback")
    events: list[Event] = [announced(3), announced(5), word, Arrived("b3"), Admitted(6)]
    state, _ = after([Restored(before.memory, frozenset()), *events])
    assert (state.memory.live, set(state.placed)) == (6, {"b3"})


def test_an_operators_rollback_holds_back_no_later_one_from_the_cloud() -> None:
    state, _ = after([*good(3, 4, 5), commanded("roll back", 5, at=65)])
    state, _ = after([announced(6, "b5", kind="rollback", at=66), Admitted(6)], state)
    assert state.memory.live == 6


def test_a_command_that_expects_an_older_live_model_comes_too_late() -> None:
    late, _ = after([*good(5, 6), commanded("hold", 5, at=65), *good(7)])
    assert late.memory.live == 7


def test_what_was_announced_before_a_rollback_is_barred_even_if_it_comes_after_it() -> None:
    state, actions = after([*good(4, 5), commanded("roll back", 5, at=65), announced(6, at=60)])
    assert state.candidates == {}
    assert Say("refused", 6, "b6", "barred by a rollback") in actions


def test_an_old_command_that_is_read_again_has_no_second_effect() -> None:
    hold, release = commanded("hold", 5, at=55), commanded("release", 5, at=56)
    state, _ = after([*good(5), hold, release, hold, *good(6)])
    assert state.memory.live == 6


def test_a_restart_is_a_replay_that_does_nothing_twice() -> None:
    events = [*good(4, 5), announced(6), Arrived("b6"), Refused(6, "bad"), commanded("hold", 5, at=61)]
    before, _ = after(events)
    replay: list[Event] = [e for e in events if isinstance(e, Announced | Arrived | Commanded)]
    again, actions = after([Restored(before.memory, before.placed), *replay])
    assert again.memory == before.memory
    assert [a for a in actions if not isinstance(a, Drop)] == [PointLive(5, "b5")]


def test_a_host_that_lost_its_bundles_admits_them_anew() -> None:
    before, _ = after(good(4, 5))
    state, actions = after([Restored(before.memory, frozenset()), announced(5), Arrived("b5"), Admitted(5)])
    assert state.memory.live == 5
    assert Place("b5") in actions


def test_a_retired_bundle_is_dropped_unless_it_is_in_use() -> None:
    state, actions = after([*good(3, 4, 5), Retired("b3"), Retired("b4"), Retired("b5")])
    assert [a for a in actions if isinstance(a, Drop)] == [Drop("b3")]
    assert state.placed == {"b4", "b5"}


@dataclass
class Host:
    """Carries out what the machine says, and notices when a law is broken."""

    state: State = field(default_factory=State)
    admitted: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    remembered: Memory = field(default_factory=Memory)
    pointed: int | None = None

    def feed(self, event: Event) -> None:
        live, previous, commanded_ = self.state.memory.live, self.pointed, isinstance(event, Commanded)
        if isinstance(event, Admitted) and event.sequence in self.state.candidates:
            self.admitted.add(event.sequence)
        self.state, actions = step(self.state, event)
        for action in actions:
            self.carry_out(action)
        memory = self.state.memory
        if isinstance(event, Retired) and event.bundle not in memory.in_use():
            # A bundle's end takes what was said of it along; announced again it is another candidate.
            self.refused = {s: b for s, b in self.refused.items() if b != event.bundle}
        assert memory == self.remembered
        assert memory.live == self.pointed
        if memory.live != live:
            assert memory.live in self.admitted, "live only after proof"
            assert memory.live not in self.refused
            assert commanded_ or live is None or (memory.live or 0) > live, "live grows without a command"
            assert commanded_ or previous is None or previous in memory.admitted, "the one before stays"

    def carry_out(self, action: Action) -> None:
        match action:
            case Place(bundle):
                self.placed.add(bundle)
            case Remember(memory):
                self.remembered = memory
            case PointLive(sequence, bundle):
                assert bundle in self.placed
                assert self.remembered.live == sequence
                self.pointed = sequence
            case Say("refused", sequence, bundle, _):
                # While a candidate has the sequence, another announcement that claims it was meant.
                taken = sequence in self.state.candidates
                if not taken and self.state.memory.settled.get(sequence, bundle) == bundle:
                    self.refused[sequence] = bundle
            case Drop(bundle):
                assert bundle not in self.state.memory.in_use()


SEQUENCES = st.integers(1, 9)
ORDERS: st.SearchStrategy[Order] = st.sampled_from(["roll back", "hold", "release", "retrain now"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    SEQUENCES.map(announced),
    st.builds(announced, SEQUENCES, SEQUENCES.map(lambda s: f"b{s}"), st.sampled_from(["rollback", "hold"])),
    SEQUENCES.map(lambda s: Arrived(f"b{s}")),
    SEQUENCES.map(Admitted),
    SEQUENCES.map(lambda s: Refused(s, "bad")),
    SEQUENCES.map(lambda s: Retired(f"b{s}")),
    st.builds(commanded, ORDERS, SEQUENCES, st.integers(1, 200)),
)


@given(st.lists(EVENTS, max_size=60))
@example([announced(1), announced(1, "b1", "rollback"), Admitted(1)])
@example([announced(1), Retired("b1"), announced(1), Admitted(1)])
def test_no_history_breaks_a_law(history: list[Event]) -> None:
    host = Host()
    for event in history:
        host.feed(event)


@given(st.lists(EVENTS, max_size=40))
def test_the_same_thing_twice_has_one_effect(history: list[Event]) -> None:
    once, twice = State(), State()
    for event in history:
        once, _ = step(once, event)
        twice, _ = step(step(twice, event)[0], event)
    assert once.memory == twice.memory


@given(st.lists(EVENTS, max_size=40))
def test_a_restart_at_any_moment_keeps_what_is_live(history: list[Event]) -> None:
    state, _ = after(history)
    again, actions = step(State(), Restored(state.memory, state.placed))
    assert again.memory == state.memory
    assert all(isinstance(a, PointLive) for a in actions)


@given(st.sets(SEQUENCES, min_size=1), st.data())
def test_the_order_of_announcements_and_bytes_does_not_matter(
    sequences: set[int], data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.sampled_from(sorted(sequences))))
    events: list[Event] = [*map(announced, sequences), *(Arrived(f"b{s}") for s in sequences)]
    state = State()
    for event in data.draw(st.permutations(events)):
        state, actions = step(state, event)
        for one in (a.announcement.sequence for a in actions if isinstance(a, Admit)):
            state, _ = step(state, Refused(one, "bad") if one in bad else Admitted(one))
    assert state.memory.live == max(sequences - bad, default=None)
    assert state.candidates == {}
