"""Random streams and draws in C: the numbers of `perform`, bit for bit, and of the recurrences."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.codegen.support import compare, islands, link, run
from tests.sandbox.test_rng_mrg import reference
from theano_compat.codegen.linker import CodegenLinker
from theano_compat.gof.link import PerformLinker
from theano_compat.sandbox import rng_mrg
from theano_compat.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from theano_compat.sandbox.rng_mrg import MRG_RandomStreams, mrg_uniform


def sample(dtype, ndim, inplace=False, length_known=True):
    """States, size, and the outputs of the op for them."""
    states, size = T.imatrix("states"), T.lvector("size")
    given = T.stack([size[i] for i in range(ndim)]) if length_known and ndim else size
    return [states, size], mrg_uniform(T.TensorType(dtype, (False,) * ndim), inplace)(states, given)


def assert_same_bits(inputs, outputs, *value_sets):
    compiled, performed = link(CodegenLinker(), inputs, outputs), link(PerformLinker(), inputs, outputs)
    assert not islands(compiled)
    for values in value_sets:
        for found, wanted in zip(run(compiled, values), run(performed, values)):
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_array_equal(found, wanted)


def states_of(n, seed=0):
    return np.random.default_rng(seed).integers(1, 2**31 - 21069, (n, 6)).astype("int32")


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_and_states_are_those_of_perform(dtype, inplace):
    inputs, outputs = sample(dtype, 1, inplace)
    counts = [(1, 0), (1, 1), (1, 100), (3, 2), (3, 3), (7, 48), (8, 64), (100, 99), (256, 512), (257, 257), (1000, 300), (700, 2001)]
    assert_same_bits(inputs, outputs, *[(states_of(streams), np.array([n])) for streams, n in counts])


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 0, 3), (2, 3, 4, 5), (1, 2, 1, 3, 2)])
@pytest.mark.parametrize("length_known", [False, True])
def test_samples_of_any_rank(shape, length_known):
    inputs, outputs = sample("float32", len(shape), length_known=length_known)
    assert_same_bits(inputs, outputs, (states_of(5), np.array(shape, "int64")))


@pytest.mark.parametrize("streams, n", [(1, 50), (9, 100), (300, 700)])
def test_each_stream_follows_the_recurrences(streams, n):
    inputs, outputs = sample("float64", 1)
    states = states_of(streams, seed=3)
    after, drawn = run(link(CodegenLinker(), inputs, outputs), (states, np.array([n])))
    for k in range(0, streams, 37):
        mine = drawn[k::streams]
        np.testing.assert_array_equal(mine, reference(states[k], len(mine)))
        np.testing.assert_array_equal(reference(after[k], 3), reference(states[k], len(mine) + 3)[-3:])


def test_states_in_any_layout_and_out_of_range_give_what_perform_gives():
    wild = np.array([[2**31 - 1] * 6, [-(2**31)] * 6, [-1, -2, -3, -4, -5, -6], [0] * 6, [2**31 - 1, 0, 5, 2**31 - 21069, 0, 0]], "int32")
    many = states_of(20)
    for inplace in (False, True):
        inputs, outputs = sample("float64", 1, inplace)
        layouts = [wild, np.asfortranarray(many), many[::2], many[::-1], np.repeat(many, 2, axis=1)[:, ::2]]
        assert_same_bits(inputs, outputs, *[(states, np.array([47])) for states in layouts])


def test_work_in_place_overwrites_the_states_and_other_work_does_not():
    for inplace in (False, True):
        inputs, outputs = sample("float32", 1, inplace)
        fn, ins, outs = link(CodegenLinker(), inputs, outputs)
        states = states_of(4)
        ins[0].storage[0], ins[1].storage[0] = states, np.array([10])
        fn()
        assert np.array_equal(states, states_of(4)) == (not inplace)
        assert (outs[0].storage[0] is states or np.shares_memory(outs[0].storage[0], states)) == inplace


@pytest.mark.parametrize(
    "states, size, text",
    [
        (states_of(3)[:, :5], [4], "rstate must have 6 columns, it has 5"),
        (states_of(0), [4], "rstate must have rows"),
        (states_of(3), [-4], "negative dimensions are not allowed"),
        (states_of(3), [2**31], r"does not support more than \(2\*\*31 -1\)"),
        (states_of(3), [2, 2], "size|shape vector"),
    ],
)
def test_bad_states_and_sizes_are_errors_in_c_and_in_python(states, size, text):
    inputs, outputs = sample("float32", 1, length_known=False)
    for linker in (CodegenLinker(), PerformLinker()):
        with pytest.raises(ValueError, match=text):
            run(link(linker, inputs, outputs), (states, np.array(size)))


def test_a_sample_that_cannot_be_is_an_error_though_its_size_is_known():
    states = T.imatrix("states")
    outputs = mrg_uniform(T.TensorType("float32", (False,) * 3))(states, np.array([2**40, 2**40, 2**40]))
    with pytest.raises(ValueError, match="does not support more than"):
        run(link(CodegenLinker(), [states], outputs), (states_of(3),))


def test_no_stream_is_needed_for_no_number():
    inputs, outputs = sample("float32", 2)
    assert_same_bits(inputs, outputs, (states_of(0), np.array([0, 5])))


def probabilities(rows, k, dtype, total=1.0, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.random((rows, k)) * (rng.random((rows, k)) < 0.8)
    return (p / np.maximum(p.sum(1, keepdims=True), 1e-9) * total).astype(dtype), rng


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows, k, n", [(1, 1, 1), (6, 5, 1), (5, 40, 5), (3, 7, 0), (0, 4, 2), (200, 9, 4)])
def test_draws_are_those_of_perform(dtype, rows, k, n):
    pvals, unis, count = T.matrix("p", dtype), T.vector("u", dtype), T.lscalar("n")
    outputs = [MultinomialFromUniform("int64")(pvals, unis, count), ChoiceFromUniform("int64", True)(pvals, unis, count)]
    if n <= k:
        outputs.append(ChoiceFromUniform("auto")(pvals, unis, count))
    for total in (1.0, 0.7):  # less than 1: sometimes nothing is drawn
        p, rng = probabilities(rows, k, dtype, total)
        u = rng.random(rows * n).astype(dtype)
        assert_same_bits([pvals, unis, count], outputs, (p, u, n), (np.asfortranarray(p), u[::-1], n))


@pytest.mark.parametrize("odtype", ["auto", "int8", "uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("p_dtype, u_dtype", [("float16", "float32"), ("float32", "float64"), ("float64", "float16")])
def test_draws_in_any_dtypes(p_dtype, u_dtype, odtype):
    pvals, unis = T.matrix("p", p_dtype), T.vector("u", u_dtype)
    p, rng = probabilities(8, 6, p_dtype, 0.95)
    outputs = [MultinomialFromUniform(odtype)(pvals, unis, 3), ChoiceFromUniform(odtype, True)(pvals, unis, 3)]
    if p_dtype != "float16":
        outputs.append(ChoiceFromUniform(odtype)(pvals, unis, 3))
    assert_same_bits([pvals, unis], outputs, (p, rng.random(24).astype(u_dtype)))


def test_sums_that_fall_are_searched_as_the_others_are():
    pvals, unis = T.dmatrix("p"), T.dvector("u")
    p = np.array([[0.5, -0.3, 0.4, 0.4], [np.nan, 1.0, 1.0, 1.0], [0.2, np.nan, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    u = np.random.default_rng(5).random(400)
    assert_same_bits([pvals, unis], [MultinomialFromUniform("int64")(pvals, unis, 100), ChoiceFromUniform("int64", True)(pvals, unis, 100)], (p, u))


def test_draws_of_impossible_counts_are_errors_in_c_as_in_python():
    pvals, unis, n = T.dmatrix("p"), T.dvector("u"), T.lscalar("n")
    p, rng = probabilities(4, 3, "float64")
    for op in (MultinomialFromUniform("int64"), ChoiceFromUniform("int64")):
        compare([pvals, unis, n], [op(pvals, unis, n)], (p, rng.random(7), 2), (p, rng.random(8), 2))
    for linker in (CodegenLinker(), PerformLinker()):
        with pytest.raises(ValueError, match="Cannot sample without replacement"):
            run(link(linker, [pvals, unis, n], [ChoiceFromUniform("int64")(pvals, unis, n)]), (p, rng.random(16), 4))


def test_modular_products_move_states_on():
    inputs = [T.lmatrix(), T.ivector(), T.iscalar(), T.lmatrix(), T.ivector(), T.iscalar()]
    values = [rng_mrg.A1p72, np.array([1, 2, -3], "int32"), np.int32(rng_mrg.M1), rng_mrg.A2p72, np.array([4, 5, 6], "int32"), np.int32(rng_mrg.M2)]
    wanted = [sum(int(a) * int(s) for a, s in zip(row, vector)) % int(m) for matrix, vector, m in (values[:3], values[3:]) for row in matrix]
    compiled = compare(inputs, [rng_mrg.DotModulo()(*inputs)], values)
    np.testing.assert_array_equal(run(compiled, values)[0], wanted)


_P = np.full((5, 4), 0.25)
_DISTRIBUTIONS = {
    "uniform": lambda s, n: s.uniform((n, 3), low=-1, high=n),
    "normal": lambda s, n: s.normal((n, 3), std=2.0),
    "truncated_normal": lambda s, n: s.truncated_normal((n, 3)),
    "binomial": lambda s, n: s.binomial((n, 3), p=0.3),
    "multinomial": lambda s, n: s.multinomial(pvals=theano.shared(_P), n=n),
    "choice": lambda s, n: s.choice(size=n, replace=False, p=theano.shared(_P)),
}


@pytest.mark.parametrize("name", _DISTRIBUTIONS)
def test_every_distribution_is_one_c_function(name):
    n = T.lscalar("n")
    f = theano.function([n], _DISTRIBUTIONS[name](MRG_RandomStreams(3), n), mode="FAST_RUN")
    steps = f.explain()
    assert steps.count("C function") == 1 and "because:" not in steps


@pytest.mark.parametrize("name", _DISTRIBUTIONS)
def test_every_distribution_gives_the_numbers_of_python(name):
    n = T.lscalar("n")
    compiled, performed = (
        theano.function([n], _DISTRIBUTIONS[name](MRG_RandomStreams(3), n), mode=mode)
        for mode in ("FAST_RUN", theano.Mode(linker="py", optimizer="fast_compile"))
    )
    for count in (3, 4, 1):
        np.testing.assert_allclose(compiled(count), performed(count), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", _DISTRIBUTIONS)
def test_steps_of_a_loop_draw_what_calls_draw(name):
    n = T.lscalar("n")
    samples, updates = theano.scan(lambda: _DISTRIBUTIONS[name](MRG_RandomStreams(3), n), n_steps=4)
    loop = theano.function([n], samples, updates=updates, mode="FAST_RUN")
    call = theano.function([n], _DISTRIBUTIONS[name](MRG_RandomStreams(3), n), mode="FAST_RUN")
    assert "steps in C" in loop.explain() or name == "truncated_normal"  # whose number of draws is another one in each step
    np.testing.assert_array_equal(np.concatenate([loop(3), loop(3)]), [call(3) for _ in range(8)])
