"""Contract files (adapter: reads them). One YAML file a pipeline, named like the pipeline."""

from __future__ import annotations

from pathlib import Path

from hotpath.contract.model import Contract
from hotpath.errors import BadConfig


def load(path: Path) -> Contract:
    """The contract in `path`. Raises BadConfig: `file:line:column: key`, value, expectation, nearest name."""
    text = _text(path)
    contract = Contract.from_yaml(text, str(path), lambda name: _text(path.parent / name))
    if contract.name != path.stem:
        raise BadConfig(f"{path}: name", contract.name, f"the file's name, {path.stem}", "rename one of them")
    return contract


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable file") from error
    except UnicodeDecodeError as error:
        raise BadConfig(str(path), f"byte {error.start}", "UTF-8 text") from error
