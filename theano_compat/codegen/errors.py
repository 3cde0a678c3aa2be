"""Run-time errors of segments, worded as Theano words them."""

from __future__ import annotations

import copy

from theano_compat.codegen.abi import ErrorCode, SegmentSpec

__all__ = ["SegmentError", "exception_of", "inputs_of_failed"]


class SegmentError(Exception):
    """A segment returned an error code.

    Attributes
    ----------
    spec : SegmentSpec
    record : list of int
        ``frame.error``: code, node, details.
    """

    def __init__(self, spec: SegmentSpec, record: list[int]) -> None:
        super().__init__(spec.symbol, record)
        self.spec = spec
        self.record = record

    @property
    def node(self):
        """The node that failed, or None where no node is to blame."""
        code, number = self.record[:2]
        if code == ErrorCode.MEMORY or not 0 <= number < len(self.spec.nodes):
            return None
        return self.spec.nodes[number]


def exception_of(error: SegmentError) -> Exception:
    """Return the exception that the user sees for a failed segment."""
    code, _, a, b, c, d, e, g = error.record
    if code == ErrorCode.MEMORY:
        return MemoryError(f"could not allocate {a} bytes" if a < 2**62 else "array is too big")
    if code == ErrorCode.SHAPE_MISMATCH:
        return ValueError(
            f"Input dimension mis-match. (input[{a}].shape[{b}] = {c}, input[{d}].shape[{e}] = {g})"
        )
    if code == ErrorCode.INDEX:
        return IndexError(f"index {a} is out of bounds for axis {c} with size {b}")
    if code == ErrorCode.RESHAPE:
        return ValueError(f"cannot reshape array of size {a} into a shape of {b} elements")
    if code == ErrorCode.NOT_BROADCASTABLE:
        return ValueError(f"Dimension {b} of input {a} was supposed to be 1, but is {c}")
    if code == ErrorCode.DOT_MISMATCH:
        return ValueError(f"Shape mismatch: x has {b} cols (and {a} rows) but y has {c} rows (and {d} cols)")
    if code == ErrorCode.EMPTY_REDUCTION:
        return ValueError(
            f"Input of CAReduce{{{error.node.op.scalar_op}}} has zero-size on axis {a}"
            if error.node is not None and hasattr(error.node.op, "scalar_op")
            else "attempt to get an extremum of an empty sequence"
        )
    if code == ErrorCode.JOIN_MISMATCH:
        return ValueError(
            "all the input array dimensions except for the concatenation axis must match exactly, but along "
            f"dimension {b}, input {a} has size {c} and {d} was expected"
        )
    if code == ErrorCode.ASSERTION:
        return AssertionError(getattr(error.node.op, "msg", "Theano Assert failed!"))
    if code == ErrorCode.NEGATIVE_SIZE:
        return ValueError(f"negative dimensions are not allowed: dimension {a} is {b}")
    if code == ErrorCode.SPLIT:
        return ValueError(f"The splits sum to {a}, expected {b}")
    if code == ErrorCode.SPECIFY_SHAPE:
        return AssertionError(f"SpecifyShape: dim {a} of input has shape {b}, expected {c}.")
    if code == ErrorCode.VALUE:
        kind, text = error.spec.messages[a]
        return kind(text.format(b, c, d, e, g))
    return RuntimeError(f"compiled segment failed with code {code}")


def inputs_of_failed(spec: SegmentSpec, node, storage_map: dict) -> list[list] | None:
    """Compute once more, in Python, what the failed node was given: its message shows shapes, strides and values.

    Parameters
    ----------
    spec : SegmentSpec
    node : Apply
    storage_map : dict
        Values that the segment read.

    Returns
    -------
    list of list, or None
        One cell per input; None where they cannot be had (an input was overwritten meanwhile, say).
    """
    wanted = set()
    stack = [node]
    inside = set(spec.nodes)
    while stack:
        for var in stack.pop().inputs:
            if var.owner in inside and var.owner not in wanted:
                wanted.add(var.owner)
                stack.append(var.owner)
    cells: dict = {}

    def cell(var) -> list:
        if var not in cells:
            if hasattr(var, "data"):
                cells[var] = [var.data]
            else:
                cells[var] = [copy.copy(storage_map[var][0])] if var in storage_map else [None]
        return cells[var]

    try:
        for n in spec.nodes:
            if n is node:
                break
            if n not in wanted:
                continue
            compute_map = {v: [True] for v in (*n.inputs, *n.outputs)}
            inputs = {v: cell(v) for v in n.inputs}
            for sources in getattr(n.op, "destroy_map", {}).values():
                for k in sources:
                    inputs[n.inputs[k]] = [copy.copy(inputs[n.inputs[k]][0])]
            for out in n.outputs:
                cells[out] = [None]
            n.op.make_thunk(n, {**inputs, **{v: cells[v] for v in n.outputs}}, compute_map, [], impl="py")()
        found = [cell(v) for v in node.inputs]
    except Exception:
        return None
    return None if any(c[0] is None for c in found) else found
