"""The smallest op that can be written, as a beginning for other ones."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Op

__all__ = ["Minimal", "T_minimal", "minimal"]


class Minimal(Op):
    """The length of the first argument."""

    __props__ = ()

    def make_node(self, *args: Any) -> Apply:
        return Apply(self, [tensor.as_tensor_variable(arg) for arg in args], [tensor.lscalar()])

    def perform(self, node: Apply, inputs: Sequence, out_: Sequence) -> None:
        out_[0][0] = np.asarray(inputs[0].shape[0] if inputs[0].ndim else 1, dtype="int64")


minimal = Minimal()


class T_minimal(unittest.TestCase):
    """A test of :data:`minimal`."""

    def setUp(self) -> None:
        self.rng = np.random.RandomState(5)

    def test0(self) -> None:
        a = tensor.lvector("a")
        self.assertEqual(int(minimal(a).eval({a: [1, 2, 3]})), 3)
