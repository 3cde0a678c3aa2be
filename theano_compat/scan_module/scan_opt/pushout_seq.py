"""Elementwise work on sequences is done on whole sequences, before the loop."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat import scalar, tensor
from theano_compat.gof import Constant
from theano_compat.gof.graph import io_toposort
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, fresh_info, moved_out, rebuilt, replace_node
from theano_compat.tensor.elemwise import DimShuffle, Elemwise


def _same_in_all_steps(v: Any, fixed: dict, read: list) -> bool:
    """Whether a variable takes but its shape from what the step reads in any case: the rows of all steps would be memory full of one value."""
    nd = v.owner
    if not isinstance(nd.op, Elemwise) or not isinstance(nd.op.scalar_op, scalar.Second):
        return False
    model, value = nd.inputs
    return (isinstance(value, Constant) or value in fixed) and any(model is r for r in read)


class PushOutSeqScan(ScanRewriter):
    """Move elementwise operations and changes of axes that depend on sequences and non-sequences alone out of the step."""

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        args = describe(node)
        rows: dict = dict(zip(args.inner_in_seqs, args.outer_in_seqs))  # inner variable -> all its rows
        fixed: dict = dict(zip(args.inner_in_non_seqs, args.outer_in_non_seqs))
        frontier: OrderedDict = OrderedDict()
        movable: set = set()
        outputs = args.inner_outputs
        for nd in io_toposort(args.inner_inputs, outputs):
            if self._movable(nd, rows, fixed, movable):
                movable.add(nd)
            else:
                frontier.update((v, None) for v in nd.inputs if v.owner in movable)
        frontier.update((v, None) for v in outputs if v.owner in movable)
        for v in [v for v in frontier if v not in outputs and _same_in_all_steps(v, fixed, [*args.inner_in_seqs, *frontier])]:
            del frontier[v]
        if not frontier:
            return
        for nd in io_toposort(args.inner_in_seqs + args.inner_in_non_seqs, list(frontier)):
            rows[nd.outputs[0]] = self._on_all_rows(nd, rows, fixed)
        self._replace(fgraph, node, args, list(frontier), movable, rows)

    @staticmethod
    def _movable(nd: Any, rows: dict, fixed: dict, movable: set) -> bool:
        if len(nd.outputs) != 1 or not isinstance(nd.op, (Elemwise, DimShuffle)) or getattr(nd.op, "destroy_map", None):
            return False
        sequence = [v in rows or v.owner in movable for v in nd.inputs]
        return any(sequence) and all(s or isinstance(v, Constant) or v in fixed for s, v in zip(sequence, nd.inputs))

    @staticmethod
    def _on_all_rows(nd: Any, rows: dict, fixed: dict) -> Any:
        """The values of a node in all steps."""
        if isinstance(nd.op, DimShuffle):
            order = [0] + [axis if axis == "x" else axis + 1 for axis in nd.op.new_order]
            new = rows[nd.inputs[0]].dimshuffle(order)
        else:
            inputs = [rows[v] if v in rows else tensor.shape_padleft(moved_out(v, fixed)) for v in nd.inputs]
            new = nd.op(*inputs)
        copy_stack_trace(nd.outputs[0], new)
        return new

    def _replace(self, fgraph: Any, node: Any, args: Any, frontier: list, movable: set, rows: dict) -> None:
        first = len(args.outer_out_mit_mot) + len(args.outer_out_mit_sot) + len(args.outer_out_sit_sot)
        pairs = []
        dropped = []
        for k, v in enumerate(args.inner_out_nit_sot):
            # An output that is computed from sequences alone needs no loop.
            if v.owner in movable and not args.as_while and args.outer_in_nit_sot[k] is args.n_steps:
                old, new = node.outputs[first + k], rows[v][: args.n_steps]
                if new.broadcastable[1:] == old.broadcastable[1:]:
                    if new.broadcastable != old.broadcastable:
                        new = tensor.patternbroadcast(new, old.broadcastable)
                    pairs.append((old, new))
                    dropped.append(first + k)
        replaced = {old for old, _ in pairs}
        if not any(fgraph.clients(v) for v in node.outputs if v not in replaced):
            if pairs:
                fgraph.replace_all_validate(pairs, reason="scanOp_pushout_seqs_ops")
            return
        kept = [i for i in range(len(node.outputs)) if i not in dropped]
        args.without_outputs(set(dropped))
        from theano_compat.gof.graph import ancestors

        alive = set(ancestors(args.inner_outputs))
        replace: OrderedDict = OrderedDict()
        for v in frontier:
            if v in alive:
                replace[v] = scan_utils.safe_new(v, "_replace")
                args.inner_in_seqs.append(replace[v])
                args.outer_in_seqs.append(rows[v])
        if not replace and not pairs:
            return
        outputs = rebuilt(fresh_info(args), replace, node)
        replace_node(fgraph, node, pairs + list(zip([node.outputs[i] for i in kept], outputs)), "scanOp_pushout_seqs_ops")
