"""Sums of scaled matrix products, rewritten into :class:`Gemm`.

A sum is flattened into a list of ``(coefficient, matrix)`` pairs, equal matrices are put together,
and pairs of terms of which one is a product become ``beta * L + alpha * dot(X, Y)``.
"""

from __future__ import annotations

import time
from collections import Counter, deque

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.opt import Optimizer, copy_stack_trace
from theano_compat.gof.toolbox import ReplacementDidntRemovedError, ReplaceValidate
from theano_compat.tensor import basic as tb
from theano_compat.tensor.blas.ops import _dot22, gemm_no_inplace
from theano_compat.tensor.elemwise import DimShuffle, Elemwise

_GEMM_DTYPES = ("float16", "float32", "float64", "complex64", "complex128")


def res_is_a(node, op, maxclients=None) -> bool:
    """Tell whether a variable is made by `op` and used at most `maxclients` times."""
    if node.owner is None or node.owner.op != op:
        return False
    return maxclients is None or len(getattr(node, "clients", ())) <= maxclients


def _is_real_matrix(res) -> bool:
    return (
        res.type.dtype in ("float16", "float32", "float64")
        and res.type.ndim == 2
        and not any(res.type.broadcastable)
    )


def _is_real_vector(res) -> bool:
    return (
        res.type.dtype in ("float16", "float32", "float64")
        and res.type.ndim == 1
        and not res.type.broadcastable[0]
    )


def _as_scalar(res, dtype=None):
    """Give the number behind a variable all of whose dimensions have extent one.

    Parameters
    ----------
    res : tensor variable
    dtype
        The dtype of the product that it scales. If None, a floating number stays as it is and a
        discrete one becomes ``floatX``.

    Returns
    -------
    0-d variable or None
        In `dtype` where that is the dtype that the product would have anyway, None where there is
        no such number.
    """
    if not all(res.type.broadcastable):
        return None
    while res.owner is not None and isinstance(res.owner.op, DimShuffle):
        res = res.owner.inputs[0]
    if not all(res.type.broadcastable):
        return None
    number = res.dimshuffle() if res.type.ndim else res
    if dtype is None:
        if number.type.dtype not in tb.discrete_dtypes:
            return number
        dtype = config.floatX
    if number.type.dtype == dtype:
        return number
    if scal.upcast(number.type.dtype, dtype) != dtype:
        return None
    return tb.cast(number, dtype)


def _clients(variable) -> int:
    return len(getattr(variable, "clients", ()))


def _op_of_sum(variable):
    """Give the scalar op of an elementwise node that a sum may run through, or None."""
    owner = variable.owner
    if owner is None or not isinstance(owner.op, Elemwise):
        return None
    scalar_op = owner.op.scalar_op
    if isinstance(scalar_op, (scal.Add, scal.Sub, scal.Neg, scal.Mul)):
        return scalar_op
    return None


def _times(factor, thing):
    """Multiply, leaving out a factor of one and turning minus one into a negation."""
    if isinstance(factor, (int, float)):
        if factor == 1:
            return thing
        if factor == -1:
            return -thing
    if isinstance(thing, (int, float)):
        if thing == 1:
            return factor
        if thing == -1:
            return -factor
    return factor * thing


def _split_product(variable):
    """Split a product into numbers and what they scale; None where there is nothing to split."""
    numbers, rest = [], []
    for factor in variable.owner.inputs:
        if all(factor.type.broadcastable):
            number = _as_scalar(factor, dtype=variable.dtype)
            if number is None:
                return None
            numbers.append(number)
        else:
            rest.append(factor)
    if not rest or (len(rest) > 1 and not numbers):
        return None
    inner = rest[0] if len(rest) == 1 else tb.mul(*rest)
    return (numbers, inner) if inner.type == variable.type else None


