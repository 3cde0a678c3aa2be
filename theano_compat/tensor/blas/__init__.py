"""Products through BLAS: the ops, and the rewrites that find them in a graph.

===================  =============================================================
:mod:`.ops`          :class:`Gemm`, :class:`Gemv`, :class:`Ger`, :class:`Dot22`,
                     :class:`Dot22Scalar`
:mod:`.batched`      :class:`BatchedDot`
:mod:`.gemm_sums`    sums of scaled products into :class:`Gemm`
:mod:`.rewrites`     the other rewrites, and their places in ``optdb``
:mod:`.libraries`    what the user's ``blas.ldflags`` says, what BLAS is there
===================  =============================================================

Nothing has to be configured: products run on the BLAS that NumPy and SciPy bring along.
"""

from theano_compat import config
from theano_compat.compile.mode import optdb
from theano_compat.gof import Apply, EquilibriumOptimizer, InconsistencyError, Op, Optimizer, view_roots
from theano_compat.gof.opt import copy_stack_trace, in2out, local_optimizer
from theano_compat.printing import pprint
from theano_compat.scalar import bool as bool_t
from theano_compat.tensor import basic as T
from theano_compat.tensor.blas.batched import BatchedDot, batched_dot
from theano_compat.tensor.blas.gemm_sums import (
    GemmOptimizer,
    _as_scalar,
    _beta_L_plus_alpha_M,
    _factor_canonicalized,
    _gemm_canonicalize,
    _gemm_from_factored_list,
    _is_real_matrix,
    _is_real_vector,
    res_is_a,
)
from theano_compat.tensor.blas.libraries import check_init_y, have_fblas, ldflags
from theano_compat.tensor.blas.ops import (
    Dot22,
    Dot22Scalar,
    Gemm,
    GemmRelated,
    Gemv,
    Ger,
    _dot22,
    _dot22scalar,
    gemm,
    gemm_inplace,
    gemm_no_inplace,
    gemv,
    gemv_inplace,
    gemv_no_inplace,
    ger,
    ger_destructive,
)
from theano_compat.tensor.blas.rewrites import (
    blas_opt_inplace,
    blas_optdb,
    local_dimshuffle_lift,
    local_dot22_to_dot22scalar,
    local_dot22_to_ger_or_gemv,
    local_dot_to_dot22,
    local_gemm_to_gemv,
    local_gemm_to_ger,
    local_inplace_gemm,
    local_inplace_gemv,
    local_inplace_ger,
    local_print_as_we_go_along,
)

__all__ = [
    "BatchedDot",
    "Dot22",
    "Dot22Scalar",
    "Gemm",
    "GemmOptimizer",
    "GemmRelated",
    "Gemv",
    "Ger",
    "_as_scalar",
    "_beta_L_plus_alpha_M",
    "_dot22",
    "_dot22scalar",
    "_factor_canonicalized",
    "_gemm_canonicalize",
    "_gemm_from_factored_list",
    "_is_real_matrix",
    "_is_real_vector",
    "batched_dot",
    "blas_opt_inplace",
    "blas_optdb",
    "bool_t",
    "check_init_y",
    "config",
    "gemm",
    "gemm_inplace",
    "gemm_no_inplace",
    "gemv",
    "gemv_inplace",
    "gemv_no_inplace",
    "ger",
    "ger_destructive",
    "have_fblas",
    "ldflags",
    "local_dimshuffle_lift",
    "local_dot22_to_dot22scalar",
    "local_dot22_to_ger_or_gemv",
    "local_dot_to_dot22",
    "local_gemm_to_gemv",
    "local_gemm_to_ger",
    "local_inplace_gemm",
    "local_inplace_gemv",
    "local_inplace_ger",
    "local_print_as_we_go_along",
    "optdb",
    "pprint",
    "res_is_a",
]
