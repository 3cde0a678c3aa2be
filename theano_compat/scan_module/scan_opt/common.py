"""What the rewrites of loops share."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from theano_compat import tensor
from theano_compat.gof import Constant, Optimizer, Variable
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.gof.toolbox import ReplaceValidate
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.layout import ScanDescription
from theano_compat.scan_module.scan_op import Scan
from theano_compat.tensor.basic.vector_elements import picked
from theano_compat.tensor.subtensor import IncSubtensor, Subtensor, get_idx_list

_logger = logging.getLogger("theano.scan_module.scan_opt")


def info(*msg: Any) -> None:
    """Log a message."""
    _logger.info("INFO theano.scan: %s", " ".join(map(str, msg)))


def warning(*msg: Any) -> None:
    """Log a warning."""
    _logger.warning("WARNING theano.scan: %s", " ".join(map(str, msg)))


class ScanRewriter(Optimizer):
    """Base of the rewrites that look at every loop of a graph once."""

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: Any) -> None:
        for node in scans(fgraph):
            self.process_node(fgraph, node)

    def process_node(self, fgraph: Any, node: Any) -> Any:
        """Rewrite one loop."""
        raise NotImplementedError


def scans(fgraph: Any) -> Iterator[Any]:
    """The loops of a graph in order; those that were rewritten meanwhile are left out."""
    for node in [n for n in fgraph.toposort() if isinstance(n.op, Scan)]:
        if node in fgraph.apply_nodes:
            yield node


def describe(node: Any) -> ScanDescription:
    """A loop taken apart, over its own inner variables."""
    return ScanDescription.from_op(node.op, list(node.inputs), list(node.outputs))


def rebuilt(description: ScanDescription, replace: Any = None, like: Any = None) -> list:
    """The outputs of the loop that a description stands for.

    Parameters
    ----------
    description : ScanDescription
        The loop.
    replace : dict or list of pairs, optional
        Inner variables to replace.
    like : Apply, optional
        The node that it comes from, for the traces.
    """
    outputs = description.inner_outputs
    if replace:
        outputs = scan_utils.clone(outputs, replace=replace)
    inner_in, inner_out = scan_utils.reconstruct_graph(description.inner_inputs, outputs)
    result = Scan(inner_in, inner_out, description.info)(*description.outer_inputs, return_list=True)
    if like is not None:
        copy_stack_trace(like.outputs, result)
    return result


def moved_out(variable: Any, outside: dict) -> Any:
    """What stands outside a loop for an inner variable: its entry in `outside`; a constant of the step as a copy, for a variable lives in one graph only."""
    found = outside.get(variable)
    if found is None and isinstance(variable, Constant):
        found = outside[variable] = variable.clone()
    return variable if found is None else found


def fresh_info(description: ScanDescription) -> ScanDescription:
    """A description without in-place marks, which hold for one numbering of outputs only."""
    description.other_info["destroy_map"] = type(description.other_info)()
    return description


def replace_node(fgraph: Any, node: Any, pairs: Sequence[tuple], reason: str) -> Any:
    """Replace outputs of a loop, all or none; whether it was possible."""
    return fgraph.replace_all_validate_remove(list(pairs), remove=[node], reason=reason)


def constant(value: Any) -> int | None:
    """The integer that a variable, or a Python number, is known to be; None for None and for what is not known."""
    if value is None or isinstance(value, int):
        return value
    try:
        return int(tensor.get_scalar_constant_value(value))
    except (tensor.NotScalarConstantError, TypeError):
        return None


def first_rows(buffer: Any, n: int) -> Any:
    """The first `n` rows of the buffer of a state that has as many initial rows: what was put into it, for which nobody needs the rest of the buffer."""
    node = buffer.owner
    if node is not None and isinstance(node.op, IncSubtensor) and node.op.set_instead_of_inc and len(node.op.idx_list) == 1:
        index, value = get_idx_list(node.inputs[1:], node.op.idx_list)[0], node.inputs[1]
        # a value that is repeated to fill the rows is not the rows
        all_there = value.ndim == buffer.ndim and value.broadcastable[1:] == buffer.broadcastable[1:] and (n == 1 or not value.broadcastable[0])
        if all_there and isinstance(index, slice) and index.start is None and index.step is None:
            if constant(index.stop) == n or _is_length(index.stop, value):
                return value
    return buffer[:n]


def _is_length(v: Any, array: Any) -> bool:
    """Whether a variable is ``array.shape[0]``."""
    node = getattr(v, "owner", None)
    if node is not None and isinstance(node.op, tensor.basic.ScalarFromTensor):
        node = node.inputs[0].owner
    return node is not None and picked(node) == ("length", 0, array)


def sliced(v: Any) -> tuple[Variable, slice] | None:
    """An array and the one slice of its rows that a variable is; None where that is not seen."""
    node = v.owner
    if node is None or not isinstance(node.op, Subtensor) or len(node.op.idx_list) != 1:
        return None
    index = get_idx_list(node.inputs, node.op.idx_list)[0]
    return (node.inputs[0], index) if isinstance(index, slice) else None


def reversed_rows(v: Any) -> Any:
    """What a variable has the rows of in reverse; None where that is not seen."""
    found = sliced(v)
    if found is None or found[1].start is not None or found[1].stop is not None or constant(found[1].step) != -1:
        return None
    return found[0]


def has_rows(v: Any, n: Any) -> bool:
    """Whether a variable is ``array[:n]``."""
    found = sliced(v)
    if found is None or found[1].start is not None or found[1].step is not None or not isinstance(found[1].stop, Variable):
        return False
    stop = found[1].stop
    if stop.owner is not None and isinstance(stop.owner.op, tensor.basic.ScalarFromTensor):
        stop = stop.owner.inputs[0]
    return stop is n or (constant(stop) is not None and constant(stop) == constant(n))
