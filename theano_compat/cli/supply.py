"""Serves names that programs of 2010-2017 use and that today's Python, NumPy and SciPy no longer have (the tables of ``gone``).

:func:`install` makes them available in this process, which runs an old program; a plain ``import theano_compat`` never does.
Nothing is set before it is asked for: a gone attribute is served by the module's ``__getattr__``, a gone module by an import hook, and each use
is noted, so that :func:`report` can say in one line what was supplied.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from typing import Any

from theano_compat.cli.gone import ATTRIBUTES, MODULES

used: dict[str, None] = {}


def note(name: str) -> None:
    """Remember that a name was supplied."""
    used.setdefault(name)


def report() -> str:
    """Return the line that lists what was supplied, "" if nothing was."""
    return f"theano_compat: supplied for this program: {', '.join(used)}" if used else ""


def resolve(place: Any) -> Any:
    """Return what ``"module:attribute.path"`` names, or what a function makes."""
    if callable(place):
        return place()
    module, _, path = place.partition(":")
    value = importlib.import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return value


def _serve(module: types.ModuleType, table: dict[str, Any]) -> None:
    """Let a module answer for the names in a table, after its own ones."""
    own = module.__dict__.get("__getattr__")
    label = module.__name__

    def __getattr__(name):
        if name in table:
            value = resolve(table[name])
            note(f"{label}.{name}")
            module.__dict__[name] = value
            return value
        if own is not None:
            return own(name)
        raise AttributeError(f"module {label!r} has no attribute {name!r}")

    # Where the module still has a name, Python finds it before it asks __getattr__.
    module.__dict__["__getattr__"] = __getattr__


class _GoneModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last finder in line: serves modules that nobody else has."""

    def find_spec(self, fullname, path=None, target=None):
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in MODULES else None

    def create_module(self, spec):
        content = MODULES[spec.name]
        content, gone = content if isinstance(content, tuple) else (content, None)
        if isinstance(content, str):
            today = importlib.import_module(content)
            # A module object of its own: attributes that are added here must not land in today's module.
            module = types.ModuleType(spec.name, f"{content} under its old name")
            module.__dict__.update({k: v for k, v in today.__dict__.items() if not k.startswith("__") or k == "__all__"})
            if gone:
                module.__dict__.update({name: resolve(place) for name, place in gone.items()})
        else:
            module = types.ModuleType(spec.name, "supplied by theano_compat")
            _serve(module, content)
            if all(isinstance(place, str) for place in content.values()):
                module.__all__ = list(content)
        if spec.name == "cPickle":
            module.load, module.loads = _latin1_load, _latin1_loads
        note(spec.name)
        return module

    def exec_module(self, module):
        pass


class _ServeAttributes(importlib.abc.MetaPathFinder):
    """First finder in line: after a module of ATTRIBUTES was loaded, lets it answer for the gone names."""

    def __init__(self):
        self.active: set[str] = set()

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in ATTRIBUTES or fullname in self.active:
            return None
        self.active.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.active.discard(fullname)
        if spec is None or spec.loader is None:
            return None
        spec.loader = _After(spec.loader, ATTRIBUTES[fullname])
        return spec


class _After(importlib.abc.Loader):
    """A loader that serves a table once the real loader is done."""

    def __init__(self, loader, table):
        self.loader, self.table = loader, table

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        _serve(module, self.table)


def _binary(file):
    """Return the binary file under a text file: Python 2 programs opened pickles as text."""
    return getattr(file, "buffer", file)


def _latin1_load(file, **kwargs):
    kwargs.setdefault("encoding", "latin1")
    return _real_load(_binary(file), **kwargs)


def _latin1_loads(data, **kwargs):
    kwargs.setdefault("encoding", "latin1")
    return _real_loads(data.encode("latin1") if isinstance(data, str) else data, **kwargs)


def _supply_pickle() -> None:
    """Let pickles of Python 2 load: their byte strings (NumPy data among them) are Latin-1."""
    global _real_load, _real_loads
    import pickle

    if pickle.load is not _latin1_load:
        _real_load, _real_loads = pickle.load, pickle.loads
        pickle.load, pickle.loads = _latin1_load, _latin1_loads


def _supply_csv() -> None:
    """Let tables be read from files opened as binary, as Python 2's had to be."""
    import csv

    today = csv.reader

    def reader(lines, *args, **kwargs):
        return today((str(line, "utf-8", "surrogateescape") if isinstance(line, bytes) else line for line in lines), *args, **kwargs)

    csv.reader = reader


def install() -> None:
    """Supply the gone names to this process."""
    if any(isinstance(f, _GoneModules) for f in sys.meta_path):
        return
    for name, table in ATTRIBUTES.items():
        if name in sys.modules:
            _serve(sys.modules[name], table)
    sys.meta_path.insert(0, _ServeAttributes())
    sys.meta_path.append(_GoneModules())
    _supply_pickle()
    _supply_csv()
