"""Models on an H2O cluster through its own client: what it is told, and what is read back.

Knows nothing of contracts, windows or bundles. Every call has a deadline, but the client repeats itself for
minutes where an answer fails to come ("job is missing"): run this in a process that someone ends.
"""

from __future__ import annotations

import csv
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import h2o
import numpy as np
import pyarrow.parquet as pq
from h2o import estimators
from h2o.exceptions import H2OError, H2OJobCancelled, H2OResponseError
from numpy.typing import NDArray

from hotpath.child import TICK_S
from hotpath.clock import wait
from hotpath.contract.parts import Kind
from hotpath.errors import BadArtifact, Unavailable
from train.h2o_server import Address
from train.handed import FEATURE, WEIGHT
from train.parameters import BY_NAME, Algorithm, Chosen, Parameters

RESPONSE = "row.label"
"""The label's name in the model: dotted, as no feature's name can be."""
_LABEL = "label"
_PYTHON = {"lambda": "lambda_"}
"""Parameters that the client spells otherwise."""
RUNNING = ("CREATED", "RUNNING")
"""What H2O says of a job that has not ended."""
END_S = 30.0
"""What a job may take to end once it is told to."""
TRIES = 20
_LISTS = (
    ("/99/Grids", "grids", "grid_id"),
    ("/3/Models", "models", "model_id"),
    ("/3/Frames", "frames", "frame_id"),
)

logger = logging.getLogger("h2o")


@dataclass(frozen=True)
class Target:
    """What a model says. `classes`: its classes as texts ("0", "1" of a binary one), () of a number."""

    kind: Kind
    classes: tuple[str, ...]


@contextmanager
def connected(address: Address, call_s: float) -> Iterator[None]:
    """The client's one connection for as long as the block. Whatever H2O says no to is Unavailable.

    `call_s`: what one call may take, in real seconds.
    """
    try:
        with _quiet():
            h2o.connect(url=address.url, auth=address.login, verbose=False, strict_version_check=True)
        h2o.no_progress()
        h2o.connection().timeout_interval = call_s
        yield
    except (H2OError, H2OJobCancelled) as error:
        raise _refusal(error) from error
    except OSError as error:
        if error.errno is not None:  # this machine's own, such as a full disk
            raise
        raise _refusal(error) from error
    finally:
        _leave()


@contextmanager
def _quiet() -> Iterator[None]:
    """The client warns of what is meant to be: levels that a model never met, how old it is itself."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore", UserWarning)
        yield


def _leave() -> None:
    """Here, so that the client does not do it at the process's end, when the server is gone."""
    if (connection := h2o.connection()) is not None:
        connection.timeout_interval = 1
        connection.close()


def _refusal(error: Exception) -> Unavailable:
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return Unavailable("H2O", said, "an answer without error", "see the server's log")


@contextmanager
def marked(mark: str) -> Iterator[None]:
    """For as long as the block things may be in a cluster with `mark` in their names: those that a killed
    process has left there go first, and whatever the block comes to none stays.
    """
    forget(mark)
    try:
        yield
    finally:
        try:
            forget(mark)
        except (H2OError, OSError, Unavailable) as error:  # what the block came to counts, not this
            logger.warning("what has %s in its name may be left in the cluster: %s", mark, error)


def forget(mark: str) -> None:
    """End and free whatever in the cluster has `mark` in its name. Raises Unavailable where a job runs on."""
    for _ in range(int(END_S / TICK_S)):
        jobs = {job["key"]["name"]: job["status"] for job in h2o.api("GET /3/Jobs")["jobs"] if _of(job, mark)}
        running = [key for key, status in jobs.items() if status in RUNNING]
        if not running:
            break
        for key in running:
            h2o.api(f"POST /3/Jobs/{key}/cancel")
        wait(TICK_S)
    else:
        raise Unavailable("H2O", running, f"jobs that end within {END_S:.0f} s of being cancelled")
    for name in held(mark):
        h2o.api(f"DELETE /3/DKV/{name}")


def held(mark: str = "") -> list[str]:
    """Grids, models and frames in the cluster, those with `mark` in their names."""
    return [name for of in _LISTS for name in _listed(*of) if mark in name]


def _listed(path: str, several: str, key: str) -> list[str]:
    """H2O fails to list where one of them, perhaps another's, goes meanwhile ("Object ... not found")."""
    for _ in range(TRIES - 1):
        with suppress(H2OResponseError):
            return _names(path, several, key)
        wait(TICK_S)
    return _names(path, several, key)


def _names(path: str, several: str, key: str) -> list[str]:
    return [str(one[key]["name"]) for one in h2o.api(f"GET {path}")[several]]


def _of(job: Mapping[str, Any], mark: str) -> bool:
    return mark in ((job["dest"] or {}).get("name") or "")


