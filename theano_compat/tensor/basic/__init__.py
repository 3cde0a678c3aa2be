"""The names of ``theano.tensor.basic``, by topic.

==================  ==============================================================================
`conversion`        values to variables and back: as_tensor_variable, constant, known values
`constructors`      named types and symbolic inputs: matrix, fvector, tensor4, dscalars
`vector_elements`   elements of shapes and other integer vectors
`extents`           integers of a graph as sums, and what is known of their order
`elementwise`       one function for every scalar op: add, exp, eq, switch, isclose
`casting`           cast, and between scalars and tensors
`creation`          alloc, zeros, ones, eye, tri, arange
`reductions`        sum, prod, max, argmax, mean, var, any, all
`shaping`           reshape, flatten, transpose, padding, broadcast patterns
`joining`           join, stack, split, roll, tile
`products`          dot, tensordot, outer, batched_dot
`diagonals`         diag, diagonal
`selection`         nonzero, choose, permutations, grids, transfer
`getitem`           what indexing a variable becomes
==================  ==============================================================================
"""

import builtins
import logging  # noqa: F401
import numbers  # noqa: F401
import sys  # noqa: F401
import warnings  # noqa: F401
from functools import partial  # noqa: F401

import numpy as np

import theano_compat as theano  # noqa: F401
from theano_compat import compile, config, gof, printing  # noqa: F401
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Constant, Generic, Op, ParamsType, Type, Variable  # noqa: F401
from theano_compat.gof.utils import MethodNotDefined, hashtype  # noqa: F401
from theano_compat.scalar import int32  # noqa: F401
from theano_compat.tensor.type import (  # noqa: F401
    TensorType,
    values_eq_approx_always_true,
)
from theano_compat.tensor.var import (  # noqa: F401
    AsTensorError,
    TensorConstant,
    TensorConstantSignature,
    TensorVariable,
    _tensor_py_operators,
)

from theano_compat.tensor.basic.conversion import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.conversion import _as_tensor_variable, _obj_is_wrappable_as_tensor  # noqa: F401  isort: skip
from theano_compat.tensor.basic.constructors import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.constructors import _multi  # noqa: F401  isort: skip
from theano_compat.tensor.basic.elementwise import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.casting import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.creation import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.reductions import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.shaping import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.joining import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.products import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.diagonals import *  # noqa: F403  isort: skip
from theano_compat.tensor.basic.selection import *  # noqa: F403  isort: skip

from theano_compat import gradient as _gradient  # isort: skip
from theano_compat.printing import min_informative_str, pprint  # noqa: F401  isort: skip
from theano_compat.tensor import elemwise  # noqa: F401  isort: skip
from theano_compat.tensor.elemwise import CAReduce, DimShuffle, Elemwise, Sum  # noqa: F401  isort: skip
from theano_compat.tensor.type_other import NoneConst  # noqa: F401  isort: skip

DisconnectedType = _gradient.DisconnectedType
grad_undefined = _gradient.grad_undefined
grad_not_implemented = _gradient.grad_not_implemented

python_complex = builtins.complex
integer_types = (int,)
Tensor = TensorType
abs = abs_  # noqa: F405
sparse_module_ref = None

# tolerances of comparisons: loose for tests on half and single precision
float16_atol, float16_rtol = 5e-3, 1e-2
float32_atol, float32_rtol = 1e-5, 1e-5
float64_atol, float64_rtol = 1e-8, 1e-5


def _get_atol_rtol(a, b):
    """Return the tolerances for comparing two arrays: those of the less precise."""
    for dtypes, tolerances in (
        (("float16",), (float16_atol, float16_rtol)),
        (("float32", "complex64"), (float32_atol, float32_rtol)),
    ):
        if str(a.dtype) in dtypes or str(b.dtype) in dtypes:
            return tolerances
    return float64_atol, float64_rtol


def _allclose(a, b, rtol=None, atol=None):
    """Return whether two arrays agree within the tolerance of the less precise of them."""
    a, b = np.asarray(a), np.asarray(b)
    default_atol, default_rtol = _get_atol_rtol(a, b)
    return np.allclose(
        a, b, atol=default_atol if atol is None else atol, rtol=default_rtol if rtol is None else rtol
    )


def constructor(f):
    """Return `f` itself: a decorator that marked the constructors of variables."""
    return f
