"""Whether a candidate still takes what callers of the live model send: the contracts of two bundles compared.

The rules are `hotpath.contract.compatibility`'s. Who means to break callers gives the new contract a name of
its own: both models answer until the last caller has moved.
"""

from __future__ import annotations

import logging

from hotpath.bundle import opened
from hotpath.contract.compatibility import breaks_callers
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.signatures import Verifies
from serve.folder import BundleFolder

log = logging.getLogger(__name__)


def keeps_callers(folder: BundleFolder, live: str, candidate: bytes, key: Verifies) -> None:
    """Raises BadArtifact naming each reason against `candidate` (packed, proved) beside the bundle `live`.

    A live one that cannot be read any more holds nothing back: after the next start it would answer nobody.
    """
    try:
        now = _contract(folder.packed(live), key)
    except BadArtifact as error:
        log.warning("nothing to compare a candidate with: %s", error)
        return
    if reasons := breaks_callers(now, _contract(candidate, key)):
        expected = "what callers send now taken, and answered alike"
        todo = "mend that, or give the changed contract another name"
        raise BadArtifact("candidate's contract", "; ".join(reasons), expected, todo)


def _contract(packed: bytes, key: Verifies) -> Contract:
    return Contract.from_json(opened(packed, key).files["contract.json"])
