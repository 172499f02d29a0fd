"""What is trained anew to be scored by genmodel and the native module: every distribution, family, link and
encoding that H2O 3.46 exports, on columns with missing values, more than 32 levels and wide ranges.

A case is one line: its name, the estimator, the response, parameters; and where it is not carried, what the
refusal names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ROWS = 1_500
NUMBERS = ("small", "wide", "whole", "zeros", "tiny")
LEVELS = {"c3": 3, "c10": 10, "c40": 40, "c300": 300}
FEATURES = (*NUMBERS, *LEVELS)


@dataclass(frozen=True)
class Case:
    """A model to train. `refused`: what a refusal names; `exact`: no exp, log or pow in an answer."""

    name: str
    estimator: str
    response: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    refused: str | None = None
    exact: bool = False


def gbm(name: str, response: str, refused: str | None = None, exact: bool = False, **parameters: Any) -> Case:
    sizes = {"ntrees": 8, "max_depth": 5, "seed": 1} | parameters
    return Case(f"gbm {name}", "H2OGradientBoostingEstimator", response, sizes, refused, exact)


def drf(name: str, response: str, refused: str | None = None, **parameters: Any) -> Case:
    sizes = {"ntrees": 6, "max_depth": 9, "seed": 1} | parameters
    return Case(f"drf {name}", "H2ORandomForestEstimator", response, sizes, refused, True)


def glm(name: str, response: str, exact: bool = False, **parameters: Any) -> Case:
    return Case(
        f"glm {name}", "H2OGeneralizedLinearEstimator", response, {"seed": 1, **parameters}, None, exact
    )


def deep(name: str, response: str, refused: str | None = None, **parameters: Any) -> Case:
    sizes = {"hidden": [11, 7], "epochs": 1, "seed": 1, "reproducible": True} | parameters
    return Case(f"deep {name}", "H2ODeepLearningEstimator", response, sizes, refused)


def xgb(name: str, response: str, refused: str | None = None, **parameters: Any) -> Case:
    sizes = {"ntrees": 8, "max_depth": 4, "seed": 1} | parameters
    return Case(f"xgboost {name}", "H2OXGBoostEstimator", response, sizes, refused)


CALIBRATED: dict[str, Any] = {"calibrate_model": True}
MONOTONE: dict[str, Any] = {"monotone_constraints": {"small": 1}}
ENCODINGS = ("OneHotExplicit", "Binary", "Eigen", "LabelEncoder", "EnumLimited")


def encoded(name: str) -> str:
    """H2O's snake-cased name of an encoding."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).removeprefix("_")


