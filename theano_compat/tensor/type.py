"""TensorType: the symbolic type of an N-dimensional array.

A `TensorType` is a dtype plus, for each dimension, whether that dimension is known to have length one
(*broadcastable*). It checks and converts the values that enter a function, compares values for the
debugging modes, and supplies the C fragments with which a user's own C op unpacks an array.
"""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Type, Variable, hashtype

_BEST_WAY_OUT = (
    "If you do not mind this {loss}loss{tail}, you can: 1) explicitly {cast} {dtype}, or "
    '2) set "allow_input_downcast=True" when calling "function".'
)

# (relative, absolute) tolerance with which two values of a dtype count as equal: half, single, double
_TOLERANCE = {
    "float16": (5e-3, 1e-3),
    "float32": (1e-3, 1e-5),
    "complex64": (1e-3, 1e-5),
    "float64": (1e-5, 1e-8),
    "complex128": (1e-5, 1e-8),
}

#: dtype name -> (Python type, C type, NumPy type number)
_DTYPE_SPECS = {
    "bool": (bool, "npy_bool", "NPY_BOOL"),
    "float16": (float, "npy_float16", "NPY_FLOAT16"),
    "float32": (float, "npy_float32", "NPY_FLOAT32"),
    "float64": (float, "npy_float64", "NPY_FLOAT64"),
    "complex64": (complex, "theano_complex64", "NPY_COMPLEX64"),
    "complex128": (complex, "theano_complex128", "NPY_COMPLEX128"),
    **{
        f"{kind}{bits}": (int, f"npy_{kind}{bits}", f"NPY_{kind.upper()}{bits}")
        for kind in ("int", "uint")
        for bits in (8, 16, 32, 64)
    },
}


