"""Fusion keeps single use and linear cost; work in place never changes an input, an output or a constant."""

from __future__ import annotations

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.opt.tools import PLAIN
from theano_compat import scalar as scal
from theano_compat.compile.mode import Mode
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt import fusion, inplace

MODE = Mode("py", "fast_run")
x, y, z = T.dmatrices("x", "y", "z")
A, B, C = (np.random.RandomState(i).uniform(0.5, 2, (3, 4)) for i in range(3))


def elemwise_nodes(function):
    return [node for node in function.maker.fgraph.toposort() if isinstance(node.op, Elemwise)]


def test_a_chain_becomes_one_operation():
    function = theano.function([x, y, z], T.tanh(x * y + z) / (1 + T.exp(z)), mode=MODE)
    (node,) = elemwise_nodes(function)
    assert isinstance(node.op.scalar_op, scal.Composite)
    np.testing.assert_allclose(function(A, B, C), np.tanh(A * B + C) / (1 + np.exp(C)))


def test_a_result_used_twice_within_the_group_is_computed_once():
    s = T.nnet.sigmoid(x)
    function = theano.function([x], s * (1 - s), mode=MODE)
    (node,) = elemwise_nodes(function)
    names = [str(inner.op) for inner in node.op.scalar_op.fgraph.toposort()]
    assert sum("sigmoid" in name.lower() for name in names) == 1


def test_a_result_used_outside_is_not_computed_again():
    e = T.exp(x)
    function = theano.function([x, y], [e, e * y + 1], mode=MODE)
    names = [str(node.op) for node in elemwise_nodes(function)]
    assert sum("exp" in name for name in names) == 1


def test_smaller_patterns_are_not_pulled_into_larger_loops():
    v = T.dvector("v")
    function = theano.function([x, v], x * T.exp(v), mode=MODE)
    assert len(elemwise_nodes(function)) == 2
    np.testing.assert_allclose(function(A, B[0]), A * np.exp(B[0]))


def test_scalar_ops_without_code_are_left_out():
    class NoCode(scal.UnaryScalarOp):
        def impl(self, a):
            return a + 1

    op = Elemwise(NoCode(scal.upgrade_to_float, name="no_code"))
    function = theano.function([x, y], T.tanh(op(x * y)) * y, mode=MODE)
    assert any(isinstance(node.op.scalar_op, NoCode) for node in elemwise_nodes(function))
    np.testing.assert_allclose(function(A, B), np.tanh(A * B + 1) * B)


def counting(monkeypatch, owner, name):
    """Count the calls of a function; return the list that grows."""
    calls, original = [], getattr(owner, name)

    def counted(*args, **kwargs):
        calls.append(None)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)
    return calls


def test_fusion_is_linear_in_the_length_of_a_chain(monkeypatch):
    calls = counting(monkeypatch, fusion, "_fusable")

    def attempts(length):
        out = x
        for i in range(length):
            out = T.tanh(out + float(i))
        calls.clear()
        function = theano.function([x], out, mode=Mode("py", None).including("fusion"))
        assert len(elemwise_nodes(function)) == 1
        return len(calls)

    assert attempts(200) < 11 * attempts(20)


CASES = {
    "several readers": lambda: [T.tanh(x * y), T.dot(x * y, z.T).sum()],
    "a view is read later": lambda: [T.exp(x * y), T.dot((x * y).T, z)],
    "input": lambda: [x + 1, x * 2],
    "an output that is used": lambda: [T.dot(x, z.T), T.tanh(T.dot(x, z.T)) + 1],
    "constant": lambda: [T.constant(A) + x, T.constant(A) * y],
    "a chain over one buffer": lambda: [T.tanh(T.dot(x, z.T)).sum() + T.exp(T.dot(x, z.T) * 2).sum(axis=0)],
    "both inputs the same": lambda: [T.dot(x, z.T) * T.dot(x, z.T)],
    "slice of what is overwritten": lambda: [T.dot(x, z.T)[0], T.exp(T.dot(x, z.T))],
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_right_and_inputs_unchanged(name):
    outputs = CASES[name]()
    function = theano.function([x, y, z], outputs, mode=MODE, on_unused_input="ignore")
    plain = theano.function([x, y, z], outputs, mode=PLAIN, on_unused_input="ignore")
    values = [A.copy(), B.copy(), C.copy()]
    for _ in range(2):
        for found, wanted in zip(function(*values), plain(A, B, C)):
            np.testing.assert_allclose(found, wanted)
    for value, original in zip(values, (A, B, C)):
        np.testing.assert_array_equal(value, original)


def test_a_fresh_result_is_overwritten():
    function = theano.function([x, z], T.tanh(T.dot(x, z.T)), mode=MODE)
    (node,) = elemwise_nodes(function)
    assert node.op.inplace_pattern == {0: 0}


def test_an_update_is_computed_over_the_old_value():
    w = theano.shared(A.copy(), name="w")
    function = theano.function([x], [], updates=[(w, w - 0.1 * x)], mode=MODE)
    (node,) = elemwise_nodes(function)
    place = node.op.inplace_pattern[0]
    assert node.inputs[place].type == w.type and node.inputs[place] is not function.maker.fgraph.inputs[0]
    function(B)
    np.testing.assert_allclose(w.get_value(), A - 0.1 * B)


def test_deciding_on_work_in_place_is_linear(monkeypatch):
    after = counting(monkeypatch, inplace._Order, "successors")
    before = counting(monkeypatch, inplace._Order, "predecessors")

    def steps(width):
        outs = [T.tanh(T.dot(x, z.T) * float(i)) for i in range(width)]
        out = outs[0]
        for o in outs[1:]:
            out = T.dot(out, o)
        after.clear()
        before.clear()
        function = theano.function([x, z], out, mode=Mode("py", None).including("inplace"))
        assert any(node.op.inplace_pattern for node in elemwise_nodes(function))
        return len(after) + len(before)

    assert steps(80) <= 12 * max(steps(10), 10)
