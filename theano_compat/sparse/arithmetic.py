"""Sums, products and comparisons of sparse matrices with sparse and dense ones."""

from __future__ import annotations

import operator

import numpy as np

from theano_compat import config, tensor
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.sparse.convert import sp_ones_like
from theano_compat.sparse.csm import coordinates
from theano_compat.sparse.structure import neg, sp_sum
from theano_compat.sparse.type import SparseType, issparse
from theano_compat.sparse.variables import (
    _is_sparse_variable,
    as_sparse_or_tensor_variable,
    as_sparse_variable,
    continuous_dtypes,
)

_COMPARISONS = {
    "Equal": ("eq", "=="), "NotEqual": ("ne", "!="), "LessThan": ("lt", "<"), "GreaterThan": ("gt", ">"),
    "LessEqual": ("le", "<="), "GreaterEqual": ("ge", ">="),
}  # fmt: skip

__all__ = [
    "AddSD", "AddSS", "AddSSData", "MulSD", "MulSS", "MulSV", "StructuredAddSV", "add", "add_s_d", "add_s_s",
    "add_s_s_data", "eq", "ge", "gt", "le", "lt", "mul", "mul_s_d", "mul_s_s", "mul_s_v", "neq", "structured_add_s_v",
    "sub",
    *(f"{name}{kind}" for name in _COMPARISONS for kind in ("SS", "SD")),
    *(f"{name}_{kind}" for name in ("equal", "not_equal", "less_than", "greater_than", "less_equal", "greater_equal")
      for kind in ("s_s", "s_d")),
]  # fmt: skip


def _csr_or_csc(x):
    x = as_sparse_variable(x)
    assert x.format in ("csr", "csc")
    return x


def _common(node_inputs) -> str:
    return scal.upcast(*[x.type.dtype for x in node_inputs])


def _with_data(pattern, data):
    """The matrix with the places of `pattern` and other elements."""
    cls = SparseType.format_cls[pattern.format]
    return cls((data, pattern.indices.copy(), pattern.indptr.copy()), shape=pattern.shape)


