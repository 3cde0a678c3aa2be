# ruff: noqa: F405
"""Softmax, crossentropies, activations and losses, with the rewrites that make them stable.

=======================  ============================================================
`softmax`                softmax, its gradient, log-softmax, softmax with bias
`crossentropy_ops`       crossentropy against class indices, fused with the softmax
`activations`            relu, elu, selu, softsign
`losses`                 crossentropies of distributions, h_softmax, confusion matrix
`prepend`                a column in front of a matrix
`rewrites_softmax`       softmax of a sum, of exponentials; log-softmax; argmax
`rewrites_crossentropy`  indexed log-softmax to crossentropy, with its gradient
=======================  ============================================================
"""
from theano_compat.compile.mode import optdb

from theano_compat.tensor.basic import as_tensor_variable  # noqa: F401  (old code takes it from here)

from ..sigm import sigmoid, softplus
from .activations import ScalarSoftsign, elu, relu, scalar_softsign, selu, softsign
from .crossentropy_ops import *
from .losses import binary_crossentropy, categorical_crossentropy, confusion_matrix, h_softmax, sigmoid_binary_crossentropy
from .prepend import (
    Prepend_scalar_constant_to_each_row,
    Prepend_scalar_to_each_row,
    prepend_0_to_each_row,
    prepend_1_to_each_row,
    prepend_scalar_to_each_row,
)
from .rewrites_crossentropy import (
    crossentropy_to_crossentropy_with_softmax,
    crossentropy_to_crossentropy_with_softmax_with_bias,
    graph_merge_softmax_with_crossentropy_softmax,
    local_advanced_indexing_crossentropy_onehot,
    local_advanced_indexing_crossentropy_onehot_grad,
    local_softmax_grad_to_crossentropy_with_softmax_grad,
    local_useless_crossentropy_softmax_1hot_with_bias_dx_alloc,
)
from .rewrites_softmax import local_argmax_pushdown, local_logsoftmax, local_logsoftmax_grad, local_softmax_with_bias, softmax_simplifier
from .softmax import (
    LogSoftmax,
    Softmax,
    SoftmaxGrad,
    SoftmaxWithBias,
    logsoftmax,
    logsoftmax_op,
    softmax,
    softmax_grad,
    softmax_graph,
    softmax_op,
    softmax_with_bias,
)

__all__ = [
    "CrossentropyCategorical1Hot", "CrossentropyCategorical1HotGrad", "CrossentropySoftmax1HotWithBiasDx",
    "CrossentropySoftmaxArgmax1HotWithBias", "LogSoftmax", "Prepend_scalar_constant_to_each_row",
    "Prepend_scalar_to_each_row", "ScalarSoftsign", "Softmax", "SoftmaxGrad", "SoftmaxWithBias",
    "binary_crossentropy", "categorical_crossentropy", "confusion_matrix", "crossentropy_categorical_1hot",
    "crossentropy_categorical_1hot_grad", "crossentropy_softmax_1hot", "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_1hot_with_bias_dx", "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot", "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "crossentropy_to_crossentropy_with_softmax", "crossentropy_to_crossentropy_with_softmax_with_bias", "elu",
    "graph_merge_softmax_with_crossentropy_softmax", "h_softmax", "local_advanced_indexing_crossentropy_onehot",
    "local_advanced_indexing_crossentropy_onehot_grad", "local_argmax_pushdown", "local_logsoftmax",
    "local_logsoftmax_grad", "local_softmax_grad_to_crossentropy_with_softmax_grad", "local_softmax_with_bias",
    "local_useless_crossentropy_softmax_1hot_with_bias_dx_alloc", "logsoftmax", "logsoftmax_op", "optdb",
    "prepend_0_to_each_row", "prepend_1_to_each_row", "prepend_scalar_to_each_row", "relu", "scalar_softsign", "selu",
    "sigmoid", "sigmoid_binary_crossentropy", "softmax", "softmax_grad", "softmax_graph", "softmax_op",
    "softmax_simplifier", "softmax_with_bias", "softplus", "softsign",
]
