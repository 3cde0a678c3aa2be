"""Functions of ``math.h`` in plain C that compilers can vectorise: for machines and compilers without vector variants of their own.

Each is one expression without branches or calls: the argument is brought into a small interval, a Taylor polynomial does the rest, and special values are blended in at
the end. Errors stay below 4 units in the last place; NaN, infinities, signed zeros and subnormal numbers are as the C standard has them.

Sine and cosine are not among them: their arguments can be so large that a reduction without branches costs more than the C library's own function (tried for ``float``
with a table of multiples of 2/pi: 7 to 9 ns per element against 2.7).

References
----------
W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980 (reduction by a constant in two parts).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["FUNCTIONS", "available", "definitions"]

#: ln 2 to 200 bits.
_LN2 = Fraction(0xB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D8A, 1 << 200)


def _rounded(value: Fraction, bits: int) -> Fraction:
    """Return the number of `bits` significant bits next to a value."""
    if not value:
        return value
    scale = bits - math.floor(math.log2(abs(value))) - 1
    factor = Fraction(2) ** scale
    return Fraction(round(value * factor)) / factor


class _Kind:
    """A floating-point type: how its numbers are written and taken apart."""

    def __init__(self, dtype: str) -> None:
        double = dtype == "float64"
        self.double = double
        self.suffix = "" if double else "f"
        self.mantissa = 52 if double else 23
        self.names = {
            "T": "double" if double else "float",
            "U": "uint64_t" if double else "uint32_t",
            "INLINE": "static inline __attribute__((always_inline))",
            "M": str(self.mantissa),
            "BIAS": "1023" if double else "127",
            "MAGIC": self.literal(Fraction(3, 2) * 2**self.mantissa),
            "LOG2E": self.literal(1 / _LN2),
            "LN2HI": self.literal(_rounded(_LN2, 32 if double else 11)),
            "LN2LO": self.literal(_LN2 - _rounded(_LN2, 32 if double else 11)),
            "INF": "((T)INFINITY)",
        }

    def literal(self, value: Fraction) -> str:
        """Write a number in full precision."""
        near = _rounded(value, self.mantissa + 1)
        return float(near).hex() + self.suffix

    def polynomial(self, coefficients: Sequence[Fraction], variable: str) -> str:
        """Write c0 + x (c1 + x (c2 + ...))."""
        text = self.literal(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            text = f"({self.literal(c)} + {variable} * {text})"
        return text


# In the texts below @ stands for the suffix of the function, and the words of _Kind.names for what the type has.

_COMMON = """
INLINE U tc_bits@(T x) { U u; memcpy(&u, &x, sizeof u); return u; }
INLINE T tc_value@(U u) { T x; memcpy(&x, &u, sizeof x); return x; }
/* 2 to the power n, given n + MAGIC, whose last bits are those of n */
INLINE T tc_power@(T t) { return tc_value@((tc_bits@(t) + BIAS) << M); }
INLINE T tc_with_sign@(T x, T sign)
{
    const U top = (U)1 << (sizeof(U) * 8 - 1);
    return tc_value@((tc_bits@(x) & ~top) | (tc_bits@(sign) & top));
}
"""

_EXP = """
INLINE T tc_v_exp@(T x)
{
    T y = x < LOWEST ? LOWEST : x;
    y = y > HIGHEST ? HIGHEST : y;
    const T n = (y * LOG2E + MAGIC) - MAGIC;
    const T r = (y - n * LN2HI) - n * LN2LO;
    /* two factors, so that neither leaves the range */
    const T half = n * HALF + MAGIC, rest = (n - (half - MAGIC)) + MAGIC;
    return ((T)1 + (r + r * r * POLYNOMIAL)) * tc_power@(half) * tc_power@(rest);
}
"""

_EXPM1 = """
INLINE T tc_v_expm1@(T x)
{
    T y = x < LOWEST ? LOWEST : x;
    y = y > HIGHEST ? HIGHEST : y;
    const T n = (y * LOG2E + MAGIC) - MAGIC;
    const T r = (y - n * LN2HI) - n * LN2LO;
    const T half = tc_power@((n - (T)1) + MAGIC);
    const T z = (half * (r + r * r * POLYNOMIAL) + (half - HALF)) * (T)2;
    const T tiny = x < 0 ? -x : x;
    return tiny < TINY ? x : z;
}
"""

_TANH = """
INLINE T tc_v_tanh@(T x)
{
    T y = x < 0 ? -x : x;
    y = y > HIGHEST ? HIGHEST : y;
    const T e = tc_v_expm1@(y + y);
    return tc_with_sign@(e / (e + (T)2), x);
}
"""

_LOG_CORE = """
/* log(x) + more for positive, finite x; `more` is small */
INLINE T tc_log_core@(T x, T more)
{
    const int small = x < SMALLEST_NORMAL;
    const U bits = tc_bits@(small ? x * RAISE : x);
    /* the mantissa between sqrt(1/2) and sqrt(2); the exponent is kept positive while it is an integer */
    const U shifted = bits - ROOT + ((U)2 * BIAS << M);
    const T m = tc_value@((shifted & (((U)1 << M) - 1)) + ROOT);
    const T e = (tc_value@((shifted >> M) | tc_bits@(WHOLE)) - WHOLE) - (T)(2 * BIAS) - (small ? RAISED : (T)0);
    const T f = m - (T)1, s = f / (f + (T)2), z = s * s, h = HALF * f * f;
    const T tail = s * (h + z * POLYNOMIAL) + (e * LN2LO + more);
    return e * LN2HI + (f - (h - tail));
}
"""

_LOG = """
INLINE T tc_v_log@(T x)
{
    T y = tc_log_core@(x, (T)0);
    y = x > 0 ? y : (x == 0 ? -INF : (T)NAN);
    return x == INF ? x : y;
}
"""

_LOG1P = """
INLINE T tc_v_log1p@(T x)
{
    const T u = (T)1 + x, lost = u > (T)2 ? (T)1 - (u - x) : x - (u - (T)1);
    T y = tc_log_core@(u, lost / u);
    y = u > 0 ? y : (u == 0 ? -INF : (T)NAN);
    y = x == INF ? x : y;
    const T tiny = x < 0 ? -x : x;
    return tiny < TINY ? x : y;
}
"""

#: name -> dtypes
FUNCTIONS = dict.fromkeys(("exp", "expm1", "log", "log1p", "tanh"), ("float32", "float64"))
_NEEDS = {"tanh": ("expm1",), "log": ("log_core",), "log1p": ("log_core",)}


def available(function: str, dtype: str) -> bool:
    """Tell whether a function is there for a dtype."""
    return dtype in FUNCTIONS.get(function, ())


def _exponential(kind: _Kind, text: str, low: str, high: str) -> str:
    terms = [Fraction(1, math.factorial(k)) for k in range(2, 15 if kind.double else 9)]
    return text.replace("POLYNOMIAL", kind.polynomial(terms, "r")).replace("LOWEST", low).replace("HIGHEST", high)


def _logarithm(kind: _Kind, text: str) -> str:
    terms = [Fraction(2, 2 * k + 3) for k in range(12 if kind.double else 5)]
    smallest, raised = (-1022, 54) if kind.double else (-126, 25)
    root = "0x3fe6a09e667f3bcdu" if kind.double else "0x3f3504f3u"
    words = {
        "POLYNOMIAL": kind.polynomial(terms, "z"),
        "SMALLEST_NORMAL": kind.literal(Fraction(2) ** smallest),
        "RAISED": kind.literal(Fraction(raised)),
        "RAISE": kind.literal(Fraction(2) ** raised),
        "ROOT": f"((U){root})",
        "WHOLE": kind.literal(Fraction(2) ** kind.mantissa),
    }
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@functools.cache
def _piece(name: str, dtype: str) -> str:
    kind = _Kind(dtype)
    double = kind.double
    if name == "common":
        text = _COMMON
    elif name == "exp":
        text = _exponential(kind, _EXP, *(("-746.0", "710.0") if double else ("-104.0f", "89.0f")))
    elif name == "expm1":
        text = _exponential(kind, _EXPM1, *(("-60.0", "710.0") if double else ("-30.0f", "89.0f")))
    elif name == "tanh":
        text = _TANH.replace("HIGHEST", "22.0" if double else "11.0f")
    elif name == "log_core":
        text = _logarithm(kind, _LOG_CORE)
    else:
        text = {"log": _LOG, "log1p": _LOG1P}[name]
    words = {"TINY": kind.literal(Fraction(1, 2 ** (kind.mantissa + 3))), "HALF": kind.literal(Fraction(1, 2)), **kind.names}
    return _substitute(text, words).replace("@", kind.suffix)


def _substitute(text: str, words: dict[str, str]) -> str:
    pattern = re.compile(r"\b(" + "|".join(words) + r")\b")
    # INF is written with T, so once is not enough.
    return pattern.sub(lambda m: words[m.group()], pattern.sub(lambda m: words[m.group()], text))


def definitions(functions: Sequence[tuple[str, str]]) -> str:
    """Return C text after which calls of some functions of ``math.h`` mean the ones of this module.

    Parameters
    ----------
    functions : sequence of (str, str)
        Name without the suffix ``f``, and ``"float32"`` or ``"float64"``.
    """
    pieces: dict[tuple[str, str], None] = {}
    macros = []
    for name, dtype in functions:
        for part in ("common", *_NEEDS.get(name, ()), name):
            pieces[part, dtype] = None
        c_name = name + ("" if dtype == "float64" else "f")
        macros.append(f"#define {c_name}(x) tc_v_{c_name}(x)")
    return "\n".join([*(_piece(*piece).strip() for piece in pieces), *macros]) + "\n" if pieces else ""
