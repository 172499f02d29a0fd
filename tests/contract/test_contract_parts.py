"""What nested fields, defaults, levels, tables, targets, parameters and decoders may not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.errors import BadConfig
from tests.contract.samples import CONTRACT, small

BOOL = "{type: bool}"
FEATURES = "features:\n"

# What is replaced, by what, where the message points, what it says.
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "a gate of another target": ('auc: ">= 0.60"', 'rmse: "<= 9"', "28:16: gate.rmse", "for a bool target"),
    "a gate on the wrong side": (">= 0.60", "<= 0.60", "28:15: gate.auc", ">= 0.60"),
    "a default beside nullable": (
        BOOL,
        "{type: bool, nullable: true, default: true}",
        "flag.default",
        "null",
    ),
    "a default of another type": (BOOL, "{type: bool, default: 1}", "flag.default", "true or false"),
    "a default out of range": ("max: 100", "max: 100, default: 101", "count.default", "from 0 to 100"),
    "a level twice": ("max_levels: 4", "levels: [a, a]", "fields.level.levels", "different texts"),
    "one level": ("max_levels: 4", "levels: [a]", "fields.level.levels", "2 to"),
    "a level that YAML reads otherwise": ("max_levels: 4", "levels: [1, 2]", "fields.level.levels", "quoted"),
    "an unknown format": ("max_length: 8", "format: uid", "fields.id.format", "did you mean uuid?"),
    "an array of nothing": (BOOL, "{type: array}", "fields.flag.of", "type of an item"),
    "an array of objects": (BOOL, "{type: array, of: object}", "fields.flag.of", "string, long, double"),
    "an array with a default": (BOOL, "{type: array, of: long, default: 1}", "flag.default", "only type"),
    "an object without fields": (BOOL, "{type: object}", "fields.flag.fields", "missing"),
    "an object too deep": (
        BOOL,
        "{type: object, fields: {a: " * 4 + BOOL + "}}" * 4,
        "a.fields.a.fields.a.type",
        "at most 4 names",
    ),
    "an unknown key of a nested field": (
        BOOL,
        "{type: object, fields: {os: {typ: bool}}}",
        "15:42: events.fields.flag.fields.os.typ",
        "type?",
    ),
    "two fields of one foreign name": (BOOL, "{type: bool, from: count}", "fields", "no other field"),
    "a decoder unknown": (
        "  host: host",
        "  decoder: jsn\n  host: host",
        "events.decoder",
        "did you mean json?",
    ),
    "a decoder without its schema": (
        "  host: host",
        "  decoder: avro\n  host: host",
        "events.decoder",
        "schema",
    ),
    "consent that is no bool": (
        "  host: host",
        "  consent: count\n  host: host",
        "events.consent",
        "bool fields",
    ),
    "classes without levels": ("truth: {type: bool}", "truth: {type: category}", "labels.target", "`levels`"),
    "a floor of a number": (
        "truth: {type: bool}",
        "truth: {type: double}",
        "gate.auc",
        "a metric for a double target: rmse, mae",
    ),
    "a parameter called like an output": (
        "expired: 24h}",
        "expired: 24h, parameters: {score: {type: double}}}",
        "parameters.score",
        "no output",
    ),
    "a response of nothing known": (
        "expired: 24h}",
        "expired: 24h, response: {scor: {type: double}}}",
        "response.scor",
        "did you mean score?",
    ),
    "a response of another type": (
        "expired: 24h}",
        "expired: 24h, response: {score: {type: long}}}",
        "response.score.type",
        "double",
    ),
    "a table without file": (FEATURES, "tables: {t: {key: a}}\n" + FEATURES, "tables.t.file", "a CSV file"),
    "a table called like a field": (
        FEATURES,
        "tables: {level: {key: a, columns: {a: string, b: long}, rows: [[x, 1]]}}\n" + FEATURES,
        "24:10: tables.level",
        "no event field",
    ),
    "a table that climbs": (
        FEATURES,
        "tables: {t: {key: a, file: ../a.csv}}\n" + FEATURES,
        "t.file",
        "without ..",
    ),
    "a table whose key comes twice": (
        FEATURES,
        "tables: {t: {key: a, columns: {a: string, b: long}, rows: [[x, 1], [x, 2]]}}\n" + FEATURES,
        "tables.t",
        "each key once",
    ),
    "a table whose key is a list": (
        FEATURES,
        "tables: {t: {key: a, columns: {a: string, b: long}, rows: [[[x], 1]]}}\n" + FEATURES,
        "tables.t",
        "a text",
    ),
    "an empty default of what identifies": (
        "host:   {type: category}",
        'host: {type: category, default: ""}',
        "events.host",
        "no empty default",
    ),
    "a consent that is assumed": (
        "  time: at\n  fields:\n",
        "  time: at\n  consent: agreed\n  fields:\n    agreed: {type: bool, default: true}\n",
        "events.consent",
        "never assumed",
    ),
    "a decision that lacks one": (
        "expired: 24h}",
        "expired: 24h, response: {decision: {type: category, levels: [accept, decline]}}}",
        "response.decision.levels",
        "abstain among them too",
    ),
    "a level that its format refuses": (
        "max_levels: 4",
        "levels: [EUR, euros], format: currency",
        "fields.level.levels",
        "as the field asks for",
    ),
    "a level that is too long": (
        "max_levels: 4",
        "levels: [aa, b], max_length: 1",
        "level.levels",
        "at most 1",
    ),
    "a table's file with columns": (
        FEATURES,
        "tables: {t: {key: a, file: a.csv, columns: {a: string, b: long}}}\n" + FEATURES,
        "tables.t.columns",
        "those of the file",
    ),
    "a duration as feature": ("level: level", "level: at - at", "features.level", "minutes("),
}


@pytest.mark.parametrize(("old", "new", "where", "says"), REFUSED.values(), ids=REFUSED)
def test_a_bad_contract_is_refused_with_place_and_expectation(
    old: str, new: str, where: str, says: str
) -> None:
    with pytest.raises(BadConfig) as error:
        small(old, new)
    assert str(error.value).startswith("small.yaml")
    assert where in str(error.value)
    assert says in str(error.value)


def write(folder: Path, changed: str, **files: str) -> Path:
    """A contract file with a table or a schema, and the files it names, beside it."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    path = folder / "small.yaml"
    path.write_text(changed)
    return path


