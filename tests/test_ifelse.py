"""The lazy condition."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from theano_compat import ifelse as module
from theano_compat.gof import Apply, FunctionGraph, Op
from theano_compat.gof.graph import clone
from theano_compat.gof.opt import out2in
from theano_compat.ifelse import IfElse, ifelse
from theano_compat.raise_op import Raise

LAZY = theano_compat.Mode(linker="vm", optimizer="fast_run")


class Counting(Op):
    """The identity, which counts how often it ran."""

    __props__ = ("name",)
    calls: dict = {}

    def __init__(self, name):
        self.name = name

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        self.calls[self.name] = self.calls.get(self.name, 0) + 1
        outputs[0][0] = inputs[0].copy()

    def grad(self, inputs, grads):
        return grads


@pytest.mark.parametrize("linker", ["py", "vm", "vm_nogc", "cvm", "c|py"])
def test_value(linker):
    c, x, y = T.iscalar(), T.vector(), T.vector()
    f = theano_compat.function([c, x, y], ifelse(c, x * 2, y + 1), mode=theano_compat.Mode(linker, "fast_run"))
    for truth in (1, 0, -3):
        np.testing.assert_array_equal(f(truth, [1.0], [5.0]), [2.0] if truth else [6.0])


@pytest.mark.parametrize("linker", ["vm", "cvm"])
def test_only_the_branch_that_is_needed_runs(linker):
    Counting.calls.clear()
    c, x = T.iscalar(), T.vector()
    out = ifelse(c, Counting("then")(x), Counting("else")(x + 1))
    f = theano_compat.function([c, x], out, mode=theano_compat.Mode(linker, "fast_run"))
    f(1, [1.0])
    assert Counting.calls == {"then": 1}
    f(0, [1.0])
    f(0, [1.0])
    assert Counting.calls == {"then": 1, "else": 2}


def test_an_exception_in_the_other_branch_does_not_happen():
    c, x = T.iscalar(), T.vector()
    f = theano_compat.function([c, x], ifelse(c, x, Raise("not here", ValueError)(x)), mode=LAZY)
    np.testing.assert_array_equal(f(1, [3.0]), [3.0])
    with pytest.raises(ValueError, match="not here"):
        f(0, [3.0])


def test_lists_and_tuples():
    c, x, y = T.iscalar(), T.vector(), T.matrix()
    outs = ifelse(c, [x, y], [x + 1, y + 2])
    assert isinstance(outs, list)
    assert isinstance(ifelse(c, (x,), (x + 1,)), tuple)
    f = theano_compat.function([c, x, y], outs, mode=LAZY)
    got = f(0, [1.0], [[1.0]])
    assert got[0].tolist() == [2.0] and got[1].tolist() == [[3.0]]


def test_gradient_flows_through_the_chosen_branch_only():
    c, x, y = T.iscalar(), T.vector(), T.vector()
    grads = T.grad(ifelse(c, x**2, 3 * y).sum(), [x, y])
    f = theano_compat.function([c, x, y], grads, mode=LAZY)
    for truth, wanted in ((1, ([4.0], [0.0])), (0, ([0.0], [3.0]))):
        for got, right in zip(f(truth, [2.0], [5.0]), wanted):
            np.testing.assert_allclose(got, right)


def test_r_op():
    c, x, d = T.iscalar(), T.vector(), T.vector()
    moved = T.Rop(ifelse(c, x**2, 3 * x), x, d)
    f = theano_compat.function([c, x, d], moved, mode=LAZY)
    np.testing.assert_allclose(f(1, [2.0], [1.0]), [4.0])
    np.testing.assert_allclose(f(0, [2.0], [1.0]), [3.0])


def test_shape_needs_no_values():
    Counting.calls.clear()
    c, x, y = T.iscalar(), T.matrix(), T.matrix()
    f = theano_compat.function([c, x, y], ifelse(c, x * 2, y + 1).shape, mode=LAZY)
    assert f(1, np.ones((2, 3)), np.ones((4, 5))).tolist() == [2, 3]
    assert f(0, np.ones((2, 3)), np.ones((4, 5))).tolist() == [4, 5]


def test_result_never_shares_memory_with_inputs_or_shared_values():
    c, x = T.iscalar(), T.vector()
    kept = theano_compat.shared(np.ones(3))
    f = theano_compat.function([c, x], ifelse(c, x + 1, kept), mode=LAZY)
    out = f(0, np.zeros(3))
    out[:] = 7
    np.testing.assert_array_equal(kept.get_value(), np.ones(3))
    g = theano_compat.function([c, x], ifelse(c, x + 1, kept) * 2 + 1, mode=LAZY)
    g(0, np.zeros(3))
    np.testing.assert_array_equal(kept.get_value(), np.ones(3))
    h = theano_compat.function([c, x], ifelse(c, kept, x), mode=LAZY)
    values = np.zeros(3)
    h(0, values)[:] = 9
    np.testing.assert_array_equal(values, np.zeros(3))


def test_printed_names():
    assert str(IfElse(1)) == "if{}"
    assert str(IfElse(1, as_view=True)) == "if{inplace}"
    assert str(IfElse(2, as_view=True, name="q")) == "if{q,inplace}"
    assert str(IfElse(2, gpu=True)) == "if{gpu}"


def test_intermediate_results_are_passed_on_without_a_copy():
    c, x, y = T.iscalar(), T.vector(), T.vector()
    f = theano_compat.function([c, x, y], ifelse(c, x * 2, y + 1), mode=LAZY)
    ops = [node.op for node in f.maker.fgraph.apply_nodes if isinstance(node.op, IfElse)]
    assert [op.as_view for op in ops] == [True]


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda c, x, v: ifelse(c, [x, x], [x]), ValueError, "The number of values on the `then` branch"),
        (lambda c, x, v: ifelse(c, x, v), TypeError, "The two branches should have identical types, but they are"
         " TensorType(float64, matrix) and TensorType(float64, vector) respectively."),
        (lambda c, x, v: ifelse(v, x, x), TypeError, "Condition given to the op has to be a scalar"),
        (lambda c, x, v: IfElse(1)(c, x, v), TypeError, "IfElse requires same types for true and false return values"),
        (lambda c, x, v: IfElse(2)(c, x, v), AssertionError,
         "Wrong number of arguments to make_node: expected 4, got 2"),
    ],
)
def test_errors(build, error, text):
    with pytest.raises(error) as caught:
        build(T.iscalar(), T.matrix(), T.vector())
    assert str(caught.value.args[0]).startswith(text)


def _apply(rewrite, inputs, outputs):
    fgraph = FunctionGraph(inputs, outputs, clone=True)
    if not isinstance(rewrite, module.CondMerge):
        rewrite = out2in(rewrite)
    rewrite.optimize(fgraph)
    return fgraph


def _count(fgraph):
    return sum(isinstance(node.op, IfElse) for node in fgraph.apply_nodes)


def _values(inputs, outputs, values):
    mode = theano_compat.Mode("vm", None)
    return [v.tolist() for v in theano_compat.function(inputs, outputs, mode=mode)(*values)]


def test_rewrites_offered_by_name_keep_values():
    def graph():
        c, d, x, y = T.iscalar("c"), T.iscalar("d"), T.dscalar("x"), T.dscalar("y")
        nested = ifelse(c, ifelse(c, x, y) + 0 * d, ifelse(c, y, x * 3))
        twice = ifelse(c, [x, x, y], [y, y, x])
        apart = ifelse(c, x, y) + ifelse(c, x * 2, y * 2)
        return [c, d, x, y], [T.exp(ifelse(c, x, y)), nested, *twice, apart]

    rewrites = [
        module.ifelse_lift_single_if_through_acceptable_ops,
        module.cond_merge_ifs_true,
        module.cond_merge_ifs_false,
        module.cond_remove_identical,
        module.cond_merge_random_op,
        module.CondMerge(),
    ]
    for rewrite in rewrites:
        for truth in (0, 1):
            values = [np.int32(truth), np.int32(1), np.float64(0.5), np.float64(2.0)]
            inputs, outputs = graph()
            fgraph = _apply(rewrite, inputs, outputs)
            after = _values(*clone(fgraph.inputs, fgraph.outputs), values)
            assert after == _values(inputs, outputs, values), rewrite


def test_equal_outputs_are_removed():
    c, x, y = T.iscalar(), T.dscalar(), T.dscalar()
    fgraph = _apply(module.cond_remove_identical, [c, x, y], ifelse(c, [x, x, y], [y, y, x]))
    (node,) = fgraph.apply_nodes
    assert node.op.n_outs == 2 and fgraph.outputs[0] is fgraph.outputs[1]


def test_conditions_on_one_variable_are_joined():
    c, x, y = T.iscalar(), T.dscalar(), T.dscalar()
    outs = [ifelse(c, x, y), ifelse(c, x * 2, y * 3)]
    assert _count(_apply(module.CondMerge(), [c, x, y], outs)) == 1
