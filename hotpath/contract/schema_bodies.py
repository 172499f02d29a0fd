"""The scorer's bodies as JSON Schema: the Open Inference Protocol's request and answer of one contract. Pure.

The names and shapes are those of serve/infer.py; values come from schema.py. `document` is all of it in one
file, each schema under `$defs`, where the bodies refer to `tensor`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from hotpath.contract import schema
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.request import left_out
from hotpath.contract.response import answered
from hotpath.contract.schema import BEYOND, Schema
from hotpath.contract.tensors import DATATYPES, LONGEST_ID, MOST_ROWS
from hotpath.contract.types import ARRAYS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document(contract: Contract) -> Schema:
    """Both directions, and what they are made of: a schema file whose `$defs` are to be referred to."""
    return {
        "$schema": _DIALECT,
        "$id": f"urn:hotpath:{contract.name}",
        "title": contract.name,
        "description": contract.question,
        "$comment": " ".join(BEYOND),
        "$defs": {
            "tensor": _tensor(),
            "request": request(contract),
            "response": response(contract),
            "row": schema.row(contract),
            "parameters": schema.parameters(contract),
            "answer": schema.answer(contract),
            "event": schema.record(contract.events),
            "label": schema.record(contract.labels),
            **{f"stream.{s.name}": schema.record(s) for s in contract.streams},
        },
    }


def as_yaml(made: Schema) -> str:
    """A schema as YAML, in its own order."""
    return yaml.dump(
        made, Dumper=_Plain, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )


class _Plain(yaml.SafeDumper):
    """Writes equal parts out instead of referring to them by YAML's anchors, which JSON has not."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def request(contract: Contract) -> Schema:
    """A body of POST /v2/models/NAME/infer."""
    parameters = {**schema.parameters(contract), "description": "what the caller says beside the fields"}
    return {
        "type": "object",
        "properties": {
            "id": {"type": ["string", "null"], "maxLength": LONGEST_ID, "description": "given back"},
            "parameters": parameters,
            "inputs": _inputs(contract),
            "outputs": {"description": "passed over: every output is given"},
        },
        "required": ["inputs", *(["parameters"] if parameters["required"] else [])],
        "additionalProperties": False,
    }


def response(contract: Contract) -> Schema:
    """The answer to it; what could not be had is null, and `degraded` says why."""
    outputs = [_of(replace(field, nullable=field.name != "decision")) for field in answered(contract)]
    return {
        "type": "object",
        "properties": {
            "model_name": {"const": contract.name},
            "model_version": {"type": "string", "pattern": "^[0-9]+$", "description": "the sequence"},
            "id": {"type": "string", "maxLength": LONGEST_ID, "description": "the request's"},
            "parameters": _provenance(),
            "outputs": {
                "type": "array",
                "prefixItems": outputs,
                "minItems": len(outputs),
                "items": False,
            },
        },
        "required": ["model_name", "model_version", "parameters", "outputs"],
        "additionalProperties": False,
    }


def _inputs(contract: Contract) -> Schema:
    fields, unasked = contract.events.fields, left_out(contract)
    known = [f.name for f in fields]
    tensors = [_of(f, f.name in contract.events.never_empty) for f in fields]
    ignored = [_passed_over(known)] if contract.serve.unknown == "ignore" else []
    return {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [*tensors, *ignored]},
        "allOf": [_once(f.name, _asked(f) and f.name not in unasked) for f in fields],
    }


def _asked(field: Field) -> bool:
    return not field.nullable and field.default is None


def _once(name: str, required: bool) -> Schema:
    found = {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]}
    return {"contains": found, "minContains": int(required), "maxContains": 1}


def _passed_over(known: list[str]) -> Schema:
    keys: Schema = dict.fromkeys(("datatype", "shape", "data", "parameters"), True)
    name = {"type": "string", "not": {"enum": known}}
    return {
        "type": "object",
        "properties": {"name": name, **keys},
        "required": ["name"],
        "additionalProperties": False,
    }


def _tensor() -> Schema:
    """What every tensor has; its name, datatype and values are said beside a reference to this."""
    return {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"enum": sorted(set(DATATYPES.values()))},
            "shape": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
            },
            "data": {"type": "array", "minItems": 1, "maxItems": MOST_ROWS},
            "parameters": {"description": "passed over"},
        },
        "required": ["name", "datatype", "shape", "data"],
        "additionalProperties": False,
    }


def _of(field: Field, never_empty: bool = False) -> Schema:
    """The tensor of a field."""
    said = {
        "name": {"const": field.name},
        "datatype": {"const": DATATYPES[field.type]},
        "data": {"items": _carried(field, never_empty)},
    }
    return {"$ref": "#/$defs/tensor", "properties": said}


def _carried(field: Field, never_empty: bool) -> Schema:
    """A value as a tensor holds it: an array is the text of its JSON."""
    if field.type not in ARRAYS.values():
        return schema.value(field, never_empty)
    return {
        "type": ["string", "null"] if field.nullable else "string",
        "contentMediaType": "application/json",
        "contentSchema": schema.value(replace(field, nullable=False)),
    }


def _provenance() -> Schema:
    texts = {"type": "array", "items": {"type": "string"}}
    known = {
        "prediction_ids": {**texts, "description": "one a row"},
        "sequence": {"type": "integer", "minimum": 0, "description": "names the generation that answered"},
        "bundle": {"type": "string"},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "the contract's"},
        "threshold": {
            "type": ["number", "null"],
            "description": "from this score on: decline; null: never, or the target is not binary",
        },
        "accept_below": {
            "type": ["number", "null"],
            "description": "below this score: accept; null: never, or the target is not binary",
        },
        "asked_at": {"type": "integer", "description": "µs since 1970 UTC"},
        "age_s": {"type": "number", "description": "the model's age in seconds"},
        "degraded": {**texts, "description": "what the answer lacks, sorted"},
    }
    return {"type": "object", "properties": known, "required": [*known], "additionalProperties": False}
