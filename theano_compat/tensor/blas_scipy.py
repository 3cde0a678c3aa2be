"""Rank-one update through SciPy's BLAS, for graphs that run without the compiled engine."""

from __future__ import annotations

import functools

import numpy as np

from theano_compat.compile.mode import optdb
from theano_compat.gof.opt import copy_stack_trace, in2out, local_optimizer
from theano_compat.tensor.blas import Ger, blas_optdb, ger, ger_destructive, have_fblas

__all__ = [
    "ScipyGer",
    "blas_optdb",
    "ger",
    "ger_destructive",
    "have_fblas",
    "make_ger_destructive",
    "make_scipy_blas_destructive",
    "optdb",
    "scipy_ger_inplace",
    "scipy_ger_no_inplace",
    "use_scipy_blas",
    "use_scipy_ger",
]


@functools.cache
def _routines() -> dict:
    """SciPy's ``?ger`` by dtype; of the complex ones those that do not conjugate."""
    if not have_fblas:
        return {}
    from scipy.linalg import blas

    return {
        np.dtype(dtype): getattr(blas, name)
        for dtype, name in (
            ("float32", "sger"),
            ("float64", "dger"),
            ("complex64", "cgeru"),
            ("complex128", "zgeru"),
        )
    }


class ScipyGer(Ger):
    """``A + alpha * outer(x, y)`` by one call of SciPy's ``?ger``."""

    def prepare_node(self, node, storage_map, compute_map, impl):
        if impl == "py":
            node.tag.local_ger = _routines().get(np.dtype(node.inputs[0].type.dtype))

    def perform(self, node, inputs, output_storage):
        A, alpha, x, y = inputs
        routine = _routines().get(A.dtype)
        if routine is None or not A.size:
            super().perform(node, inputs, output_storage)
            return
        if A.flags.c_contiguous:
            # The transpose of a C array is a Fortran array, of which BLAS can write the memory.
            target = A.T
            swapped = routine(alpha, y, x, a=target, overwrite_a=int(self.destructive))
            output_storage[0][0] = swapped.T
        else:
            output_storage[0][0] = routine(
                alpha, x, y, a=A, overwrite_a=int(self.destructive and A.flags.f_contiguous)
            )


scipy_ger_no_inplace = ScipyGer(False)
scipy_ger_inplace = ScipyGer(True)


@local_optimizer([ger])
def use_scipy_ger(node):
    """Call SciPy for a Ger that the compiled engine's rewrites left."""
    if node.op != ger or not have_fblas:
        return False
    result = scipy_ger_no_inplace(*node.inputs)
    copy_stack_trace(node.outputs, result)
    return [result]


@local_optimizer([scipy_ger_no_inplace], inplace=True)
def make_ger_destructive(node):
    """Let ScipyGer write over its first input."""
    if node.op != scipy_ger_no_inplace:
        return False
    result = scipy_ger_inplace(*node.inputs)
    copy_stack_trace(node.outputs, result)
    return [result]


use_scipy_blas = in2out(use_scipy_ger)
make_scipy_blas_destructive = in2out(make_ger_destructive, name="make_scipy_blas_destructive")

blas_optdb.register("scipy_blas", use_scipy_blas, 100, "fast_run")
optdb.register(
    "make_scipy_blas_destructive", make_scipy_blas_destructive, 70.0, "fast_run", "inplace"
)
