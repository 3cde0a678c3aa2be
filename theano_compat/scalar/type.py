"""`Scalar`: the type of one number of a fixed dtype, outside of any array."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Type
from theano_compat.scalar import dtypes as names
from theano_compat.scalar.dtypes import upcast


class Scalar(Type):
    """Type of a single number.

    Parameters
    ----------
    dtype : str
        One of the NumPy dtype names, or ``'floatX'``.

    Notes
    -----
    Two instances of the same dtype are equal. Values are NumPy scalars (``np.float64(3)``), not arrays.
    """

    __props__ = ("dtype",)
    ndim = 0

    def __init__(self, dtype):
        if dtype == "floatX":
            dtype = config.floatX
        self.dtype = str(np.dtype(dtype)) if not isinstance(dtype, str) else dtype
        self.dtype_specs()

    def __eq__(self, other):
        return type(self) is type(other) and self.dtype == other.dtype

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash((Scalar, self.dtype))

    def __str__(self):
        return str(self.dtype)

    def __repr__(self):
        return f"Scalar({self.dtype})"

    @staticmethod
    def may_share_memory(a, b):
        """Numbers are values, so two of them never share memory."""
        return False

    def filter(self, data, strict=False, allow_downcast=None):
        """Convert `data` to this dtype.

        Parameters
        ----------
        data : number or 0-d array
        strict : bool
            Accept only a NumPy scalar of exactly this dtype.
        allow_downcast : bool, optional
            True converts whatever the loss; False or None refuses a conversion that changes the value,
            except that None lets a Python float pass into ``floatX``.

        Returns
        -------
        NumPy scalar of this dtype

        Raises
        ------
        TypeError
            The value is no number, or does not fit.
        """
        py_type = names.NUMPY_TYPES[self.dtype]
        if strict:
            if not isinstance(data, py_type):
                raise TypeError(f"{self} expected a {py_type}, got {data} of type {type(data)}", data)
            return data
        try:
            with np.errstate(all="ignore"):
                converted = _as_dtype(data, py_type)
        except Exception as error:
            raise TypeError(f"Could not convert {type(data)} (value={data}) to {self.dtype}", error) from error
        if allow_downcast or (
            allow_downcast is None and type(data) is float and self.dtype == config.floatX
        ):
            return converted
        exact = np.asarray(data)  # a plain number would be compared in this type's own precision
        if np.all(converted == exact) or (np.all(converted != converted) and np.all(exact != exact)):
            return converted
        reason = TypeError(
            f"Value cannot accurately be converted to dtype ({self.dtype}) and allow_downcast is not True"
        )
        raise TypeError(f"Could not convert {type(data)} (value={data}) to {self.dtype}", reason)

    def values_eq_approx(self, a, b, tolerance=1e-4):
        """Tell whether `a` and `b` differ by at most `tolerance` relative to their size."""
        if a == b:
            return True
        diff = a - b
        if diff == 0:
            return True
        return not abs(diff) > (abs(a) + abs(b)) * tolerance

    def make_variable(self, name=None):
        """Make a `ScalarVariable` of this type."""
        from theano_compat.scalar.variables import ScalarVariable

        return ScalarVariable(self, name=name)

    def clone(self, dtype=None):
        """Make the same type, or that of another `dtype`."""
        return type(self)(self.dtype if dtype is None else dtype)

    def upcast(self, *others):
        """Give the dtype name that holds this type's values and those of `others`."""
        return upcast(self.dtype, *[other.dtype for other in others])

    def dtype_specs(self):
        """Give ``(NumPy scalar type, C type name, NumPy enum suffix)`` of the dtype.

        Raises
        ------
        TypeError
            The dtype is not one that Scalar supports.
        """
        try:
            _, c_name, enum = names.C_NAMES[self.dtype]
        except KeyError:
            raise TypeError(f"Unsupported dtype for {type(self).__name__}: {self.dtype}") from None
        return names.NUMPY_TYPES[self.dtype], c_name, enum

    def c_element_type(self):
        """Name the C type of an element in NumPy's C API, as ``npy_float64``."""
        return self.dtype_specs()[1]

    def c_headers(self, c_compiler=None):
        """Name the headers that declarations of this type need."""
        return ["<math.h>", "<numpy/arrayscalars.h>"]

    def c_libraries(self, c_compiler=None):
        """Name the libraries to link."""
        return []

    def c_compile_args(self, c_compiler=None):
        """Name compiler options."""
        return []

    def c_literal(self, data):
        """Write `data` as a C literal that reads back as the same number."""
        if self.dtype in names.COMPLEX:
            raise NotImplementedError("No literal for complex values.")
        if self.dtype in names.FLOATS:
            value = float(data)
            if np.isfinite(value):
                # The shortest decimal that reads back as the same number; a float's is exact in double already.
                return f"{value!r}{'' if self.dtype == 'float64' else 'f'}"
            return "NAN" if value != value else ("INFINITY" if value > 0 else "(-INFINITY)")
        return str(int(data)) + ("ULL" if self.dtype == "uint64" else "LL" if self.dtype == "int64" else "")

    def c_declare(self, name, sub, check_input=True):
        """Declare the C variable `name` of this type and what tells its NumPy type number."""
        _, c_name, enum = self.dtype_specs()
        return f"{c_name} {name};\ntypedef {c_name} dtype_{name};\nenum {{ typenum_{name} = NPY_{enum.upper()} }};\n"

    def c_init(self, name, sub):
        """Set the C variable to zero."""
        return f"{name} = 0;"

    def c_extract(self, name, sub, check_input=True):
        """Read the C variable from the NumPy scalar ``py_<name>``."""
        _, c_name, enum = self.dtype_specs()
        check = ""
        if config.check_input and check_input:
            check = (
                f"if (!PyObject_TypeCheck(py_{name}, &Py{enum}ArrType_Type)) {{\n"
                f'  PyErr_Format(PyExc_ValueError, "Scalar check failed ({c_name})");\n  {sub["fail"]}\n}}\n'
            )
        return f"{check}PyArray_ScalarAsCtype(py_{name}, &{name});"

    def c_sync(self, name, sub):
        """Write the C variable back into a new NumPy scalar ``py_<name>``."""
        enum = self.dtype_specs()[2].upper()
        return (
            f"{{ PyArray_Descr *d = PyArray_DescrFromType(NPY_{enum});\n"
            f"Py_XDECREF(py_{name}); py_{name} = PyArray_Scalar(&{name}, d, NULL); Py_XDECREF(d);\n"
            f"if (!py_{name}) {{ py_{name} = Py_None; Py_INCREF(Py_None); {sub['fail']} }} }}"
        )

    def c_cleanup(self, name, sub):
        """Nothing is owned, so nothing is freed."""
        return ""

    def c_support_code(self):
        """No text is needed before the functions."""
        return ""

    def c_init_code(self):
        """Make NumPy's C API available."""
        return ["import_array();"]

    def c_code_cache_version(self):
        """Version of the C text above."""
        return (1, np.__version__)

    def get_shape_info(self, obj):
        """Give what `get_size` needs of a value: its size in bytes."""
        return obj.itemsize

    def get_size(self, shape_info):
        """Give the bytes that a value takes."""
        return shape_info


