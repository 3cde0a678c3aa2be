"""Symbolic arrays: variables and constants of type TensorType, with NumPy's operators and methods.

The operators and most methods only forward to the function of the same name in `theano_compat.tensor`;
the tables below name them. Indexing is in `theano_compat.tensor.basic.getitem`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable

import numpy as np

from theano_compat import config
from theano_compat.gof import Constant, Variable
from theano_compat.gof.utils import hash_from_code
from theano_compat.scalar import ComplexError
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.utils import hash_from_ndarray

integer_types = (int, np.integer)
PY3 = True


class AsTensorError(TypeError):
    """Something cannot be made a tensor variable."""


def _function(name):
    """Return a function of `theano_compat.tensor.basic`, which is imported after this module."""
    return getattr(sys.modules["theano_compat.tensor.basic"], name)


def equal_slices(s1, s2):
    """Return whether two slices have the same start, stop and step."""
    return (s1.start, s1.stop, s1.step) == (s2.start, s2.stop, s2.step)


# operator -> function, called as (self, other); reflected ones are called as (other, self)
_BINARY = {
    "__add__": "add", "__sub__": "sub", "__mul__": "mul", "__pow__": "pow",
    "__truediv__": "true_div", "__div__": "div_proxy", "__floordiv__": "floor_div",
    "__and__": "and_", "__or__": "or_", "__xor__": "xor",
}  # fmt: skip
_REFLECTED = {
    "__radd__": "add", "__rsub__": "sub", "__rmul__": "mul", "__rpow__": "pow",
    "__rtruediv__": "true_div", "__rdiv__": "div_proxy", "__rfloordiv__": "floor_div",
    "__rand__": "and_", "__ror__": "or_", "__rxor__": "xor",
    "__rmod__": "mod", "__rdivmod__": "divmod", "__rdot__": "dot",
}  # fmt: skip
_UNARY = {
    "__abs__": "abs_", "__neg__": "neg", "__invert__": "invert",
    "__ceil__": "ceil", "__floor__": "floor", "__trunc__": "trunc",
    "conj": "conj", "conjugate": "conj",
    **{
        name: name
        for name in (
            "arccos arccosh arcsin arcsinh arctan arctanh ceil cos cosh deg2rad exp exp2 expm1 floor "
            "log log10 log1p log2 rad2deg sin sinh sqrt tan tanh trunc"
        ).split()
    },
}  # fmt: skip


def _install(table, make):
    """Return a class decorator that adds one method for each entry of `table`."""

    def decorate(cls):
        for method_name, function_name in table.items():
            method = make(function_name, method_name)
            method.__name__ = method_name
            method.__qualname__ = f"{cls.__name__}.{method_name}"
            method.__doc__ = f"See `theano_compat.tensor.{function_name}`."
            setattr(cls, method_name, method)
        return cls

    return decorate


def _make_binary(function_name, method_name):
    def method(self, other):
        # what cannot be made a tensor may know the operation itself: let Python ask it
        try:
            return _function(function_name)(self, other)
        except (NotImplementedError, AsTensorError):
            return NotImplemented

    return method


def _make_mod(function_name, method_name):
    def method(self, other):
        try:
            return _function(function_name)(self, other)
        except ComplexError:
            raise
        except (NotImplementedError, AsTensorError):
            return NotImplemented

    return method


def _make_comparison(function_name, method_name):
    def method(self, other):
        compared = _function(function_name)(self, other)
        compared._is_nonzero = False
        return compared

    return method


def _make_reflected(function_name, method_name):
    def method(self, other):
        return _function(function_name)(other, self)

    return method


def _make_unary(function_name, method_name):
    def method(self):
        return _function(function_name)(self)

    return method


@_install(_BINARY, _make_binary)
@_install({"__mod__": "mod_check"}, _make_mod)
@_install({"__divmod__": "divmod", "__dot__": "dot"}, _make_binary)
@_install({"__lt__": "lt", "__le__": "le", "__gt__": "gt", "__ge__": "ge"}, _make_comparison)
@_install(_REFLECTED, _make_reflected)
@_install(_UNARY, _make_unary)
class _tensor_py_operators:
    """NumPy-like operators, methods and properties for everything that stands for an array."""

    __slots__ = ()
    __array_priority__ = 1000
    """Above that of ndarray, so that ``ndarray + variable`` asks the variable."""

    _is_nonzero = True

    def __bool__(self):
        if self._is_nonzero:
            return True
        raise TypeError("Variables do not support boolean operations.")

    __nonzero__ = __bool__

    # --- type -------------------------------------------------------------------------------------

    dtype = property(lambda self: self.type.dtype, doc="Element type, as NumPy's name for it.")
    ndim = property(lambda self: self.type.ndim, doc="Number of dimensions.")
    broadcastable = property(
        lambda self: self.type.broadcastable, doc="For each dimension, whether its length is known to be one."
    )

    # --- shape ------------------------------------------------------------------------------------

    @property
    def shape(self):
        """Symbolic vector (int64) of the lengths of the dimensions."""
        return _function("shape")(self)

    @property
    def size(self):
        """Symbolic number of elements."""
        return _function("prod")(self.shape) if self.ndim != 1 else self.shape[0]

    @property
    def T(self):
        """The variable with its dimensions in reverse order."""
        return _function("transpose")(self)

    def reshape(self, shape, ndim=None):
        """Return the variable with another shape; see `theano_compat.tensor.reshape`."""
        if ndim is not None and not isinstance(ndim, integer_types):
            raise ValueError(f"Expected ndim to be an integer, is {type(ndim)}")
        return _function("reshape")(self, shape, ndim=ndim)

    def dimshuffle(self, *pattern):
        """Return the variable with its dimensions reordered, dropped or added.

        Parameters
        ----------
        pattern : int or 'x'
            For each dimension of the result the dimension of the variable that becomes it, or ``'x'`` for a
            new one of length one. A single list or tuple may hold them all. Dimensions that are not named
            are dropped and must be broadcastable.

        Examples
        --------
        ``x.dimshuffle('x', 0)`` makes a row of a vector, ``x.dimshuffle(1, 0)`` transposes a matrix.
        """
        from theano_compat.tensor.elemwise import DimShuffle

        if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)):
            pattern = pattern[0]
        return DimShuffle(list(self.type.broadcastable), pattern)(self)

    def flatten(self, ndim=1):
        """Return the variable with all but the first ``ndim - 1`` dimensions collapsed into one."""
        return _function("flatten")(self, ndim)

    def ravel(self):
        """Return the elements as a vector."""
        return _function("flatten")(self)

    def transpose(self, *axes):
        """Return the variable with its dimensions permuted (reversed by default)."""
        if not axes:
            return _function("transpose")(self)
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (list, tuple))):
            axes = axes[0]
        return _function("transpose")(self, axes)

    def swapaxes(self, axis1, axis2):
        """Return the variable with two dimensions exchanged."""
        return _function("swapaxes")(self, axis1, axis2)

    def squeeze(self):
        """Return the variable without its broadcastable dimensions."""
        from theano_compat.tensor.extra_ops import squeeze

        return squeeze(self)

    # --- elements ---------------------------------------------------------------------------------

    def __getitem__(self, args):
        from theano_compat.tensor.basic.getitem import getitem

        return getitem(self, args)

    def take(self, indices, axis=None, mode="raise"):
        """Return the elements at `indices` along `axis`."""
        from theano_compat.tensor.subtensor import take

        return take(self, indices, axis, mode)

    def __iter__(self):
        try:
            for i in range(_function("get_vector_length")(self)):
                yield self[i]
        except TypeError:
            # a scalar, or an array of unknown length: Python must not fall back to endless indexing
            raise TypeError(
                "TensorType does not support iteration. Maybe you are using builtin.sum instead of "
                "theano.tensor.sum? (Maybe .max?)"
            ) from None

    def nonzero(self, return_matrix=False):
        """Return the indices of the elements that are not zero."""
        return _function("nonzero")(self, return_matrix=return_matrix)

    def nonzero_values(self):
        """Return the elements that are not zero, as a vector."""
        return _function("nonzero_values")(self)

    def choose(self, choices, out=None, mode="raise"):
        """Return an array of elements of `choices`, picked by this array of indices."""
        return _function("choose")(self, choices, out=None, mode="raise" if mode is None else mode)

    def compress(self, a, axis=None):
        """Return the slices of `a` along `axis` where this vector is true."""
        from theano_compat.tensor.extra_ops import compress

        return compress(self, a, axis=axis)

    def diagonal(self, offset=0, axis1=0, axis2=1):
        """Return a diagonal of the variable."""
        return _function("diagonal")(self, offset, axis1, axis2)

    def repeat(self, repeats, axis=None):
        """Return the variable with its elements repeated."""
        from theano_compat.tensor.extra_ops import repeat

        return repeat(self, repeats, axis)

    def sort(self, axis=-1, kind="quicksort", order=None):
        """Return the variable sorted along `axis`."""
        from theano_compat.tensor.sort import sort

        return sort(self, axis, kind, order)

    def argsort(self, axis=-1, kind="quicksort", order=None):
        """Return the indices that sort the variable along `axis`."""
        from theano_compat.tensor.sort import argsort

        return argsort(self, axis, kind, order)

    def searchsorted(self, v, side="left", sorter=None):
        """Return where the elements of `v` would be inserted in this sorted vector."""
        from theano_compat.tensor.extra_ops import searchsorted

        return searchsorted(self, v, side, sorter)

    # --- values -----------------------------------------------------------------------------------

    real = property(lambda self: _function("real")(self), doc="Real part.")
    imag = property(lambda self: _function("imag")(self), doc="Imaginary part.")

    def copy(self, name=None):
        """Return a symbolic copy, under another name if one is given."""
        copied = _function("tensor_copy")(self)
        copied.name = name
        return copied

    def astype(self, dtype):
        """Return the variable converted to `dtype`."""
        return _function("cast")(self, dtype)

    def clip(self, a_min, a_max):
        """Return the variable limited to the interval from `a_min` to `a_max`."""
        return _function("clip")(self, a_min, a_max)

    def fill(self, value):
        """Return an array of this variable's shape in which every element is `value`."""
        return _function("fill")(self, value)

    def round(self, mode=None):
        """Return the variable rounded to integers."""
        return _function("round")(self, mode)

    def zeros_like(model, dtype=None):
        """Return zeros of this variable's shape."""
        return _function("zeros_like")(model, dtype=dtype)

    def ones_like(model, dtype=None):
        """Return ones of this variable's shape."""
        return _function("ones_like")(model, dtype=dtype)

    def transfer(self, target):
        """Return the variable moved to the device `target` (``'cpu'`` or the name of a context)."""
        return _function("transfer")(self, target)

    def get_scalar_constant_value(self):
        """Return the value of a constant scalar; see `theano_compat.tensor.get_scalar_constant_value`."""
        return _function("get_scalar_constant_value")(self)

    # --- reductions and linear algebra ------------------------------------------------------------

    def sum(self, axis=None, dtype=None, keepdims=False, acc_dtype=None):
        """Return the sum over `axis`."""
        return _function("sum")(self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype)

    def prod(self, axis=None, dtype=None, keepdims=False, acc_dtype=None):
        """Return the product over `axis`."""
        return _function("prod")(self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype)

    def mean(self, axis=None, dtype=None, keepdims=False, acc_dtype=None):
        """Return the mean over `axis`."""
        return _function("mean")(self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype)

    def var(self, axis=None, ddof=0, keepdims=False, corrected=False):
        """Return the variance over `axis`."""
        return _function("var")(self, axis=axis, ddof=ddof, keepdims=keepdims, corrected=corrected)

    def std(self, axis=None, ddof=0, keepdims=False, corrected=False):
        """Return the standard deviation over `axis`."""
        return _function("std")(self, axis=axis, ddof=ddof, keepdims=keepdims, corrected=corrected)

    def min(self, axis=None, keepdims=False):
        """Return the least element over `axis`."""
        return _function("min")(self, axis, keepdims=keepdims)

    def max(self, axis=None, keepdims=False):
        """Return the greatest element over `axis`."""
        return _function("max")(self, axis, keepdims=keepdims)

    def argmin(self, axis=None, keepdims=False):
        """Return the index of the least element over `axis`."""
        return _function("argmin")(self, axis, keepdims=keepdims)

    def argmax(self, axis=None, keepdims=False):
        """Return the index of the greatest element over `axis`."""
        return _function("argmax")(self, axis, keepdims=keepdims)

    def any(self, axis=None, keepdims=False):
        """Return whether any element over `axis` is true."""
        return _function("any")(self, axis=axis, keepdims=keepdims)

    def all(self, axis=None, keepdims=False):
        """Return whether all elements over `axis` are true."""
        return _function("all")(self, axis=axis, keepdims=keepdims)

    def ptp(self, axis=None):
        """Return the difference between the greatest and the least element over `axis`."""
        return _function("ptp")(self, axis)

    def norm(self, L, axis=None, keepdims=False):
        """Return the L-norm over `axis`: the number of nonzeros for 0, the greatest magnitude for infinity."""
        if L == 0:
            raise NotImplementedError()
        if np.isinf(L):
            raise NotImplementedError()
        # the power 1/L of the sum of the powers L of the magnitudes
        power = _function("pow")(_function("abs_")(self), L).sum(axis=axis)
        rooted = _function("pow")(power, 1.0 / L)
        return _function("makeKeepDims")(self, rooted, axis) if keepdims else rooted

    def cumsum(self, axis=None):
        """Return the running sum along `axis`."""
        from theano_compat.tensor.extra_ops import cumsum

        return cumsum(self, axis)

    def cumprod(self, axis=None):
        """Return the running product along `axis`."""
        from theano_compat.tensor.extra_ops import cumprod

        return cumprod(self, axis)

    def trace(self):
        """Return the sum of the main diagonal of a matrix."""
        from theano_compat.tensor.nlinalg import trace

        return trace(self)

    def dot(left, right):
        """Return the product of this array with `right`."""
        return _function("dot")(left, right)


