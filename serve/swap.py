"""Which generation is live on this host: a pure machine, `step(state, event) -> (state, actions)`.

Owns the order of sequences, an operator's bars and holds, and what is kept for a rollback. Knows no file,
no Kafka and no JVM: the follower feeds it events and carries out its actions in the order given.

    announced ─┐
               ├─▶ candidate ─ Admit ─▶ admitted ─▶ live ─▶ previous
    arrived  ──┘        └────▶ refused (said once, with why; what is live stays)

The highest admitted sequence that no rollback bars is live; while a hold lasts, nothing newer goes live.
A rollback bars, from the sequence its operator saw live, every sequence announced before it; a command that
expects an older sequence than the live one comes too late and has no effect. A hold that the cloud announces
takes a sequence, names no new model, and lasts until an operator here releases it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hotpath.handoffs import Announcement, Command
from serve.moves import (
    Action,
    Admit,
    Admitted,
    Announced,
    Arrived,
    Bar,
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

Step = tuple[State, tuple[Action, ...]]


def step(state: State, event: Event) -> Step:
    """What `event` makes of `state`, and what to do about it. Total: raises nothing."""
    after, actions = _step(state, event)
    if after.memory == state.memory or isinstance(event, Restored):
        return after, actions
    places = tuple(a for a in actions if isinstance(a, Place))
    others = tuple(a for a in actions if not isinstance(a, Place))
    return after, (*places, Remember(after.memory), *others)


def _step(state: State, event: Event) -> Step:
    match event:
        case Announced(announcement):
            return _announced(state, announcement)
        case Arrived(bundle):
            return _arrived(state, bundle)
        case Admitted(sequence):
            return _admitted(state, sequence)
        case Refused(sequence, why):
            return _refused(state, [sequence], why)
        case Commanded(command):
            return _commanded(state, command)
        case Retired(bundle):
            return _retired(state, bundle)
        case Restored(memory, placed):
            return _restored(memory, placed)


def _announced(state: State, a: Announcement) -> Step:
    memory = state.memory
    if memory.settled.get(a.sequence) == a.bundle or state.candidates.get(a.sequence) == a:
        return state, ()
    if a.sequence <= memory.newest:
        return _unwanted(state, a, f"older sequence: {memory.newest} was admitted before it")
    if a.sequence in memory.settled or a.sequence in state.candidates:
        return _unwanted(state, a, "sequence taken by another announcement")
    if memory.barred(a):
        return _unwanted(state, a, "barred by a rollback")
    if a.kind == "hold":
        held = replace(_settle(memory, [a]), held=True)
        return replace(state, memory=held), (Say("admitted", a.sequence, a.bundle, f"held: {a.why}"),)
    after = replace(state, candidates={**state.candidates, a.sequence: a})
    return after, (Admit(a),) if a.bundle in state.arrived | state.placed else ()


def _arrived(state: State, bundle: str) -> Step:
    waiting = [a for a in state.candidates.values() if a.bundle == bundle]
    if bundle in state.arrived or bundle in state.placed:
        return state, ()
    if not waiting and bundle in state.memory.settled.values():
        return state, (Drop(bundle),)
    return replace(state, arrived=state.arrived | {bundle}), tuple(Admit(a) for a in waiting)


def _admitted(state: State, sequence: int) -> Step:
    if (a := state.candidates.get(sequence)) is None:
        return state, ()
    settled = _settle(state.memory, [a])
    memory = replace(settled, newest=sequence, admitted={**settled.admitted, sequence: a})
    admitted = replace(
        state,
        memory=memory,
        candidates=_without(state.candidates, [sequence]),
        arrived=state.arrived - {a.bundle},
        placed=state.placed | {a.bundle},
    )
    said = (Place(a.bundle), Say("admitted", sequence, a.bundle, a.why))
    older = [s for s in admitted.candidates if s < sequence]
    after, refusals = _refused(admitted, older, f"older sequence: {sequence} was admitted before it")
    moved, moves = _moved(after)
    return moved, (*said, *moves, *refusals)


def _refused(state: State, sequences: Iterable[int], why: str) -> Step:
    gone = [state.candidates[s] for s in sequences if s in state.candidates]
    candidates = _without(state.candidates, [a.sequence for a in gone])
    after = replace(state, memory=_settle(state.memory, gone), candidates=candidates)
    said = (Say("refused", a.sequence, a.bundle, why) for a in gone)
    after, drops = _dropped(after, {a.bundle for a in gone})
    return after, (*said, *drops)


def _unwanted(state: State, a: Announcement, why: str) -> Step:
    """Refuse what never became a candidate; a sequence that is taken keeps its first bundle."""
    taken = a.sequence in state.memory.settled or a.sequence in state.candidates
    if taken:
        after, drops = _dropped(state, {a.bundle})
        return after, (Say("refused", a.sequence, a.bundle, why), *drops)
    candidate = replace(state, candidates={**state.candidates, a.sequence: a})
    return _refused(candidate, [a.sequence], why)


def _commanded(state: State, command: Command) -> Step:
    memory = state.memory
    if command.at <= memory.heard.get(command.kind, -1):
        return state, ()
    heard = replace(memory, heard={**memory.heard, command.kind: command.at})
    state = replace(state, memory=heard)
    if memory.live is not None and memory.live > command.expects:
        return state, ()
    match command.kind:
        case "roll back":
            return _rolled_back(state, command)
        case "hold":
            return replace(state, memory=replace(heard, held=True)), ()
        case "release":
            return _moved(replace(state, memory=replace(heard, held=False)))
        case _:
            return state, ()


def _rolled_back(state: State, command: Command) -> Step:
    known = (*state.memory.settled, *state.candidates, command.expects)
    bar = Bar(command.expects, max(known), command.at)
    memory = replace(state.memory, bars=state.memory.bars | {bar})
    if state.memory.live is not None and not memory.eligible():
        return state, ()  # A rollback to nothing would leave no model: law 6 goes before it.
    barred = [s for s, a in state.candidates.items() if bar.holds_back(a)]
    after, refusals = _refused(replace(state, memory=memory), barred, "barred by a rollback")
    moved, moves = _moved(after)
    return moved, (*moves, *refusals)


def _retired(state: State, bundle: str) -> Step:
    waiting = [s for s, a in state.candidates.items() if a.bundle == bundle]
    after, refusals = _refused(state, waiting, "retired before it was admitted")
    if bundle in after.memory.in_use():
        return after, refusals
    settled = {s: b for s, b in after.memory.settled.items() if b != bundle}
    after = replace(
        after,
        memory=replace(after.memory, settled=settled),
        arrived=after.arrived - {bundle},
        placed=after.placed - {bundle},
    )
    return after, (*(a for a in refusals if isinstance(a, Say)), Drop(bundle))


def _restored(memory: Memory, placed: frozenset[str]) -> Step:
    """What stands in the folder counts: a generation that was lost from it is admitted anew by the replay."""
    there = {s: a for s, a in memory.admitted.items() if a.bundle in placed}
    lost = memory.admitted.keys() - there.keys()
    if lost:
        settled = {s: b for s, b in memory.settled.items() if s not in lost}
        memory = replace(memory, admitted=there, settled=settled, newest=max(there, default=0))
        live = memory.live if memory.live in there else max(memory.eligible(), default=None)
        memory = replace(memory, live=live)
    state = State(memory=memory, placed=placed)
    if memory.live is None:
        return state, ()
    return state, (PointLive(memory.live, memory.admitted[memory.live].bundle),)


def _moved(state: State) -> Step:
    """Live where it belongs; generations that nothing can go back to are let go of."""
    target = _target(state.memory)
    if target is None or target == state.memory.live:
        return state, ()
    memory = replace(state.memory, live=target)
    oldest = target if memory.previous is None else memory.previous
    kept = {s: memory.admitted[s] for s in memory.eligible() if s >= oldest}
    after = replace(state, memory=replace(memory, admitted=kept))
    return after, (PointLive(target, memory.admitted[target].bundle),)


def _target(memory: Memory) -> int | None:
    best = max(memory.eligible(), default=None)
    upwards = best is not None and (memory.live is None or best > memory.live)
    return memory.live if memory.held and upwards else best


def _dropped(state: State, refused: set[str]) -> Step:
    """Without the bytes of refused bundles that no other sequence wants."""
    gone = refused - {a.bundle for a in state.candidates.values()} - state.placed
    return replace(state, arrived=state.arrived - gone), tuple(Drop(bundle) for bundle in sorted(gone))


def _settle(memory: Memory, judged: Iterable[Announcement]) -> Memory:
    return replace(memory, settled={**memory.settled, **{a.sequence: a.bundle for a in judged}})


def _without(candidates: Mapping[int, Announcement], sequences: Iterable[int]) -> Mapping[int, Announcement]:
    gone = set(sequences)
    return {s: a for s, a in candidates.items() if s not in gone}
