"""The model card: scorecard and facts of a bundle as one page that asks the network for nothing. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top }}
tr {{ border-bottom: 1px solid #8884 }}
th {{ font-weight: 600 }} table.facts th {{ width: 16rem }}
td {{ font-variant-numeric: tabular-nums; overflow-wrap: anywhere }}
</style></head><body>
<h1>{title}</h1><p>{question}</p>
<h2>Quality on the holdout</h2>{scorecard}
<h2>What it sees</h2>{features}
<h2>Where it comes from</h2>{facts}
</body></html>
"""


def card(
    question: str,
    scorecard: Mapping[str, object],
    features: Sequence[Mapping[str, object]],
    facts: Mapping[str, object],
) -> str:
    """A self-contained HTML page; `features`: a line each, all with the same columns.

    Every value is escaped: names in data cannot become markup.
    """
    title = escape(f"{facts['pipeline']}: model card")
    return _PAGE.format(
        title=title,
        question=escape(question),
        scorecard=_facts(scorecard),
        features=_table(features),
        facts=_facts(facts),
    )


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
