"""Products that the steps of a loop have made are kept for the loop of its gradient, which would make them again.

The step of a backward loop is the step of the forward loop and its derivatives, on the rows that the forward loop read. What is elementwise is cheaply computed
again; a matrix product is not. What is kept need not be the product itself: where the backward step only goes on to compute an array of the same size from it, that
array is kept, one instead of two where it is a sum of products; and where it computes a state that the forward loop has in its rows anyway, nothing is.
"""

from __future__ import annotations

from typing import Any

import numpy

from theano_compat.gof import Constant, Variable
from theano_compat.gof.graph import io_toposort
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_op import Scan
from theano_compat.scan_module.scan_opt.common import ScanRewriter, constant, describe, fresh_info, rebuilt, reversed_rows, sliced
from theano_compat.tensor.basic import Dot
from theano_compat.tensor.elemwise import DimShuffle, Elemwise

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
        rows = _Rows(back, front, forward)
        if rows.steps is None:
            return
        made, equal = _made_by_both(back, front, rows.known)
        written = {equal.get(w, w): array for w, array in rows.written.items()}
        there = {v: written[w] for v, w in made.items() if w in written and written[w].type.broadcastable[1:] == v.broadcastable}
        read = _Choice(back, front, made, there).read
        if not read:
            return
        kept = [v for v in read if v not in there]
        front.inner_out_nit_sot += [made[v] for v in kept]
        front.outer_in_nit_sot += [front.n_steps] * len(kept)
        outs = rebuilt(fresh_info(front), None, forward)
        first = len(forward.outputs) - len(front.outer_in_shared)
        found = {**{v: there[v] for v in read if v in there}, **dict(zip(kept, outs[first : first + len(kept)]))}
        replace = {v: scan_utils.safe_new(v, "_kept") for v in found}
        back.inner_in_seqs += list(replace.values())
        back.outer_in_seqs += [array[: rows.steps][::-1] for array in found.values()]
        outputs = rebuilt(fresh_info(back), replace, node)
        old_outs = outs[:first] + outs[first + len(kept) :]
        # the backward loop first: it comes into the graph with what it reads of the old forward loop
        pairs = [*zip(node.outputs, outputs), *zip(forward.outputs, old_outs)]
        fgraph.replace_all_validate_remove(pairs, remove=[node, forward], reason=REASON)


class _Choice:
    """What the backward step reads of what the forward step has made too.

    Parameters
    ----------
    back, front : ScanDescription
    made : dict
        Variables of the backward step that the forward step makes too: those of the one by those of the other.
    there : collection of Variable
        Those of them that the forward loop has in its rows anyway.

    Attributes
    ----------
    read : list of Variable
        Those of them that the backward step is given; empty where no product is saved.
    """

    def __init__(self, back: Any, front: Any, made: dict, there: Any):
        self.back, self.front, self.made, self.there = back, front, made, there
        self.keepable: dict[Variable, bool] = {}
        products = {v for v in made if v.owner is not None and isinstance(v.owner.op, Dot) and v.ndim and self._may_keep(v)}
        self.read = self._furthest([v for v in self._readers(products) if v in products])
        if self.read:
            readers = self._readers(self.read)
            self.read += [v for v in there if v in readers and v not in self.read and all(map(_multiplies, readers[v]))]

    def _may_keep(self, v: Variable) -> bool:
        if v not in self.keepable:
            self.keepable[v] = _same_shape_in_all(self.front, self.made[v])
        return self.keepable[v]

    def _readers(self, given: Any) -> dict[Variable, list]:
        """The variables of the backward step if some of them are given to it, and the nodes that read each; an output of the step is read by None."""
        readers: dict[Variable, list] = {}
        for v in self.back.inner_outputs:
            readers.setdefault(v, []).append(None)
        for node in reversed(io_toposort(self.back.inner_inputs, self.back.inner_outputs)):
            if any(v in readers and v not in given for v in node.outputs):
                for v in node.inputs:
                    readers.setdefault(v, []).append(node)
        return readers

    def _furthest(self, read: list[Variable]) -> list[Variable]:
        """Go from products on to what is computed from them, and takes no more memory, as long as that is all that they are needed for."""
        while True:
            readers = self._readers(read)
            read = [v for v in read if v in readers]
            further = {v: self._instead(v, readers[v]) for v in read}
            if not any(further.values()):
                return read
            read = list(dict.fromkeys(further[v] or v for v in read))

    def _instead(self, v: Variable, readers: list) -> Variable | None:
        """The one array that is computed from `v`, if it takes no more memory."""
        node = readers[0]
        if v in self.there or len(set(readers)) > 1 or node is None or not isinstance(node.op, Elemwise) or len(node.outputs) > 1:
            return None
        new = node.outputs[0]
        if new in self.there:
            return new
        fits = new in self.made and new.broadcastable == v.broadcastable and _size(new) <= _size(v)
        return new if fits and self._may_keep(new) else None


