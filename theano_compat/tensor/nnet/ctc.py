"""Connectionist temporal classification, by Baidu's warp-ctc library where it is installed."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys

import numpy as np

from theano_compat import config
from theano_compat.gof import Apply
from theano_compat.gof.op import OpenMPOp
from theano_compat.gof.opt import copy_stack_trace, local_optimizer
from theano_compat.gradient import grad_undefined
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import batched_dot
from theano_compat.tensor.extra_ops import cpu_contiguous
from theano_compat.tensor.opt import register_canonicalize, register_stabilize

__all__ = ["ConnectionistTemporalClassification", "config", "cpu_contiguous", "ctc", "ctc_available", "ctc_present",
           "local_ctc_no_grad"]

_LIBRARY_NAMES = {"darwin": ("libwarpctc.dylib",), "win32": ("warpctc.dll",)}
_library = None


class _Options(ctypes.Structure):
    """The library's options: where to compute, with how many threads, and the index of the blank label."""

    _fields_ = [("loc", ctypes.c_int), ("num_threads", ctypes.c_uint), ("blank_label", ctypes.c_int)]


def _load():
    """Open the library from the folders of the flag ``ctc.root``, or from where the system finds it."""
    global _library
    if _library is None:
        names = _LIBRARY_NAMES.get(sys.platform, ("libwarpctc.so",))
        folders = [os.path.join(config.ctc.root, sub) for sub in ("", "build", "lib", "lib64")] if config.ctc.root else []
        candidates = [os.path.join(folder, name) for folder in folders for name in names]
        found = ctypes.util.find_library("warpctc")
        candidates += [found] if found else []
        for candidate in candidates:
            if os.path.isabs(candidate) and not os.path.exists(candidate):
                continue
            try:
                _library = ctypes.CDLL(candidate)
                break
            except OSError as exc:
                ctc_available.msg = f"cannot load {candidate}: {exc}"
        else:
            ctc_available.msg = "warp-ctc was not found; install it and set the flag ctc.root to its folder"
            return None
        ctc_available.path = getattr(_library, "_name", None)
    return _library


def ctc_present():
    """True where the warp-ctc library can be loaded."""
    return _load() is not None


def ctc_available():
    """True where CTC can be computed; else ``ctc_available.msg`` says why not.

    Returns
    -------
    bool
    """
    return ctc_present()


ctc_available.msg = None
ctc_available.path = None


