"""Derivatives by finite differences, and :func:`verify_grad`, which compares gradients with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["GradientError", "mode_not_slow", "numeric_grad", "verify_grad"]


class numeric_grad:
    """The gradient of a function of arrays, by differences.

    Parameters
    ----------
    f : callable
        Takes the arrays, returns a number.
    pt : ndarray or list of ndarray
        Where.
    eps : float, optional
        The step; by default one that suits the dtypes.
    out_type : str, optional
        The dtype of the result if it is complex.

    Attributes
    ----------
    gf : ndarray or list of ndarray
        The gradient, in the form of `pt`.
    """

    # The smallest steps that rounding allows.
    type_eps = {
        "float64": 1e-7,
        "float32": 3e-4,
        "float16": 1e-1,
        np.dtype("float64"): 1e-7,
        np.dtype("float32"): 3e-4,
        np.dtype("float16"): 1e-1,
    }

    def __init__(self, f: Callable[..., Any], pt: Any, eps: float | None = None, out_type: str | None = None):
        single = not isinstance(pt, (list, tuple))
        points = [np.array(p) for p in ([pt] if single else pt)]
        dtypes = {str(p.dtype) for p in points}
        # The coarsest dtype decides on the step.
        if eps is None:
            eps = max(self.type_eps[dtype] for dtype in dtypes)
        work_dtype = str(np.result_type(*[p.dtype for p in points])) if points else "float64"
        if out_type is not None and "complex" in out_type:
            work_dtype = out_type

        else:
            # Different dtypes are brought to one, so that the coarser arguments do not spoil the differences.
            points = [p.astype(work_dtype) for p in points]
        at = np.array(f(*[p.copy() for p in points]))
        gradients = []
        for which, point in enumerate(points):
            gradient = np.zeros(point.shape, dtype=work_dtype)
            for index in np.ndindex(point.shape):
                moved = [p.copy() for p in points]
                moved[which][index] += eps
                gradient[index] = (np.asarray(f(*moved)) - at) / eps
            gradients.append(gradient)
        self.gf = gradients[0] if single else gradients

    @staticmethod
    def abs_rel_err(a: Any, b: Any) -> tuple[Any, Any]:
        """The absolute error, and the error relative to the sum of the two magnitudes."""
        absolute = np.abs(a - b)
        # The bound keeps 0/0 out; the differences are no more precise than that anyway.
        return absolute, absolute / np.maximum(np.abs(a) + np.abs(b), 1e-8)

    def abs_rel_errors(self, g_pt: Sequence[Any]) -> list[tuple[Any, Any]]:
        """For each array the errors of the gradient `g_pt`."""
        own = self.gf if isinstance(self.gf, list) else [self.gf]
        if len(g_pt) != len(own):
            raise ValueError("argument has wrong number of elements", len(g_pt))
        errors = []
        for position, (given, ours) in enumerate(zip(g_pt, own)):
            if given.shape != ours.shape:
                raise ValueError(f"argument element {position} has wrong shape ({given.shape}, {ours.shape})")
            errors.append(self.abs_rel_err(given, ours))
        return errors

    def max_err(self, g_pt: Sequence[Any], abs_tol: float, rel_tol: float) -> tuple[int, int, float, float]:
        """Where the gradient `g_pt` is furthest off.

        Parameters
        ----------
        g_pt : list of ndarray
            The gradient in question.
        abs_tol, rel_tol : float
            What is tolerated; a deviation counts by the smaller of its two excesses.

        Returns
        -------
        tuple of (int, int, float, float)
            The argument, the position in it when flattened, and both errors.
        """
        worst = (-1.0, 0, 0, 0.0, 0.0)
        for argument, (absolute, relative) in enumerate(self.abs_rel_errors(g_pt)):
            if not np.all(np.isfinite(absolute)):
                raise ValueError("abs_err not finite", repr(absolute))
            if not np.all(np.isfinite(relative)):
                raise ValueError("rel_err not finite", repr(relative))
            excess = np.minimum(absolute / abs_tol, relative / rel_tol)
            if excess.size == 0:
                continue
            position = int(np.argmax(excess))
            if excess.flat[position] > worst[0]:
                worst = (
                    float(excess.flat[position]),
                    argument,
                    position,
                    float(absolute.flat[position]),
                    float(relative.flat[position]),
                )
        return worst[1:]


class GradientError(Exception):
    """A gradient that differs from the one by differences.

    Parameters
    ----------
    arg, err_pos : int
        Which argument, and where in it when flattened.
    shape : tuple of int
        The argument's shape.
    val1, val2 : float
        The gradient in question, and the one by differences.
    abs_err, rel_err, abs_tol, rel_tol : float
        The errors, and what was tolerated.
    """

    def __init__(
        self,
        arg: int,
        err_pos: int,
        shape: Any,
        val1: Any,
        val2: Any,
        abs_err: float,
        rel_err: float,
        abs_tol: float,
        rel_tol: float,
    ):
        super().__init__()
        self.arg, self.err_pos, self.shape = arg, err_pos, shape
        self.val1, self.val2 = val1, val2
        self.abs_err, self.rel_err = abs_err, rel_err
        self.abs_tol, self.rel_tol = abs_tol, rel_tol

    def __str__(self) -> str:
        extra = ", ".join(str(a) for a in self.args)
        return (
            "GradientError: numeric gradient and analytic gradient exceed tolerance:\n"
            f"        At position {self.err_pos} of argument {self.arg} with shape {self.shape},\n"
            f"            val1 = {self.val1:f}      ,  val2 = {self.val2:f}\n"
            f"            abs. error = {self.abs_err:f},  abs. tolerance = {self.abs_tol:f}\n"
            f"            rel. error = {self.rel_err:f},  rel. tolerance = {self.rel_tol:f}\n"
            f"Exception args: {extra}"
        )


def mode_not_slow(mode: Any) -> Any:
    """`mode`, or FAST_RUN with its rewrites in place of DebugMode."""
    from theano_compat.compile import mode as modes
    from theano_compat.compile.debugmode import DebugMode

    if mode == "FAST_COMPILE":
        return modes.FAST_RUN
    mode = modes.get_mode(mode)
    return modes.FAST_RUN.clone(optimizer=mode.optimizer) if isinstance(mode, DebugMode) else mode


_TOLERANCE = {"float16": 5e-2, "float32": 1e-2, "float64": 1e-4}


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[Any],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    out_type: str | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: Any = None,
    cast_to_output_type: bool = False,
    no_debug_ref: bool = True,
) -> None:
    """Compare the gradient of an expression with finite differences.

    Parameters
    ----------
    fun : callable
        Takes symbolic variables, returns one expression; an op will do.
    pt : list of ndarray
        Float values of the variables at which to compare.
    n_tests : int
        How many random projections of the output to try.
    rng : numpy.random.RandomState
        Where the projections come from.
    eps : float, optional
        The step of the differences.
    out_type : str, optional
        The dtype of the output if it is complex.
    abs_tol, rel_tol : float, optional
        What is tolerated; by default by the coarsest dtype among `pt`. A gradient fails if it exceeds both.
    mode : Mode or str, optional
        How the expressions are compiled.
    cast_to_output_type : bool
        Make projections of a float32 output float32 as well.
    no_debug_ref : bool
        Do not use DebugMode for the differences.

    Raises
    ------
    GradientError
        The gradients differ.

    Notes
    -----
    The expression need not be a scalar: the gradient of :math:`\\sum r f(x)` is compared, for random weights r between 0.5 and 1.5.
    """
    from theano_compat import tensor
    from theano_compat.compile.function import function
    from theano_compat.compile.sharedvalue import shared
    from theano_compat.gradient.backward import grad

    assert isinstance(pt, (list, tuple)), "the points have to be in a list"
    points = [np.array(p) for p in pt]
    for position, point in enumerate(points):
        if point.dtype not in ("float16", "float32", "float64"):
            raise TypeError(
                f'verify_grad can work only with floating point inputs, but input {position} has dtype "{point.dtype}".'
            )
    default = max((_TOLERANCE[str(p.dtype)] for p in points), default=_TOLERANCE["float64"])
    abs_tol = default if abs_tol is None else abs_tol
    rel_tol = default if rel_tol is None else rel_tol
    if rng is None:
        raise TypeError(
            "rng should be a valid instance of numpy.random.RandomState. You may want to use "
            "theano.tests.unittest_tools.verify_grad instead of theano.gradient.verify_grad."
        )

    variables = []
    for position, point in enumerate(points):
        like = tensor.as_tensor_variable(point)
        variables.append(tensor.TensorType(like.dtype, like.broadcastable)(name=f"input {position}"))

    def compiled(output: Any, what: str, chosen: Any) -> Any:
        return function(
            variables,
            output,
            accept_inplace=True,
            allow_input_downcast=True,
            mode=chosen,
            on_unused_input="ignore",
            name=f"gradient.py {what}",
        )

    output = fun(*variables)
    if isinstance(output, list):
        raise NotImplementedError("cant (yet) autotest gradient of fun with multiple outputs")
    value = compiled(output, "fwd", mode)(*[p.copy() for p in points])
    if isinstance(value, (tuple, list)):
        raise TypeError(
            "It seems like you are trying to use verify_grad on an op or a function which outputs a list: there should "
            "be a single (array-like) output instead"
        )

    def projection() -> Any:
        weights = rng.rand(*np.shape(value)) + 0.5
        if cast_to_output_type and output.dtype == "float32":
            return np.array(weights, output.dtype)
        return weights

    weights = shared(np.asarray(projection()), borrow=True)
    weights.name = "random_projection"
    cost = tensor.sum(weights * output)
    cost_fn = compiled(cost, "cost", mode_not_slow(mode) if no_debug_ref else mode)
    symbolic = grad(cost, variables, disconnected_inputs="ignore")
    grad_fn = compiled(symbolic, "symbolic grad", mode)

    for turn in range(n_tests):
        try:
            numeric = numeric_grad(cost_fn, [p.copy() for p in points], eps, out_type)
            analytic = grad_fn(*[p.copy() for p in points])
            assert isinstance(analytic, list)
            argument, position, absolute, relative = numeric.max_err(analytic, abs_tol, rel_tol)
            if absolute > abs_tol and relative > rel_tol:
                raise verify_grad.E_grad(  # type: ignore[attr-defined]
                    argument,
                    position,
                    analytic[argument].shape,
                    analytic[argument].flatten()[position],
                    numeric.gf[argument].flatten()[position],
                    absolute,
                    relative,
                    abs_tol,
                    rel_tol,
                )
            if turn < n_tests - 1:
                weights.set_value(np.asarray(projection()), borrow=True)
        except Exception as error:
            error.args += (
                "\nThe error happened with the following inputs:",
                points,
                "\nThe value of eps is:",
                eps,
                "\nThe out_type is:",
                out_type,
            )
            raise


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]
