"""Deleting or turning any one clause of the gate breaks a row of its table.

Each mutant is the gate's own source with one change: a rule dropped, a branch of a choice dropped,
one side of an "and" or "or" dropped, a condition turned round, one member of a set dropped.
"""

import ast
import copy
import sys
import types
from pathlib import Path

import pytest

from spine import gate
from tests.unit.spine.gate_cases import CASES, failure

SOURCE = Path(gate.__file__).read_text(encoding="utf-8")
# The defaults of Facts are judged by `test_unknown_means_hold`; the enumerations hold no rule.
RULE_FUNCTIONS = {
    node.name
    for node in ast.parse(SOURCE).body
    if isinstance(node, ast.FunctionDef) and (node.name.startswith("_") or node.name == "decide")
}
TABLES = {"RULES", "NOT_FOR_NOTICES"}


def _mutants():
    tree = ast.parse(SOURCE)
    for index, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            mutant = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(mutant)) if i == index)
            change(target)
            if ast.dump(mutant) != ast.dump(tree) and _in_a_rule(tree, node):
                yield pytest.param(ast.unparse(ast.fix_missing_locations(mutant)), id=f"{_line(node)}-{what}")


def _line(node):
    return getattr(node, "lineno", None) or node.pattern.lineno


def _in_a_rule(tree, node):
    for top in tree.body:
        if any(inner is node for inner in ast.walk(top)):
            named = isinstance(top, ast.FunctionDef) and top.name in RULE_FUNCTIONS
            return named or (isinstance(top, ast.AnnAssign) and top.target.id in TABLES)
    return False


def _changes(node):
    if isinstance(node, ast.Tuple) and len(node.elts) > 5:
        for i in range(len(node.elts)):
            yield f"rule-{i}", lambda n, i=i: n.elts.pop(i)
    if isinstance(node, ast.Set):
        for i in range(len(node.elts)):
            yield f"member-{i}", lambda n, i=i: n.elts.pop(i)
    if isinstance(node, ast.BoolOp):
        for i in range(len(node.values)):
            yield f"side-{i}", lambda n, i=i: n.values.pop(i)
        yield "and-or", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    if isinstance(node, ast.IfExp):
        yield "always", lambda n: setattr(n, "test", ast.Constant(True))
        yield "never", lambda n: setattr(n, "test", ast.Constant(False))
    if isinstance(node, ast.If):
        yield "always", lambda n: setattr(n, "test", ast.Constant(True))
        yield "never", lambda n: setattr(n, "test", ast.Constant(False))
    if isinstance(node, ast.Match):
        for i in range(len(node.cases)):
            yield f"case-{i}", lambda n, i=i: n.cases.pop(i)
    if isinstance(node, ast.match_case) and node.guard is not None:
        yield "guard", lambda n: setattr(n, "guard", None)
    if isinstance(node, ast.MatchOr):
        for i in range(len(node.patterns)):
            yield f"pattern-{i}", lambda n, i=i: n.patterns.pop(i)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In):
        turned = {ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn}
        yield "turned", lambda n: n.ops.__setitem__(0, turned[type(n.ops[0])]())


@pytest.mark.parametrize("source", list(_mutants()))
def test_every_mutant_is_found(source):
    mutant = types.ModuleType("mutant_gate")
    # Dataclasses look their module up by name.
    sys.modules["mutant_gate"] = mutant
    try:
        exec(compile(source, "mutant_gate", "exec"), mutant.__dict__)
        assert any(_fails(mutant, case) for case in CASES), "no row of the table notices"
    finally:
        del sys.modules["mutant_gate"]


def _fails(mutant, case):
    try:
        return bool(failure(mutant, case))
    except Exception:  # noqa: BLE001 - a mutant that breaks is a mutant found
        return True
