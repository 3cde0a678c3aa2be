"""Rewrites that choose an implementation for the abstract convolutions, and the in-place block-sparse ops."""
from __future__ import annotations

from theano_compat.compile.mode import optdb
from theano_compat.gof.opt import LocalMetaOptimizerSkipAssertionError, TopoOptimizer, copy_stack_trace, local_optimizer
from theano_compat.gof.optdb import LocalGroupDB
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import patternbroadcast
from theano_compat.tensor.opt import in2out, register_specialize_device
from theano_compat.tensor.type import TensorType

from .abstract_conv import (
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    AbstractConv3d,
    AbstractConv3d_gradInputs,
    AbstractConv3d_gradWeights,
)
from .blocksparse import SparseBlockGemv, SparseBlockOuter, sparse_block_gemv_inplace, sparse_block_outer_inplace
from .conv import ConvOp
from .corr import CorrMM, CorrMM_gradInputs, CorrMM_gradWeights
from .corr3d import Corr3dMM, Corr3dMM_gradInputs, Corr3dMM_gradWeights

__all__ = [
    "conv_groupopt", "local_abstractconv3d_gemm", "local_abstractconv3d_gradinputs_gemm",
    "local_abstractconv3d_gradweight_gemm", "local_abstractconv_check", "local_abstractconv_gemm",
    "local_abstractconv_gradinputs_gemm", "local_abstractconv_gradweight_gemm", "local_conv2d_cpu",
    "local_conv2d_gradinputs_cpu", "local_conv2d_gradweight_cpu", "local_inplace_sparse_block_gemv",
    "local_inplace_sparse_block_outer", "optdb", "sparse_block_gemv_inplace", "sparse_block_outer_inplace",
]


# --- block-sparse products in place ---

def _inplace_rewrite(op_class, inplace_op, name):
    @local_optimizer([op_class], inplace=True)
    def rewrite(node):
        if isinstance(node.op, op_class) and not node.op.inplace:
            new = inplace_op(*node.inputs)
            copy_stack_trace(node.outputs[0], new)
            return [new]
        return False

    rewrite.__name__ = name
    rewrite.__doc__ = f"``{op_class.__name__}`` in place, where its first input is not needed afterwards."
    optdb.register(name, TopoOptimizer(rewrite, failure_callback=TopoOptimizer.warn_inplace), 60, "fast_run", "inplace")
    return rewrite


local_inplace_sparse_block_gemv = _inplace_rewrite(
    SparseBlockGemv, sparse_block_gemv_inplace, "local_inplace_sparse_block_gemv")
local_inplace_sparse_block_outer = _inplace_rewrite(
    SparseBlockOuter, sparse_block_outer_inplace, "local_inplace_sparse_block_outer")


# --- abstract convolutions to products of patches ---

def _flipped(kern, convdim):
    """Filters turned round in their spatial axes."""
    index = [slice(None)] * (kern.ndim - convdim) + [slice(None, None, -1)] * convdim
    return kern[tuple(index)]


def _on_cpu(*variables):
    return all(type(v.type) is TensorType or isinstance(v.type, TensorType) for v in variables)


def _corr_settings(op):
    settings = dict(border_mode=op.border_mode, subsample=op.subsample, filter_dilation=op.filter_dilation,
                    num_groups=op.num_groups)
    if op.convdim == 2:
        settings["unshared"] = op.unshared
    return settings


def _finish(node, result):
    copy_stack_trace(node.outputs[0], result)
    if result.dtype != node.outputs[0].dtype:
        result = T.cast(result, node.outputs[0].dtype)
    return [patternbroadcast(result, node.outputs[0].broadcastable)]


def _forward_gemm(abstract, corr, name):
    @local_optimizer([abstract])
    def rewrite(node):
        if not isinstance(node.op, abstract) or not _on_cpu(*node.inputs):
            return None
        img, kern = node.inputs
        if node.op.filter_flip:
            kern = _flipped(kern, node.op.convdim)
        return _finish(node, corr(**_corr_settings(node.op))(img, kern))

    return _named(rewrite, name, f"``{abstract.__name__}`` to ``{corr.__name__}``.")


def _weights_gemm(abstract, corr, name):
    @local_optimizer([abstract])
    def rewrite(node):
        if not isinstance(node.op, abstract) or not _on_cpu(*node.inputs):
            return None
        img, topgrad, shape = node.inputs
        result = corr(**_corr_settings(node.op))(img, topgrad, shape)
        copy_stack_trace(node.outputs[0], result)
        if node.op.filter_flip:
            result = _flipped(result, node.op.convdim)
        return _finish(node, result)

    return _named(rewrite, name, f"``{abstract.__name__}`` to ``{corr.__name__}``.")


def _inputs_gemm(abstract, corr, name):
    @local_optimizer([abstract])
    def rewrite(node):
        if not isinstance(node.op, abstract) or not _on_cpu(*node.inputs):
            return None
        kern, topgrad, shape = node.inputs
        if node.op.filter_flip:
            kern = _flipped(kern, node.op.convdim)
        return _finish(node, corr(**_corr_settings(node.op))(kern, topgrad, shape))

    return _named(rewrite, name, f"``{abstract.__name__}`` to ``{corr.__name__}``.")