def _gemm_canonicalize(r, scale, rval, maxclients) -> list:
    """Append the terms of ``scale * r`` to `rval`.

    Parameters
    ----------
    r
        A matrix or vector of the graph.
    scale
        A Python number or 0-d variable.
    rval
        The list of ``(coefficient, variable)`` pairs that grows.
    maxclients
        Do not look behind variables with more uses than this; 0 for no limit.

    Returns
    -------
    list
        `rval`.
    """
    pending = [(r, scale, maxclients)]
    while pending:
        term, factor, limit = pending.pop()
        kind = _op_of_sum(term)
        usable = (
            kind is not None
            and term.type.ndim in (1, 2)
            and term.type.dtype in _GEMM_DTYPES
            and not (limit and _clients(term) > limit)
        )
        if not usable:
            rval.append((factor, term))
            continue
        inputs = term.owner.inputs
        if isinstance(kind, scal.Mul):
            split = _split_product(term)
            if split is None:
                rval.append((factor, term))
                continue
            numbers, inner = split
            if numbers:
                numbers[0] = _times(factor, numbers[0])
                factor = numbers[0] if len(numbers) == 1 else tb.mul(*numbers)
            pending.append((inner, factor, 1))
        elif any(inp.type.dtype != term.type.dtype for inp in inputs):
            rval.append((factor, term))
        elif isinstance(kind, scal.Add):
            pending.extend((inp, factor, 1) for inp in reversed(inputs))
        elif isinstance(kind, scal.Sub):
            pending.append((inputs[1], _times(-1.0, factor), 1))
            pending.append((inputs[0], factor, 1))
        else:
            pending.append((inputs[0], _times(-1.0, factor), 1))
    return rval


def _factor_canonicalized(lst: list) -> list:
    """Add up the coefficients of equal matrices, in the order of their first appearance."""
    merged: dict = {}
    for factor, matrix in lst:
        merged[matrix] = merged[matrix] + factor if matrix in merged else factor
    return [(factor, matrix) for matrix, factor in merged.items()]


def _as_number(value, dtype):
    """Make a 0-d variable of `dtype` of a Python number or a 0-d variable."""
    if isinstance(value, (int, float)):
        return tb.as_tensor_variable(np.asarray(value, dtype=dtype))
    return value if value.type.dtype == dtype else tb.cast(value, dtype)


#: How a column, a row or a number that a product was shrunk to is grown back for Gemm:
#: order of the shrinking DimShuffle -> (order for L, order for the result).
_SHRUNK = {(0,): ((0, "x"), (0,)), (1,): (("x", 0), (1,)), (): (("x", "x"), ())}


def _product_behind(M):
    """Give the Dot22 that a term is, or was shrunk from, and how to grow and shrink; else None."""
    if res_is_a(M, _dot22):
        return M, None
    if M.owner is not None and isinstance(M.owner.op, DimShuffle):
        product = M.owner.inputs[0]
        orders = _SHRUNK.get(tuple(M.owner.op.new_order))
        if orders is not None and res_is_a(product, _dot22):
            return product, orders
    return None


def _is_product(M, uses: int = 1) -> bool:
    """Tell whether a term is a product that nobody needs but the `uses` places given."""
    found = _product_behind(M)
    if found is None or _clients(M) > uses:
        return False
    return found[0] is M or _clients(found[0]) <= 1


def _gemm(beta, L, alpha, M):
    """Build ``beta * L + alpha * M`` for a term `M` that is a product; gives it and the product."""
    product, orders = _product_behind(M)
    X, Y = product.owner.inputs
    dtype = L.type.dtype
    alpha, beta = _as_number(alpha, dtype), _as_number(beta, dtype)
    if orders is None:
        return gemm_no_inplace(L, alpha, X, Y, beta), product
    grown = gemm_no_inplace(L.dimshuffle(*orders[0]), alpha, X, Y, beta)
    return grown.dimshuffle(*orders[1]), product


def _beta_L_plus_alpha_M(beta, L, alpha, M, recurse_flip=True):
    """Build ``beta * L + alpha * M`` as one Gemm where one of both is a product used only here.

    Returns
    -------
    tuple
        The list with the new variable and the product that it replaces, or ``(False, False)``.
    """
    if M.type == L.type and _is_product(M):
        result, product = _gemm(beta, L, alpha, M)
        return [result], product
    if recurse_flip:
        return _beta_L_plus_alpha_M(alpha, M, beta, L, recurse_flip=False)
    return False, False


def _gemm_from_factored_list(lst: list):
    """Turn two terms of a sum into a Gemm, if there are two that fit.

    Returns
    -------
    tuple or None
        The list with the new sum and the product that it no longer needs.
    """
    terms = [
        (factor, matrix)
        for factor, matrix in lst
        if isinstance(factor, (int, float)) or factor.type.dtype == matrix.type.dtype
    ]
    if len(terms) != len(lst):
        return None
    products = [_is_product(matrix) for _, matrix in terms]
    for i, (s_i, M_i) in enumerate(terms):
        for j in range(i + 1, len(terms)):
            s_j, M_j = terms[j]
            if not (products[i] or products[j]):
                continue
            built, old = _beta_L_plus_alpha_M(s_i, M_i, s_j, M_j)
            if not built:
                continue
            rest = [_times(s, M) for k, (s, M) in enumerate(terms) if k not in (i, j)]
            rest += built
            return ([tb.add(*rest)] if len(rest) > 1 else rest), old
    return None


