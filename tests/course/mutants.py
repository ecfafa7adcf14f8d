"""Mutants of a reference: its source with one thing changed. Guards and strings stay unchanged.

A guard is an `if` that only raises, or a call of a function check_... whose result nobody uses.
"""

import ast
import copy

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


# f(a, b) is f(b, a)
SYMMETRIC = {"maximum", "minimum", "add", "multiply", "array_equal", "allclose", "swapaxes"}


def mutants(source, holes=()):
    """(what was changed, the changed tree) for each mutant.

    holes  of a class the methods that are changed; without them all
    """
    tree = ast.parse(source)
    for path, node in _walk(tree, (), holes):
        for new in _changes(node):
            changed = copy.deepcopy(tree)
            old = _statement(tree, path)
            _put(changed, path, new)
            told = f"{_line(old)} => {_line(_statement(changed, path))}"
            if told.split(" => ")[0] != told.split(" => ")[1]:
                yield told, ast.fix_missing_locations(changed)


def _walk(node, path, holes):
    """(path, node) of what may be changed."""
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "ctx", "type_params"):
            continue
        for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            given = (
                holes
                and isinstance(node, ast.ClassDef)
                and getattr(child, "name", None) not in holes
            )
            if isinstance(child, ast.AST) and not _untouchable(child) and not given:
                yield from _walk(child, (*path, (name, i)), holes)


def _untouchable(node):
    guard = (
        isinstance(node, ast.If)
        and all(isinstance(part, ast.Raise) for part in node.body)
        and not node.orelse
    )
    statement = node.value if isinstance(node, ast.Expr) else None
    check = isinstance(statement, ast.Call) and (_called(statement) or "").startswith("check_")
    return (
        guard
        or check
        or isinstance(statement, ast.Constant)
        or isinstance(node, (ast.JoinedStr, ast.Raise))
    )


def _changes(node):
    """Yield the replacements of a node."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in OPERATORS:
        yield _with(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.BinOp):
        if not isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)):
            yield _with(node, left=node.right, right=node.left)
        yield node.left
        yield node.right
    if isinstance(node, ast.AugAssign):
        yield ast.Assign(targets=[node.target], value=node.value)
        yield ast.Pass()
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
        yield _with(node, ops=[OPERATORS[type(node.ops[0])]()])
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield _with(node, test=ast.UnaryOp(op=ast.Not(), operand=node.test))
    if isinstance(node, ast.Constant):
        yield from map(ast.Constant, _numbers(node.value))
    if isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part) is not None:
                yield _with(node, **{part: None})
    if isinstance(node, ast.Call):
        if (
            len(node.args) > 1
            and _called(node) not in SYMMETRIC
            and not any(isinstance(arg, ast.Starred) for arg in node.args[:2])
        ):
            yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
        for i in range(len(node.keywords)):
            yield _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])
    if (
        isinstance(node, ast.Return)
        and isinstance(node.value, ast.Tuple)
        and len(node.value.elts) > 1
    ):
        yield _with(node, value=_with(node.value, elts=[*node.value.elts[1:], node.value.elts[0]]))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def _called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def _numbers(value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value * 2] if isinstance(value, float) else []


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _step(node, step):
    name, i = step
    return getattr(node, name) if i is None else getattr(node, name)[i]


def _put(tree, path, new):
    for step in path[:-1]:
        tree = _step(tree, step)
    name, i = path[-1]
    if i is None:
        setattr(tree, name, copy.deepcopy(new))
    else:
        getattr(tree, name)[i] = copy.deepcopy(new)


def _statement(tree, path):
    """The innermost statement on the way."""
    found = tree
    for step in path:
        tree = _step(tree, step)
        found = tree if isinstance(tree, ast.stmt) else found
    return found


def _line(node):
    """The first line of a statement, in text."""
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0].strip()
