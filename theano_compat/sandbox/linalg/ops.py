"""Hints about matrices (positive definite, symmetric, triangular), and rewrites that use them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from theano_compat import tensor
from theano_compat.gof import Apply, Op, Optimizer, local_optimizer
from theano_compat.scalar import Log, Pow, Sqr
from theano_compat.tensor.elemwise import DimShuffle, Elemwise, Prod
from theano_compat.tensor.nlinalg import Det, MatrixInverse, alloc_diag, det, extract_diag, matrix_inverse, trace  # noqa: F401
from theano_compat.tensor.opt import register_canonicalize, register_specialize, register_stabilize
from theano_compat.tensor.opt.common import transpose_of
from theano_compat.tensor.slinalg import Cholesky, Solve, cholesky, imported_scipy, solve

logger = logging.getLogger("theano.sandbox.linalg.ops")

integer_types = (int,)

__all__ = [
    "Hint", "HintsFeature", "HintsOptimizer", "cholesky", "det", "extract_diag", "hints", "imported_scipy", "integer_types",
    "inv_as_solve", "is_hint_node", "is_positive", "is_psd", "is_symmetric", "local_det_chol", "local_log_pow",
    "local_log_prod_sqr", "matrix_inverse", "no_transpose_symmetric", "psd", "psd_solve_with_chol", "remove_hint_nodes",
    "solve", "spectral_radius_bound", "tag_solve_triangular", "transinv_to_invtrans",
]  # fmt: skip


class Hint(Op):
    """The input itself, with things known about it.

    Parameters
    ----------
    **kwargs
        What is known: ``psd=True``, ``symmetric=True``, ``positive=True``.
    """

    __props__ = ("hints",)

    def __init__(self, **kwargs: Any):
        self.hints = tuple(kwargs.items())
        self.view_map = {0: [0]}

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence, outstor: Sequence) -> None:
        outstor[0][0] = inputs[0]

    def grad(self, inputs: Sequence, g_out: Sequence) -> list:
        return list(g_out)

    def infer_shape(self, node: Apply, shapes: Sequence) -> list:
        """That of the input."""
        return list(shapes)


def is_hint_node(node: Any) -> bool:
    """Whether a node is a :class:`Hint`."""
    return isinstance(node.op, Hint)


def hints(variable: Any) -> dict:
    """What a variable's own hint node says."""
    return dict(variable.owner.op.hints) if variable.owner is not None and is_hint_node(variable.owner) else {}


@register_canonicalize
@local_optimizer([Hint])
def remove_hint_nodes(node: Apply) -> Any:
    """Put the variable in the place of its hint, and keep the hint in its tag."""
    if not is_hint_node(node):
        return False
    try:
        for key, value in node.op.hints:
            node.inputs[0].tag.__dict__.setdefault("hints", {})[key] = value
    except AttributeError:
        return False
    return node.inputs


class HintsFeature:
    """Keeps in its attribute ``hints`` what is known about each variable of a graph.

    Hints pass from a variable to what replaces it; where both say something about the same point, the larger one counts.
    """

    def add_hint(self, r: Any, k: Any, v: Any) -> None:
        """Note that the point `k` of variable `r` is `v`."""
        self.hints[r][k] = v

    def ensure_init_r(self, r: Any) -> None:
        """Make room for hints about `r`."""
        self.hints.setdefault(r, {})

    def on_attach(self, fgraph: Any) -> None:
        """Start with what hint nodes in the graph say."""
        if hasattr(fgraph, "hints_feature"):
            from theano_compat.gof.toolbox import AlreadyThere

            raise AlreadyThere(f"HintsFeature is already attached to {fgraph}")
        fgraph.hints_feature = self
        self.hints: dict = {}
        for node in fgraph.toposort():
            self.on_import(fgraph, node, reason="on_attach")

    def on_import(self, fgraph: Any, node: Apply, reason: Any) -> None:
        """Read the hints of a new node."""
        for variable in (*node.inputs, *node.outputs):
            self.ensure_init_r(variable)
        if is_hint_node(node):
            for key, value in node.op.hints:
                self.add_hint(node.inputs[0], key, value)
                self.add_hint(node.outputs[0], key, value)

    def update_second_from_first(self, r0: Any, r1: Any) -> None:
        """Pass hints about `r0` on to `r1`."""
        mine = self.hints[r1]
        for key, value in self.hints[r0].items():
            mine[key] = max(mine[key], value) if key in mine else value

    def on_change_input(self, fgraph: Any, node: Any, i: int, r: Any, new_r: Any, reason: Any) -> None:
        """Two variables that replace each other are equal: each gets the hints of the other."""
        for variable in (r, new_r):
            self.ensure_init_r(variable)
        self.update_second_from_first(r, new_r)
        self.update_second_from_first(new_r, r)


class HintsOptimizer(Optimizer):
    """Attaches a :class:`HintsFeature`."""

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(HintsFeature())

    def apply(self, fgraph: Any) -> None:
        """Change nothing: the feature is all."""


def psd(v: Any) -> Any:
    r"""`v`, known to be positive semi-definite: :math:`x^T v x \ge 0` for all x."""
    return Hint(psd=True, symmetric=True)(v)


def _hinted(v: Any, name: str) -> bool:
    return bool(hints(v).get(name)) or bool(getattr(v.tag, "hints", {}).get(name))


