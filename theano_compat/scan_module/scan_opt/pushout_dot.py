"""Products in a loop become one product after it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat import scalar, tensor
from theano_compat.gof import Constant
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, fresh_info, rebuilt, replace_node
from theano_compat.tensor.elemwise import Elemwise
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
    from theano_compat.gof.graph import inputs as leaves_of

    rest = [v for v in args.inner_outputs if v is not args.inner_out_sit_sot[k]] + [product]
    return state in set(leaves_of(rest))


def product_of_all(a_rows: Any, b_rows: Any) -> Any:
    """The sum over t of ``dot(a[t], b[t])`` as one product; a of shape (T, m, n), b of shape (T, n, p)."""
    left = a_rows.dimshuffle(1, 0, 2)
    left = left.reshape((a_rows.shape[1], a_rows.shape[0] * a_rows.shape[2]), ndim=2)
    right = b_rows.reshape((b_rows.shape[0] * b_rows.shape[1], b_rows.shape[2]), ndim=2)
    return tensor.dot(left, right)


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
            position = {v: i for i, v in enumerate(args.inner_in_seqs)}
            collected = {v: i for i, v in enumerate(args.inner_out_nit_sot)}
            factors = []
            for v in product.owner.inputs:
                if v in position:
                    factors.append(("seqs", position[v]))
                elif v in collected and args.outer_in_nit_sot[collected[v]] is args.n_steps:
                    factors.append(("nit_sot", collected[v]))
            if len(factors) == 2:
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
    factors : list of (str, int)
        What the factors are: sequences or outputs of the kind ``nit_sot``.
    """
    first = len(args.outer_in_mit_mot) + len(args.outer_in_mit_sot)
    n_nit_sot_old = len(args.outer_out_nit_sot)
    initial = args.outer_in_sit_sot[k][0]
    old = list(node.outputs)
    drop = first + k
    n_states = first + len(args.outer_in_sit_sot)
    args.without_outputs({drop})
    outs = rebuilt(fresh_info(args), None, node)
    n_new = len(args.inner_out_nit_sot) - n_nit_sot_old
    rows = {"seqs": [seq[: args.n_steps] for seq in args.outer_in_seqs], "nit_sot": outs[n_states - 1 : n_states - 1 + n_nit_sot_old + n_new]}
    a, b = (rows[kind][i] for kind, i in factors)
    total = product_of_all(a, b) + initial
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
            if is_dot(v) and args.outer_in_nit_sot[k] is args.n_steps and self._rows(fgraph, node, args, k, v):
                return

    def _as_rows(self, args: Any, v: Any) -> tuple[str, int] | None:
        """Where all rows of an inner variable can be found outside, adding an output where needed."""
        if v in args.inner_in_seqs:
            return "seqs", args.inner_in_seqs.index(v)
        for k, out in enumerate(args.inner_out_nit_sot):
            if out is v and args.outer_in_nit_sot[k] is args.n_steps:
                return "nit_sot", k
        if isinstance(v, Constant) or v in args.inner_in_non_seqs or v.owner is None:
            return None
        args.inner_out_nit_sot.append(v)
        args.outer_in_nit_sot.append(args.n_steps)
        return "nit_sot", len(args.inner_out_nit_sot) - 1

    def _sum(self, fgraph: Any, node: Any, args: Any, k: int, product: Any) -> bool:
        factors = [self._as_rows(args, v) for v in product.owner.inputs]
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
        place = None if state is not None else self._as_rows(args, a)
        if state is None and place is None:
            return False
        old = list(node.outputs)
        n_before = len(args.outer_out_nit_sot)
        args.without_outputs({n_states + k})
        outs = rebuilt(fresh_info(args), None, node)
        if state is not None:
            rows = outs[n_mit + state][1:]
        elif place[0] == "seqs":
            rows = args.outer_in_seqs[place[1]][: args.n_steps]
        else:
            rows = outs[n_states + place[1] - (place[1] > k)]
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
