"""Special functions: error functions, gamma functions, Bessel functions.

Their Python values come from SciPy, imported when the first one is computed. C text is libm's where libm has the
function, else ours (`theano_compat.scalar.special_c`), else none, and the op then runs in Python.
"""
from __future__ import annotations

import math

import numpy as np

from theano_compat.scalar import ctext, special_c
from theano_compat.scalar.base_math import UnaryMath, as_float, in_output_precision
from theano_compat.scalar.op import BinaryScalarOp
from theano_compat.scalar.outputs import (
    upgrade_to_float,
    upgrade_to_float64,
    upgrade_to_float_no_complex,
)
from theano_compat.scalar.transcendental import exp
from theano_compat.scalar.type import complex_types, discrete_types, float_types  # noqa: F401

TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
HALF_SQRT_PI = math.sqrt(math.pi) / 2.0


def _scipy_special():
    import scipy.special

    return scipy.special


def __getattr__(name):
    if name == "imported_scipy_special":
        from importlib.util import find_spec

        return find_spec("scipy") is not None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Special:
    """Value from SciPy, C text from libm or from `special_c`.

    Attributes
    ----------
    scipy_name : str
        Name in ``scipy.special``.
    c_function : str or None
        libm's name in double precision, if libm has the function.
    c_helper : Helper or None
        Our own C function, in double precision.
    """

    scipy_name: str
    c_function: str | None = None
    c_helper = None

    @classmethod
    def st_impl(cls, *args):
        """Compute the value with SciPy."""
        return getattr(_scipy_special(), cls.scipy_name)(*map(as_float, args))

    def impl(self, *args):
        """Compute the value with SciPy."""
        with np.errstate(all="ignore"):
            return type(self).st_impl(*args)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call libm or our function; the latter and the Bessel functions in double precision."""
        ctext.refuse_complex(str(self), out_dtype, *in_dtypes)
        if self.c_helper is not None:
            args = ctext.cast_all(inputs, in_dtypes, "float64")
            return ctext.cast(self.c_helper.call(*args), "float64", out_dtype)
        if self.c_function is None:
            raise ctext.MethodNotDefined("c_expr", type(self), str(self))
        if self.c_function in ("j0", "j1"):
            (x,) = ctext.cast_all(inputs, in_dtypes, "float64")
            return ctext.cast(f"{self.c_function}({x})", "float64", out_dtype)
        return ctext.call(self.c_function, out_dtype, *ctext.cast_all(inputs, in_dtypes, out_dtype))

    def c_helpers(self, in_dtypes, out_dtype):
        """Our C functions."""
        return () if self.c_helper is None else self.c_helper.texts


class Erf(_Special, UnaryMath):
    """Error function, ``2/sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to x."""

    nfunc_spec = ("scipy.special.erf", 1, 1)
    scipy_name = c_function = "erf"

    def derivative(self, x, z, gz):
        """``2/sqrt(pi) exp(-x**2)``."""
        return gz * in_output_precision(TWO_OVER_SQRT_PI, z) * exp(-x * x)


class Erfc(_Special, UnaryMath):
    """``1 - erf(x)``."""

    nfunc_spec = ("scipy.special.erfc", 1, 1)
    scipy_name = c_function = "erfc"

    def derivative(self, x, z, gz):
        """``-2/sqrt(pi) exp(-x**2)``."""
        return -gz * in_output_precision(TWO_OVER_SQRT_PI, z) * exp(-x * x)


class Erfcx(_Special, UnaryMath):
    """``exp(x**2) erfc(x)``, which stays finite where `erfc` underflows."""

    nfunc_spec = ("scipy.special.erfcx", 1, 1)
    scipy_name = "erfcx"
    c_helper = special_c.ERFCX

    def derivative(self, x, z, gz):
        """``2 x erfcx(x) - 2/sqrt(pi)``."""
        return gz * (in_output_precision(-TWO_OVER_SQRT_PI, z) + 2.0 * x * erfcx(x))


class Erfinv(_Special, UnaryMath):
    """Inverse of `erf`."""

    nfunc_spec = ("scipy.special.erfinv", 1, 1)
    scipy_name = "erfinv"
    c_helper = special_c.ERFINV

    def derivative(self, x, z, gz):
        """``sqrt(pi)/2 exp(erfinv(x)**2)``."""
        return gz * in_output_precision(HALF_SQRT_PI, z) * exp(erfinv(x) ** 2)


class Erfcinv(_Special, UnaryMath):
    """Inverse of `erfc`."""

    nfunc_spec = ("scipy.special.erfcinv", 1, 1)
    scipy_name = "erfcinv"
    c_helper = special_c.ERFCINV

    def derivative(self, x, z, gz):
        """``-sqrt(pi)/2 exp(erfcinv(x)**2)``."""
        return -gz * in_output_precision(HALF_SQRT_PI, z) * exp(erfcinv(x) ** 2)


class Gamma(_Special, UnaryMath):
    """Gamma function."""

    nfunc_spec = ("scipy.special.gamma", 1, 1)
    scipy_name = "gamma"
    c_helper = special_c.GAMMA

    def derivative(self, x, z, gz):
        """``gamma(x) psi(x)``."""
        return gz * gamma(x) * psi(x)


class GammaLn(_Special, UnaryMath):
    """Logarithm of the absolute value of the gamma function."""

    nfunc_spec = ("scipy.special.gammaln", 1, 1)
    scipy_name = "gammaln"
    c_helper = special_c.GAMMALN

    def derivative(self, x, z, gz):
        """``psi(x)``."""
        return gz * psi(x)


class Psi(_Special, UnaryMath):
    """Digamma function, the derivative of ``log(gamma(x))``."""

    nfunc_spec = ("scipy.special.psi", 1, 1)
    scipy_name = "psi"
    c_helper = special_c.PSI

    def derivative(self, x, z, gz):
        """``tri_gamma(x)``."""
        return gz * tri_gamma(x)


class TriGamma(_Special, UnaryMath):
    """Trigamma function, the derivative of `psi`."""

    c_helper = special_c.TRIGAMMA

    @staticmethod
    def st_impl(x):
        """Compute the value with SciPy."""
        return _scipy_special().polygamma(1, as_float(x))[()]

    def impl(self, x):
        """Compute the value with SciPy, in the input's precision."""
        x = as_float(x)
        value = self.st_impl(x)
        return type(x)(value) if isinstance(x, np.floating) else value

    def L_op(self, inputs, outputs, outputs_gradients):
        """Not available: it would need the tetragamma function."""
        raise NotImplementedError()