def imported(columns: Mapping[str, str], files: Sequence[Path], name: str = "") -> h2o.H2OFrame:
    """An explicit list of files with explicit types: H2O's guesses differ from one file to the next.

    `columns`: H2O's types by name, in the files' order. `name`: what the cluster calls the frame (and, with
    "raw_" before it, the one as it was read, which shares its columns).
    """
    raw = f"raw_{name}" if name else None
    paths, kinds = [str(f) for f in files], list(columns.values())
    frame = h2o.import_file(path=paths, destination_frame=raw, col_types=kinds)
    if len(frame.names) != len(columns):
        raise BadArtifact("the window's files", frame.names, f"the columns {list(columns)}")
    frame.names = list(columns)
    return h2o.assign(frame, name) if name else frame


def columns(files: Sequence[Path], features: Mapping[str, str], kind: Kind) -> dict[str, str]:
    """Names and H2O's types of a window's columns, in the files' order; `features`: H2O's types by name.

    Raises BadArtifact where there is a column that no model would know what to do with.
    """
    made: dict[str, str] = {}
    for name in pq.read_schema(files[0]).names:
        if name == _LABEL:
            made[RESPONSE] = "real" if kind == "number" else "enum"
        elif name.startswith(FEATURE):
            made[name.removeprefix(FEATURE)] = features[name.removeprefix(FEATURE)]
        else:
            made[name] = "real"
    if missing := set(features) - set(made):
        raise BadArtifact(str(files[0]), sorted(made), f"the features {sorted(missing)}")
    return made


def available(algorithm: Algorithm) -> bool:
    """Whether the cluster has it: H2O comes without XGBoost on some platforms."""
    return algorithm.name != "xgboost" or bool(getattr(estimators, algorithm.estimator).available())


def estimator(algorithm: str, parameters: Parameters) -> Any:
    """A model of H2O's client that is still to be trained."""
    named = {_PYTHON.get(name, name): plain(value) for name, value in parameters.items()}
    return getattr(estimators, BY_NAME[algorithm].estimator)(**named)


def grow(chosen: Chosen, train: h2o.H2OFrame, features: Sequence[str], weighted: bool, name: str = "") -> Any:
    """A model of all of a frame's rows, `weighted` by its column WEIGHT. `name`: what the cluster calls it.
    Raises Unavailable without the algorithm.
    """
    algorithm = BY_NAME[chosen.algorithm]
    if not available(algorithm):
        raise Unavailable("H2O", f"no {algorithm.name} on this platform", "an algorithm that it has")
    model = estimator(chosen.algorithm, {**chosen.named(), **({"model_id": name} if name else {})})
    weights = WEIGHT if weighted else None
    with _quiet():
        model.train(x=list(features), y=RESPONSE, training_frame=train, weights_column=weights)
    return model


def met(model: Any) -> dict[str, frozenset[str]]:
    """The levels of each category that a model met, by feature.

    A foreign GLM must not be asked of others: H2O would take them for none of its levels, where the model
    itself takes them for missing (seen; the engine that answers on-prem does as the model does).
    """
    output = model._model_json["output"]
    pairs = zip(output["names"], output["domains"], strict=False)
    return {name: frozenset(levels) for name, levels in pairs if levels is not None and name != RESPONSE}


def foreign(mojo: Path) -> Any:
    """A model that another run has grown, to be asked in this cluster."""
    return h2o.upload_mojo(str(mojo))


def predicted(model: Any, frame: h2o.H2OFrame, target: Target) -> NDArray[np.float64]:
    """One double a row, p1 of a binary model; of classes (rows, classes), 0.0 where no training row had one.

    H2O's own columns: of a number its value, else a label and each class's p.
    """
    with _quiet():
        said = model.predict(frame)
    chances = said[0] if target.kind == "number" else said[2] if target.kind == "binary" else said[1:]
    found = _numbers(chances)
    h2o.remove(said)
    if target.kind != "classes":
        return found[:, 0]
    every = np.zeros((len(found), len(target.classes)))
    every[:, [target.classes.index(name) for name in _known(model)]] = found
    return every


def _known(model: Any) -> list[str]:
    """The classes that the model met, in its own order."""
    return list(model._model_json["output"]["domains"][-1])


def drop(*kept: Any) -> None:
    """Free frames and models: an embedded server ends with the run, another's cluster must not fill up."""
    h2o.remove([one for one in kept if one is not None])


def _numbers(frame: h2o.H2OFrame) -> NDArray[np.float64]:
    """A frame's cells, (rows, columns); doubles travel in hexadecimal, so that nothing is lost in print."""
    frame = frame.set_names([f"c{n}" for n in range(frame.ncols)])  # a class may be any text, a header not
    raw = h2o.api("GET /3/DownloadDataset", data={"frame_id": frame.frame_id, "hex_string": True})
    return np.array([[float.fromhex(cell) for cell in row] for row in list(csv.reader(raw.splitlines()))[1:]])


def plain(value: Any) -> Any:
    """A parameter's value as the client takes it."""
    return list(value) if isinstance(value, tuple | list) else value
