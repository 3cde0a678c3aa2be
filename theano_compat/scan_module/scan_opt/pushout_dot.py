"""Products in a loop become one product after it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from theano_compat import scalar, tensor
from theano_compat.gof import Constant
from theano_compat.gof.graph import inputs as leaves_of
from theano_compat.gof.graph import io_toposort
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, first_rows, fresh_info, has_rows, rebuilt, replace_node, reversed_rows
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.common import transpose_of
from theano_compat.tensor.subtensor import Subtensor


def is_dot(variable: Any) -> bool:
    """Whether a variable is a product of matrices or vectors."""
    return variable.owner is not None and isinstance(variable.owner.op, tensor.Dot)


def only_last_row_used(fgraph: Any, output: Any) -> bool:
    """Whether all that the graph reads of an output is its last row."""
    clients = fgraph.clients(output)
    return bool(clients) and all(client != "output" and _takes_last(client) for client, _ in clients)


def _takes_last(client: Any) -> bool:
    if not isinstance(client.op, Subtensor) or len(client.op.idx_list) != 1 or isinstance(client.op.idx_list[0], slice):
        return False
    try:
        return int(tensor.get_scalar_constant_value(client.inputs[1])) == -1
    except tensor.NotScalarConstantError:
        return False


def summed_dot(args: Any, k: int) -> Any:
    """The product of two matrices that a step adds to state `k` of the kind ``sit_sot`` and that is all it does; or None."""
    before, after = args.inner_in_sit_sot[k], args.inner_out_sit_sot[k]
    node = after.owner
    if node is None or not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, scalar.Add) or len(node.inputs) != 2:
        return None
    others = [v for v in node.inputs if v is not before]
    if len(others) != 1 or not is_dot(others[0]) or others[0].type.dtype != after.type.dtype:
        return None
    a, b = others[0].owner.inputs
    if a.ndim != 2 or b.ndim != 2 or _depends(args, before, others[0], k):
        return None
    return others[0]


def _depends(args: Any, state: Any, product: Any, k: int) -> bool:
    """Whether anything else in the loop reads the state."""
    rest = [v for v in args.inner_outputs if v is not args.inner_out_sit_sot[k]] + [product]
    return state in set(leaves_of(rest))


class Factor(NamedTuple):
    """All rows of a factor of a product that a loop sums.

    Attributes
    ----------
    kind : {"seqs", "nit_sot"}
    position : int
        Which of the loop's sequences, or of its outputs that are no states.
    transposed : bool
        The product has the transposes of the rows.
    """

    kind: str
    position: int
    transposed: bool


def product_of_all(a_rows: Any, b_rows: Any, a_transposed: bool = False, b_transposed: bool = False) -> Any:
    """The sum over t of ``dot(a[t], b[t])`` as one product; a of shape (T, m, n), b of shape (T, n, p), or their rows transposed."""
    return tensor.dot(_side_by_side(a_rows, a_transposed), _side_by_side(b_rows, not b_transposed).T)


def _side_by_side(rows: Any, transposed: bool) -> Any:
    """Matrices (T, m, n) as one of shape (m, T * n); matrices (T, n, m), if transposed, need not move for it where they are contiguous."""
    rows = rows if transposed else rows.dimshuffle(0, 2, 1)
    return rows.reshape((rows.shape[0] * rows.shape[1], rows.shape[2]), ndim=2).T


def factor(args: Any, v: Any, may_add: bool) -> Factor | None:
    """Where all rows of an inner variable, or of what it is the transpose of, can be found outside; as a new output where needed, if that may be."""
    turned = transpose_of(v)
    for transposed, rows in ((False, v), (True, turned)):
        if rows in args.inner_in_seqs:
            return Factor("seqs", args.inner_in_seqs.index(rows), transposed)
        for k, out in enumerate(args.inner_out_nit_sot):
            if out is rows and args.outer_in_nit_sot[k] is args.n_steps:
                return Factor("nit_sot", k, transposed)
    made = v if turned is None else turned
    if not may_add or isinstance(made, Constant) or made in args.inner_in_non_seqs or made.owner is None:
        return None
    args.inner_out_nit_sot.append(made)
    args.outer_in_nit_sot.append(args.n_steps)
    return Factor("nit_sot", len(args.inner_out_nit_sot) - 1, turned)


class PushOutDot1(ScanRewriter):
    """Where a step adds the product of two sequences to a state of which the last value counts: one product.

    The factors may be outputs of the loop, too.
    """

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        self.apply_opt(fgraph, node)

    def apply_opt(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        args = describe(node)
        if args.as_while:
            return
        first = len(args.outer_out_mit_mot) + len(args.outer_out_mit_sot)
        for k in range(len(args.inner_in_sit_sot)):
            product = summed_dot(args, k)
            if product is None or not only_last_row_used(fgraph, node.outputs[first + k]):
                continue
            factors = [factor(args, v, may_add=False) for v in product.owner.inputs]
            if None not in factors:
                finish(fgraph, node, args, k, factors, "scan_pushout_dot1")
                return


def finish(fgraph: Any, node: Any, args: Any, k: int, factors: list, reason: str) -> None:
    """Take a state that sums products out of a loop and put one product in its place.

    Parameters
    ----------
    args : ScanDescription
        The loop; it may have more ``nit_sot`` outputs than the node, at the end.
    k : int
        The state.
    factors : list of Factor
    """
    first = len(args.outer_in_mit_mot) + len(args.outer_in_mit_sot)
    n_nit_sot_old = len(args.outer_out_nit_sot)
    initial = first_rows(args.outer_in_sit_sot[k], 1)[0]
    old = list(node.outputs)
    drop = first + k
    n_states = first + len(args.outer_in_sit_sot)
    args.without_outputs({drop})
    outs = rebuilt(fresh_info(args), None, node)
    n_new = len(args.inner_out_nit_sot) - n_nit_sot_old
    rows = {"seqs": [_read(seq, args.n_steps) for seq in args.outer_in_seqs], "nit_sot": outs[n_states - 1 : n_states - 1 + n_nit_sot_old + n_new]}
    a, b = (rows[f.kind][f.position] for f in factors)
    if any(reversed_rows(seq) is not None for seq in args.outer_in_seqs):
        # A loop that goes back in time: its sequences lie in memory the other way round, and a sum has no order.
        a, b = (v[::-1] if (forwards := reversed_rows(v)) is None else forwards for v in (a, b))
    total = product_of_all(a, b, *(f.transposed for f in factors)) + initial
    pairs = []
    for client, _ in list(fgraph.clients(old[drop])):
        target = client.outputs[0]
        value = total if total.type == target.type else tensor.patternbroadcast(total, target.broadcastable)
        pairs.append((target, value))
    kept_old = old[:drop] + old[drop + 1 : n_states + n_nit_sot_old]
    kept_new = outs[: n_states - 1 + n_nit_sot_old]
    shared_old, shared_new = old[n_states + n_nit_sot_old :], outs[n_states - 1 + n_nit_sot_old + n_new :]
    pairs += [*zip(kept_old, kept_new), *zip(shared_old, shared_new)]
    replace_node(fgraph, node, pairs, reason)


def _read_in_step(args: Any, v: Any) -> bool:
    """Whether the step itself needs what it also gives as an output that is no state."""
    return args.inner_outputs.count(v) > 1 or any(v in nd.inputs for nd in io_toposort(args.inner_inputs, args.inner_outputs))


def _read(seq: Any, n_steps: Any) -> Any:
    """The rows of a sequence that the steps of a loop read."""
    rows = reversed_rows(seq)
    return seq if rows is not None and has_rows(rows, n_steps) else seq[:n_steps]


class PushOutScanOutput(ScanRewriter):
    """Move products that only the outside reads behind the loop, where one large product does them all."""

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        args = describe(node)
        if args.as_while:
            return
        first = len(args.outer_out_mit_mot) + len(args.outer_out_mit_sot)
        for k in range(len(args.inner_in_sit_sot)):
            product = summed_dot(args, k)
            if product is not None and only_last_row_used(fgraph, node.outputs[first + k]) and self._sum(fgraph, node, args, k, product):
                return
        for k, v in enumerate(args.inner_out_nit_sot):
            if is_dot(v) and args.outer_in_nit_sot[k] is args.n_steps and not _read_in_step(args, v) and self._rows(fgraph, node, args, k, v):
                return

    def _sum(self, fgraph: Any, node: Any, args: Any, k: int, product: Any) -> bool:
        factors = [factor(args, v, may_add=True) for v in product.owner.inputs]
        if None in factors:
            return False
        finish(fgraph, node, args, k, factors, "scanOp_pushout_output")
        return True

    def _rows(self, fgraph: Any, node: Any, args: Any, k: int, product: Any) -> bool:
        """The product of a row with a matrix that stays the same."""
        a, b = product.owner.inputs
        fixed = OrderedDict(zip(args.inner_in_non_seqs, args.outer_in_non_seqs))
        if b not in fixed or b.ndim != 2 or a.ndim not in (1, 2) or a in fixed or isinstance(a, Constant) or a.type.dtype != b.type.dtype:
            return False
        n_states = len(args.outer_in_mit_mot) + len(args.outer_in_mit_sot) + len(args.outer_in_sit_sot)
        # A state's new value is there already: its buffer from the second row on.
        n_mit = len(args.outer_in_mit_mot) + len(args.outer_in_mit_sot)
        state = next((i for i, out in enumerate(args.inner_out_sit_sot) if out is a), None)
        place = None if state is not None else factor(args, a, may_add=True)
        if state is None and place is None:
            return False
        old = list(node.outputs)
        n_before = len(args.outer_out_nit_sot)
        args.without_outputs({n_states + k})
        outs = rebuilt(fresh_info(args), None, node)
        if state is not None:
            rows = outs[n_mit + state][1:]
        elif place.kind == "seqs":
            rows = args.outer_in_seqs[place.position][: args.n_steps]
        else:
            rows = outs[n_states + place.position - (place.position > k)]
        if place is not None and place.transposed:
            rows = rows.dimshuffle(0, 2, 1)
        if a.ndim == 2:
            shape = (rows.shape[0], rows.shape[1], fixed[b].shape[1])
            flat = rows.reshape((rows.shape[0] * rows.shape[1], rows.shape[2]), ndim=2)
            value = tensor.dot(flat, fixed[b]).reshape(shape, ndim=3)
        else:
            value = tensor.dot(rows, fixed[b])
        target = old[n_states + k]
        if value.type != target.type:
            value = tensor.patternbroadcast(value, target.broadcastable)
        n_added = len(args.inner_out_nit_sot) - (n_before - 1)
        pairs = [(target, value)]
        pairs += zip(old[:n_states], outs[:n_states])
        pairs += zip([v for i, v in enumerate(old[n_states : n_states + n_before]) if i != k], outs[n_states : n_states + n_before - 1])
        pairs += zip(old[n_states + n_before :], outs[n_states + n_before - 1 + n_added :])
        replace_node(fgraph, node, pairs, "scanOp_pushout_output")
        return True
