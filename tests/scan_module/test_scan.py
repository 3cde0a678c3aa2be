"""What scan takes, gives and refuses."""

import pickle
import re

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.gof import MissingInputError
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_op import Scan
from theano_compat.tensor.shared_randomstreams import RandomStreams

MODES = ["FAST_COMPILE", "FAST_RUN"]


def scans(f):
    return [node for node in f.maker.fgraph.toposort() if isinstance(node.op, Scan)]


@pytest.mark.parametrize("mode", MODES)
def test_no_steps_give_no_rows_and_no_gradient(mode):
    x, n = T.dvector("x"), T.iscalar("n")
    outs, _ = theano.scan(lambda before: before * 2, outputs_info=x, n_steps=n)
    f = theano.function([x, n], [outs, T.grad(T.sum(outs), x)], mode=mode)
    value, gradient = f([1.0, 2.0], 0)
    assert value.shape == (0, 2)
    np.testing.assert_array_equal(gradient, [0, 0])


@pytest.mark.parametrize("mode", MODES)
def test_rows_of_no_step_have_a_shape_in_python_too(mode):
    @theano.as_op([T.dvector], [T.dmatrix])
    def outer(v):
        return np.outer(v, v)

    @theano.as_op([T.dvector], [T.dmatrix])
    def of_ones(v):
        if not v.all():
            raise ValueError("not for zeros")
        return np.outer(v, v)

    x, before = T.dmatrix("x"), T.dvector("before")
    (rows, states, refused), _ = theano.scan(lambda row, b: (outer(row), 2 * b, of_ones(b)), sequences=x, outputs_info=[None, before, None])
    f = theano.function([x, before], [rows, states, refused], mode=mode)
    assert [v.shape for v in f(np.ones((0, 3)), np.ones(2))] == [(0, 3, 3), (0, 2), (0, 2, 2)]
    assert f(np.ones((0, 3)), np.zeros(2))[0].shape[0] == 0
    assert [v.shape for v in f(np.ones((4, 3)), np.ones(2))] == [(4, 3, 3), (4, 2), (4, 2, 2)]


def test_negative_number_of_steps_runs_backwards():
    x = T.dvector("x")
    outs, _ = theano.scan(lambda row, before: row - before, sequences=x, outputs_info=T.zeros((), dtype="float64"), n_steps=-3)
    np.testing.assert_allclose(theano.function([x], outs)([1.0, 2.0, 4.0]), [4.0, -2.0, 3.0])


def test_symbolic_negative_number_of_steps_is_refused_when_run():
    n = T.iscalar("n")
    outs, _ = theano.scan(lambda: T.ones((), dtype="float64"), n_steps=n)
    with pytest.raises(IndexError, match="Scan was asked to run for negative number of step -2"):
        theano.function([n], outs, mode="FAST_COMPILE")(-2)


def test_too_short_sequence_is_refused_when_run():
    x, n = T.dvector("x"), T.iscalar("n")
    outs, _ = theano.scan(lambda row: row + 1, sequences=x, n_steps=n)
    with pytest.raises(ValueError, match="Sequence is shorter then the required number of steps"):
        theano.function([x, n], outs, mode="FAST_COMPILE")([1.0], 3)


@pytest.mark.parametrize("mode", MODES)
def test_shared_variables_are_updated_step_by_step(mode):
    total = theano.shared(np.float64(1), "total")
    x = T.dvector("x")
    outs, updates = theano.scan(lambda row: (total * row, {total: total + row}), sequences=x)
    f = theano.function([x], outs, updates=updates, mode=mode)
    np.testing.assert_allclose(f([1.0, 2.0, 3.0]), [1.0, 4.0, 12.0])
    assert total.get_value() == 7


@pytest.mark.parametrize("mode", MODES)
def test_random_numbers_go_on_from_step_to_step(mode):
    outs, updates = theano.scan(lambda: RandomStreams(7).uniform((2,)), n_steps=3)
    f = theano.function([], outs, updates=updates, mode=mode)
    first, second = f(), f()
    single = theano.function([], RandomStreams(7).uniform((2,)), mode=mode)
    np.testing.assert_array_equal(np.concatenate([first, second]), [single() for _ in range(6)])


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (dict(fn=lambda: T.zeros(())), ValueError, "No information about the number of steps provided"),
        (dict(fn=lambda a: a, outputs_info={"initial": T.dvector(), "taps": [0]}, n_steps=2), ValueError, "Can not use future taps"),
        (dict(fn=lambda a: a, outputs_info={"taps": [-1]}, n_steps=2), ValueError, "you need to provide a initial state"),
        (dict(fn=lambda a: (a, a), outputs_info=[T.dscalar()], n_steps=2), ValueError, "Please provide None as outputs_info"),
        (dict(fn=lambda a: "no", outputs_info=[T.dscalar()], n_steps=2), ValueError, "Scan cannot parse the return value"),
        (dict(fn=lambda a: a * np.float64(2), outputs_info=[T.fscalar()], n_steps=2), ValueError, "upcast or downcast"),
        (dict(fn=lambda a: T.stack([a, a]), outputs_info=[T.dscalar()], n_steps=2), ValueError, "When compiling the inner function of scan"),
    ],
)
def test_mistakes_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        theano.scan(**arguments)


