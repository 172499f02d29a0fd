"""A contract is read strictly, renders one canonical form, and has a fingerprint that tells what changed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given

from hotpath.clock import DAY, HOUR
from hotpath.contract.load import load
from hotpath.contract.model import Contract, Field, Floor, Gate, Type
from hotpath.contract.parts import Rule
from hotpath.errors import BadArtifact, BadConfig
from tests.contract.generated import contracts
from tests.contract.samples import CONTRACT, small

FEATURES = "features:\n  level: level\n  big: size > 1.5 and flag\n"
LAST = "serve: {fresh: 3h, expired: 24h}\n"
FLOOR = LAST + 'floor: {auc: ">= 0.55", window: 1h, windows: 3, labels: 200}\n'
OLD = Path(__file__).parents[1] / "data" / "contract_before_floor.json"
PIPELINES = Path(__file__).parents[2] / "config" / "pipelines"

# What is replaced, by what, where the message points, what it says.
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "an unknown key": ("question:", "qestion:", "1:1|2:1: qestion", "did you mean question?"),
    "an unknown section": ("serve:", "metric: {cost: 1}\nserve:", "29:1: metric", "did you mean metrics?"),
    "an unknown key of events": ("  host: host", "  hosts: host", "7:3: events.hosts", "did you mean host?"),
    "an unknown key of a field": ("{type: bool}", "{typ: bool}", "15:14: events.fields.flag.typ", "type?"),
    "an option of another type": ("{type: bool}", "{type: bool, max: 1}", "fields.flag.max", "of type bool"),
    "an unknown type": ("type: long", "type: lang", "16:20: events.fields.count.type", "did you mean long?"),
    "a missing key": ("  id: id\n", "", "4:3: events.id", "missing"),
    "a missing section": ("gate:  {auc: \">= 0.60\"}\n", "", "gate", "missing"),
    "a null": ("horizon: 24h", "horizon:", "23:11: labels.horizon", "a duration"),
    "a null field": ("flag:   {type: bool}", "flag:", "events.fields.flag", "keys with values"),
    "a null feature": ("level: level", "level: null", "25:10: features.level", "an expression"),
    "null as option": ("max_levels: 4", "max_levels: null", "events.fields.level.max_levels", "2 to 65536"),
    "no features": (FEATURES, "features: {}\n", "features", "keys"),
    "a list for a section": (FEATURES, "features: [1]\n", "features", "keys"),
    "a bare name with capitals": ("name: small", "name: Small", "1:7: name", "lower-case"),
    "a name that climbs": ("name: small", "name: ../small", "1:7: name", "lower-case"),
    "a number as text": ("question: Is it so?", "question: 1", "2:11: question", "a sentence"),
    "a topic with a space": ("small.asked", "small asked", "4:10: events.topic", "a Kafka topic"),
    "a topic of ours": ("small.asked", "hotpath.models", "events.topic", "hotpath."),
    "one topic for both": ("small.answered", "small.asked", "labels.topic", "another topic"),
    "a text as bool": ("nullable: true", "nullable: yes", "events.fields.level.nullable", "true or false"),
    "a fraction for a long": ("min: 0", "min: 0.5", "events.fields.count.min", "a whole number"),
    "a bool as number": ("max: 10.5", "max: true", "events.fields.size.max", "a number"),
    "max below min": ("max: 100", "max: -1", "events.fields.count.max", "at least min"),
    "an unknown unit": ("unit: km", "unit: kms", "events.fields.size.unit", "did you mean km?"),
    "a length of zero": ("max_length: 8", "max_length: 0", "events.fields.id.max_length", "from 1"),
    "a number without unit": ("30d", "30", "27:17: train.window", "a duration like"),
    "an unknown duration unit": ("30d", "30w", "27:17: train.window", "a duration like"),
    "a duration of zero": ("30d", "0d", "train.window", "a duration like"),
    "a share without percent": ("20%", "0.2", "27:31: train.holdout", "a percentage"),
    "too large a share": ("20%", "60%", "train.holdout", "from 1% to 50%"),
    "a gate without relation": ('">= 0.60"', "0.60", "28:14: gate.auc", ">= 0.60"),
    "a gate below chance": (">= 0.60", ">= 0.40", "gate.auc", "from 0.5"),
    "a floor without relation": (LAST, FLOOR.replace(">= 0.55", "0.55"), "30:15: floor.auc", ">= 0.60"),
    "a floor below chance": (LAST, FLOOR.replace("0.55", "0.45"), "floor.auc", "from 0.5"),
    "a floor of no window": (LAST, FLOOR.replace("windows: 3, ", ""), "floor.windows", "missing"),
    "half a window": (LAST, FLOOR.replace("windows: 3", "windows: 0.5"), "floor.windows", "from 1"),
    "a floor on one label": (LAST, FLOOR.replace("200", "1"), "floor.labels", "from 2"),
    "an unknown key of floor": (LAST, FLOOR.replace("labels", "label"), "floor.label", "mean labels?"),
    "a null floor": (LAST, LAST + "floor:\n", "floor", "a section"),
    "expired before fresh": ("expired: 24h", "expired: 3h", "serve.expired", "longer"),
    "a reserved field": ("flag:   {", "offset: {", "events.fields.offset", "the lake does not use"),
    "a field that is a keyword": ("flag:   {", "in: {", "events.fields.in", "no Python keyword"),
    "a field with capitals": ("flag:   {", "Flag: {", "events.fields.Flag", "lower-case"),
    "a role without field": ("host: host", "host: hots", "7:9: events.host", "did you mean host?"),
    "a role of another type": ("id: id", "id: count", "events.id", "of type string"),
    "a time that is no timestamp": ("time: at", "time: host", "events.time", "of type timestamp"),
    "a nullable id": ("max_length: 8", "max_length: 8, nullable: true", "events.id", "not nullable"),
    "a target that is no bool": ("target: truth", "target: seen", "labels.target", "of type bool"),
    "a target that events have": ("flag:   {", "truth: {", "labels.target", "only later"),
    "a string as feature": ("level: level", "level: who", "features.level", "not string"),
    "a timestamp as feature": ("level: level", "level: at", "features.level", "not timestamp"),
    "a feature on the target": ("and flag", "and truth", "26:23: features.big", "target"),
    "a feature on a label": ("level: level", "level: seen > at", "25:10: features.level", "with the label"),
    "a feature on nothing known": ("and flag", "and flog", "26:23: features.big", "did you mean flag?"),
    "a feature that is a number": ("level: level", "level: 1", "features.level", "as text"),
    "an unknown function": ("level: level", "level: our(at)", "25:10: features.level", "did you mean hour?"),
    "a feature too long once written out": (
        "level: level",
        f"level: min({','.join(['count'] * 150)})",
        "25:10: features.level",
        "at most 1000 characters in its one spelling",
    ),
    "a tag": ("name: small", "name: !!str small", "1:7", "no tag"),
    "a duplicate key": ("name: small", "name: small\nname: other", "2:1", "each key once"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), REFUSED.values(), ids=REFUSED)
def test_a_bad_contract_is_refused_with_place_and_expectation(
    old: str, new: str, where: str, says: str
) -> None:
    with pytest.raises(BadConfig) as error:
        small(old, new)
    assert str(error.value).startswith("small.yaml")
    assert any(place in str(error.value) for place in where.split("|"))
    assert says in str(error.value)


def test_what_the_file_says_is_what_the_contract_holds() -> None:
    contract = small()
    fields = {f.name: f for f in contract.events.fields}
    assert fields["size"] == Field("size", Type.DOUBLE, nullable=True, min=-1.0, max=10.5, unit="km")
    assert fields["level"].max_levels == 4
    assert (fields["id"].max_length, fields["who"].max_length) == (8, 256)
    assert (contract.labels.horizon, contract.train.window, contract.train.holdout) == (DAY, 30 * DAY, 0.2)
    assert (contract.gate, contract.serve.fresh) == (Gate((Rule("auc", 0.6, ">="),)), 3 * HOUR)
    assert [(f.name, f.expression, f.type) for f in contract.features] == [
        ("big", "size > 1.5 and flag", Type.BOOL),
        ("level", "level", Type.CATEGORY),
    ]


def test_the_floor_may_be_left_out_and_then_leaves_no_trace() -> None:
    without, with_floor = small(), small(LAST, FLOOR)
    assert without.floor is None
    assert b"floor" not in without.canonical()
    assert with_floor.floor == Floor(metric="auc", bound=0.55, window=HOUR, windows=3, labels=200)
    assert with_floor.fingerprint != without.fingerprint
    assert Contract.from_json(with_floor.canonical()) == with_floor


def test_a_bundle_of_before_the_floor_still_loads_with_its_fingerprint() -> None:
    contract = Contract.from_json(OLD.read_bytes())
    assert contract.floor is None
    assert contract.fingerprint == "9995bca4c21551b171d844a45025f7c016ff4384ceed111989004f26851d3af9"


def test_order_and_spelling_do_not_change_the_fingerprint() -> None:
    lines = CONTRACT.splitlines(keepends=True)
    moved = "".join([*lines[26:], *lines[:26]]).replace("size > 1.5 and flag", "(size  >  1.50) and (flag)")
    assert Contract.from_yaml(moved, "f").fingerprint == small().fingerprint
    assert small("24h}", "1d}").fingerprint == small().fingerprint


@pytest.mark.parametrize(
    ("old", "new"), [("1.5", "1.6"), ("30d", "31d"), ("0.60", "0.61"), ("max: 100", "max: 99")]
)
def test_a_change_changes_the_fingerprint(old: str, new: str) -> None:
    assert small(old, new).fingerprint != small().fingerprint


def test_the_fields_fingerprint_changes_with_name_type_and_unit_alone() -> None:
    before = small().events.fingerprint
    assert small("unit: km", "unit: mi").events.fingerprint != before
    assert small("count:  {type: long", "count:  {type: double").events.fingerprint != before
    assert small("count: ", "counts: ").events.fingerprint != before
    assert small("max: 100", "max: 99").events.fingerprint == before
    assert small("flag:   {type: bool}", "flag: {type: bool, nullable: true}").events.fingerprint == before
    assert small("1.5", "1.6").events.fingerprint == before
    assert small().labels.fingerprint != before


def test_a_contract_travels_as_json_and_by_pickle() -> None:
    contract = small()
    assert Contract.from_json(contract.canonical()) == contract
    assert pickle.loads(pickle.dumps(contract)) == contract


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"{}", b"\xff", small().canonical() + b" ", b"[" * 100_000]
)
def test_a_contract_json_that_is_not_canonical_is_a_bad_artifact(raw: bytes) -> None:
    with pytest.raises(BadArtifact):
        Contract.from_json(raw)


def test_a_changed_contract_json_names_the_key() -> None:
    with pytest.raises(BadArtifact, match=r"contract\.json: train\.window"):
        Contract.from_json(small().canonical().replace(b'"30d"', b'"30"'))


@given(contracts())
def test_every_valid_contract_survives_yaml_and_json(plain: dict[str, Any]) -> None:
    contract = Contract.from_yaml(orjson.dumps(plain).decode(), "f")
    assert Contract.from_json(contract.canonical()) == contract
    assert Contract.from_yaml(contract.canonical().decode(), "f") == contract


def test_a_file_is_named_like_its_pipeline(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(CONTRACT)
    with pytest.raises(BadConfig, match="rename one of them"):
        load(tmp_path / "other.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    for name, says in (("none.yaml", "No such file.*one of latin"), ("latin.yaml", "UTF-8")):
        with pytest.raises(BadConfig, match=says):
            load(tmp_path / name)


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_contract_loads(path: Path) -> None:
    assert load(path).name == path.stem
