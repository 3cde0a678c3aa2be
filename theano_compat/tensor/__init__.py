"""Symbolic arrays: ``import theano.tensor as T``.

Types and variables
    `type` (TensorType), `var` (variables, constants, their operators), `sharedvar`, `type_other`, `basic`
Ops by topic
    `basic` (a package, one file a topic), `elemwise`, `subtensor` (indexing), `blas`, `extra_ops`, `sort`,
    `nlinalg`, `slinalg`, `fft`, `xlogx`, `raw_random`, `shared_randomstreams`, `io`
Neural networks and signals
    `nnet`, `signal`
Rewrites
    `opt`, `opt_uncanonicalize`, and one module of rewrites beside many of the above

What is seldom used (`slinalg`, `fft`, `signal` …) is imported when its name is first looked up.
"""

import importlib as _importlib

from theano_compat.tensor.basic import *  # noqa: F403
from theano_compat.tensor.basic import (  # noqa: F401
    _allclose,
    _tensor_py_operators,
)

from theano_compat.tensor.type_other import *  # noqa: F403  isort: skip
from theano_compat.tensor import sharedvar as sharedvar  # isort: skip
from theano_compat.tensor.sharedvar import tensor_constructor as _shared  # noqa: F401  isort: skip
from theano_compat.tensor.subtensor import *  # noqa: F403  isort: skip
from theano_compat.tensor import subtensor as subtensor  # isort: skip
from theano_compat.tensor import io as io  # isort: skip
from theano_compat.tensor.io import *  # noqa: F403  isort: skip
from theano_compat.tensor.extra_ops import (  # noqa: F401  isort: skip
    DiffOp,
    bartlett,
    bincount,
    cumprod,
    cumsum,
    fill_diagonal,
    fill_diagonal_offset,
    ravel_multi_index,
    repeat,
    squeeze,
    unravel_index,
)
from theano_compat.tensor.inc_code import inc_code  # noqa: F401  isort: skip
from theano_compat.tensor.sort import argsort, argtopk, sort, topk, topk_and_argtopk  # noqa: F401  isort: skip
from theano_compat.gradient import (  # noqa: F401  isort: skip
    Lop,
    Rop,
    consider_constant,
    grad,
    hessian,
    jacobian,
    numeric_grad,
    verify_grad,
)

#: Modules that hold rewrites: the database of rewrites imports them, in this order, before its first query.
REWRITES = "opt blas opt_uncanonicalize blas_scipy blas_c nlinalg nnet".split()
_LAZY = frozenset(
    REWRITES + "xlogx slinalg fft fourier signal raw_random shared_randomstreams elemwise_cgen inplace blas_headers".split()
)


def __getattr__(name):
    if name == "mpi_enabled":
        return io.mpi_enabled
    if name in _LAZY:
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(_LAZY.union(globals()))


#: ``from theano.tensor import *`` gives programs the modules that Theano imports with the package: ``nnet``, ``raw_random``…
__all__ = [name for name in globals() if not name.startswith("_")] + [*REWRITES, "raw_random", "shared_randomstreams", "xlogx"]  # noqa: F405
