"""What a window holds beside its rows: columns for who measures, rivals' rows, golden rows, leaks."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from hotpath.clock import DAY, HOUR, MINUTE
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import fallback_function
from hotpath.handoffs import BadInterval
from hotpath.lake import Lake
from tests.integration.train.lakes import Row, land
from tests.integration.train.parcels import CONTRACT, NOW, TOLERANCE, one_event, one_label
from tests.integration.train.reference import features
from tests.integration.train.trips import MINUTES, START
from train.account import Account
from train.build import build
from train.clocks import Clocks
from train.folder import Folder, Part
from train.golden import ROWS
from train.measured import CHAMPION, WAITING
from train.sources import held
from train.stages import read

THEIRS = Fitted({"carrier": ("post",)})


def contract(features: Mapping[str, str] = MappingProxyType({})) -> Contract:
    """The parcels' contract with bounds, a metric and a rule of its own; or with other features, without."""
    plain = json.loads(CONTRACT.canonical())
    if features:
        plain["features"] = dict(features)
    else:
        plain["events"]["fields"]["weight"] |= {"min": 0, "max": 50}
        plain["metrics"] = {"cost": "(3 * fn_weight + fp_pieces) / rows"}
        plain["serve"]["fallback"] = "hour < 12 and pieces > 3"
    return Contract.from_yaml(json.dumps(plain), "parcels.yaml")


TODAY = contract()
THEIR_CONTRACT = contract({"known": "level(carrier)", "twice": "weight * 2", "weight": "weight"})


