"""Loops that run in their initial states' memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat import tensor
from theano_compat.compile.ops import deep_copy_op
from theano_compat.gof.destroyhandler import DestroyHandler
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.gof.toolbox import ReplaceValidate
from theano_compat.scan_module.scan_opt.common import ScanRewriter, scans


class ScanInplaceOptimizer(ScanRewriter):
    """Let loops overwrite the buffers with their initial states where nobody else reads them.

    Parameters
    ----------
    typeInfer : callable, optional
        Makes the types of the outputs, for other devices.
    gpua_flag : bool
        Which loops: those of the GPU, or those of the CPU.
    """

    def __init__(self, typeInfer: Any = None, gpua_flag: bool = False):
        super().__init__()
        self.typeInfer, self.gpua_flag = typeInfer, gpua_flag

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(ReplaceValidate())
        fgraph.attach_feature(DestroyHandler())

    def apply(self, fgraph: Any) -> None:
        alloc_ops = (tensor.Alloc, tensor.AllocEmpty)
        for node in scans(fgraph):
            if bool(node.op.gpua) != self.gpua_flag:
                continue
            wanted = [k for k in range(node.op.layout.n_states) if fgraph.destroyers(node.inputs[node.op.layout.state_outer_input(k)]) == []]
            done = self.attempt_scan_inplace(fgraph, node, wanted, alloc_ops)
            if done:
                continue
            # All of them at once is not possible: one after the other.
            for k in wanted:
                node = self.attempt_scan_inplace(fgraph, node, [k], alloc_ops) or node

    def attempt_scan_inplace(self, fgraph: Any, node: Any, output_indices: list[int], alloc_ops: tuple) -> Any:
        """Try to run a loop in place on some of its states; the new node, or False."""
        op, layout = node.op, node.op.layout
        if not output_indices:
            return False
        destroy_map = OrderedDict(op.destroy_map)
        inputs = list(node.inputs)
        taken: set = set()
        for k in output_indices:
            position = layout.state_outer_input(k)
            destroy_map[k] = [position]
            variable = inputs[position]
            if variable in taken or inputs.count(variable) > 1:
                # Each state needs memory of its own.
                inputs[position] = deep_copy_op(variable)
            elif variable.owner is not None and isinstance(variable.owner.op, alloc_ops):
                inputs[position] = variable.owner.clone().outputs[variable.index]
            taken.add(variable)
        new_op = op.copy_with(destroy_map=OrderedDict(sorted(destroy_map.items())))
        new = new_op(*inputs, return_list=True)
        copy_stack_trace(node.outputs, new)
        try:
            fgraph.replace_all_validate_remove(list(zip(node.outputs, new)), remove=[node], reason="scanOp_make_inplace")
        except InconsistencyError:
            return False
        return new[0].owner
