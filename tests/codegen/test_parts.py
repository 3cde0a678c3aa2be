"""Long segments in parts: each statement a function of its own gives what the whole gives, errors included."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import config
from theano_compat.codegen import print_c, print_parts, toolchain

pytestmark = pytest.mark.skipif(toolchain.compiler() is None, reason="needs a C compiler")


@pytest.fixture(params=[1, 20])
def short_parts(request, monkeypatch):
    monkeypatch.setattr(print_parts, "_PART", request.param)

    def divide(make):
        with config.change_flags({"cmodule.recall": False}):
            whole = make()
            monkeypatch.setattr(print_c, "LONG", 0)
            divided = make()
            monkeypatch.undo()
        assert "segment_0_part_" in divided.fn.program.source and "segment_0_part_" not in whole.fn.program.source
        return whole, divided

    return divide


def net(x, y, w, u):
    h, _ = theano.scan(lambda r, h, u: T.tanh(r + T.dot(h, u)), sequences=T.dot(x, w), outputs_info=T.zeros((3,)), non_sequences=u)
    p = T.nnet.softmax(h)
    return -T.mean(T.log(p)[T.arange(y.shape[0]), y]) + T.log2(T.exp2(h[0, 0])) + T.sort(x, axis=0)[0].sum()


def test_values_and_updates(short_parts):
    rng = np.random.RandomState(0)
    w0, u0, x, y = rng.randn(4, 3), rng.randn(3, 3), rng.randn(5, 4), np.array([0, 2, 1, 0, 2])

    def make():
        a, b, w, u = T.dmatrix(), T.lvector(), theano.shared(w0), theano.shared(u0)
        cost = net(a, b, w, u)
        f = theano.function([a, b], [cost, a[::-1], a.sum(axis=0)], updates=[(v, v - 0.1 * g) for v, g in zip((w, u), T.grad(cost, [w, u]))])
        f.parameters = [w, u]
        return f

    whole, divided = short_parts(make)
    for _ in range(3):
        for a, b in zip(whole(x, y), divided(x, y)):
            assert np.array_equal(a, b)
    for a, b in zip(whole.parameters, divided.parameters):
        assert np.array_equal(a.get_value(), b.get_value())


def test_errors(short_parts):
    def make():
        a, i, b = T.dmatrix("a"), T.lvector("i"), T.dmatrix("b")
        return theano.function([a, i, b], T.dot(T.exp(a)[i] * 2, b) + 1)

    texts = []
    for f in short_parts(make):
        assert f(np.zeros((3, 2)), [2, 0], np.ones((2, 2))).tolist() == [[5, 5], [5, 5]]
        for arguments, error in (((np.zeros((3, 2)), [3], np.ones((2, 2))), IndexError), ((np.zeros((3, 2)), [1], np.ones((3, 2))), ValueError)):
            with pytest.raises(error) as raised:
                f(*arguments)
            texts.append(str(raised.value).splitlines()[0])
    assert texts[:2] == texts[2:]


def test_what_is_not_understood_stays_whole():
    def parts(*chunks):
        return print_parts.in_parts("f", [list(chunk) for chunk in chunks], ["return_it(d3);"], {"b0": "char *const b0 = f->in[0].data;"}, {"b1": 8})

    long = ["d2;"] * print_parts._PART
    text = parts(["const int64_t d3 = log2(b0);"], long[:0], ["q4 = b1;"])
    assert text.count("part_0") == 2 and "state->d3" not in text
    handed_on = parts(["const int64_t d3 = 1;", "int64_t d2 = 1;"], long)
    assert "int64_t d3 = state->d3;" in handed_on and "state->d2 = d2;" in handed_on
    assert parts(["int64_t d2 = 1, d3 = 2;"], long) is None


def test_a_long_function_is_divided():
    xs = [T.dmatrix() for _ in range(200)]
    y = xs[0]
    for x in xs[1:]:
        y = T.tanh(T.dot(y, x))
    with config.change_flags({"cmodule.recall": False}):
        f = theano.function(xs, y)
    assert f.fn.program.source.count("static __attribute__((noinline)) int32_t tc_segment_0_part_") > 3
    values = [np.eye(2)] * 200
    want = np.eye(2)
    for _ in values[1:]:
        want = np.tanh(want)
    np.testing.assert_allclose(f(*values), want)