@pytest.mark.parametrize(
    "step, state, dtype, advice",
    [
        (lambda a: T.stack([a, a]), T.dscalar("s"), "float64", r"variable s .*\nThe step returns 1 dimension\(s\) and s has 0: give outputs_info a value of 1 dimension"),
        (lambda a: a.sum(0), T.dmatrix("m"), "float64", r"variable m .*\nThe step returns 1 dimension\(s\) and m has 2: give outputs_info a value of 1 dimension"),
        (
            lambda a, b: T.stack([a, b]),
            {"initial": T.dvector("v"), "taps": [-2, -1]},
            "float64",
            r"variable v .*\nThe step returns 1 dimension\(s\) and v has 1: give outputs_info a value of 2 dimension\(s\), a row for each step back",
        ),
        (lambda a: a * np.float64(2), T.fscalar("f"), "float64", r"variable f .*\nGive the state dtype float64, or cast what the step returns to float32"),
    ],
)
def test_a_state_that_does_not_fit_the_step_is_named_and_the_advice_fits(step, state, dtype, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        theano.scan(step, outputs_info=[state], n_steps=2)
    assert "IncSubtensor" not in str(caught.value)
    wanted = re.search(r"a value of (\d) dimension", str(caught.value))
    if wanted:  # the advice is followed
        right = T.TensorType(dtype, [False] * int(wanted.group(1)))("right")
        reads = (lambda a, b: a + b) if isinstance(state, dict) else (lambda a: a * 2)
        outs, _ = theano.scan(reads, outputs_info=[{**state, "initial": right} if isinstance(state, dict) else right], n_steps=2)
        assert outs.owner is not None


def test_strict_loops_refuse_shared_variables_that_are_not_listed():
    w = theano.shared(np.float64(2), "w")
    with pytest.raises(MissingInputError, match="ScanOp is missing an input: w"):
        theano.scan(lambda a: a * w, outputs_info=T.dscalar(), n_steps=3, strict=True)
    theano.scan(lambda a, w: a * w, outputs_info=T.dscalar(), non_sequences=w, n_steps=3, strict=True)


def test_only_the_rows_read_are_kept():
    x = T.dvector("x")
    outs, _ = theano.scan(lambda a: a * 2, outputs_info=x, n_steps=100)
    f = theano.function([x], outs[-1], mode="FAST_RUN")
    (node,) = scans(f)
    rows = node.inputs[1].owner.inputs[0].owner.inputs[0]  # of the memory that the initial state is put into
    assert int(T.get_scalar_constant_value(rows)) == 2
    np.testing.assert_allclose(f([1.0]), [2.0**100])


def test_steps_that_nobody_needs_are_not_made():
    x = T.dvector("x")
    outs, _ = theano.scan(lambda a: a * 2, outputs_info=x, n_steps=100)
    (node,) = scans(theano.function([x], [outs[3], outs[1]], mode="FAST_RUN"))
    assert int(node.inputs[0].eval() if node.inputs[0].owner else node.inputs[0].data) == 4


def test_loops_side_by_side_become_one_unless_left_out():
    x = T.dvector("x")
    a, _ = theano.scan(lambda r, b: r + b, sequences=x, outputs_info=np.float64(0))
    c, _ = theano.scan(lambda r, b: r * b, sequences=x, outputs_info=np.float64(1))
    assert len(scans(theano.function([x], [a, c], mode="FAST_RUN"))) == 1
    mode = theano.compile.get_mode("FAST_RUN").excluding("scanOp_merge")
    f = theano.function([x], [a, c], mode=mode)
    assert len(scans(f)) == 2
    np.testing.assert_allclose(f([1.0, 2.0, 3.0]), [[1.0, 3.0, 6.0], [1.0, 2.0, 6.0]])


def test_what_is_the_same_in_every_step_moves_out():
    x, W = T.dmatrix("x"), T.dmatrix("W")
    outs, _ = theano.scan(lambda r, b: T.tanh(T.dot(b, T.exp(W)) + T.exp(r)), sequences=x, outputs_info=T.zeros((3,), dtype="float64"))
    f = theano.function([x, W], outs, mode="FAST_RUN")
    (node,) = scans(f)
    inner = str(theano.printing.debugprint(node.op.outputs, file="str"))
    assert "exp" not in inner
    rng = np.random.RandomState(0)
    xv, Wv = rng.uniform(size=(4, 3)), rng.uniform(-1, 0, size=(3, 3))
    state, rows = np.zeros(3), []
    for r in xv:
        state = np.tanh(state @ np.exp(Wv) + np.exp(r))
        rows.append(state)
    np.testing.assert_allclose(f(xv, Wv), rows)


def test_loops_on_sequences_alone_are_no_loops():
    x = T.dmatrix("x")
    outs, _ = theano.map(lambda r: T.exp(r) * 2, sequences=x)
    f = theano.function([x], outs, mode="FAST_RUN")
    assert not scans(f)
    np.testing.assert_allclose(f([[1.0, 2.0]]), 2 * np.exp([[1.0, 2.0]]))


def test_checkpoints_change_neither_value_nor_gradient():
    x = T.dvector("x")
    step = lambda r, b: T.tanh(b * 1.1 + r)  # noqa: E731
    plain, _ = theano.scan(step, sequences=x, outputs_info=np.float64(0.3))
    blocks, _ = theano.scan_checkpoints(step, sequences=[x], outputs_info=[T.constant(0.3, dtype="float64")], save_every_N=4)
    f = theano.function([x], [plain[-1], blocks[-1], T.grad(plain[-1], x), T.grad(blocks[-1], x)])
    for n in (1, 4, 10):
        a, b, ga, gb = f(np.linspace(-1, 1, n))
        np.testing.assert_allclose([a, *ga], [b, *gb])


def test_folds():
    x = T.dvector("x")
    left, _ = theano.foldl(lambda r, b: r - b, x, np.float64(0))
    right, _ = theano.foldr(lambda r, b: r - b, x, np.float64(0))
    np.testing.assert_allclose(theano.function([x], [left, right])([1.0, 2.0, 4.0]), [3.0, 3.0])


def test_loops_are_pickled():
    x = T.dvector("x")
    outs, _ = theano.scan(lambda r, b: r + b, sequences=x, outputs_info=np.float64(0), name="sum")
    x2, outs2 = pickle.loads(pickle.dumps((x, outs)))
    np.testing.assert_allclose(theano.function([x2], outs2)([1.0, 2.0]), [1.0, 3.0])


def test_equal_loops_are_equal_ops():
    def op(factor):
        outs, _ = theano.scan(lambda b: b * factor, outputs_info=T.dscalar(), n_steps=5)
        return outs.owner.inputs[0].owner.op

    assert op(2.0) == op(2.0) and hash(op(2.0)) == hash(op(2.0))
    assert op(2.0) != op(3.0)


def test_equal_computations_look_at_structure_and_constants():
    a, b = T.dscalar(), T.dscalar()
    same = scan_utils.equal_computations
    assert same([a * 2 + a], [b * 2 + b], [a], [b])
    assert not same([a * 2 + a], [b * 2 + a], [a], [b])
    assert not same([a * 2], [b * 3], [a], [b])
    assert not same([a + b], [b + a], [a, b], [a, b])


def test_clone_puts_expressions_in_place_of_leaves_that_they_use():
    x, y = T.dscalars("xy")
    assert float(theano.clone(x * y, {x: y + x}).eval({x: 1.0, y: 2.0})) == 6.0


def test_scalars_that_stay_the_same_are_pushed_out_as_tensors(caplog):
    # the gradient of roll in each row holds lengths as scalars: a loop cannot take those as inputs
    x = T.dvector("x")
    rolled = x**2 * T.arange(3) + T.roll(x, 1)
    f = theano.function([x], theano.gradient.jacobian(rolled, x), mode="FAST_RUN")
    np.testing.assert_allclose(f([1.0, 2.0, 3.0]), [[0, 0, 1], [1, 4, 0], [0, 1, 12]])
    assert "ERROR" not in caplog.text and "TRACEBACK" not in caplog.text


def test_a_printed_loop_shows_the_step_as_written_and_after_compilation_as_rewritten():
    x = T.dvector("x")
    outs, _ = theano.scan(lambda row, before: T.exp(before) * 2 + row, sequences=x, outputs_info=T.zeros((), dtype="float64"))
    written = theano.printing.debugprint(outs, file="str").partition("Inner graphs")[2]
    assert "Elemwise{exp,no_inplace}" in written and "Composite" not in written
    rewritten = theano.printing.debugprint(theano.function([x], outs, mode="FAST_RUN"), file="str").partition("Inner graphs")[2]
    assert "Elemwise{exp,no_inplace}" not in rewritten and "Composite" in rewritten
