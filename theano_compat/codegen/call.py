"""Calling segments from Python: arrays in, arrays out, errors worded.

This is the reference for the run-time extension, and what runs where that cannot be built.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Generator

import numpy as np

from theano_compat.codegen.abi import SegmentSpec
from theano_compat.codegen.errors import SegmentError

__all__ = ["SegmentCall"]


class _Array(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p)]


class _Result(ctypes.Structure):
    _fields_ = [
        ("block", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("base", ctypes.c_int64),
        ("capacity", ctypes.c_int64),
    ]


class _Slot(ctypes.Structure):
    _fields_ = [("block", ctypes.c_void_p), ("capacity", ctypes.c_int64)]


class _Frame(ctypes.Structure):
    _fields_ = [
        ("arrays", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("allocate", ctypes.c_void_p),
        ("poll", ctypes.c_void_p),
        ("polled", ctypes.c_int64),
        ("error", ctypes.c_int64 * 8),
    ]


_libc = ctypes.CDLL(None)
_free = _libc.free
_free.argtypes = [ctypes.c_void_p]
_free.restype = None


def _free_slots(slots) -> None:
    for slot in slots:
        if slot.block:
            _free(slot.block)
            slot.block, slot.capacity = None, 0


_Poll = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


def _handle_signals(raised: list[BaseException]) -> Generator[int, object, None]:
    """Each time run the handlers of signals that have come; yield 0, or, once one of them has raised an exception, put that into `raised` and yield 1.

    This is a generator because Python may call a handler wherever one of its functions begins: here that is inside of ``try``.
    """
    try:
        while True:
            yield 0
            ctypes.pythonapi.PyErr_CheckSignals()
    except GeneratorExit:
        return
    except BaseException as error:
        raised.append(error)
        yield 1


class _Workspace:
    """Descriptors and scratch of one call at a time."""

    def __init__(self, spec: SegmentSpec) -> None:
        n_in, n_out = len(spec.inputs), len(spec.outputs)
        self.arrays = (_Array * max(n_in, 1))()
        self.results = (_Result * max(n_out, 1))()
        self.slots = (_Slot * max(spec.n_slots, 1))()
        self.shapes = [(ctypes.c_int64 * max(o.ndim, 1))() for o in spec.outputs]
        self.strides = [(ctypes.c_int64 * max(o.ndim, 1))() for o in spec.outputs]
        for result, shape, strides in zip(self.results, self.shapes, self.strides):
            result.shape = ctypes.addressof(shape)
            result.strides = ctypes.addressof(strides)
        self.frame = _Frame()
        self.frame.arrays = ctypes.addressof(self.arrays)
        self.frame.out = ctypes.addressof(self.results)
        self.frame.slots = ctypes.addressof(self.slots)
        self.address = ctypes.addressof(self.frame)
        self.raised: list[BaseException] = []
        self.watch_signals()
        weakref.finalize(self, _free_slots, self.slots)

    def watch_signals(self) -> None:
        """Make what long loops ask whether to go on."""
        signals = _handle_signals(self.raised)
        next(signals)
        self.poll = _Poll(signals.send)


class _Block:
    """A malloc block, freed with the last array over it."""

    def __init__(self, address: int) -> None:
        weakref.finalize(self, _free, address)


class _Memory:
    """An array by NumPy's array interface: an address and who keeps its memory alive."""

    def __init__(self, owner, address: int, shape: tuple, strides: tuple, dtype: np.dtype) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "data": (address, False),
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "version": 3,
        }


class SegmentCall:
    """One segment, callable with its input values.

    Parameters
    ----------
    spec : SegmentSpec
    address : int
        Of the C function.
    keep : object
        Kept alive with the call (the loaded library).
    """

    def __init__(self, spec: SegmentSpec, address: int, keep=None) -> None:
        self.spec = spec
        self.keep = keep
        self.function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)
        self.free: list[_Workspace] = []
        self.dtypes = [np.dtype(s.dtype) for s in spec.inputs]
        self.out_dtypes = [np.dtype(s.dtype) for s in spec.outputs]

    def __call__(self, values: list) -> list:
        """Run the segment.

        Parameters
        ----------
        values : list
            Input arrays (NumPy scalars for scalar types).

        Returns
        -------
        list
            The results, new arrays or views of the inputs.

        Raises
        ------
        SegmentError
            With code, node and details.
        """
        try:
            work = self.free.pop()
        except IndexError:
            work = _Workspace(self.spec)
        arrays = [self._lend(k, value) for k, value in enumerate(values)]
        layouts = []
        for slot, array in zip(work.arrays, arrays):
            shape, strides = array.ctypes.shape, array.ctypes.strides
            layouts.append((shape, strides))
            slot.data = array.ctypes.data
            if array.ndim:
                slot.shape, slot.strides = ctypes.addressof(shape), ctypes.addressof(strides)
        for result in work.results:
            result.block, result.capacity = None, 0
        in_main_thread = threading.get_ident() == threading.main_thread().ident  # where Python runs the handlers of signals
        work.frame.poll = ctypes.cast(work.poll, ctypes.c_void_p) if in_main_thread else None
        work.frame.polled = 0
        code = self.function(work.address)
        if code:
            for result in work.results:
                if result.block:
                    _free(result.block)
            error: BaseException = SegmentError(self.spec, list(work.frame.error))
            if work.raised:
                error = work.raised.pop()
                work.watch_signals()
                error.__from_signal__ = True  # type: ignore[attr-defined]  # no node is to blame: see `CompiledFunction.explain_failure`
            self.free.append(work)
            raise error
        found = self._wrap(work, arrays)
        self.free.append(work)
        return found

    def release(self) -> None:
        """Give scratch memory back."""
        self.free.clear()

    def _lend(self, k: int, value) -> np.ndarray:
        dtype = self.dtypes[k]
        array = np.asarray(value, dtype=dtype)
        spec = self.spec.inputs[k]
        if array.ndim != spec.ndim:
            raise TypeError(f"input {k} of a compiled segment has {array.ndim} dimensions, {spec.ndim} expected")
        for axis, one in enumerate(spec.broadcastable):
            if one and array.shape[axis] != 1:
                raise ValueError(
                    f"input {k} of a compiled segment has extent {array.shape[axis]} in broadcastable dimension {axis}"
                )
        if not (array.flags.aligned and array.dtype.isnative) or (k in self.spec.written and not array.flags.writeable):
            # What is changed in place and cannot be written to is copied: the result is the copy then.
            array = array.astype(dtype.newbyteorder("="), copy=True)
        return array

    def _wrap(self, work: _Workspace, arrays: list[np.ndarray]) -> list:
        found, blocks = [], {}
        for k, (result, spec) in enumerate(zip(work.results, self.spec.outputs)):
            shape = tuple(work.shapes[k][: spec.ndim])
            strides = tuple(work.strides[k][: spec.ndim])
            if result.base >= 0:
                owner = arrays[result.base]
                if owner.ctypes.data == result.data and owner.shape == shape and _same_walk(owner, strides):
                    found.append(owner[()] if spec.scalar else owner)
                    continue
            else:
                number = k if result.base == -1 else -2 - result.base
                if number not in blocks:
                    blocks[number] = _Block(work.results[number].block)
                owner = blocks[number]
            array = np.asarray(_Memory(owner, result.data, shape, strides, self.out_dtypes[k]))
            found.append(array[()] if spec.scalar else array)
        return found


def _same_walk(array: np.ndarray, strides: tuple) -> bool:
    return all(a == b or n <= 1 for a, b, n in zip(array.strides, strides, array.shape))