def _as_dtype(data, py_type):
    """Convert with wrap-around of integers, as casts in NumPy arrays do."""
    if isinstance(data, (int, float, complex, np.number, np.bool_)):
        return np.asarray(data).astype(py_type)[()]
    return py_type(data)


_CACHE: dict = {}


def get_scalar_type(dtype) -> Scalar:
    """Give the one shared `Scalar` of a dtype.

    Parameters
    ----------
    dtype : str

    Returns
    -------
    Scalar
    """
    found = _CACHE.get(dtype)
    if found is None:
        found = _CACHE[dtype] = Scalar(dtype)
    return found


bool = get_scalar_type("bool")
int8, int16, int32, int64 = map(get_scalar_type, names.SIGNED)
uint8, uint16, uint32, uint64 = map(get_scalar_type, names.UNSIGNED)
float16, float32, float64 = map(get_scalar_type, names.FLOATS)
complex64, complex128 = map(get_scalar_type, names.COMPLEX)

int_types = (int8, int16, int32, int64)
uint_types = (uint8, uint16, uint32, uint64)
integer_types = int_types + uint_types
discrete_types = (bool,) + integer_types
float_types = (float16, float32, float64)
complex_types = (complex64, complex128)
continuous_types = float_types + complex_types
all_types = discrete_types + continuous_types
