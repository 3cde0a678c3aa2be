"""Ops and functions after NumPy that are not elementwise, reductions or products.

==================  ===============================================================
:mod:`.sequences`   cumulative sums and products, differences, counting, searching
:mod:`.shaping`     repeat, squeeze, compress, contiguity
:mod:`.diagonals`   filling diagonals
:mod:`.indices`     unique elements, flat and multi-dimensional indices, one-hot rows
==================  ===============================================================
"""

from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import int32 as int_t
from theano_compat.tensor.extra_ops.diagonals import (
    FillDiagonal,
    FillDiagonalOffset,
    fill_diagonal,
    fill_diagonal_,
    fill_diagonal_offset,
    fill_diagonal_offset_,
)
from theano_compat.tensor.extra_ops.indices import (
    RavelMultiIndex,
    Unique,
    UnravelIndex,
    ravel_multi_index,
    to_one_hot,
    unravel_index,
)
from theano_compat.tensor.extra_ops.sequences import (
    Bartlett,
    CumOp,
    CumprodOp,
    CumsumOp,
    DiffOp,
    SearchsortedOp,
    bartlett,
    bartlett_,
    bincount,
    cumprod,
    cumsum,
    diff,
    searchsorted,
)
from theano_compat.tensor.extra_ops.shaping import (
    CpuContiguous,
    RepeatOp,
    compress,
    cpu_contiguous,
    repeat,
    squeeze,
)

disconnected_type = DisconnectedType()

__all__ = [
    "Bartlett",
    "CpuContiguous",
    "CumOp",
    "CumprodOp",
    "CumsumOp",
    "DiffOp",
    "FillDiagonal",
    "FillDiagonalOffset",
    "RavelMultiIndex",
    "RepeatOp",
    "SearchsortedOp",
    "Unique",
    "UnravelIndex",
    "bartlett",
    "bartlett_",
    "bincount",
    "compress",
    "cpu_contiguous",
    "cumprod",
    "cumsum",
    "diff",
    "disconnected_type",
    "fill_diagonal",
    "fill_diagonal_",
    "fill_diagonal_offset",
    "fill_diagonal_offset_",
    "int_t",
    "ravel_multi_index",
    "repeat",
    "searchsorted",
    "squeeze",
    "to_one_hot",
    "unravel_index",
]
