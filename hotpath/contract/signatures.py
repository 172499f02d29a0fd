"""Which signature of a function the arguments of a call fit, and how a refusal words it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hotpath.contract.functions import Function
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.tables import Table
from hotpath.contract.tree import Call, Knows, Literal, Ref, Tree, Widen, fixed_places, parted
from hotpath.contract.types import Type
from hotpath.contract.zones import known_zones

_WIDER = {(Type.LONG, Type.DOUBLE), (Type.CATEGORY, Type.STRING)}
_NAMED = (Type.ZONE, Type.COLUMN)
"""What a text literal stands for where a signature asks for it."""


def fitted(function: Function, args: tuple[Tree, ...], tables: Mapping[str, Table]) -> Call | None:
    """The call, each argument as its signature has it; None where no signature fits."""
    fixed = fixed_places(function.name, len(args))
    if any(not isinstance(args[place], Literal) for place in fixed):
        return None
    for takes, gives in function.signatures:
        takes = _repeated(takes, len(args)) if function.repeats else takes
        if len(takes) == len(args) and all(map(_fits, args, takes)):
            made = tuple(map(_as, args, takes))
            return Call(function.name, made, _column_type(made, tables) if gives == Type.COLUMN else gives)
    return None


def amiss(function: Function, call: Call, tables: Mapping[str, Table]) -> str:
    """What was expected of the call's fixed arguments; "" where they are right."""
    knows = Knows(tables)
    return function.check(*map(knows.constant, parted(call)[0]))


def said(name: str, args: tuple[Tree, ...]) -> str:
    """A call by the types of its arguments."""
    return f"{name} of ({', '.join(map(_said, args))})"


def expected(function: Function, args: tuple[Tree, ...]) -> str:
    """What the function takes, with a hint where an argument is nearly right."""
    more = ", …" if function.repeats else ""
    takes = dict.fromkeys(f"({', '.join(takes)}{more})" for takes, _ in function.signatures)
    wants = f"{function.name} of {' or '.join(takes)}"
    fixed = [place + 1 for place in fixed_places(function.name, len(args))]
    loose = [place for place in fixed if not isinstance(args[place - 1], Literal)]
    wants += f", argument {loose[0]} written as a literal" if loose else ""
    if any(arg.type == Type.DURATION for arg in args):
        wants += "; minutes(…) or hours(…) makes a number of a duration"
    return wants + _zone_hint(function, args)


def _repeated(takes: tuple[Type, ...], count: int) -> tuple[Type, ...]:
    return takes + takes[-1:] * (count - len(takes))


def _fits(arg: Tree, takes: Type) -> bool:
    if takes in _NAMED:
        written = isinstance(arg, Literal) and arg.type == Type.STRING
        return written and (takes != Type.ZONE or _value(arg) in known_zones())
    if takes == Type.CATEGORY and isinstance(arg, Literal):
        return arg.type == Type.STRING
    return arg.type == takes or (arg.type, takes) in _WIDER


def _value(arg: Tree) -> str:
    return str(arg.value) if isinstance(arg, Literal) else ""


def _as(arg: Tree, takes: Type) -> Tree:
    if isinstance(arg, Literal):
        return Literal(float(arg.value) if takes == Type.DOUBLE else arg.value, takes)  # type: ignore[arg-type]
    return Widen(arg) if takes == Type.DOUBLE and arg.type == Type.LONG else arg


def _column_type(args: tuple[Tree, ...], tables: Mapping[str, Table]) -> Type:
    table, column_name = (_value(arg) for arg in args if arg.type in (Type.TABLE, Type.COLUMN))
    column = tables[table].column(column_name)
    return Type.CATEGORY if column is None or column.type == Type.STRING else column.type


def _said(arg: Tree) -> str:
    if isinstance(arg, Literal):
        return f"{arg.type} {arg.value!r}"
    return f"{arg.type} {arg.name}" if isinstance(arg, Ref) else str(arg.type)


def _zone_hint(function: Function, args: tuple[Tree, ...]) -> str:
    if not any(Type.ZONE in takes for takes, _ in function.signatures):
        return ""
    texts = [str(a.value) for a in args if isinstance(a, Literal) and isinstance(a.value, str)]
    return nearest(texts[0], sorted(known_zones())) if texts else ""
