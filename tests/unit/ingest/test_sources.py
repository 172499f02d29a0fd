"""The table of sources: every entry composes what its pipeline's contract that ships asks for."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hotpath.clock import DAY, HOUR
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.load import load
from hotpath.settings import load as load_settings
from ingest import job
from ingest.plan import Plan
from ingest.sources import SOURCES, Start

SETTINGS = load_settings()


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_says_in_order_what_its_contract_can_read(name: str, winter: Plan) -> None:
    contract = load(SETTINGS.pipelines / f"{name}.yaml")
    begins = winter.starts_at + 5 * HOUR
    records = SOURCES[name](SETTINGS, contract, Start(winter.starts_at, begins))
    found = records.due(begins, begins + HOUR)
    decode = {source.topic: decoder(source) for source in (contract.events, contract.labels)}
    assert records.history_from <= begins - 3 * DAY
    assert {r.topic for r in found} == set(decode)
    assert all(isinstance(decode[r.topic](r.value), Decoded) for r in found)
    assert all(one.order < other.order for one, other in pairwise(found))


def test_a_pipeline_that_others_produce_is_none_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    assert job.main(["orders"]) == 1
    assert "one that we produce: flights, payments" in caplog.text
