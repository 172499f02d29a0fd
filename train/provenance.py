"""Which code made a bundle: package versions and the revision of the source tree."""

import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("hotpath", "h2o", "pyspark", "pyarrow")
UNKNOWN = "unknown"


def versions() -> dict[str, str]:
    """Versions of the packages that shape a model."""
    return {name: version(name) for name in PACKAGES}


def revision(tree: Path) -> str:
    """The commit of `tree`, with "+" where files differ from it; "unknown" without git or a work tree."""
    command = ["git", "-C", str(tree), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return UNKNOWN
    return found.stdout.strip() or UNKNOWN
