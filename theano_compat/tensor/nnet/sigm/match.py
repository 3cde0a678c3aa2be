"""Recognisers for the exponential forms that the sigmoid rewrites look for.

Each returns what it found inside an expression, or None.
"""
from __future__ import annotations

import warnings

import numpy as np

from theano_compat import config
from theano_compat.gof.opt.base import Reports
from theano_compat.tensor import basic as tensor
from theano_compat.tensor import opt


def _scalar_constant(v):
    """Value of a constant (seen through broadcasts and fills), or None."""
    try:
        return tensor.get_scalar_constant_value(v)
    except tensor.NotScalarConstantError:
        return None


def is_neg(var):
    """Return ``x`` where `var` is ``-x``, ``-1 * x`` or ``x / -1`` (else None).

    A product with several factors comes back as the product of the others.
    """
    node = var.owner
    if node is None:
        return None
    if node.op == tensor.neg:
        return node.inputs[0]
    if node.op == tensor.mul and len(node.inputs) >= 2:
        for position, factor in enumerate(node.inputs):
            value = _scalar_constant(factor)
            if value is not None and value == -1:
                others = node.inputs[:position] + node.inputs[position + 1:]
                return others[0] if len(others) == 1 else tensor.mul(*others)
    return None


def is_exp(var):
    """Return ``(negated, x)`` where `var` is ``exp(x)`` or ``-exp(x)`` (else None)."""
    inner = is_neg(var)
    negated = inner is not None
    node = (inner if negated else var).owner
    if node is not None and node.op == tensor.exp:
        return negated, node.inputs[0]
    return None


def is_mul(var):
    """Return the list of factors where `var` is a product (else None)."""
    return var.owner.inputs if var.owner is not None and var.owner.op == tensor.mul else None


def _is_1(expr):
    """True where `expr` is a constant filled with ones."""
    value = _scalar_constant(expr)
    return value is not None and bool(np.allclose(value, 1))


def is_1pexp(t, only_process_constants=True):
    """Recognise ``1 + exp(x)`` up to sign.

    Parameters
    ----------
    t : variable
    only_process_constants : bool
        Find the constant without evaluating any expression.

    Returns
    -------
    (bool, variable) or None
        Whether the whole is negated, and ``x``.
    """
    if t.owner is None or t.owner.op != tensor.add:
        return None
    constants, _, others = opt.scalarconsts_rest(
        t.owner.inputs, only_process_constants=only_process_constants)
    if len(others) != 1:
        if len(others) > 1 and config.warn.identify_1pexp_bug and any(map(is_exp, others)):
            Reports.count += 1
            warnings.warn(
                "This expression is compiled correctly here, but Theano before version 0.5 gave a wrong result for "
                "it. Set the flag warn.identify_1pexp_bug to False to hide this message.")
        return None
    found = is_exp(others[0])
    if found is None:
        return None
    negated, x = found
    # The constants must add up to the sign of the exponential: 1 + e^x, or -1 - e^x.
    total = np.sum(constants) if constants else 0
    if not np.allclose(total, -1 if negated else 1):
        return None
    return negated, x


def partition_num_or_denom(r, f):
    """Split the factors of `r` by the recogniser `f`.

    Parameters
    ----------
    r : variable
        A product, or any expression (one factor).
    f : callable
        Returns None, or ``(negated, value)`` for a factor that it recognises.

    Returns
    -------
    tuple
        ``(values recognised, other factors, sign is negative)``
    """
    factors = r.owner.inputs if r.owner is not None and r.owner.op == tensor.mul else [r]
    found, rest, negative = [], [], False
    for factor in factors:
        match = f(factor)
        if match is None:
            rest.append(factor)
        else:
            negated, value = match
            found.append(value)
            negative ^= negated
    return found, rest, negative
