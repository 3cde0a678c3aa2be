"""Loops that run side by side become one."""

from __future__ import annotations

from typing import Any

from theano_compat import tensor
from theano_compat.gof import Constant
from theano_compat.gof.graph import inputs as leaves_of
from theano_compat.gof.graph import is_in_ancestors
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, fresh_info, rebuilt, scans


class ScanMerge(ScanRewriter):
    """Merge loops with the same number of steps of which none depends on another."""

    def apply(self, fgraph: Any) -> None:
        groups: list[list] = []
        for node in scans(fgraph):
            for group in groups:
                if self.belongs_to_set(node, group):
                    group.append(node)
                    break
            else:
                groups.append([node])
        for group in groups:
            if len(group) > 1:
                pairs = self.merge(group)
                fgraph.replace_all_validate_remove(pairs, remove=group, reason="scanOp_merge")

    def belongs_to_set(self, node: Any, set_nodes: list) -> bool:
        """Whether a loop can be merged with those of a list."""
        first = set_nodes[0]
        if not _equal_steps(node.inputs[0], first.inputs[0]):
            return False
        a, b = node.op, first.op
        if a.as_while != b.as_while or a.truncate_gradient != b.truncate_gradient or a.gpua != b.gpua:
            return False
        if bool(a.profile) != bool(b.profile) or a.destroy_map or b.destroy_map:
            return False
        if a.as_while and not _equal_conditions(node, first):
            return False
        return not any(is_in_ancestors(node, other) or is_in_ancestors(other, node) for other in set_nodes)

    def merge(self, nodes: list) -> list[tuple]:
        """Pairs of the outputs of some loops and those of one that does the work of all."""
        whole = None
        for node in nodes:
            args = describe(node)
            inner_in, inner_out = scan_utils.reconstruct_graph(args.inner_inputs, args.inner_outputs)
            copied = type(args)(list(node.inputs), list(node.outputs), inner_in, inner_out, args.info)
            if whole is None:
                whole = copied
            else:
                whole.merge(copied)
        names = [node.op.name for node in nodes if node.op.name]
        whole.other_info["name"] = "&".join(names) or None
        old = whole.outer_outputs
        return list(zip(old, rebuilt(fresh_info(whole), None, None)))


def _equal_steps(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, Constant) and isinstance(b, Constant):
        return bool(a.data == b.data)
    try:
        return int(tensor.get_scalar_constant_value(a)) == int(tensor.get_scalar_constant_value(b))
    except tensor.NotScalarConstantError:
        return False


def _equal_conditions(a: Any, b: Any) -> bool:
    """Whether two loops end at the same step, as far as it is seen from conditions on sequences and non-sequences."""
    sides = []
    for node in (a, b):
        args = describe(node)
        outer = dict(zip(args.inner_in_seqs, [("row", v) for v in args.outer_in_seqs]))
        outer.update(zip(args.inner_in_non_seqs, [("value", v) for v in args.outer_in_non_seqs]))
        condition = args.cond[0]
        leaves = [v for v in leaves_of([condition]) if not isinstance(v, Constant)]
        sides.append((condition, leaves, [outer.get(v) for v in leaves]))
    (cond_a, leaves_a, outer_a), (cond_b, leaves_b, outer_b) = sides
    if None in outer_a or None in outer_b or len(leaves_a) != len(leaves_b) or outer_a != outer_b:
        return a.op == b.op and all(x is y for x, y in zip(a.inputs, b.inputs))
    return scan_utils.equal_computations([cond_a], [cond_b], leaves_a, leaves_b)


def has_duplicates(l: list) -> bool:  # noqa: E741 - the name of the argument is Theano's
    """Whether a list holds something twice."""
    return len(set(l)) < len(l)


def make_equiv(lo: list, li: list) -> tuple[list, list]:
    """Join what corresponds in two lists: inner variables whose outer variables are the same.

    Parameters
    ----------
    lo : list
        Outer variables.
    li : list
        What belongs to them inside.

    Returns
    -------
    tuple of (list of pairs, list)
        Pairs of what is replaced by what, and the elements that stay as ``(outer, inner)``.
    """
    first: dict = {}
    left: list = []
    for outer, inner in zip(lo, li):
        if outer in first:
            left += list(zip(inner, first[outer])) if isinstance(inner, (list, tuple)) else [(inner, first[outer])]
        else:
            first[outer] = inner
    return left, list(first.items())
