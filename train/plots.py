"""The card's pictures as SVG to be put into a page: the same bytes for the same rows, on light and dark.

    plots(contract, holdout, given, scorecard) -> (Plot("roc", "How well it ranks", "…", "<svg …"), …)

To add a picture, add a function to _PICTURES under the target's kind. They are drawn by matplotlib without a
display; text stays text, nothing is an image, nothing is fetched.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hotpath.contract.business import values
from hotpath.contract.model import Contract
from hotpath.promises import Counts
from train.card import Plot
from train.holdout import Given, Rows

INK = "#010203"
"""Stands for the page's own colour of text, and becomes `currentColor`."""
BLUE, ORANGE, GREY = "#3b82d6", "#e0792b", "#8a8f98"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,  # a class's name may hold a dollar sign
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "axes.grid": True,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}
SIZE = (4.6, 3.4)
BINS, DOTS, STEPS = 40, 1_200, 120
MOST_NAMED = 12
"""Classes whose counts are written into the confusion matrix: beyond that they would not be legible."""
Draw = Callable[["Shown", Axes], str]


@dataclass(frozen=True)
class Shown:
    """What there is to draw. `card` is the scorecard's content."""

    rows: Rows
    given: Given
    card: Mapping[str, Any]

    @property
    def yes(self) -> NDArray[np.bool_]:
        return np.equal(self.rows.truth, 1.0)

    @property
    def counts(self) -> Counts:
        """Errors by threshold over all rows, few enough to draw."""
        return Counts.of(self.yes, self.given).thinned()


def plots(contract: Contract, holdout: pa.Table, given: Given, card: Mapping[str, Any]) -> tuple[Plot, ...]:
    """The pictures of the contract's kind of target."""
    shown = Shown(Rows.of(contract, holdout), given, card)
    kind = contract.labels.kind
    drawn = (*_PICTURES[kind], *(_costs(shown) if kind == "binary" else ()))
    return tuple(_plot(name, title, draw, shown) for name, title, draw in drawn)


def _plot(name: str, title: str, draw: Draw, shown: Shown) -> Plot:
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of glyphs that the measuring font lacks
        figure = Figure(figsize=SIZE, layout="constrained")
        caption = draw(shown, figure.add_subplot())
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return Plot(name, title, caption, _inlined(out.getvalue(), title))


