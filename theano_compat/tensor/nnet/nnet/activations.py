"""Rectifiers, exponential units and softsign."""
from __future__ import annotations

from theano_compat import scalar
from theano_compat.gof.utils import MethodNotDefined
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.elemwise import Elemwise

from ..sigm.ops import c_float

#: Constants of the self-normalising network paper (Klambauer et al., 2017).
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def relu(x, alpha=0):
    """Rectified linear unit.

    Parameters
    ----------
    x : tensor_like
    alpha : scalar or tensor_like, optional
        Slope for negative inputs; a tensor must broadcast against `x`.

    Returns
    -------
    tensor of the shape of `x`
        ``x`` where it is positive, ``alpha * x`` elsewhere.

    Notes
    -----
    Written as ``(1 + alpha) / 2 * x + (1 - alpha) / 2 * abs(x)``, which needs no branch.
    """
    # Compared by type first: a symbolic alpha has no truth value.
    if isinstance(alpha, (int, float)) and alpha == 0:
        return 0.5 * (x + abs(x))
    alpha = tensor.as_tensor_variable(alpha)
    of_x, of_abs_x = 0.5 * (1 + alpha), 0.5 * (1 - alpha)
    return of_x * x + of_abs_x * abs(x)


def elu(x, alpha=1):
    r"""Exponential linear unit: ``x`` where positive, :math:`\alpha (e^x - 1)` elsewhere.

    Parameters
    ----------
    x : tensor_like
    alpha : scalar

    Returns
    -------
    tensor of the shape of `x`
    """
    return tensor.switch(x > 0, x, alpha * tensor.expm1(x))


def selu(x):
    r"""Scaled exponential linear unit: :math:`\lambda\,\mathrm{elu}(x, \alpha)` with the self-normalising constants.

    Parameters
    ----------
    x : tensor_like

    Returns
    -------
    tensor of the shape of `x`
    """
    return SELU_SCALE * elu(x, SELU_ALPHA)


class ScalarSoftsign(scalar.UnaryScalarOp):
    """``x / (1 + |x|)``."""

    @staticmethod
    def static_impl(x):
        return x / (1.0 + abs(x))

    def impl(self, x):
        return ScalarSoftsign.static_impl(x)

    def grad(self, inp, grads):
        (x,) = inp
        (gz,) = grads
        if "float" in x.type.dtype:
            d = 1.0 + abs(x)
            return [gz / (d * d)]
        return NotImplemented

    def c_expr(self, inputs, in_dtypes, out_dtype):
        if in_dtypes[0].startswith("complex"):
            raise MethodNotDefined("complex softsign has no C expression")
        ctype, f = c_float(out_dtype)
        x = f"({ctype})({inputs[0]})"
        return f"({x} / (1.0{f} + fabs{f}({x})))"


scalar_softsign = ScalarSoftsign(scalar.upgrade_to_float, name="scalar_softsign")
softsign = Elemwise(scalar_softsign, name="softsign")

pprint.assign(softsign, FunctionPrinter("softsign"))
