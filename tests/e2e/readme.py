"""The README's commands, as a newcomer would copy them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotpath.settings import PROJECT


@dataclass(frozen=True)
class Block:
    """A fenced block of the README."""

    language: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+)\n(.*?)^```", (PROJECT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def commands() -> list[str]:
    """Every command of the console blocks, comments cut off; a quoted body keeps its lines."""
    lines = "\n".join(b.text for b in blocks() if b.language == "console")
    return [c.strip() for c in re.findall(r"(?:[^'\n]|'[^']*')+", re.sub(r"\s+# .*", "", lines)) if c.strip()]


def snippets() -> list[str]:
    """Every Python block."""
    return [b.text for b in blocks() if b.language == "python"]
