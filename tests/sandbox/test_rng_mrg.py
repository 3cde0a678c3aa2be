"""MRG31k3p: the numbers of Theano, seeds, streams and distributions."""

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.sandbox import mrg31k3p, rng_mrg
from theano_compat.sandbox.rng_mrg import MRG_RandomStreams


def reference(state, n):
    """The recurrences in integers of any size."""
    x, y = [int(v) for v in state[:3]], [int(v) for v in state[3:]]
    out = []
    for _ in range(n):
        x = [(2**22 * x[1] + 129 * x[2]) % (2**31 - 1), x[0], x[1]]
        y = [(2**15 * y[0] + (2**15 + 1) * y[2]) % (2**31 - 21069), y[0], y[1]]
        z = x[0] - y[0]
        out.append((z if z > 0 else z + 2**31 - 1) * 2.0**-31)
    return np.array(out)


def test_numbers_are_those_that_theano_prints():
    f = theano.function([], MRG_RandomStreams(1234).uniform((2, 3)))
    np.testing.assert_array_equal(f().round(8), [[0.37257111, 0.65768584, 0.59250678], [0.31931473, 0.77979209, 0.03016185]])
    np.testing.assert_array_equal(f().round(8), [[0.36046432, 0.3002901, 0.87304802], [0.97614046, 0.73041883, 0.71569064]])


def floats(*texts):
    return [float.fromhex(text) for text in texts]


PVALS = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])

#: The second call of a sample of ``MRG_RandomStreams(2017)`` as Theano 1.0.5's C code computes it: dtype, the first numbers.
GOLDEN = {
    "uniform float32": (
        lambda s: s.uniform((5, 3), nstreams=4, dtype="float32"),
        "float32", floats("0x1.a5a5fcp-3", "0x1.a839fap-1", "0x1.4c494cp-1", "0x1.8d6c6ep-1"),
    ),
    "uniform float64": (
        lambda s: s.uniform((5, 3), nstreams=4, dtype="float64"),
        "float64", floats("0x1.a5a5fd1p-3", "0x1.a839fc08p-1", "0x1.4c494d08p-1", "0x1.8d6c70dp-1"),
    ),
    "binomial": (lambda s: s.binomial((12,), p=0.4), "int64", [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0]),
    "binomial float32": (lambda s: s.binomial((12,), p=np.float32(0.4), dtype="float32"), "float32", [0, 1, 0, 0]),
    "multinomial": (lambda s: s.multinomial(pvals=PVALS, n=30), "int64", [3, 7, 15, 5, 22, 2, 2, 4, 8, 11, 3, 8]),
    "multinomial float32": (lambda s: s.multinomial(pvals=PVALS.astype("float32"), n=30, dtype="float32"), "float32", [3, 7, 15, 5]),
    "choice": (lambda s: s.choice(size=3, replace=False, p=PVALS), "int64", [3, 1, 2, 0, 2, 1, 3, 2, 0]),
    "choice float32": (
        lambda s: s.choice(size=4, replace=False, p=PVALS.astype("float32"), dtype="int32"), "int32", [3, 1, 2, 0, 0, 2, 1, 3, 3, 2, 0, 1],
    ),
}  # fmt: skip

#: The same for numbers that go through functions of which libraries give the last bit differently.
GOLDEN_NORMAL = {
    "float32": (lambda s: s.normal((5,), dtype="float32"), floats("0x1.1b2e58p-3", "-0x1.289228p+1", "0x1.3bf8bap-2", "0x1.121f1p-1")),
    "moved": (
        lambda s: s.normal((5,), avg=1, std=2, dtype="float64"),
        floats("0x1.46cb93af019f1p+0", "-0x1.d1244ff50f8cap+1", "0x1.9dfc5308df93cp+0", "0x1.090f86d8332e2p+1"),
    ),
    "cut": (
        lambda s: s.normal((8,), truncate=True, dtype="float64"),
        floats("-0x1.159fd27361d48p-1", "-0x1.b0e0a83986da5p-5", "-0x1.99dc15aa66fa3p-1", "0x1.4262847df3c2cp+0"),
    ),
    "cut and spread": (
        lambda s: s.truncated_normal((8,), dtype="float64"),
        floats("-0x1.3b9dcdeabf16fp-1", "-0x1.ec1d9c3463378p-5", "-0x1.d1f2a7ca2cba3p-1", "0x1.6e809732fbccap+0"),
    ),
}


