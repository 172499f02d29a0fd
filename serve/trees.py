"""Whether a MOJO of trees holds as many as it says: genmodel passes over one that is missing without a word.

Pure. A model.ini has `n_trees`, and a tree stands as `trees/tCC_TTT.bin`, one a class that the window had
(hex.genmodel.algos.tree.SharedTreeMojoReader). Models without trees pass.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

from hotpath.errors import BadArtifact

_COUNT = re.compile(r"^n_trees = (\d{1,9})$", re.MULTILINE)
_TREE = re.compile(r"trees/t\d+_(\d+)\.bin")
_MOST_INI = 16 * 1024 * 1024
"""Bytes of a model.ini, which names every column."""


def whole(mojo: bytes) -> None:
    """Raises BadArtifact where trees are missing, or are more than are counted, or where it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(mojo)) as archive:
            names = archive.namelist()
            if (size := archive.getinfo("model.ini").file_size) > _MOST_INI:
                raise BadArtifact("model.ini", f"{size} bytes", f"at most {_MOST_INI}")
            said = _COUNT.search(archive.read("model.ini").decode())
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, OSError, EOFError) as error:
        raise BadArtifact("model.zip", str(error), "a MOJO") from error
    if said is not None:
        _counted(int(said[1]), names)


def _counted(trees: int, names: Iterable[str]) -> None:
    found = {int(tree[1]) for name in names if (tree := _TREE.fullmatch(name))}
    if len(found) != trees or max(found, default=-1) != trees - 1:
        last = f"{len(found)}, the last of them {max(found, default=None)}"
        raise BadArtifact("model.zip's trees", last, f"{trees} from 0 on, as its model.ini counts")
