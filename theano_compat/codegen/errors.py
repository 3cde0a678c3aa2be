"""Run-time errors of segments, worded as Theano words them."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode, SegmentSpec

__all__ = ["SegmentError", "exception_of"]


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
