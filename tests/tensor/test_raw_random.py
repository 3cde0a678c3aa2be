"""Random streams: the numbers that Theano 1.0.5 draws from the same seed, to the last bit.

The numbers in ``GOLDEN`` were printed by Theano 1.0.5 for ``RandomStreams(234)``: two calls each.
"""

import pickle
import warnings

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.subtensor_tools import run
from theano_compat.tensor import raw_random
from theano_compat.tensor.raw_random import RandomFunction, random_state_type
from theano_compat.tensor.shared_randomstreams import RandomStreams

U = [0.12672381400898758, 0.9709159656786431, 0.13989097862581312, 0.887548254199325, 0.3197141503373775,
     0.47584376667160355, 0.24129163169315337, 0.4204608139408894, 0.44078224324312, 0.26993380578438486,
     0.14317276763412234, 0.43571539064778886]

GOLDEN = {
    "uniform": (lambda s: s.uniform((2, 2)), [[U[0:2], U[2:4]], [U[4:6], U[6:8]]]),
    "uniform number": (lambda s: s.uniform(), [U[0], U[1]]),
    "uniform float32": (
        lambda s: s.uniform((3,), dtype="float32"),
        [[float(np.float32(u)) for u in U[k : k + 3]] for k in (0, 3)],
    ),
    "uniform with bounds": (
        lambda s: s.uniform((3,), low=-1, high=[1.0, 2, 3]),
        [[-0.7465523719820248, 1.9127478970359295, -0.4404360854967475],
         [0.7750965083986501, -0.04085754898786753, 0.9033750666864142]],
    ),
    "uniform of the bounds' shape": (
        lambda s: s.uniform((2, -1), low=np.zeros(3)), [[U[0:3], U[3:6]], [U[6:9], U[9:12]]]
    ),
    "normal": (
        lambda s: s.normal((2, 2), avg=1.0, std=[1.0, 2.0]),
        [[[0.7329175814538953, -2.9866464363820637], [0.5395497375221083, -1.995311920933847]],
         [[-0.6708407858495133, 0.13986977901514575], [0.7989719308154231, -1.2317095888993355]]],
    ),
    "binomial": (lambda s: s.binomial((5,), n=10, p=0.3), [[1, 6, 1, 5, 2], [3, 2, 3, 3, 2]]),
    "binomial of arrays": (
        lambda s: s.binomial(n=[1, 10, 100], p=[0.3, 0.4, 0.5]), [[0, 7, 45], [0, 4, 51]]
    ),
    "poisson": (lambda s: s.poisson((5,), lam=4.0), [[2, 4, 2, 8, 3], [4, 8, 5, 3, 4]]),
    "random_integers": (
        lambda s: s.random_integers((6,), low=-5, high=10),
        [[-1, 1, 4, -5, 2, 5], [1, 8, 10, 4, 2, 0]],
    ),
    "random_integers of arrays": (
        lambda s: s.random_integers((3, 2), low=[0, 10], high=20),
        [[[20, 16], [16, 17], [10, 16]], [[13, 19], [7, 15], [2, 13]]],
    ),
    "permutation": (
        lambda s: s.permutation((2,), n=5),
        [[[3, 0, 1, 2, 4], [0, 3, 1, 4, 2]], [[2, 0, 4, 3, 1], [2, 4, 0, 1, 3]]],
    ),
    "one permutation": (lambda s: s.permutation(n=5), [[3, 0, 1, 2, 4], [0, 3, 1, 4, 2]]),
    "choice": (lambda s: s.choice((6,), a=4), [[0, 2, 1, 0, 3, 2], [2, 1, 3, 1, 3, 1]]),
    "choice of values": (
        lambda s: s.choice((6,), a=[4.0, 5, 6], dtype="float64"),
        [[4.0, 6.0, 5.0, 4.0, 6.0, 6.0], [5.0, 5.0, 5.0, 6.0, 5.0, 6.0]],
    ),
    "choice by probabilities": (
        lambda s: s.choice((3,), a=4, p=[0.1, 0.2, 0.3, 0.4], replace=False), [[1, 3, 2], [2, 1, 3]]
    ),
    "multinomial": (
        lambda s: s.multinomial((2,), n=10, pvals=[0.2, 0.3, 0.5]),
        [[[1, 6, 3], [1, 5, 4]], [[1, 3, 6], [1, 3, 6]]],
    ),
    "multinomial of arrays": (
        lambda s: s.multinomial((3, 2), n=5, pvals=[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
        [[[[0, 4, 1], [0, 1, 4]], [[0, 2, 3], [0, 0, 5]], [[1, 1, 3], [0, 0, 5]]],
         [[[2, 2, 1], [1, 1, 3]], [[1, 2, 2], [0, 0, 5]], [[0, 1, 4], [1, 0, 4]]]],
    ),
    "shuffle_row_elements": (
        lambda s: s.shuffle_row_elements(T.constant(np.arange(12.0).reshape(3, 4))),
        [[[3.0, 1.0, 2.0, 0.0], [5.0, 7.0, 6.0, 4.0], [8.0, 10.0, 11.0, 9.0]],
         [[0.0, 3.0, 2.0, 1.0], [7.0, 4.0, 5.0, 6.0], [9.0, 8.0, 10.0, 11.0]]],
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_streams_are_theanos(name):
    build, wanted = GOLDEN[name]
    draw = theano_compat.function([], build(RandomStreams(234)), mode="FAST_COMPILE")
    assert [draw().tolist(), draw().tolist()] == wanted


def test_streams_of_one_source_differ_and_repeat_with_the_seed():
    def draws(seed):
        source = RandomStreams(seed)
        f = theano_compat.function([], [source.uniform((3,)), source.uniform((3,))], mode="FAST_COMPILE")
        return np.array([f(), f()])

    first = draws(5)
    assert len(np.unique(first)) == first.size
    np.testing.assert_array_equal(first, draws(5))


def test_seeding_anew_repeats_theanos_numbers():
    source = RandomStreams(234)
    samples = [source.uniform((2,)), source.normal((2,))]
    f = theano_compat.function([], samples, mode="FAST_COMPILE")
    f()
    source.seed(5)
    got = f()
    np.testing.assert_allclose(got[0], [0.28602599, 0.36567373], atol=5e-9)
    np.testing.assert_allclose(got[1], [-1.01565282, -0.42189681], atol=5e-9)
    source.seed()
    fresh = RandomStreams(234)
    again = theano_compat.function([], [fresh.uniform((2,)), fresh.normal((2,))], mode="FAST_COMPILE")
    for ours, theirs in zip(f(), again()):
        np.testing.assert_array_equal(ours, theirs)


def test_generators_can_be_read_and_replaced():
    source = RandomStreams(1)
    sample = source.uniform((4,))
    f = theano_compat.function([], sample, mode="FAST_COMPILE")
    assert sample.rng.tag.is_rng and source.updates() == [sample.update]
    state = source[sample.rng].get_state()
    first = f()
    generator = np.random.RandomState()
    generator.set_state(state)
    source[sample.rng] = generator
    np.testing.assert_array_equal(f(), first)


def test_without_updates_the_same_numbers_come_again():
    sample = RandomStreams(1).uniform((4,))
    f = theano_compat.function([], sample, no_default_updates=True, mode="FAST_COMPILE")
    np.testing.assert_array_equal(f(), f())


def test_in_place_rewrite_keeps_the_numbers():
    def draws(mode):
        f = theano_compat.function([], RandomStreams(9).normal((3,)), mode=mode)
        return f, [f().tolist(), f().tolist()]

    fast, got = draws("FAST_RUN")
    assert any(
        isinstance(node.op, RandomFunction) and node.op.inplace
        for node in fast.maker.fgraph.apply_nodes
    )
    assert got == draws("FAST_COMPILE")[1]


def test_generator_given_as_an_input_is_not_changed():
    generator = np.random.RandomState(2)
    before = generator.get_state()[1].copy()
    r = random_state_type()
    new, sample = raw_random.uniform(r, (3,))
    values = run([new, sample], {r: generator})
    assert (generator.get_state()[1] == before).all() and generator.get_state()[2] == 624
    assert random_state_type.values_eq(values[0], values[0])
    assert not random_state_type.values_eq(values[0], generator)
    np.testing.assert_array_equal(values[1], np.random.RandomState(2).uniform(size=3))


@pytest.mark.parametrize("fn", ["permutation_helper", "multinomial_helper", "uniform"])
def test_shape_rule_is_right(fn):
    r, n = random_state_type(), T.iscalar()
    build = {
        "permutation_helper": lambda: raw_random.permutation(r, (n, 2), n=5),
        "multinomial_helper": lambda: raw_random.multinomial(r, (n, 2), pvals=[0.5, 0.25, 0.25]),
        "uniform": lambda: raw_random.uniform(r, (n, 2)),
    }[fn]
    sample = build()[1]
    node = sample.owner
    shape = node.op.infer_shape(node, [None] * len(node.inputs))[1]
    values = {r: np.random.RandomState(0), n: np.int32(3)}
    got = tuple(int(run(T.as_tensor_variable(e), values)) for e in shape)
    assert got == run(sample, values).shape


ERRORS = {
    "rank": (lambda s: s.uniform((2,), ndim=3), ValueError, "ndim should be equal to len(shape), but\n"),
    "parameters too big": (lambda s: s.uniform((2,), low=np.zeros((2, 2))), ValueError,
                           "ndim should be at least as big as required by args value"),
    "-1 without parameters": (lambda s: s.uniform((-1,)), ValueError,
                              "Auto-shape of -1 must overlapwith the shape of one of the broadcastableinputs"),
    "fractions": (lambda s: s.uniform((2.5,)), TypeError, "shape must be an integer vector or list"),
    "a number": (lambda s: s.uniform(T.constant(3)), TypeError,
                 "shape must be a vector or list of scalar, got 'TensorConstant{3}'"),
    "no shape": (lambda s: s.poisson(lam=[1.0, 2.0]), TypeError,
                 "_infer_ndim_bcast cannot infer shape without either shape or args"),
    "permutation of rank 3": (lambda s: s.permutation(n=5, ndim=3), TypeError,
                              "You asked for just one permutation but asked for more then 1 dimensions."),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_theanos(name):
    build, error, text = ERRORS[name]
    with pytest.raises(error) as caught:
        build(RandomStreams(1))
    assert caught.value.args[0] == text


def test_gradient_through_a_sample_is_undefined():
    x = T.vector()
    sample = RandomStreams(1).uniform(low=x)
    with pytest.raises(theano_compat.gradient.NullTypeGradError):
        T.grad(sample.sum(), x)


def test_op_is_equal_by_value_and_survives_a_pickle():
    op = RandomFunction("uniform", T.dvector)
    twin = pickle.loads(pickle.dumps(op))
    assert twin == op and hash(twin) == hash(op) and str(op) == "RandomFunction{uniform}"
    assert RandomFunction("uniform", T.dvector, inplace=True) != op


def test_drawing_integers_warns_about_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = raw_random.random_integers_helper(
            np.random.RandomState(0), np.int8(-3), np.array([2, 5]), (4, 2)
        )
    assert drawn.shape == (4, 2) and drawn.min() >= -3 and drawn.max() <= 5


def test_probabilities_whose_sum_rounding_made_too_large_shrink_as_theanos():
    wanted = [[199803, 299702, 500495], [200083, 300597, 499320]]
    for pvals in (np.array([0.2, 0.3, 0.500001]), np.array([0.2, 0.3, 0.5000002], "float32")):
        drawn = raw_random.multinomial_helper(np.random.RandomState(234), np.array(10**6), pvals, (2,))
        np.testing.assert_array_equal(drawn, wanted)


@pytest.mark.parametrize("pvals, text", [([0.5, 0.6], "sum to 1.1"), ([-0.1, 1.1], "must not be negative"), ([np.nan, 0.5], "must not be negative")])
def test_what_are_no_probabilities_is_refused(pvals, text):
    with pytest.raises(AssertionError, match=text):
        raw_random.multinomial_helper(np.random.RandomState(1), np.array(5), np.array(pvals), (2,))
