"""The bundle store: what the trainer remembers, in files that are created once and never changed.

`bundles/ID.zip`, `sequence/N.json` (who took number N), `runs/N.json` (what each run came to),
`forced/N.json` (what an operator made public), `parameters/N.json` (what each search found). Sequences grow
here and nowhere else, so that they survive the loss of every topic. Only a bundle is ever removed; its number
is not used again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_type_hints

from hotpath.bundle import Bundle, Sealed, sha256, unproved
from hotpath.clock import Micros, wait
from hotpath.errors import BadArtifact, shown
from hotpath.files import create, free
from hotpath.handoffs import fits

Note = TypeVar("Note")
_NUMBERED, _KEPT = re.compile(r"([1-9][0-9]*)\.json"), re.compile(r"([0-9a-f].*)\.zip")
TURN_S = 0.1
SPOILT = "restore it, or delete it"
TAKEN = 'restore it, or write {"bundle": "", "at": 0}: without the file its number would be given again'
CUT = f"{SPOILT}: then it can no longer be announced or gone back to"
State = Literal["trained", "waiting", "refused", "failed"]
"""`waiting`: it passed the gate but for outcomes in the shadow."""


@dataclass(frozen=True)
class Run:
    """What one run came to. `seconds` are real, by stage; `sequence` is set where it was announced.

    `metrics`: its model's quality on the holdout, by name; empty where it came to no model. `left_out`:
    events of its window that became no row, by reason. `fingerprint`: its contract's; None in older notes.
    `bundle`: what it sealed, also where the gate held it back. `reasons`: the gate's, each {rule, value,
    asked, holds, says}.
    """

    state: State
    why: str
    began_at: Micros
    seconds: dict[str, float]
    metrics: dict[str, float] = field(default_factory=dict)
    bundle: str | None = None
    sequence: int | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    fingerprint: str | None = None
    reasons: list[dict[str, object]] = field(default_factory=list)

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve on the holdout; None where no binary model was grown."""
        return self.metrics.get("auc")


@dataclass(frozen=True)
class Forced:
    """An operator's word that a bundle goes live, whatever the gate said of it."""

    bundle: str
    sequence: int
    by: str
    why: str
    at: Micros


def waiting(runs: Sequence[Run]) -> Run | None:
    """The challenger that waits for outcomes of its own: until a later run says what became of it.

    >>> waited = Run("waiting", "", 7, {}, bundle="b")
    >>> waiting([waited]) is waited, waiting([waited, Run("refused", "", 9, {}, bundle="b")])
    (True, None)
    """
    known = [run for run in runs if run.bundle is not None]
    if not known or known[-1].state != "waiting":
        return None
    return next(run for run in known if run.bundle == known[-1].bundle)


