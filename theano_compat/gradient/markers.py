"""Identity ops that only say what happens to the gradient on its way back through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theano_compat.compile.ops import ViewOp
from theano_compat.gof import Apply, Variable
from theano_compat.gradient.types import disconnected_type, grad_undefined

__all__ = [
    "ConsiderConstant", "DisconnectedGrad", "GradClip", "GradScale", "UndefinedGrad", "ZeroGrad", "consider_constant",
    "consider_constant_", "disconnected_grad", "disconnected_grad_", "grad_clip", "grad_scale", "undefined_grad",
    "undefined_grad_", "zero_grad", "zero_grad_",
]


class ConsiderConstant(ViewOp):
    """A view through which the gradient is zero."""

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        return [g_out.zeros_like(dtype=g_out.dtype) for g_out in g_outs]


class ZeroGrad(ViewOp):
    """A view through which the gradient is zero, in both directions."""

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        return [g_out.zeros_like(dtype=g_out.dtype) for g_out in g_outs]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        if eval_points[0] is None:
            return [None]
        return [eval_points[0].zeros_like()]


class UndefinedGrad(ViewOp):
    """A view that makes the gradient an error."""

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        return [grad_undefined(self, i, arg) for i, arg in enumerate(args)]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return [None]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True]]


class DisconnectedGrad(ViewOp):
    """A view that no gradient passes."""

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        return [disconnected_type() for _ in g_outs]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return [None]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False]]


class GradClip(ViewOp):
    """A view that clips the gradient elementwise.

    Parameters
    ----------
    clip_lower_bound, clip_upper_bound : float
        The interval that it is clipped to.
    """

    # Equal bounds do not make two of these one: merging would lose a clip that stands behind another.
    __props__ = ()

    def __init__(self, clip_lower_bound: float, clip_upper_bound: float):
        # Plain numbers, so that the dtype of the gradient decides.
        self.clip_lower_bound = clip_lower_bound
        self.clip_upper_bound = clip_upper_bound
        assert self.clip_upper_bound >= self.clip_lower_bound, "the upper bound is below the lower one"

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.clip_lower_bound == other.clip_lower_bound  # type: ignore[attr-defined]
            and self.clip_upper_bound == other.clip_upper_bound  # type: ignore[attr-defined]
        )

    def __hash__(self) -> int:
        return hash((type(self), self.clip_lower_bound, self.clip_upper_bound))

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        from theano_compat import tensor

        return [tensor.clip(g_out, self.clip_lower_bound, self.clip_upper_bound) for g_out in g_outs]


class GradScale(ViewOp):
    """A view that multiplies the gradient by a factor.

    Parameters
    ----------
    multiplier : float
        The factor.
    """

    def __init__(self, multiplier: float):
        self.multiplier = multiplier

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.multiplier == other.multiplier  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.multiplier))

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Any]:
        return [self.multiplier * g_out for g_out in g_outs]


consider_constant_ = ConsiderConstant()
zero_grad_ = ZeroGrad()
undefined_grad_ = UndefinedGrad()
disconnected_grad_ = DisconnectedGrad()


def consider_constant(x: Variable) -> Variable:
    """`x`, but gradients do not flow through it: the derivative of the result is taken to be zero.

    It has been replaced by :func:`zero_grad` and :func:`disconnected_grad`.
    """
    return consider_constant_(x)


def zero_grad(x: Variable) -> Variable:
    """`x` as an expression whose gradient towards `x` is zero.

    Parameters
    ----------
    x : Variable
        Any expression with a float type.
    """
    return zero_grad_(x)


def undefined_grad(x: Variable) -> Variable:
    """`x` as an expression whose gradient towards `x` is undefined: asking for it is an error."""
    return undefined_grad_(x)


def disconnected_grad(x: Variable) -> Variable:
    """`x` as an expression that does not depend on `x` where gradients are concerned.

    No gradient is computed for what lies behind it. Unlike with :func:`zero_grad`, a gradient
    towards `x` alone is an error, as for a variable that is not in the graph.
    """
    return disconnected_grad_(x)


def grad_clip(x: Variable, lower_bound: float, upper_bound: float) -> Variable:
    """`x` with its gradient clipped elementwise.

    Parameters
    ----------
    x : Variable
        The expression whose gradient is limited.
    lower_bound, upper_bound : float
        The interval.

    Returns
    -------
    Variable
        A view of `x`.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x = theano.tensor.scalar()
    >>> z = theano.gradient.grad(theano.gradient.grad_clip(x, -1, 1) ** 2, x)
    >>> f = theano.function([x], outputs=[z])
    >>> float(f(2.0)[0])
    1.0
    """
    return GradClip(lower_bound, upper_bound)(x)


def grad_scale(x: Variable, multiplier: float) -> Variable:
    """`x` with its gradient multiplied by `multiplier`; a negative factor reverses it.

    Parameters
    ----------
    x : Variable
        The expression whose gradient is scaled.
    multiplier : float
        The factor.
    """
    return GradScale(multiplier)(x)
