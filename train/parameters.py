"""How models are grown: the table of algorithms, and what a search chose of it.

Knows no H2O; the names are H2O's own, so that a bundle's manifest can be read against its documentation. To
add an algorithm, add an entry to TABLE, its name to contract.parts.ALGORITHMS, and to serve/engine.py's list
what the engine was shown to score as the cluster does.

    >>> Chosen("glm", {"alpha": 1.0}).named()["alpha"], DEFAULT.algorithm, DEFAULT.named()["ntrees"]
    (1.0, 'gbm', 50)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hotpath.clock import Micros
from hotpath.errors import BadArtifact

Parameter = bool | int | float | str | Sequence[int]
Parameters = Mapping[str, Parameter]
"""By H2O's names."""

SEED = 20130709
# Columns that are constant in one window stay in the model: every model of a contract has the same columns.
ALWAYS: Parameters = {"ignore_const_cols": False, "seed": SEED}


@dataclass(frozen=True)
class Algorithm:
    """A way to grow a model. `estimator`: its class in the h2o package.

    `defaults`: what is taken where nothing was chosen. `fixed`: what is never chosen. `grid`: what a search
    may choose from. `searching`: in force while a search learns, where it may stop early; `grown` maps a
    parameter to what H2O's summary of a model calls its real value (the trees it stopped at).
    """

    name: str
    estimator: str
    defaults: Parameters
    grid: Mapping[str, Sequence[Parameter]]
    fixed: Parameters = field(default_factory=dict)
    searching: Parameters = field(default_factory=dict)
    grown: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The parameters that may be chosen."""
        return frozenset((*self.defaults, *self.grid))


_TREES = {"ntrees": "number_of_trees"}
_BOOSTED: Parameters = {
    "ntrees": 50,
    "max_depth": 5,
    "learn_rate": 0.1,
    "min_rows": 20.0,
    "sample_rate": 0.8,
    "col_sample_rate": 0.8,
}
_STOPPING: Parameters = {
    "ntrees": 100,
    "score_tree_interval": 10,
    "stopping_rounds": 3,
    "stopping_tolerance": 0.001,
}
TABLE: tuple[Algorithm, ...] = (
    Algorithm(
        "gbm",
        "H2OGradientBoostingEstimator",
        defaults=_BOOSTED,
        grid={
            "max_depth": (3, 4, 5, 6, 8),
            "learn_rate": (0.03, 0.05, 0.1, 0.2),
            "min_rows": (5.0, 20.0, 50.0, 100.0),
            "sample_rate": (0.6, 0.8, 1.0),
            "col_sample_rate": (0.5, 0.8, 1.0),
        },
        fixed={"score_tree_interval": 50},
        searching=_STOPPING,
        grown=_TREES,
    ),
    Algorithm(
        "drf",
        "H2ORandomForestEstimator",
        defaults={"ntrees": 50, "max_depth": 12, "min_rows": 20.0, "sample_rate": 0.632},
        grid={
            "max_depth": (8, 10, 12, 14),
            "min_rows": (10.0, 20.0, 50.0),
            "sample_rate": (0.5, 0.632, 0.8),
            "col_sample_rate_per_tree": (0.6, 0.8, 1.0),
        },
        fixed={"score_tree_interval": 50},
        searching=_STOPPING,
        grown=_TREES,
    ),
    Algorithm(
        "glm",
        "H2OGeneralizedLinearEstimator",
        defaults={"alpha": 0.5, "lambda": 1e-4},
        grid={"alpha": (0.0, 0.1, 0.5, 0.9, 1.0), "lambda": (0.1, 0.01, 1e-3, 1e-4, 1e-5, 0.0)},
        fixed={"missing_values_handling": "MeanImputation", "standardize": True},
    ),
    Algorithm(
        "xgboost",
        "H2OXGBoostEstimator",
        defaults=_BOOSTED,
        grid={
            "max_depth": (3, 4, 5, 6, 8),
            "learn_rate": (0.05, 0.1, 0.2),
            "min_rows": (5.0, 20.0, 50.0),
            "sample_rate": (0.6, 0.8, 1.0),
            "col_sample_rate": (0.5, 0.8, 1.0),
            "reg_lambda": (0.0, 1.0, 10.0),
        },
        fixed={"booster": "gbtree", "tree_method": "hist", "backend": "cpu", "score_tree_interval": 50},
        searching=_STOPPING,
        grown=_TREES,
    ),
    Algorithm(
        "deeplearning",
        "H2ODeepLearningEstimator",
        defaults={"hidden": (32, 32), "epochs": 5.0, "activation": "Rectifier"},
        grid={
            "hidden": ((16,), (32,), (32, 32), (64, 64)),
            "epochs": (3.0, 5.0, 10.0),
            "activation": ("Rectifier", "Tanh"),
            "input_dropout_ratio": (0.0, 0.1),
            "l1": (0.0, 1e-5),
            "l2": (0.0, 1e-5, 1e-4),
        },
        # Without it the threads race, and a seed says nothing.
        fixed={"reproducible": True, "standardize": True},
    ),
)
BY_NAME: Mapping[str, Algorithm] = {a.name: a for a in TABLE}


@dataclass(frozen=True)
class Chosen:
    """An algorithm and what was chosen of its parameters; the rest is the table's.

    `evidence`: what the search that chose it found, as plain JSON. `at` and `fingerprint`: when there was a
    search and under which contract; None where there was none.
    """

    algorithm: str
    parameters: Parameters = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)
    at: Micros | None = None
    fingerprint: str | None = None

    def named(self) -> dict[str, Parameter]:
        """Every parameter by H2O's name."""
        way = BY_NAME[self.algorithm]
        return {**way.defaults, **self.parameters, **way.fixed, **ALWAYS}

    @property
    def seed(self) -> int:
        """What chance is drawn from."""
        return SEED

    def after_failure(self, why: str, at: Micros, fingerprint: str) -> Chosen:
        """The same after a search that found nothing; the next one is due an interval later all the same."""
        return replace(self, at=at, fingerprint=fingerprint, evidence={**self.evidence, "failed": why})

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def to_bytes(self) -> bytes:
        """JSON."""
        return json.dumps(self.plain(), sort_keys=True, allow_nan=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Chosen:
        """Raises BadArtifact where `data` is not what `to_bytes` writes."""
        try:
            return cls._of(json.loads(data))
        except ValueError as error:
            raise _no_choice(data[:200]) from error

    @classmethod
    def of(cls, plain: Mapping[str, Any] | None) -> Chosen | None:
        """What `plain` made; None of nothing. Raises BadArtifact, also where the table has it no more."""
        return None if plain is None else cls._of(plain)

    @classmethod
    def _of(cls, plain: Any) -> Chosen:
        try:
            found = cls(**plain)
            way = BY_NAME[found.algorithm]
            unknown = set(found.parameters) - way.names
        except (TypeError, KeyError) as error:
            raise _no_choice(plain) from error
        if unknown:
            raise BadArtifact(f"{way.name}'s parameters", sorted(unknown), f"some of {sorted(way.names)}")
        return found


def _no_choice(value: object) -> BadArtifact:
    return BadArtifact("the chosen parameters", value, "an algorithm of the table and its parameters")


DEFAULT = Chosen("gbm")
"""What models are grown by until a search has found better."""