def _inlined(svg: str, title: str) -> str:
    """As a part of a page: no prolog, no rules for all of it, as wide as there is room, in the page's ink."""
    body = re.sub(r"<(metadata|style).*?</\1>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r' xmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'<svg([^>]*?) width="[^"]*"', r"<svg\1", body, count=1)
    body = re.sub(r'<svg([^>]*?) height="[^"]*"', r"<svg\1", body, count=1)
    head = f'<svg role="img" aria-label="{escape(title)}"'
    return body.replace("<svg", head, 1).replace(INK, "currentColor").strip()


def _roc(shown: Shown, ax: Axes) -> str:
    counts = shown.counts
    fpr = np.append(counts.fp / max(counts.no, 1), 0.0)
    tpr = np.append(1 - counts.fn / max(counts.yes, 1), 0.0)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    ax.plot(fpr, tpr, color=BLUE)
    _unit(ax, "share of no that is called yes", "share of yes that is found")
    area = shown.card["metrics"].get("auc")
    return (
        "The further the line bends to the upper left, the better yes is told from no; on the dashed line "
        f"one may as well guess.{'' if area is None else f' Area under the line: {area:.3f}.'}"
    )


def _precision_recall(shown: Shown, ax: Axes) -> str:
    counts = shown.counts
    tp = counts.yes - counts.fn
    ax.plot(tp / max(counts.yes, 1), tp / np.maximum(tp + counts.fp, 1), color=BLUE)
    base = counts.yes / max(counts.yes + counts.no, 1)
    ax.axhline(base, color=GREY, linestyle="--", linewidth=1)
    _unit(ax, "share of yes that is found", "right, of what is called yes")
    return (
        f"Who wants to find more of the yes calls more by mistake. Guessing is right {base:.1%} of the time."
    )


def _calibration(shown: Shown, ax: Axes) -> str:
    order = np.argsort(shown.given, kind="stable")
    bins = [part for part in np.array_split(order, 10) if len(part)]
    said = [float(shown.given[part].mean()) for part in bins]
    true = [float(shown.yes[part].mean()) for part in bins]
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    ax.plot(said, true, color=BLUE, marker="o", markersize=4)
    most = min(1.0, 1.1 * max(*said, *true, 0.01))
    ax.set(xlim=(0, most), ylim=(0, most), xlabel="score", ylabel="share that turned out yes")
    return (
        "On the dashed line a score of 0.3 means that 3 in 10 turn out yes. Each dot is a tenth of the rows."
    )


def _scores(shown: Shown, ax: Axes) -> str:
    edges = np.linspace(0, 1, BINS + 1).tolist()
    for name, of, color in (("no", ~shown.yes, BLUE), ("yes", shown.yes, ORANGE)):
        weights = np.full(int(of.sum()), 1 / max(int(of.sum()), 1))
        ax.hist(shown.given[of], edges, weights=weights, color=color, alpha=0.6, label=name)
    _thresholds(shown, ax)
    ax.set(xlim=(0, 1), xlabel="score", ylabel="share of the class")
    ax.legend()
    return "How the scores of those that turned out no and yes are spread. The less they overlap, the better."


def _costs(shown: Shown) -> Iterator[tuple[str, str, Draw]]:
    """A picture of each metric of the contract's own, or of F1 where it has none."""
    at = np.unique(np.quantile(shown.given, np.linspace(0, 1, STEPS)))
    for name, line in (_own(shown, at) or {"F1": _f1(shown, at)}).items():
        yield f"by-threshold-{name}", f"{_short(name)} by threshold", partial(_by_threshold, name, at, line)


def _by_threshold(name: str, at: NDArray[np.float64], line: list[float], shown: Shown, ax: Axes) -> str:
    ax.plot(at, line, color=BLUE)
    _thresholds(shown, ax)
    ax.set(xlim=(0, 1), xlabel="threshold: decline from here on", ylabel=_short(name))
    return "What comes of one threshold for all. The upright lines are where this model declines and accepts."


def _own(shown: Shown, at: NDArray[np.float64]) -> dict[str, list[float]]:
    order = np.argsort(shown.given, kind="stable")
    places = np.searchsorted(shown.given[order], at, side="left")
    yes = shown.yes[order]
    sums = dict[str, NDArray[np.float64]](rows=np.full(len(at), float(len(order))))
    for suffix, amount in {"": np.ones(len(order)), **shown.rows.amounts}.items():
        worth = amount[order] if suffix else amount
        for low, high, of in (("fn", "tp", yes), ("tn", "fp", ~yes)):
            below = np.append(0.0, np.cumsum(of * worth))
            tail = f"_{suffix}" if suffix else ""
            sums[low + tail], sums[high + tail] = below[places], below[-1] - below[places]
    return {
        own.name: [
            np.nan if (v := values(own.tree, {k: float(s[n]) for k, s in sums.items()})) is None else v
            for n in range(len(at))
        ]
        for own in shown.rows.contract.metrics
    }


def _f1(shown: Shown, at: NDArray[np.float64]) -> list[float]:
    ranked = [np.sort(shown.given[of]) for of in (shown.yes, ~shown.yes)]
    tp, fp = (len(one) - np.searchsorted(one, at, side="left") for one in ranked)
    found: list[float] = (2 * tp / np.maximum(tp + fp + len(ranked[0]), 1)).tolist()
    return found


def _confusion(shown: Shown, ax: Axes) -> str:
    classes = shown.rows.contract.labels.classes
    size = len(classes)
    said, true = shown.given.argmax(axis=1), shown.rows.truth.astype(np.int64)
    found = np.bincount(true * size + said, minlength=size * size).reshape(size, size)
    shares = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
    ax.grid(visible=False)
    for (row, column), value in np.ndenumerate(shares):
        color = BLUE if row == column else ORANGE
        ax.fill_between([column, column + 1], row, row + 1, color=color, alpha=0.85 * value, linewidth=0)
        if size <= MOST_NAMED:
            ax.text(column + 0.5, row + 0.5, f"{value:.0%}", ha="center", va="center", color=INK)
    names = [_short(name) for name in classes]
    step = max(1, size // MOST_NAMED)
    middle = np.arange(size)[::step] + 0.5
    ax.set_xticks(middle, names[::step], rotation=0 if size <= 4 else 60)
    ax.set_yticks(middle, names[::step])
    ax.set(xlim=(0, size), ylim=(size, 0), xlabel="what the model says", ylabel="what it was")
    return "Each line is a class and where its rows went, in per cent: all on the diagonal would be perfect."


def _class_scores(shown: Shown, ax: Axes) -> str:
    edges = np.linspace(0, 1, BINS + 1).tolist()
    sure = shown.given.max(axis=1)
    right = shown.given.argmax(axis=1) == shown.rows.truth
    ax.hist([sure[right], sure[~right]], edges, stacked=True, color=[BLUE, ORANGE], label=["right", "wrong"])
    ax.set(xlim=(0, 1), xlabel="probability of the likeliest class", ylabel="rows")
    ax.legend()
    return "How sure the model was, where it was right and where it was wrong."


def _against_truth(shown: Shown, ax: Axes) -> str:
    step = max(1, len(shown.given) // DOTS)
    true, said = shown.rows.truth[::step], shown.given[::step]
    ends = [float(min(true.min(), said.min())), float(max(true.max(), said.max()))]
    ax.plot(ends, ends, color=GREY, linestyle="--", linewidth=1)
    ax.plot(true, said, color=BLUE, marker="o", markersize=2.5, linestyle="none", alpha=0.5)
    unit = _unit_of(shown)
    ax.set(xlabel=f"what it was{unit}", ylabel=f"estimate{unit}")
    return "Each dot is a row; on the dashed line the estimate was right."


def _errors(shown: Shown, ax: Axes) -> str:
    off = shown.given - shown.rows.truth
    reach = float(np.quantile(np.abs(off), 0.995)) or 1.0
    kept = [found for found in shown.card.get("intervals", []) if found["within"] is not None]
    most = 1.1 * max([reach, *(found["within"] for found in kept)])
    ax.hist(np.clip(off, -most, most), np.linspace(-most, most, BINS + 1).tolist(), color=BLUE, alpha=0.7)
    for found, style in zip(kept, ("--", "-.", ":", "-") * len(kept), strict=False):
        for side in (-1, 1):
            label = f"{found['coverage']:.3g} promised" if side > 0 else None
            ax.axvline(side * found["within"], color=ORANGE, linestyle=style, linewidth=1.2, label=label)
    ax.set(xlabel=f"estimate less truth{_unit_of(shown)}", ylabel="rows")
    if kept:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(kept), 3))
    return "How far off the estimates were. Between two lines of a kind lies what is promised of the cases."


_PICTURES: Mapping[str, tuple[tuple[str, str, Draw], ...]] = {
    "binary": (
        ("roc", "How well it tells yes from no", _roc),
        ("precision-recall", "How often it is right when it says yes", _precision_recall),
        ("calibration", "Whether a score means what it says", _calibration),
        ("scores", "Scores of no and of yes", _scores),
    ),
    "classes": (
        ("confusion", "What it takes for what", _confusion),
        ("sure", "How sure it is", _class_scores),
    ),
    "number": (
        ("estimates", "Estimates and what came", _against_truth),
        ("errors", "How far off it is", _errors),
    ),
}


def _thresholds(shown: Shown, ax: Axes) -> None:
    lines = _lines(shown.card.get("threshold"), shown.card.get("accept_below"))
    for at, style in lines:
        ax.axvline(at, color=INK, linestyle=style, linewidth=1)


def _lines(decline: float | None, accept: float | None) -> Iterator[tuple[float, str]]:
    if decline is not None:
        yield decline, "-"
    if accept is not None and accept != decline:
        yield accept, ":"


def _unit(ax: Axes, x: str, y: str) -> None:
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x, ylabel=y)


def _unit_of(shown: Shown) -> str:
    unit = shown.rows.contract.labels.truth.unit
    return f" ({_short(unit)})" if unit else ""


def _short(text: str) -> str:
    """A name as a label: printable, and no longer than it can be."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= 24 else f"{clean[:23]}…"
