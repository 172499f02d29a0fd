"""From a placed bundle to a generation that may answer: verified again, built, warmed (watcher thread)."""

from __future__ import annotations

from collections.abc import Callable

from hotpath.bundle import opened
from hotpath.errors import BadArtifact
from hotpath.signatures import Verifies
from serve import golden
from serve.folder import BundleFolder, Pointer
from serve.generation import Generation, LoadModel, build
from serve.proof import warm


def loader(key: Verifies, load: LoadModel) -> Callable[[BundleFolder, Pointer], Generation]:
    """What `Slots` loads with: signature and hashes are proved every time, the disk is not trusted."""

    def generation(folder: BundleFolder, pointer: Pointer) -> Generation:
        bundle = opened(folder.packed(pointer.bundle), key)
        if bundle.id != pointer.bundle:
            raise BadArtifact(
                f"bundle in folder {pointer.bundle}", bundle.id, "the bundle the folder is named by"
            )
        made = build(bundle, pointer.sequence, folder.pipeline, load)
        warm(made, golden.read(bundle.files["golden.parquet"], made.contract))
        return made

    return generation