class TensorType(Type):
    """Symbolic type of arrays with a given dtype and broadcast pattern.

    Parameters
    ----------
    dtype : str
        NumPy name of the element type; ``"floatX"`` stands for ``config.floatX``.
    broadcastable : sequence of bool
        One entry a dimension: True where the length is known to be one. Its length is the rank.
    name : str, optional
        Name of the type, shown in place of its description.
    sparse_grad : bool
        Whether gradients of the variables may be sparse (see `theano_compat.sparse_grad`).

    Raises
    ------
    TypeError
        If `dtype` is not one that tensors can have.
    """

    context_name = "cpu"
    filter_checks_isfinite = False
    """When set, `filter` refuses values that hold NaN or infinity."""

    def __init__(self, dtype, broadcastable, name=None, sparse_grad=False):
        dtype = str(dtype)
        self.dtype = dtype if dtype != "floatX" else config.floatX
        self.dtype_specs()  # raises if tensors cannot have it
        self.numpy_dtype = np.dtype(self.dtype)
        self.broadcastable = tuple(bool(known) for known in broadcastable)
        self.name, self.sparse_grad = name, sparse_grad
        if sparse_grad:
            import warnings

            warnings.warn(
                "DEPRECATION WARNING: use theano.sparse_grad(var) on the variable instead of sparse_grad=True",
                stacklevel=2,
            )

    def clone(self, dtype=None, broadcastable=None):
        """Return a type like this one with another dtype and/or broadcast pattern."""
        if dtype is None:
            dtype = self.dtype
        if broadcastable is None:
            broadcastable = self.broadcastable
        return self.__class__(dtype, broadcastable, name=self.name, sparse_grad=self.sparse_grad)

    # --- values -----------------------------------------------------------------------------------

    def filter(self, data, strict=False, allow_downcast=None):
        """Return `data` as an array of this type, or raise TypeError.

        Parameters
        ----------
        data : array_like
        strict : bool
            Accept only an array that already has this dtype, rank and broadcast pattern.
        allow_downcast : bool or None
            True: any conversion is allowed. False: only such that lose nothing. None: as False, but a Python
            float may become a scalar of type ``config.floatX``.

        Returns
        -------
        numpy.ndarray
            Of ``self.dtype`` with ``self.ndim`` dimensions; `data` itself where it fits as it is.
        """
        if type(data) is np.ndarray and data.dtype == self.numpy_dtype and data.dtype.num == self.numpy_dtype.num:
            pass  # the common case: nothing to convert
        elif isinstance(data, Variable):
            raise TypeError(
                "Expected an array-like object, but found a Variable: maybe you are trying to call a "
                "function on a (possibly shared) variable instead of a numeric array?"
            )
        elif isinstance(data, np.memmap) and data.dtype == self.numpy_dtype:
            pass  # stays a memory map
        elif strict:
            if not isinstance(data, np.ndarray):
                raise TypeError(f"{self} expected a ndarray object.", data, type(data))
            if data.dtype != self.numpy_dtype:
                raise TypeError(
                    f"{self} expected a ndarray object with dtype = {self.numpy_dtype} (got {data.dtype})."
                )
        else:
            data = self._convert(data, allow_downcast)
        if self.ndim != data.ndim:
            raise TypeError(
                f"Wrong number of dimensions: expected {self.ndim}, got {data.ndim} with shape {data.shape}."
            )
        if not data.flags.aligned:
            raise TypeError(
                "The numpy.ndarray object is not aligned. Theano C code does not support that.",
                f"object buffer{data.data}",
                "object shape", data.shape,
                "object strides", data.strides,
                "object dtype", data.dtype,
            )
        for length, must_be_one in zip(data.shape, self.broadcastable):
            if must_be_one and length != 1:
                raise TypeError(
                    "Non-unit value on shape on a broadcastable dimension.", data.shape, self.broadcastable
                )
        if self.filter_checks_isfinite and not np.all(np.isfinite(data)):
            raise ValueError("non-finite elements not allowed")
        return data

    def _convert(self, data, allow_downcast):
        """Return `data` as an array of this dtype if `allow_downcast` permits it."""
        if allow_downcast:
            return np.asarray(data).astype(self.dtype) if not _is_array(data) else np.asarray(data, dtype=self.dtype)
        if _is_array(data):
            if scal.upcast(self.dtype, str(data.dtype)) == self.dtype:
                return np.asarray(data, dtype=self.dtype)
            raise TypeError(
                f"{self} cannot store a value of dtype {data.dtype} without risking loss of precision. "
                + _BEST_WAY_OUT.format(loss="", tail="", cast="cast your data to", dtype=self.dtype)
                + f' Value: "{_shorten(repr(data))}"'
            )
        if allow_downcast is None and type(data) is float and self.dtype == config.floatX:
            return np.asarray(data, dtype=self.dtype)
        exact = np.asarray(data)
        with np.errstate(all="ignore"):
            converted = exact.astype(self.dtype)
        if TensorType.values_eq(exact, converted, force_same_dtype=False):
            return converted
        raise TypeError(
            f"{self} cannot store accurately value {_shorten(str(data))}, it would be represented as {converted!s}. "
            + _BEST_WAY_OUT.format(
                loss="precision ",
                tail="",
                cast="convert your data to a numpy array of dtype",
                dtype=self.dtype,
            ),
            data,
        )

    def filter_variable(self, other, allow_convert=True):
        """Return `other` as a variable of this type.

        A pattern that is broadcastable in fewer dimensions is obtained by `Rebroadcast`; anything that is no
        variable becomes a constant.

        Raises
        ------
        TypeError
            If the type of `other` cannot be converted without knowing its value.
        """
        if hasattr(other, "_as_TensorVariable"):
            other = other._as_TensorVariable()
        if not isinstance(other, Variable):
            other = self.Constant(type=self, data=self.filter(other))
        if other.type == self:
            return other
        if allow_convert:
            converted = self.convert_variable(other)
            if converted is not None:
                return converted
        raise TypeError(
            f"Cannot convert Type {other.type} (of Variable {other}) into Type {self}. "
            f"You can try to manually convert {other} into a {self}."
        )

    def convert_variable(self, var):
        """Return `var` rebroadcast to this type if its type is this one with more known ones, else None."""
        if (
            isinstance(self, type(var.type))
            and self.dtype == var.type.dtype
            and self.ndim == var.type.ndim
            and all(sb == ob or ob for sb, ob in zip(self.broadcastable, var.type.broadcastable))
        ):
            from theano_compat.compile.ops import Rebroadcast

            return Rebroadcast(*enumerate(self.broadcastable))(var)
        return None

    def value_validity_msg(self, a):
        """Return why `a` is not a valid value of this type, ``"value is valid"`` if it is."""
        try:
            self.filter(a, strict=True)
        except Exception as error:
            return str(error)
        return "value is valid"

    def value_zeros(self, shape):
        """Return an array of zeros of this dtype with the given shape."""
        return np.zeros(shape, dtype=self.dtype)

    @staticmethod
    def values_eq(a, b, force_same_dtype=True):
        """Return whether two arrays are equal element by element, with NaN equal to NaN.

        With `force_same_dtype` arrays of different dtypes are different.
        """
        if a.shape != b.shape or (force_same_dtype and a.dtype != b.dtype):
            return False
        equal = a == b
        if np.all(equal):
            return True
        # not the result of an overlooked ==: NaN only differs from itself
        nan_a, nan_b = np.isnan(a), np.isnan(b)
        return bool(np.all(np.logical_or(equal, np.logical_and(nan_a, nan_b))))

    @staticmethod
    def values_eq_approx(a, b, allow_remove_inf=False, allow_remove_nan=False, rtol=None, atol=None):
        """Return whether two arrays agree within the tolerance of their dtype; see `values_eq_approx`."""
        return values_eq_approx(a, b, allow_remove_inf, allow_remove_nan, rtol, atol)

    @staticmethod
    def may_share_memory(a, b):
        """Return whether two arrays may overlap in memory (False if either is no array)."""
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)

    def get_shape_info(self, obj):
        """Return what `get_size` needs to know about a value: its shape."""
        return obj.shape

    def get_size(self, shape_info):
        """Return the number of bytes of a value with the given shape."""
        elements = int(np.prod(shape_info)) if shape_info else 1
        return elements * self.numpy_dtype.itemsize

    # --- the type itself --------------------------------------------------------------------------

    def dtype_specs(self):
        """Return ``(Python type, C type, NumPy type number)`` of the elements.

        Raises
        ------
        TypeError
            If tensors cannot have this dtype.
        """
        try:
            return _DTYPE_SPECS[self.dtype]
        except KeyError:
            raise TypeError(f"Unsupported dtype for {self.__class__.__name__}: {self.dtype}") from None

    def to_scalar_type(self):
        """Return the `Scalar` type of one element."""
        return scal.get_scalar_type(dtype=self.dtype)

    ndim = property(lambda self: len(self.broadcastable), doc="Number of dimensions.")

    def __eq__(self, other):
        return type(self) is type(other) and self.dtype == other.dtype and self.broadcastable == other.broadcastable

    def __hash__(self):
        return hashtype(self) ^ hash((self.dtype, self.broadcastable))

    def make_variable(self, name=None):
        """Return a new variable of this type."""
        return self.Variable(self, name=name)

    def __str__(self):
        if self.name:
            return self.name
        pattern = self.broadcastable
        if not any(pattern):
            described = _RANK_NAMES[len(pattern)] if len(pattern) < 3 else f"{len(pattern)}D"
        else:
            described = _ONE_NAMES.get(pattern, str(pattern))
        return f"TensorType({self.dtype}, {described})"

    __repr__ = __str__

    # --- C fragments for a user's own C op ------------------------------------------------------------
    # Between the fragments these names stand for one input or output: NAME (PyArrayObject*), dtype_NAME
    # (element type), py_NAME (the PyObject* that came in or goes out).

    def c_element_type(self):
        """Return the C type of one element."""
        return self.dtype_specs()[1]

    def c_declare(self, name, sub, check_input=True):
        """Return the C declaration of the array pointer and of its element type."""
        element = f"typedef {self.c_element_type()} dtype_{name};\n" if check_input else ""
        return f"PyArrayObject* {name};\n{element}"

    def c_init(self, name, sub):
        """Return C text that makes the array pointer empty."""
        return f"{name} = NULL;\n"

    def c_extract(self, name, sub, check_input=True):
        """Return C text that takes the array out of ``py_NAME``, checking type, rank and alignment."""
        take = f"{name} = (PyArrayObject*) py_{name};\nPy_INCREF(py_{name});\n"
        if not check_input:
            return take
        number = self.dtype_specs()[2]
        checks = (
            (f"py_{name} == Py_None", "ValueError", '"expected an ndarray, not None"'),
            (f"!PyArray_Check(py_{name})", "ValueError", '"expected an ndarray"'),
            (f"PyArray_TYPE((PyArrayObject*) py_{name}) != {number}", "TypeError",
             f'"expected elements of type {self.dtype}"'),
            (f"PyArray_NDIM((PyArrayObject*) py_{name}) != {self.ndim}", "ValueError",
             f'"expected {self.ndim} dimensions"'),
            (f"!PyArray_ISALIGNED((PyArrayObject*) py_{name})", "NotImplementedError",
             f'"expected an aligned array of type {self.dtype}"'),
        )  # fmt: skip
        tests = "".join(
            f"if ({condition}) {{ PyErr_SetString(PyExc_{error}, {text}); {sub['fail']} }}\n"
            for condition, error, text in checks
        )
        return f"{name} = NULL;\n{tests}{take}"

    def c_cleanup(self, name, sub):
        """Return C text that gives up the reference held in ``NAME``."""
        return f"Py_XDECREF({name});\n"

    def c_sync(self, name, sub):
        """Return C text that hands the array in ``NAME`` back as ``py_NAME``."""
        return (
            f"Py_XDECREF(py_{name});\n"
            f"py_{name} = {name} ? (PyObject*) {name} : Py_None;\n"
            f"Py_INCREF(py_{name});\n"
            f"if ({name} && !PyArray_ISALIGNED({name})) {{\n"
            f'  PyErr_SetString(PyExc_NotImplementedError, "an op returned an array that is not aligned"); {sub["fail"]}\n'
            "}\n"
        )

    def c_headers(self, c_compiler=None):
        """Return the C headers that the element type needs."""
        return scal.get_scalar_type(self.dtype).c_headers(c_compiler)

    def c_libraries(self, c_compiler=None):
        """Return the libraries that the element type needs."""
        return scal.get_scalar_type(self.dtype).c_libraries(c_compiler)

    def c_compile_args(self, c_compiler=None):
        """Return the compiler arguments that the element type needs."""
        return scal.get_scalar_type(self.dtype).c_compile_args(c_compiler)

    def c_support_code(self):
        """Return the C support code that the element type needs."""
        return scal.get_scalar_type(self.dtype).c_support_code()

    def c_init_code(self):
        """Return the C start-up code that the element type needs."""
        return scal.get_scalar_type(self.dtype).c_init_code()

    def c_code_cache_version(self):
        """Return the version of the C fragments above."""
        element = scal.get_scalar_type(self.dtype).c_code_cache_version()
        return (1, *element) if element else ()


