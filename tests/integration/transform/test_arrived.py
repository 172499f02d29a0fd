"""Of a record's headers the worker gets the one that says its arrival, the last of that name."""

from __future__ import annotations

from hotpath import spark
from hotpath.handoffs import ARRIVED_HEADER as NAME
from transform.landing import ARRIVED

HEADERS: tuple[tuple[list[tuple[str, bytes | None]] | None, bytes | None], ...] = (
    (None, None),
    ([], None),
    ([("other", b"1")], None),
    ([("other", b"1"), (NAME, b"2")], b"2"),
    ([(NAME, b"2"), (NAME, b"3"), ("other", b"1")], b"3"),
    ([(NAME, b"2"), (NAME, None)], None),
    ([(NAME, b"")], b""),
)


def test_the_last_header_of_its_name_is_the_arrival() -> None:
    session = spark.session("arrived", "local[1]", "512m")
    try:
        rows = [(headers,) for headers, _ in HEADERS]
        batch = session.createDataFrame(rows, "headers array<struct<key: string, value: binary>>")
        found = [
            None if row.arrived is None else bytes(row.arrived) for row in batch.selectExpr(ARRIVED).collect()
        ]
    finally:
        session.stop()
    assert found == [arrival for _, arrival in HEADERS]
