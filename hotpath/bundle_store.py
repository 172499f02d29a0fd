"""The bundle store: what the trainer remembers, in files that are created once and never changed.

`bundles/ID.zip`, `sequence/N.json` (who took number N), `runs/N.json` (what each run came to). Sequences grow
here and nowhere else, so that they survive the loss of every topic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hotpath.bundle import Bundle, Sealed, sha256, unproved
from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.files import create

State = Literal["trained", "refused", "failed"]


@dataclass(frozen=True)
class Run:
    """What one run came to. `seconds` are real, by stage; `sequence` is set where it was announced.

    `metrics`: its model's quality on the holdout, by name; empty where it came to no model. `left_out`:
    events of its window that became no row, by reason. `fingerprint`: its contract's; None in older notes.
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

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve on the holdout; None where no binary model was grown."""
        return self.metrics.get("auc")


class BundleStore:
    """One pipeline's folder of the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
        return sorted(path.stem for path in (self._folder / "bundles").glob("[0-9a-f]*.zip"))

    def taken(self) -> dict[int, dict[str, object]]:
        """Every number that was taken, and for what; nothing says that it was announced."""
        folder = self._folder / "sequence"
        return {n: json.loads((folder / f"{n}.json").read_bytes()) for n in _numbers(folder)}

    def bundle(self, bundle: str) -> Bundle:
        """A kept bundle's content and facts. Raises BadArtifact where it is not kept whole."""
        path = self._folder / "bundles" / f"{bundle}.zip"
        try:
            return unproved(path.read_bytes())
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

    def _append(self, kind: str, content: Mapping[str, object]) -> int:
        number = max(_numbers(self._folder / kind), default=0) + 1
        while not create(self._folder / kind / f"{number}.json", json.dumps(content).encode()):
            number += 1
        return number


def _run(path: Path) -> Run:
    data = path.read_bytes()
    try:
        return Run(**_newest(json.loads(data)))
    except (ValueError, TypeError) as error:
        raise BadArtifact(str(path), data, "a run's note", "restore it, or delete it") from error


def _newest(note: dict[str, Any]) -> dict[str, Any]:
    """A note in today's shape: the oldest ones know one metric only."""
    if "auc" not in note:
        return note
    auc = note.pop("auc")
    return {**note, "metrics": {} if auc is None else {"auc": auc}}


def _numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("[0-9]*.json"))
