"""The type of sparse matrices: SciPy's csr, csc and bsr matrices of one dtype."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from theano_compat.gof import Type

__all__ = ["SparseType", "imported_scipy", "string_types"]

string_types = (str,)
imported_scipy = importlib.util.find_spec("scipy") is not None

FORMATS = ["csr", "csc", "bsr"]


def issparse(value: Any) -> bool:
    """Tell whether `value` is a SciPy sparse matrix or array, without importing SciPy for values that cannot be one."""
    if isinstance(value, np.ndarray) or not hasattr(value, "getformat") and not hasattr(value, "format"):
        return False
    import scipy.sparse

    return scipy.sparse.issparse(value)


class _FormatClasses(dict):
    """SciPy's matrix class by format, looked up when first asked for."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(FORMATS))

    def __getitem__(self, format: str) -> type:
        if format not in self:
            raise KeyError(format)
        import scipy.sparse

        return getattr(scipy.sparse, f"{format}_matrix")


class SparseType(Type):
    """The type of SciPy matrices of one format and dtype.

    Parameters
    ----------
    format : {'csr', 'csc', 'bsr'}
        How the matrix is stored.
    dtype : str
        Type of the stored elements.

    Raises
    ------
    NotImplementedError
        The format or the dtype is none of those supported.
    """

    format_cls = _FormatClasses()
    dtype_set = {
        "int8", "int16", "int32", "int64", "float32", "uint8", "uint16", "uint32", "uint64", "float64", "complex64",
        "complex128",
    }  # fmt: skip
    ndim = 2
    Variable: Any = None  # the classes of variables set these two
    Constant: Any = None

    def __init__(self, format: str, dtype: Any):
        if not imported_scipy:
            raise Exception("You can't make SparseType object as SciPy is not available.")
        dtype = np.dtype(dtype).name if not isinstance(dtype, str) else dtype
        if dtype not in self.dtype_set:
            raise NotImplementedError(f'unsupported dtype "{dtype}" not in list', list(self.dtype_set))
        if format not in self.format_cls:
            raise NotImplementedError(f'unsupported format "{format}" not in list', FORMATS)
        self.dtype, self.format = dtype, format

    def filter(self, value: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """`value` as a matrix of this type.

        Parameters
        ----------
        value : object
            A SciPy sparse matrix or array of any format, or what the constructor of one takes.
        strict : bool
            Refuse everything but a matrix of just this format and dtype.
        allow_downcast : bool or None
            Convert elements of another dtype.

        Raises
        ------
        TypeError
            Strict, and the value is something else.
        NotImplementedError
            The value has another dtype.
        """
        cls = self.format_cls[self.format]
        if isinstance(value, cls) and value.dtype == self.dtype:
            return value
        if strict:
            found = getattr(value, "dtype", type(value).__name__)
            raise TypeError(f"{value} is not sparse, or not the right dtype (is {found}, expected {self.dtype})")
        matrix = cls(value, dtype=self.dtype) if allow_downcast else cls(value)
        if str(matrix.dtype) != self.dtype:
            raise NotImplementedError(f"Expected {self.dtype} dtype but got {matrix.dtype}")
        return matrix

    @staticmethod
    def may_share_memory(a: Any, b: Any) -> bool:
        """Whether two values (sparse matrices, or one of them an array) may overlap in memory."""

        def buffers(value):
            if issparse(value):
                return [getattr(value, name) for name in ("data", "indices", "indptr") if hasattr(value, name)]
            return [value] if isinstance(value, np.ndarray) else []

        if not (issparse(a) or issparse(b)):
            return False
        return any(np.may_share_memory(p, q) for p in buffers(a) for q in buffers(b))

    def make_variable(self, name: str | None = None):
        """A new variable of this type."""
        return self.Variable(self, name=name)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and (self.format, self.dtype) == (other.format, other.dtype)

    def __hash__(self) -> int:
        return hash((SparseType, self.dtype, self.format))

    def __str__(self) -> str:
        return f"Sparse[{self.dtype}, {self.format}]"

    __repr__ = __str__

    def values_eq_approx(self, a: Any, b: Any, eps: float = 1e-6) -> bool:
        """Whether two matrices have the same type and shape and no element differs by more than `eps` of its size."""
        if not (issparse(a) and issparse(b)) or a.shape != b.shape or a.dtype != b.dtype or a.format != b.format:
            return False
        difference = abs(a - b)
        if difference.nnz == 0:
            return True
        largest = abs(a).max() if a.nnz else 0
        return bool(difference.max() <= eps * max(1.0, largest))

    def values_eq(self, a: Any, b: Any) -> bool:
        """Whether two matrices have the same type, shape and elements."""
        if not (issparse(a) and issparse(b)) or a.shape != b.shape or a.dtype != b.dtype or a.format != b.format:
            return False
        return abs(a - b).sum() == 0

    def is_valid_value(self, a: Any) -> bool:
        """Whether `a` is a sparse matrix of this format."""
        return issparse(a) and a.format == self.format

    def get_shape_info(self, obj: Any) -> tuple:
        """What `get_size` needs to know of a value: its shape, the lengths of its three arrays and the number of elements."""
        assert obj.indices.dtype == "int32" and obj.indptr.dtype == "int32"
        return (obj.shape, obj.data.size, obj.indices.size, obj.indptr.size, obj.nnz)

    def get_size(self, shape_info: tuple) -> int:
        """Bytes of a value, from `get_shape_info`."""
        return shape_info[1] * np.dtype(self.dtype).itemsize + (shape_info[2] + shape_info[3]) * np.dtype("int32").itemsize
