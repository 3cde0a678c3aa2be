"""Mapping a function over the variables of graphs, into loops too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano_compat.compile.builders import OpFromGraph
from theano_compat.compile.sharedvalue import SharedVariable
from theano_compat.gof import Constant, Variable
from theano_compat.gof.graph import inputs as leaves_of
from theano_compat.gof.graph import io_toposort

__all__ = ["map_in_graphs"]


def map_in_graphs(replacer: Callable, graphs: list, additional_inputs: list) -> list:
    """What :func:`theano_compat.scan_module.scan_utils.map_variables` does."""
    leaves = leaves_of(graphs)
    done: dict[Variable, Variable] = {}

    def put(old: Variable, new: Variable) -> None:
        mapped = replacer(new)
        if mapped is not new and mapped.name is None:
            mapped.name = old.name
        done[old] = mapped

    for leaf in leaves:
        put(leaf, leaf)
    for node in io_toposort(leaves, graphs):
        new_inputs = [done[v] for v in node.inputs]
        opened = _opened(node, new_inputs, replacer)
        if opened is not None:
            outputs = opened
        elif all(a is b for a, b in zip(new_inputs, node.inputs)):
            outputs = node.outputs
        else:
            outputs = node.clone_with_new_inputs(new_inputs, strict=False).outputs
        for old, new in zip(node.outputs, outputs):
            if new is not old and new.name is None:
                new.name = old.name
            put(old, new)
    return [done[graph] for graph in graphs]


def _opened(node: Any, new_inputs: list, replacer: Callable) -> list | None:
    """The outputs of a node with an inner graph after that graph has been mapped; None for other nodes."""
    from theano_compat.scan_module.scan_op import Scan

    op = node.op
    if isinstance(op, Scan):
        return _map_scan(op, new_inputs, replacer)
    if isinstance(op, OpFromGraph):
        inner_in, inner_out = list(op.inputs), list(op.outputs)
        mapped, outside = _mapped_inside(inner_in, inner_out, replacer)
        if mapped is None:
            return None
        extra_inside, extra_outside = outside
        new = OpFromGraph(inputs=inner_in + extra_inside, outputs=mapped, on_unused_input="ignore")
        return new(*new_inputs[: len(inner_in)], *extra_outside, return_list=True)
    return None


def _mapped_inside(inner_in: list, inner_out: list, replacer: Callable) -> tuple:
    """The inner outputs mapped, and the pairs of lists of new inner inputs with what they stand for outside."""
    from theano_compat.scan_module.scan_utils import clone

    mapped = map_in_graphs(replacer, inner_out, inner_in)
    if all(a is b for a, b in zip(mapped, inner_out)):
        return None, ([], [])
    own = set(inner_in)
    foreign = [v for v in leaves_of(mapped) if v not in own and not isinstance(v, Constant)]
    for v in foreign:
        if isinstance(v, SharedVariable) and (getattr(v, "default_update", None) is not None or getattr(v, "update", None) is not None):
            raise NotImplementedError(f"{v}, brought into an inner graph, has an update, which would have to change with its uses")
    stand_ins = [v.type() for v in foreign]
    if foreign:
        mapped = clone(mapped, replace=list(zip(foreign, stand_ins)))
    return mapped, (stand_ins, foreign)


def _map_scan(op: Any, new_inputs: list, replacer: Callable) -> list | None:
    from theano_compat.scan_module.scan_op import Scan

    mapped, (inside, outside) = _mapped_inside(list(op.inputs), list(op.outputs), replacer)
    if mapped is None:
        return None
    return Scan(list(op.inputs) + inside, mapped, op.info)(*new_inputs, *outside, return_list=True)
