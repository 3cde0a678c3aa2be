"""The functions that users call: batch normalisation with given, batch, or estimated statistics."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.configparser import change_flags
from theano_compat.gof import Variable
from theano_compat.scalar import Composite, Scalar, add, mul, sub, true_div
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import Elemwise

from .ops import AbstractBatchNormInference, AbstractBatchNormTrain


class BNComposite(Composite):
    """``(x - mean) / std * gamma + beta`` as one scalar op of one dtype."""

    init_param = ("dtype",)

    def __init__(self, dtype):
        self.dtype = dtype
        # These are placeholders without test values.
        with change_flags(compute_test_value="off"):
            x, mean, std, gamma, beta = (Scalar(dtype=dtype).make_variable() for _ in range(5))
            out = add(mul(true_div(sub(x, mean), std), gamma), beta)
        Composite.__init__(self, [x, mean, std, gamma, beta], [out])

    def grad(self, inps, grads):
        x, mean, std, gamma, _ = inps
        (top,) = grads
        dx = top * gamma / std
        normalised = (x - mean) / std
        return [dx, -dx, -dx * normalised, top * normalised, top]


def batch_normalization(inputs, gamma, beta, mean, std, mode="low_mem"):
    r"""Normalise with a given mean and standard deviation.

    Parameters
    ----------
    inputs : tensor
    gamma, beta, mean, std : tensors that broadcast against `inputs`
        Scale, offset, mean, standard deviation (with any epsilon already in it).
    mode : {"low_mem", "high_mem"}
        One elementwise op, or elementary ops that keep their intermediate results for the gradient.

    Returns
    -------
    tensor of the shape of `inputs`

    Notes
    -----
    :math:`(x - \mu)\,\gamma / \sigma + \beta`
    """
    if mode == "low_mem":
        op = Elemwise(BNComposite(dtype=inputs.dtype))
        return op(inputs, mean, std, gamma, beta)
    if mode == "high_mem":
        return (inputs - mean) * (gamma / std) + beta
    raise ValueError('mode must be either "low_mem", "high_mem"')


def _normalised_axes(axes, ndim):
    """The axes to reduce over, sorted, from the names ``per-activation`` and ``spatial`` or a tuple."""
    if axes == "per-activation":
        axes = (0,)
    elif axes == "spatial":
        axes = (0,) + tuple(range(2, ndim))
    elif isinstance(axes, (tuple, list, np.ndarray)):
        axes = tuple(int(a) for a in axes)
    else:
        raise ValueError("invalid axes: %s", str(axes))
    axes = tuple(sorted(axes))
    if not axes:
        raise ValueError("there should be at least one normalization axis")
    if min(axes) < 0:
        axes = tuple(sorted(a + ndim if a < 0 else a for a in axes))
    if max(axes) >= ndim:
        raise ValueError(f"axes should be less than ndim (<{ndim}), but {axes} given")
    return axes


class _Parameters:
    """Fits parameters (gamma, beta, ...) to the input's number of axes, and the results back."""

    def __init__(self, ndim, axes, reference_ndim):
        self.axes = axes
        kept = [i for i in range(ndim) if i not in axes]
        self.kept = kept
        self.expand = reference_ndim != ndim
        if self.expand and reference_ndim != len(kept):
            raise ValueError(
                f"the parameters should have {ndim} dimensions (one per axis of the input) or {len(kept)} (one per axis "
                f"that is kept), but have {reference_ndim}")
        position = iter(range(len(kept)))
        self.order = ["x" if i in axes else next(position) for i in range(ndim)]
        self.pattern = [i in axes for i in range(ndim)]

    def fit(self, v):
        v = T.as_tensor_variable(v)
        if self.expand:
            return v.dimshuffle(self.order)
        return T.patternbroadcast(v, [b or wanted for b, wanted in zip(v.broadcastable, self.pattern)])

    def back(self, v):
        return v.dimshuffle(self.kept) if self.expand else v


def _epsilon(epsilon):
    if not isinstance(epsilon, Variable):
        if epsilon < 1e-5:
            raise ValueError(f"epsilon must be at least 1e-5, got {epsilon}")
        epsilon = np.asarray(epsilon, dtype=config.floatX)
    return T.as_tensor_variable(epsilon)


def batch_normalization_train(inputs, gamma, beta, axes="per-activation", epsilon=1e-4, running_average_factor=0.1,
                              running_mean=None, running_var=None):
    r"""Normalise with the statistics of the batch, for training.

    Parameters
    ----------
    inputs : tensor
    gamma, beta : tensors
        Scale and offset, with as many axes as `inputs` (broadcastable where reduced) or one per axis that is kept.
    axes : {"per-activation", "spatial"} or tuple of int
        Axes to reduce over: the first; all but the second; or those given.
    epsilon : float
        At least 1e-5.
    running_average_factor : float
        Weight of this batch in the running averages.
    running_mean, running_var : tensors shaped as `gamma`, optional
        Running averages to update.

    Returns
    -------
    tuple
        The normalised tensor; the mean; the inverse standard deviation; and, where they were given, the new running
        mean and variance.

    Notes
    -----
    :math:`\mathrm{invstd} = (\mathrm{var} + \epsilon)^{-1/2}`,
    :math:`r_{var}' = (1 - f)\, r_{var} + f\, \frac{m}{m - 1} \mathrm{var}`, `m` values per statistic.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch Normalization", ICML 2015.
    """
    inputs = T.as_tensor_variable(inputs)
    axes = _normalised_axes(axes, inputs.ndim)
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be given or both be None")
    epsilon = _epsilon(epsilon)
    gamma, beta = T.as_tensor_variable(gamma), T.as_tensor_variable(beta)
    params = _Parameters(inputs.ndim, axes, gamma.ndim)
    running = [] if running_mean is None else [params.fit(running_mean), params.fit(running_var)]
    results = AbstractBatchNormTrain(axes=axes)(
        inputs, params.fit(gamma), params.fit(beta), epsilon, T.as_tensor_variable(running_average_factor), *running)
    return (results[0],) + tuple(params.back(v) for v in results[1:])


def batch_normalization_test(inputs, gamma, beta, mean, var, axes="per-activation", epsilon=1e-4):
    r"""Normalise with estimated statistics, for use after training.

    Parameters
    ----------
    inputs : tensor
    gamma, beta, mean, var : tensors
        As for `batch_normalization_train`.
    axes : {"per-activation", "spatial"} or tuple of int
    epsilon : float
        At least 1e-5.

    Returns
    -------
    tensor of the shape of `inputs`

    Notes
    -----
    :math:`(x - \mu)\,\gamma / \sqrt{\mathrm{var} + \epsilon} + \beta`
    """
    inputs = T.as_tensor_variable(inputs)
    axes = _normalised_axes(axes, inputs.ndim)
    epsilon = _epsilon(epsilon)
    gamma = T.as_tensor_variable(gamma)
    params = _Parameters(inputs.ndim, axes, gamma.ndim)
    return AbstractBatchNormInference(axes=axes)(
        inputs, *[params.fit(v) for v in (gamma, beta, mean, var)], epsilon)