class TensorVariable(_tensor_py_operators, Variable):
    """A variable of type `TensorType`, with the operators and methods of an array."""

    def __init__(self, type, owner=None, index=None, name=None):
        super().__init__(type, owner=owner, index=index, name=name)
        if config.warn_float64 != "ignore" and type.dtype == "float64":
            _warn_float64(self)


def _warn_float64(variable):
    """Do what ``config.warn_float64`` asks for when a float64 variable is made."""
    import traceback

    text = "You are creating a TensorVariable with float64 dtype. You requested an action via the Theano flag warn_float64={ignore,warn,raise,pdb}."
    action = config.warn_float64
    if action == "warn":
        # the caller's stack is the one useful thing about this warning
        stack = [entry for entry in traceback.extract_stack() if "theano_compat" not in entry.filename]
        warnings.warn(text + "\n" + "".join(traceback.format_list(stack[-1:])), stacklevel=3)
    elif action == "raise":
        raise Exception(text)
    elif action == "pdb":
        import pdb

        pdb.set_trace()


class TensorConstantSignature(tuple):
    """Type and data of a constant, comparable and hashable by value.

    NaN counts as equal to NaN; zeros of different sign are different, since ``1 / x`` tells them apart.
    """

    def __eq__(self, other):
        if type(self) is not type(other):
            return False
        (type_a, a), (type_b, b) = self, other
        if type_a != type_b or a.shape != b.shape:
            return False
        if a is b or self._bytes() == other._bytes():
            return True
        if a.dtype.kind not in "fc" or self.no_nan:
            return False
        same = (a == b) & (np.signbit(a.real) == np.signbit(b.real))
        return bool(np.all(same | (np.isnan(a) & np.isnan(b))))

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        kind, data = self
        contents = self._bytes() if self.no_nan else None
        return hash((type(self), kind, data.shape, contents))

    def _bytes(self):
        """Return the contents as bytes, or a digest of them where they are long."""
        try:
            return self.__contents
        except AttributeError:
            contents = self[1].tobytes()
            self.__contents = contents if len(contents) <= 256 else hash_from_code(contents)
            return self.__contents

    def theano_hash(self):
        """Return a hash of the data that is the same in every process."""
        return hash_from_ndarray(self[1])

    @property
    def no_nan(self):
        """Whether the data hold no NaN."""
        data = self[1]
        return data.dtype.kind not in "fc" or not np.isnan(data).any()

    @property
    def sum(self):
        """Sum of the data."""
        return self[1].sum()


