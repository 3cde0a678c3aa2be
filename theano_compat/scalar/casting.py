"""`Cast` and the fourteen conversions."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import type as t
from theano_compat.scalar.op import UnaryScalarOp
from theano_compat.scalar.outputs import specific_out
from theano_compat.scalar.type import _as_dtype
from theano_compat.scalar.variables import as_scalar


class Cast(UnaryScalarOp):
    """Conversion to a dtype, as NumPy's ``astype``.

    Parameters
    ----------
    o_type : Scalar
        The type to convert to.
    name : str, optional
    """

    def __init__(self, o_type, name=None):
        if not isinstance(o_type, t.Scalar):
            raise TypeError(o_type)
        super().__init__(specific_out(o_type), name=name)
        self.o_type = o_type
        self.ctor = t.names.NUMPY_TYPES[o_type.dtype]

    def __str__(self):
        return f"{type(self).__name__}{{{self.o_type.dtype}}}"

    def clone_float32(self):
        """Give the op with float16 results widened to float32."""
        return convert_to_float32 if self.o_type == t.float16 else self

    def make_new_inplace(self, output_types_preference=None, name=None):
        """Give the same cast with another output rule, for in-place use; its result type stays."""
        new_op = type(self)(self.o_type, name=name)
        if output_types_preference is not None:
            new_op.output_types_preference = output_types_preference
        return new_op

    def impl(self, input):
        """Convert."""
        with np.errstate(all="ignore"):
            if self.o_type not in t.complex_types:
                input = np.real(input) if isinstance(input, (complex, np.complexfloating)) else input
            return _as_dtype(input, self.ctor)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Cast."""
        return ctext.cast(inputs[0], in_dtypes[0], out_dtype)

    def grad(self, inputs, gout):
        """The gradient; zero where the result is an integer."""
        (x,), (gz,) = inputs, gout
        if self.o_type in t.continuous_types:
            if gz.type in t.complex_types and x.type not in t.complex_types:
                from theano_compat.scalar.complex_ops import real

                return [real(gz)]
            return [gz]
        return [x.zeros_like().astype(config.floatX)]


def _conversion(type_):
    return Cast(type_, name=f"convert_to_{type_.dtype}")


convert_to_bool = _conversion(t.bool)
convert_to_int8, convert_to_int16, convert_to_int32, convert_to_int64 = map(_conversion, t.int_types)
convert_to_uint8, convert_to_uint16, convert_to_uint32, convert_to_uint64 = map(_conversion, t.uint_types)
convert_to_float16, convert_to_float32, convert_to_float64 = map(_conversion, t.float_types)
convert_to_complex64, convert_to_complex128 = map(_conversion, t.complex_types)

_cast_mapping = {
    op.o_type.dtype: op
    for op in (
        convert_to_bool,
        convert_to_int8,
        convert_to_int16,
        convert_to_int32,
        convert_to_int64,
        convert_to_uint8,
        convert_to_uint16,
        convert_to_uint32,
        convert_to_uint64,
        convert_to_float16,
        convert_to_float32,
        convert_to_float64,
        convert_to_complex64,
        convert_to_complex128,
    )
}


def cast(x, dtype):
    """Convert a scalar to `dtype`, leaving it alone where it has that dtype.

    Parameters
    ----------
    x : number or scalar variable
    dtype : str
        A dtype's name, or ``'floatX'``.

    Returns
    -------
    ScalarVariable
    """
    if dtype == "floatX":
        dtype = config.floatX
    x = as_scalar(x)
    if x.type.dtype == dtype:
        return x
    return _cast_mapping[dtype](x)
