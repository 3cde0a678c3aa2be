"""Linear algebra on matrices by NumPy: inverse, determinant, eigenvalues, QR, SVD, norms."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.basic.diagonals import ExtractDiag
from theano_compat.tensor.type import TensorType


def _matrix(x):
    x = tensor.as_tensor_variable(x)
    assert x.ndim == 2, f"expected a matrix, got {x.ndim} dimensions"
    return x


def _float_of(*variables):
    """Return the floating point type in which NumPy computes with these variables."""
    dtype = np.result_type(*(np.dtype(v.dtype) for v in variables))
    return dtype.name if dtype.kind in "fc" else "float64"


def _zero_disconnected(outputs, grads):
    return [
        out.zeros_like() if isinstance(g.type, DisconnectedType) else g for out, g in zip(outputs, grads)
    ]


class _MatrixOp(Op):
    """An op on one matrix without parameters."""

    __props__ = ()

    def make_node(self, x):
        """Take a matrix."""
        x = _matrix(x)
        return Apply(self, [x], [TensorType(_float_of(x), (False, False))()])


class MatrixInverse(_MatrixOp):
    """The inverse of a square matrix."""

    def perform(self, node, inputs, outputs):
        """Store the inverse."""
        outputs[0][0] = np.linalg.inv(inputs[0]).astype(node.outputs[0].dtype, copy=False)

    def grad(self, inputs, g_outputs):
        """With V the inverse, ``d tr(G' V) = -tr(V G' V dX)``."""
        inverse = self(inputs[0])
        return [-matrix_dot(inverse, g_outputs[0].T, inverse).T]

    def R_op(self, inputs, eval_points):
        """Return ``-V dX V``."""
        inverse = self(inputs[0])
        return [None] if eval_points[0] is None else [-matrix_dot(inverse, eval_points[0], inverse)]

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return shapes


matrix_inverse = MatrixInverse()


class MatrixPinv(_MatrixOp):
    """The Moore-Penrose pseudo-inverse of a matrix."""

    def perform(self, node, inputs, outputs):
        """Store the pseudo-inverse."""
        outputs[0][0] = np.linalg.pinv(inputs[0]).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, shapes):
        """Return the lengths exchanged."""
        return [tuple(reversed(shapes[0]))]

    def L_op(self, inputs, outputs, g_outputs):
        """Return the gradient of Golub and Pereyra (1973) for matrices of locally constant rank."""
        (x,), (p,), (g,) = inputs, outputs, g_outputs
        onto_columns, onto_rows = tensor.dot(x, p), tensor.dot(p, x)
        return [
            -matrix_dot(p, g.T, p).T
            + matrix_dot(tensor.identity_like(onto_columns) - onto_columns, g.T, p, p.T)
            + matrix_dot(p.T, p, g.T, tensor.identity_like(onto_rows) - onto_rows)
        ]


pinv = MatrixPinv()


class AllocDiag(Op):
    """The square matrix with a given vector as its diagonal (`theano.tensor.basic.AllocDiag` does more)."""

    __props__ = ()

    def make_node(self, _x):
        """Take a vector."""
        x = tensor.as_tensor_variable(_x)
        if x.type.ndim != 1:
            raise TypeError("AllocDiag only works on vectors", _x)
        return Apply(self, [x], [TensorType(x.type.dtype, (False, False))()])

    def perform(self, node, inputs, outputs):
        """Store the matrix."""
        outputs[0][0] = np.diag(inputs[0])

    def grad(self, inputs, g_outputs):
        """Return the diagonal of the gradient."""
        return [extract_diag(g_outputs[0])]

    def R_op(self, inputs, eval_points):
        """Put the direction on the diagonal too."""
        return [None] if eval_points[0] is None else self(eval_points[0], return_list=True)

    def infer_shape(self, node, shapes):
        """Return the length of the vector, twice."""
        return [(shapes[0][0],) * 2]


alloc_diag = AllocDiag()
extract_diag = ExtractDiag()


def diag(x):
    """Return the diagonal of the matrix `x`, or the square matrix with the vector `x` as its diagonal.

    Raises
    ------
    TypeError
        If `x` is neither.
    """
    x = tensor.as_tensor_variable(x)
    if x.type.ndim == 1:
        return alloc_diag(x)
    if x.type.ndim == 2:
        return extract_diag(x)
    raise TypeError("diag requires vector or matrix argument", x)


def trace(X):
    """Return the sum of the diagonal of the matrix `X`."""
    return extract_diag(X).sum()


def matrix_dot(*args):
    """Return the product of several matrices, from left to right."""
    product = args[0]
    for factor in args[1:]:
        product = tensor.dot(product, factor)
    return product


class Det(Op):
    """The determinant of a square matrix."""

    __props__ = ()

    def make_node(self, x):
        """Take a matrix."""
        x = _matrix(x)
        return Apply(self, [x], [TensorType(_float_of(x), ())()])

    def perform(self, node, inputs, outputs):
        """Store the determinant."""
        outputs[0][0] = np.asarray(np.linalg.det(inputs[0]), dtype=node.outputs[0].dtype)

    def grad(self, inputs, g_outputs):
        """The derivative is the determinant times the transposed inverse."""
        (x,), (gz,) = inputs, g_outputs
        return [gz * self(x) * matrix_inverse(x).T]

    def infer_shape(self, node, shapes):
        """Return the empty shape."""
        return [()]

    def __str__(self):
        return "Det"


det = Det()


class Eig(Op):
    """Eigenvalues and right eigenvectors (the columns) of a square matrix, if they are real."""

    _numop = staticmethod(np.linalg.eig)
    __props__ = ()

    def make_node(self, x):
        """Take a matrix."""
        x = _matrix(x)
        dtype = _float_of(x)
        return Apply(self, [x], [TensorType(dtype, (False,))(), TensorType(dtype, (False, False))()])

    def perform(self, node, inputs, outputs):
        """Store both."""
        values, vectors = self._numop(inputs[0])
        for storage, result, variable in zip(outputs, (values, vectors), node.outputs):
            # NumPy from 2.5 on gives complex results for every matrix.
            if result.dtype.kind == "c" and not variable.dtype.startswith("complex") and not result.imag.any():
                result = result.real
            if result.dtype.kind == "c" and not variable.dtype.startswith("complex"):
                raise ValueError(
                    f"{self} of a real matrix with complex eigenvalues: make the matrix complex, or use eigh "
                    "if it is symmetric"
                )
            storage[0] = result.astype(variable.dtype, copy=False)

    def infer_shape(self, node, shapes):
        """Return (n,) and (n, n)."""
        n = shapes[0][0]
        return [(n,), (n, n)]


eig = Eig()


class Eigh(Eig):
    """Eigenvalues, in ascending order, and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    UPLO : {'L', 'U'}
        The triangle that is read.
    """

    _numop = staticmethod(np.linalg.eigh)
    __props__ = ("UPLO",)

    def __init__(self, UPLO="L"):
        assert UPLO in ("L", "U")
        self.UPLO = UPLO

    def make_node(self, x):
        """Take a matrix."""
        return super().make_node(x)

    def perform(self, node, inputs, outputs):
        """Store both."""
        values, vectors = self._numop(inputs[0], self.UPLO)
        outputs[0][0] = values.astype(node.outputs[0].dtype, copy=False)
        outputs[1][0] = vectors.astype(node.outputs[1].dtype, copy=False)

    def grad(self, inputs, g_outputs):
        """See `EighGrad`."""
        (x,) = inputs
        outputs = self(x)
        gw, gv = _zero_disconnected(outputs, g_outputs)
        return [EighGrad(self.UPLO)(x, *outputs, gw, gv)]


class EighGrad(Op):
    """The gradient of `Eigh`.

    Notes
    -----
    With eigenvalues w, eigenvectors V and their gradients gw, gV, the gradient of the matrix is ``V K V'``
    where ``K[i, i] = gw[i]`` and ``K[i, j] = (V' gV)[j, i] / (w[i] - w[j])``. Since only one triangle is
    read, what belongs to the other is added to it.
    """

    __props__ = ("UPLO",)

    def __init__(self, UPLO="L"):
        assert UPLO in ("L", "U")
        self.UPLO = UPLO
        self.tri0, self.tri1 = _triangles(UPLO == "L")

    def make_node(self, x, w, v, gw, gv):
        """Take the matrix, the results of `Eigh`, and their gradients."""
        x, w, v, gw, gv = map(tensor.as_tensor_variable, (x, w, v, gw, gv))
        assert x.ndim == 2 and w.ndim == 1 and v.ndim == 2 and gw.ndim == 1 and gv.ndim == 2
        return Apply(self, [x, w, v, gw, gv], [TensorType(_float_of(x, gw, gv), (False, False))()])

    def perform(self, node, inputs, outputs):
        """Store the gradient."""
        _, w, v, gw, gv = inputs
        with np.errstate(divide="ignore"):
            gaps = 1.0 / (w[:, None] - w[None, :])
        np.fill_diagonal(gaps, 0.0)
        inner = np.diag(gw) + gaps * np.dot(v.T, gv).T
        full = v.dot(inner).dot(v.T)
        outputs[0][0] = np.asarray(self.tri0(full) + self.tri1(full).T, dtype=node.outputs[0].dtype)

    def infer_shape(self, node, shapes):
        """Return the shape of the matrix."""
        return [shapes[0]]


def _triangles(lower):
    """Return what keeps the triangle that is read, and what keeps the rest of a matrix."""
    if lower:
        return np.tril, _above
    return np.triu, _below


def _above(a):
    return np.triu(a, 1)


def _below(a):
    return np.tril(a, -1)


def eigh(a, UPLO="L"):
    """Return the eigenvalues, ascending, and the eigenvectors (columns) of the symmetric matrix `a`.

    Parameters
    ----------
    a : tensor_like
        Square; only its lower or upper triangle is read.
    UPLO : {'L', 'U'}
    """
    return Eigh(UPLO)(a)


class QRFull(Op):
    """The factors Q (orthonormal columns) and R (upper triangular) of a matrix; see `qr`."""

    _numop = staticmethod(np.linalg.qr)
    __props__ = ("mode",)

    def __init__(self, mode):
        self.mode = mode

    def make_node(self, x):
        """Take a matrix."""
        x = tensor.as_tensor_variable(x)
        assert x.ndim == 2, "The input of qr function should be a matrix."
        dtype = _float_of(x)
        second = (False,) if self.mode == "raw" else (False, False)
        return Apply(self, [x], [TensorType(dtype, (False, False))(), TensorType(dtype, second)()])

    def perform(self, node, inputs, outputs):
        """Store both factors."""
        for storage, factor in zip(outputs, self._numop(inputs[0], self.mode)):
            storage[0] = factor

    def infer_shape(self, node, shapes):
        """Return (M, K) and (K, N), with K = M if complete, else min(M, N)."""
        m, n = shapes[0]
        k = m if self.mode == "complete" else tensor.minimum(m, n)
        return [(n, m), (tensor.minimum(m, n),)] if self.mode == "raw" else [(m, k), (k, n)]


class QRIncomplete(Op):
    """The factor R only."""

    _numop = staticmethod(np.linalg.qr)
    __props__ = ("mode",)

    def __init__(self, mode):
        self.mode = mode

    def make_node(self, x):
        """Take a matrix."""
        x = tensor.as_tensor_variable(x)
        assert x.ndim == 2, "The input of qr function should be a matrix."
        return Apply(self, [x], [TensorType(_float_of(x), (False, False))()])

    def perform(self, node, inputs, outputs):
        """Store the factor."""
        outputs[0][0] = self._numop(inputs[0], self.mode)

    def infer_shape(self, node, shapes):
        """Return (min(M, N), N)."""
        m, n = shapes[0]
        return [(tensor.minimum(m, n), n)]


def qr(a, mode="reduced"):
    """Return the QR factorisation of a matrix.

    Parameters
    ----------
    a : tensor_like
        M by N matrix.
    mode : {'reduced', 'complete', 'r', 'raw'}
        With K = min(M, N): Q is M by K and R is K by N; or M by M and M by N; or only R; or LAPACK's form.

    Returns
    -------
    q, r : TensorVariable
        Only `r` if `mode` is ``'r'``.
    """
    return QRIncomplete(mode)(a) if mode == "r" else QRFull(mode)(a)


class SVD(Op):
    """Singular values and, unless told otherwise, singular vectors; see `svd`."""

    _numop = staticmethod(np.linalg.svd)
    __props__ = ("full_matrices", "compute_uv")

    def __init__(self, full_matrices=True, compute_uv=True):
        self.full_matrices = full_matrices
        self.compute_uv = compute_uv

    def make_node(self, x):
        """Take a matrix."""
        x = tensor.as_tensor_variable(x)
        assert x.ndim == 2, "The input of svd function should be a matrix."
        dtype = _float_of(x)
        values, vectors = TensorType(dtype, (False,)), TensorType(dtype, (False, False))
        return Apply(self, [x], [vectors(), values(), vectors()] if self.compute_uv else [values()])

    def perform(self, node, inputs, outputs):
        """Store the results."""
        results = self._numop(inputs[0], bool(self.full_matrices), bool(self.compute_uv))
        for storage, result in zip(outputs, results if self.compute_uv else [results]):
            storage[0] = result

    def infer_shape(self, node, shapes):
        """Return (M, K), (K,), (K, N) with K = min(M, N); (M, M) and (N, N) if full."""
        m, n = shapes[0]
        k = tensor.minimum(m, n)
        if not self.compute_uv:
            return [(k,)]
        return [(m, m), (k,), (n, n)] if self.full_matrices else [(m, k), (k,), (k, n)]


def svd(a, full_matrices=1, compute_uv=1):
    """Return the singular value decomposition ``u * diag(s) * v`` of a matrix.

    Parameters
    ----------
    a : tensor_like
        M by N matrix.
    full_matrices : bool
        Make `u` and `v` square; else they have min(M, N) columns and rows.
    compute_uv : bool
        Compute `u` and `v` at all.

    Returns
    -------
    u, s, v : TensorVariable
        Only `s`, in descending order, if not `compute_uv`.
    """
    return SVD(full_matrices, compute_uv)(a)


class lstsq(Op):
    """The least squares solution of ``x s = y``: solution, residuals, rank, singular values of x."""

    __props__ = ()

    def make_node(self, x, y, rcond):
        """Take the matrix, the right hand side(s), and the smallest ratio of singular values that counts."""
        x, y, rcond = map(tensor.as_tensor_variable, (x, y, rcond))
        dtype = _float_of(x, y)
        vector = TensorType(dtype, (False,))
        solution = TensorType(dtype, (False,) * y.ndim)
        return Apply(self, [x, y, rcond], [solution(), vector(), TensorType("int64", ())(), vector()])

    def perform(self, node, inputs, outputs):
        """Store the four results."""
        x, y, rcond = inputs
        results = np.linalg.lstsq(x, y, rcond=rcond.item() if np.ndim(rcond) == 0 else rcond)
        for storage, result, variable in zip(outputs, results, node.outputs):
            storage[0] = np.asarray(result, dtype=variable.dtype)


def matrix_power(M, n):
    """Return the `n`-th power of the square matrix `M`, by repeated squaring; for negative `n` of its inverse."""
    M = _matrix(M)
    if n < 0:
        M, n = matrix_inverse(M), -n
    if n == 0:
        return tensor.identity_like(M)
    power, square = None, M
    while True:
        if n & 1:
            power = square if power is None else tensor.dot(power, square)
        n >>= 1
        if not n:
            return power
        square = tensor.dot(square, square)


def norm(x, ord):
    """Return a norm of a vector or matrix.

    Parameters
    ----------
    x : tensor_like
        Of one or two dimensions.
    ord : number, 'inf', '-inf', 'fro', 'nuc' or None
        None is the 2-norm of a vector and the Frobenius norm of a matrix; 0 counts the nonzeros of a vector.

    Raises
    ------
    ValueError
        If there is no such norm.
    NotImplementedError
        If `x` has more dimensions.
    """
    x = _as_tensor(x)
    if x.ndim > 2:
        raise NotImplementedError("We don't support norm with ndim > 2")
    if isinstance(ord, (float, np.floating)) and np.isinf(ord):
        ord = "inf" if ord > 0 else "-inf"
    if (ord is None and x.ndim) or (x.ndim == 2 and ord == "fro"):
        return tensor.sum(abs(x ** 2)) ** 0.5
    rules = _VECTOR_NORMS if x.ndim == 1 else _MATRIX_NORMS if x.ndim == 2 else {}
    if ord in rules:
        return rules[ord](x)
    if x.ndim != 1:
        raise ValueError(0)
    try:
        return tensor.sum(abs(x) ** ord) ** (1.0 / ord)
    except TypeError:
        raise ValueError("Invalid norm order for vectors.") from None


def _as_tensor(x):
    return tensor.as_tensor_variable(x)


_VECTOR_NORMS = {
    "inf": lambda x: tensor.max(abs(x)),
    "-inf": lambda x: tensor.min(abs(x)),
    0: lambda x: x[x.nonzero()].shape[0],
    2: lambda x: tensor.sum(abs(x ** 2)) ** 0.5,
}
_MATRIX_NORMS = {
    "inf": lambda x: tensor.max(tensor.sum(abs(x), 1)),
    "-inf": lambda x: tensor.min(tensor.sum(abs(x), 1)),
    1: lambda x: tensor.max(tensor.sum(abs(x), 0)),
    -1: lambda x: tensor.min(tensor.sum(abs(x), 0)),
    2: lambda x: tensor.max(svd(x, compute_uv=0)),
    -2: lambda x: tensor.min(svd(x, compute_uv=0)),
    "nuc": lambda x: tensor.sum(svd(x, compute_uv=0)),
}


class TensorInv(Op):
    """The inverse of an array seen as a linear map; see `tensorinv`."""

    _numop = staticmethod(np.linalg.tensorinv)
    __props__ = ("ind",)

    def __init__(self, ind=2):
        self.ind = ind

    def make_node(self, a):
        """Take the array."""
        a = tensor.as_tensor_variable(a)
        pattern = a.type.broadcastable[self.ind :] + a.type.broadcastable[: self.ind]
        return Apply(self, [a], [TensorType(_float_of(a), pattern)()])

    def perform(self, node, inputs, outputs):
        """Store the inverse."""
        outputs[0][0] = self._numop(inputs[0], self.ind)

    def infer_shape(self, node, shapes):
        """Return the lengths from `ind` on, then those before."""
        return [(*shapes[0][self.ind :], *shapes[0][: self.ind])]


def tensorinv(a, ind=2):
    """Return the array ``ainv`` with ``tensordot(ainv, a, ind)`` the identity for `tensordot`.

    Parameters
    ----------
    a : tensor_like
        The product of its first `ind` lengths equals that of the others.
    ind : int
        At least 1.
    """
    return TensorInv(ind)(a)


class TensorSolve(Op):
    """The solution of ``tensordot(a, x) = b``; see `tensorsolve`."""

    _numop = staticmethod(np.linalg.tensorsolve)
    __props__ = ("axes",)

    def __init__(self, axes=None):
        self.axes = axes if axes is None else tuple(axes)

    def make_node(self, a, b):
        """Take both arrays."""
        a, b = tensor.as_tensor_variable(a), tensor.as_tensor_variable(b)
        return Apply(self, [a, b], [TensorType(_float_of(a, b), (False,) * max(a.ndim - b.ndim, 0))()])

    def perform(self, node, inputs, outputs):
        """Store the solution."""
        outputs[0][0] = self._numop(inputs[0], inputs[1], self.axes)

    def infer_shape(self, node, shapes):
        """Return the lengths of the first array that the second does not have."""
        a, b = shapes
        moved = () if self.axes is None else tuple(axis % len(a) for axis in self.axes)
        order = [axis for axis in range(len(a)) if axis not in moved] + list(moved)
        return [tuple(a[axis] for axis in order[len(b) :])]


def tensorsolve(a, b, axes=None):
    """Return `x` with ``tensordot(a, x, x.ndim) = b``.

    Parameters
    ----------
    a : tensor_like
        Its shape is ``b.shape`` followed by that of the solution.
    b : tensor_like
    axes : sequence of int, optional
        Dimensions of `a` that are moved to its end before.
    """
    return TensorSolve(axes)(a, b)
