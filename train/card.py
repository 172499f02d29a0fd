"""The model card: a bundle's scorecard and facts as one page that asks the network for nothing. Pure.

What it is good for comes first, in words; then what is promised, how good it is beside others, pictures, and
last what it sees and where it comes from. Every value is escaped: names in data cannot become markup. The
pictures are `train.plots`', which are markup of our own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from hotpath.contract import metrics
from hotpath.errors import BadArtifact
from hotpath.scorecard import sentences, share

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; margin-bottom: 0 }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem }}
.lead {{ font-size: 1.1rem }} .question {{ margin-top: .25rem; opacity: .75 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top }}
tr {{ border-bottom: 1px solid #8884 }}
th {{ font-weight: 600 }} tr > th:first-child {{ white-space: nowrap }} table.facts th {{ width: 16rem }}
td {{ font-variant-numeric: tabular-nums; overflow-wrap: anywhere }}
td small {{ opacity: .7; white-space: nowrap }}
li {{ margin: .35rem 0 }} li.not {{ opacity: .75 }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem }}
figure {{ margin: 0 }} figcaption {{ font-size: .875rem; opacity: .8 }}
figure h3 {{ font-size: 1rem; margin: 0 0 .25rem }}
svg {{ width: 100%; height: auto }} svg * {{ stroke-linejoin: round; stroke-linecap: butt }}
.wide {{ overflow-x: auto }} .wide table {{ min-width: 44rem }}
</style></head><body>
<h1>{title}</h1><p class="question">{question}</p>
<h2>In short</h2>{summary}
<h2>What it promises</h2>{promises}
<h2>How good it is, and beside what</h2>{quality}
{pictures}<h2>What it sees</h2><div class="wide">{features}</div>
<h2>Where it comes from</h2>{facts}
</body></html>
"""
RIVALS = {
    "champion": "the live model",
    "fallback": "the contract's rule",
    "constant": "the same answer to all",
}
"""Who a model is held against, as a person would say it, in this order."""


@dataclass(frozen=True)
class Plot:
    """A picture, and in words what it shows."""

    name: str
    title: str
    caption: str
    svg: str


def written(plots: Iterable[Plot]) -> bytes:
    """Pictures as a file, for they are drawn in another process than the card."""
    return json.dumps([asdict(plot) for plot in plots]).encode()


def read(data: bytes) -> tuple[Plot, ...]:
    """Raises BadArtifact where `data` is not what `written` writes."""
    try:
        return tuple(Plot(**plot) for plot in json.loads(data))
    except (ValueError, TypeError) as error:
        raise BadArtifact("the card's pictures", data[:200], "what train.fit wrote") from error


def card(
    question: str,
    scorecard: Mapping[str, Any],
    plots: Sequence[Plot],
    features: Sequence[Mapping[str, object]],
    facts: Mapping[str, object],
) -> str:
    """A self-contained HTML page; `features`: a line each, all with the same columns."""
    return _PAGE.format(
        title=escape(f"{facts['pipeline']}: model card"),
        question=escape(question),
        summary="".join(f'<p class="lead">{escape(text)}</p>' for text in summary(scorecard)),
        promises=_promises(scorecard),
        quality=_quality(scorecard),
        pictures=f"<h2>In pictures</h2><div class='plots'>{''.join(map(_figure, plots))}</div>"
        if plots
        else "",
        features=_table(features),
        facts=_facts(_without_curves(scorecard) | dict(facts)),
    )


def summary(card: Mapping[str, Any]) -> Iterator[str]:
    """What a model does, in sentences that need no statistics."""
    said = {"binary": _binary, "classes": _classes, "number": _number}[card["kind"]]
    yield said(card)
    rivals = [f"{_standing(rival['ahead'])} {RIVALS[name]}" for name, rival in _rivals(card)]
    if rivals:
        best = metrics.of(card["kind"])[0]
        yield f"By {best.name} ({best.doc}) it is {', '.join(rivals)}."


def _binary(card: Mapping[str, Any]) -> str:
    found = card.get("decisions") or {}
    if not (rows := found.get("all")):
        return "No decision was measured."
    if not found["declined"] + found["accepted"]:
        return "It decides nothing by itself: what the contract tolerates cannot be promised."
    per = 100 / rows
    declined, accepted = found["declined"] * per, found["accepted"] * per
    parts = [
        f"declines about {_about(declined)}, of which {_about(found['declined_yes'] * per)} turn out yes"
    ]
    parts += [
        f"accepts {_about(accepted)}, of which {_about(found['accepted_yes'] * per)} turn out yes after all"
    ]
    if (left := 100 - declined - accepted) > 0.05:
        parts += [f"leaves {_about(left)} undecided"]
    return f"Of 100 cases, {_about(found['all_yes'] * per)} of which turn out yes, it {'; it '.join(parts)}."


