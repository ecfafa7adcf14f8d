"""The source of the package, read as trees: what its files import, assign, cache and write to."""

import ast
import importlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "minires"
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"]
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
METHODS = set(  # that change what they are called on
    "add append appendleft clear discard extend fill insert itemset pop popitem popleft put remove resize reverse "
    "setdefault sort update __setitem__ __delitem__ __setattr__ __delattr__".split()
)


def relative(path):
    """A file's path within the package."""
    return path.relative_to(PACKAGE).as_posix()


def by_file(pairs):
    """{file: {name, ...}} of pairs (path, name)."""
    found = {}
    for path, name in pairs:
        found.setdefault(relative(path), set()).add(name)
    return found


@cache
def tree(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path):
    """All nodes of a file's tree."""
    return list(ast.walk(tree(path)))


def module(path):
    """The module of a file, imported."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return importlib.import_module(".".join(("minires", *parts)).removesuffix(".__init__"))


def imports(path):
    """Name -> where it comes from ("minires.ops.conv2d"), of all that a file imports, within functions too."""
    found = {}
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:  # "from minires import ops" imports minires.ops
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def variables(path):
    """Name -> value of each variable that a module assigns when it is imported, in if, for, with and try too."""
    names = set()

    def look(node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (*SCOPES, ast.ClassDef)):
                look(child)

    look(tree(path))
    owner = module(path)
    return {
        name: getattr(owner, name) for name in sorted(names - {"__all__"}) if hasattr(owner, name)
    }


def bound_in(scope):
    """The names that a function or a comprehension binds itself."""
    inner = list(ast.walk(scope))
    names = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names -= {name for n in inner if isinstance(n, ast.Global) for name in n.names}
    return names | {n.arg for n in inner if isinstance(n, ast.arg)}


def written(node, bound=frozenset()):
    """(root name, text) of the module's own and imported names that are written to below a node.

    a[i] = ..., a.b = ..., del a[i], a += ..., a.append(...), setattr(a, ...)
    """
    if isinstance(node, SCOPES):
        bound = bound | bound_in(node)
    name, text = write(node)
    if name is not None and name not in bound:
        yield name, text
    for child in ast.iter_child_nodes(node):
        yield from written(child, bound)


def write(node):
    """(root name, text) of what one node writes to, or (None, None). A name that is bound anew is not written to."""
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
        node.ctx, (ast.Store, ast.Del)
    ):
        return root(node), ast.unparse(node)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.target.id
    function = getattr(node, "func", None)
    if isinstance(function, ast.Attribute) and function.attr in METHODS:
        return root(function.value), ast.unparse(function)
    if isinstance(function, ast.Name) and function.id in ("setattr", "delattr"):
        return root(node.args[0]), f"{function.id}({ast.unparse(node.args[0])}"
    return None, None


def root(node):
    """The name at the left end of a.b[c].d, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
