"""Archives of the classes that a JVM of ours loads at its start: with one it starts in half the time.

Class data sharing of the JDK (JEP 350). `make classes` makes them (hotpath/local/archive_classes.py); a JVM
that finds one made for another Java or other jars warns and does without.
"""

from __future__ import annotations

from pathlib import Path

from hotpath.settings import PROJECT

FOLDER = PROJECT / ".jars" / "classes"


def archive(name: str) -> Path:
    """Where the archive of that name lies: `kafka`, `mirror` or `spark`."""
    return FOLDER / f"{name}.jsa"


def shared(name: str) -> tuple[str, ...]:
    """What a JVM is told to use it; nothing where there is none."""
    found = archive(name)
    return (f"-XX:SharedArchiveFile={found}",) if found.exists() else ()


def made(at: Path) -> tuple[str, ...]:
    """What a JVM is told to leave one there at its end, silent on the many classes that it cannot keep."""
    return (f"-XX:ArchiveClassesAtExit={at}", "-Xlog:cds=error", "-Xlog:cds+dynamic=error")
