"""Scalar operations over whole tensors: elementwise, permuting dimensions, and reducing them.

The code is in `theano_compat.tensor.elemwise_ops`, by topic; this module gives all of it under Theano's path.
"""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.printing import pprint
from theano_compat.tensor.elemwise_ops.careduce import (
    All,
    Any,
    CAReduce,
    CAReduceDtype,
)
from theano_compat.tensor.elemwise_ops.dimshuffle import DimShuffle
from theano_compat.tensor.elemwise_ops.elemwise_op import Elemwise
from theano_compat.tensor.elemwise_ops.printers import DimShufflePrinter
from theano_compat.tensor.elemwise_ops.sums import (
    MulWithoutZeros,
    Prod,
    ProdWithoutZeros,
    Sum,
    mul_without_zeros,
)
from theano_compat.tensor.type import TensorType

integer_types = (int, np.integer)

__all__ = [
    "All",
    "Any",
    "CAReduce",
    "CAReduceDtype",
    "DimShuffle",
    "DimShufflePrinter",
    "Elemwise",
    "MulWithoutZeros",
    "Prod",
    "ProdWithoutZeros",
    "Sum",
    "TensorType",
    "config",
    "integer_types",
    "mul_without_zeros",
    "pprint",
]
