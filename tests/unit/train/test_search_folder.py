"""What a search leaves on disk of an algorithm that is through: all that a server would be asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.contract.parts import Search
from tests.integration.train.made import contract
from train import search_place
from train.folder import Folder
from train.parameters import DEFAULT, Chosen
from train.search import Searching
from train.search_folder import Begun, Model, SearchFolder
from train.stages import Stages

CONTRACT: Contract = contract("binary", "{every: 24h, budget: 6s, algorithms: [glm, gbm]}")
BEGUN = Begun(CONTRACT.fingerprint, 7, (1, 2, 3), (50, 50, 50, 50))


@pytest.fixture
def place(tmp_path: Path) -> SearchFolder:
    return SearchFolder.beside(Folder(tmp_path / "run"))


def grown(place: SearchFolder, name: str, given: list[float]) -> Model:
    """A model whose MOJO its server has just handed over."""
    mojo = place.mojo(name)
    mojo.parent.mkdir(parents=True, exist_ok=True)
    mojo.write_bytes(name.encode())
    return Model(name, Chosen("glm", {"alpha": 0.5, "lambda": 0.1}), mojo, np.array(given))


def test_what_an_algorithm_came_to_is_read_as_it_was_kept(place: SearchFolder) -> None:
    best = [grown(place, "glm 1", [0.1, 0.9]), grown(place, "glm 2", [0.2, 0.8])]
    kept = place.keep("glm", 30, best)
    found = place.through("glm")
    assert found is not None
    assert found.tried == kept.tried == 30
    for before, now, later in zip(best, kept.best, found.best, strict=True):
        assert (before.name, before.chosen) == (now.name, now.chosen) == (later.name, later.chosen)
        assert before.given.tolist() == now.given.tolist() == later.given.tolist()
        assert later.mojo == now.mojo
        assert later.mojo.read_bytes() == before.name.encode()


def test_an_algorithm_of_which_no_model_was_grown_is_through_too(place: SearchFolder) -> None:
    assert place.keep("glm", 0, ()) == place.through("glm")


def test_one_that_was_killed_while_it_was_kept_is_not_through_and_can_be_kept_anew(
    place: SearchFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("train.search_folder.json.dumps", killed)
        with pytest.raises(KeyboardInterrupt):
            place.keep("glm", 30, [grown(place, "glm 1", [0.1])])
    assert place.through("glm") is None
    place.keep("glm", 31, [grown(place, "glm 1", [0.3])])
    found = place.through("glm")
    assert found is not None
    assert (found.tried, [one.given.tolist() for one in found.best]) == (31, [[0.3]])


def test_one_of_which_the_disk_lost_a_part_is_not_through(place: SearchFolder) -> None:
    kept = place.keep("glm", 30, [grown(place, "glm 1", [0.1])])
    kept.best[0].mojo.with_suffix(".npy").write_bytes(b"")
    assert place.through("glm") is None
    kept = place.keep("glm", 30, [grown(place, "glm 1", [0.1])])
    kept.best[0].mojo.unlink()
    assert place.through("glm") is None


def test_of_an_algorithm_that_is_through_no_server_is_asked(place: SearchFolder) -> None:
    place.keep("glm", 30, [grown(place, "glm 1", [0.1])])
    wanted: Search | None = CONTRACT.train.search
    assert wanted is not None
    clock = Clock()
    run = Searching(
        Folder(place.path), place, CONTRACT, wanted, DEFAULT, BEGUN, Stages(place.path / "s", clock), clock
    )
    nowhere: object = None  # a call to H2O would be of no connection
    assert [one.name for one in run._best("glm", 2, nowhere)] == ["glm 1"]  # type: ignore[arg-type]
    assert (run.tried, run.resumed) == ({"glm": 30}, {"glm": 30})


def test_what_was_spent_before_algorithms_results_were_kept_is_known_still(place: SearchFolder) -> None:
    place.spend({"glm": 3.0})
    assert place.spent() == {"glm": 3.0}
    (place.path / "spent.json").write_text(json.dumps({"seconds": {"glm": 4.0}, "through": ["glm"]}))
    assert place.spent() == {"glm": 4.0}
    assert place.through("glm") is None


def test_two_searches_have_nothing_of_one_name() -> None:
    others = Begun("f" * 64, 7, (), ()), Begun(CONTRACT.fingerprint, 8, (), ())
    assert len({BEGUN.mark, *(one.mark for one in others)}) == 3
    assert BEGUN.mark == f"{CONTRACT.fingerprint[:12]}_7"


def test_a_search_is_over_once_and_again(place: SearchFolder, tmp_path: Path) -> None:
    place.spend({})
    folder = Folder(tmp_path / "run")
    for _ in range(2):
        search_place.over(folder)
        assert not place.path.exists()
