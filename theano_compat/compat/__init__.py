"""What Theano offered to bridge Python 2 and 3, for the old code that imports it."""

from __future__ import annotations

import builtins
import os
from collections import OrderedDict, defaultdict  # noqa: F401
from collections.abc import Callable, Mapping, MutableMapping, MutableSet, ValuesView  # noqa: F401
from functools import partial, reduce  # noqa: F401
from io import BytesIO, StringIO  # noqa: F401
from operator import truediv as operator_div  # noqa: F401

PY3 = True
izip, imap, ifilter = zip, map, filter
next = builtins.next


def cmp(x, y) -> int:
    """Return -1, 0 or 1, as Python 2's builtin did."""
    return (x > y) - (x < y)


def get_unbound_function(unbound):
    """Return the function under a method that was looked up on a class."""
    return getattr(unbound, "__func__", unbound)


def exc_message(e):
    """Return the first argument of an exception, looking through exceptions that wrap it."""
    while isinstance(e.args[0], Exception):
        e = e.args[0]
    return e.args[0]


def decode(x):
    """Return text for bytes (UTF-8); text as it is."""
    return x.decode() if isinstance(x, bytes) else x


def decode_iter(itr):
    """Yield the items of an iterable, decoded."""
    for x in itr:
        yield decode(x)


def decode_with(x, encoding):
    """Return text for bytes in a given encoding; text as it is."""
    return x.decode(encoding) if isinstance(x, bytes) else x


class DefaultOrderedDict(OrderedDict):
    """An OrderedDict that makes missing values as defaultdict does."""

    def __init__(self, default_factory=None, *args, **kwargs):
        if default_factory is not None and not callable(default_factory):
            raise TypeError("first argument must be callable")
        super().__init__(*args, **kwargs)
        self.default_factory = default_factory

    def __missing__(self, key):
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = value = self.default_factory()
        return value

    def __reduce__(self):
        return type(self), (self.default_factory,), None, None, iter(self.items())

    def copy(self):
        """Return a shallow copy."""
        return type(self)(self.default_factory, self)

    __copy__ = copy


def maybe_add_to_os_environ_pathlist(var, newpath):
    """Put a folder in front of a path list in the environment (``PATH``), if it exists and is not in it."""
    if not os.path.isabs(newpath):
        return
    folders = os.environ.get(var, "").split(os.pathsep)
    if newpath not in folders:
        os.environ[var] = os.pathsep.join([newpath, *filter(None, folders)])
