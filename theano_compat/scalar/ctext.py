"""Small writers of C99 expressions, shared by all scalar ops."""
from __future__ import annotations

from theano_compat.gof.utils import MethodNotDefined
from theano_compat.scalar.dtypes import C_NAMES, COMPLEX, DISCRETE, FLOATS, UNSIGNED, upcast

#: Unsigned C type in which integer arithmetic of a dtype wraps around instead of being undefined.
WRAPPING = {
    "bool": "uint32_t",
    **{f"{u}int{n}": "uint32_t" for u in ("", "u") for n in (8, 16, 32)},
    **{f"{u}int64": "uint64_t" for u in ("", "u")},
}


def ctype(dtype: str) -> str:
    """Name the C type of a value of `dtype` inside an expression."""
    return C_NAMES[dtype][0]


def cast(x: str, source: str, target: str) -> str:
    """Write `x` of dtype `source` as a value of dtype `target`, as NumPy casts.

    Notes
    -----
    A float beyond the range of a narrow integer goes through a wider one first, which makes the
    result the same as NumPy's on machines whose conversion instructions have 32 and 64 bits.
    """
    if ctype(source) == ctype(target) and "bool" not in (source, target):
        return x
    if source == target:
        return x
    if target == "bool":
        return f"({x} != 0)"
    if source in COMPLEX and target not in COMPLEX:
        part = "float64" if source == "complex128" else "float32"
        return cast(f"creal{suffix(source)}({x})", part, target)
    if source in FLOATS:
        if target in ("int8", "int16", "uint8", "uint16"):
            return f"(({ctype(target)})(int32_t){x})"
        if target == "uint32":
            return f"((uint32_t)(int64_t){x})"
    return f"(({ctype(target)}){x})"


def cast_all(inputs, in_dtypes, target) -> list[str]:
    """Write all inputs as values of dtype `target`."""
    return [cast(x, source, target) for x, source in zip(inputs, in_dtypes)]


def suffix(dtype: str) -> str:
    """Give the ending of libm's names for `dtype`: ``'f'`` in single precision."""
    return "f" if dtype in ("float16", "float32", "complex64") else ""


def call(function: str, dtype: str, *args: str) -> str:
    """Call a libm function in the precision of `dtype`, in its complex form for complex ones."""
    if dtype in DISCRETE:
        raise MethodNotDefined(f"{function} in C for {dtype}")
    prefix = "c" if dtype in COMPLEX else ""
    return f"{prefix}{function}{suffix(dtype)}({', '.join(args)})"


def refuse_complex(name: str, *dtypes: str) -> None:
    """Raise MethodNotDefined where one of the dtypes is complex."""
    if any(dtype in COMPLEX for dtype in dtypes):
        raise MethodNotDefined(f"{name} in C for complex")


def literal(value: float, dtype: str) -> str:
    """Write a float constant in the precision of `dtype`."""
    return float(value).hex() + suffix(dtype)


def chain(operator: str, inputs, in_dtypes, out_dtype: str) -> str:
    """Write ``a op b op c``, with integers wrapping around as in NumPy.

    It is computed in the common dtype of operands and result: an op that works in place may have a narrower result.
    """
    if out_dtype == "bool":
        raise ValueError("bool has its own operators")
    common = upcast(*in_dtypes, out_dtype)
    if operator == "/" and common in DISCRETE:
        common = "float64"
    if common != out_dtype:
        return cast(chain(operator, inputs, in_dtypes, common), common, out_dtype)
    args = cast_all(inputs, in_dtypes, out_dtype)
    if out_dtype not in DISCRETE:
        return f"({f' {operator} '.join(args)})"
    wide = WRAPPING[out_dtype]
    return f"(({ctype(out_dtype)})({f' {operator} '.join(f'({wide}){a}' for a in args)}))"


def compare(operator: str, x: str, y: str, x_dtype: str, y_dtype: str) -> str:
    """Write the comparison of two real numbers by value, whatever their dtypes.

    Notes
    -----
    C would turn a negative int64 into a huge uint64, and would round int64 to float32; neither happens here.
    """
    if x_dtype == y_dtype:
        return f"({x} {operator} {y})"
    pair = {x_dtype, y_dtype}
    if "uint64" in pair and pair & {"int8", "int16", "int32", "int64"}:
        signed_first = y_dtype == "uint64"
        signed = x if signed_first else y
        if operator in ("==", "!="):
            join, sign = ("&&", ">=") if operator == "==" else ("||", "<")
            return f"(({signed} {sign} 0) {join} ((uint64_t){x} {operator} (uint64_t){y}))"
        negative_true = (operator in ("<", "<=")) == signed_first
        join, sign = ("||", "<") if negative_true else ("&&", ">=")
        return f"(({signed} {sign} 0) {join} ((uint64_t){x} {operator} (uint64_t){y}))"
    common = upcast(x_dtype, y_dtype)
    if common == "bool":
        return f"({x} {operator} {y})"
    return f"({cast(x, x_dtype, common)} {operator} {cast(y, y_dtype, common)})"


def is_unsigned(dtype: str) -> bool:
    """Tell whether values of `dtype` are never negative."""
    return dtype in UNSIGNED or dtype == "bool"
