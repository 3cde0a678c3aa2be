"""Scalar sigmoid and softplus, their approximations, and the elementwise ops built on them."""
from __future__ import annotations

import numpy as np

from theano_compat import scalar
from theano_compat.gof.utils import MethodNotDefined
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.scalar.ctext import ctype, suffix
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.elemwise import Elemwise


def c_float(dtype: str) -> tuple[str, str]:
    """Return the C type in which a float `dtype` is computed, and libm's suffix for it."""
    return ctype(dtype), suffix(dtype)


def _as_float(x):
    """A number as a float: 8 and 16 bit integers in single precision (NumPy would take half), others in double."""
    if isinstance(x, (np.floating, np.complexfloating, float, complex)):
        return x
    return np.float32(x) if getattr(x, "itemsize", 8) <= 2 else np.float64(x)


class ScalarSigmoid(scalar.UnaryScalarOp):
    r"""Logistic function.

    Notes
    -----
    :math:`\sigma(x) = 1 / (1 + e^{-x})`, of float type (8-bit integers give float32).
    """

    @staticmethod
    def st_impl(x):
        x = _as_float(x)
        with np.errstate(over="ignore"):
            e = np.exp(-x)
            return type(e)(1) / (type(e)(1) + e)

    def impl(self, x):
        return ScalarSigmoid.st_impl(x)

    def grad(self, inp, grads):
        (x,) = inp
        (gz,) = grads
        y = scalar_sigmoid(x)
        return [gz * y * (1.0 - y)]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        if out_dtype.startswith("complex") or in_dtypes[0].startswith("complex"):
            raise MethodNotDefined("complex sigmoid has no C expression")
        ctype, f = c_float(out_dtype)
        one = f"1.0{f}"
        return f"({one} / ({one} + exp{f}(-({ctype})({inputs[0]}))))"

    @staticmethod
    def gen_graph():
        """Plot the sigmoid beside its two approximations (needs matplotlib)."""
        import matplotlib.pyplot as plt

        data = np.arange(-15, 15, 0.1)
        curves = {
            "sigmoid": np.vectorize(ScalarSigmoid.st_impl)(data),
            "ultra_fast_sigmoid": np.vectorize(UltraFastScalarSigmoid.st_impl)(data),
            "hard_sigmoid": np.clip(data * 0.2 + 0.5, 0, 1),
        }
        axes = plt.figure().add_subplot(111)
        for name, values in curves.items():
            axes.plot(data, values, label=name)
        axes.grid(True)
        axes.legend(loc="best")
        plt.show()


scalar_sigmoid = ScalarSigmoid(scalar.upgrade_to_float, name="scalar_sigmoid")
sigmoid = Elemwise(scalar_sigmoid, name="sigmoid")
sigmoid_inplace = Elemwise(
    ScalarSigmoid(scalar.transfer_type(0)), inplace_pattern={0: 0}, name="sigmoid_inplace")

pprint.assign(sigmoid, FunctionPrinter("sigmoid"))


# Half of the curve as pieces in h = |x| / 2: below 1.7 a quotient, below 3 a line, then a constant.
_ULTRA = {"knee": 1.7, "flat": 3.0, "base": 0.935409070603099, "slope": 0.0458812946797165, "top": 0.99505475368673}


class UltraFastScalarSigmoid(scalar.UnaryScalarOp):
    """Piecewise approximation of the logistic function, within 0.03 of it, never exactly 0 or 1."""

    @staticmethod
    def st_impl(x):
        h = 0.5 * abs(_as_float(x))
        if h < _ULTRA["knee"]:
            z = 1.5 * h / (1.0 + h)
        elif h < _ULTRA["flat"]:
            z = _ULTRA["base"] + _ULTRA["slope"] * (h - _ULTRA["knee"])
        else:
            z = _ULTRA["top"]
        return 0.5 * ((z if x >= 0 else -z) + 1.0)

    def impl(self, x):
        return UltraFastScalarSigmoid.st_impl(x)

    def grad(self, inp, grads):
        (x,) = inp
        (gz,) = grads
        y = scalar_sigmoid(x)
        return [gz * y * (1.0 - y)]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        if in_dtypes[0].startswith("complex"):
            raise MethodNotDefined("complex ultra_fast_sigmoid has no C expression")
        ctype, _ = c_float(out_dtype)
        return f"(({ctype})tc_ultra_fast_sigmoid((double)({inputs[0]})))"

    def c_helpers(self, in_dtypes, out_dtype):
        return ("""static inline double tc_ultra_fast_sigmoid(double x)
{
    const double h = 0.5 * fabs(x);
    const double z = h < %(knee)r ? 1.5 * h / (1.0 + h)
                   : h < %(flat)r ? %(base)r + %(slope)r * (h - %(knee)r) : %(top)r;
    return 0.5 * ((x >= 0 ? z : -z) + 1.0);
}
""" % _ULTRA,)


ultra_fast_scalar_sigmoid = UltraFastScalarSigmoid(scalar.upgrade_to_float, name="ultra_fast_scalar_sigmoid")
ultra_fast_sigmoid = Elemwise(ultra_fast_scalar_sigmoid, name="ultra_fast_sigmoid")
ultra_fast_sigmoid_inplace = Elemwise(
    UltraFastScalarSigmoid(scalar.transfer_type(0)), inplace_pattern={0: 0}, name="ultra_fast_sigmoid_inplace")

pprint.assign(ultra_fast_sigmoid, FunctionPrinter("ultra_fast_sigmoid"))


def hard_sigmoid(x):
    """Three-line approximation of the sigmoid.

    Parameters
    ----------
    x : tensor_like
        Any shape; integers are computed in the float type of their size.

    Returns
    -------
    tensor of the shape of `x`

    Notes
    -----
    ``clip(0.2 * x + 0.5, 0, 1)``, which reaches 0 and 1 exactly.
    """
    x = tensor.as_tensor_variable(x)
    out_dtype = scalar.upgrade_to_float(scalar.Scalar(dtype=x.dtype))[0].dtype
    slope, shift = (tensor.constant(value, dtype=out_dtype) for value in (0.2, 0.5))
    return tensor.clip(x * slope + shift, 0, 1)


class ScalarSoftplus(scalar.UnaryScalarOp):
    r"""Smooth rectifier.

    Notes
    -----
    :math:`\log(1 + e^x)`, computed as :math:`\max(x, 0) + \log(1 + e^{-|x|})`, which neither overflows nor loses
    the small values.
    """

    @staticmethod
    def static_impl(x):
        x = _as_float(x)
        tail = np.log1p(np.exp(-abs(x)))
        return (x if x > 0 else type(tail)(0)) + tail

    def impl(self, x):
        return ScalarSoftplus.static_impl(x)

    def grad(self, inp, grads):
        (x,) = inp
        (gz,) = grads
        return [gz * scalar_sigmoid(x)]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        if in_dtypes[0].startswith("complex"):
            raise MethodNotDefined("complex softplus has no C expression")
        ctype, f = c_float(out_dtype)
        x = f"({ctype})({inputs[0]})"
        return f"(({x} > 0 ? {x} : 0) + log1p{f}(exp{f}(-fabs{f}({x}))))"


scalar_softplus = ScalarSoftplus(scalar.upgrade_to_float, name="scalar_softplus")
softplus = Elemwise(scalar_softplus, name="softplus")

pprint.assign(softplus, FunctionPrinter("softplus"))