class ConnectionistTemporalClassification(OpenMPOp):
    """CTC cost per sequence, and its gradient for the activations.

    Parameters
    ----------
    compute_grad : bool
        Whether to compute the gradient along with the cost.
    openmp : bool, optional
        Use several threads.

    Notes
    -----
    Inputs: activations before the softmax, float32 (time, batch, labels); labels, int32 (batch, longest), padded with
    negative numbers; lengths of the activations, int32 (batch,). Label 0 is the blank.
    """

    __props__ = ("compute_grad",)

    def __init__(self, compute_grad=True, openmp=None):
        if not ctc_available():
            raise RuntimeError("Baidu CTC is not available and ConnectionistTemporalClassification Op can not be "
                               f"constructed. ({ctc_available.msg})")
        OpenMPOp.__init__(self, openmp=openmp)
        self.compute_grad = compute_grad
        # The gradient's column, to be found by the L-op.
        self.costs_index, self.gradients_index = 0, 1

    def make_node(self, activations, labels, input_lengths):
        t_activations = T.as_tensor_variable(activations)
        t_activations = cpu_contiguous(t_activations)
        t_labels = cpu_contiguous(T.as_tensor_variable(labels))
        t_input_lengths = cpu_contiguous(T.as_tensor_variable(input_lengths))
        for v, dtype, name in ((t_activations, "float32", "Activations"), (t_labels, "int32", "Labels"),
                               (t_input_lengths, "int32", "Label lengths")):
            if v.type.dtype != dtype:
                raise TypeError(f"{name} must use the {dtype} type.")
        for v, ndim, name in ((t_activations, 3, "activations"), (t_labels, 2, "labels"),
                              (t_input_lengths, 1, "input_lengths")):
            if v.ndim != ndim:
                raise ValueError(f"{name} must have {ndim} dimensions.")
        outputs = [T.fvector(name="ctc_cost")]
        if self.compute_grad:
            outputs.append(T.ftensor3(name="ctc_grad"))
        return Apply(self, [t_activations, t_labels, t_input_lengths], outputs)

    def perform(self, node, inputs, output_storage):
        activations, labels, input_lengths = (np.ascontiguousarray(v) for v in inputs)
        library = _load()
        batch, alphabet = activations.shape[1:]
        label_lengths = (labels >= 0).sum(axis=1).astype("int32")
        flat_labels = np.ascontiguousarray(labels[labels >= 0], dtype="int32")
        options = _Options(0, (os.cpu_count() or 1) if self.openmp else 1, 0)

        def ints(a):
            return a.ctypes.data_as(ctypes.POINTER(ctypes.c_int))

        size = ctypes.c_size_t()
        self._check(library, library.get_workspace_size(
            ints(label_lengths), ints(input_lengths), ctypes.c_int(alphabet), ctypes.c_int(batch), options,
            ctypes.byref(size)))
        workspace = ctypes.create_string_buffer(size.value)
        costs = np.zeros(batch, dtype="float32")
        gradients = np.zeros_like(activations) if self.compute_grad else None
        self._check(library, library.compute_ctc_loss(
            activations.ctypes.data_as(ctypes.c_void_p),
            gradients.ctypes.data_as(ctypes.c_void_p) if self.compute_grad else None,
            ints(flat_labels), ints(label_lengths), ints(input_lengths), ctypes.c_int(alphabet), ctypes.c_int(batch),
            costs.ctypes.data_as(ctypes.c_void_p), workspace, options))
        output_storage[0][0] = costs
        if self.compute_grad:
            output_storage[1][0] = gradients

    @staticmethod
    def _check(library, status):
        if status != 0:
            library.ctcGetStatusString.restype = ctypes.c_char_p
            message = library.ctcGetStatusString(ctypes.c_int(status))
            raise RuntimeError(f"warp-ctc: {message.decode('ascii', 'replace')}")

    def infer_shape(self, node, shapes):
        result = [(shapes[0][1],)]
        return result + [shapes[0]] if self.compute_grad else result

    def L_op(self, inputs, outputs, output_grads):
        if not self.compute_grad:
            raise RuntimeError("the gradient needs ConnectionistTemporalClassification(compute_grad=True)")
        gradients = outputs[1]
        (grad_op, *_) = output_grads
        # One factor per sequence, for all times and labels of it.
        total_grad = batched_dot(grad_op, gradients.dimshuffle(1, 0, 2)).dimshuffle(1, 0, 2)
        return [total_grad, grad_undefined(self, 1, inputs[1]), grad_undefined(self, 2, inputs[2])]


def ctc(activations, labels, input_lengths):
    """CTC loss per sequence.

    Parameters
    ----------
    activations : float32 3-d tensor, shape (time, batch, labels)
        Before the softmax.
    labels : int32 matrix, shape (batch, longest)
        Target labels, padded with negative numbers.
    input_lengths : int32 vector, shape (batch,)

    Returns
    -------
    float32 vector, shape (batch,)

    Raises
    ------
    RuntimeError
        Where the warp-ctc library is not installed.
    """
    return ConnectionistTemporalClassification()(activations, labels, input_lengths)[0]


@register_canonicalize("fast_compile")
@register_stabilize("fast_compile")
@local_optimizer([ConnectionistTemporalClassification])
def local_ctc_no_grad(node):
    """Do not compute the gradient of CTC where nothing uses it."""
    if isinstance(node.op, ConnectionistTemporalClassification) and len(node.outputs) > 1 \
            and not node.outputs[1].clients:
        new = ConnectionistTemporalClassification(compute_grad=False)(*node.inputs)
        copy_stack_trace(node.outputs[0], new)
        return [new, None]
    return False