def second_call(make, mode):
    f = theano.function([], make(MRG_RandomStreams(2017)), mode=mode)
    f()
    return f()


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
@pytest.mark.parametrize("name", GOLDEN)
def test_samples_are_theanos_bit_for_bit(name, mode):
    make, dtype, wanted = GOLDEN[name]
    found = second_call(make, mode)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.ravel()[: len(wanted)], wanted)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
@pytest.mark.parametrize("name", GOLDEN_NORMAL)
def test_normal_samples_are_theanos(name, mode):
    make, wanted = GOLDEN_NORMAL[name]
    found = second_call(make, mode)
    np.testing.assert_allclose(found[: len(wanted)], wanted, rtol=1e-6 if found.dtype == "float32" else 1e-14)


def test_the_state_moves_between_samples_as_theanos():
    rng = MRG_RandomStreams(2017)
    rng.inc_rstate()
    first = [978367573, 1694992510, 1015045160, 167521293, 1471768634, 751777530]
    assert rng.rstate.tolist() == first
    states = rng.get_substream_rstates(3, "float32")
    second = [2088816471, 594165599, 1964097301, 613072896, 312158251, 1142307241]
    third = [1847692831, 915688387, 1846620394, 111289020, 1547873223, 1096925995]
    assert states.tolist() == [first, second, third]
    assert rng.rstate.tolist() == [2081124683, 466588555, 1014123569, 585037, 890921254, 536826405]


def test_a_source_seeded_by_six_numbers_starts_there():
    rng = MRG_RandomStreams([1, 2, 3, 4, 5, 6])
    states = rng.get_substream_rstates(2, "float64")
    assert states.tolist() == [[1, 2, 3, 4, 5, 6], [236336504, 1630064008, 1151274174, 945871500, 1221901377, 1030714415]]
    assert rng.rstate.tolist() == [1782355199, 180881799, 960068827, 1267448446, 1580452303, 757893159]


def test_states_that_are_saved_and_set_again_continue_the_numbers():
    def build(seed):
        rng = MRG_RandomStreams(seed)
        return rng, theano.function([], [rng.uniform((3, 2)), rng.normal((5,))])

    old, f = build(5)
    f()
    saved = pickle.dumps((old.rstate, [update[0].get_value() for update in old.state_updates]))
    wanted = f()
    new, g = build(77)
    new.rstate, values = pickle.loads(saved)
    for update, value in zip(new.state_updates, values):
        update[0].set_value(value)
    for found, value in zip(g(), wanted):
        np.testing.assert_array_equal(found, value)
    u, v = (theano.function([], rng.uniform((4,))) for rng in (old, new))
    np.testing.assert_array_equal(u(), v())


@pytest.mark.parametrize("streams, n", [(1, 0), (1, 1000), (2, 129), (3, 2001), (7, 49), (100, 77), (300, 20001)])
def test_numpy_draws_of_few_and_many_streams_follow_the_recurrences(streams, n):
    states = np.random.default_rng(n).integers(1, 2**31 - 21069, (streams, 6)).astype("int32")
    drawn, after = mrg31k3p.draw(states, n)
    for k in {0, streams // 2, streams - 1}:
        mine = drawn[k::streams] * 2.0**-31
        np.testing.assert_array_equal(mine, reference(states[k], len(mine)))
        np.testing.assert_array_equal(reference(after[k], 3), reference(states[k], len(mine) + 3)[-3:])


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 1000])
def test_a_jump_is_that_many_draws(steps):
    state = np.array([[1, 2, 3, 4, 5, 6]])
    there = mrg31k3p.moved(state, steps)[0]
    np.testing.assert_array_equal(reference(there, 4), reference(state[0], steps + 4)[steps:])


def test_streams_take_turns_and_follow_the_recurrences():
    u = MRG_RandomStreams(99).uniform((5, 4), nstreams=3, dtype="float64")
    states = u.owner.inputs[0].owner.inputs[0].owner.inputs[0].get_value()
    drawn = theano.function([], u)().ravel()
    for stream in range(3):
        mine = drawn[stream::3]
        np.testing.assert_array_equal(mine, reference(states[stream], len(mine)))


def test_streams_start_where_the_generator_is_much_later():
    rng = MRG_RandomStreams(5)
    states = rng.get_substream_rstates(5, "float64", inc_rstate=False)
    wanted = [np.array([5] * 6, "int32")]
    for _ in range(4):
        wanted.append(rng_mrg.ff_2p72(wanted[-1]))
    np.testing.assert_array_equal(states, wanted)
    assert states.dtype == np.int32


