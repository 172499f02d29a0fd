"""The lake's events as a deployed contract has them, for people who ask about rows.

As in a training window: where a file landed before a field was as it is, the field is its default, or null.
A file that lacks a field which is neither is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath import lake_files
from hotpath.contract.checks import default
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.lake import INSTANT, Lake, Manifest, same, schema


def events(lake: Lake, contract: Contract, manifests: Sequence[Manifest]) -> pa.Table:
    """The events of these manifests: decoded fields, then the place columns; instants in µs since 1970.

    Raises BadArtifact on a file that does not read.
    """
    fields = contract.events.fields
    shape = schema([(f.name, f.type) for f in fields], {f.name: f.unit for f in fields})
    known = _Filled(shape, {f.name: f for f in fields})

    def reading(listed: Sequence[Manifest]) -> pa.Table:
        places = ((lake.checked(f), m) for m in listed for f in m.files if f.dataset == "events")
        tables = [known.table(path, manifest) for path, manifest in places]
        return pa.concat_tables([shape.empty_table(), *(table for table in tables if table is not None)])

    plain = pa.schema([(c.name, pa.int64() if c.type == INSTANT else c.type) for c in shape])
    return lake.current(reading, manifests).cast(plain)


@dataclass(frozen=True)
class _Filled:
    """Files of events in today's shape."""

    shape: pa.Schema
    fields: dict[str, Field]

    def table(self, path: Path, manifest: Manifest) -> pa.Table | None:
        """None where the file lacks what cannot be filled."""
        with lake_files.intact(path):
            there = pq.read_schema(path)
        absent = [column.name for column in self.shape if not same(there, column)]
        if not all(map(self._may_lack, absent)):
            return None
        kept = [name for name in self.shape.names if name not in absent]
        found = lake_files.known(path, kept, {}, lake_files.rows_of(manifest))
        if found is None:
            return None
        columns = [
            self._fill(column, len(found)) if column.name in absent else found[column.name]
            for column in self.shape
        ]
        return pa.table(columns, schema=self.shape)

    def _may_lack(self, name: str) -> bool:
        field = self.fields.get(name)
        return field is not None and (field.nullable or field.default is not None)

    def _fill(self, column: pa.Field, rows: int) -> pa.Array:
        return pa.repeat(pa.scalar(default(self.fields[column.name]), column.type), rows)
