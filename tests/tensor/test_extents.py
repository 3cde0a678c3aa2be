"""Integers of a graph as sums: values and order against evaluation over many numbers."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.mode import Mode
from theano_compat.compile.ops import Shape_i
from theano_compat.tensor.basic.extents import Extent, larger, smaller
from theano_compat.tensor.basic.vector_elements import elements
from theano_compat.tensor.opt import Subtensor

PLAIN = Mode("py", None)
v, w = T.lvectors("vw")
i, j = T.lscalar("i"), T.bscalar("j")
#: Lengths of v and w, then i and j.
POINTS = [(a, b, c, d) for a in (0, 1, 4) for b in (0, 3) for c in (-3, 0, 5) for d in (-2, 3)]


def values(expressions):
    """Evaluate 0-d variables at all points: an array with a row for each expression."""
    function = theano.function([v, w, i, j], [T.as_tensor_variable(e) for e in expressions], mode=PLAIN, on_unused_input="ignore")
    return np.array([function(np.zeros(a, "int64"), np.zeros(b, "int64"), np.int64(c), np.int8(d)) for a, b, c, d in POINTS]).T


def random_integer(rng, depth):
    """A random integer expression."""
    if depth == 0 or rng.rand() < 0.2:
        leaves = [v.shape[0], w.shape[0], Shape_i(0)(v), i, T.cast(j, "int64"), T.constant(int(rng.randint(-4, 5)), dtype="int64")]
        return leaves[rng.randint(len(leaves))]
    a, b = random_integer(rng, depth - 1), random_integer(rng, depth - 1)
    kind = rng.randint(9)
    if kind < 2:
        return a + b
    if kind < 4:
        return a - b
    return [
        lambda: T.minimum(a, b), lambda: T.maximum(a, b), lambda: a * int(rng.randint(-2, 4)),
        lambda: T.switch(T.lt(a, b), a, b), lambda: T.switch(T.ge(a, b), b, abs(a)),
    ][kind - 4]()  # fmt: skip


def test_a_sum_has_the_value_of_the_expression():
    rng = np.random.RandomState(0)
    found = [random_integer(rng, 4) for _ in range(60)]
    np.testing.assert_array_equal(values([Extent.of(e).value() for e in found]), values(found))


def test_what_is_said_of_the_order_holds_everywhere():
    rng = np.random.RandomState(1)
    pairs = [(random_integer(rng, 3), random_integer(rng, 3)) for _ in range(120)]
    sums = [(Extent.of(a), Extent.of(b)) for a, b in pairs]
    low, high = values([smaller(*pair).value() for pair in sums]), values([larger(*pair).value() for pair in sums])
    first, second = values([a for a, _ in pairs]), values([b for _, b in pairs])
    np.testing.assert_array_equal(low, np.minimum(first, second))
    np.testing.assert_array_equal(high, np.maximum(first, second))
    certain = [a.is_at_least(b) for a, b in sums]
    assert 15 < sum(certain) < 100
    for is_certain, a, b in zip(certain, first, second):
        assert not is_certain or (a >= b).all()


@pytest.mark.parametrize("known", [
    lambda m, n: (m, 0), lambda m, n: (m + 1, m), lambda m, n: (m, T.minimum(m, n)), lambda m, n: (T.maximum(m, n), n),
    lambda m, n: (m + n, n), lambda m, n: (m * 2, m), lambda m, n: ((m + 1) // 2, 0), lambda m, n: (T.switch(T.lt(m, n), m, n) + 1, 1),
    lambda m, n: (m, m - T.minimum(m, n)), lambda m, n: (m * n, 0), lambda m, n: (n - T.minimum(m, n) + m, m),
])  # fmt: skip
def test_orders_that_lengths_have(known):
    greater, less = known(v.shape[0], w.shape[0])
    assert Extent.of(greater).is_at_least(Extent.of(less))


@pytest.mark.parametrize("unknown", [lambda m, n: (m, n), lambda m, n: (m, 1), lambda m, n: (i, 0), lambda m, n: (m, T.maximum(m, n)),
                                     lambda m, n: (m - 1, 0), lambda m, n: (m, m - i), lambda m, n: (m * i, 0)])  # fmt: skip
def test_orders_that_lengths_need_not_have(unknown):
    greater, less = unknown(v.shape[0], w.shape[0])
    assert not Extent.of(greater).is_at_least(Extent.of(less))


def test_narrow_sums_are_not_taken_apart_as_they_wrap_around():
    k = T.bscalar("k")
    wide, narrow = Extent.of(T.cast(k, "int64") + 100), Extent.of(k + np.int8(100))
    function = theano.function([k], [wide.as_tensor(), narrow.as_tensor()], mode=PLAIN)
    assert [int(out) for out in function(np.int8(100))] == [200, -56]


def test_reductions_are_no_sums_of_lengths():
    sizes = T.lvector("sizes")
    for number in (sizes.prod(), sizes.sum(), sizes.max()):
        assert Extent.of(number + 1).value().ndim == 0
        assert int(theano.function([sizes], Extent.of(number + 1).value(), mode=PLAIN)([2, 3])) == int(theano.function([sizes], number + 1, mode=PLAIN)([2, 3]))


def test_integers_of_different_floats_are_different():
    length = v.shape[0]
    few, many = (T.cast(T.ceil(length * part), "int64") for part in (1.25, 1.75))
    assert not Extent.of(few).is_equal(Extent.of(many)) and Extent.of(few).is_equal(Extent.of(T.cast(T.ceil(length * 1.25), "int64")))
    function = theano.function([v], v[:few][::-1][: many - few], mode=Mode("py", "fast_run"))
    np.testing.assert_array_equal(function(np.arange(8)), np.arange(8)[::-1][:4])


def test_a_long_sum_of_minima_is_given_up_quickly():
    """Every step of a proof may ask two questions: without a bound, this would take longer than anybody waits."""
    numbers = T.lscalars(40)
    total = numbers[0]
    for a, b in zip(numbers, numbers[1:]):
        total = T.minimum(total + a, b) - T.maximum(a, total)
    assert not Extent.of(total).is_at_least(0)


def test_elements_of_vectors_put_together():
    x = T.tensor3("x")
    vector = T.join(0, x.shape[1:], T.stack([i, T.constant(7, dtype="int64")]), v.shape, T.lvector("rest"))
    found = elements(vector, 6)
    assert found[3] == 7 and found[2] is i
    for element, (axis, of) in zip((found[0], found[1], found[4]), [(1, x), (2, x), (0, v)]):
        assert isinstance(element.owner.op, Shape_i) and (element.owner.op.i, element.owner.inputs[0]) == (axis, of)
    assert isinstance(found[5].owner.op, Subtensor)  # nothing is known of it


ENDS = {
    "len(v)": (lambda: v.shape[0], lambda a, b: len(a)), "len(w)": (lambda: w.shape[0], lambda a, b: len(b)),
    "len(w)+1": (lambda: w.shape[0] + 1, lambda a, b: len(b) + 1), "len(w)-1": (lambda: w.shape[0] - 1, lambda a, b: len(b) - 1),
    "-len(w)": (lambda: -w.shape[0], lambda a, b: -len(b)), "min": (lambda: T.minimum(v.shape[0], w.shape[0]), lambda a, b: min(len(a), len(b))),
    "1": (lambda: 1, lambda a, b: 1), "-1": (lambda: -1, lambda a, b: -1), "": (lambda: None, lambda a, b: None),
}  # fmt: skip


@pytest.mark.parametrize("first_step, second_step", list(itertools.product((1, -1, 2, -2), repeat=2)))
def test_slices_whose_ends_are_lengths_select_what_python_selects(first_step, second_step):
    rng = np.random.RandomState(50 + first_step + 10 * second_step)
    names = list(ENDS)
    chosen = [[names[k] for k in rng.randint(len(names), size=4)] for _ in range(12)]

    def taken(ends, x):
        start, stop, start2, stop2 = ends
        once = x[start:stop:first_step]
        return once[start2:stop2:second_step]

    symbolic = [taken([ENDS[name][0]() for name in four], v) for four in chosen]
    outputs = symbolic + [out.shape[0] for out in symbolic]
    function = theano.function([v, w], outputs, mode=Mode("py", "fast_run"))
    for m, n in itertools.product((0, 1, 2, 5), (0, 1, 2, 5)):
        x, y = np.arange(m), np.arange(n)
        found = function(x, y)
        for four, value, length in zip(chosen, found, found[len(chosen) :]):
            wanted = taken([ENDS[name][1](x, y) for name in four], x)
            np.testing.assert_array_equal(value, wanted, err_msg=f"{four} {m} {n}")
            assert length == len(wanted), (four, m, n)


def test_reversing_what_was_cut_takes_no_arithmetic_of_lengths():
    """What the gradient of scan does to each of its sequences."""
    function = theano.function([v], [v[: v.shape[0]][::-1], v[1:][::-1], v[:-1][::-1], v[::-1][: v.shape[0]]], mode=Mode("py", "fast_run"))
    x = np.arange(6)
    for found, wanted in zip(function(x), [x[::-1], x[1:][::-1], x[:-1][::-1], x[::-1]]):
        np.testing.assert_array_equal(found, wanted)
    nodes = function.maker.fgraph.toposort()
    assert sum(isinstance(node.op, Subtensor) for node in nodes) == 3  # one of them twice
    assert not any(getattr(node.op, "scalar_op", None) in map(operator.attrgetter("scalar_op"), (T.lt, T.switch)) for node in nodes)
