"""C functions that scalar ops call, as text: plain C99 with ``stdint.h`` and ``math.h``."""
from __future__ import annotations

from dataclasses import dataclass

from theano_compat.scalar.ctext import ctype, suffix
from theano_compat.scalar.dtypes import SIGNED, UNSIGNED


@dataclass(frozen=True)
class Helper:
    """One C function: its name, its text, and the helpers that it calls itself."""

    name: str
    text: str
    needs: tuple = ()

    def call(self, *args: str) -> str:
        """Write a call."""
        return f"{self.name}({', '.join(args)})"

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts needed, in order of definition."""
        if not self.text:
            return ()
        found: dict = {}
        for helper in self.needs:
            found.update(dict.fromkeys(helper.texts))
        found[self.text] = None
        return tuple(found)


#: Stands for the absence of a helper.
NOTHING = Helper("", "")


def helper_for(by_int: dict, by_float: dict, dtype: str) -> Helper:
    """Find the helper of a dtype in the table of integers or in that of floats."""
    return by_int.get(dtype) or by_float.get(dtype) or NOTHING


def _int_floor_div(dtype):
    c, u = ctype(dtype), "uint64_t" if dtype == "int64" else "uint32_t"
    return Helper(
        f"tc_floordiv_{dtype}",
        f"""static inline {c} tc_floordiv_{dtype}({c} x, {c} y) {{
  if (y == 0) return 0;
  if (y == -1) return ({c})(0 - ({u})x);
  {c} q = ({c})(x / y);
  return ({c})(q - ((x % y != 0) && ((x < 0) != (y < 0))));
}}""",
    )


def _int_mod(dtype):
    c = ctype(dtype)
    return Helper(
        f"tc_mod_{dtype}",
        f"""static inline {c} tc_mod_{dtype}({c} x, {c} y) {{
  if (y == 0 || y == -1) return 0;
  {c} r = ({c})(x % y);
  return (r != 0 && ((r < 0) != (y < 0))) ? ({c})(r + y) : r;
}}""",
    )


def _int_pow(dtype):
    c, u = ctype(dtype), "uint64_t" if dtype.endswith("64") else "uint32_t"
    negative = (
        ""
        if dtype.startswith("u")
        else f"  if (n < 0) return ({c})(x == 1 ? 1 : x == -1 ? ((n & 1) ? -1 : 1) : 0);\n"
    )
    return Helper(
        f"tc_pow_{dtype}",
        f"""static inline {c} tc_pow_{dtype}({c} x, {c} n) {{
{negative}  {u} base = ({u})x, result = 1;
  for ({u} left = ({u})n; left; left >>= 1) {{
    if (left & 1) result *= base;
    base *= base;
  }}
  return ({c})result;
}}""",
    )


def _float_mod(dtype):
    c, f = ctype(dtype), suffix(dtype)
    return Helper(
        f"tc_mod_{c}",
        f"""static inline {c} tc_mod_{c}({c} x, {c} y) {{
  {c} r = fmod{f}(x, y);
  if (r != 0) return ((r < 0) != (y < 0)) ? r + y : r;
  return y == 0 ? r : copysign{f}(r, y);
}}""",
    )


def _float_floor_div(dtype):
    c, f = ctype(dtype), suffix(dtype)
    return Helper(
        f"tc_floordiv_{c}",
        f"""static inline {c} tc_floordiv_{c}({c} x, {c} y) {{
  if (y == 0) return x / y;
  {c} r = fmod{f}(x, y);
  {c} q = (x - r) / y;
  if (r != 0 && ((r < 0) != (y < 0))) q -= 1;
  if (q == 0) return copysign{f}(0, x / y);
  {c} whole = floor{f}(q);
  return q - whole > ({c})0.5 ? whole + 1 : whole;
}}""",
    )


def _complex_pow(dtype):
    c, f = ctype(dtype), suffix(dtype)
    return Helper(
        f"tc_pow_{dtype}",
        f"""static inline {c} tc_pow_{dtype}({c} x, {c} y) {{
  if (y == 0) return 1;
  if (x == 0 && creal{f}(y) > 0) return 0;
  return cpow{f}(x, y);
}}""",
    )


COMPLEX_POW = {dtype: _complex_pow(dtype) for dtype in ("complex64", "complex128")}
INT_FLOOR_DIV = {dtype: _int_floor_div(dtype) for dtype in SIGNED}
INT_MOD = {dtype: _int_mod(dtype) for dtype in SIGNED}
INT_POW = {dtype: _int_pow(dtype) for dtype in SIGNED + UNSIGNED}
FLOAT_FLOOR_DIV = {dtype: _float_floor_div(dtype) for dtype in ("float16", "float32", "float64")}
FLOAT_MOD = {dtype: _float_mod(dtype) for dtype in ("float16", "float32", "float64")}
