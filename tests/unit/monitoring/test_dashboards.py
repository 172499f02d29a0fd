"""Grafana's files and the page of monitors are what the tables say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from hotpath.points import MEASUREMENTS
from hotpath.settings import PROJECT
from monitoring.dashboards import DATA_SOURCE, PROVIDER, dashboard
from monitoring.flux import flux, queries, query
from monitoring.monitor import ROWS, Monitor, Reads
from monitoring.monitors import MONITORS
from monitoring.pages import markdown, pages

PANELS: list[dict[str, Any]] = [p for p in dashboard()["panels"] if p["type"] != "row"]


def by_name(name: str) -> Monitor:
    return next(m for m in MONITORS if m.name == name)


@pytest.mark.parametrize("path", pages())
def test_what_is_committed_is_rendered_from_the_tables(path: str) -> None:
    assert (PROJECT / path).read_text() == pages()[path], "run make docs"


def test_the_page_names_every_monitor_measurement_and_field() -> None:
    page = markdown()
    assert all(f"| `{m.name}` |" in page for m in MONITORS)
    assert all(f"### {m.name}\n" in page for m in MEASUREMENTS)
    assert all(f"| `{field}` |" in page for m in MEASUREMENTS for field in m.fields)


def test_there_is_one_panel_a_monitor_in_its_row() -> None:
    assert sorted(p["title"] for p in PANELS) == sorted(m.title for m in MONITORS)
    rows = [p["title"] for p in dashboard()["panels"] if p["type"] == "row"]
    assert rows == list(ROWS.values())


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    cells = [
        (x, y)
        for p in panels
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def test_thresholds_are_drawn_in_the_order_of_their_values() -> None:
    steps = {p["title"]: p["fieldConfig"]["defaults"]["thresholds"]["steps"] for p in PANELS}
    assert steps["Line: silence"] == [
        {"color": "green", "value": None},
        {"color": "orange", "value": 10},
        {"color": "red", "value": 60},
    ]
    assert steps["Live AUC"] == [{"color": "orange", "value": None}, {"color": "green", "value": 0.55}]


def test_a_new_monitor_at_a_rows_end_moves_no_id() -> None:
    new = Monitor("new", "New", "arrow", Reads("writer", "behind"), "last", "count", "Doc.")
    ids = {p["title"]: p["id"] for p in dashboard((*MONITORS, new))["panels"]}
    assert all(ids[p["title"]] == p["id"] for p in PANELS)


def test_provisioning_is_yaml_and_takes_secrets_from_the_environment() -> None:
    source = yaml.safe_load(DATA_SOURCE)["datasources"][0]
    assert source["uid"] == PANELS[0]["datasource"]["uid"]
    assert source["secureJsonData"] == {"token": "${INFLUXDB_TOKEN}"}
    assert yaml.safe_load(PROVIDER)["providers"][0]["options"]["path"] == "${HOTPATH_DASHBOARDS}"
    assert json.loads(pages()["monitoring/grafana/dashboards/hotpath.json"])["uid"] == "hotpath"


def test_a_query_is_its_panels_with_values_in_place_of_grafanas_variables() -> None:
    put = query(by_name("rejected_share"), "hot", "-5m", "now()", "10s")
    assert 'from(bucket: "hot")\n  |> range(start: -5m, stop: now())' in put
    assert "v." not in put.replace("_v.", "")
    shown = flux(by_name("rejected_share"))
    for variable, value in (
        ("v.defaultBucket", '"hot"'),
        ("v.timeRangeStart", "-5m"),
        ("v.timeRangeStop", "now()"),
        ("v.windowPeriod", "10s"),
    ):
        shown = shown.replace(variable, value)
    assert put == shown


def test_there_is_a_query_for_every_panel() -> None:
    assert queries("hotpath", 15).keys() == {p["title"] for p in PANELS}
