"""An embedded broker's properties and identity."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hotpath.local.broker import cluster_id, format_command, properties


@given(st.text())
def test_a_clusters_identity_is_a_kafka_uuid_that_is_no_option(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", cluster_id(name))
    assert cluster_id(name) == cluster_id(name)


def test_formatting_twice_is_no_error() -> None:
    assert "--ignore-formatted" in format_command("c", Path("c.properties"))


def test_a_broker_listens_on_loopback_only_and_makes_no_topic_by_itself() -> None:
    lines = dict(line.split("=", 1) for line in properties(1, 2, Path("data")).splitlines())
    assert all("127.0.0.1:" in address for address in lines["listeners"].split(","))
    assert lines["auto.create.topics.enable"] == "false"