def parcels(number: int = 900) -> tuple[list[Row], list[Row]]:
    """Three questions a parcel within a day, and a label soon after the last."""
    draw = random.Random(2)
    asked: list[Row] = []
    said: list[Row] = []
    for n in range(number // 3):
        first, parcel, late = NOW - 23 * HOUR + n * 4 * MINUTE, f"parcel-{n}", draw.random() < 0.4
        for k in range(3):
            event = one_event(3 * n + k, first + k * MINUTE, parcel)
            asked.append({**event, "carrier": draw.choice([None, "ups", "dhl", "post", "é"])})
        said.append(one_label(n, late, first + 9 * MINUTE, parcel))
    return asked, said


@dataclass(frozen=True)
class Built:
    """A window in its folder."""

    folder: Folder
    account: Account

    def table(self, part: Part, rival: str = "") -> pa.Table:
        return pa.concat_tables(pq.read_table(f) for f in self.folder.files(part, rival))

    def golden(self) -> list[tuple[dict[str, object], tuple[object, ...]]]:
        """Each row's event, as the row function takes it, and its features."""
        found = []
        for row in self.table("golden").to_pylist():
            event = {f.name: row[f"event.{f.name}"] for f in CONTRACT.events.fields}
            made = tuple(value for name, value in row.items() if name.startswith("feature."))
            found.append(({**event, "time": round(event["time"].timestamp() * 1e6)}, made))
        return found


def window(
    session: SparkSession,
    place: Path,
    contract: Contract,
    rows: tuple[Sequence[Row], Sequence[Row]],
    clocks: Clocks = Clocks(TOLERANCE),  # noqa: B008 - frozen
    batches: int = 2,
) -> Built:
    lake, folder = Lake(place / "lake", contract.name), Folder(place / "run")
    for batch in range(batches):
        events, labels = (part[batch::batches] for part in rows)
        land(lake, contract, batch, events, labels)
    folder.path.mkdir(exist_ok=True)
    account = build(session, held(lake, contract), contract, NOW, folder, clocks)
    assert Account.from_bytes(folder.account.read_bytes()) == account
    return Built(folder, account)


@pytest.fixture(scope="module")
def built(session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A window with a champion of another contract, and a waiting challenger that cannot be read."""
    place = tmp_path_factory.mktemp("window")
    for name, said in ((CHAMPION, THEIR_CONTRACT.canonical()), (WAITING, b"{")):
        folder = Folder(place / "run").rival(name)
        folder.mkdir(parents=True)
        (folder / "contract.json").write_bytes(said)
        (folder / "fitted.json").write_bytes(THEIRS.to_bytes())
    return window(session, place, TODAY, parcels())


def test_the_fallback_rules_word_stands_beside_each_row_of_the_holdout(built: Built) -> None:
    holdout, rule = built.table("holdout"), fallback_function(TODAY)
    assert rule is not None
    said = holdout["row.fallback"].to_pylist()
    vectors = zip(*(holdout[f"feature.{f.name}"].to_pylist() for f in TODAY.features), strict=True)
    assert said == [rule(vector) for vector in vectors]
    assert set(said) == {True, False, None}


def test_so_do_the_amounts_that_the_contracts_own_metrics_sum_up(built: Built) -> None:
    holdout = built.table("holdout")
    beside = [name for name in holdout.column_names if not name.startswith("feature.")]
    assert beside == [
        "row.arrived_at", "row.group", "row.alone", "row.amount.pieces", "row.amount.weight",
        "row.fallback", "label",
    ]  # fmt: skip
    for name in ("pieces", "weight"):
        assert holdout[f"row.amount.{name}"].to_pylist() == holdout[f"feature.{name}"].to_pylist()


def test_training_rows_have_weight_and_slice_beside_them_and_each_of_one_weight(built: Built) -> None:
    train = built.table("train")
    assert train.column_names[-3:] == ["row.weight", "row.slice", "label"]
    assert set(train["row.weight"].to_pylist()) == {1.0}
    assert set(train["row.slice"].to_pylist()) == {0.0, -1.0, 1.0, 2.0, 3.0}


def test_a_rival_sees_the_same_rows_in_the_same_order_as_its_own_contract_makes_them(built: Built) -> None:
    ours, theirs = built.table("holdout"), built.table("holdout", CHAMPION)
    assert theirs.column_names == [*(f"feature.{f.name}" for f in THEIR_CONTRACT.features), "label"]
    assert theirs["label"] == ours["label"]
    assert theirs["feature.weight"] == ours["feature.weight"]
    twice = [None if w is None else 2 * w for w in ours["feature.weight"].to_pylist()]
    assert theirs["feature.twice"].to_pylist() == twice
    assert set(theirs["feature.known"].to_pylist()) == {None, "post", "(other)"}
    assert set(ours["feature.known"].to_pylist()) > {"(other)"}
    assert "post" in set(ours["feature.carrier"].to_pylist())


def test_one_of_the_same_contract_and_levels_is_asked_of_the_very_rows(
    session: SparkSession, tmp_path: Path, built: Built
) -> None:
    (folder := Folder(tmp_path / "run").rival(CHAMPION)).mkdir(parents=True)
    (folder / "contract.json").write_bytes(TODAY.canonical())
    (folder / "fitted.json").write_bytes(built.folder.fitted.read_bytes())
    again = window(session, tmp_path, TODAY, parcels())
    assert again.folder.part("holdout", CHAMPION).is_symlink()
    assert again.account.rivals[CHAMPION] == ""
    assert again.table("holdout", CHAMPION) == again.table("holdout")


def test_a_rival_that_cannot_be_read_says_why_and_hinders_nothing(built: Built) -> None:
    assert built.account.rivals[CHAMPION] == ""
    assert "contract.json" in built.account.rivals[WAITING]
    assert not built.folder.part("holdout", WAITING).exists()


def test_each_stage_says_what_it_took_and_how_much_went_through(built: Built) -> None:
    spent = read(built.folder.stages).spent
    assert list(spent) == [
        "judge", "divide", "levels", "train rows", "holdout rows", "rivals", "features", "golden rows"
    ]  # fmt: skip
    assert (spent["divide"].rows, spent["train rows"].rows) == (900, built.account.rows["train"])
    assert spent["golden rows"].rows == built.table("golden").num_rows
    assert all((found.bytes or 0) > 1000 for name, found in spent.items() if name.endswith(" rows"))


def test_the_golden_rows_are_what_the_row_function_makes_of_their_events(built: Built) -> None:
    known = Fitted.from_bytes(built.folder.fitted.read_bytes())
    found = built.golden()
    assert ROWS <= len(found) <= 10_000
    for event, made in found:
        assert made == features(TODAY, event, known)


def test_they_reach_nulls_unmet_levels_bounds_and_each_class(built: Built) -> None:
    events = [event for event, _ in built.golden()]
    for name in ("carrier", "weight", "pieces", "fragile", "box.depth"):
        assert None in {event[name] for event in events}
    assert {0.0, 50.0} <= {event["weight"] for event in events}
    assert "~" in {event["carrier"] for event in events}
    late = {row["parcel"]: row["late"] for row in parcels()[1]}
    assert {late[event["parcel"]] for event in events} == {True, False}


def test_the_same_window_of_a_lake_cut_otherwise_has_the_same_rows(
    session: SparkSession, tmp_path: Path, built: Built
) -> None:
    again = window(session, tmp_path, TODAY, parcels(), batches=5)
    assert again.table("train") == built.table("train")
    assert again.table("holdout") == built.table("holdout")
    assert again.table("golden") == built.table("golden")
    assert again.folder.fitted.read_bytes() == built.folder.fitted.read_bytes()


def test_a_feature_that_knows_the_label_refuses_the_window_by_name(
    session: SparkSession, tmp_path: Path
) -> None:
    asked, said = parcels()
    late = {row["parcel"] for row in said if row["late"]}
    known = [{**event, "box.depth": None if event["parcel"] in late else 3.0} for event in asked]
    found = window(session, tmp_path, TODAY, (known, said)).account
    assert found.leaks == {"depth": 1.0}
    (why,) = found.shortcomings(TODAY)
    assert why.startswith("feature depth alone tells the label: its AUC on the holdout is 1,")


def test_a_window_most_of_which_wrong_clocks_stamped_is_refused_with_both_figures(
    session: SparkSession, tmp_path: Path
) -> None:
    asked, said = parcels()
    told = [{**event, "host": f"host-{n % 5}"} for n, event in enumerate(asked)]
    wrong = tuple(BadInterval(f"host-{n}", NOW - DAY, None, HOUR) for n in range(3))
    found = window(session, tmp_path, TODAY, (told, said), Clocks(TOLERANCE, wrong)).account
    assert found.believed == pytest.approx(0.4)
    assert list(found.shortcomings(TODAY)) == [
        "timestamp quality is 0.4000, the contract asks for at least 0.5: 540 events of a wrong clock"
    ]


def test_of_a_handful_of_rows_nothing_is_learned_and_it_says_how_many_it_takes(
    session: SparkSession, tmp_path: Path
) -> None:
    found = window(session, tmp_path, TODAY, parcels(90)).account
    assert "only 18 holdout rows in the window, at least 30 are needed" in list(found.shortcomings(TODAY))


def test_of_a_number_the_newest_rows_are_kept_whatever_they_are(
    session: SparkSession, tmp_path: Path
) -> None:
    lake, folder = Lake(tmp_path / "lake", "trips"), Folder(tmp_path / "run")
    now = MINUTES.land(lake, trips=400)
    budget = replace(MINUTES.contract, train=replace(MINUTES.contract.train, max_rows=300))
    folder.path.mkdir()
    account = build(session, held(lake, budget), budget, now, folder, Clocks(TOLERANCE))
    found = Built(folder, account)
    assert account.budget == {"rows": 400, "kept": 300, "since": START + 100 * MINUTE}
    assert (account.rows["holdout"], account.left_out["beyond the row budget"]) == (60, 100)
    assert set(found.table("train")["row.weight"].to_pylist()) == {1.0}
    asked = found.table("holdout")["row.arrived_at"].to_pylist()
    assert sorted(asked) == [START + n * MINUTE for n in range(340, 400)]
    assert set(account.spread) == {"train", "holdout"}
    assert list(account.shortcomings(budget)) == []
    assert found.table("golden").num_rows >= ROWS