TABLE = CONTRACT.replace(FEATURES, "tables: {places: {file: places.csv, key: code}}\n" + FEATURES)


def test_a_table_beside_the_contract_is_in_its_fingerprint_and_travels_with_it(tmp_path: Path) -> None:
    one = load(write(tmp_path, TABLE, places_csv="code,lat,rank,note\nB,2.5,2,\nA,1,1,x\n"))
    (table,) = one.tables
    assert table.keys == ("A", "B")
    assert {c.name: (c.type.value, c.values) for c in table.columns} == {
        "code": ("string", ("A", "B")),
        "lat": ("double", (1.0, 2.5)),
        "rank": ("long", (1, 2)),
        "note": ("string", ("x", None)),
    }
    assert Contract.from_json(one.canonical()) == one
    other = load(write(tmp_path, TABLE, places_csv="code,lat,rank,note\nB,2.5,3,\nA,1,1,x\n"))
    assert other.fingerprint != one.fingerprint
    moved = load(write(tmp_path, TABLE, places_csv="note,code,rank,lat\nx,A,1,1\n,B,2,2.5\n"))
    assert moved.fingerprint == one.fingerprint


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "places.csv", "a header line"),
        ("code,lat\nA\n", "places.csv:2", "2, as the header has"),
        ("code,code\nA,B\n", "places.csv:1", "each column once"),
        ("code,Lat\nA,1\n", "places.csv", "lower-case"),
        ("name,lat\nA,1\n", "places.csv: key", "one of its columns"),
        ("code,lat\nA,1\nA,2\n", "places.csv: code", "each key once"),
        ("code,lat\n,1\n", "places.csv: code", "none empty"),
        ("code,lat\n", "places.csv", "1 to 5000"),
        ('code,lat\n"A,1\n', "places.csv", "a CSV file"),
    ],
)
def test_a_bad_table_is_refused_with_place_and_expectation(
    tmp_path: Path, text: str, where: str, says: str
) -> None:
    with pytest.raises(BadConfig) as error:
        load(write(tmp_path, TABLE, places_csv=text))
    assert where in str(error.value)
    assert says in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"places\.csv: found 'No such file"):
        load(write(tmp_path, TABLE))


def test_fields_lie_within_objects_and_are_nullable_where_one_around_them_is() -> None:
    inner = "{os: {type: category, from: OS}, ok: {type: bool}}"
    nested = f"{{type: object, nullable: true, from: Device, fields: {inner}}}"
    contract = small("flag:   {type: bool}", f"flag: {{type: bool}}\n    device: {nested}")
    fields = {f.name: f for f in contract.events.fields}
    assert {n for n in fields if "." in n} == {"device.os", "device.ok"}
    assert fields["device.os"].nullable
    assert fields["device.os"].key == "OS"


def test_a_bound_that_rounds_to_more_than_a_rule_can_say_is_refused() -> None:
    number = CONTRACT.replace("truth: {type: bool}", "truth: {type: double}")
    for bound, taken in (("999999999999.9", True), ("999999999999.999999", False)):
        text = number.replace('auc: ">= 0.60"', f'rmse: "<= {bound}"')
        if taken:
            contract = Contract.from_yaml(text, "small.yaml")
            assert Contract.from_json(contract.canonical()) == contract
        else:
            with pytest.raises(BadConfig, match="a rule like"):
                Contract.from_yaml(text, "small.yaml")


def test_a_response_may_name_every_output_of_its_target() -> None:
    several = CONTRACT.replace("truth: {type: bool}", "truth: {type: category, levels: [no, maybe, surely]}")
    asked = "serve: {response: {class: {type: category, nullable: true}}, "
    text = several.replace("serve: {", asked).replace('{auc: ">= 0.60"}', '{accuracy: ">= 0.4"}')
    contract = Contract.from_yaml(text, "small.yaml")
    assert [f.name for f in contract.serve.response] == ["class"]
    assert Contract.from_json(contract.canonical()) == contract
