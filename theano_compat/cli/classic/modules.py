"""Modules of Python's library as Python 2 had them, for translated programs: most took and gave strings where today's take and give bytes."""

from __future__ import annotations

import base64
import codecs
import functools
import gzip
import hashlib
import io
import re
import struct
import subprocess
import zlib

from theano_compat.cli.classic import drawing
from theano_compat.cli.classic.bytestrings import TEXT, ByteString, as_string, written_bytes
from theano_compat.cli.classic.strings import as_bytes


class Hash:
    """A hash object that takes text."""

    def __init__(self, hash):
        self._hash = hash

    def update(self, data):
        """Take more of a text or bytes."""
        self._hash.update(written_bytes(data))

    def copy(self):
        """Return another one that has taken the same."""
        return Hash(self._hash.copy())

    def __getattr__(self, name):
        return getattr(self._hash, name)


def _hash(name: str):
    return lambda data=b"", **options: Hash(hashlib.new(name, written_bytes(data), **options))


md5, sha1 = _hash("md5"), _hash("sha1")


class GzipFile(gzip.GzipFile):
    """A compressed file that takes text and gives lines that are strings of bytes to the program."""

    def __next__(self):
        return ByteString(super().__next__())

    def write(self, data):
        return super().write(written_bytes(data))


def _open_gzip(name, mode="rb", compresslevel=9, **options):
    if options or "t" in mode:
        return gzip.open(name, mode, compresslevel, **options)
    return GzipFile(name, mode.replace("U", ""), compresslevel) if isinstance(name, (str, bytes)) else GzipFile(None, mode, compresslevel, name)


class Popen(subprocess.Popen):
    """A process whose output is text; bytes that are no UTF-8 come as surrogates, from which files and arrays get the bytes back."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("stdout", "stderr"):
            if isinstance(getattr(self, name), io.BufferedReader):
                setattr(self, name, io.TextIOWrapper(getattr(self, name), newline="", **TEXT))

    def communicate(self, input=None, **options):
        """Return what the process prints as standard output and as errors."""
        told = input if self.text_mode else written_bytes(input)
        return tuple(out.decode(**TEXT) if isinstance(out, bytes) else out for out in super().communicate(told, **options))


def _check_output(*args, **kwargs):
    out = subprocess.check_output(*args, **kwargs)
    return out.decode(**TEXT) if isinstance(out, bytes) else out


def _taking_text(function, place: int = 0):
    """Return a function whose argument at a place may be text that stands for bytes."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return as_string(function(*args[:place], *map(as_bytes, args[place : place + 1]), *args[place + 1 :], **kwargs))

    return call


def _matching(function):
    """Return a function of ``re`` that matches text in bytes that a program read, too."""
    return lambda *args, **kwargs: function(*(str(a) if isinstance(a, ByteString) else a for a in args), **kwargs)


def _of_binary(kind):
    """Return a function of ``codecs`` whose readers and writers also wrap a text stream: ``codecs.getwriter('utf8')(sys.stdout)``."""
    return lambda encoding: lambda stream, *args, **kwargs: kind(encoding)(getattr(stream, "buffer", stream), *args, **kwargs)


def _giving_text(function):
    return lambda *args, **kwargs: _taking_text(function)(*args, **kwargs).decode("ascii")


#: module -> names -> what a Python 2 program sees under them
VIEWS = {
    "hashlib": {name: _hash(name) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")} | {"new": lambda name, data=b"": _hash(name)(data)},
    "gzip": {"open": _open_gzip, "GzipFile": GzipFile},
    "codecs": {"getreader": _of_binary(codecs.getreader), "getwriter": _of_binary(codecs.getwriter)},
    "random": drawing.NAMES,
    "re": {name: _matching(getattr(re, name)) for name in ("compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")},
    "struct": {"unpack": _taking_text(struct.unpack, 1), "unpack_from": _taking_text(struct.unpack_from, 1)},
    "subprocess": {"Popen": Popen, "check_output": _check_output},
    "zlib": {name: _taking_text(getattr(zlib, name)) for name in ("compress", "decompress", "crc32", "adler32")},
    "base64": {"b64encode": _giving_text(base64.b64encode), "encodestring": _giving_text(base64.encodebytes), "decodestring": _taking_text(base64.decodebytes), "b64decode": _taking_text(base64.b64decode)},
}
