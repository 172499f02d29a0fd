"""H2O's own genmodel in this process, through JPype: a MOJO's bytes become `vector -> score`.

Owns the JVM (one a process, small, leaving SIGTERM and SIGINT to Python) and the way from feature values to
the model's doubles. Knows no contract, no bundle and no decision. The MOJO loader itself checks little, so
only bytes whose hash was verified come here, and the first time in a sandbox.

A null and a category that the model never met both go the missing value's way, as in the cluster for the
algorithms in ALGORITHMS (a GLM puts the mode in their place): tests/integration/train/test_fit.py shows it on
real H2O for each of them and every kind of target. What was not shown is refused by name.

    start(JARS)
    model = load(mojo, {"carrier": CATEGORY, "distance": NUMBER}, Target("binary", ("0", "1")))
    model(("UA", 719.0))        # Scored(score=0.31, unseen=(), scores=())
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, NoReturn, cast

import jpype
import numpy as np

from hotpath.contract.types import Value
from hotpath.errors import BadArtifact, BadConfig
from hotpath.settings import PROJECT
from serve.generation import CATEGORY, NUMBER, Kind, Scored, Target

Encoder = Callable[[Value], float]
Out = Callable[[Any], tuple[float, tuple[float, ...]]]
"""The model's doubles (label, then a probability a class; or the estimate alone) -> score and scores."""

log = logging.getLogger(__name__)

JARS = PROJECT / ".jars" / "genmodel"
HEAP = "128m"
"""Holds the live, the previous and a loading model of hundreds of trees."""
ALGORITHMS = ("deeplearning", "drf", "gbm", "glm", "xgboost")
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "binary": ("Binomial",),
    "classes": ("Multinomial", "Binomial"),
    "number": ("Regression",),
}
"""What H2O calls a model, by kind of target: of many classes only two may have been seen."""


@dataclass(frozen=True)
class Column:
    """One column of the model: which feature fills it, and the levels it knows (None: a number)."""

    feature: str
    place: int
    levels: Mapping[Value, float] | None

    @property
    def encode(self) -> Encoder:
        """The feature's value as the model's double: a null or unseen one is NaN, its missing value."""
        if self.levels is None:
            return _number
        levels = self.levels
        return lambda value: levels.get(value, nan)


class Mojo:
    """A MOJO: one row's features in the caller's order -> Scored. Any thread may call."""

    def __init__(self, mojo: Any, columns: Sequence[Column], out: Out) -> None:
        self._score0, self._out, self._size = mojo.score0, out, int(mojo.getPredsSize())
        self._plan = tuple((c.place, c.encode) for c in columns)
        self._levels = tuple((c.feature, c.place, c.levels) for c in columns if c.levels is not None)
        self._own = threading.local()

    def __call__(self, vector: Sequence[Value]) -> Scored:
        """Some 7 µs once the JVM has warmed to this model. Raises BadArtifact where it will not score."""
        row, scores = self._arrays()
        row[:] = [encode(vector[place]) for place, encode in self._plan]
        try:
            self._score0(row, scores)
        except jpype.JException as error:
            raise BadArtifact("model", str(error), "a score for every row") from error
        unseen = tuple(name for name, place, levels in self._levels if vector[place] not in levels)
        score, every = self._out(scores)
        return Scored(score, unseen, every)

    def _arrays(self) -> tuple[Any, Any]:
        """Java arrays of this thread: what goes in, and what comes out."""
        try:
            return cast("tuple[Any, Any]", self._own.arrays)
        except AttributeError:
            doubles = jpype.JArray(jpype.JDouble)
            self._own.arrays = doubles(len(self._plan)), doubles(self._size)
            return cast("tuple[Any, Any]", self._own.arrays)


def start(jars: Path, heap: str = HEAP) -> None:
    """Start this process's JVM; a second call finds it running. Raises BadConfig without jars or Java."""
    if jpype.isJVMStarted():
        return
    classpath = sorted(str(p) for p in jars.glob("*.jar"))
    if not any("genmodel" in p for p in classpath):
        raise BadConfig(str(jars), classpath, "genmodel's jars", "run make setup")
    # -Xrs and interrupt=False: a scorer ends on SIGTERM by Python's handler, not by the JVM's.
    flags = (f"-Xmx{heap}", "-Xrs", "-XX:+UseSerialGC")
    try:
        jpype.startJVM(*flags, classpath=classpath, convertStrings=False, interrupt=False)
    except (jpype.JVMNotFoundException, OSError) as error:
        raise BadConfig("JVM", str(error), "Java 17", "install a JRE or set JAVA_HOME") from error


