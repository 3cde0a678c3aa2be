"""NumPy's functions as they were in 2010-2017, for an old program alone: libraries keep today's.

:data:`VIEWS` holds what the program sees under NumPy's names; :func:`print_as_then` makes arrays and numbers print as they did.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy

from theano_compat.cli.classic.bytestrings import ByteString, written_bytes
from theano_compat.cli.classic.methods import MethodCalls


def _ragged(today):
    """Let nested sequences of different lengths be an array of objects, as up to NumPy 1.23."""

    @functools.wraps(today)
    def make(object, dtype=None, *args, **kwargs):
        try:
            return today(object, dtype, *args, **kwargs)
        except ValueError as error:
            if dtype is not None or "inhomogeneous" not in str(error):
                raise
            return today(object, numpy.dtype("O"), *args, **kwargs)

    return make


_array, _asarray, _asanyarray = _ragged(numpy.array), _ragged(numpy.asarray), _ragged(numpy.asanyarray)


@functools.wraps(numpy.save)
def _save(file, arr, *args, **kwargs):
    return numpy.save(file, _asanyarray(arr), *args, **kwargs)


def _saving(today):
    @functools.wraps(today)
    def save(file, *args, **kwargs):
        return today(file, *map(_asanyarray, args), **{name: _asanyarray(value) for name, value in kwargs.items()})

    return save


@functools.wraps(numpy.load)
def _load(file, mmap_mode=None, allow_pickle=True, fix_imports=True, encoding="latin1", **kwargs):
    return numpy.load(file, mmap_mode, allow_pickle, fix_imports, encoding, **kwargs)


@functools.wraps(numpy.fromstring)
def _fromstring(string, dtype=float, count=-1, sep="", **kwargs):
    if sep:
        return numpy.fromstring(string, dtype, count, sep=sep, **kwargs)
    return numpy.frombuffer(written_bytes(string), dtype, count, **kwargs).copy()


def _normed(today):
    """Let the older name of ``density``, which NumPy had up to 1.23, be given."""

    @functools.wraps(today)
    def histogram(*args, normed=None, **kwargs):
        if normed is not None and kwargs.get("density") is None:
            kwargs["density"] = bool(normed)
        return today(*args, **kwargs)

    return histogram


def _array_method(name: str, otherwise):
    """Return a function that calls a method, where an object still has it, and a stand-in where it has not."""

    def call(owner, *args, **kwargs):
        method = getattr(owner, name, None)
        return method(*args, **kwargs) if method is not None else otherwise(owner, *args, **kwargs)

    return call


def _itemset(array, *arguments):
    *place, value = arguments
    if not place:
        array[()] = value
    elif isinstance(place[0], tuple):
        array[place[0]] = value
    else:
        array.flat[place[0]] = value


def _newbyteorder(array, order="S"):
    return array.view(array.dtype.newbyteorder(order))


class ArrayMethods(MethodCalls):
    """Compiles calls of the methods that arrays have no longer into calls of the functions in ENTRIES."""

    METHODS = {name: f"__array_{name}__" for name in ("tostring", "ptp", "itemset", "newbyteorder")}


ENTRIES = {
    "__array_tostring__": _array_method("tostring", lambda array, order="C": ByteString(array.tobytes(order))),
    "__array_ptp__": _array_method("ptp", lambda array, *args, **kwargs: numpy.ptp(array, *args, **kwargs)),
    "__array_itemset__": _array_method("itemset", _itemset),
    "__array_newbyteorder__": _array_method("newbyteorder", _newbyteorder),
}

#: module -> names -> what an old program sees under them
VIEWS: dict[str, dict[str, Any]] = {
    "numpy": {
        "array": _array,
        "asarray": _asarray,
        "asanyarray": _asanyarray,
        "load": _load,
        "save": _save,
        "savez": _saving(numpy.savez),
        "savez_compressed": _saving(numpy.savez_compressed),
        "fromstring": _fromstring,
        **{name: _normed(getattr(numpy, name)) for name in ("histogram", "histogram2d", "histogramdd")},
    }
}


#: Names that ``from numpy import *`` gives today, over the builtins of the same names, and did not give then.
_NEW_NAMES = frozenset({"abs", "bool", "long", "max", "min", "pow", "round"})


def star_names() -> dict[str, Any]:
    """Return what an old program sees in NumPy when it imports all of it: what it does with the names does not show, so none is noted as supplied."""
    from theano_compat.cli import supply
    from theano_compat.cli.gone import scientific

    gone = {name: place for name, place in scientific.NUMPY.items() if name not in scientific.BUILTIN_TYPES and name not in numpy.__all__}
    names = {name: supply.resolve(place) for name, place in gone.items()}
    return {**VIEWS["numpy"], **names, "__all__": [name for name in numpy.__all__ if name not in _NEW_NAMES] + list(names)}


def print_as_then(python2: bool) -> None:
    """Make this process print arrays and NumPy's numbers as they were printed in the program's time.

    Parameters
    ----------
    python2 : bool
        Whether the program is Python 2: then as NumPy 1.13 and its predecessors did (``[ 1.  2.]``, 12 digits of a number), otherwise as those up
        to 1.26 did (numbers without the name of their type).
    """
    mode = "1.13" if python2 else "1.25" if numpy.lib.NumpyVersion(numpy.__version__) >= "2.0.0" else None
    if mode:
        numpy.set_printoptions(legacy=mode)
