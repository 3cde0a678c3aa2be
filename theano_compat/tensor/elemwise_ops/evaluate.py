"""Values of scalar ops on whole NumPy arrays.

`kernel_for` gives, for a scalar op and the dtypes of its inputs and outputs, a function from arrays to arrays. It computes
in the dtype that the output type promises, since NumPy's own choice differs between its versions (and would be
float16 for the exponential of an int8).
"""
from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from importlib import import_module

import numpy as np

from theano_compat import scalar as scal
from theano_compat.scalar.rounding import round_half_away_from_zero_vec

Kernel = Callable[..., list]

#: Ops that give booleans from inputs of any two dtypes: inputs are compared in their common dtype.
_COMPARISONS = (scal.LT, scal.GT, scal.LE, scal.GE, scal.EQ, scal.NEQ)

#: Ops whose NumPy function is to see the inputs as they are.
_AS_IS = (scal.IsNan, scal.IsInf, scal.Imag, scal.Abs, scal.Conj)


def numpy_function(path: str) -> Callable:
    """Find a function by its dotted path below NumPy, or by a full path such as ``'scipy.special.erf'``."""
    module, _, name = path.rpartition(".")
    if not module:
        return getattr(np, name)
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError:
        owner, _, attribute = module.rpartition(".")
        return getattr(getattr(import_module(owner), attribute), name)


def cast_array(x, dtype: str):
    """Convert an array to `dtype`; the imaginary part is dropped where the target is real."""
    if x.dtype == dtype:
        return x
    if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
        x = x.real
    return x.astype(dtype)


def kernel_for(op, in_dtypes: tuple, out_dtypes: tuple) -> Kernel:
    """Give the function that computes `op` on arrays.

    Parameters
    ----------
    op : ScalarOp
    in_dtypes, out_dtypes : tuple of str

    Returns
    -------
    callable
        From arrays of the input dtypes, broadcastable against one another, to the list of results in the
        output dtypes. A result can be one of the inputs, or smaller than the broadcast shape.
    """
    if isinstance(op, scal.Composite):
        return _composite_kernel(op)
    maker = _SPECIAL.get(type(op))
    if maker is not None:
        return maker(op, in_dtypes, out_dtypes)
    spec = getattr(op, "nfunc_spec", None)
    if spec is not None and spec[2] == 1 and _impl_is_ours(op):
        return _named_kernel(op, numpy_function(spec[0]), in_dtypes, out_dtypes[0])
    return _python_kernel(op, in_dtypes, out_dtypes)


def _impl_is_ours(op) -> bool:
    """Tell whether the class that says ``nfunc_spec`` is not overruled by a subclass with its own ``impl``."""
    for cls in type(op).__mro__:
        if "nfunc_spec" in cls.__dict__:
            return True
        if "impl" in cls.__dict__:
            return False
    return "nfunc_spec" in op.__dict__


def _common(in_dtypes):
    return in_dtypes[0] if len(in_dtypes) == 1 else scal.upcast(*in_dtypes)


def _named_kernel(op, function, in_dtypes, out_dtype) -> Kernel:
    """Kernel of an op with a NumPy or SciPy function."""
    if isinstance(op, _COMPARISONS):
        integers = all(np.dtype(d).kind in "iu" for d in in_dtypes)
        target = None if integers and "uint64" in in_dtypes else _common(in_dtypes)
        if target is None:
            return _compare_integers(op, function)
    elif isinstance(op, scal.Angle):
        target = "complex128" if np.dtype(in_dtypes[0]).kind == "c" else "float64"
    elif isinstance(op, _AS_IS):
        target = "int8" if isinstance(op, scal.Conj) and in_dtypes == ("bool",) else None
    else:
        target = out_dtype
    if len(in_dtypes) == 2 or len(in_dtypes) == 1 and op.nin == 1:
        if all(d == target for d in in_dtypes) or target is None:
            return lambda *xs: [_in_dtype(function(*xs), out_dtype)]
        return lambda *xs: [_in_dtype(function(*[cast_array(x, target) for x in xs]), out_dtype)]
    return lambda *xs: [_in_dtype(reduce(function, [cast_array(x, target) for x in xs]), out_dtype)]


def _compare_integers(op, function) -> Kernel:
    """Comparison of signed with unsigned 64-bit integers, by value."""

    def by_value(x, y):
        signed, unsigned, flip = (x, y, False) if x.dtype.kind == "i" else (y, x, True)
        if signed.dtype.kind != "i" or unsigned.dtype.kind != "u":
            return [np.asarray(function(x, y))]
        negative = signed < 0
        low, high = (np.asarray(1), np.asarray(0)) if flip else (np.asarray(0), np.asarray(1))
        as_unsigned = signed.astype("uint64")
        pair = (unsigned, as_unsigned) if flip else (as_unsigned, unsigned)
        return [np.where(negative, function(low, high), function(*pair))]

    return by_value


def _in_dtype(result, dtype):
    result = np.asarray(result)
    return result if result.dtype == dtype else cast_array(result, dtype)


def _python_kernel(op, in_dtypes, out_dtypes) -> Kernel:
    """Kernel of an op that only has ``impl``, called element by element."""
    function = np.frompyfunc(op.impl, len(in_dtypes), len(out_dtypes))

    def run(*xs):
        found = function(*xs)
        found = [found] if len(out_dtypes) == 1 else list(found)
        return [np.asarray(value).astype(dtype) for value, dtype in zip(found, out_dtypes)]

    return run