@pytest.mark.parametrize("dtype, low", [("float16", 0), ("float32", 0), ("float64", 0)])
def test_dtypes_and_range(dtype, low):
    values = theano.function([], MRG_RandomStreams(3).uniform((2000,), dtype=dtype))()
    assert values.dtype == dtype and (values > low).all() and (values <= 1).all()
    assert abs(values.astype("float64").mean() - 0.5) < 0.03


def test_seed_starts_all_samples_again():
    rng = MRG_RandomStreams(17)
    f = theano.function([], [rng.uniform((4,)), rng.normal((3,))])
    first = f()
    f()
    rng.seed(17)
    for a, b in zip(first, f()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_normal_of_any_count(n):
    values = theano.function([], MRG_RandomStreams(3).normal((n,), avg=10, std=0.1))()
    assert values.shape == (n,) and (abs(values - 10) < 1).all()


def test_normal_numbers_are_normal():
    rng = MRG_RandomStreams(3)
    z, cut, even = theano.function([], [rng.normal((20000,)), rng.normal((20000,), truncate=True), rng.truncated_normal((20000,))])()
    assert abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03 and (abs(z) > 2).any()
    assert (abs(cut) <= 2).all() and abs(cut.std() - 0.8796) < 0.02
    assert abs(even.std() - 1) < 0.02


def test_multinomial_counts_follow_the_uniform_numbers():
    pvals = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    counts = theano.function([], MRG_RandomStreams(2).multinomial(pvals=pvals, n=4000))()
    assert counts.dtype == np.int64 and (counts.sum(1) == 4000).all()
    np.testing.assert_allclose(counts / 4000, pvals, atol=0.03)


def test_choice_draws_nothing_twice():
    p = np.tile([[0.1, 0.2, 0.3, 0.4]], (50, 1))
    drawn = theano.function([], MRG_RandomStreams(2).choice(size=3, replace=False, p=p))()
    assert drawn.shape == (50, 3)
    assert all(len(set(row)) == 3 for row in drawn)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_numbers_inside_of_a_loop_are_those_outside(mode):
    outs, updates = theano.scan(lambda: MRG_RandomStreams(8).uniform((3,)), n_steps=4)
    f = theano.function([], outs, updates=updates, mode=mode)
    g = theano.function([], MRG_RandomStreams(8).uniform((3,)), mode=mode)
    np.testing.assert_array_equal(np.concatenate([f(), f()]), [g() for _ in range(8)])


def test_states_are_overwritten_in_optimised_functions():
    f = theano.function([], MRG_RandomStreams(8).uniform((3,)), mode="FAST_RUN")
    assert [node.op.inplace for node in f.maker.fgraph.toposort() if isinstance(node.op, rng_mrg.mrg_uniform)] == [True]


@pytest.mark.parametrize(
    "seed, text",
    [
        (0, "seed should not be 0"),
        (2**31 - 1, "seed should be less than 2147462579"),
        ([0, 0, 0, 1, 1, 1], "first 3 values of seed should not be all 0"),
        ([1, 1, 1, 0, 0, 0], "last 3 values of seed should not be all 0"),
        ([2**31 - 1, 1, 1, 1, 1, 1], "first 3 values of seed should be less than 2147483647"),
        ([1, 1, 1, 1, 2147462579, 1], "last 3 values of seed should be less than 2147462579"),
    ],
)
def test_bad_seeds(seed, text):
    with pytest.raises(ValueError, match=text):
        MRG_RandomStreams(seed)


@pytest.mark.parametrize("seed", [[1, 2, 3], [1] * 7])
def test_a_seed_is_one_number_or_six(seed):
    with pytest.raises(TypeError, match="seed should be 1 integer or 6 integers"):
        MRG_RandomStreams(seed)


def test_arguments_that_no_sample_has_are_refused():
    with pytest.raises(TypeError, match="unexpected keyword arguments"):
        MRG_RandomStreams(1).uniform((3,), mean=2)


def test_samples_of_integers_are_refused():
    with pytest.raises(TypeError, match="not int32"):
        theano.function([], MRG_RandomStreams(1).uniform((3,), dtype="int32"))()


@pytest.mark.parametrize("size, error", [((0, 2), ValueError), (7, TypeError), (T.dmatrix(), TypeError)])
def test_bad_sizes(size, error):
    with pytest.raises(error, match="size"):
        MRG_RandomStreams(1).uniform(size)