def _classes(card: Mapping[str, Any]) -> str:
    right = card["metrics"].get("accuracy", 0.0)
    always = card["baselines"].get("constant", {}).get("metrics", {}).get("accuracy")
    beside = (
        ""
        if always is None
        else f" Who always names the most frequent class is right in {_about(100 * always)}."
    )
    return f"Of 100 cases it names the right class in {_about(100 * right)}.{beside}"


def _number(card: Mapping[str, Any]) -> str:
    found = card["metrics"]
    always = card["baselines"].get("constant", {}).get("metrics", {}).get("mae")
    beside = (
        "" if always is None else f" Who always says the mean of training is off by {always:.3g} on average."
    )
    unit = f" {card['unit']}" if card.get("unit") else ""
    half = f"Half of its estimates are off by less than {found.get('median_error', 0.0):.3g}{unit}"
    return f"{half}; on average it is off by {found.get('mae', 0.0):.3g}{unit}.{beside}"


def _about(count: float) -> str:
    return f"{count:.0f}" if count >= 9.95 or count == 0 else f"{count:.1f}".removesuffix(".0")


def _standing(ahead: Mapping[str, float]) -> str:
    if ahead["low"] > 0:
        return "surely better than"
    return "surely worse than" if ahead["high"] < 0 else "neither surely better nor surely worse than"


def _promises(card: Mapping[str, Any]) -> str:
    said = sentences(card)
    lines = "".join(
        f"<li{' class=not' if 'cannot be promised' in text else ''}>{escape(text)}</li>" for text in said
    )
    listed = f"<ul>{lines}</ul>" if lines else "<p>The contract asks for no promise.</p>"
    return f"{listed}{_pairs(card)}"


def _pairs(card: Mapping[str, Any]) -> str:
    """What two thresholds come to together; a card has them where both kinds of tolerance are listed."""
    lines = [
        {
            "no that are declined": f"at most {share(found['false_positive_rate'])}",
            "yes that are accepted": f"at most {share(found['false_negative_rate'])}",
            "decline from": _threshold(found["decline_at"]),
            "accept below": _threshold(found["accept_below"]),
            "accepted": share(found["accepted"]),
            "abstained": share(found["abstained"]),
            "declined": share(found["declined"]),
        }
        for found in card.get("pairs", [])
    ]
    if not lines:
        return ""
    of = card.get("entity") or "entities"
    told = f"Both at once, of all {of} (one question each), and how many are left for a person to look at:"
    return f'<p>{escape(told)}</p><div class="wide">{_table(lines)}</div>'


def _threshold(at: float | None) -> str:
    return "never" if at is None else f"{at:.4g}"


def _quality(card: Mapping[str, Any]) -> str:
    """A line a metric: this model with its bounds, and whoever else was measured on the same rows."""
    docs = {m.name: f"{m.doc}; {m.better} is better" for m in metrics.METRICS}
    rivals = _rivals(card)
    head = ["metric", "this model", *(RIVALS.get(name, name) for name, _ in rivals), "what it is"]
    lines = []
    for name, value in card["metrics"].items():
        low, high = card["bounds"].get(name, (None, None))
        bounds = "" if low is None else f" <small>({_shown(low)} to {_shown(high)})</small>"
        others = "".join(f"<td>{escape(_shown(r['metrics'].get(name, '')))}</td>" for _, r in rivals)
        doc = escape(docs.get(name, "the contract's own"))
        lines.append(
            f"<tr><th>{escape(name)}</th><td>{_shown(value)}{bounds}</td>{others}<td>{doc}</td></tr>"
        )
    return f'<div class="wide"><table>{_line("th", head)}{"".join(lines)}</table></div>'


def _rivals(card: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    known = {**card["baselines"], "champion": card.get("champion")}
    return [(name, known[name]) for name in RIVALS if known.get(name)]


def _figure(plot: Plot) -> str:
    caption = f"<figcaption>{escape(plot.caption)}</figcaption>"
    return f"<figure><h3>{escape(plot.title)}</h3>{plot.svg}{caption}</figure>"


def _without_curves(card: Mapping[str, Any]) -> dict[str, object]:
    """What is left of a scorecard for the table of facts: counts and thresholds."""
    return {name: card[name] for name in ("rows", "classes", "threshold", "accept_below") if card.get(name)}


def _facts(values: Mapping[str, object]) -> str:
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in _flat(values))
    return f'<table class="facts">{"".join(rows)}</table>'


def _table(lines: Sequence[Mapping[str, object]]) -> str:
    head = _line("th", lines[0])
    return f"<table>{head}{''.join(_line('td', map(_shown, line.values())) for line in lines)}</table>"


def _line(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested mappings as dotted names: {"rows": {"train": 1}} gives rows.train."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return _ranges(value) if all(isinstance(v, int) for v in value) else f"{len(value)}: {value}"
    return str(value)


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending whole numbers, runs drawn together: 1, 2, 3, 7 gives 1-3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