def _fold_products(terms: list, uses: dict):
    """Fold every product of a sum into a chain of Gemm, one chain for each type of terms.

    The chain begins with a term that is no product, where there is one, so that as few plain
    products as possible remain.

    Parameters
    ----------
    terms
        Pairs of a coefficient and a variable.
    uses
        How often the sum needs each variable.

    Returns
    -------
    tuple
        The variables whose sum is the new result, those among them and below them that were
        built here, and the products that are no longer needed.
    """
    by_type: dict = {}
    for place, (_, matrix) in enumerate(terms):
        by_type.setdefault(matrix.type, []).append(place)
    chains: list = []
    used: set = set()
    made: list = []
    old_products: list = []
    for places in by_type.values():
        products = [k for k in places if _is_product(terms[k][1], uses[terms[k][1]])]
        if not products or len(places) < 2:
            continue
        others = set(places).difference(products)
        first = min(others) if others else products[0]
        beta, total = terms[first]
        for k in products:
            if k != first:
                total, old = _gemm(beta, total, *terms[k])
                beta = 1.0
                made.append(total)
                old_products.append(old)
        used.update(products, [first])
        chains.append(total)
    rest = [_times(s, M) for k, (s, M) in enumerate(terms) if k not in used]
    return rest + chains, made, old_products


def _gemm_of_node(node):
    """Give the replacement for a node that computes a sum with products in it, or None."""
    terms = _gemm_canonicalize(node.outputs[0], 1.0, [], 0)
    if len(terms) < 2 or not any(_product_behind(matrix) for _, matrix in terms):
        return None
    factored = _factor_canonicalized(terms)
    if len(factored) < 2 or not all(
        isinstance(s, (int, float)) or s.type.dtype == M.type.dtype for s, M in factored
    ):
        return None
    uses = Counter(matrix for _, matrix in terms)
    summands, made, old_products = _fold_products(factored, uses)
    if not old_products:
        return None
    new = summands[0] if len(summands) == 1 else tb.add(*summands)
    return (new, [new, *made], old_products) if new.type == node.outputs[0].type else None


class GemmOptimizer(Optimizer):
    """Find sums of scaled matrix products and make :class:`Gemm` of them.

    Notes
    -----
    Sums are visited once each, from the outputs of the graph inwards, so that the largest one is
    seen first and takes all of its products at once.
    """

    def __init__(self):
        Optimizer.__init__(self)
        self.warned = False

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph):
        started = time.perf_counter()
        validated_before = getattr(fgraph, "validate_time", 0.0)
        counts = {"iterations": 0, "replaced": 0, "kept": 0, "inconsistent": 0, "sums": 0}
        pending = deque(
            node for node in reversed(fgraph.toposort()) if _op_of_sum(node.outputs[0]) is not None
        )
        counts["sums"] = len(pending)
        while pending:
            node = pending.popleft()
            if node not in fgraph.apply_nodes or not node.outputs[0].clients:
                continue
            counts["iterations"] += 1
            found = _gemm_of_node(node)
            if found is None:
                continue
            new, made, old_products = found
            for variable in made:
                copy_stack_trace(node.outputs, variable)
                if isinstance(variable.owner.op, DimShuffle):
                    copy_stack_trace(node.outputs, variable.owner.inputs[0])
            try:
                fgraph.replace_all_validate_remove(
                    [(node.outputs[0], new)], old_products, reason="GemmOptimizer"
                )
            except InconsistencyError:
                counts["inconsistent"] += 1
                continue
            except ReplacementDidntRemovedError:
                counts["kept"] += 1
                continue
            counts["replaced"] += 1
        return (
            self,
            counts["iterations"],
            counts["replaced"],
            counts["kept"],
            counts["inconsistent"],
            counts["sums"],
            time.perf_counter() - started,
            getattr(fgraph, "validate_time", 0.0) - validated_before,
        )

    @staticmethod
    def print_profile(stream, prof, level=0):
        """Write what :meth:`apply` returned, one figure a line."""
        blanc = "    " * level
        _, *figures = prof
        print(blanc, "GemmOptimizer", file=stream)
        names = (
            "nb_iter",
            "nb_replacement",
            "nb_replacement_didn_t_remove",
            "nb_inconsistency_replace",
            "nb_sums",
            "time",
            "time_validate",
        )
        for name, figure in zip(names, figures):
            print(blanc, f" {name}", figure, file=stream)