_RANK_NAMES = ("scalar", "vector", "matrix")
_ONE_NAMES = {(True, False): "row", (False, True): "col"}


def _is_array(data):
    return isinstance(data, np.ndarray)


def _shorten(text, most=80):
    return text if len(text) <= most else text[: most - 5] + "(...)"


def _tolerance(a, b):
    """Return (rtol, atol) of the less precise of two arrays."""
    pairs = [_TOLERANCE[str(x.dtype)] for x in (a, b) if str(x.dtype) in _TOLERANCE]
    return max(pairs) if pairs else _TOLERANCE["float64"]


def values_eq_approx(a, b, allow_remove_inf=False, allow_remove_nan=False, rtol=None, atol=None):
    """Return whether two arrays agree within a tolerance.

    Parameters
    ----------
    a, b : numpy.ndarray
        Arrays of different shape or dtype never agree.
    allow_remove_inf, allow_remove_nan : bool
        Let an infinity (a NaN) in `a` agree with anything in `b`: for rewrites that may remove them.
    rtol, atol : float, optional
        Tolerances; by default those of the dtype.

    Returns
    -------
    bool
    """
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return False
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if str(a.dtype) not in _TOLERANCE:
        return bool(np.all(a == b))
    default_rtol, default_atol = _tolerance(a, b)
    rtol = default_rtol if rtol is None else rtol
    atol = default_atol if atol is None else atol
    with np.errstate(all="ignore"):
        agree = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
        if allow_remove_nan:
            agree = agree | np.isnan(a)
        if allow_remove_inf:
            agree = agree | np.isinf(a)
    return bool(np.all(agree))


def values_eq_approx_remove_inf(a, b):
    """Return whether `a` and `b` agree where `a` is not infinite."""
    return values_eq_approx(a, b, True)


def values_eq_approx_remove_nan(a, b):
    """Return whether `a` and `b` agree where `a` is not NaN."""
    return values_eq_approx(a, b, False, True)


def values_eq_approx_remove_inf_nan(a, b):
    """Return whether `a` and `b` agree where `a` is finite."""
    return values_eq_approx(a, b, True, True)


def values_eq_approx_always_true(a, b):
    """Return True: for values that no comparison is meaningful for."""
    return True
