"""Linear algebra on matrices by SciPy: Cholesky factors, linear systems, generalised eigenvalues, exponentials.

SciPy is imported when a function that needs it runs.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.nlinalg import _float_of, _triangles
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.type_other import NoneConst, NoneTypeT

imported_scipy = importlib.util.find_spec("scipy") is not None

MATRIX_STRUCTURES = (
    "general", "symmetric", "lower_triangular", "upper_triangular", "hermitian", "banded", "diagonal", "toeplitz"
)  # fmt: skip


def _linalg():
    """Return ``scipy.linalg``."""
    import scipy.linalg

    return scipy.linalg


def _matrix_like(x, dtype=None):
    return TensorType(_float_of(x) if dtype is None else dtype, (False, False))()


class Cholesky(Op):
    """The triangular factor L of a positive definite matrix ``X = L L'`` (or ``U' U``).

    Parameters
    ----------
    lower : bool
        Return L and read the lower triangle; else U and the upper one.
    on_error : {'raise', 'nan'}
        What to do with a matrix that is not positive definite.
    """

    __props__ = ("lower", "destructive", "on_error")

    def __init__(self, lower=True, on_error="raise"):
        self.lower = lower
        self.destructive = False
        if on_error not in ("raise", "nan"):
            raise ValueError('on_error must be one of "raise" or ""nan"')
        self.on_error = on_error

    def make_node(self, x):
        """Take a matrix."""
        x = tensor.as_tensor_variable(x)
        assert x.ndim == 2
        return Apply(self, [x], [_matrix_like(x)])

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return [shapes[0]]

    def perform(self, node, inputs, outputs):
        """Store the factor."""
        x, linalg = inputs[0], _linalg()
        try:
            factor = linalg.cholesky(x, lower=self.lower)
        except linalg.LinAlgError:
            if self.on_error == "raise":
                raise
            factor = np.full(x.shape, np.nan)
        outputs[0][0] = factor.astype(node.outputs[0].dtype, copy=False)

    def L_op(self, inputs, outputs, gradients):
        """Return the gradient by two triangular solutions (Murray 2016, arXiv:1602.07527)."""
        (dz,), (factor,) = gradients, outputs
        if self.on_error == "nan":
            # where there is no factor the solver must not see NaN; the gradient is NaN there
            valid = ~tensor.any(tensor.isnan(factor))
            factor = tensor.switch(valid, factor, 1)
            dz = tensor.switch(valid, dz, 1)
        if not self.lower:
            factor, dz = factor.T, dz.T

        def half_diagonal(matrix):
            return tensor.tril(matrix) - tensor.diag(tensor.diagonal(matrix) / 2.0)

        # L^-T half_diagonal(L' dL) L^-1
        inner = half_diagonal(factor.T.dot(dz))
        s = solve_upper_triangular(factor.T, solve_upper_triangular(factor.T, inner.T).T)
        both = s + s.T
        triangle = tensor.tril if self.lower else tensor.triu
        gradient = triangle(both) - tensor.diag(tensor.diagonal(s))
        return [tensor.switch(valid, gradient, np.nan)] if self.on_error == "nan" else [gradient]


cholesky = Cholesky()


class CholeskyGrad(Op):
    """The gradient of `Cholesky` as a single op: inputs are the matrix, the factor and its gradient."""

    __props__ = ("lower", "destructive")

    def __init__(self, lower=True):
        self.lower = lower
        self.destructive = False

    def make_node(self, x, l, dz):
        """Take three matrices."""
        x, l, dz = map(tensor.as_tensor_variable, (x, l, dz))
        assert x.ndim == 2 and l.ndim == 2 and dz.ndim == 2
        assert l.owner.op.lower == self.lower, "lower/upper mismatch between Cholesky op and CholeskyGrad op"
        return Apply(self, [x, l, dz], [_matrix_like(x)])

    def perform(self, node, inputs, outputs):
        """Store the gradient."""
        _, factor, dz = inputs
        if not self.lower:
            factor, dz = factor.T, dz.T
        inner = np.tril(factor.T.dot(np.tril(dz)))
        inner[np.diag_indices_from(inner)] /= 2

        def solve(rhs):
            return _linalg().solve_triangular(factor, rhs, lower=True, trans="T")

        s = solve(solve(inner.T).T)
        gradient = np.tril(s + s.T) - np.diag(np.diagonal(s))
        outputs[0][0] = (gradient if self.lower else gradient.T).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return [shapes[0]]


class Solve(Op):
    """The solution x of ``A x = b`` for one or several right hand sides.

    Parameters
    ----------
    A_structure : one of `MATRIX_STRUCTURES`
        What is known of `A`: triangular ones are solved by substitution, symmetric ones by their own method.
    lower : bool
        For symmetric ones, the triangle that is read.
    overwrite_A, overwrite_b : bool
        Allow the memory of the inputs to be used as work space.
    """

    __props__ = ("A_structure", "lower", "overwrite_A", "overwrite_b")

    def __init__(self, A_structure="general", lower=False, overwrite_A=False, overwrite_b=False):
        if A_structure not in MATRIX_STRUCTURES:
            raise ValueError("Invalid matrix structure argument", A_structure)
        self.A_structure = A_structure
        self.lower = lower
        self.overwrite_A = overwrite_A
        self.overwrite_b = overwrite_b

    def __repr__(self):
        return "Solve{%s}" % str(self._props())

    def make_node(self, A, b):
        """Take the matrix, and the right hand side as a vector or as the columns of a matrix."""
        A, b = tensor.as_tensor_variable(A), tensor.as_tensor_variable(b)
        assert A.ndim == 2
        assert b.ndim in (1, 2)
        return Apply(self, [A, b], [TensorType(_float_of(A, b), b.type.broadcastable)()])

    def perform(self, node, inputs, output_storage):
        """Store the solution."""
        A, b = inputs
        linalg = _linalg()
        if self.A_structure in ("lower_triangular", "upper_triangular"):
            solution = linalg.solve_triangular(A, b, lower=self.A_structure == "lower_triangular")
        elif self.A_structure in ("symmetric", "hermitian"):
            solution = linalg.solve(A, b, lower=self.lower, assume_a=self.A_structure[:3])
        else:
            solution = linalg.solve(A, b, assume_a="gen")
        output_storage[0][0] = solution.astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, shapes):
        """Return the number of columns of the matrix, and that of right hand sides."""
        (_, n), b = shapes
        return [(n, *b[1:])]

    def L_op(self, inputs, outputs, output_gradients):
        """Return ``-A^-T g x'`` and ``A^-T g`` (Giles 2008, section 2.3.1)."""
        A, b = inputs
        (x,), (g,) = outputs, output_gradients
        transposed = {"lower_triangular": "upper_triangular", "upper_triangular": "lower_triangular"}
        solve_transposed = Solve(
            A_structure=transposed.get(self.A_structure, self.A_structure), lower=not self.lower
        )
        b_bar = solve_transposed(A.T, g)
        A_bar = -tensor.outer(b_bar, x) if x.ndim == 1 else -b_bar.dot(x.T)
        if self.A_structure == "lower_triangular":
            A_bar = tensor.tril(A_bar)
        elif self.A_structure == "upper_triangular":
            A_bar = tensor.triu(A_bar)
        return [A_bar, tensor.patternbroadcast(b_bar, b.type.broadcastable)]


