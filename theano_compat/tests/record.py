"""Write down what a program does, and on a second run stop at the first difference."""

from __future__ import annotations

import hashlib
from io import StringIO

import numpy as np

from theano_compat.compile import Mode
from theano_compat.gof import PerformLinker
from theano_compat.gof.link import WrapLinkerMany
from theano_compat.printing import var_descriptor

__all__ = ["MismatchError", "Record", "RecordMode"]


class MismatchError(Exception):
    """A repeated run differs from the record."""


class Record:
    """A sequence of lines, written or compared.

    Parameters
    ----------
    file_object : file, optional
        Where the lines are written to or read from.
    file_path : str, optional
        Its path, if it is to be opened here.
    replay : bool
        Compare with the lines of the file instead of writing them.
    """

    def __init__(self, file_object=None, file_path=None, replay=False):
        if (file_object is None) == (file_path is None):
            raise ValueError("Record needs either file_object or file_path")
        self.f = file_object if file_object is not None else open(file_path, "r" if replay else "w")
        self.replay = replay
        self.lines = 0

    def handle_line(self, line):
        """Write a line, which ends with a line break, or compare it with the next one of the record.

        Raises
        ------
        MismatchError
            The record has another line here.
        """
        assert line.endswith("\n") and line.count("\n") == 1, "a line ends with its only line break"
        self.lines += 1
        if not self.replay:
            self.f.write(line)
            return
        expected = self.f.readline()
        if expected != line:
            raise MismatchError(f"line {self.lines} differs.\nrecorded: {expected!r}\nnow:      {line!r}")


def _digest(value) -> str:
    if isinstance(value, np.ndarray) and value.dtype != object:
        data = np.ascontiguousarray(value)
        return hashlib.sha256(f"{data.dtype.str}{data.shape}".encode() + data.tobytes()).hexdigest()
    return hashlib.sha256(repr(value).encode()).hexdigest()


class RecordMode(Mode):
    """A mode whose functions record each node that runs, with digests of its inputs and outputs.

    Parameters
    ----------
    record : Record, optional
        Where to; by default one is made from `kwargs`.
    **kwargs
        Arguments of `Record`.
    """

    def __init__(self, record=None, **kwargs):
        self.record = record if record is not None else Record(**(kwargs or {"file_object": StringIO()}))
        super().__init__(WrapLinkerMany([PerformLinker()], [self._one_node]), optimizer="fast_run")
        self.known_fgraphs = {}

    def set_record(self, record):
        """Go on with another record."""
        self.record = record

    def _one_node(self, i, node, fn):
        known = self.known_fgraphs.setdefault(id(node.fgraph), len(self.known_fgraphs))
        line = self.record.handle_line
        line(f"Function {known}: node {i}: {node.op}\n".replace("\n", " ").rstrip() + "\n")
        for kind, variables, storages in (("input", node.inputs, fn.inputs), ("output", node.outputs, fn.outputs)):
            if kind == "output":
                fn()
            for variable, storage in zip(variables, storages):
                line(f"{kind} {var_descriptor(variable)}: {_digest(storage[0])}".replace("\n", " ") + "\n")
