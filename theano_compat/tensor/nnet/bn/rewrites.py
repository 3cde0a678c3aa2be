"""Batch normalisation on the CPU: the abstract ops become elementwise ops and sums."""
from __future__ import annotations

from theano_compat.gof.opt import copy_stack_trace, local_optimizer
from theano_compat.gof.optdb import LocalGroupDB
from theano_compat.tensor import basic as T
from theano_compat.tensor import opt

from .ops import AbstractBatchNormInference, AbstractBatchNormTrain, AbstractBatchNormTrainGrad


def _finish(node, results):
    """Results with the types and the traces of the node's outputs."""
    results = [r if r.type == out.type else T.patternbroadcast(r.astype(out.dtype), out.broadcastable)
               for r, out in zip(results, node.outputs)]
    for r, out in zip(results, node.outputs):
        copy_stack_trace(out, r)
    return results


@local_optimizer([AbstractBatchNormTrain])
def local_abstract_batch_norm_train(node):
    """Batch statistics by sums, the rest elementwise."""
    if not isinstance(node.op, AbstractBatchNormTrain):
        return None
    x, scale, bias, epsilon, factor = node.inputs[:5]
    axes = node.op.axes
    if min(axes) < 0 or max(axes) >= x.ndim:
        return None
    mean = x.mean(axes, keepdims=True)
    var = x.var(axes, keepdims=True)
    # An integer epsilon must not turn the sum to another dtype.
    invstd = T.inv(T.sqrt(var + epsilon))
    results = [(x - mean) * (scale * invstd) + bias, mean, invstd]
    if len(node.inputs) == 7:
        running_mean, running_var = node.inputs[5:]
        count = T.cast(T.prod(x.shape) / T.prod(scale.shape), x.dtype)
        results.append(running_mean * (1.0 - factor) + mean * factor)
        results.append(running_var * (1.0 - factor) + (count / (count - 1)) * var * factor)
    return _finish(node, results)


@local_optimizer([AbstractBatchNormTrainGrad])
def local_abstract_batch_norm_train_grad(node):
    """Three sums over the axes, the rest elementwise."""
    if not isinstance(node.op, AbstractBatchNormTrainGrad):
        return None
    x, dy, scale, x_mean, x_invstd, _ = node.inputs
    axes = node.op.axes
    if min(axes) < 0 or max(axes) >= x.ndim:
        return None
    x_diff = x - x_mean
    mean_dy_diff = T.mean(dy * x_diff, axis=axes, keepdims=True)
    c = dy * x_invstd - x_diff * (mean_dy_diff * x_invstd ** 3)
    return _finish(node, [
        scale * (c - T.mean(c, axis=axes, keepdims=True)),
        T.sum(dy * x_invstd * x_diff, axis=axes, keepdims=True),
        T.sum(dy, axis=axes, keepdims=True)])


@local_optimizer([AbstractBatchNormInference])
def local_abstract_batch_norm_inference(node):
    """One elementwise expression."""
    if not isinstance(node.op, AbstractBatchNormInference):
        return None
    x, scale, bias, mean, var, epsilon = node.inputs
    return _finish(node, [(x - mean) * (scale / T.sqrt(var + epsilon)) + bias])


bn_groupopt = LocalGroupDB()
bn_groupopt.__name__ = "batchnorm_opts"
opt.register_specialize_device(bn_groupopt, "fast_compile", "fast_run")

for _rewrite in (local_abstract_batch_norm_train, local_abstract_batch_norm_train_grad,
                 local_abstract_batch_norm_inference):
    bn_groupopt.register(_rewrite.__name__, _rewrite, 30, "fast_compile", "fast_run")
