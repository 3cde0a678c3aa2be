"""Complex numbers: parts, conjugate, and construction."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import outputs as rules
from theano_compat.scalar import type as t
from theano_compat.scalar.op import BinaryScalarOp, UnaryScalarOp


class Real(UnaryScalarOp):
    """Real part."""

    def impl(self, x):
        """Take it."""
        return np.real(x)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call ``creal``."""
        ((x,), (dtype,)) = inputs, in_dtypes
        return f"creal{ctext.suffix(dtype)}({x})" if dtype in ctext.COMPLEX else x

    def grad(self, inputs, gout):
        """The gradient as a real part."""
        (x,), (gz,) = inputs, gout
        if x.type in t.discrete_types:
            return [x.zeros_like(dtype=config.floatX)]
        return [complex(gz, 0) if x.type in t.complex_types else gz]


class Imag(UnaryScalarOp):
    """Imaginary part."""

    nfunc_spec = ("imag", 1, 1)

    def impl(self, x):
        """Take it."""
        return np.imag(x)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call ``cimag``."""
        ((x,), (dtype,)) = inputs, in_dtypes
        if dtype in ctext.COMPLEX:
            return f"cimag{ctext.suffix(dtype)}({x})"
        return f"(({ctext.ctype(out_dtype)})0)"

    def grad(self, inputs, gout):
        """The gradient as an imaginary part; zero for a real input."""
        (x,), (gz,) = inputs, gout
        if x.type in t.complex_types:
            return [complex(0, gz)]
        if x.type in t.float_types:
            return [second(x, 0)]
        return [x.zeros_like(dtype=config.floatX)]


class Angle(UnaryScalarOp):
    """Angle of a complex number, in radians between -pi and pi."""

    nfunc_spec = ("angle", 1, 1)

    def impl(self, x):
        """Measure it."""
        return np.angle(np.complex128(x))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call ``carg``; for a real number, 0 or pi."""
        ((x,), (dtype,)) = inputs, in_dtypes
        if dtype in ctext.COMPLEX:
            return f"carg({ctext.cast(x, dtype, 'complex128')})"
        return f"atan2(0.0, (double){x})"

    def grad(self, inputs, gout):
        """The gradient turned by a quarter and divided by the modulus; zero for a real input.

        Notes
        -----
        With ``z = a + ib`` the angle changes by ``(a db - b da) / |z|**2``.
        """
        (z,), (gz,) = inputs, gout
        if z.type not in t.complex_types:
            return [z.zeros_like(dtype=config.floatX)]
        a, b = real(z), imag(z)
        scale = gz / (a * a + b * b)
        return [complex(-b * scale, a * scale).astype(z.type.dtype)]


class Complex(BinaryScalarOp):
    """Complex number from its real and imaginary part."""

    @staticmethod
    def output_types_preference(x, y):
        """The complex type whose parts hold both."""
        return rules.complex_out(x, y)

    def impl(self, x, y):
        """Put together."""
        wide = np.result_type(np.float32 if np.asarray(x).dtype.itemsize < 4 else np.asarray(x), np.asarray(y))
        out = np.empty((), np.complex128 if wide.itemsize > 4 else np.complex64)
        out.real, out.imag = x, y
        return out[()]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Put together without multiplying, which would spoil infinities."""
        part = "float32" if out_dtype == "complex64" else "float64"
        x, y = ctext.cast_all(inputs, in_dtypes, part)
        return f"tc_complex_{out_dtype}({x}, {y})"

    def c_helpers(self, in_dtypes, out_dtype):
        """A constructor through the memory layout that C99 promises."""
        return (complex_helper(out_dtype),)

    def grad(self, inputs, gout):
        """The parts of the gradient."""
        (x, y), (gz,) = inputs, gout
        return [_as_type(real(gz), x), _as_type(imag(gz), y)]


def complex_helper(dtype: str) -> str:
    """Give the C function that builds a complex value of `dtype`."""
    part, whole = ("float", "float _Complex") if dtype == "complex64" else ("double", "double _Complex")
    return (
        f"static inline {whole} tc_complex_{dtype}({part} re, {part} im) {{\n"
        f"  union {{ {part} parts[2]; {whole} whole; }} u;\n"
        "  u.parts[0] = re; u.parts[1] = im;\n  return u.whole;\n}"
    )


def _as_type(gradient, x):
    from theano_compat.scalar.casting import cast

    return cast(gradient, x.type.dtype)


class Conj(UnaryScalarOp):
    """Conjugate."""

    nfunc_spec = ("conj", 1, 1)

    def impl(self, x):
        """Negate the imaginary part."""
        return np.conj(np.int8(x) if isinstance(x, np.bool_) else x)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call ``conj``."""
        ((x,), (dtype,)) = inputs, in_dtypes
        if dtype in ctext.COMPLEX:
            return f"conj{ctext.suffix(dtype)}({x})"
        return ctext.cast(x, dtype, out_dtype)

    def grad(self, inputs, gout):
        """The conjugate of the gradient."""
        (x,), (gz,) = inputs, gout
        if x.type in t.discrete_types:
            return [x.zeros_like(dtype=config.floatX)]
        return [conj(gz)]


class ComplexFromPolar(BinaryScalarOp):
    """Complex number from modulus and angle."""

    @staticmethod
    def output_types_preference(x, y):
        """The complex type whose parts hold both."""
        return rules.complex_out(x, y)

    def impl(self, r, theta):
        """Put together."""
        return complex.impl(r * np.cos(theta), r * np.sin(theta))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Put together."""
        part = "float32" if out_dtype == "complex64" else "float64"
        r, theta = ctext.cast_all(inputs, in_dtypes, part)
        f = ctext.suffix(part)
        return f"tc_complex_{out_dtype}({r} * cos{f}({theta}), {r} * sin{f}({theta}))"

    def c_helpers(self, in_dtypes, out_dtype):
        """A constructor."""
        return (complex_helper(out_dtype),)

    def grad(self, inputs, gout):
        """Project the gradient on the directions of growing modulus and growing angle.

        Notes
        -----
        ``dz = (cos + i sin) dr + r (-sin + i cos) dtheta``.
        """
        from theano_compat.scalar.transcendental import cos, sin

        (r, theta), (gz,) = inputs, gout
        c, s, a, b = cos(theta), sin(theta), real(gz), imag(gz)
        found = [a * c + b * s, r * (b * c - a * s)]
        return [
            x.zeros_like(dtype=config.floatX) if x.type in t.discrete_types else _as_type(g, x)
            for x, g in zip(inputs, found)
        ]


def second(x, y):
    """Give `y` with the shape of `x`."""
    from theano_compat.scalar.choice import second

    return second(x, y)


real = Real(rules.real_out, name="real")
imag = Imag(rules.real_out, name="imag")
angle = Angle(rules.specific_out(t.float64), name="angle")
complex = Complex(name="complex")
conj = Conj(rules.same_out_min8, name="conj")
complex_from_polar = ComplexFromPolar(name="complex_from_polar")
