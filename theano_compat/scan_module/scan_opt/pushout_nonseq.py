"""Work that is the same in every step is done once, before the loop."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat import tensor
from theano_compat.compile.ops import DeepCopyOp, ViewOp
from theano_compat.gof import Constant
from theano_compat.gof.graph import io_toposort
from theano_compat.scalar import Scalar
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, fresh_info, moved_out, rebuilt, replace_node


class PushOutNonSeqScan(ScanRewriter):
    """Move what depends on nothing but non-sequences out of the step.

    Outputs that are the same in every step become copies of one value.
    """

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        args = describe(node)
        outside: dict = dict(zip(args.inner_in_non_seqs, args.outer_in_non_seqs))
        given = set(outside)
        movable: set = set()
        inner_outputs = args.inner_outputs
        frontier: OrderedDict = OrderedDict()
        for nd in io_toposort(args.inner_inputs, inner_outputs):
            moves = (
                not isinstance(nd.op, (ViewOp, DeepCopyOp))
                and not getattr(nd.op, "destroy_map", None)
                and bool(nd.inputs)
                and all(isinstance(v, Constant) or v in given or v.owner in movable for v in nd.inputs)
                and all(hasattr(v.type, "ndim") for v in nd.outputs)
            )
            if moves:
                movable.add(nd)
            else:
                frontier.update((v, None) for v in nd.inputs if v.owner in movable)
        frontier.update((v, None) for v in inner_outputs if v.owner in movable)
        _tensors_only(frontier, movable)
        same_rows = [] if args.as_while else [
            k for k, v in enumerate(args.inner_out_nit_sot) if v in given or v.owner in movable or isinstance(v, Constant)
        ]  # fmt: skip
        if not frontier and not same_rows:
            return
        for nd in io_toposort(args.inner_in_non_seqs, list(frontier)):
            copied = nd.clone_with_new_inputs([moved_out(v, outside) for v in nd.inputs], strict=False)
            outside.update(zip(nd.outputs, copied.outputs))
        self._replace(fgraph, node, args, list(frontier), same_rows, outside)

    def _replace(self, fgraph: Any, node: Any, args: Any, frontier: list, same_rows: list[int], outside: dict) -> None:
        first = len(args.outer_out_mit_mot) + len(args.outer_out_mit_sot) + len(args.outer_out_sit_sot)
        pairs = []
        for k in same_rows:
            if not fgraph.clients(node.outputs[first + k]):
                continue
            value = moved_out(args.inner_out_nit_sot[k], outside)
            shape = [value.shape[axis] for axis in range(value.ndim)]
            rows = tensor.alloc(tensor.shape_padleft(value), args.outer_in_nit_sot[k], *shape)
            old = node.outputs[first + k]
            if rows.type != old.type:
                rows = tensor.patternbroadcast(rows, old.broadcastable)
            pairs.append((old, rows))
        replaced = {old for old, _ in pairs}
        if len(pairs) == len(node.outputs) or not any(fgraph.clients(v) for v in node.outputs if v not in replaced):
            if pairs:
                fgraph.replace_all_validate(pairs, reason="scanOp_pushout_nonseqs_ops")
            return
        dropped = [first + k for k in same_rows]
        kept = [i for i in range(len(node.outputs)) if i not in dropped]
        args.without_outputs(set(dropped))
        needed = [v for v in frontier if v in _read(args)]
        replace = OrderedDict((v, scan_utils.safe_new(v, "_replace")) for v in needed)
        replace = OrderedDict((v, new) for v, new in replace.items() if outside[v].type == v.type or not hasattr(v, "dtype") or outside[v].dtype == v.dtype)
        if not replace and not pairs:
            return
        for v, new in replace.items():
            args.inner_in_non_seqs.append(new)
            args.outer_in_non_seqs.append(outside[v])
        outputs = rebuilt(fresh_info(args), replace, node)
        replace_node(fgraph, node, pairs + list(zip([node.outputs[i] for i in kept], outputs)), "scanOp_pushout_nonseqs_ops")


def _tensors_only(frontier: OrderedDict, movable: set) -> None:
    """Replace the scalars of a frontier by the tensors they are made from: a loop takes tensors only."""
    scalars = [v for v in frontier if isinstance(v.type, Scalar)]
    while scalars:
        v = scalars.pop()
        frontier.pop(v, None)
        for source in v.owner.inputs:
            if source.owner not in movable:
                continue
            if isinstance(source.type, Scalar):
                scalars.append(source)
            else:
                frontier[source] = None


def _read(args: Any) -> set:
    """All variables of the step."""
    from theano_compat.gof.graph import ancestors

    return set(ancestors(args.inner_outputs))
