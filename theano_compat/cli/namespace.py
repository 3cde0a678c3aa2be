"""The builtins of an old program, among them ``import`` as it was.

A program's namespace says in ``__builtins__`` where names are looked up that it does not define. Python 2's own builtins stand there, and an
``__import__`` of this module; libraries have the real ones.

* In a Python 2 package ``import layers`` means the package's own module first, the one of that name elsewhere second. A module that both Pythons
  can run looks into the package second, where today's Python would find nothing at all.
* A module whose functions were others then (NumPy's, ``hashlib``, ``subprocess``) is seen through a view that has them.
"""

from __future__ import annotations

import builtins
import functools
import importlib.util
import sys
import types
from typing import Any

#: The name in a program's namespace that says where its imports look: in its package "first", "last", or (None) not at all.
PLACE = "__package_is_searched__"


class ModuleView(types.ModuleType):
    """A module with some names of its own; what is set on it is set on the module."""

    def __init__(self, module: types.ModuleType, own: dict[str, Any]):
        super().__init__(module.__name__)
        self.__dict__.update(module.__dict__)
        self.__dict__.update(own, __viewed__=module)
        self.__dict__.pop("__getattr__", None)

    def __getattr__(self, name):
        return getattr(self.__dict__["__viewed__"], name)

    def __setattr__(self, name, value):
        setattr(self.__dict__["__viewed__"], name, value)
        self.__dict__[name] = value

    def __delattr__(self, name):
        delattr(self.__dict__["__viewed__"], name)
        self.__dict__.pop(name, None)


@functools.cache
def _view(module: types.ModuleType, python2: bool, all_names: bool) -> types.ModuleType:
    from theano_compat.cli import numpy_then
    from theano_compat.cli.classic import modules

    if all_names and module.__name__ == "numpy":
        return ModuleView(module, numpy_then.star_names())
    tables = {**modules.VIEWS, **numpy_then.VIEWS} if python2 else numpy_then.VIEWS
    return ModuleView(module, tables[module.__name__]) if module.__name__ in tables else module


def _lies_in(package: str, first: str) -> bool:
    full = f"{package}.{first}"
    if full in sys.modules:
        return True
    try:
        return importlib.util.find_spec(full) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _importer(python2: bool):
    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        place, package = (globals or {}).get(PLACE), (globals or {}).get("__package__")
        first = name.partition(".")[0]
        if not level and package and place == "first" and _lies_in(package, first):
            level = 1
        try:
            module = builtins.__import__(name, globals, locals, fromlist, level)
        except ModuleNotFoundError as error:
            if level or not package or place is None or error.name != first or not _lies_in(package, first):
                raise
            module = builtins.__import__(name, globals, locals, fromlist, 1)
        return _view(module, python2, fromlist is not None and "*" in fromlist)

    return __import__


@functools.cache
def builtins_of(python2: bool) -> types.ModuleType:
    """Return the module of builtins that the programs of one Python share."""
    from theano_compat.cli import classic, numpy_then

    module = types.ModuleType("__builtin__" if python2 else "builtins")
    module.__dict__.update(builtins.__dict__)
    module.__dict__.update(numpy_then.ENTRIES)
    if python2:
        module.__dict__.update(classic.ENTRIES)
    module.__dict__["__import__"] = _importer(python2)
    return module


def entries(python2: bool, place: str | None) -> dict[str, Any]:
    """Return what the namespace of a program must hold.

    Parameters
    ----------
    python2 : bool
        Whether it is Python 2.
    place : str or None
        When its imports look into its package: "first", "last", or None for never.
    """
    return {"__builtins__": builtins_of(python2), PLACE: place}


_program_is_python2 = False


def begin(python2: bool) -> None:
    """Tell this process which Python the program is that it runs."""
    from theano_compat.cli import numpy_then
    from theano_compat.cli.classic import files

    global _program_is_python2
    _program_is_python2 = python2
    if python2:
        sys.modules["__builtin__"] = builtins_of(True)
        files.open_streams()
    numpy_then.print_as_then(python2)


def program_is_python2() -> bool:
    """Return whether the program that this process runs is Python 2: then its modules are, too, unless they show otherwise."""
    return _program_is_python2