class _SparseSparse(Op):
    """An op of two sparse matrices of equal shapes; the result has the first one's format and the common dtype."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for two csr or csc matrices."""
        x, y = _csr_or_csc(x), _csr_or_csc(y)
        return Apply(self, [x, y], [SparseType(dtype=_common((x, y)), format=x.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert issparse(x) and issparse(y)
        assert x.shape == y.shape, f"shapes differ: {x.shape} and {y.shape}"
        out = node.outputs[0].type
        outputs[0][0] = SparseType.format_cls[out.format](self._combine(x, y), dtype=out.dtype)

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class AddSS(_SparseSparse):
    """The sum of two sparse matrices."""

    def _combine(self, x, y):
        return x + y

    def grad(self, inputs, gout):
        return [gout[0], gout[0]]


class AddSSData(Op):
    """The sum of two sparse matrices that store the same places, element by element."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for two matrices of one type."""
        x, y = _csr_or_csc(x), _csr_or_csc(y)
        if x.type != y.type:
            raise NotImplementedError(f"the types differ: {x.type} and {y.type}")
        return Apply(self, [x, y], [x.type()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert x.shape == y.shape and x.data.shape == y.data.shape
        outputs[0][0] = _with_data(x, x.data + y.data)

    def grad(self, inputs, gout):
        return [gout[0] if x.dtype in continuous_dtypes else x.zeros_like().astype(config.floatX) for x in inputs]

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]


class AddSD(Op):
    """The sum of a sparse and a dense matrix, a dense one."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for a csr or csc matrix and a dense matrix."""
        x, y = _csr_or_csc(x), tensor.as_tensor_variable(y)
        assert y.type.ndim == 2
        return Apply(self, [x, y], [tensor.TensorType(dtype=_common((x, y)), broadcastable=y.type.broadcastable)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert issparse(x) and not issparse(y)
        outputs[0][0] = np.asarray(x + y, dtype=node.outputs[0].dtype)

    def grad(self, inputs, gout):
        (x, _), (gz,) = inputs, gout
        return [sp_ones_like(x) * gz, gz]

    def infer_shape(self, node, shapes):
        return [shapes[1]]


class StructuredAddSV(Op):
    """``y[j]`` added to the stored elements of column ``j`` of a sparse matrix."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for a csr or csc matrix and a vector of one dtype."""
        x, y = _csr_or_csc(x), tensor.as_tensor_variable(y)
        assert y.type.ndim == 1
        if x.type.dtype != y.type.dtype:
            raise NotImplementedError(f"the dtypes differ: {x.type.dtype} and {y.type.dtype}")
        return Apply(self, [x, y], [SparseType(dtype=x.type.dtype, format=x.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert x.shape[1] == y.shape[0]
        outputs[0][0] = _with_data(x, x.data + y[coordinates(x.format, x.indices, x.indptr)[1]])

    def grad(self, inputs, gout):
        (gz,) = gout
        return [gz, sp_sum(gz, axis=0, sparse_grad=True)]

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]


class MulSS(_SparseSparse):
    """The elementwise product of two sparse matrices."""

    def _combine(self, x, y):
        return x.multiply(y)

    def grad(self, inputs, gout):
        (x, y), (gz,) = inputs, gout
        return [y * gz, x * gz]


class MulSD(Op):
    """The elementwise product of a sparse matrix and a dense matrix or scalar, sparse."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for a csr or csc matrix and a dense matrix or scalar."""
        x, y = _csr_or_csc(x), tensor.as_tensor_variable(y)
        assert y.type.ndim in (0, 2), "the product of a sparse matrix needs a scalar or a matrix"
        return Apply(self, [x, y], [SparseType(dtype=_common((x, y)), format=x.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert issparse(x) and not issparse(y)
        if np.ndim(y):
            flags = node.inputs[1].type.broadcastable
            assert all(flag or m == n for flag, m, n in zip(flags, y.shape, x.shape)), f"shapes differ: {x.shape} and {y.shape}"
            y = np.broadcast_to(y, x.shape)[coordinates(x.format, x.indices, x.indptr)]
        outputs[0][0] = _with_data(x, np.multiply(x.data, y).astype(node.outputs[0].dtype, copy=False))

    def grad(self, inputs, gout):
        (x, y), (gz,) = inputs, gout
        gy = x * gz
        if y.ndim == 0:
            return [y * gz, sp_sum(gy)]
        from theano_compat.sparse.convert import dense_from_sparse

        gy = dense_from_sparse(gy)
        for axis, flag in enumerate(y.type.broadcastable):
            if flag:
                gy = gy.sum(axis=axis, keepdims=True)
        return [y * gz, gy]

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class MulSV(Op):
    """A sparse matrix with column ``j`` multiplied by ``y[j]``."""

    __props__ = ()

    def make_node(self, x, y):
        """The node for a csr or csc matrix and a vector of one dtype."""
        x, y = _csr_or_csc(x), tensor.as_tensor_variable(y)
        assert y.type.ndim == 1
        if x.type.dtype != y.type.dtype:
            raise NotImplementedError(
                f"MulSV not implemented for differing dtypes.Got {x.type.dtype} and {y.type.dtype}."
            )
        return Apply(self, [x, y], [SparseType(dtype=x.type.dtype, format=x.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert x.shape[1] == y.shape[0]
        outputs[0][0] = _with_data(x, x.data * y[coordinates(x.format, x.indices, x.indptr)[1]])

    def grad(self, inputs, gout):
        (x, y), (gz,) = inputs, gout
        assert gz.dtype in continuous_dtypes
        return [mul_s_v(gz, y), sp_sum(x * gz, axis=0, sparse_grad=True)]

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]


class _ComparisonOpSS(Op):
    """A comparison of two sparse matrices of one format; the result stores uint8 ones and zeros."""

    __props__ = ()

    def comparison(self, x, y):
        """The comparison of two values."""
        raise NotImplementedError()

    def make_node(self, x, y):
        """The node for two matrices of one format."""
        x, y = as_sparse_variable(x), as_sparse_variable(y)
        if x.type.format != y.type.format:
            raise NotImplementedError(f"the formats differ: {x.type.format} and {y.type.format}")
        return Apply(self, [x, y], [SparseType(dtype="uint8", format=x.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert issparse(x) and issparse(y)
        assert x.shape == y.shape
        outputs[0][0] = SparseType.format_cls[x.format](self.comparison(x, y).astype("uint8"))

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]


class _ComparisonOpSD(Op):
    """A comparison of a sparse and a dense matrix; the result is dense, of dtype uint8."""

    __props__ = ()

    def comparison(self, x, y):
        """The comparison of two values."""
        raise NotImplementedError()

    def make_node(self, x, y):
        """The node for a sparse and a dense matrix."""
        x, y = as_sparse_variable(x), tensor.as_tensor_variable(y)
        assert y.type.ndim == 2
        return Apply(self, [x, y], [tensor.TensorType(dtype="uint8", broadcastable=(False, False))()])

    def perform(self, node, inputs, outputs):
        x, y = inputs
        assert issparse(x) and x.shape == y.shape
        outputs[0][0] = np.asarray(self.comparison(x.toarray(), y)).astype("uint8")

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]


def _comparison_class(name: str, base: type, kind: str) -> type:
    function_name, sign = _COMPARISONS[name]
    function = getattr(operator, function_name)

    def comparison(self, x, y):
        """The comparison of two values."""
        return function(x, y)

    what = "two sparse matrices" if kind == "SS" else "a sparse and a dense matrix"
    body = {"comparison": comparison, "__module__": __name__, "__doc__": f"``x {sign} y`` of {what}, as zeros and ones.", "__props__": ()}
    return type(f"{name}{kind}", (base,), body)


EqualSS, NotEqualSS, LessThanSS, GreaterThanSS, LessEqualSS, GreaterEqualSS = (
    _comparison_class(name, _ComparisonOpSS, "SS") for name in _COMPARISONS
)
EqualSD, NotEqualSD, LessThanSD, GreaterThanSD, LessEqualSD, GreaterEqualSD = (
    _comparison_class(name, _ComparisonOpSD, "SD") for name in _COMPARISONS
)
add_s_s, add_s_s_data, add_s_d, structured_add_s_v = AddSS(), AddSSData(), AddSD(), StructuredAddSV()
mul_s_s, mul_s_d, mul_s_v = MulSS(), MulSD(), MulSV()
equal_s_s, equal_s_d, not_equal_s_s, not_equal_s_d = EqualSS(), EqualSD(), NotEqualSS(), NotEqualSD()
less_than_s_s, less_than_s_d, greater_than_s_s, greater_than_s_d = LessThanSS(), LessThanSD(), GreaterThanSS(), GreaterThanSD()
less_equal_s_s, less_equal_s_d, greater_equal_s_s, greater_equal_s_d = (
    LessEqualSS(), LessEqualSD(), GreaterEqualSS(), GreaterEqualSD(),
)  # fmt: skip


def _operands(x, y):
    x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
    sparse = _is_sparse_variable(x), _is_sparse_variable(y)
    assert any(sparse), "at least one operand has to be sparse"
    return x, y, sparse


def add(x, y):
    """``x + y``, where at least one is sparse; the result is sparse if both are.

    Parameters
    ----------
    x, y : SparseVariable or matrix
        Of equal shapes.
    """
    x, y, sparse = _operands(x, y)
    if all(sparse):
        return add_s_s(x, y)
    return add_s_d(x, y) if sparse[0] else add_s_d(y, x)


def sub(x, y):
    """``x - y``, where at least one is sparse (see `add`)."""
    y = as_sparse_or_tensor_variable(y)
    return add(x, neg(y) if _is_sparse_variable(y) else -y)


def mul(x, y):
    """The elementwise product, where at least one operand is sparse; the result is sparse.

    Parameters
    ----------
    x, y : SparseVariable, matrix or scalar
        Matrices are of equal shapes.
    """
    x, y, sparse = _operands(x, y)
    if all(sparse):
        return mul_s_s(x, y)
    x, y = (x, y) if sparse[0] else (y, x)
    if y.dtype == "float64" and x.dtype == "float32":
        x = x.astype("float64")
    return mul_s_d(x, y)


def _comparison_function(name: str, sign: str, ss, sd, mirrored_sd):
    def compare(x, y):
        x, y, sparse = _operands(x, y)
        if all(sparse):
            return ss(x, y)
        return sd(x, y) if sparse[0] else mirrored_sd(y, x)

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"""``x {sign} y``, where at least one is sparse; the result is sparse if both are.

    Parameters
    ----------
    x, y : SparseVariable or matrix
        Of equal shapes.
    """
    return compare


eq = _comparison_function("eq", "==", equal_s_s, equal_s_d, equal_s_d)
neq = _comparison_function("neq", "!=", not_equal_s_s, not_equal_s_d, not_equal_s_d)
lt = _comparison_function("lt", "<", less_than_s_s, less_than_s_d, greater_than_s_d)
gt = _comparison_function("gt", ">", greater_than_s_s, greater_than_s_d, less_than_s_d)
le = _comparison_function("le", "<=", less_equal_s_s, less_equal_s_d, greater_equal_s_d)
ge = _comparison_function("ge", ">=", greater_equal_s_s, greater_equal_s_d, less_equal_s_d)
