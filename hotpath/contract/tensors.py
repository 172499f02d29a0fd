"""How a contract's values are named and typed in the Open Inference Protocol, version 2. Pure tables.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md. The
protocol has neither instants nor lists of several lengths: what has no type of its own travels as BYTES,
instants and durations as their texts, an array as the text of its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

from hotpath.contract.types import Type

MOST_ROWS = 64
"""Rows of one request."""
LONGEST_ID = 256
"""Characters of a request's id."""

DATATYPES: Mapping[Type, str] = {
    Type.STRING: "BYTES",
    Type.CATEGORY: "BYTES",
    Type.BOOL: "BOOL",
    Type.LONG: "INT64",
    Type.DOUBLE: "FP64",
    Type.TIMESTAMP: "BYTES",
    Type.DURATION: "BYTES",
    Type.STRINGS: "BYTES",
    Type.LONGS: "BYTES",
    Type.DOUBLES: "BYTES",
}
"""A tensor's datatype by the type of its field."""