solve = Solve()
solve_lower_triangular = Solve(A_structure="lower_triangular", lower=True)
solve_upper_triangular = Solve(A_structure="upper_triangular", lower=False)
solve_symmetric = Solve(A_structure="symmetric", lower=False)


def _matrix_or_none(b):
    if b is None or (hasattr(b, "type") and isinstance(b.type, NoneTypeT)):
        return NoneConst
    b = tensor.as_tensor_variable(b)
    assert b.ndim == 2
    return b


class Eigvalsh(Op):
    """The eigenvalues w of ``a v = w b v`` for symmetric a and positive definite b (None: the identity)."""

    __props__ = ("lower",)

    def __init__(self, lower=True):
        assert lower in (True, False)
        self.lower = lower

    def make_node(self, a, b):
        """Take both matrices."""
        a, b = tensor.as_tensor_variable(a), _matrix_or_none(b)
        assert a.ndim == 2
        dtype = _float_of(a) if b is NoneConst else _float_of(a, b)
        return Apply(self, [a, b], [TensorType(dtype, (False,))()])

    def perform(self, node, inputs, outputs):
        """Store the eigenvalues, ascending."""
        a, b = inputs
        values = _linalg().eigvalsh(a, b, lower=self.lower)
        outputs[0][0] = values.astype(node.outputs[0].dtype, copy=False)

    def grad(self, inputs, g_outputs):
        """See `EigvalshGrad`."""
        from theano_compat.gradient import DisconnectedType

        a, b = inputs
        grads = EigvalshGrad(self.lower)(a, b, g_outputs[0], return_list=True)
        return [grads[0], DisconnectedType()()] if isinstance(b.type, NoneTypeT) else grads

    def connection_pattern(self, node):
        """An absent second matrix is not connected."""
        return [[True], [not isinstance(node.inputs[1].type, NoneTypeT)]]

    def infer_shape(self, node, shapes):
        """Return the number of rows."""
        return [(shapes[0][0],)]


