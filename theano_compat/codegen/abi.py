"""The interface between generated C and whoever calls it.

One theano function gives one C file with, for every segment ``k``, ``int32_t tc_segment_k(tc_frame *)`` and, where
the file calls BLAS or other outside routines, ``void tc_bind(void *const *table)`` (addresses in the order of
`Program.externals`).  The structures stand in ``csrc/abi.h``, which opens every generated file.

Calling a segment
-----------------
1. ``frame.in[i]`` describes input ``i`` of `SegmentSpec.inputs`: pointer to the first element, extents and byte strides
   (so NumPy's own ``PyArray_DIMS``/``PyArray_STRIDES`` can be lent).  The array has the dtype and rank of its
   `ArraySpec`, is aligned and in native byte order, and has extent 1 where ``broadcastable`` says so.
   Where `ArraySpec.scalar` is set the stored value is a NumPy scalar, to be lent as a 0-d array.
2. ``frame.out[k]`` lends room for extents and strides.  A caller may lend ``block`` with ``capacity`` bytes to be used
   for the result when it is large enough; else ``capacity`` is 0.
3. ``frame.slots`` has `SegmentSpec.n_slots` entries, zeroed before the first use and kept between calls of the same
   function (never by two calls at once).  The blocks are freed with `free`, so whoever drops a frame frees them.
4. ``frame.poll``, if it is not NULL, is called by loops in time about every 0.1 s, on the thread that called the segment; if it returns
   anything but 0 the segment ends with `ErrorCode.INTERRUPTED`.  ``frame.polled`` is 0 before each call.
5. The return value is 0, or the code left in ``frame.error[0]`` (see `ErrorCode`).  After an error every ``block`` of a result that was not
   lent by the caller belongs to the caller, who frees it.
6. After success result ``k`` is: for ``base == -1`` a view (``data``, ``shape``, ``strides``) into ``block``, now owned by
   the caller; for ``base == i >= 0`` a view of input ``i`` (the very input object when data, shape and strides agree: then
   an in-place update); for ``base == -2 - j`` a view into the block of result ``j``.

The segment touches no Python object: it runs with the GIL released.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ABI_VERSION", "ArraySpec", "ErrorCode", "Program", "SegmentSpec", "header"]

ABI_VERSION = 2
_CSRC = Path(__file__).with_name("csrc")
_texts: dict[str, str] = {}


def header(name: str) -> str:
    """Return the text of ``csrc/<name>.h``, read once."""
    if name not in _texts:
        _texts[name] = (_CSRC / f"{name}.h").read_text(encoding="utf-8")
    return _texts[name]


class ErrorCode(enum.IntEnum):
    """What ``frame.error[0]`` can hold; the details that follow are listed beside each code."""

    MEMORY = 1  # wanted bytes
    SHAPE_MISMATCH = 2  # input a, dimension a, extent a, input b, dimension b, extent b
    INDEX = 3  # index, extent, dimension
    RESHAPE = 4  # elements there, elements wanted
    NOT_BROADCASTABLE = 5  # input, dimension, extent (wanted 1)
    DOT_MISMATCH = 6  # extents: x0, x1, y0, y1
    EMPTY_REDUCTION = 7  # dimension
    JOIN_MISMATCH = 8  # input, dimension, extent, wanted
    ASSERTION = 9  # input
    NEGATIVE_SIZE = 10  # dimension, value
    SPLIT = 11  # sum of sizes, extent
    VALUE = 12  # number of a message kept on the Python side
    SPECIFY_SHAPE = 13  # dimension, extent, wanted
    INTERRUPTED = 14  # steps made: ``frame.poll`` said so


@dataclass(frozen=True)
class ArraySpec:
    """What a segment expects of an input or promises of a result."""

    dtype: str
    ndim: int
    broadcastable: tuple[bool, ...]
    scalar: bool = False  # a `theano.scalar` value: stored as a NumPy scalar


@dataclass
class SegmentSpec:
    """One C function: which arrays go in and come out, and how much scratch it keeps.

    Attributes
    ----------
    inputs, outputs : list of ArraySpec
    written : tuple of int
        Inputs whose memory the segment changes.
    n_slots : int
    symbol : str
    nodes : list of Apply
        In the order of the numbers that ``frame.error[1]`` holds.
    messages : list of (exception type, str)
        For `ErrorCode.VALUE`.
    """

    symbol: str
    inputs: list[ArraySpec]
    outputs: list[ArraySpec]
    written: tuple[int, ...]
    n_slots: int
    nodes: list = field(default_factory=list)
    messages: list = field(default_factory=list)


@dataclass
class Program:
    """All that is generated for one theano function: C text, its segments, outside routines by name."""

    source: str
    segments: list[SegmentSpec]
    externals: tuple[str, ...] = ()
