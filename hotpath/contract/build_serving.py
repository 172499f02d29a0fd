"""What is answered, out of a strictly read contract: ages, response, fallback. Raises BadConfig."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from hotpath.contract.build_expression import expression
from hotpath.contract.expressions import Scope
from hotpath.contract.fields import scalars
from hotpath.contract.keys import SERVE
from hotpath.contract.outputs import outputs
from hotpath.contract.parts import Fallback, Feature, Field, Kind, Labels, Serve
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.tree import Call, Tree, fitted_fields
from hotpath.contract.tree import Literal as Written
from hotpath.contract.types import Type

_SAYS: dict[Kind, tuple[Type, ...]] = {
    "binary": (Type.BOOL,),
    "classes": (Type.CATEGORY, Type.STRING),
    "number": (Type.LONG, Type.DOUBLE),
}
"""What a rule must come to, by the target's kind."""


def serve(section: Section, answered: Labels, made: Sequence[Feature]) -> Serve:
    """The `serve` section."""
    section.only(SERVE)
    fresh, expired = section.duration("fresh"), section.duration("expired")
    if expired <= fresh:
        raise section.wrong("expired", "a longer duration than serve.fresh")
    has = section.data.__contains__
    parameters = scalars(section.section("parameters")) if has("parameters") else ()
    ours = outputs(answered)
    taken = {*(f.name for f in ours), *(f.name for f in made)}
    for field in parameters:
        if field.name in taken:
            raise section.section("parameters").wrong(field.name, "a name that no output or feature has")
    return Serve(
        fresh,
        expired,
        parameters,
        _response(section, ours, made, parameters) if has("response") else ours,
        _unknown(section) if has("unknown") else "refuse",
        _fallback(section, answered, made) if has("fallback") else None,
    )


def _unknown(section: Section) -> Literal["refuse", "ignore"]:
    return "refuse" if section.one_of("unknown", ("refuse", "ignore")) == "refuse" else "ignore"


def _fallback(section: Section, answered: Labels, made: Sequence[Feature]) -> Fallback:
    """A rule over the features as the model would have seen them."""
    scope = Scope({f.name: f.type for f in made}, what="a feature")
    found = Fallback(*expression(section, "fallback", scope, _SAYS[answered.kind]))
    if fitted_fields([found]):
        raise section.wrong("fallback", "a rule without level(…): make a feature of it and name that")
    for said in _said(found.tree):
        if answered.kind == "classes" and said not in answered.classes:
            known = f"classes of {answered.target} ({', '.join(answered.classes)})"
            raise section.wrong("fallback", f"{known}, not {said!r}{nearest(said, answered.classes)}")
    return found


def _said(tree: Tree) -> Iterator[str]:
    """The texts that a tree may come to, as far as they are written in it."""
    match tree:
        case Written(str() as value):
            yield value
        case Call("if_else", (_, *choices)) | Call("coalesce", choices):
            for choice in choices:
                yield from _said(choice)


def _response(
    section: Section, ours: Sequence[Field], made: Sequence[Feature], parameters: Sequence[Field]
) -> tuple[Field, ...]:
    """What an answer holds: each name is an output, a feature or a parameter, of the same type."""
    within = section.section("response")
    types = {f.name: f.type for f in (*ours, *parameters)} | {f.name: f.type for f in made}
    levels = {f.name: set(f.levels) for f in ours}
    found = scalars(within, [f.name for f in ours])
    for field in found:
        if field.name not in types:
            raise within.wrong(
                field.name, f"an output, a feature or a parameter{nearest(field.name, list(types))}"
            )
        if field.type != types[field.name]:
            raise within.section(field.name).wrong("type", types[field.name])
        if field.default is not None:
            raise within.section(field.name).wrong("default", "no default: an answer is made, not sent")
        if field.levels and (lacking := levels.get(field.name, set()) - set(field.levels)):
            raise within.section(field.name).wrong("levels", f"{', '.join(sorted(lacking))} among them too")
    return found
