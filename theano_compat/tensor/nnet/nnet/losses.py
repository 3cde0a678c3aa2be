"""Losses: crossentropies of probabilities and of logits, hierarchical softmax, confusion matrix."""
from __future__ import annotations

from theano_compat.compile.builders import OpFromGraph
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.extra_ops import Unique

from ..sigm.ops import sigmoid, softplus
from .crossentropy_ops import crossentropy_categorical_1hot
from .softmax import softmax


def binary_crossentropy(output, target):
    """Crossentropy of probabilities against binary (or soft) targets, elementwise.

    Parameters
    ----------
    output : tensor_like
        Probabilities in (0, 1).
    target : tensor_like
        Targets in [0, 1], of a shape that broadcasts.

    Returns
    -------
    tensor
        ``-(target * log(output) + (1 - target) * log(1 - output))``
    """
    return -(target * tensor.log(output) + (1.0 - target) * tensor.log(1.0 - output))


def _sigmoid_crossentropy_grad(inputs, out_grads):
    (output, target), (out_grad,) = inputs, out_grads
    return [out_grad * (sigmoid(output) - target), out_grad * (-output)]


def sigmoid_binary_crossentropy(output, target):
    """Crossentropy of logits against binary (or soft) targets, elementwise.

    Parameters
    ----------
    output : tensor_like
        Logits: what the sigmoid has not been applied to.
    target : tensor_like
        Targets in [0, 1], of the same shape.

    Returns
    -------
    tensor

    Notes
    -----
    ``softplus(-abs(output)) + output * ((output > 0) - target)``: no overflow at either end, and a gradient without
    any division.
    """
    output = tensor.as_tensor_variable(output)
    target = tensor.as_tensor_variable(target)
    logit, goal = output.type(), target.type()
    loss = softplus(-abs(logit)) + logit * ((logit > 0) - goal)
    op = OpFromGraph([logit, goal], [loss], grad_overrides=_sigmoid_crossentropy_grad, inline=True,
                     name="sigmoid_binary_crossentropy")
    return op(output, target)


def categorical_crossentropy(coding_dist, true_dist):
    r"""Crossentropy between a true distribution and a coding distribution, per row.

    Parameters
    ----------
    coding_dist : float tensor, shape (n, k)
        Probabilities.
    true_dist : float tensor (n, k), or integer vector (n,)
        Probabilities, or the index of each row's true class.

    Returns
    -------
    vector, shape (n,)

    Raises
    ------
    TypeError
        If `true_dist` has another number of axes.

    Notes
    -----
    :math:`H(p, q) = -\sum_x p(x) \log q(x)`, `p` true, `q` coding.
    """
    if true_dist.ndim == coding_dist.ndim:
        return -tensor.sum(true_dist * tensor.log(coding_dist), axis=coding_dist.ndim - 1)
    if true_dist.ndim == coding_dist.ndim - 1:
        return crossentropy_categorical_1hot(coding_dist, true_dist)
    raise TypeError("rank mismatch between coding and true distributions")


def h_softmax(x, batch_size, n_outputs, n_classes, n_outputs_per_class, W1, b1, W2, b2, target=None):
    r"""Two-level hierarchical softmax.

    Parameters
    ----------
    x : matrix, shape (batch_size, features)
    batch_size, n_outputs, n_classes, n_outputs_per_class : int
        ``n_classes * n_outputs_per_class`` must be at least `n_outputs`; both near its square root are the fastest.
    W1 : matrix, shape (features, n_classes)
    b1 : vector, shape (n_classes,)
    W2 : 3-d tensor, shape (n_classes, features, n_outputs_per_class)
    b2 : matrix, shape (n_classes, n_outputs_per_class)
    target : integer vector (batch_size,), optional
        Without it the probabilities of all outputs are returned.

    Returns
    -------
    vector (batch_size,) or matrix (batch_size, n_outputs)
        Probability of each target, or of every output.

    Notes
    -----
    :math:`p(y|x) = p(c(y)|x)\, p(y|x, c(y))`: with a target only its own class is computed.

    References
    ----------
    J. Goodman, "Classes for Fast Maximum Entropy Training", ICASSP 2001.
    """
    from ..blocksparse import sparse_block_dot

    class_probs = softmax(tensor.dot(x, W1) + b1)

    if target is None:
        activations = tensor.tensordot(x, W2, (1, 1)) + b2
        output_probs = softmax(activations.reshape((-1, n_outputs_per_class)))
        output_probs = output_probs.reshape((batch_size, n_classes, -1))
        output_probs = class_probs.dimshuffle(0, 1, "x") * output_probs
        return output_probs.reshape((batch_size, -1))[:, :n_outputs]

    target = target.flatten()
    target_classes = target // n_outputs_per_class
    target_outputs_in_class = target % n_outputs_per_class
    rows = tensor.arange(batch_size)
    activations = sparse_block_dot(
        W2.dimshuffle("x", 0, 1, 2),
        x.dimshuffle(0, "x", 1),
        tensor.zeros((batch_size, 1), dtype="int32"),
        b2,
        target_classes.dimshuffle(0, "x"))
    output_probs = softmax(activations.dimshuffle(0, 2))
    return class_probs[rows, target_classes] * output_probs[rows, target_outputs_in_class]


def confusion_matrix(actual, pred):
    """Counts of actual against predicted classes.

    Parameters
    ----------
    actual, pred : vectors of the same length

    Returns
    -------
    list of two
        The matrix (k, k), row by actual class, column by predicted class; and the vector (k,) of the classes' values
        in the order of the rows.

    Raises
    ------
    ValueError
        If an input is not a vector.
    """
    if actual.ndim != 1:
        raise ValueError("actual must be 1-d tensor variable")
    if pred.ndim != 1:
        raise ValueError("pred must be 1-d tensor variable")
    order = Unique(False, False, False)(tensor.concatenate([actual, pred]))
    one_hot = [tensor.eq(v.dimshuffle(0, "x"), order.dimshuffle("x", 0)).astype("int64") for v in (actual, pred)]
    return [tensor.dot(one_hot[0].T, one_hot[1]), order]
