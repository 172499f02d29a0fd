"""Accounts of made-up windows."""

from __future__ import annotations

from collections.abc import Mapping

from hotpath.contract.parts import Kind
from train.account import SIDES, Account, Side, Span


def of_classes(
    train: Mapping[str, int], holdout: Mapping[str, int], kind: Kind = "classes", **parts: object
) -> Account:
    """The account of a window with so many rows of each class on each side."""
    classes: dict[Side, Mapping[str, int]] = dict(zip(SIDES, (train, holdout), strict=True))
    rows = {side: sum(counts.values()) for side, counts in classes.items()}
    return account(kind, rows, classes=classes, **parts)


def of_numbers(
    train: tuple[float, float, float], holdout: tuple[float, float, float], rows: int = 10
) -> Account:
    """The account of a window whose targets have this least, mean and greatest one on each side."""
    return account("number", dict.fromkeys(SIDES, rows), spread={"train": train, "holdout": holdout})


def account(kind: Kind, rows: Mapping[Side, int], **parts: object) -> Account:
    """An account of nothing but rows; `parts` replace its other parts."""
    empty: dict[str, object] = {
        "span": Span(0, 1),
        "classes": {},
        "spread": {},
        "left_out": {},
        "noticed": {},
        "batches": (),
        "offsets": {},
    }
    return Account(kind=kind, rows=rows, **{**empty, **parts})  # type: ignore[arg-type]