class _BinarySpecial(_Special, BinaryScalarOp):
    """Special function of two arguments."""


class Chi2SF(_BinarySpecial):
    """Survival function of the chi-square distribution: the chance that it exceeds `x`, with `k` degrees of freedom."""

    nfunc_spec = ("scipy.stats.chi2.sf", 2, 1)
    c_helper = special_c.CHI2SF

    @staticmethod
    def st_impl(x, k):
        """Compute the value as an upper incomplete gamma function."""
        x, k = as_float(x), as_float(k)
        return _scipy_special().gammaincc(k / 2, np.maximum(x, 0) / 2)


class GammaInc(_BinarySpecial):
    """Regularised lower incomplete gamma function of shape `k` at `x`."""

    nfunc_spec = ("scipy.special.gammainc", 2, 1)
    scipy_name = "gammainc"
    c_helper = special_c.GAMMAINC


class GammaIncC(_BinarySpecial):
    """Regularised upper incomplete gamma function of shape `k` at `x`."""

    nfunc_spec = ("scipy.special.gammaincc", 2, 1)
    scipy_name = "gammaincc"
    c_helper = special_c.GAMMAINCC


class GammaU(_BinarySpecial):
    """Upper incomplete gamma function of shape `k` at `x`, not regularised."""

    c_helper = special_c.GAMMAU

    @staticmethod
    def st_impl(k, x):
        """Compute the value with SciPy."""
        special, k, x = _scipy_special(), as_float(k), as_float(x)
        return special.gammaincc(k, x) * special.gamma(k)


class GammaL(_BinarySpecial):
    """Lower incomplete gamma function of shape `k` at `x`, not regularised."""

    c_helper = special_c.GAMMAL

    @staticmethod
    def st_impl(k, x):
        """Compute the value with SciPy."""
        special, k, x = _scipy_special(), as_float(k), as_float(x)
        return special.gammainc(k, x) * special.gamma(k)