def _composite_kernel(op) -> Kernel:
    """Kernel of a composite: its steps in turn, forgetting values after their last use."""
    steps = []
    last_use = dict.fromkeys(op.output_slots)
    for number, step in enumerate(op.steps):
        ins = tuple(x.type.dtype for x in step.node.inputs)
        outs = tuple(x.type.dtype for x in step.node.outputs)
        steps.append((kernel_for(step.op, ins, outs), step.arguments, step.results))
        for slot in step.arguments:
            if last_use.get(slot, 0) is not None:
                last_use[slot] = number
    dead = [[slot for slot, at in last_use.items() if at == number] for number in range(len(steps))]
    constants = [np.asarray(c.data) for c in op.constants]

    def run(*xs):
        values = dict(enumerate([*xs, *constants]))
        for (kernel, arguments, results), gone in zip(steps, dead):
            values.update(zip(results, kernel(*[values[slot] for slot in arguments])))
            for slot in gone:
                del values[slot]
        return [values[slot] for slot in op.output_slots]

    return run


def _in_out_dtype(function):
    """Maker of kernels that compute in the output's dtype."""

    def maker(op, in_dtypes, out_dtypes):
        (dtype,) = out_dtypes
        return lambda *xs: [_in_dtype(function(*[cast_array(x, dtype) for x in xs]), dtype)]

    return maker


def _add(op, in_dtypes, out_dtypes):
    return _in_out_dtype(lambda *xs: reduce(np.add, xs))(op, in_dtypes, out_dtypes)


def _mul(op, in_dtypes, out_dtypes):
    return _in_out_dtype(lambda *xs: reduce(np.multiply, xs))(op, in_dtypes, out_dtypes)


def _power(x, y):
    """Powers, where an integer to a negative integer is cut to an integer: 0 unless the base is 1 or -1."""
    if y.dtype.kind == "i" and np.any(y < 0):
        inverse = np.where(np.abs(x) == 1, np.where(y % 2 == 0, 1, x), 0)
        return np.where(y < 0, inverse, np.power(x, np.where(y < 0, 0, y)))
    return np.power(x, y)


def _mod(x, y):
    return np.zeros(np.broadcast_shapes(x.shape, y.shape), bool) if x.dtype == bool else np.mod(x, y)


def _floor_divide(x, y):
    return np.logical_and(x, y) if x.dtype == bool else np.floor_divide(x, y)


def _square(x):
    return x.copy() if x.dtype == bool else np.square(x)


def _clip(x, low, high):
    return np.where(x < low, low, np.where(x > high, high, x))


def _cast(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes
    return lambda x: [cast_array(x, dtype)]


def _switch(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes
    return lambda cond, a, b: [np.where(cond, cast_array(a, dtype), cast_array(b, dtype))]


def _second(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes
    return lambda x, y: [np.broadcast_to(cast_array(y, dtype), np.broadcast_shapes(x.shape, y.shape))]


def _real(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes
    return lambda x: [cast_array(x.real, dtype)]


def _complex(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes

    def run(re, im):
        out = np.empty(np.broadcast_shapes(re.shape, im.shape), dtype)
        out.real, out.imag = re, im
        return [out]

    return run


def _from_polar(op, in_dtypes, out_dtypes):
    (dtype,) = out_dtypes
    part = "float32" if dtype == "complex64" else "float64"
    build = _complex(op, in_dtypes, out_dtypes)

    def run(r, theta):
        r, theta = cast_array(r, part), cast_array(theta, part)
        return build(r * np.cos(theta), r * np.sin(theta))

    return run


def _in_range(op, in_dtypes, out_dtypes):
    above = np.greater if op.openlow else np.greater_equal
    below = np.less if op.openhi else np.less_equal
    return lambda x, low, high: [np.asarray(above(x, low) & below(x, high))]


def _special_function(op, in_dtypes, out_dtypes):
    """Kernel of a function of SciPy that takes whole arrays through the op's ``impl``."""
    (dtype,) = out_dtypes
    work = "float64" if np.dtype(dtype).kind != "c" and dtype == "float16" else dtype
    return lambda *xs: [_in_dtype(op.impl(*[cast_array(x, work) for x in xs]), dtype)]


_SPECIAL = {
    scal.Add: _add,
    scal.Mul: _mul,
    scal.Pow: _in_out_dtype(_power),
    scal.Mod: _in_out_dtype(_mod),
    scal.IntDiv: _in_out_dtype(_floor_divide),
    scal.Sqr: _in_out_dtype(_square),
    scal.Inv: _in_out_dtype(lambda x: np.true_divide(x.dtype.type(1), x)),
    scal.Clip: _in_out_dtype(_clip),
    scal.RoundHalfAwayFromZero: _in_out_dtype(round_half_away_from_zero_vec),
    scal.Identity: _cast,
    scal.Cast: _cast,
    scal.Switch: _switch,
    scal.Second: _second,
    scal.Real: _real,
    scal.Complex: _complex,
    scal.ComplexFromPolar: _from_polar,
    scal.InRange: _in_range,
    **dict.fromkeys((scal.TriGamma, scal.Chi2SF, scal.GammaU, scal.GammaL), _special_function),
}
