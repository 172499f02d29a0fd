"""The contracts that run: what `hotpath deploy` put there, not the files somebody is editing.

One file a pipeline, canonical JSON, replaced whole; every part of the system reads these. Where nothing was
ever deployed (a part started by hand, a test), the contract files themselves stand in.
"""

from __future__ import annotations

from pathlib import Path

from hotpath.contract.load import load, one_of
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, BadConfig
from hotpath.files import replace
from hotpath.settings import Settings

AGAIN = "deploy it again"
_Stamp = tuple[int, int]
"""When a file was written (ns) and its inode: `replace` makes a new one."""


class Deployed:
    """A folder of deployed contracts. Read again, only what changed is parsed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[_Stamp, Contract]] = {}

    def put(self, contract: Contract) -> None:
        """This is what the pipeline runs from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        replace(self._folder / f"{contract.name}.json", contract.canonical())

    def get(self, name: str) -> Contract | None:
        """A pipeline's contract, None where it was never deployed. Raises BadArtifact on a spoilt file."""
        path = self._folder / f"{name}.json"
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if (known := self._read.get(path)) is None or known[0] != stamp:
                known = stamp, _contract(path)
                self._read[path] = known
        except FileNotFoundError:
            return None
        return known[1]

    def names(self) -> tuple[str, ...]:
        """Every pipeline that was ever deployed, sorted."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json")))

    def all(self) -> tuple[Contract, ...]:
        """Every deployed contract, sorted by name."""
        found = (self.get(name) for name in self.names())
        return tuple(contract for contract in found if contract is not None)


def contract(settings: Settings, name: str) -> Contract:
    """What a pipeline runs: deployed, or else its file. Raises BadConfig, naming those that there are."""
    store = Deployed(settings.deployed())
    known = {*store.names(), *(path.stem for path in settings.contracts())}
    if name not in known:  # an operator's text: no path is made of it before it is known
        raise BadConfig("the pipeline's name", name, one_of(name, known, settings.pipelines))
    return store.get(name) or load(settings.pipelines / f"{name}.yaml")


def contracts(settings: Settings) -> tuple[Contract, ...]:
    """Every pipeline that runs: the deployed ones, or else every contract file. Raises BadConfig."""
    return Deployed(settings.deployed()).all() or tuple(load(path) for path in settings.contracts())


def _contract(path: Path) -> Contract:
    try:
        found = Contract.from_json(path.read_bytes())
    except BadArtifact as error:  # which knows of a bundle's file only
        where = f"{path}{error.thing.removeprefix('contract.json')}"
        raise BadArtifact(where, error.value, error.expected, AGAIN) from error
    if found.name != path.stem:
        raise BadArtifact(str(path), found.name, f"the contract of {path.stem}", AGAIN)
    return found
