"""Draws from discrete distributions, made of uniform numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat import config, tensor
from theano_compat.gof import Apply, Op
from theano_compat.scalar import as_scalar

__all__ = ["ChoiceFromUniform", "MultinomialFromUniform", "MultinomialWOReplacementFromUniform"]


class MultinomialFromUniform(Op):
    """Counts of outcomes in `n` draws: from pvals (rows, outcomes) and unis (n * rows,) an array (rows, outcomes).

    Parameters
    ----------
    odtype : str
        The dtype of the counts; ``'auto'``: that of the probabilities.
    """

    __props__ = ("odtype",)

    def __init__(self, odtype: str):
        self.odtype = odtype

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.odtype}}}"

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update({"odtype": "auto", **state})

    def _arguments(self, pvals: Any, unis: Any, n: Any) -> list:
        pvals, unis = tensor.as_tensor_variable(pvals), tensor.as_tensor_variable(unis)
        if pvals.ndim != 2:
            raise NotImplementedError("pvals ndim should be 2", pvals.ndim)
        if unis.ndim != 1:
            raise NotImplementedError("unis ndim should be 1", unis.ndim)
        return [pvals, unis, as_scalar(n)]

    def make_node(self, pvals: Any, unis: Any, n: Any = 1) -> Apply:
        arguments = self._arguments(pvals, unis, n)
        dtype = arguments[0].dtype if self.odtype == "auto" else self.odtype
        return Apply(self, arguments, [tensor.tensor(dtype=dtype, broadcastable=arguments[0].type.broadcastable)])

    def grad(self, ins: Sequence, outgrads: Sequence) -> list:
        pvals, unis, n = ins
        return [
            tensor.zeros_like(v, dtype=config.floatX if v.dtype in tensor.discrete_dtypes else v.dtype) for v in (pvals, unis)
        ] + [tensor.zeros((), dtype=config.floatX)]

    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """That of the probabilities."""
        return [shapes[0]]

    @staticmethod
    def _check(pvals: np.ndarray, unis: np.ndarray, n: int) -> None:
        if unis.shape[0] != pvals.shape[0] * n:
            raise ValueError(
                "unis.shape[0] != pvals.shape[0] * n_samples", unis.shape[0], pvals.shape[0], n
            )

    def perform(self, node: Apply, ins: Sequence, outs: Sequence) -> None:
        pvals, unis, n = ins[0], ins[1], int(ins[2]) if len(ins) > 2 else 1
        self._check(pvals, unis, n)
        counts = np.zeros(pvals.shape, node.outputs[0].dtype)
        if pvals.size:
            sums = np.cumsum(pvals, axis=1, dtype="float64")
            rows = np.arange(pvals.shape[0])
            for draws in unis.reshape(n, pvals.shape[0]):
                above = sums > draws[:, None]
                found = above.argmax(axis=1)
                hit = above[rows, found]  # rounding can leave the sum below the number: then nothing is drawn
                counts[rows[hit], found[hit]] += 1
        outs[0][0] = counts


class ChoiceFromUniform(MultinomialFromUniform):
    """Outcomes of `n` draws: from pvals (rows, outcomes) and unis (n * rows,) an array (rows, n).

    Parameters
    ----------
    odtype : str
        The dtype of the outcomes; ``'auto'``: int64.
    replace : bool
        Whether an outcome can be drawn again.
    """

    __props__ = ("odtype", "replace")

    def __init__(self, odtype: str, replace: bool = False, *args: Any, **kwargs: Any):
        self.replace = replace
        super().__init__(odtype, *args, **kwargs)

    def __str__(self) -> str:
        return f"{type(self).__name__}{{odtype={self.odtype!r}, replace={self.replace}}}"

    def __setstate__(self, state: dict) -> None:
        super().__setstate__({"replace": False, **state})

    def make_node(self, pvals: Any, unis: Any, n: Any = 1) -> Apply:
        arguments = self._arguments(pvals, unis, n)
        dtype = "int64" if self.odtype == "auto" else self.odtype
        # Without replacement one column of outcomes gives one column of draws.
        rows, outcomes = arguments[0].type.broadcastable
        return Apply(self, arguments, [tensor.tensor(dtype=dtype, broadcastable=(rows, outcomes and not self.replace))])

    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """Rows of the probabilities times the number of draws."""
        return [(shapes[0][0], tensor.as_tensor_variable(node.inputs[2]))]

    def perform(self, node: Apply, ins: Sequence, outs: Sequence) -> None:
        pvals, unis, n = ins[0], ins[1], int(ins[2]) if len(ins) > 2 else 1
        if n > pvals.shape[1] and not self.replace:
            raise ValueError("Cannot sample without replacement n samples bigger than the size of the distribution.")
        self._check(pvals, unis, n)
        chosen = np.full((pvals.shape[0], n), -1, "int64")
        weights = pvals if self.replace else np.array(pvals)
        rows = np.arange(pvals.shape[0])
        for c, draws in enumerate(unis.reshape(n, pvals.shape[0]) if pvals.size else ()):
            sums = np.cumsum(weights, axis=1, dtype="float64")
            above = sums > draws[:, None]
            found = above.argmax(axis=1)
            hit = above[rows, found]
            chosen[hit, c] = found[hit]
            if not self.replace and c < n - 1:
                self._take(weights, sums, rows[hit], found[hit])
        outs[0][0] = chosen.astype(node.outputs[0].dtype)

    @staticmethod
    def _take(weights: np.ndarray, sums: np.ndarray, rows: np.ndarray, found: np.ndarray) -> None:
        """Set what was found in some rows to 0 and divide the others by their sum, which is taken from there on as Theano takes it."""
        before = (sums[rows, found] - weights[rows, found]).astype(weights.dtype)
        weights[rows, found] = 0
        after = np.where(np.arange(weights.shape[1]) > found[:, None], weights[rows], weights.dtype.type(0))
        after[np.arange(len(rows)), found] = before
        with np.errstate(divide="ignore", invalid="ignore"):
            weights[rows] /= np.cumsum(after, axis=1)[:, -1:]


class MultinomialWOReplacementFromUniform(ChoiceFromUniform):
    """The old name of :class:`ChoiceFromUniform`."""

    def __init__(self, *args: Any, **kwargs: Any):
        warnings.warn(
            "MultinomialWOReplacementFromUniform is deprecated, use ChoiceFromUniform instead.", DeprecationWarning, stacklevel=2
        )
        super().__init__(*args, **kwargs)
