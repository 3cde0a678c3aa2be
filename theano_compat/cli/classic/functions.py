"""Builtin functions as Python 2 had them, for translated programs."""

from __future__ import annotations

import decimal
import functools
import importlib
import itertools
import math
import sys

from theano_compat.cli.classic import comparing, files, numbers, strings


def classic_round(number, ndigits=0) -> float:
    """Round half away from zero, to a float.

    Parameters
    ----------
    number : float or what has ``__float__``
    ndigits : int
        Digits after the point, before it where negative.
    """
    try:
        value = float(number)
    except TypeError:
        if not hasattr(type(number), "__round__"):
            raise
        return round(number, ndigits) if ndigits else round(number)
    if not math.isfinite(value) or ndigits > 323:
        return value
    if ndigits:
        exact = decimal.Context(prec=1100, rounding=decimal.ROUND_HALF_UP)
        return float(decimal.Decimal(value).quantize(decimal.Decimal(1).scaleb(-ndigits), context=exact))
    whole = math.floor(abs(value))
    return math.copysign(whole + (abs(value) - whole >= 0.5), value)


def classic_map(function, *sequences) -> list:
    """Return the list that Python 2's ``map`` was; shorter sequences go on with None, and None as function makes tuples."""
    if function is str:
        function = numbers.classic_str
    if len(sequences) == 1:
        return list(sequences[0]) if function is None else [function(x) for x in sequences[0]]
    rows = itertools.zip_longest(*sequences)
    return list(rows) if function is None else [function(*row) for row in rows]


def classic_filter(function, sequence):
    """Return the list, of a string the string and of a tuple the tuple, that Python 2's ``filter`` was."""
    kept = list(filter(function, sequence))
    if isinstance(sequence, str):
        return "".join(kept)
    return tuple(kept) if isinstance(sequence, tuple) else kept


def classic_zip(*sequences) -> list:
    """Return the list that Python 2's ``zip`` was."""
    return list(zip(*sequences))


def classic_range(*ends) -> list:
    """Return the list that Python 2's ``range`` was."""
    return list(range(*ends))


def classic_coerce(a, b) -> tuple:
    """Return two numbers as numbers of one kind."""
    kind = type(a + b)
    return kind(a), kind(b)


def classic_apply(function, args=(), kwargs=None):
    """Return ``function(*args, **kwargs)``."""
    return function(*args, **(kwargs or {}))


def classic_execfile(path, globals=None, locals=None):
    """Run a program's text in the caller's namespace, or in another one."""
    from theano_compat.cli import python2

    frame = sys._getframe(1)
    namespace = frame.f_globals if globals is None else globals
    code, entries = python2.compile_program(python2.read_source(path), path)
    namespace.update(entries)
    exec(code, namespace, locals if locals is not None else (frame.f_locals if globals is None else namespace))


def classic_eval(source, globals=None, locals=None):
    """Return the value of an expression, text of Python 2 or code, in the caller's namespace or in another one."""
    globals, locals = _namespaces(sys._getframe(1), globals, locals)
    return eval(_compiled(source.strip(), "eval") if isinstance(source, str) else source, globals, locals)


def classic_exec(source, globals=None, locals=None):
    """Run statements, text of Python 2 or code, in the caller's namespace or in another one."""
    globals, locals = _namespaces(sys._getframe(1), globals, locals)
    exec(_compiled(source, "exec") if isinstance(source, str) else source, globals, locals)


def _namespaces(frame, globals, locals):
    if globals is None:
        return frame.f_globals, frame.f_locals if locals is None else locals
    globals.setdefault("__builtins__", frame.f_builtins)
    return globals, globals if locals is None else locals


@functools.lru_cache(maxsize=256)
def _compiled(source: str, mode: str):
    from theano_compat.cli import python2

    return python2.compile_fragment(source, mode)


#: Builtins that are gone.
GONE = {
    "xrange": range,
    "unicode": str,
    "basestring": str,
    "long": int,
    "unichr": chr,
    "raw_input": input,
    "reduce": functools.reduce,
    "reload": importlib.reload,
    "intern": sys.intern,
    "file": files.File,
    "cmp": comparing.classic_cmp,
    "apply": classic_apply,
    "coerce": classic_coerce,
    "execfile": classic_execfile,
    "buffer": memoryview,
}
#: Builtins that are others today.
CHANGED = {
    "open": files.classic_open,
    "eval": classic_eval,
    "exec": classic_exec,
    "round": classic_round,
    "map": classic_map,
    "filter": classic_filter,
    "zip": classic_zip,
    "range": classic_range,
    "sorted": comparing.classic_sorted,
    "max": comparing.classic_max,
    "min": comparing.classic_min,
}
ENTRIES = {**GONE, **CHANGED, "__classic_unicode__": strings.classic_unicode}
