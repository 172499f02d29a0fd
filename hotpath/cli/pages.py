"""`make docs`: writes every page that is rendered, below the project's root.

python -m hotpath.cli.pages
"""

from __future__ import annotations

from hotpath import settings
from hotpath.contract.compatibility_rules import page as compatibility
from hotpath.contract.docs import markdown
from hotpath.contract.load import load
from hotpath.contract.reference import pages
from hotpath.files import replace
from hotpath.settings import PROJECT


def rendered() -> dict[str, str]:
    """The pages of the contract's language and changes, and of each pipeline, by their paths."""
    contracts = [load(path) for path in settings.load().contracts()]
    return {"docs/contract.md": markdown(), "docs/compatibility.md": compatibility(), **pages(contracts)}


def main() -> None:
    """Write them."""
    for path, text in rendered().items():
        (PROJECT / path).parent.mkdir(parents=True, exist_ok=True)
        replace(PROJECT / path, text.encode())


if __name__ == "__main__":
    main()
