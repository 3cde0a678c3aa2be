"""Bytes that a program reads, as Python 2 had them: a string.

What the program's own calls of ``read``, ``readline`` and ``readlines`` give, and the lines of binary files, is a :class:`ByteString` where it is bytes: for libraries bytes, for the
program a string, whose parts are text. Text stands for bytes in UTF-8; bytes that are none come as surrogates, from which the bytes can be had back.
"""

from __future__ import annotations

from theano_compat.cli.classic.methods import MethodCalls

TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}  # bytes that are no UTF-8 survive reading and writing


def written_bytes(data):
    """Return the bytes that a file holds after a text was written to it; anything else as it is."""
    return data.encode(**TEXT) if isinstance(data, str) else data


class ByteString(bytes):
    """Bytes that are equal to the text that they stand for, have its methods, and print as it."""

    __hash__ = bytes.__hash__  # of ASCII the same as the text's: both find each other in dictionaries

    def __str__(self):
        return self.decode(**TEXT)

    def __repr__(self):
        return repr(str(self))

    def __format__(self, spec):
        return format(str(self), spec)

    def __eq__(self, other):
        return str(self) == other if isinstance(other, str) else bytes.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    def __lt__(self, other):
        return bytes(self) < written_bytes(other)

    def __gt__(self, other):
        return bytes(self) > written_bytes(other)

    def __contains__(self, part):
        return bytes.__contains__(self, written_bytes(part))

    def __add__(self, other):
        return str(self) + other if isinstance(other, str) else ByteString(bytes.__add__(self, other))

    def __radd__(self, other):
        return other + str(self) if isinstance(other, str) else ByteString(other + bytes(self))

    def __mod__(self, values):
        return str(self) % values

    def __getitem__(self, key):
        part = bytes.__getitem__(self, key)
        return chr(part) if isinstance(part, int) else ByteString(part)

    def __iter__(self):
        return map(chr, bytes.__iter__(self))


def _text(x):
    if isinstance(x, bytes):
        return x.decode(**TEXT)
    return tuple(map(_text, x)) if isinstance(x, tuple) else x


def _of_text(name: str):
    def method(self, *args):
        return getattr(str(self), name)(*map(_text, args))

    method.__name__ = name
    return method


for _name in (
    "capitalize center count endswith expandtabs index isalnum isalpha isdigit islower isspace istitle isupper join ljust lower lstrip partition replace rfind find rindex rjust "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
).split():
    setattr(ByteString, _name, _of_text(_name))


def as_string(data):
    """Return bytes as a string of bytes, anything else as it is."""
    return ByteString(data) if type(data) is bytes else data


def _reading(name: str):
    def call(owner, *args, **kwargs):
        data = getattr(owner, name)(*args, **kwargs)
        return [as_string(line) for line in data] if type(data) is list else as_string(data)

    call.__name__ = f"classic_{name}"
    return call


class ClassicReading(MethodCalls):
    """Compiles calls of ``x.read``, ``x.readline`` and ``x.readlines`` into calls of the functions in ENTRIES."""

    METHODS = {name: f"__classic_{name}__" for name in ("read", "readline", "readlines")}


ENTRIES = {entry: _reading(name) for name, entry in ClassicReading.METHODS.items()}
