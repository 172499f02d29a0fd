"""A small valid contract as text, and ways to break it."""

from __future__ import annotations

from functools import cache

from hotpath.contract.model import Contract

CONTRACT = """\
name: small
question: Is it so?
events:
  topic: small.asked
  id: id
  entity: who
  host: host
  time: at
  fields:
    id:     {type: string, max_length: 8}
    who:    {type: string}
    host:   {type: category}
    at:     {type: timestamp}
    level:  {type: category, max_levels: 4, nullable: true}
    flag:   {type: bool}
    count:  {type: long, min: 0, max: 100}
    size:   {type: double, min: -1, max: 10.5, unit: km, nullable: true}
labels:
  topic: small.answered
  entity: who
  fields: {who: {type: string}, truth: {type: bool}, seen: {type: timestamp}}
  target: truth
  horizon: 24h
features:
  level: level
  big: size > 1.5 and flag
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate:  {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""


@cache
def small(old: str = "", new: str = "") -> Contract:
    """The contract above with one text replaced by another."""
    assert old in CONTRACT
    return Contract.from_yaml(CONTRACT.replace(old, new, 1) if old else CONTRACT, "small.yaml")