def _named(rewrite, name, doc):
    rewrite.__name__ = name
    rewrite.__doc__ = doc
    return rewrite


local_abstractconv_gemm = _forward_gemm(AbstractConv2d, CorrMM, "local_abstractconv_gemm")
local_abstractconv3d_gemm = _forward_gemm(AbstractConv3d, Corr3dMM, "local_abstractconv3d_gemm")
local_abstractconv_gradweight_gemm = _weights_gemm(
    AbstractConv2d_gradWeights, CorrMM_gradWeights, "local_abstractconv_gradweight_gemm")
local_abstractconv3d_gradweight_gemm = _weights_gemm(
    AbstractConv3d_gradWeights, Corr3dMM_gradWeights, "local_abstractconv3d_gradweight_gemm")
local_abstractconv_gradinputs_gemm = _inputs_gemm(
    AbstractConv2d_gradInputs, CorrMM_gradInputs, "local_abstractconv_gradinputs_gemm")
local_abstractconv3d_gradinputs_gemm = _inputs_gemm(
    AbstractConv3d_gradInputs, Corr3dMM_gradInputs, "local_abstractconv3d_gradinputs_gemm")


# --- abstract convolutions to the old ConvOp, where conv_gemm was excluded ---

def _convop_can(op, *variables):
    """True where `ConvOp` computes such a convolution."""
    return (_on_cpu(*variables) and op.border_mode in ("full", "valid") and op.filter_flip and op.num_groups == 1
            and not op.unshared and tuple(op.filter_dilation) == (1, 1))


@local_optimizer([AbstractConv2d])
def local_conv2d_cpu(node):
    """``AbstractConv2d`` to ``ConvOp``."""
    if not isinstance(node.op, AbstractConv2d) or not _convop_can(node.op, *node.inputs):
        return None
    op = ConvOp(output_mode=node.op.border_mode, dx=node.op.subsample[0], dy=node.op.subsample[1])
    return _finish(node, op(*node.inputs))


@local_optimizer([AbstractConv2d_gradWeights])
def local_conv2d_gradweight_cpu(node):
    """``AbstractConv2d_gradWeights`` without a stride to a ``ConvOp`` over the batch."""
    if not isinstance(node.op, AbstractConv2d_gradWeights) or not _convop_can(node.op, *node.inputs[:2]):
        return None
    if tuple(node.op.subsample) != (1, 1):
        return None
    img, topgrad, _ = node.inputs
    images = img.dimshuffle(1, 0, 2, 3)
    tops = topgrad.dimshuffle(1, 0, 2, 3)
    valid = ConvOp(output_mode="valid")
    if node.op.border_mode == "valid":
        # Images against output gradients; the filters are turned round once more than the result.
        result = _flipped(valid(images, _flipped(tops, 2)).dimshuffle(1, 0, 2, 3), 2)
    else:
        result = valid(tops, _flipped(images, 2))
    return _finish(node, result)


@local_optimizer([AbstractConv2d_gradInputs])
def local_conv2d_gradinputs_cpu(node):
    """``AbstractConv2d_gradInputs`` without a stride to a ``ConvOp`` of the other border mode."""
    if not isinstance(node.op, AbstractConv2d_gradInputs) or not _convop_can(node.op, *node.inputs[:2]):
        return None
    if tuple(node.op.subsample) != (1, 1):
        return None
    kern, topgrad, _ = node.inputs
    op = ConvOp(output_mode="full" if node.op.border_mode == "valid" else "valid")
    return _finish(node, op(topgrad, _flipped(kern.dimshuffle(1, 0, 2, 3), 2)))


# --- registration: one group, tried in order of priority ---

conv_groupopt = LocalGroupDB()
conv_groupopt.__name__ = "conv_opts"
register_specialize_device(conv_groupopt, "fast_compile", "fast_run")

for _rewrite in (local_abstractconv_gemm, local_abstractconv_gradweight_gemm, local_abstractconv_gradinputs_gemm,
                 local_abstractconv3d_gemm, local_abstractconv3d_gradweight_gemm,
                 local_abstractconv3d_gradinputs_gemm):
    conv_groupopt.register(_rewrite.__name__, _rewrite, 30, "conv_gemm", "fast_compile", "fast_run")
for _rewrite in (local_conv2d_cpu, local_conv2d_gradweight_cpu, local_conv2d_gradinputs_cpu):
    conv_groupopt.register(_rewrite.__name__, _rewrite, 40, "fast_compile", "fast_run")


_ABSTRACT = (AbstractConv2d, AbstractConv2d_gradWeights, AbstractConv2d_gradInputs, AbstractConv3d,
             AbstractConv3d_gradWeights, AbstractConv3d_gradInputs)


@local_optimizer(list(_ABSTRACT))
def local_abstractconv_check(node):
    """Complain about a convolution for which no implementation was chosen."""
    if isinstance(node.op, _ABSTRACT):
        raise LocalMetaOptimizerSkipAssertionError(
            f"{node.op.__class__.__name__} Theano optimization failed: there is no implementation available supporting "
            "the requested options. Was \"conv_gemm\" excluded from the optimizer?")
    return None


optdb.register("AbstractConvCheck", in2out(local_abstractconv_check, name="AbstractConvCheck"), 48.7, "fast_compile",
               "fast_run")