def _multiplies(node: Any) -> bool:
    """Whether a node is a product, or turns a matrix for one."""
    return node is not None and isinstance(node.op, (Dot, DimShuffle))


def _size(v: Variable) -> int:
    return numpy.dtype(v.dtype).itemsize


def _reversed_rows(v: Variable) -> tuple[Variable, int, Any] | None:
    """For ``a[first:][:steps][::-1]``, with or without the first slice: `a`, `first` and `steps`."""
    whole = reversed_rows(v)
    inner = None if whole is None else sliced(whole)
    if inner is None or inner[1].start is not None or inner[1].stop is None or inner[1].step is not None:
        return None
    begin = sliced(inner[0])
    if begin is not None and begin[1].stop is None and begin[1].step is None:
        first = constant(begin[1].start)
        if first is not None and first >= 0:
            return begin[0], first, inner[1].stop
    return inner[0], 0, inner[1].stop


def _source(v: Variable) -> Any:
    """The loop whose rows a variable has in reverse."""
    found = _reversed_rows(v)
    owner = None if found is None else found[0].owner
    return owner if owner is not None and isinstance(owner.op, Scan) else None


class _Rows:
    """Which inner variables of the backward loop have, in each of its steps, the value that one of the forward loop had in the same step.

    Parameters
    ----------
    back, front : ScanDescription
    forward : Apply
        The forward loop.

    Attributes
    ----------
    known : dict
        Variables that are given to the backward step: to those of the forward step.
    steps : Variable or None
        The number of rows that the backward loop reads, counted back from the last; None if it reads none of a state.
    written : dict
        What the forward step gives for a state of which the backward loop reads rows: to the array that has them, in the order of the steps.
    """

    def __init__(self, back: Any, front: Any, forward: Any):
        self.known: dict[Variable, Variable] = {}
        self.written: dict[Variable, Variable] = {}
        self.steps: Any = None
        self.front, self.forward, self.layout = front, forward, forward.op.layout
        pairs = [(inner, found) for outer, inner in zip(back.outer_in_seqs, back.inner_in_seqs) if (found := _reversed_rows(outer)) is not None]
        for inner, (array, first, stop) in pairs:
            if array.owner is forward:
                self._state(inner, array, first, stop)
        seqs = dict(zip(front.outer_in_seqs, front.inner_in_seqs))
        for inner, (array, first, stop) in pairs:
            if array in seqs and first == 0 and self._is_length(stop):
                self.known[inner] = seqs[array]
        others = dict(zip(front.outer_in_non_seqs, front.inner_in_non_seqs))
        self.known.update((inner, others[outer]) for outer, inner in zip(back.outer_in_non_seqs, back.inner_in_non_seqs) if outer in others)

    def _state(self, inner: Variable, array: Variable, first: int, stop: Any) -> None:
        layout, k = self.layout, self.forward.outputs.index(array)
        if not layout.n_mit_mot <= k < layout.n_states or first + layout.mintaps[k] not in layout.in_taps[k]:
            return
        if self.steps is None:
            self.steps = stop
        if not self._is_length(stop):
            return
        position = layout.state_inner_inputs(k)[layout.in_taps[k].index(first + layout.mintaps[k])]
        self.known[inner] = self.front.inner_inputs[position]
        self.written[self.front.inner_outputs[layout.state_inner_outputs(k)[0]]] = array[-layout.mintaps[k] :]

    def _is_length(self, stop: Any) -> bool:
        """Whether rows up to `stop` end with the same step as the others."""
        return stop is self.steps or (constant(stop) is not None and constant(stop) == constant(self.steps))


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


def _made_by_both(back: Any, front: Any, known: dict) -> tuple[dict[Variable, Variable], dict[Variable, Variable]]:
    """The variables that both steps compute.

    Returns
    -------
    (dict, dict)
        Those of the backward step, by those of the forward step; and of the latter those that another one is equal to, by that.
    """
    made: dict[tuple, Variable] = {}
    equal: dict[Variable, Variable] = {}
    for node in io_toposort(front.inner_inputs, front.inner_outputs):
        key = _key(node, lambda v: equal.get(v, v)) if len(node.outputs) == 1 else None
        if key is not None:
            equal[node.outputs[0]] = made.setdefault(key, node.outputs[0])
    same = dict(known)
    for node in io_toposort(back.inner_inputs, back.inner_outputs):
        key = _key(node, same.get) if len(node.outputs) == 1 else None
        if key is not None and key in made:
            same[node.outputs[0]] = made[key]
    return {v: w for v, w in same.items() if v not in known}, equal
