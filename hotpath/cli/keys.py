"""`hotpath keys`: the keys that bundles are signed with and verified by.

The site in the cloud signs and verifies, a site on-prem only verifies; each has a verify file of its own, and
`retire` is run at each. Nothing has to be restarted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from hotpath import keys, settings
from hotpath.bundle import signed
from hotpath.cli.options import AsJson, show
from hotpath.errors import BadConfig
from hotpath.settings import Settings
from hotpath.signatures import AnyOf, key_id
from serve.folder import BundleFolder

app = typer.Typer(no_args_is_help=True, help="The keys that sign and verify bundles.")

Key = Annotated[str, typer.Argument(help="The key's id, or its beginning, as `hotpath keys ls` says it.")]


@app.command()
def ls(as_json: AsJson = False) -> None:
    """List the keys whose signatures count here, oldest first."""
    rows = listed(settings.load())
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
    else:
        columns = ("key", "signs", "bundles in use")
        show(columns, [(r.key, "yes" if r.signs else "", " ".join(r.in_use)) for r in rows])


@app.command()
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the next key and print its public half; go on signing.")
    ] = False,
) -> None:
    """Sign with a new key from now on; what the old one signed counts until it is retired.

    With a site on-prem of its own: --prepare, `hotpath keys add FILE` there with what it prints, then rotate.
    """
    found = settings.load()
    files = found.signing_key(), found.verify_key()
    key = keys.prepare(*files) if prepare else keys.rotate(*files)
    if prepare:
        print(keys.public_pem(key).decode(), end="")
    else:
        print(f"{key_id(key)} signs from now on")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="Public keys in PEM, as rotate --prepare prints one.")],
) -> None:
    """Let the signatures of a further key count here, from now on."""
    found = settings.load()
    for key in keys.public_keys(file):
        keys.add(found.verify_key(), key)
        print(f"{key_id(key)} counts here")


@app.command()
def retire(key: Key) -> None:
    """Let a key's signatures count no longer here; refused while it signs, or signed a bundle in use."""
    found = settings.load()
    print(f"{retired(found, key)} counts no longer")


@dataclass(frozen=True)
class Known:
    """A key whose signatures count here; `in_use`: bundles of this host that it signed."""

    key: str
    signs: bool
    in_use: tuple[str, ...]


def listed(found: Settings) -> list[Known]:
    """The keys of the verify file, oldest first. Raises BadConfig, BadArtifact."""
    known, signs, used = keys.public_keys(found.verify_key()), _signs(found), in_use(found)
    by_key = {key_id(key): tuple(b for b, by in sorted(used.items()) if by == key_id(key)) for key in known}
    return [Known(key, key == signs, bundles) for key, bundles in by_key.items()]


def retired(found: Settings, named: str) -> str:
    """Take the key that `named` begins out of this site's verify file; its id.

    Raises BadConfig where it is the one that signs, where a bundle that is live here or that a rollback would
    go to is signed by it, and where it cannot be told which key is meant.
    """
    gone = key_id(keys.one_of(keys.public_keys(found.verify_key()), named))
    if gone == _signs(found):
        raise BadConfig("key", gone, "one that signs no longer", "rotate first")
    if used := sorted(bundle for bundle, by in in_use(found).items() if by == gone):
        todo = "wait until newer models have taken their places"
        raise BadConfig("key", gone, f"one that signed no bundle in use, not {', '.join(used)}", todo)
    keys.retire(found.verify_key(), gone)
    return gone


def in_use(found: Settings) -> dict[str, str]:
    """Bundles that are live on this host, or may be gone back to, and the id of the key that signed each.

    Raises BadArtifact where what the follower remembers, or a bundle, cannot be read: nothing is known then.
    """
    known = AnyOf(keys.public_keys(found.verify_key()))
    used = {}
    for path in sorted(found.bundle_folder().glob("*/follower.json")):
        folder = BundleFolder(path.parent)
        for bundle in sorted(folder.memory().in_use()):
            signer = known.signer(*signed(folder.packed(bundle)))
            used[bundle] = "" if signer is None else key_id(signer)
    return used


def _signs(found: Settings) -> str | None:
    """The id of the key that signs here; None at a site that only verifies."""
    path = found.signing_key()
    return key_id(keys.signing_key(path).public_key()) if path.exists() else None
