"""The mirror's properties come from the contracts."""

from __future__ import annotations

import re

from hotpath.contract.load import load
from hotpath.handoffs import topics
from hotpath.local.mirror import MOST_A_POLL, properties
from hotpath.settings import PROJECT
from monitoring.gaps import MOST_AT_ONCE

DECLARED = topics([load(PROJECT / "config/pipelines/flights.yaml")])


def flow(direction: str) -> list[str]:
    """The topic patterns of a direction, as Java's Properties reads them."""
    rendered = properties(DECLARED, "a:1", "b:2", 3)
    (line,) = (row for row in rendered.splitlines() if row.startswith(f"{direction}.topics"))
    return line.split(" = ")[1].replace("\\\\", "\\").split(",")


def test_every_topic_goes_the_way_it_is_declared_and_no_other() -> None:
    for topic in DECLARED:
        ways = [
            d for d in ("onprem->cloud", "cloud->onprem") if any(re.fullmatch(p, topic.name) for p in flow(d))
        ]
        assert ways == ([] if topic.direction == "cloud" else [topic.direction])


def test_a_dot_in_a_name_is_a_dot_and_nothing_else() -> None:
    assert not any(re.fullmatch(p, "flightsXstatus") for p in flow("onprem->cloud"))


def test_exactly_once_is_on_in_both_directions() -> None:
    rendered = properties(DECLARED, "a:1", "b:2", 3)
    for line in (
        "onprem.exactly.once.source.support = enabled",
        "cloud.exactly.once.source.support = enabled",
        "onprem.consumer.isolation.level = read_committed",
        "cloud.consumer.isolation.level = read_committed",
    ):
        assert line in rendered.splitlines()


def test_every_setting_of_a_client_stands_under_a_clusters_name() -> None:
    """MM2 passes over one that does not, silently."""
    keys = [line.split(" = ")[0] for line in properties(DECLARED, "a:1", "b:2", 3).splitlines()]
    clients = [key for key in keys if re.search(r"(^|\.)(producer|consumer|admin)\.", key)]
    assert clients
    assert all(key.startswith(("onprem.", "cloud.")) for key in clients)


def test_a_transaction_of_the_mirror_is_no_larger_than_the_watch_for_gaps_believes() -> None:
    assert MOST_A_POLL <= MOST_AT_ONCE