CASES: tuple[Case, ...] = (
    gbm("gaussian", "number", exact=True, distribution="gaussian"),
    gbm("laplace", "number", exact=True, distribution="laplace"),
    gbm("quantile", "number", exact=True, distribution="quantile", quantile_alpha=0.3),
    gbm("huber", "number", exact=True, distribution="huber"),
    gbm("poisson", "count", distribution="poisson"),
    gbm("gamma", "positive", distribution="gamma"),
    gbm("tweedie", "count", distribution="tweedie", tweedie_power=1.3),
    gbm("bernoulli", "two", distribution="bernoulli"),
    gbm("quasibinomial", "zero_one", distribution="quasibinomial"),
    gbm("multinomial", "four", distribution="multinomial"),
    gbm("multinomial of two", "two", distribution="multinomial"),
    gbm("offset gaussian", "number", exact=True, distribution="gaussian", offset_column="offset"),
    gbm("offset bernoulli", "two", distribution="bernoulli", offset_column="offset"),
    gbm("offset poisson", "count", distribution="poisson", offset_column="offset"),
    gbm("balanced two", "two", balance_classes=True),
    gbm("balanced four", "four", balance_classes=True),
    gbm("platt", "two", calibration_method="PlattScaling", **CALIBRATED),
    gbm("isotonic", "two", calibration_method="IsotonicRegression", **CALIBRATED),
    gbm("monotone", "number", exact=True, distribution="gaussian", **MONOTONE),
    gbm("interaction", "two", interaction_constraints=[["small", "c40"], ["wide", "whole"]]),
    gbm("deep trees", "number", exact=True, max_depth=16, min_rows=1),
    gbm("whole levels", "two", nbins_cats=1024, min_rows=1),
    gbm("few bins of levels", "two", nbins_cats=16),
    gbm("enum", "two", categorical_encoding="enum"),
    gbm("sort by response", "two", categorical_encoding="sort_by_response"),
    gbm("weights", "two", weights_column="weight"),
    *(gbm(e, "two", refused=f"_genmodel_encoding = {e}", categorical_encoding=encoded(e)) for e in ENCODINGS),
    drf("two", "two"),
    drf("double", "two", binomial_double_trees=True),
    drf("four", "four"),
    drf("number", "number", max_depth=20),
    drf("balanced double", "two", binomial_double_trees=True, balance_classes=True),
    drf("balanced four", "four", balance_classes=True),
    drf("platt", "two", calibration_method="PlattScaling", **CALIBRATED),
    drf("isotonic", "two", calibration_method="IsotonicRegression", **CALIBRATED),
    drf("binary", "two", refused="_genmodel_encoding = Binary", categorical_encoding="binary"),
    glm("gaussian", "number", exact=True, family="gaussian"),
    glm("gaussian log", "positive", family="gaussian", link="log"),
    glm("gaussian inverse", "positive", family="gaussian", link="inverse"),
    glm("binomial", "two", family="binomial"),
    glm("binomial, base levels", "two", family="binomial", lambda_=0.0),
    glm("binomial, skip", "two", family="binomial", missing_values_handling="skip"),
    glm("binomial, raw", "two", family="binomial", standardize=False),
    glm("offset", "two", family="binomial", offset_column="offset"),
    glm("quasibinomial", "zero_one", family="quasibinomial"),
    glm("fractionalbinomial", "share", family="fractionalbinomial"),
    glm("poisson", "count", family="poisson"),
    glm("poisson identity", "positive", exact=True, family="poisson", link="identity"),
    glm("gamma inverse", "positive", family="gamma", link="inverse"),
    glm("gamma log", "positive", family="gamma", link="log"),
    glm("gamma identity", "positive", exact=True, family="gamma", link="identity"),
    glm("tweedie", "count", family="tweedie", tweedie_variance_power=1.5, tweedie_link_power=0.0),
    glm(
        "tweedie of a power", "positive", family="tweedie", tweedie_variance_power=1.5, tweedie_link_power=0.5
    ),
    glm("negativebinomial", "count", family="negativebinomial", link="log", theta=0.5),
    glm(
        "negativebinomial identity",
        "positive",
        exact=True,
        family="negativebinomial",
        link="identity",
        theta=0.5,
    ),
    glm("multinomial", "four", family="multinomial"),
    glm("multinomial, base levels", "four", family="multinomial", lambda_=0.0, max_iterations=8),
    glm("ordinal", "four", family="ordinal", max_iterations=20),
    *(deep(a, "two", activation=a) for a in ("Tanh", "Rectifier", "Maxout")),
    *(
        deep(a, "four", activation=a, hidden_dropout_ratios=[0.2, 0.5])
        for a in ("TanhWithDropout", "RectifierWithDropout", "MaxoutWithDropout")
    ),
    *(deep(d, "number", distribution=d) for d in ("gaussian", "laplace", "quantile", "huber")),
    *(deep(d, "positive", distribution=d) for d in ("poisson", "gamma", "tweedie")),
    deep("balanced", "four", balance_classes=True),
    deep("raw", "two", standardize=False),
    deep("base levels", "two", use_all_factor_levels=False),
    deep("binary", "two", refused="_genmodel_encoding = Binary", categorical_encoding="binary"),
    deep("autoencoder", "", refused="category = AutoEncoder", autoencoder=True),
    xgb("two", "two", booster="gbtree"),
    xgb("four", "four", booster="gbtree"),
    xgb("number", "number", booster="gbtree"),
    *(xgb(d, "positive", distribution=d) for d in ("poisson", "gamma", "tweedie")),
    xgb("dart", "two", booster="dart", rate_drop=0.3),
    xgb("dart four", "four", booster="dart", rate_drop=0.5, one_drop=True),
    xgb("dart number", "number", booster="dart", rate_drop=0.5),
    xgb("sparse", "two", dmatrix_type="sparse"),
    xgb("dense", "two", dmatrix_type="dense"),
    xgb("label encoder", "two", categorical_encoding="label_encoder"),
    xgb("offset", "number", offset_column="offset"),
    xgb("monotone", "number", **MONOTONE),
    xgb("platt", "two", calibration_method="PlattScaling", **CALIBRATED),
    xgb("gblinear", "two", refused="booster = gblinear", booster="gblinear"),
)


def columns() -> dict[str, list[float | str | None]]:
    """The training frame, the same in every run."""
    chance = np.random.default_rng(7)
    numbers = {
        "small": chance.normal(size=ROWS),
        "wide": chance.normal(size=ROWS) * 10.0 ** chance.integers(-3, 6, ROWS),
        "whole": chance.integers(-20, 20, ROWS).astype(float),
        "zeros": np.where(chance.random(ROWS) < 0.8, 0.0, chance.normal(size=ROWS)),
        "tiny": chance.normal(size=ROWS) * 1e-30,
    }
    levels = {name: chance.integers(0, count, ROWS) for name, count in LEVELS.items()}
    levels["c300"][:300] = np.arange(300)
    tilt = (
        numbers["small"] + 0.05 * numbers["whole"] + 0.6 * (levels["c3"] == 1) + 0.02 * (levels["c40"] - 20)
    )
    tilt = tilt + np.where(levels["c300"] % 7 == 0, 0.8, 0.0) + chance.normal(size=ROWS) * 0.5
    responses = {
        "number": tilt * 3 - 1,
        "positive": np.exp(np.clip(tilt, -2, 2)) + 0.1,
        "count": chance.poisson(np.exp(np.clip(tilt, -2, 2))).astype(float),
        "share": 1 / (1 + np.exp(-tilt)),
        "zero_one": (tilt > 0.7).astype(float),
        "offset": chance.normal(size=ROWS) * 0.2,
        "weight": chance.uniform(0.5, 2, ROWS),
    }
    frame: dict[str, list[float | str | None]] = {}
    for name, values in numbers.items():
        frame[name] = [
            None if missing else float(v)
            for v, missing in zip(values, chance.random(ROWS) < 0.06, strict=True)
        ]
    for name, indices in levels.items():
        lost = chance.random(ROWS) < 0.05
        frame[name] = [None if missing else f"L{i:03d}" for i, missing in zip(indices, lost, strict=True)]
    frame |= {name: [float(v) for v in values] for name, values in responses.items()}
    frame["two"] = ["yes" if t > 0.7 else "no" for t in tilt]
    frame["four"] = [f"k{min(3, max(0, int(t + 1.5)))}" for t in tilt]
    return frame
