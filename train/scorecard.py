"""The scorecard: what a bundle says of its model's quality on the holdout. Pure."""

from dataclasses import asdict, dataclass

from train.account import Account


@dataclass(frozen=True)
class Measured:
    """Quality on the holdout; `threshold` is the score of the largest F1, where `accuracy` is taken."""

    auc: float
    f1: float
    accuracy: float
    threshold: float


def scorecard(measured: Measured, account: Account) -> dict[str, object]:
    """The content of a bundle's scorecard.json."""
    return {
        **asdict(measured),
        "rows": dict(account.rows),
        "holdout_positive_share": account.positive_share("holdout"),
    }
