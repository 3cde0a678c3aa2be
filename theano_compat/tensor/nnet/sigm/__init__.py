"""Sigmoid, softplus and their approximations.

=============  ==================================================================
`ops`          the scalar functions with their C text, and the elementwise ops
`match`        what the rewrites recognise: ``exp(x)``, ``1 + exp(x)``, signs
`products`     products as trees; exponentials cancelled against sigmoids
`rewrites`     the stabilising rewrites and their registration
=============  ==================================================================
"""
from theano_compat import config
from theano_compat.printing import pprint

from .match import is_1pexp, is_exp, is_mul, is_neg, partition_num_or_denom
from .ops import (
    ScalarSigmoid,
    ScalarSoftplus,
    UltraFastScalarSigmoid,
    hard_sigmoid,
    scalar_sigmoid,
    scalar_softplus,
    sigmoid,
    sigmoid_inplace,
    softplus,
    ultra_fast_scalar_sigmoid,
    ultra_fast_sigmoid,
    ultra_fast_sigmoid_inplace,
)
from .products import compute_mul, parse_mul_tree, perform_sigm_times_exp, replace_leaf, simplify_mul
from .rewrites import (
    local_1msigmoid,
    local_exp_over_1_plus_exp,
    local_hard_sigmoid,
    local_inv_1_plus_exp,
    local_sigm_times_exp,
    local_ultra_fast_sigmoid,
    log1msigm_to_softplus,
    log1p_neg_sigmoid,
    log1pexp_to_softplus,
    logsigm_to_softplus,
    register_local_1msigmoid,
)

__all__ = [
    "ScalarSigmoid", "ScalarSoftplus", "UltraFastScalarSigmoid", "compute_mul", "config", "hard_sigmoid", "is_1pexp",
    "is_exp", "is_mul", "is_neg", "local_1msigmoid", "local_exp_over_1_plus_exp", "local_hard_sigmoid",
    "local_inv_1_plus_exp", "local_sigm_times_exp", "local_ultra_fast_sigmoid", "log1msigm_to_softplus",
    "log1p_neg_sigmoid", "log1pexp_to_softplus", "logsigm_to_softplus", "parse_mul_tree", "partition_num_or_denom",
    "perform_sigm_times_exp", "pprint", "register_local_1msigmoid", "replace_leaf", "scalar_sigmoid",
    "scalar_softplus", "sigmoid", "sigmoid_inplace", "simplify_mul", "softplus", "ultra_fast_scalar_sigmoid",
    "ultra_fast_sigmoid", "ultra_fast_sigmoid_inplace",
]
