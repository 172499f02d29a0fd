"""How models are grown: the table of algorithms and their fixed parameters.

Knows no H2O; the names are H2O's own, so that a bundle's manifest can be read against its documentation.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class GBM:
    """Gradient boosted trees. Columns that are constant in one window stay in the model: every model of a
    contract has the same columns."""

    ntrees: int = 50
    max_depth: int = 5
    learn_rate: float = 0.1
    min_rows: float = 20.0
    sample_rate: float = 0.8
    col_sample_rate: float = 0.8
    score_tree_interval: int = 50
    ignore_const_cols: bool = False
    seed: int = 20130709

    def named(self) -> dict[str, float]:
        """The parameters by H2O's names."""
        return asdict(self)


FIXED = GBM()
