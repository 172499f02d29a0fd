"""Expressions: Python's grammar, a closed set of nodes, static types. Text in, typed tree out.

Nothing is evaluated as Python. What a tree is stands in tree.py, what an operation means in functions/, what
its arguments may be in signatures.py; rendering a tree is row.py's and train/to_spark.py's.

    >>> tree = parse("distance > 1500", Scope({"distance": Type.DOUBLE}))
    >>> tree.type, tree.function
    (<Type.BOOL: 'bool'>, '>')
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hotpath.contract.aggregates import Aggregate
from hotpath.contract.durations import duration_text, span_of
from hotpath.contract.functions import BY_NAME, Function
from hotpath.contract.signatures import amiss, expected, fitted, said
from hotpath.contract.statistics import BY_NAME as STATISTIC
from hotpath.contract.statistics import STATISTICS
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.tables import Table
from hotpath.contract.tree import Call, Knows, Literal, Reading, Ref, Tree, Widen, fitted_fields, tolerance
from hotpath.contract.types import DOUBLE_MAX, LONG_MAX, LONG_MIN, WELL_FORMED, Type, well_formed
from hotpath.errors import BadConfig

__all__ = [
    "Call", "Knows", "Literal", "Reading", "Ref", "Scope", "Tree", "Widen", "character", "fitted_fields",
    "normal", "parse", "syntax", "tolerance",
]  # fmt: skip

LONGEST = 1000
"""Characters of an expression."""
DEEPEST = 40
"""Levels of nesting."""


@dataclass(frozen=True)
class Scope:
    """Names an expression may use, and names it might be tempted to use, with why it may not.

    `time` is the field that holds the event's own time ("": there is none); `what` says what a name is.
    """

    fields: Mapping[str, Type]
    refused: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    time: str = ""
    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)
    what: str = "an event field"


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
        why = getattr(error, "msg", None) or "too deeply nested"
        raise BadConfig(where(_offset(text, line, column - 1)), text, f"an expression ({why})") from error


def normal(text: str) -> str:
    """`text` (that parses) in one spelling: same tree, same text."""
    return ast.unparse(syntax(text))


_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%",
    ast.And: "and", ast.Or: "or", ast.Not: "not",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_CALLED = tuple(name for name in BY_NAME if name not in _OPERATORS.values())
_LITERALS: Mapping[type, Type] = {bool: Type.BOOL, int: Type.LONG, float: Type.DOUBLE, str: Type.STRING}
_WHAT = "a field, a literal, + - * / %, a comparison, and, or, not, or a function"


class _Typing:
    """Walks one syntax tree, bottom up; DEEPEST bounds the recursion."""

    def __init__(self, text: str, scope: Scope, where: Callable[[int], str]) -> None:
        self._text, self._scope, self._where = text, scope, where

    def tree(self, node: ast.expr, depth: int) -> Tree:
        if depth > DEEPEST:
            raise self._wrong(node, f"at most {DEEPEST} levels of nesting")
        match node:
            case ast.Name() | ast.Attribute() if name := _dotted(node):
                return self._ref(node, name)
            case ast.Constant(value=value):
                return self._literal(node, value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
                not isinstance(value, bool)
            ):
                return self._literal(node, -value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                negated = self.tree(operand, depth + 1)
                nought = Literal(0, Type.DURATION if negated.type == Type.DURATION else Type.LONG)
                return self._call(node, "-", (nought, negated))
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
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=of), *rest], keywords=[]) if (
                of in self._scope.aggregates
            ):
                return self._reading(node, name, self._scope.aggregates[of], rest)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._function(node, name, args, depth)
        raise self._wrong(node, _WHAT)

    def _ref(self, node: ast.expr, name: str) -> Tree:
        if name in self._scope.fields:
            return Ref(name, self._scope.fields[name])
        if name in self._scope.tables:
            return Literal(name, Type.TABLE)
        if name in self._scope.aggregates:
            raise self._wrong(node, f"a statistic of it, such as count({name})")
        if name in self._scope.refused:
            raise self._wrong(node, f"a field known when the question is asked: {self._scope.refused[name]}")
        known = sorted(self._scope.fields)
        others = [*sorted(self._scope.tables), *sorted(self._scope.aggregates)]
        raise self._wrong(node, f"{self._scope.what} ({', '.join(known)}){nearest(name, [*known, *others])}")

    def _reading(self, node: ast.expr, name: str, of: Aggregate, rest: Sequence[ast.expr]) -> Reading:
        known = [s.name for s in STATISTICS if of.value is not None or not s.valued]
        if name not in known:
            raise self._wrong(node, f"a statistic of {of.name} ({', '.join(known)}){nearest(name, known)}")
        span, most = of.horizon, duration_text(of.horizon)
        match rest:
            case []:
                pass
            case [ast.Constant(value=str() as text)] if (said := span_of(text)) is not None:
                span = said
            case _:
                raise self._wrong(node, f'a window such as {name}({of.name}, "{most}")')
        if span % of.tile or span > of.horizon:
            raise self._wrong(node, f"a window of whole tiles of {duration_text(of.tile)}, at most {most}")
        return Reading(name, of.name, span, STATISTIC[name].type(of.whole))

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
        if name not in _CALLED and name in STATISTIC:
            known = sorted(self._scope.aggregates)
            said = nearest(self._source(args[0]), known) if args else ""
            raise self._wrong(node, f"{name} of an aggregate ({', '.join(known) or 'there is none'}){said}")
        if name not in _CALLED:
            raise self._wrong(node, f"a function ({', '.join(_CALLED)}){nearest(name, _CALLED)}")
        return self._apply(node, name, tuple(args), depth)

    def _apply(self, node: ast.expr, name: str, args: tuple[ast.expr, ...], depth: int) -> Tree:
        return self._call(node, name, tuple(self.tree(a, depth + 1) for a in args))

    def _call(self, node: ast.expr, name: str, args: tuple[Tree, ...]) -> Tree:
        function = BY_NAME[name]
        call = fitted(function, args, self._scope.tables)
        if call is None:
            raise BadConfig(self._place(node), said(name, args), expected(function, args))
        if wanted := amiss(function, call, self._scope.tables):
            raise self._wrong(node, wanted)
        return self._implied(node, function, call)

    def _implied(self, node: ast.expr, function: Function, call: Call) -> Call:
        if function.implied == "time":
            if not self._scope.time:
                raise self._wrong(node, "an expression over an event, which has a time of its own")
            return replace(call, args=(Ref(self._scope.time, Type.TIMESTAMP), *call.args))
        if function.implied == "levels":
            (of,) = call.args
            if not isinstance(of, Ref):
                raise self._wrong(node, f"{function.name} of a category field")
            return replace(call, args=(of, Literal(of.name, Type.LEVELS)))
        return call

    def _wrong(self, node: ast.expr, expected: str, todo: str = "") -> BadConfig:
        return BadConfig(self._place(node), self._source(node), expected, todo)

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._text.strip(), node) or ""

    def _place(self, node: ast.expr) -> str:
        line = _lines(self._text)[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode())
        return self._where(_offset(self._text, node.lineno, column))


def _dotted(node: ast.expr) -> str:
    """A field's name such as device.os; "" where `node` is an attribute of anything but names."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def _offset(text: str, line: int, column: int) -> int:
    """Where in `text` a place of its stripped text is: `line` from 1, `column` in characters from 0."""
    margin = len(text) - len(text.lstrip())
    before = _lines(text)[: line - 1]
    return margin + sum(len(passed) + 1 for passed in before) + column


def _lines(text: str) -> list[str]:
    """The lines of the stripped text as Python's parser counts them, one character apart."""
    return text.strip().replace("\r\n", " \n").replace("\r", "\n").split("\n")
