"""Products that the steps of a loop have made are kept for the loop of its gradient, which would make them again.

The step of a backward loop is the step of the forward loop and its derivatives, on the rows that the forward loop read. What is elementwise is cheaply computed
again; a matrix product is not.
"""

from __future__ import annotations

from typing import Any

from theano_compat import tensor
from theano_compat.gof import Constant, Variable
from theano_compat.gof.graph import io_toposort
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_op import Scan
from theano_compat.scan_module.scan_opt.common import ScanRewriter, describe, fresh_info, rebuilt
from theano_compat.tensor.basic import Dot
from theano_compat.tensor.subtensor import Subtensor, get_idx_list

REASON = "scanOp_keep_products"


class KeepProducts(ScanRewriter):
    """Let the loop whose rows another one reads in reverse keep the products that both make.

    Takes memory for the products of all steps.
    """

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one backward loop, and the forward loops that it goes back through."""
        for forward in dict.fromkeys(f for f in map(_source, node.inputs) if f is not None):
            if forward in fgraph.apply_nodes and node in fgraph.apply_nodes:
                self._keep(fgraph, node, forward)

    def _keep(self, fgraph: Any, node: Any, forward: Any) -> None:
        back, front = describe(node), describe(forward)
        known, steps = _same_rows(back, front, forward)
        if steps is None:
            return
        products = {v: made for v, made in _products(back, front, known).items() if _same_shape_in_all(front, made)}
        if not products:
            return
        front.inner_out_nit_sot += list(products.values())
        front.outer_in_nit_sot += [front.n_steps] * len(products)
        made = rebuilt(fresh_info(front), None, forward)
        first = len(forward.outputs) - len(front.outer_in_shared)
        replace = {v: scan_utils.safe_new(v, "_kept") for v in products}
        for v, rows in zip(products, made[first : first + len(products)]):
            back.inner_in_seqs.append(replace[v])
            back.outer_in_seqs.append(rows[:steps][::-1])
        outputs = rebuilt(fresh_info(back), replace, node)
        kept = made[:first] + made[first + len(products) :]
        # the backward loop first: it comes into the graph with what it reads of the old forward loop
        pairs = [*zip(node.outputs, outputs), *zip(forward.outputs, kept)]
        fgraph.replace_all_validate_remove(pairs, remove=[node, forward], reason=REASON)


def _sliced(v: Variable) -> tuple[Variable, Any] | None:
    """An array and the one slice of its rows that a variable is."""
    node = v.owner
    if node is None or not isinstance(node.op, Subtensor) or len(node.op.idx_list) != 1:
        return None
    index = get_idx_list(node.inputs, node.op.idx_list)[0]
    return (node.inputs[0], index) if isinstance(index, slice) else None


def _constant(value: Any) -> int | None:
    if value is None or isinstance(value, int):
        return value
    try:
        return int(tensor.get_scalar_constant_value(value))
    except (tensor.NotScalarConstantError, TypeError):
        return None


def _reversed_rows(v: Variable) -> tuple[Variable, int, Any] | None:
    """For ``a[first:][:steps][::-1]``, with or without the first slice: `a`, `first` and `steps`."""
    outer = _sliced(v)
    if outer is None or outer[1].start is not None or outer[1].stop is not None or _constant(outer[1].step) != -1:
        return None
    inner = _sliced(outer[0])
    if inner is None or inner[1].start is not None or inner[1].stop is None or inner[1].step is not None:
        return None
    begin = _sliced(inner[0])
    if begin is not None and begin[1].stop is None and begin[1].step is None:
        first = _constant(begin[1].start)
        if first is not None and first >= 0:
            return begin[0], first, inner[1].stop
    return inner[0], 0, inner[1].stop


def _source(v: Variable) -> Any:
    """The loop whose rows a variable has in reverse."""
    found = _reversed_rows(v)
    owner = None if found is None else found[0].owner
    return owner if owner is not None and isinstance(owner.op, Scan) else None


def _same_rows(back: Any, front: Any, forward: Any) -> tuple[dict, Any]:
    """Which inner variables of the backward loop have, in each of its steps, the value that one of the forward loop had in the same step.

    Returns
    -------
    (dict, Variable)
        The second is the number of rows that the backward loop reads, None if it reads none of a state.
    """
    layout = forward.op.layout
    known: dict[Variable, Variable] = {}
    steps = None
    seqs = dict(zip(front.outer_in_seqs, front.inner_in_seqs))
    others = dict(zip(front.outer_in_non_seqs, front.inner_in_non_seqs))
    inner_inputs = front.inner_inputs
    for outer, inner in zip(back.outer_in_seqs, back.inner_in_seqs):
        found = _reversed_rows(outer)
        if found is None:
            continue
        array, first, stop = found
        if array.owner is forward:
            k = forward.outputs.index(array)
            if not layout.n_mit_mot <= k < layout.n_states or first + layout.mintaps[k] not in layout.in_taps[k]:
                continue
            position = layout.state_inner_inputs(k)[layout.in_taps[k].index(first + layout.mintaps[k])]
            known[inner] = inner_inputs[position]
            steps = stop
        elif array in seqs and first == 0:
            known[inner] = seqs[array]
    known.update((inner, others[outer]) for outer, inner in zip(back.outer_in_non_seqs, back.inner_in_non_seqs) if outer in others)
    return known, steps


def _same_shape_in_all(front: Any, product: Variable) -> bool:
    """Whether a product has the same shape in every step, as far as can be told: only then its rows fit into one array."""
    inner = front.inner_inputs
    varying = set(inner) - set(front.inner_in_non_seqs)
    shapes = [tuple(v.shape[i] for i in range(v.ndim)) if hasattr(v.type, "ndim") else None for v in inner]
    fixed = [e for v, shape in zip(inner, shapes) if shape is not None for e in shape]
    validator = scan_utils.Validator(valid=[*fixed, *front.inner_in_non_seqs], invalid=varying)
    found = scan_utils.infer_shape(outs=[product], inputs=inner, input_shapes=shapes)[0]
    return all(not isinstance(e, Variable) or validator.check(e) is not None for e in found)


def _key(node: Any, names: Any) -> tuple | None:
    """What two nodes have in common that compute the same; None where that cannot be told."""
    parts = [v.signature() if isinstance(v, Constant) else names(v) for v in node.inputs]
    return None if any(p is None for p in parts) else (node.op, *parts)


def _products(back: Any, front: Any, known: dict) -> dict[Variable, Variable]:
    """The products of the backward step that the forward step makes too: those of the one by those of the other."""
    made = {}
    for node in io_toposort(front.inner_inputs, front.inner_outputs):
        if len(node.outputs) == 1:
            made.setdefault(_key(node, lambda v: v), node.outputs[0])
    same = dict(known)
    products = {}
    for node in io_toposort(back.inner_inputs, back.inner_outputs):
        key = _key(node, same.get) if len(node.outputs) == 1 else None
        if key is None or key not in made:
            continue
        same[node.outputs[0]] = made[key]
        if isinstance(node.op, Dot) and node.outputs[0].ndim:
            products[node.outputs[0]] = made[key]
    return products
