"""Files as Python 2 had them, for translated programs: what is written may be text or bytes, however the file was opened."""

from __future__ import annotations

import io
import os
import sys

from theano_compat.cli.classic.bytestrings import TEXT, ByteString, written_bytes


class _Written:
    """A binary file that also takes text; ``unbuffered`` ones pass on each piece at once."""

    unbuffered = False

    def write(self, data):
        count = super().write(written_bytes(data))
        if self.unbuffered:
            self.flush()
        return count

    def writelines(self, lines):
        for line in lines:
            self.write(line)


class _Reader(io.BufferedReader):
    """A binary file whose lines are strings of bytes."""

    def __next__(self):
        return ByteString(super().__next__())


class _Writer(_Written, io.BufferedWriter):
    pass


class _ReaderAndWriter(_Written, io.BufferedRandom):
    pass


class _Text(io.TextIOWrapper):
    """A text file that also takes bytes."""

    def write(self, data):
        if isinstance(data, str):
            return super().write(data)
        self.flush()
        return self.buffer.write(data)

    def writelines(self, lines):
        for line in lines:
            self.write(line)


def classic_open(name, mode="r", buffering=-1, *rest, **options):
    """Open a file as Python 2's ``open(name, mode, buffering)``; what only today's ``open`` knows is passed on to it."""
    if rest or options or not isinstance(name, (str, bytes, os.PathLike)):
        return open(name, mode, buffering, *rest, **options)
    kind = mode.replace("U", "").replace("b", "").replace("t", "") or "r"
    if kind == "r":
        binary = _Reader(io.FileIO(name))
    else:
        binary = (_ReaderAndWriter if "+" in kind else _Writer)(io.FileIO(name, kind), buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE)
        binary.unbuffered = buffering == 0
    if "b" in mode:
        return binary
    text = _Text(binary, **TEXT, line_buffering=buffering == 1, write_through=buffering == 0)
    text.mode = mode
    return text


def open_streams() -> None:
    """Let this process print bytes that are no UTF-8, which text holds as surrogates."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")


class ClassicStringIO:
    """``StringIO.StringIO`` and ``cStringIO.StringIO``: a file in memory of text, or of bytes as soon as bytes are written to it.

    Parameters
    ----------
    initial : str or bytes
        What it holds at first.
    """

    def __init__(self, initial=""):
        self._file = io.StringIO(initial, newline="") if isinstance(initial, str) else io.BytesIO(initial)

    def write(self, data):
        """Write text or bytes."""
        if isinstance(self._file, io.BytesIO):
            return self._file.write(written_bytes(data))
        if not isinstance(data, str):
            place = len(written_bytes(self._file.getvalue()[: self._file.tell()]))
            self._file = io.BytesIO(written_bytes(self._file.getvalue()))
            self._file.seek(place)
        return self._file.write(data)

    def writelines(self, lines):
        """Write some pieces of text or bytes."""
        for line in lines:
            self.write(line)

    def __iter__(self):
        return iter(self._file)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __getattr__(self, name):
        if name == "_file":  # while it is being unpickled
            raise AttributeError(name)
        return getattr(self._file, name)


class _KindOfFile(type):
    def __instancecheck__(cls, value):
        return isinstance(value, io.IOBase)


class File(metaclass=_KindOfFile):
    """``file``: opens files as :func:`classic_open` does, and tells what is one."""

    def __new__(cls, name, mode="r", buffering=-1):
        return classic_open(name, mode, buffering)
