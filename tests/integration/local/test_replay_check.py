"""Answers of a real scorer, computed again from the signed bundles that they name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from hotpath.files import replace
from hotpath.local.replay_check import check
from hotpath.local.transactions import answered
from hotpath.settings import Settings, load
from tests.conftest import until
from tests.integration.serve import bundles
from tests.integration.serve.conftest import Running, make_host, start


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    host = make_host(tmp_path_factory.mktemp("host"))
    host.go_live("numbers", 5)
    with start(host) as running:
        yield running


@pytest.fixture
def settings(scorer: Running, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in scorer.host.environment.items():
        monkeypatch.setenv(name, value)
    return load()


def line(scorer: Running, number: int) -> dict[str, Any]:
    """A transaction as the client writes it."""
    asked = {tensor["name"]: tensor["data"][0] for tensor in bundles.request(number)["inputs"]}
    said = answered(scorer.ask(number))
    return {"scheduled_at": number, "request": asked, "error": None, **said, "latency_us": 900}


def write(settings: Settings, *lines: dict[str, Any]) -> None:
    content = b"".join(orjson.dumps(found) + b"\n" for found in lines)
    replace(settings.data / "onprem" / "answers" / "1.jsonl", content + b'{"torn')


def test_answers_over_a_swap_are_those_of_the_bundles_they_name(scorer: Running, settings: Settings) -> None:
    """One answer with a changed score, and one that names the other bundle, are found out."""
    before = [line(scorer, number) for number in range(1, 6)]
    scorer.host.go_live("categories", 6)
    until(lambda: scorer.live() == 6, "the second bundle answers")
    after = [line(scorer, number) for number in range(6, 11)]
    write(settings, *before, *after)
    found = check(settings, bundles.PIPELINE)
    assert (found.total, found.failed, found.mixed) == (10, 0, 0)

    forged = {**after[0], "score": after[0]["score"] + 1e-9}
    misnamed = {**after[1], "bundle": before[0]["bundle"], "sequence": 5}
    write(settings, *before, forged, misnamed)
    assert check(settings, bundles.PIPELINE).mixed == 2


def test_a_bundle_that_was_retired_on_the_host_is_read_from_the_store(
    scorer: Running, settings: Settings
) -> None:
    write(settings, line(scorer, 1))
    placed = settings.bundle_folder() / bundles.PIPELINE
    (live,) = (path for path in placed.glob("*/bundle.zip") if line(scorer, 1)["bundle"] == path.parent.name)
    kept = settings.bundle_store() / bundles.PIPELINE / "bundles" / f"{live.parent.name}.zip"
    kept.parent.mkdir(parents=True)
    shutil.move(live, kept)
    assert check(settings, bundles.PIPELINE).mixed == 0
    kept.unlink()
    assert check(settings, bundles.PIPELINE).mixed == 1
