"""Tells Python 2 programs that happen to parse today from Python 3 ones, by what the program says and by what it could not do otherwise.

Asked in this order: the interpreter that the first line names; syntax that Python 2 never had, and care for both Pythons (``six.PY2``,
``sys.version_info``, ``except NameError``), which make it Python 3; then what runs in Python 2 only.
"""

from __future__ import annotations

import ast
import re

#: Names that Python 2 has as builtins and Python 3 has not.
BUILTINS = frozenset("xrange raw_input unicode basestring long unichr execfile cmp reload reduce file intern apply coerce buffer".split())
#: Methods of dictionaries that Python 3 does not have, with the number of their arguments.
METHODS = {"iteritems": 0, "itervalues": 0, "iterkeys": 0, "viewitems": 0, "viewkeys": 0, "viewvalues": 0, "has_key": 1}
#: Modules of Python 2's library under names that programs do not give to modules of their own.
MODULES = frozenset(
    "cPickle StringIO cStringIO Queue ConfigParser urllib2 urlparse httplib cookielib HTMLParser Tkinter xmlrpclib SocketServer BaseHTTPServer SimpleHTTPServer __builtin__ copy_reg".split()
)
#: What only programs that care for both Pythons name.
_BOTH_ATTRIBUTES = frozenset({"version_info", "PY2", "PY3"})
_BOTH_MODULES = frozenset({"future", "past", "builtins"})
_GUARDS = re.compile("ImportError|ModuleNotFoundError|AttributeError|NameError|'Exception'")
_PYTHON3_NODES = (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.YieldFrom, ast.NamedExpr, ast.MatMult, ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)


def names_interpreter(source: str) -> bool | None:
    """Return whether the first line asks for Python 2 (True) or 3 (False), None if it does not say."""
    found = re.match(r"#!.*\bpython([23])", source)
    return found and found[1] == "2"


def shows_python3(tree: ast.Module) -> bool:
    """Return whether a program that today's Python parses has syntax of Python 3 alone, or cares for both Pythons."""
    nodes = list(ast.walk(tree))
    print_is_function = _prints_by_function(nodes)
    return any(_is_python3(n, print_is_function) or _cares_for_both(n) for n in nodes)


def _prints_by_function(nodes: list[ast.AST]) -> bool:
    return any(isinstance(n, ast.ImportFrom) and n.module == "__future__" and any(a.name == "print_function" for a in n.names) for n in nodes)


def looks_like_python2(tree: ast.Module) -> bool:
    """Return whether a program that today's Python parses must be Python 2."""
    if shows_python3(tree):
        return False
    nodes = list(ast.walk(tree))
    print_is_function = _prints_by_function(nodes)
    bound = _bound_names(nodes)
    if {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} & (BUILTINS - bound):
        return True
    if not print_is_function and "print" not in bound and any(_is_print_statement(n) for n in nodes):
        return True
    guarded = {id(inner) for n in nodes if _is_guard(n) for inner in ast.walk(n)}
    free = [n for n in nodes if id(n) not in guarded]
    return any(_imports_gone_module(n) for n in free) or any(_calls_gone_method(n, bound, nodes) for n in free)


def _is_python3(node: ast.AST, print_is_function: bool) -> bool:
    if isinstance(node, _PYTHON3_NODES) or (isinstance(node, ast.Raise) and node.cause is not None):
        return True
    if isinstance(node, ast.FunctionDef) and (node.returns is not None or node.args.kwonlyargs or node.args.posonlyargs):
        return True
    if isinstance(node, ast.arg) and node.annotation is not None:
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return (node.func.id == "print" and bool(node.keywords) and not print_is_function) or (node.func.id == "super" and not node.args)
    return False


def _cares_for_both(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in _BOTH_ATTRIBUTES
    if isinstance(node, ast.Name):
        return node.id in _BOTH_ATTRIBUTES
    if isinstance(node, ast.ExceptHandler):
        return node.type is not None and "NameError" in ast.dump(node.type)  # try: xrange / except NameError
    if isinstance(node, ast.If):
        return any(isinstance(n, ast.Attribute) and n.attr in ("version", "hexversion", "python_version") for n in ast.walk(node.test))
    if isinstance(node, ast.ImportFrom):
        star = node.module == "six.moves" and node.names[0].name == "*"
        return star or (not node.level and (node.module or "").split(".")[0] in _BOTH_MODULES)
    return isinstance(node, ast.Import) and any(a.name.split(".")[0] in _BOTH_MODULES for a in node.names)


def _bound_names(nodes: list[ast.AST]) -> set[str]:
    """Return the names that the program gives to something."""
    bound = set()
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return bound


def _is_print_statement(node: ast.AST) -> bool:
    """Return whether a statement goes on after ``print`` or ``print (…)``, as in ``print (a), b``, or is ``print`` alone."""
    if not isinstance(node, ast.Expr):
        return False
    value, steps = node.value, 0
    while not _is_print_call(value) and (inner := _leftmost(value)) is not None:
        value, steps = inner, steps + 1
    return (steps > 0 and _is_print_call(value)) or (isinstance(value, ast.Name) and value.id == "print")


def _is_print_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def _leftmost(node: ast.AST) -> ast.AST | None:
    """Return the part that an expression's text begins with, None if it has no parts."""
    for kind, field in ((ast.BinOp, "left"), (ast.Compare, "left"), (ast.Attribute, "value"), (ast.Subscript, "value"), (ast.Call, "func"), (ast.IfExp, "body")):
        if isinstance(node, kind):
            return getattr(node, field)
    several = node.elts if isinstance(node, ast.Tuple) else node.values if isinstance(node, ast.BoolOp) else []
    return several[0] if several else None


def _is_guard(node: ast.AST) -> bool:
    """Return whether a ``try`` catches what the lack of a name raises."""
    return isinstance(node, ast.Try) and any(h.type is None or _GUARDS.search(ast.dump(h.type)) for h in node.handlers)


def _imports_gone_module(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name in MODULES for alias in node.names)
    return isinstance(node, ast.ImportFrom) and not node.level and node.module in MODULES


def _calls_gone_method(node: ast.AST, bound: set[str], nodes: list[ast.AST]) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or METHODS.get(node.func.attr) != len(node.args):
        return False
    name = node.func.attr
    asked_for = any(isinstance(n, ast.Constant) and n.value == name for n in nodes)  # hasattr(d, "iteritems")
    of_frames = name == "iteritems" and "pandas" in {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}  # pandas had it in Python 3, too
    return name not in bound and not asked_for and not of_frames
