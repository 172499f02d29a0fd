"""Expressions: Python's grammar, a closed set of nodes, static types. Text in, typed tree out.

Nothing is evaluated as Python. What an operation means is functions.py's; rendering a tree is row.py's
and train/to_spark.py's.

    >>> tree = parse("distance > 1500", Scope({"distance": Type.DOUBLE}))
    >>> tree.type, tree.function
    (<Type.BOOL: 'bool'>, '>')
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hotpath.contract.functions import BY_NAME, Function
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import DOUBLE_MAX, LONG_MAX, LONG_MIN, WELL_FORMED, Type, Value, well_formed
from hotpath.contract.zones import known_zones
from hotpath.errors import BadConfig

LONGEST = 1000
"""Characters of an expression."""
DEEPEST = 40
"""Levels of nesting."""


@dataclass(frozen=True)
class Ref:
    """The value of a field."""

    name: str
    type: Type


@dataclass(frozen=True)
class Literal:
    """A value written in the expression."""

    value: Value
    type: Type


@dataclass(frozen=True)
class Widen:
    """A long read as the nearest double."""

    arg: Tree
    type: Type = Type.DOUBLE


@dataclass(frozen=True)
class Call:
    """A function or operator over arguments that fit its signature exactly."""

    function: str
    args: tuple[Tree, ...]
    type: Type


Tree = Ref | Literal | Widen | Call


@dataclass(frozen=True)
class Scope:
    """Names an expression may use, and names it might be tempted to use, with why it may not."""

    fields: Mapping[str, Type]
    refused: Mapping[str, str] = field(default_factory=dict)


def character(offset: int) -> str:
    """The place of a character in a text that stands nowhere else."""
    return f"character {offset}"


def parse(text: str, scope: Scope, where: Callable[[int], str] = character) -> Tree:
    """The typed tree of `text`. `where` names the place of a character offset.

    Raises BadConfig with the place, what was found and what was expected.
    """
    return _Typing(text, scope, where).tree(syntax(text, where), 0)


def syntax(text: str, where: Callable[[int], str] = character) -> ast.expr:
    """Python's syntax tree of one expression. Raises BadConfig where there is none."""
    if len(text) > LONGEST:
        raise BadConfig(where(0), f"{len(text)} characters", f"an expression of at most {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        said = getattr(error, "msg", None) or "too deeply nested"
        raise BadConfig(where(_offset(text, line, column - 1)), text, f"an expression ({said})") from error


def normal(text: str) -> str:
    """`text` (that parses) in one spelling: same tree, same text."""
    return ast.unparse(syntax(text))


_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.And: "and", ast.Or: "or", ast.Not: "not",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_CALLED = tuple(name for name in BY_NAME if name not in _OPERATORS.values())
_LITERALS: Mapping[type, Type] = {bool: Type.BOOL, int: Type.LONG, float: Type.DOUBLE, str: Type.STRING}
_WHAT = "a field, a literal, + - * /, a comparison, and, or, not, or a function"


class _Typing:
    """Walks one syntax tree, bottom up; DEEPEST bounds the recursion."""

    def __init__(self, text: str, scope: Scope, where: Callable[[int], str]) -> None:
        self._text, self._scope, self._where = text, scope, where

    def tree(self, node: ast.expr, depth: int) -> Tree:
        if depth > DEEPEST:
            raise self._wrong(node, f"at most {DEEPEST} levels of nesting")
        match node:
            case ast.Name(id=name):
                return self._ref(node, name)
            case ast.Constant(value=value):
                return self._literal(node, value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
                not isinstance(value, bool)
            ):
                return self._literal(node, -value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._call(node, "-", (Literal(0, Type.LONG), self.tree(operand, depth + 1)))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._call(node, "not", (self.tree(operand, depth + 1),))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return self._apply(node, _OPERATORS[type(op)], (left, right), depth)
            case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in _OPERATORS:
                return self._apply(node, _OPERATORS[type(op)], (left, right), depth)
            case ast.Compare(ops=[_, _, *_]):
                raise self._wrong(node, "one comparison at a time", "write a < b and b < c")
            case ast.BoolOp(op=op, values=[first, *rest]):
                return self._fold(node, _OPERATORS[type(op)], first, rest, depth)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._function(node, name, args, depth)
        raise self._wrong(node, _WHAT)

    def _ref(self, node: ast.expr, name: str) -> Tree:
        if name in self._scope.fields:
            return Ref(name, self._scope.fields[name])
        if name in self._scope.refused:
            raise self._wrong(node, f"a field known when the question is asked: {self._scope.refused[name]}")
        known = sorted(self._scope.fields)
        raise self._wrong(node, f"an event field ({', '.join(known)}){nearest(name, known)}")

    def _literal(self, node: ast.expr, value: object) -> Tree:
        if not isinstance(value, bool | int | float | str):
            raise self._wrong(node, "a number, a text, True or False")
        if isinstance(value, int) and not LONG_MIN <= value <= LONG_MAX:
            raise self._wrong(node, "a whole number of 64 bits")
        if isinstance(value, float) and not abs(value) <= DOUBLE_MAX:
            raise self._wrong(node, "a finite number")
        if isinstance(value, str) and not well_formed(value):
            raise self._wrong(node, WELL_FORMED)
        return Literal(value, _LITERALS[type(value)])

    def _fold(self, node: ast.expr, name: str, first: ast.expr, rest: list[ast.expr], depth: int) -> Tree:
        deepest = depth + len(rest)  # the chain becomes nested calls of two
        tree = self.tree(first, deepest)
        for value in rest:
            tree = self._call(node, name, (tree, self.tree(value, deepest)))
        return tree

    def _function(self, node: ast.expr, name: str, args: list[ast.expr], depth: int) -> Tree:
        if name not in _CALLED:
            raise self._wrong(node, f"a function ({', '.join(_CALLED)}){nearest(name, _CALLED)}")
        return self._apply(node, name, tuple(args), depth)

    def _apply(self, node: ast.expr, name: str, args: tuple[ast.expr, ...], depth: int) -> Tree:
        return self._call(node, name, tuple(self.tree(a, depth + 1) for a in args))

    def _call(self, node: ast.expr, name: str, args: tuple[Tree, ...]) -> Tree:
        function = BY_NAME[name]
        for takes, gives in function.signatures:
            if len(takes) == len(args) and all(map(_fits, args, takes)):
                return Call(name, tuple(map(_as, args, takes)), gives)
        found = f"{name} of ({', '.join(_said(a) for a in args)})"
        raise BadConfig(self._place(node), found, f"{name} of {_takes(function)}{_zone_hint(function, args)}")

    def _wrong(self, node: ast.expr, expected: str, todo: str = "") -> BadConfig:
        return BadConfig(self._place(node), ast.get_source_segment(self._text.strip(), node), expected, todo)

    def _place(self, node: ast.expr) -> str:
        line = self._text.strip().split("\n")[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode())
        return self._where(_offset(self._text, node.lineno, column))


def _offset(text: str, line: int, column: int) -> int:
    """Where in `text` a place of its stripped text is: `line` from 1, `column` in characters from 0."""
    margin = len(text) - len(text.lstrip())
    before = text.strip().split("\n")[: line - 1]
    return margin + sum(len(passed) + 1 for passed in before) + column


def _fits(arg: Tree, takes: Type) -> bool:
    if takes == Type.ZONE:
        return isinstance(arg, Literal) and arg.value in known_zones()
    return arg.type == takes or (arg.type, takes) in _WIDER


def _as(arg: Tree, takes: Type) -> Tree:
    if isinstance(arg, Literal) and takes in (Type.ZONE, Type.DOUBLE):
        return Literal(float(arg.value) if takes == Type.DOUBLE else arg.value, takes)  # type: ignore[arg-type]
    return Widen(arg) if takes == Type.DOUBLE and arg.type == Type.LONG else arg


_WIDER = {(Type.LONG, Type.DOUBLE), (Type.CATEGORY, Type.STRING)}


def _said(arg: Tree) -> str:
    return f"{arg.type} {arg.value!r}" if isinstance(arg, Literal) else str(arg.type)


def _takes(function: Function) -> str:
    return " or ".join(f"({', '.join(takes)})" for takes, _ in function.signatures)


def _zone_hint(function: Function, args: tuple[Tree, ...]) -> str:
    if not any(Type.ZONE in takes for takes, _ in function.signatures):
        return ""
    texts = [str(a.value) for a in args if isinstance(a, Literal) and isinstance(a.value, str)]
    return nearest(texts[0], sorted(known_zones())) if texts else ""