class _UnaryBessel(_Special, UnaryMath):
    """Bessel function of a fixed order."""

    def grad(self, inputs, gout):
        """Apply `derivative`."""
        return [self.derivative(inputs[0], None, gout[0])]

    def L_op(self, inputs, outputs, gout):
        """Apply `derivative`."""
        return self.grad(inputs, gout)


class _BinaryBessel(_BinarySpecial):
    """Bessel function of any real order, its first argument."""

    def grad(self, inputs, grads):
        """Undefined for the order; for the argument, the mean or half difference of the neighbours in order."""
        from theano_compat.gradient import grad_not_implemented

        (v, x), (gz,) = inputs, grads
        below, above = self(v - 1, x), self(v + 1, x)
        return [grad_not_implemented(self, 0, v), gz * self.combine(below, above) / 2.0]


class Jv(_BinaryBessel):
    """Bessel function of the first kind of order `v`."""

    nfunc_spec = ("scipy.special.jv", 2, 1)
    scipy_name = "jv"

    @staticmethod
    def combine(below, above):
        """Difference of the neighbours."""
        return below - above


class Iv(_BinaryBessel):
    """Modified Bessel function of the first kind of order `v`."""

    nfunc_spec = ("scipy.special.iv", 2, 1)
    scipy_name = "iv"

    @staticmethod
    def combine(below, above):
        """Sum of the neighbours."""
        return below + above


class J0(_UnaryBessel):
    """Bessel function of the first kind of order 0."""

    nfunc_spec = ("scipy.special.j0", 1, 1)
    scipy_name = c_function = "j0"

    def derivative(self, x, z, gz):
        """``-j1(x)``."""
        return gz * -1 * j1(x)


class J1(_UnaryBessel):
    """Bessel function of the first kind of order 1."""

    nfunc_spec = ("scipy.special.j1", 1, 1)
    scipy_name = c_function = "j1"

    def derivative(self, x, z, gz):
        """``(j0(x) - jv(2, x)) / 2``."""
        return gz * (j0(x) - jv(2, x)) / 2.0


class I0(_UnaryBessel):
    """Modified Bessel function of the first kind of order 0."""

    nfunc_spec = ("scipy.special.i0", 1, 1)
    scipy_name = "i0"
    c_helper = special_c.I0

    def derivative(self, x, z, gz):
        """``i1(x)``."""
        return gz * i1(x)


class I1(_UnaryBessel):
    """Modified Bessel function of the first kind of order 1."""

    nfunc_spec = ("scipy.special.i1", 1, 1)
    scipy_name = "i1"
    c_helper = special_c.I1

    def derivative(self, x, z, gz):
        """``(i0(x) + iv(2, x)) / 2``."""
        return gz * (i0(x) + iv(2, x)) / 2.0


erf = Erf(upgrade_to_float, name="erf")
erfc = Erfc(upgrade_to_float_no_complex, name="erfc")
erfcx = Erfcx(upgrade_to_float_no_complex, name="erfcx")
erfinv = Erfinv(upgrade_to_float_no_complex, name="erfinv")
erfcinv = Erfcinv(upgrade_to_float_no_complex, name="erfcinv")
gamma = Gamma(upgrade_to_float, name="gamma")
gammaln = GammaLn(upgrade_to_float, name="gammaln")
psi = Psi(upgrade_to_float, name="psi")
tri_gamma = TriGamma(upgrade_to_float, name="tri_gamma")
chi2sf = Chi2SF(upgrade_to_float64, name="chi2sf")
gammainc = GammaInc(upgrade_to_float, name="gammainc")
gammaincc = GammaIncC(upgrade_to_float, name="gammaincc")
gammau = GammaU(upgrade_to_float, name="gammau")
gammal = GammaL(upgrade_to_float, name="gammal")
jv = Jv(upgrade_to_float, name="jv")
iv = Iv(upgrade_to_float, name="iv")
j0 = J0(upgrade_to_float, name="j0")
j1 = J1(upgrade_to_float, name="j1")
i0 = I0(upgrade_to_float, name="i0")
i1 = I1(upgrade_to_float, name="i1")
