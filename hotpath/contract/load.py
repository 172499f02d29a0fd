"""Contract files (adapter: reads them). One YAML file a pipeline, named like the pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hotpath.contract.model import Contract
from hotpath.contract.strict_yaml import nearest
from hotpath.errors import BadConfig


def load(path: Path) -> Contract:
    """The contract in `path`. Raises BadConfig: `file:line:column: key`, value, expectation, nearest name."""
    try:
        text = _text(path)
    except BadConfig as error:
        if isinstance(error.__cause__, FileNotFoundError):
            known = one_of(path.stem, (other.stem for other in path.parent.glob("*.yaml")), path.parent)
            raise BadConfig(str(path), error.value, known) from error
        raise
    contract = Contract.from_yaml(text, str(path), lambda name: _text(path.parent / name))
    if contract.name != path.stem:
        raise BadConfig(f"{path}: name", contract.name, f"the file's name, {path.stem}", "rename one of them")
    return contract


def one_of(name: str, known: Iterable[str], folder: Path) -> str:
    """What was expected where `name` is no pipeline: those that there are, and which may have been meant."""
    if not (names := sorted(known)):
        return f"a pipeline; {folder} has none, hotpath new makes one"
    return f"a pipeline, one of {', '.join(names)}{nearest(name, names)}"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable file") from error
    except UnicodeDecodeError as error:
        raise BadConfig(str(path), f"byte {error.start}", "UTF-8 text") from error