class EigvalshGrad(Op):
    """The gradients of `Eigvalsh` with respect to both matrices: ``v v'`` and ``-w v v'`` for each eigenvalue."""

    __props__ = ("lower",)

    def __init__(self, lower=True):
        assert lower in (True, False)
        self.lower = lower
        self.tri0, self.tri1 = _triangles(lower)

    def make_node(self, a, b, gw):
        """Take both matrices and the gradient of the eigenvalues."""
        a, b, gw = tensor.as_tensor_variable(a), _matrix_or_none(b), tensor.as_tensor_variable(gw)
        assert a.ndim == 2 and gw.ndim == 1
        outputs = [_matrix_like(a)]
        if not isinstance(b.type, NoneTypeT):
            outputs.append(_matrix_like(b))
        return Apply(self, [a, b, gw], outputs)

    def perform(self, node, inputs, outputs):
        """Store the gradients, gathered in the triangle that is read."""
        a, b, gw = inputs
        w, v = _linalg().eigh(a, b, lower=self.lower)
        fulls = [(v * gw).dot(v.T), -(v * (gw * w)).dot(v.T)]
        for storage, full, variable in zip(outputs, fulls, node.outputs):
            storage[0] = np.asarray(self.tri0(full) + self.tri1(full).T, dtype=variable.dtype)

    def infer_shape(self, node, shapes):
        """Return the shapes of the matrices."""
        return list(shapes[: len(node.outputs)])


def eigvalsh(a, b, lower=True):
    """Return the eigenvalues, ascending, of the symmetric matrix `a`, relative to `b` unless that is None.

    Parameters
    ----------
    a, b : tensor_like
        Square matrices; of each only one triangle is read.
    lower : bool
        Which triangle.
    """
    return Eigvalsh(lower)(a, b)


def kron(a, b):
    """Return the Kronecker product.

    Parameters
    ----------
    a, b : tensor_like
        Of at least three dimensions together.

    Returns
    -------
    TensorVariable
        Of two matrices their Kronecker product. In general the outer product, of the shape ``(*a.shape, *b.shape)``, with its first
        dimension joined to the third and its second to the fourth. (For a vector and a matrix it is a flat product, as ever.)

    Raises
    ------
    TypeError
        If there are too few dimensions.
    """
    a, b = tensor.as_tensor_variable(a), tensor.as_tensor_variable(b)
    if a.ndim + b.ndim <= 2:
        raise TypeError(f"kron: inputs dimensions must sum to 3 or more. You passed {a.ndim} and {b.ndim}.")
    product = tensor.outer(a, b).reshape(tensor.concatenate((a.shape, b.shape)), a.ndim + b.ndim)
    if product.ndim == 3:
        return product.dimshuffle(1, 0, 2).flatten()
    rest = range(4, product.ndim)
    product = product.dimshuffle(0, 2, 1, 3, *rest)
    lengths = product.shape
    return product.reshape((lengths[0] * lengths[1], lengths[2] * lengths[3], *(lengths[k] for k in rest)))


class Expm(Op):
    """The exponential of a square matrix."""

    __props__ = ()

    def make_node(self, A):
        """Take a matrix."""
        A = tensor.as_tensor_variable(A)
        assert A.ndim == 2
        return Apply(self, [A], [_matrix_like(A)])

    def perform(self, node, inputs, outputs):
        """Store the exponential."""
        outputs[0][0] = _linalg().expm(inputs[0]).astype(node.outputs[0].dtype, copy=False)

    def grad(self, inputs, outputs):
        """See `ExpmGrad`; `outputs` are the gradients."""
        return [ExpmGrad()(inputs[0], outputs[0])]

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return [shapes[0]]


class ExpmGrad(Op):
    """The gradient of `Expm`: the Fréchet derivative at the transposed matrix in the direction of the gradient."""

    __props__ = ()

    def make_node(self, A, gw):
        """Take the matrix and the gradient of its exponential."""
        A = tensor.as_tensor_variable(A)
        assert A.ndim == 2
        return Apply(self, [A, tensor.as_tensor_variable(gw)], [_matrix_like(A)])

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return [shapes[0]]

    def perform(self, node, inputs, outputs):
        """Store the gradient."""
        A, gw = inputs
        gradient = _linalg().expm_frechet(np.asarray(A).T, gw, compute_expm=False)
        outputs[0][0] = gradient.astype(node.outputs[0].dtype, copy=False)


expm = Expm()