class TensorConstant(_tensor_py_operators, Constant):
    """An array that is known while the graph is built."""

    def __init__(self, type, data, name=None):
        super().__init__(type, data, name)
        self.tag.unique_value = None
        if isinstance(data, np.ndarray) and data.ndim > 0 and data.size:
            first = data.reshape(-1)[0] if data.flags.c_contiguous else data.flat[0]
            if np.all(data == first):
                self.tag.unique_value = first

    def __str__(self):
        if self.tag.unique_value is not None:
            described = f"{self.data.shape} of {self.tag.unique_value}"
        else:
            described = f"{self.data}"
        if len(described) > 20:
            described = described[:10] + ".." + described[-10:]
        return (self.name or "TensorConstant") + "{" + described + "}"

    def signature(self):
        """Return what constants of equal type and value have in common."""
        return TensorConstantSignature((self.type, self.data))

    def equals(self, other):
        """Return whether `other`, a constant or an array, has the same type and value."""
        if isinstance(other, np.ndarray):
            other = _function("constant")(other)
        return isinstance(other, TensorConstant) and self.signature() == other.signature()

    def __copy__(self):
        # the data are read only by agreement; a copy may go its own way
        return self.__class__(self.type, self.data.copy(), self.name)

    def __deepcopy__(self, memo):
        return self.__class__(self.type, np.array(self.data), self.name)


TensorType.Variable = TensorVariable
TensorType.Constant = TensorConstant

__all__ = [
    "AsTensorError",
    "Iterable",
    "TensorConstant",
    "TensorConstantSignature",
    "TensorVariable",
    "equal_slices",
]
