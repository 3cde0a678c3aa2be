"""Inputs of a loop that are constant, unused or given twice."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat.gof import local_optimizer
from theano_compat.gof.graph import inputs as leaves_of
from theano_compat.scan_module.scan_op import Scan
from theano_compat.scan_module.scan_opt.common import describe, fresh_info, rebuilt
from theano_compat.tensor import TensorConstant


def _constant_row(outer: Any, is_sequence: bool) -> Any:
    """The constant that an input stands for in every step, if it does."""
    if not isinstance(outer, TensorConstant):
        return None
    if is_sequence:
        return outer[0] if outer.data.shape[0] and (outer.data == outer.data[:1]).all() and outer.data.size < 2**16 else None
    return outer.clone() if outer.data.size == 1 or getattr(outer.tag, "unique_value", None) is not None else None


def _reduce(outer: list, inner: list, used: set, is_sequence: bool, replace: OrderedDict) -> tuple[list, list]:
    """The inputs that are needed; what the others become is put into `replace`."""
    kept_outer: list = []
    kept_inner: list = []
    first: dict = {}
    for out, inn in zip(outer, inner):
        if inn not in used:
            continue
        constant = _constant_row(out, is_sequence)
        if constant is not None and constant.type == inn.type:
            replace[inn] = constant
        elif out in first and first[out].type == inn.type:
            replace[inn] = first[out]
        else:
            first.setdefault(out, inn)
            kept_outer.append(out)
            kept_inner.append(inn)
    return kept_outer, kept_inner


@local_optimizer([Scan])
def remove_constants_and_unused_inputs_scan(node: Any) -> Any:
    """Move constants into the step; leave out inputs that it does not read, and second copies."""
    if not isinstance(node.op, Scan):
        return False
    args = describe(node)
    used = set(leaves_of(args.inner_outputs))
    replace: OrderedDict = OrderedDict()
    seqs = _reduce(args.outer_in_seqs, args.inner_in_seqs, used, True, replace)
    others = _reduce(args.outer_in_non_seqs, args.inner_in_non_seqs, used, False, replace)
    if len(seqs[0]) == len(args.outer_in_seqs) and len(others[0]) == len(args.outer_in_non_seqs):
        return False
    args.outer_in_seqs, args.inner_in_seqs = seqs
    args.outer_in_non_seqs, args.inner_in_non_seqs = others
    new = rebuilt(fresh_info(args), replace, node)
    return OrderedDict([("remove", [node]), *zip(node.outputs, new)])
