"""The bundle rows of the table of bad inputs: each is refused in a process of its own, in little room.

`make bench` says how soon (benchmarks/refusals.py).

All but the first few are signed as a bundle should be: what is wrong with them only the proof can find.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import CONTENT, ENTRIES, Sealed, sha256
from hotpath.clock import Clock, wait
from hotpath.handoffs import MODELS
from hotpath.keys import public_pem
from hotpath.settings import PROJECT
from serve.admission import _why
from tests.integration.serve import bundles
from tests.integration.serve.conftest import Host

MEMORY_MB = 512
DEADLINE_S = 60.0
KEY, ANOTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
Packed = Callable[[], bytes]
FLIPPED = ("contract.json", "model.zip", "manifest.sig")
"""One entry of each sort: tests/unit/kernel/test_bundle.py flips every bit there is."""


@dataclass(frozen=True)
class Refusal:
    """What a proof came to: exit code, why, CPU seconds of all its threads, the most memory it held."""

    code: int
    why: str
    cpu_s: float
    memory_mb: float


def proved(packed: bytes, folder: Path) -> Refusal:
    """The sandbox's word on these bytes."""
    file, key, said = folder / "bundle.zip", folder / "verify.pem", folder / "said"
    file.write_bytes(packed)
    key.write_bytes(public_pem(KEY.public_key()))
    command = [sys.executable, "-m", "serve.sandbox", str(file), str(key), bundles.PIPELINE]
    with said.open("wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=PROJECT)
    clock, most = Clock(), 0.0
    end = clock.elapsed() + DEADLINE_S
    while (ended := os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
        # Of this program: the highest of wait4's would be of the test's own, before it became the sandbox.
        most = max(most, held_mb(child.pid))
        assert clock.elapsed() < end
        wait(0.01)
    assert ended.si_pid == child.pid
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    why = _why(said.read_text(errors="replace").strip(), child.returncode)
    return Refusal(child.returncode, why, used.ru_utime + used.ru_stime, most)


def held_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def mojo(
    kind: str = "categories", less: str = "", more: dict[str, bytes] | None = None, **edits: str
) -> bytes:
    """The model with lines of its model.ini replaced, an entry left out, entries put in."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(bundles.MOJOS[kind]) as known,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        entries = {name: known.read(name) for name in known.namelist() if name != less}
        ini = entries["model.ini"].decode()
        for name, value in edits.items():
            line = next(line for line in ini.splitlines() if line.startswith(f"{name} ="))
            ini = ini.replace(line, f"{name} = {value}")
        for name, data in {**entries, "model.ini": ini.encode(), **(more or {})}.items():
            made.writestr(name, data)
    return out.getvalue()


def entry(name: str, kind: str = "categories") -> bytes:
    with zipfile.ZipFile(bundles.MOJOS[kind]) as known:
        return known.read(name)


def swapped_columns() -> bytes:
    ini = entry("model.ini").replace(b"\nn01\nn02\n", b"\nn02\nn01\n")
    return mojo(more={"model.ini": ini})


def of(kind: str = "categories", key: Ed25519PrivateKey = KEY, **changed: bytes) -> bytes:
    return bundles.sealed(kind, key, None, **changed).packed


def entries(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def flipped(name: str) -> bytes:
    """One bit of the middle of an entry, where it stands in the pack."""
    packed = bytearray(of())
    inside = packed.index(entries(bytes(packed))[name])
    packed[inside + len(entries(bytes(packed))[name]) // 2] ^= 1
    return bytes(packed)


def crowded() -> bytes:
    """Three hundred thousand empty entries beside a bundle's own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(300_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    return out.getvalue()


def long_texts(columns: int) -> bytes:
    """Golden rows of one text of 40 MB, met 10,000 times: small in the file, 400 GB a column in memory."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), ["x" * 40_000_000])
    names = [f"event.{f.name}" for f in bundles.contract("categories").events.fields][:columns]
    out = io.BytesIO()
    pq.write_table(pa.table(dict.fromkeys(names, text)), out, use_dictionary=True, compression="zstd")
    return out.getvalue()


def golden(column: str, value: float) -> bytes:
    columns = bundles.golden("categories")
    return bundles.parquet({**columns, column: [value, *columns[column][1:]]})


# what is wrong: the bundle, and what is said of it
ROWS: dict[str, tuple[Packed, str]] = {
    **{f"a bit of {name} flipped": (partial(flipped, name), "bundle") for name in FLIPPED},
    "truncated": (lambda: of()[: len(of()) // 2], "bundle"),
    "an entry missing": (lambda: zipped(dict.fromkeys(CONTENT, b"")), "entries"),
    "an entry too many": (lambda: zipped({**entries(of()), "more": b""}), "entries"),
    "a name that leaves the folder": (lambda: zipped({**entries(of()), "../card.html": b""}), "entries"),
    "a compressed entry": (lambda: zipped(entries(of()), zipfile.ZIP_DEFLATED), "stored"),
    "a comment behind it": (lambda: zipped(entries(of()))[:-2] + b"\x04\x00PK\x05\x06", "bundle"),
    "three hundred thousand entries": (crowded, "bundle"),
    "signed by another key": (lambda: of(key=ANOTHER_KEY), "bundle's signature"),
    "the manifest of another model": (
        lambda: zipped({**entries(of()), "manifest.json": entries(of("numbers"))["manifest.json"]}),
        "bundle's signature",
    ),
    "manifest and signature of another model": (
        lambda: zipped({**entries(of()), **{n: entries(of("numbers"))[n] for n in ENTRIES[-2:]}}),
        "the hash its manifest names",
    ),
    "threshold edited": (
        lambda: zipped({**entries(of()), "scorecard.json": b'{"threshold": 0.1}'}),
        "bundle's scorecard.json",
    ),
    "a threshold that is none": (lambda: of(scorecard_json=b'{"threshold": NaN}'), "threshold"),
    "a tree missing": (lambda: of(model_zip=mojo(less="trees/t00_007.bin")), "model.zip's trees"),
    "a domain missing": (lambda: of(model_zip=mojo(less="domains/d002.txt")), "model.zip"),
    "more trees counted than there are": (lambda: of(model_zip=mojo(n_trees="31")), "model.zip's trees"),
    "fewer trees counted than there are": (lambda: of(model_zip=mojo(n_trees="29")), "model.zip's trees"),
    "fewer columns counted than there are": (lambda: of(model_zip=mojo(n_columns="3")), "model.zip"),
    "domains swapped": (
        lambda: of(
            model_zip=mojo(
                more={
                    "domains/d002.txt": entry("domains/d003.txt"),
                    "domains/d003.txt": entry("domains/d002.txt"),
                }
            )
        ),
        "model",
    ),
    "columns swapped": (lambda: of(model_zip=swapped_columns()), "golden row"),
    "NaN as init_f": (lambda: of(model_zip=mojo(init_f="NaN")), "golden row"),
    "1e308 as init_f": (lambda: of(model_zip=mojo(init_f="1e308")), "golden row"),
    "two thousand million trees": (lambda: of(model_zip=mojo(n_trees="2000000000")), "model.zip"),
    "two thousand million columns": (lambda: of(model_zip=mojo(n_columns="2000000000")), "model.zip"),
    "two thousand million features": (lambda: of(model_zip=mojo(n_features="2000000000")), "model"),
    "a tree of noise": (lambda: of(model_zip=mojo(more={"trees/t00_003.bin": b"\xff" * 900})), "golden row"),
    "a bomb of a gigabyte": (
        lambda: of(model_zip=mojo(more={"notes.txt": bytes(2**30)})),
        "model.zip",
    ),
    "names in the model that leave the folder": (
        lambda: of(model_zip=mojo(less="trees/t00_007.bin", more={"../t00_007.bin": b""})),
        "model.zip",
    ),
    "a newer version of the format": (lambda: of(model_zip=mojo(mojo_version="9.99")), "model.zip"),
    "an unknown algorithm": (lambda: of(model_zip=mojo(algo="oracle", algorithm="Oracle")), "model.zip"),
    "no model at all": (lambda: of(model_zip=b"no zip"), "model.zip"),
    "a score of NaN among the golden rows": (
        lambda: of(golden_parquet=golden("score", float("nan"))),
        "golden row",
    ),
    "golden rows that are none": (lambda: of(golden_parquet=b"PAR1" * 9), "golden.parquet"),
    "golden rows that grow in one column": (lambda: of(golden_parquet=long_texts(1)), "golden.parquet"),
    "golden rows that grow in two": (lambda: of(golden_parquet=long_texts(2)), "bytes unpacked"),
    "a contract of a hundred thousand brackets": (lambda: of(contract_json=b"[" * 100_000), "contract"),
    "the model of another pipeline": (
        lambda: bundles.sealed("categories", KEY, bundles.contract("categories", "others")).packed,
        "bundle's pipeline",
    ),
}


@pytest.mark.parametrize(("packed", "why"), ROWS.values(), ids=ROWS)
def test_a_bad_bundle_is_refused_in_little_room(packed: Packed, why: str, tmp_path: Path) -> None:
    found = proved(packed(), tmp_path)
    assert found.code != 0
    assert why in found.why, found
    assert found.memory_mb < MEMORY_MB, found


def test_a_good_one_is_not(tmp_path: Path) -> None:
    found = proved(of(), tmp_path)
    assert found.code == 0
    assert found.memory_mb < MEMORY_MB


def test_an_older_signed_one_that_comes_again_stays_refused(host: Host) -> None:
    old = host.go_live("numbers", 1)
    host.go_live("categories", 2)
    bundles.send(host.log, bundles.sealed("numbers", host.key), 1, host.key)
    host.follow()
    assert host.follower.live() == {bundles.PIPELINE: 2}
    changed = replace(bundles.announcement(bundles.sealed("numbers", host.key), 1), sequence=3)
    # Nobody but a holder of the key can say that it is newer.
    forged = changed.signed(ANOTHER_KEY)
    host.log.send(MODELS, forged, key=f"{bundles.PIPELINE}/{old}".encode())
    host.follow()
    assert host.follower.live() == {bundles.PIPELINE: 2}
    assert "announcement's signature" in host.receipts()[-1].why


@pytest.mark.parametrize("at", [0, 20, 1000, -40, -1])
def test_any_bit_that_flips_on_the_way_is_refused_before_a_parser_sees_it(host: Host, at: int) -> None:
    bundle = bundles.sealed("numbers", host.key)
    packed = bytearray(bundle.packed)
    packed[at] ^= 4
    assert sha256(bytes(packed)) != bundle.sha256
    bundles.send(host.log, Sealed(bundle.id, bytes(packed), bundle.sha256), 1, host.key)
    host.follow()
    assert "bundle's bytes" in host.receipts()[-1].why