def live_and_leave(main: Callable[[list[str]], int]) -> NoReturn:
    """A root's whole life: run `main`, then end the process at once with its exit code, 1 where it raises.

    Python's ordinary end must not happen beside a JVM: its threads call into an interpreter that is gone
    (SIGSEGV in PyThreadState_New, seen in the sandbox), or it hangs under one that still computes.
    """
    code = 1
    try:
        code = main(sys.argv[1:])
    except Exception:
        log.exception("ended by what should not happen")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def load(mojo: bytes, features: Mapping[str, Kind], target: Target) -> Mojo:
    """The model in `mojo`, to be called with the values of `features` in their order.

    Raises BadArtifact where it cannot be read, is of another algorithm than ALGORITHMS or another target,
    wants an offset, or has other columns than `features`.
    """
    model = _read(mojo)
    _scorable(model)
    out = _outcome(model, target)
    names = [str(name) for name in model.getNames()][: model.nfeatures()]
    if sorted(names) != sorted(features):
        raise BadArtifact("model's columns", sorted(names), f"the contract's features {sorted(features)}")
    places = {name: place for place, name in enumerate(features)}
    columns = [Column(name, places[name], _levels(model, i)) for i, name in enumerate(names)]
    for column in columns:
        _same_kind(column, features[column.feature])
    return Mojo(model, columns, out)


def _scorable(model: Any) -> None:
    if (algorithm := str(model._algoName)) not in ALGORITHMS:
        raise BadArtifact("model's algorithm", algorithm, f"one of {', '.join(ALGORITHMS)}")
    if model.getOffsetName() is not None:
        raise BadArtifact("model's offset", str(model.getOffsetName()), "no offset: a question carries none")


def _outcome(model: Any, target: Target) -> Out:
    """How the model's doubles are read; a further kind of target is a row of CATEGORIES and its reading here.

    Of many classes the model knows those that its training window had.
    """
    if (found := str(model.getModelCategory())) not in CATEGORIES[target.kind]:
        raise BadArtifact("model's category", found, " or ".join(CATEGORIES[target.kind]))
    if target.kind != "classes":
        return _yes if target.kind == "binary" else _estimate
    known = [str(name) for name in model.getDomainValues(model.getResponseIdx())]
    if strange := sorted(set(known) - set(target.classes)):
        raise BadArtifact("model's classes", strange, f"some of {', '.join(target.classes)}")
    return _likeliest([known.index(name) + 1 if name in known else None for name in target.classes])


def _estimate(doubles: Any) -> tuple[float, tuple[float, ...]]:
    return float(doubles[0]), ()


def _yes(doubles: Any) -> tuple[float, tuple[float, ...]]:
    return float(doubles[2]), ()


def _likeliest(places: Sequence[int | None]) -> Out:
    """`places`: where each class's probability stands; a class that the model never met has none."""

    def out(doubles: Any) -> tuple[float, tuple[float, ...]]:
        every = tuple([0.0 if place is None else float(doubles[place]) for place in places])
        return max(every), every

    return out


def _same_kind(column: Column, kind: Kind) -> None:
    """A category without a single value in the training window reaches H2O as a column of missing numbers.

    It is refused: the model would take none of the feature's values, whatever the contract promises.
    """
    found = NUMBER if column.levels is None else CATEGORY
    if found != kind:
        todo = "a category that was null in the whole window: train on a longer one or leave it out"
        raise BadArtifact(f"model's column {column.feature}", found, kind, todo if found == NUMBER else "")


def _read(mojo: bytes) -> Any:
    """From memory: what was verified is what is loaded."""
    factory = jpype.JClass("hex.genmodel.MojoReaderBackendFactory")
    in_memory = jpype.JClass("hex.genmodel.MojoReaderBackendFactory$CachingStrategy").MEMORY
    octets = jpype.JArray(jpype.JByte)(np.frombuffer(mojo, dtype=np.int8))
    try:
        backend = factory.createReaderBackend(jpype.JClass("java.io.ByteArrayInputStream")(octets), in_memory)
        return jpype.JClass("hex.genmodel.ModelMojoReader").readFrom(backend)
    except jpype.JException as error:
        raise BadArtifact("model.zip", str(error), "a MOJO that genmodel 3.46 reads") from error


def _levels(model: Any, column: int) -> Mapping[Value, float] | None:
    domain = model.getDomainValues(column)
    return None if domain is None else {None: nan, **{str(v): float(i) for i, v in enumerate(domain)}}


def _number(value: Value) -> float:
    return nan if value is None else float(cast("float", value))  # no feature is an array
