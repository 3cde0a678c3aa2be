"""Lets ``import theano`` mean this package.

After :func:`install`, ``theano``, ``theano.tensor`` and every other submodule name are the very module objects of
``theano_compat``: classes have one identity, and pickles that name ``theano.…`` classes load. It is done for a whole program, by
``python -m theano_compat script.py`` or by an explicit call; a plain ``import theano_compat`` never does it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys

OLD, NEW = "theano", "theano_compat"


class _SameModule(importlib.abc.Loader):
    """Hands out the module of this package; nothing is executed twice."""

    def __init__(self, module):
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        # The import system has put the alias's spec on the module; the true one belongs there.
        module.__spec__ = self.spec


class AliasFinder(importlib.abc.MetaPathFinder):
    """Finds ``theano`` and ``theano.*`` in ``theano_compat``."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != OLD and not fullname.startswith(OLD + "."):
            return None
        real = NEW + fullname[len(OLD) :]
        try:
            module = importlib.import_module(real)
        except ModuleNotFoundError as error:
            if error.name == real:
                return None
            raise
        spec = importlib.machinery.ModuleSpec(fullname, _SameModule(module), is_package=hasattr(module, "__path__"))
        return spec


def install() -> None:
    """Make ``import theano`` mean this package in this process.

    Raises
    ------
    RuntimeError
        If another ``theano`` is imported already: its objects and ours do not mix.
    """
    present = sys.modules.get(OLD)
    if present is not None and present is not sys.modules.get(NEW):
        raise RuntimeError(f"another theano is imported already, from {getattr(present, '__file__', '?')}; call theano_compat.alias.install() before it")
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, AliasFinder())


def uninstall() -> None:
    """Undo :func:`install`; modules that were imported meanwhile keep what they have."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AliasFinder)]
    for name in [n for n in sys.modules if n == OLD or n.startswith(OLD + ".")]:
        if sys.modules[name] is sys.modules.get(NEW + name[len(OLD) :]):
            del sys.modules[name]
