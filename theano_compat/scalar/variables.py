"""Scalar variables and constants, their operators, and the way plain numbers become them."""
from __future__ import annotations

from theano_compat.gof import Apply, Constant, Variable
from theano_compat.scalar.autocast import convert
from theano_compat.scalar.type import Scalar, get_scalar_type


def _ops():
    """Give the module of scalar ops; it needs variables itself, so it is found at call time."""
    from theano_compat.scalar import basic

    return basic


def _binary(name, reflected=False):
    if reflected:
        return lambda self, other: getattr(_ops(), name)(other, self)
    return lambda self, other: getattr(_ops(), name)(self, other)


def _unary(name):
    return lambda self: getattr(_ops(), name)(self)


class _scalar_py_operators:
    """Python's operators for scalar variables."""

    __slots__ = ()
    ndim = 0

    dtype = property(lambda self: self.type.dtype, doc="Name of the element type.")

    # Without this, two variables could not be keys of one dictionary: == is identity here.
    __hash__ = object.__hash__

    __abs__, __neg__, __invert__ = _unary("abs_"), _unary("neg"), _unary("invert")
    __lt__, __le__, __gt__, __ge__ = map(_binary, ("lt", "le", "gt", "ge"))
    __add__, __sub__, __mul__, __pow__ = map(_binary, ("add", "sub", "mul", "pow"))
    __truediv__ = __div__ = _binary("div_proxy")
    __floordiv__, __mod__ = _binary("int_div"), _binary("mod_check")
    __and__, __or__, __xor__ = map(_binary, ("and_", "or_", "xor"))
    __radd__, __rsub__, __rmul__, __rpow__ = (_binary(n, True) for n in ("add", "sub", "mul", "pow"))
    __rtruediv__ = __rdiv__ = _binary("div_proxy", True)
    __rfloordiv__, __rmod__ = _binary("int_div", True), _binary("mod_check", True)
    __rand__, __ror__, __rxor__ = (_binary(n, True) for n in ("and_", "or_", "xor"))

    def __bool__(self):
        """Say True, as for any object: the value is not known."""
        return True

    def astype(self, dtype):
        """Convert to `dtype`."""
        return _ops().cast(self, dtype)

    def zeros_like(self, dtype=None):
        """Make a zero that hangs on this variable, of its dtype or another."""
        return self._filled(0, dtype)

    def ones_like(self, dtype=None):
        """Make a one that hangs on this variable, of its dtype or another."""
        return self._filled(1, dtype)

    def _filled(self, number, dtype):
        type_ = get_scalar_type(str(self.type.dtype) if dtype is None else dtype)
        # A bare constant would lose the shape when Elemwise carries the gradient over to tensors.
        return _ops().second(self, ScalarConstant(type_, number))


class ScalarVariable(_scalar_py_operators, Variable):
    """Variable of type `Scalar`."""


class ScalarConstant(_scalar_py_operators, Constant):
    """Constant of type `Scalar`."""


# Registered on the type so that gof can make constants without knowing this module.
Scalar.Constant = ScalarConstant


def constant(x, name=None, dtype=None):
    """Make a scalar constant.

    Parameters
    ----------
    x : number or 0-d array
    name : str, optional
    dtype : str, optional
        Default: the smallest that holds `x`, as ``config.cast_policy`` says.

    Returns
    -------
    ScalarConstant
    """
    x = convert(x, dtype)
    if x.ndim != 0:
        raise AssertionError(f"A scalar constant needs one number, got an array of shape {x.shape}.")
    return ScalarConstant(get_scalar_type(str(x.dtype)), x[()], name=name)


def as_scalar(x, name=None):
    """Make a scalar variable of `x`.

    Parameters
    ----------
    x : number, scalar variable, 0-d tensor variable or apply node with one output

    Returns
    -------
    ScalarVariable or ScalarConstant

    Raises
    ------
    TypeError
        `x` is no scalar.
    """
    if isinstance(x, Apply):
        if len(x.outputs) != 1:
            raise ValueError("It is ambiguous which output of a multi-output Op has to be fetched.", x)
        x = x.outputs[0]
    if isinstance(x, Variable):
        if isinstance(x.type, Scalar):
            return x
        from theano_compat.tensor import TensorType, scalar_from_tensor

        if isinstance(x.type, TensorType) and x.ndim == 0:
            return scalar_from_tensor(x)
        raise TypeError("Variable type field must be a Scalar.", x, x.type)
    try:
        return constant(x)
    except TypeError:
        raise TypeError(f"Cannot convert {x} to Scalar", type(x)) from None


def as_common_dtype(*variables):
    """Cast all variables to the dtype that holds them all."""
    from theano_compat.scalar.dtypes import upcast

    dtype = upcast(*[v.dtype for v in variables])
    return (v.astype(dtype) for v in variables)
