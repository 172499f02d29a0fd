"""What `make docs` renders from the tables: docs/monitors.md and Grafana's files. Writes nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from hotpath.points import MEASUREMENTS, Measurement
from monitoring.dashboards import files
from monitoring.monitor import MEASURES, ROWS, Monitor, shown
from monitoring.monitors import MONITORS

_INTRO = """# Monitors and measurements

Rendered from `monitoring/monitors.py` and `hotpath/points.py` by `make docs`; a test compares. Do not edit.

Every part says measurements on `hotpath.points`. From them come the dashboard in Grafana, the console
(http://127.0.0.1:8090 by default) and the alarms; one table says how.

## How an alarm begins and ends

A verdict belongs to one monitor and one subject (a pipeline, a host, a scorer, a topic). It *begins* once the
value was beyond its threshold for the whole of "for", and *ends* once it was back inside by the band for as
long: 10 % of the threshold unless `band` says otherwise (a threshold of 0 counts things and has no band). In
the band whatever was said stands. A page that eases goes back to a warning. A subject without data keeps its
level for a while; then the level ends, and where the table says so "no data" is an alarm of its own. Alarms
that stand outlive a restart of the monitoring process, so whoever was told of a begin is told of the end.

Alarms go to the log, to `hotpath.points` (measurement `alarm`), to webhooks in Alertmanager's format
(`alarms.webhooks`), and by apprise to mail, chat or pager (`alarms.apprise_file`: a URL a line, mode 600).

Thresholds are an operator's to change, in `config/settings.yaml`:

```yaml
monitors: {line_silence: {warn: 20, page: 120, for_s: 5}}
```
"""
_GRAFANA = """## Grafana

`monitoring/grafana` holds a provisioned data source and the dashboard. Point `GF_PATHS_PROVISIONING` at
`monitoring/grafana/provisioning`; set `INFLUXDB_URL`, `INFLUXDB_ORG`, `INFLUXDB_BUCKET`, `INFLUXDB_TOKEN`
(the embedded InfluxDB's read token: `.hotpath/run/cloud/keys/influxdb-read.token`) and `HOTPATH_DASHBOARDS`.
"""


def pages() -> dict[str, str]:
    """Every rendered file of monitoring, by its path in the project."""
    grafana = {f"monitoring/grafana/{path}": text for path, text in files().items()}
    return {"docs/monitors.md": markdown(), **grafana}


def markdown(monitors: tuple[Monitor, ...] = MONITORS) -> str:
    """The page of monitors and measurements."""
    return "\n".join([_INTRO, *_rows(monitors), _measures(), _GRAFANA, *_measurements()])


def _rows(monitors: tuple[Monitor, ...]) -> Iterable[str]:
    heads = ("monitor", "reads", "measure", "warn", "page", "for", "meaning, and what to do")
    for row, title in ROWS.items():
        lines = [_line(m) for m in monitors if m.row == row]
        yield f"## {title}\n\n{_table(heads, lines)}"


def _line(m: Monitor) -> tuple[str, ...]:
    silent = f"no data for {shown(m.stale_s, 's')}: {m.silent}" if m.silent else ""
    doc = " ".join(filter(None, (f"{m.title}.", m.doc, m.todo and f"*{m.todo}*")))
    waits = shown(m.for_s, "s") if m.judged else ""
    return (f"`{m.name}`", _reads(m), _over(m), _limit(m, m.warn), _limit(m, m.page) or silent, waits, doc)


def _limit(monitor: Monitor, threshold: float | None) -> str:
    return "" if threshold is None else f"{monitor.worse} {shown(threshold, monitor.unit)}"


def _reads(monitor: Monitor) -> str:
    reads = monitor.reads
    per = f" / `{reads.per}`" if reads.per else ""
    only = "".join(f", {tag} = {value}" for tag, value in reads.only.items())
    by = f" by {', '.join(reads.by)}" if reads.by else ""
    return f"`{reads.measurement}.{reads.field}`{per}{only}{by}"


def _over(monitor: Monitor) -> str:
    return f"{monitor.measure}, {shown(monitor.over_s, 's')}"


def _measures() -> str:
    table = _table(("measure", "what it is"), [(f"`{name}`", doc) for name, doc in MEASURES.items()])
    return f"## Measures\n\nOf a subject's points in the time that stands beside it.\n\n{table}"


def _measurements() -> Iterable[str]:
    yield "## Measurements\n\nInfluxDB line protocol on `hotpath.points`, stamped with real time.\n"
    for m in MEASUREMENTS:
        yield f"### {m.name}\n\n{m.doc[0].upper()}{m.doc[1:]}. {_tags(m)}\n\n{_fields(m)}"


def _tags(measurement: Measurement) -> str:
    tags = ", ".join(f"`{tag}`" for tag in measurement.tags)
    return f"Tags: {tags}." if tags else "No tags."


def _fields(measurement: Measurement) -> str:
    return _table(("field", "meaning"), [(f"`{name}`", doc) for name, doc in measurement.fields.items()])


def _table(heads: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rows = [heads, ("---",) * len(heads), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
