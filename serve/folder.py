"""The bundle folder: what the follower and the workers of one host share, one folder a pipeline.

    PIPELINE/BUNDLE/bundle.zip   an admitted bundle, packed and signed as it came; appears whole
    PIPELINE/live.json           which generation is live; replaced by rename
    PIPELINE/follower.json       what the follower remembers; nobody else reads it

Owns paths and formats. Proves nothing: whoever reads a bundle verifies it (`hotpath.bundle.opened`).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hotpath.clock import Micros
from hotpath.errors import BadArtifact, BadInput
from hotpath.files import replace
from hotpath.handoffs import Announcement, Record
from serve.moves import Bar, Memory

_BUNDLE = re.compile(r"[0-9a-f]{8,64}")
_REBUILD = "a file the follower wrote", "delete it: the follower rebuilds it from its topics"


@dataclass(frozen=True)
class Pointer(Record):
    """`live.json`: the generation that workers answer with, and when it became so."""

    sequence: int
    bundle: str
    at: Micros


class BundleFolder:
    """One pipeline's folder. One writer (the follower), many readers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def pipeline(self) -> str:
        """The pipeline is the folder's name."""
        return self.root.name

    def packed(self, bundle: str) -> bytes:
        """The bundle's bytes. Raises BadArtifact where they are not there."""
        try:
            return self._packed(bundle).read_bytes()
        except OSError as error:
            raise BadArtifact(
                f"bundle {bundle}", error.strerror, "a readable bundle in the folder"
            ) from error

    def place(self, bundle: str, packed: bytes) -> None:
        """Put the bundle where workers look; it is there whole or not at all."""
        replace(self._packed(bundle), packed)

    def placed(self) -> frozenset[str]:
        """Ids of the bundles that stand here."""
        return frozenset(path.parent.name for path in self.root.glob("*/bundle.zip"))

    def drop(self, bundle: str) -> None:
        """Remove the bundle, if it is here; what cannot be removed is never pointed at and does no harm."""
        shutil.rmtree(self._packed(bundle).parent, ignore_errors=True)

    def pointer(self) -> Pointer | None:
        """What is live, or None before the first. Raises BadArtifact on a file that is no pointer."""
        try:
            return Pointer.from_bytes(self._live.read_bytes())
        except FileNotFoundError:
            return None
        except BadInput as error:
            raise BadArtifact(str(self._live), error.value, *_REBUILD) from error

    def point(self, pointer: Pointer) -> None:
        """Make a placed generation live."""
        replace(self._live, pointer.to_bytes())

    def remember(self, memory: Memory) -> None:
        """Write down what a restarted follower must know."""
        replace(self._memory, json.dumps(_plain(memory)).encode())

    def memory(self) -> Memory:
        """What the follower knew; an empty memory the first time. Raises BadArtifact on an unreadable one."""
        try:
            return _memory(json.loads(self._memory.read_bytes()))
        except FileNotFoundError:
            return Memory()
        except (ValueError, KeyError, TypeError, BadInput) as error:
            raise BadArtifact(str(self._memory), str(error), *_REBUILD) from error

    @property
    def _live(self) -> Path:
        return self.root / "live.json"

    @property
    def _memory(self) -> Path:
        return self.root / "follower.json"

    def _packed(self, bundle: str) -> Path:
        if not _BUNDLE.fullmatch(bundle):
            raise BadArtifact("bundle's id", bundle, "8 to 64 hexadecimal digits")
        return self.root / bundle / "bundle.zip"


def _plain(memory: Memory) -> Mapping[str, object]:
    return {
        **vars(memory),
        "admitted": [asdict(a) for a in memory.admitted.values()],
        "settled": sorted(memory.settled.items()),
        "bars": [asdict(bar) for bar in memory.bars],
    }


def _memory(raw: Mapping[str, Any]) -> Memory:
    admitted = [Announcement.from_fields(a) for a in raw["admitted"]]
    return Memory(
        live=raw["live"],
        newest=raw["newest"],
        admitted={a.sequence: a for a in admitted},
        settled=dict(raw["settled"]),
        bars=frozenset(Bar(**bar) for bar in raw["bars"]),
        held=raw["held"],
        heard=raw["heard"],
    )
