"""genmodel's own answers beside the native module's, on rows that hypothesis draws.

The comparison is to the bit where it can be; where `exp`, `log` or `pow` are involved Java's and C's last
bits differ, and doubles are equal within TOLERANCE, relative above 1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan, nextafter
from random import Random
from typing import Any

import hotpath_native as native
import jpype
import numpy as np
from hypothesis import strategies as st

from serve import engine

TOLERANCE = 1e-9
Answer = list[float] | None
"""None: no answer, `score0` throws and the native module refuses the row."""

EXTREMES = (
    nan,
    inf,
    -inf,
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-45,
    1e308,
    -1e308,
    3.4028235e38,
    3.5e38,
    2.0**31,
    -(2.0**31),
)


class Genmodel:
    """A MOJO read by H2O's genmodel from memory, and scored one row at a time."""

    def __init__(self, mojo: bytes) -> None:
        engine.start(engine.JARS)
        factory = jpype.JClass("hex.genmodel.MojoReaderBackendFactory")
        memory = jpype.JClass("hex.genmodel.MojoReaderBackendFactory$CachingStrategy").MEMORY
        octets = jpype.JArray(jpype.JByte)(np.frombuffer(mojo, dtype=np.int8))
        stream = jpype.JClass("java.io.ByteArrayInputStream")(octets)
        backend = factory.createReaderBackend(stream, memory)
        self._model: Any = jpype.JClass("hex.genmodel.ModelMojoReader").readFrom(backend)
        self.size = int(self._model.getPredsSize())
        self.columns = [str(name) for name in self._model.getNames()][: int(self._model.nfeatures())]

    def score(self, row: Sequence[float], offset: float) -> Answer:
        doubles = jpype.JArray(jpype.JDouble)
        answer = doubles(self.size)
        try:
            self._model.score0(doubles(row), jpype.JDouble(offset), answer)
        except jpype.JException:
            return None
        return [float(number) for number in answer]

    def calibrated(self, answer: Sequence[float]) -> Answer:
        """The answer with probabilities calibrated; None where the model has no calibration."""
        doubles = jpype.JArray(jpype.JDouble)(answer)
        done = self._model.calibrateClassProbabilities(doubles)
        return [float(number) for number in doubles] if done else None


@dataclass
class Compared:
    """What comparing rows came to, for the report."""

    rows: int = 0
    exact: int = 0
    thrown: int = 0
    worst: float = 0.0

    def take(self, found: Answer, expected: Answer, about: str, exact: bool) -> None:
        self.rows += 1
        if found is None or expected is None:
            assert found == expected, f"{about}: native {found}, genmodel {expected}"
            self.thrown += 1
            return
        assert len(found) == len(expected), about
        equal = [
            _bits(a) == _bits(b) or (isnan(a) and isnan(b)) for a, b in zip(found, expected, strict=True)
        ]
        self.exact += all(equal)
        for a, b, same in zip(found, expected, equal, strict=True):
            if same:
                continue
            assert not exact, f"{about}: native {found}, genmodel {expected}, expected to the bit"
            difference = abs(a - b) / max(1.0, abs(b))
            assert difference <= TOLERANCE, f"{about}: native {found}, genmodel {expected}"
            self.worst = max(self.worst, difference)
        if len(found) > 2:
            assert equal[0], f"{about}: labels of {found} and {expected}"


def compare(
    model: native.Model,
    genmodel: Genmodel,
    rows: Sequence[Sequence[float]],
    offset: float,
    so_far: Compared,
    exact: bool,
) -> None:
    """Every row by both, and calibrated where the model can."""
    for row in rows:
        expected, found = genmodel.score(row, offset), scored(model, row, offset)
        so_far.take(found, expected, f"row {row}, offset {offset}", exact)
        if expected is not None and found is not None and model.calibrated:
            so_far.take(
                model.calibrate(expected), genmodel.calibrated(expected), f"calibrated {expected}", False
            )


def scored(model: native.Model, row: Sequence[float], offset: float) -> Answer:
    try:
        return list(model.score(row, offset))
    except native.Unscorable:
        return None


def rows(
    domains: Sequence[Sequence[str] | None], seen: Sequence[float] = ()
) -> st.SearchStrategy[list[list[float]]]:
    """Forty rows: levels, also unseen ones and outside, numbers as trained on and their neighbours, extremes.

    Hypothesis draws their seed alone: a row needs no shrinking to be read, and a value of its own for each of
    a thousand columns would be slower than what is tested.
    """

    def drawn(seed: int) -> list[list[float]]:
        chance = Random(seed)
        return [[_value(chance, domain, seen) for domain in domains] for _ in range(40)]

    return st.integers(0, 2**64 - 1).map(drawn)


def _value(chance: Random, domain: Sequence[str] | None, seen: Sequence[float]) -> float:
    kind = chance.random()
    if kind < 0.06:
        return nan
    if kind < 0.10:
        return chance.choice(EXTREMES)
    if kind < 0.13:  # any bits: denormals, every NaN, every magnitude
        return float(struct.unpack("=d", chance.randbytes(8))[0])
    if domain is not None:
        levels = len(domain)
        if kind < 0.20:
            return float(chance.randint(-3, levels + 3))
        return chance.uniform(-2, levels + 1) if kind < 0.23 else float(chance.randrange(levels))
    number = chance.choice(seen) if seen and kind < 0.8 else chance.uniform(-5, 5)
    near = (
        number,
        number,
        float(np.float32(number)) if abs(number) < 3e38 else number,
        nextafter(number, inf),
        nextafter(number, -inf),
    )
    return chance.choice(near)


def _bits(number: float) -> bytes:
    return struct.pack("=d", number)
