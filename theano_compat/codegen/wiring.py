"""A segment among the values that its function passes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from theano_compat.codegen.abi import SegmentSpec

__all__ = ["SegmentStep", "Wiring"]


class SegmentStep:
    """A segment with the storage cells that it reads and writes.

    Parameters
    ----------
    spec : SegmentSpec
    call : callable
        From a list of input values to a list of results.
    inputs, outputs : list of list
        The cells.
    """

    def __init__(self, spec: SegmentSpec, call: Callable, inputs: list[list], outputs: list[list]) -> None:
        self.spec = spec
        self.call = call
        self.inputs = inputs
        self.outputs = outputs

    def __call__(self) -> None:
        found = self.call([cell[0] for cell in self.inputs])
        for cell, value in zip(self.outputs, found):
            cell[0] = value


@dataclass(frozen=True)
class Wiring:
    """How the inputs and outputs of a function are tied to those of the one segment that it is.

    Attributes
    ----------
    sources : list of int or None
        For each input of the segment the number of the function's input, None for a constant.
    results : list of int
        For each output of the function, updates last, the number of the segment's result.
    """

    sources: list[int | None]
    results: list[int]
