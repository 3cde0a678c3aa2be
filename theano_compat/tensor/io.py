"""Values from files and from other processes: `load`, and sending and receiving over MPI.

MPI needs the package ``mpi4py``; without it `mpi_enabled` is False and the ops refuse to run.
"""

from __future__ import annotations

import os

import numpy as np

from theano_compat.gof import Apply, Constant, Op, Variable, generic
from theano_compat.gof.sched import key_to_cmp
from theano_compat.tensor.type import TensorType

# --- files ------------------------------------------------------------------------------------------------


class LoadFromDisk(Op):
    """The array in a NumPy file, whose path is the input.

    Parameters
    ----------
    dtype : str or dtype
    broadcastable : sequence of bool
    mmap_mode : {None, 'c'}
        Map the file into memory, writing to copies of pages, instead of reading it.
    """

    __props__ = ("dtype", "broadcastable", "mmap_mode")
    digestible = False  # tomorrow the file may be another one

    def __init__(self, dtype, broadcastable, mmap_mode=None):
        self.dtype = np.dtype(dtype)
        self.broadcastable = broadcastable
        if mmap_mode not in (None, "c"):
            raise ValueError(
                "The only supported values for mmap_mode are None and 'c', got %s" % mmap_mode
            )
        self.mmap_mode = mmap_mode

    def make_node(self, path):
        """Take the path, as a string or a generic variable."""
        if isinstance(path, str):
            path = Constant(generic, path)
        return Apply(self, [path], [TensorType(str(self.dtype), self.broadcastable)()])

    def perform(self, node, inp, out):
        """Read the file."""
        path = inp[0]
        if os.path.splitext(path)[1] == ".npz":
            raise ValueError("Expected a .npy file, got %s instead" % path)
        result = np.load(path, mmap_mode=self.mmap_mode)
        if result.dtype != self.dtype:
            raise TypeError(f"Expected an array of type {self.dtype}, got {result.dtype} instead")
        out[0][0] = result

    def __str__(self):
        return f"Load{{dtype: {self.dtype}, broadcastable: {self.broadcastable}, mmep: {self.mmap_mode}}}"


def load(path, dtype, broadcastable, mmap_mode=None):
    """Return the array stored in a ``.npy`` file, read when the function is called.

    Parameters
    ----------
    path : str or generic variable
    dtype : str or dtype
        That of the array in the file.
    broadcastable : sequence of bool
        The broadcast pattern, which also gives the rank.
    mmap_mode : {None, 'c'}
        Map the file into memory instead of reading it.
    """
    return LoadFromDisk(dtype, broadcastable, mmap_mode)(path)


# --- messages between processes -----------------------------------------------------------------------------


def _find_mpi():
    """Return the world communicator, or None: importing mpi4py starts MPI, so it waits for the first use."""
    try:
        from mpi4py import MPI
    except ImportError:
        return None
    return MPI.COMM_WORLD


def __getattr__(name):
    if name in ("comm", "mpi_enabled"):
        import importlib.util

        if name == "mpi_enabled":
            return importlib.util.find_spec("mpi4py") is not None
        return _find_mpi()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _communicator():
    comm = _find_mpi()
    if comm is None:
        raise RuntimeError("sending and receiving over MPI needs the package mpi4py: pip install mpi4py")
    return comm


class MPIRecv(Op):
    """Start to receive an array from another process; the outputs are the request and the array to be filled."""

    digestible = False
    __props__ = ("source", "tag", "shape", "dtype")

    def __init__(self, source, tag, shape, dtype):
        self.source, self.tag, self.shape = source, tag, shape
        self.dtype = np.dtype(dtype)
        self.broadcastable = (False,) * len(shape)

    def make_node(self):
        """Take nothing."""
        return Apply(self, [], [Variable(generic), TensorType(str(self.dtype), self.broadcastable)()])

    def perform(self, node, inp, out):
        """Start receiving."""
        data = np.zeros(self.shape, dtype=self.dtype)
        out[0][0] = _communicator().Irecv(data, self.source, self.tag)
        out[1][0] = data

    def __str__(self):
        return f"MPIRecv{{source: {self.source}, tag: {self.tag}, shape: {self.shape}, dtype: {self.dtype}}}"

    def infer_shape(self, node, shapes):
        """Return nothing for the request, and the shape."""
        return [None, self.shape]

    def do_constant_folding(self, node):
        """Never: receiving is not repeatable."""
        return False