class BundleStore:
    """One pipeline's folder of the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One at a time publishes or takes back: trainer, monitoring and an operator share the store."""
        while (held := free(self._folder / ".publish.lock")) is None:
            wait(TURN_S)
        with held:
            yield

    def keep(self, sealed: Sealed) -> None:
        """Keep a bundle; one that is kept already is the same. Raises BadArtifact where it is not."""
        path = self._folder / "bundles" / f"{sealed.id}.zip"
        if not create(path, sealed.packed) and sha256(path.read_bytes()) != sealed.sha256:
            raise BadArtifact(str(path), "other bytes", f"the bundle that hashes to {sealed.sha256}")

    def sealed(self, bundle: str) -> Sealed:
        """A kept bundle as it was sealed. Raises BadArtifact where its bytes are not there."""
        path = self._folder / "bundles" / f"{bundle}.zip"
        try:
            packed = path.read_bytes()
        except OSError as error:
            raise BadArtifact(str(path), error.strerror, "the bundle's bytes, kept") from error
        return Sealed(bundle, packed, sha256(packed))

    def kept(self) -> list[str]:
        """Ids of the bundles that are kept, announced or not, sorted."""
        found = (_KEPT.fullmatch(name) for name in _names(self._folder / "bundles"))
        return sorted(name[1] for name in found if name)

    def remove(self, bundle: str) -> None:
        """Keep a bundle no longer; one that is gone already is gone."""
        (self._folder / "bundles" / f"{bundle}.zip").unlink(missing_ok=True)

    def taken(self) -> dict[int, dict[str, object]]:
        """Every number that was taken, and for what; nothing says that it was announced.

        Raises BadArtifact on a note that does not read.
        """
        folder = self._folder / "sequence"
        what = "what a number was taken for"
        return {n: _noted(folder / f"{n}.json", what, _object, TAKEN) for n in _numbers(folder)}

    def bundle(self, bundle: str) -> Bundle:
        """A kept bundle's content and facts. Raises BadArtifact where it is not kept whole."""
        path = self._folder / "bundles" / f"{bundle}.zip"
        try:
            return unproved(path.read_bytes())
        except BadArtifact as error:  # which knows its bytes only
            raise BadArtifact(f"{path}: {error.thing}", error.value, error.expected, CUT) from error
        except (OSError, ValueError) as error:  # a name that came from outside may be no file's at all
            raise BadArtifact(f"bundle {bundle}", str(error), "one that the store keeps") from error

    def facts(self, bundle: str) -> Mapping[str, object]:
        """What the trainer recorded of a kept bundle. Raises BadArtifact where it is not kept whole."""
        return self.bundle(bundle).facts

    def take_sequence(self, of: Mapping[str, object]) -> int:
        """The next number, taken for good: where two ask, each gets its own."""
        return self._append("sequence", of)

    def record(self, run: Run) -> int:
        """Remember a run, whatever it came to."""
        return self._append("runs", asdict(run))

    def runs(self) -> tuple[Run, ...]:
        """Every run, oldest first. Raises BadArtifact on a note that does not read."""
        return tuple(self.runs_after(0).values())

    def runs_after(self, number: int) -> dict[int, Run]:
        """The runs noted after that one, by number. Raises BadArtifact on a note that does not read."""
        folder = self._folder / "runs"
        return {n: _run(folder / f"{n}.json") for n in _numbers(folder) if n > number}

    def note_forced(self, forced: Forced) -> int:
        """Remember what an operator made public."""
        return self._append("forced", asdict(forced))

    def forced(self) -> tuple[Forced, ...]:
        """What operators made public, oldest first. Raises BadArtifact on a note that does not read."""
        folder = self._folder / "forced"
        return tuple(_noted(folder / f"{n}.json", "an operator's note", _forced) for n in _numbers(folder))

    def keep_chosen(self, chosen: Mapping[str, object]) -> int:
        """Remember what a search found; it is the newest from now on."""
        return self._append("parameters", chosen)

    def chosen(self) -> dict[str, Any] | None:
        """What the newest search found; None before the first. Raises BadArtifact where it does not read."""
        folder = self._folder / "parameters"
        if not (numbers := _numbers(folder)):
            return None
        return _noted(folder / f"{numbers[-1]}.json", "what a search found", _object)

    def _append(self, kind: str, content: Mapping[str, object]) -> int:
        number = max(_numbers(self._folder / kind), default=0) + 1
        while not create(self._folder / kind / f"{number}.json", json.dumps(content).encode()):
            number += 1
        return number


def _run(path: Path) -> Run:
    return _noted(path, "a run's note", lambda raw: _typed(Run(**_newest(_object(raw)))))


def _forced(raw: dict[str, Any]) -> Forced:
    return _typed(Forced(**_object(raw)))


def _object(raw: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise TypeError("no JSON object")
    return raw


def _typed(note: Note) -> Note:
    """The note, if every field has the type that it declares. Raises TypeError."""
    for name, hint in _hints(cast("Hashable", type(note))).items():
        if not _holds(value := getattr(note, name), hint):
            raise TypeError(f"{name} is {shown(value)}")
    return note


@cache  # resolving the hints costs many times what a note does
def _hints(record: Hashable) -> Mapping[str, object]:
    return get_type_hints(record)


def _holds(value: object, hint: object) -> bool:
    """Whether a field's value, and each that it is made of, has the declared type."""
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return fits(value, hint) and all(fits(part, get_args(hint)[-1]) for part in each)


def _noted(path: Path, what: str, of: Callable[[dict[str, Any]], Note], todo: str = SPOILT) -> Note:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadArtifact(str(path), error.strerror, what, "make it readable") from error
    try:
        return of(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise BadArtifact(str(path), data, what, todo) from error
    except TypeError as error:
        raise BadArtifact(str(path), str(error), what, todo) from error


def _newest(note: dict[str, Any]) -> dict[str, Any]:
    """A note in today's shape: the oldest ones know one metric only."""
    if "auc" not in note:
        return note
    auc = note.pop("auc")
    return {**note, "metrics": {} if auc is None else {"auc": auc}}


def _numbers(folder: Path) -> list[int]:
    """Of the notes in a folder, sorted; what is called like no note is passed over."""
    found = (_NUMBERED.fullmatch(name) for name in _names(folder))
    return sorted(int(name[1]) for name in found if name)


def _names(folder: Path) -> list[str]:
    """Of what stands in a folder; none before it was made.

    Raises BadArtifact where it cannot be read: such a store is not an empty one.
    """
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadArtifact(str(folder), error.strerror, "a folder that can be read", "restore it") from error