def is_psd(v: Any) -> bool:
    """Whether `v` is known to be positive semi-definite."""
    return _hinted(v, "psd")


def is_symmetric(v: Any) -> bool:
    """Whether `v` is known to be symmetric."""
    return _hinted(v, "symmetric")


def is_positive(v: Any) -> bool:
    """Whether the elements of `v` are known not to be negative: a hint says so, or it is a square."""
    if _hinted(v, "positive"):
        return True
    node = v.owner
    if node is None or not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, (Pow, Sqr)):
        return False
    if isinstance(node.op.scalar_op, Sqr):
        return True
    try:
        return tensor.get_scalar_constant_value(node.inputs[1]) % 2 == 0
    except tensor.NotScalarConstantError:
        return False


@register_canonicalize
@local_optimizer([DimShuffle])
def transinv_to_invtrans(node: Apply) -> Any:
    """``inv(x).T`` is ``inv(x.T)``."""
    if isinstance(node.op, DimShuffle) and tuple(node.op.new_order) == (1, 0):
        inner = node.inputs[0].owner
        if inner is not None and isinstance(inner.op, MatrixInverse):
            return [inner.op(inner.inputs[0].T)]
    return False


@register_stabilize
@local_optimizer([tensor.Dot])
def inv_as_solve(node: Apply) -> Any:
    """``dot(inv(a), b)`` solves a system of equations."""
    if not isinstance(node.op, tensor.Dot) or not imported_scipy:
        return False
    left, right = node.inputs
    if left.owner is not None and isinstance(left.owner.op, MatrixInverse):
        return [solve(left.owner.inputs[0], right)]
    if right.owner is not None and isinstance(right.owner.op, MatrixInverse):
        a = right.owner.inputs[0]
        return [solve(a if is_symmetric(a) else a.T, left.T).T]
    return False


@register_stabilize
@local_optimizer([Solve])
def tag_solve_triangular(node: Apply) -> Any:
    """A system whose matrix is a Cholesky factor is triangular."""
    if not isinstance(node.op, Solve) or node.op.A_structure != "general":
        return False
    a, b = node.inputs
    turned = transpose_of(a)
    factor = a if turned is None else turned
    if factor.owner is None or not isinstance(factor.owner.op, Cholesky):
        return False
    lower = factor.owner.op.lower != (turned is not None)
    return [Solve("lower_triangular" if lower else "upper_triangular")(a, b)]


@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([DimShuffle])
def no_transpose_symmetric(node: Apply) -> Any:
    """A symmetric matrix needs no transposing."""
    if isinstance(node.op, DimShuffle) and node.inputs[0].ndim == 2 and is_symmetric(node.inputs[0]):
        if tuple(node.op.new_order) == (1, 0):
            return [node.inputs[0]]
    return False


@register_stabilize
@local_optimizer(None)
def psd_solve_with_chol(node: Apply) -> Any:
    """A system with a positive definite matrix is solved by its Cholesky factor."""
    if isinstance(node.op, Solve) and node.op.A_structure == "general":
        a, b = node.inputs
        if is_psd(a):
            factor = cholesky(a)
            return [Solve("upper_triangular")(factor.T, Solve("lower_triangular")(factor, b))]
    return False


@register_stabilize
@register_specialize
@local_optimizer(None)
def local_det_chol(node: Apply) -> Any:
    """The determinant of a matrix of which there is a Cholesky factor is that of the factor, squared."""
    if node.op != det:
        return False
    (x,) = node.inputs
    for client, _ in getattr(x, "clients", []):
        if client != "output" and isinstance(client.op, Cholesky):
            return [tensor.prod(extract_diag(client.outputs[0]) ** 2)]
    return False


@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([Elemwise])
def local_log_prod_sqr(node: Apply) -> Any:
    """The logarithm of a product of numbers that are not negative is a sum of logarithms."""
    if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, Log):
        return False
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, Prod) or not is_positive(inner.inputs[0]):
        return False
    return [tensor.log(inner.inputs[0]).sum(inner.op.axis)]


@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([Elemwise])
def local_log_pow(node: Apply) -> Any:
    """``log(x ** p)`` is ``p * log(x)``."""
    if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, Log):
        return False
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, Elemwise) or not isinstance(inner.op.scalar_op, Pow):
        return False
    base, exponent = inner.inputs
    return [exponent * tensor.log(base)]


def spectral_radius_bound(X: Any, log2_exponent: int) -> Any:
    """An upper bound of the largest absolute eigenvalue of a symmetric matrix.

    Parameters
    ----------
    X : Variable
        Shape (n, n).
    log2_exponent : int
        How often X is squared; the bound gets tighter with it.

    Returns
    -------
    Variable
        Scalar.

    Notes
    -----
    The trace of X^p is the sum of the eigenvalues to the power p = 2^log2_exponent; its root bounds each of them.
    """
    if X.type.ndim != 2:
        raise TypeError("spectral_radius_bound requires a matrix argument", X)
    if not isinstance(log2_exponent, integer_types):
        raise TypeError("spectral_radius_bound requires an integer exponent", log2_exponent)
    if log2_exponent <= 0:
        raise ValueError("spectral_radius_bound requires a strictly positive exponent", log2_exponent)
    power = X
    for _ in range(log2_exponent):
        power = tensor.dot(power, power)
    return trace(power) ** (2.0 ** (-log2_exponent))