class MPIRecvWait(Op):
    """Wait until a started `MPIRecv` is complete; the output is the array."""

    digestible = False
    __props__ = ("tag",)

    def __init__(self, tag):
        self.tag = tag

    def make_node(self, request, data):
        """Take the outputs of `MPIRecv`."""
        return Apply(self, [request, data], [TensorType(data.dtype, data.broadcastable)()])

    def perform(self, node, inp, out):
        """Wait."""
        request, data = inp
        request.wait()
        out[0][0] = data

    def infer_shape(self, node, shapes):
        """Return the shape of the array."""
        return [shapes[1]]

    view_map = {0: [1]}


class MPISend(Op):
    """Start to send an array to another process; the outputs are the request and the array."""

    digestible = False
    __props__ = ("dest", "tag")

    def __init__(self, dest, tag):
        self.dest, self.tag = dest, tag

    def make_node(self, data):
        """Take the array."""
        return Apply(self, [data], [Variable(generic), data.type()])

    view_map = {1: [0]}

    def perform(self, node, inp, out):
        """Start sending."""
        (data,) = inp
        out[0][0] = _communicator().Isend(data, self.dest, self.tag)
        out[1][0] = data

    def __str__(self):
        return f"MPISend{{dest: {self.dest}, tag: {self.tag}}}"


class MPISendWait(Op):
    """Wait until a started `MPISend` is complete; the output is True."""

    digestible = False
    __props__ = ("tag",)

    def __init__(self, tag):
        self.tag = tag

    def make_node(self, request, data):
        """Take the outputs of `MPISend`."""
        return Apply(self, [request, data], [Variable(generic)])

    def perform(self, node, inp, out):
        """Wait."""
        inp[0].wait()
        out[0][0] = True


def isend(var, dest, tag):
    """Start to send `var` to the process `dest` under `tag`; return the request and the array."""
    return MPISend(dest, tag)(var)


def send(var, dest, tag):
    """Send `var` to the process `dest` under `tag`; return what is True when it is sent."""
    return MPISendWait(tag)(*isend(var, dest, tag))


def irecv(shape, dtype, source, tag):
    """Start to receive an array of known shape and dtype from `source`; return the request and the array."""
    return MPIRecv(source, tag, shape, dtype)()


def recv(shape, dtype, source, tag):
    """Receive an array of known shape and dtype from the process `source` under `tag`."""
    return MPIRecvWait(tag)(*irecv(shape, dtype, source, tag))


_STARTS, _WAITS = (MPIRecv, MPISend), (MPIRecvWait, MPISendWait)


def mpi_send_wait_key(a):
    """Return 1 for waiting, -1 for starting, 0 for anything else: waits are scheduled last, starts first."""
    return isinstance(a.op, _WAITS) - isinstance(a.op, _STARTS)


def mpi_tag_key(a):
    """Return the tag of an MPI node, 0 for other nodes: all processes schedule the tags in the same order."""
    return a.op.tag if isinstance(a.op, _STARTS + _WAITS) else 0


mpi_keys = (mpi_send_wait_key, mpi_tag_key)
mpi_cmps = mpi_send_wait_cmp, mpi_tag_cmp = tuple(key_to_cmp(key) for key in mpi_keys)

__all__ = [
    "LoadFromDisk", "MPIRecv", "MPIRecvWait", "MPISend", "MPISendWait", "irecv", "isend", "key_to_cmp", "load",
    "mpi_cmps", "mpi_keys", "mpi_send_wait_cmp", "mpi_send_wait_key", "mpi_tag_cmp", "mpi_tag_key",
    "recv", "send",
]  # fmt: skip
