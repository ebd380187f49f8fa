"""The mistakes: each is a module's syntax tree with one small change, as people make them.

A comparison is another one, a condition is dropped or turned round, a truth value is the other one, a number is one
more, an element of a tuple is missing. Annotations, docstrings and what only type checkers read are left as they are.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

Change = Callable[[ast.AST], ast.AST]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One change of a module: `line` where it is, `was` and `became` the changed part as text, `source` the module."""

    line: int
    was: str
    became: str
    source: str

    @property
    def name(self) -> str:
        """What identifies it as long as the changed part stays the same, wherever it moves to."""
        return f"{self.was}  ->  {self.became}"


def mistakes(source: str) -> Iterator[Mistake]:
    """Every mistake in a module's source, in the order of the source."""
    tree = ast.parse(source)
    skipped = set(_skipped(tree))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and id(node) not in skipped]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        for changed in _changes(node):
            text = ast.unparse(_replaced(tree, node, changed))
            yield Mistake(node.lineno, ast.unparse(node), ast.unparse(changed), text)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ops=[operator]):
            changed = copy.deepcopy(node)
            changed.ops = [OTHER_COMPARISON[type(operator)]()]
            yield changed
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for at in range(len(values)):
                left = values[:at] + values[at + 1 :]
                yield left[0] if len(left) == 1 else ast.BoolOp(operator, left)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=other):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, other)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Tuple(elts=elements, ctx=ast.Load()) if len(elements) > 1:
            for at in range(len(elements)):
                yield ast.Tuple(elements[:at] + elements[at + 1 :], ast.Load())


def _skipped(tree: ast.Module) -> Iterator[int]:
    """Nodes that say nothing when the program runs: annotations, indexes of types, strings that nobody uses."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        match node:
            case ast.AnnAssign():
                parts = [node.annotation]
            case ast.arg():
                parts = [node.annotation]
            case ast.FunctionDef():
                parts = [node.returns, *node.decorator_list]
            case ast.ClassDef():
                parts = [*node.decorator_list, *node.bases]
            case ast.Subscript():
                parts = [node.slice] if isinstance(node.slice, ast.Tuple) else []
            case ast.Expr(value=ast.Constant()):
                parts = [node.value]
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                parts = [node.value]
        for part in parts:
            if part is not None:
                yield from (id(each) for each in ast.walk(part))


def _replaced(tree: ast.Module, old: ast.expr, new: ast.expr) -> ast.Module:
    """The tree with one node in place of another; the tree itself is not changed."""

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is old:
                return new
            fields = {name: self._field(value) for name, value in ast.iter_fields(node)}
            if all(fields[name] is value for name, value in ast.iter_fields(node)):
                return node
            return ast.copy_location(type(node)(**fields), node)

        def _field(self, value: object) -> object:
            if isinstance(value, ast.AST):
                return self.visit(value)
            if isinstance(value, list):
                found = [self.visit(each) if isinstance(each, ast.AST) else each for each in value]
                return value if all(a is b for a, b in zip(found, value, strict=True)) else found
            return value

    changed = Replace().visit(tree)
    assert isinstance(changed, ast.Module)
    return ast.fix_missing_locations(changed)
