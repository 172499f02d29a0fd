"""Where a search's own folder stands, and its end.

Apart from what is in it (train/search_folder.py), for the trainer asks for both and holds no tables itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from train.folder import Folder


def place(folder: Folder) -> Path:
    """The folder of the search that belongs to a run's folder, beside it: every run empties its own."""
    return folder.path.with_name(f"{folder.path.name}.search")


def over(folder: Folder) -> None:
    """What the search found is kept elsewhere: nothing of its folder, if there is one, is needed."""
    if place(folder).exists():
        shutil.rmtree(place(folder))
