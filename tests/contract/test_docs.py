"""The reference page is what the tables say."""

from __future__ import annotations

from pathlib import Path

from hotpath.contract.docs import markdown
from hotpath.contract.functions import FUNCTIONS
from hotpath.contract.keys import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "contract.md"


def test_the_page_in_docs_is_rendered_from_the_tables() -> None:
    assert PAGE.read_text() == markdown(), "run make docs"


def test_the_page_names_every_key_and_function() -> None:
    page = markdown()
    assert all(f"`{key.name}`" in page for keys in SECTIONS.values() for key in keys)
    assert all(f"| `{function.name}`" in page for function in FUNCTIONS)
