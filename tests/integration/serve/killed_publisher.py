"""A trainer that stops dead at a named point of a publication: `killed_publisher.py ADDRESS FOLDER POINT`.

Publishes FOLDER/bundle.zip of `things`, signed with FOLDER/signing.pem, through the store in FOLDER/store. At
POINT it touches FOLDER/reached and waits to be killed; without that point it ends with 0.
"""

import sys
import threading
from pathlib import Path

from hotpath.bundle import Sealed, sha256, unproved
from hotpath.bundle_store import BundleStore
from hotpath.clock import Clock
from hotpath.kafka import KafkaLog
from hotpath.keys import signing_key
from hotpath.publish import publish

FLUSH_S = 10.0


def main(address: str, folder: Path, wanted: str) -> None:
    """One publication."""
    packed, log = (folder / "bundle.zip").read_bytes(), KafkaLog(address)
    sealed = Sealed(unproved(packed).id, packed, sha256(packed))

    def reached(point: str) -> None:
        if point == wanted:
            log.flush(FLUSH_S)  # what was handed over is on its way to a follower
            (folder / "reached").touch()
            threading.Event().wait()

    now, store, key = Clock().now(), BundleStore(folder / "store"), signing_key(folder / "signing.pem")
    publish(sealed, "things", "fresh", now, log, store, key, reached=reached)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
