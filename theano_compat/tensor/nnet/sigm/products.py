"""Products as trees, and the rewrite ``exp(x) * sigmoid(-x) -> sigmoid(x)`` on them.

A tree is ``[negated, variable]`` (a leaf) or ``[negated, [tree, tree, ...]]`` (a product). Working on trees lets the two
factors meet however the product was bracketed and wherever the minus signs stand.
"""
from __future__ import annotations

from theano_compat.gof import Variable
from theano_compat.tensor import basic as tensor

from .match import is_exp, is_mul, is_neg
from .ops import sigmoid

_REMOVED = None  # what stands in place of a factor that was cancelled


def parse_mul_tree(root):
    """Return the product tree of an expression.

    Parameters
    ----------
    root : variable

    Returns
    -------
    list
        ``[negated, leaf or list of trees]``. ``-x * (y * z)`` gives
        ``[False, [[True, x], [False, [[False, y], [False, z]]]]]``.
    """
    top = [False, root]
    pending = [top]
    while pending:
        tree = pending.pop()
        # Peel minus signs, then open the product, if it is one.
        while True:
            factors = is_mul(tree[1])
            if factors is not None:
                tree[1] = [[False, factor] for factor in factors]
                pending.extend(tree[1])
                break
            inner = is_neg(tree[1])
            if inner is None:
                break
            tree[0] = not tree[0]
            tree[1] = inner
    return top


def simplify_mul(tree):
    """Drop cancelled factors and products of one factor from a tree.

    Parameters
    ----------
    tree : list
        Changed in place where nothing collapses.

    Returns
    -------
    list
        The simplified tree; an empty product is ``[negated, None]``.
    """
    # Children come before their parents when the discovery order is reversed.
    order, pending = [], [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        if isinstance(node[1], list):
            pending.extend(node[1])
    for node in reversed(order):
        if not isinstance(node[1], list):
            continue
        kept = []
        for child in node[1]:
            if child[1] is _REMOVED:
                node[0] ^= child[0]
            else:
                kept.append(child)
        if not kept:
            node[1] = _REMOVED
        elif len(kept) == 1:
            node[0] ^= kept[0][0]
            node[1] = kept[0][1]
        else:
            node[1] = kept
    return tree


def compute_mul(tree):
    """Return the expression that a (simplified) product tree stands for.

    Parameters
    ----------
    tree : list

    Returns
    -------
    variable

    Raises
    ------
    AssertionError
        If a cancelled factor is left in the tree.
    """
    order, pending = [], [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        if isinstance(node[1], list):
            pending.extend(node[1])
    value = {}
    for node in reversed(order):
        negated, content = node
        if content is _REMOVED:
            raise AssertionError("Function `compute_mul` found a missing leaf, did you forget to call `simplify_mul` "
                                 "on the tree first?")
        result = tensor.mul(*[value[id(child)] for child in content]) if isinstance(content, list) else content
        value[id(node)] = -result if negated else result
    return value[id(tree)]


def replace_leaf(arg, leaves, new_leaves, op, neg):
    """Take the first pending leaf with argument `arg` and make it ``op(arg)``.

    Parameters
    ----------
    arg : variable
    leaves : list of (variable, tree)
        Leaves waiting for a partner; the one found is removed.
    new_leaves : list of (variable, tree)
        Where the changed leaf is appended.
    op : callable
        Builds the new leaf's variable.
    neg : bool
        Whether the partner was negated, which flips the sign of the new leaf.

    Returns
    -------
    bool
        True if a leaf was found.
    """
    for position, (candidate, tree) in enumerate(leaves):
        if candidate is arg:
            del leaves[position]
            tree[0] ^= neg
            tree[1] = op(arg)
            new_leaves.append((arg, tree))
            return True
    return False


def _leaf_kind(var):
    """Return ``("exp" or "sigm", argument is negated, argument without its sign)`` of a leaf, or None."""
    found = is_exp(var)
    if found is not None and not found[0]:
        kind, arg = "exp", found[1]
    elif isinstance(var, Variable) and var.owner is not None and var.owner.op == sigmoid:
        kind, arg = "sigm", var.owner.inputs[0]
    else:
        return None
    inner = is_neg(arg)
    return (kind, False, arg) if inner is None else (kind, True, inner)


def _sigmoid_of_minus(x):
    return sigmoid(-x)


def perform_sigm_times_exp(tree, exp_x=None, exp_minus_x=None, sigm_x=None, sigm_minus_x=None,
                           parent=None, child_idx=None, full_tree=None):
    """Cancel exponentials against sigmoids in a product tree, in place.

    ``exp(x) * sigmoid(-x)`` becomes ``sigmoid(x)``, and ``exp(-x) * sigmoid(x)`` becomes ``sigmoid(-x)``. The factor met
    first is replaced, the later one is marked as removed (see `simplify_mul`).

    Parameters
    ----------
    tree : list
        As from `parse_mul_tree`.
    exp_x, exp_minus_x, sigm_x, sigm_minus_x : list of (variable, tree), optional
        Factors of the four kinds met before, waiting for a partner.
    parent, child_idx, full_tree : optional
        Accepted for compatibility, unused.

    Returns
    -------
    bool
        True if anything was cancelled.
    """
    waiting = {
        ("exp", False): exp_x if exp_x is not None else [],
        ("exp", True): exp_minus_x if exp_minus_x is not None else [],
        ("sigm", False): sigm_x if sigm_x is not None else [],
        ("sigm", True): sigm_minus_x if sigm_minus_x is not None else [],
    }
    changed = False
    pending = [tree]
    while pending:
        leaf = pending.pop()
        if isinstance(leaf[1], list):
            pending.extend(reversed(leaf[1]))
            continue
        kind = _leaf_kind(leaf[1])
        if kind is None:
            continue
        name, minus, arg = kind
        # The partner has the other function and the other sign; the result has the sign of the exponential.
        partner = ("sigm" if name == "exp" else "exp", not minus)
        result_minus = minus if name == "exp" else not minus
        build = _sigmoid_of_minus if result_minus else sigmoid
        if replace_leaf(arg, waiting[partner], waiting["sigm", result_minus], build, leaf[0]):
            leaf[0], leaf[1] = False, _REMOVED
            changed = True
        else:
            waiting[name, minus].append((arg, leaf))
    return changed
