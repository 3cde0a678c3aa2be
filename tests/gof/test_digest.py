"""Digests: equal for graphs that are the same but for names, different for all others, and refused where nobody can tell."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.specs.registry import all_specs
from tests.specs.test_specs import as_list, symbols
from theano_compat.gof.digest import Description, NotDigestible


def digest(inputs, outputs, *more):
    description = Description()
    description.add(*more)
    description.add_graph(inputs, outputs)
    return description.digest()


def loop(x, step, **options):
    return theano.scan(step, sequences=x, **options)[0]


#: Functions of a vector; each is a graph of its own.
DIFFERENT = [
    lambda x: x,
    lambda x: x + 1,
    lambda x: x + 2,
    lambda x: x + np.float32(1),
    lambda x: x - 1,
    lambda x: 1 - x,
    lambda x: x + 0.0,
    lambda x: x + -0.0,
    lambda x: x + float("nan"),
    lambda x: x + np.ones(100),
    lambda x: x + np.r_[np.ones(99), 2],
    lambda x: x.dimshuffle("x", 0),
    lambda x: x.dimshuffle(0, "x"),
    lambda x: x[1:],
    lambda x: x[:1],
    lambda x: x[::2],
    lambda x: x.astype("float32"),
    lambda x: T.exp(x),
    lambda x: T.exp(x) + T.exp(x).sum(),
    lambda x: (lambda e: e + e.sum())(T.exp(x)),
    lambda x: x.sum(dtype="float32"),
    lambda x: x.astype("float32").sum(acc_dtype="float64"),
    lambda x: x.reshape((2, 2)),
    lambda x: x.reshape((2, -1)),
    lambda x: T.addbroadcast(x, 0),
    lambda x: loop(x, lambda row: row + 1),
    lambda x: loop(x, lambda row: row + 2),
    lambda x: loop(x, lambda row: row * 2),
    lambda x: loop(x, lambda row: row + 1, go_backwards=True),
    lambda x: loop(x, lambda row, h: h + row, outputs_info=T.zeros(())),
    lambda x: loop(x, lambda row, h: h + row, outputs_info=T.zeros(()), truncate_gradient=2),
    lambda x: loop(x, lambda row, h: row - h, outputs_info=T.zeros(())),
    lambda x: loop(x, lambda row, h: h - row, outputs_info=T.zeros(())),
    lambda x: loop(x, lambda row: row + 1, mode="FAST_COMPILE"),
    lambda x: theano.OpFromGraph([x], [x + 1])(x),
    lambda x: theano.ifelse.ifelse(x.sum() > 0, x, -x),
]


def test_equal_and_different():
    found = {}
    for number, make in enumerate(DIFFERENT):
        for name in ("x", "another"):
            x = T.dvector(name)
            try:
                key = digest([x], [make(x)])
            except NotDigestible:
                continue
            found.setdefault(key, set()).add(number)
    assert all(len(numbers) == 1 for numbers in found.values())
    assert len(found) >= len(DIFFERENT) - 1


def test_types_and_order_of_inputs_count():
    x, y, single = T.dvector(), T.dvector(), T.fvector()
    assert digest([x, y], [x - y]) == digest([y, x], [y - x]) != digest([y, x], [x - y])
    assert digest([x], [x.sum(), x.prod()]) != digest([x], [x.prod(), x.sum()])
    assert digest([x], [T.exp(x)]) != digest([single], [T.exp(single)])
    assert digest([x], [T.exp(x)]) != digest([T.drow().dimshuffle(1)], [T.exp(x)])
    shared = theano.shared(np.ones(2))
    assert digest([shared], [T.exp(shared)]) != digest([x], [T.exp(x)])
    assert digest([x], [x], "a") != digest([x], [x], "b")
    m, at = T.max_and_argmax(T.dmatrix(), axis=0)
    assert digest([m, at], [m + at]) != digest([m.owner.inputs[0]], [m + at])
    with pytest.raises(NotDigestible, match="twice"):
        digest([x, x], [x])


def test_tags_that_change_the_meaning_count():
    x, y = T.dvector(), T.dvector()
    y.tag.indestructible = True
    assert digest([x], [x + 1]) != digest([y], [y + 1])
    x.tag.my_own = object()
    digest([x], [x + 1])


class Foreign(theano.gof.Op):
    __props__ = ()

    def make_node(self, x):
        return theano.gof.Apply(self, [x], [x.type()])


def test_refused():
    x = T.dvector()
    with pytest.raises(NotDigestible, match="Foreign"):
        digest([x], [Foreign()(x)])
    with pytest.raises(NotDigestible, match="test_digest"):
        digest([x], [x], [lambda: 1])
    with pytest.raises(NotDigestible, match="partial"):
        digest([x], [x], functools.partial(print))
    with pytest.raises(NotDigestible, match="Python objects"):
        digest([x], [x], np.array([None]))
    with pytest.raises(NotDigestible, match="ArrayFunctionDispatcher|trace"):
        digest([x], [x], np.trace)
    with pytest.raises(NotDigestible, match="trace"):
        digest([x], [x], functools.wraps(np.trace)(lambda a: a))
    with pytest.raises(NotDigestible, match="does more than to compute"):
        digest([], [T.load("a.npy", "float64", (False,))])
    with pytest.raises(NotDigestible, match="constant of 8000000 bytes"):
        digest([x], [x + np.ones(10**6)])
    itself = T.elemwise.Elemwise(theano.scalar.add, name="a")
    itself.openmp = [itself]
    with pytest.raises(NotDigestible, match="part of itself"):
        digest([x], [x], itself)
    with pytest.raises(NotDigestible, match="order"):
        digest([x], [x], {(1, 2)})


def test_structures():
    def of(thing):
        description = Description()
        description.add(thing)
        return description.digest()

    different = [1, 1.0, True, "1", b"1", None, (1,), [1], {1: 1}, {1}, ((1,),), (1, 1), "(1)", np.int64(1), np.int32(1), np.array(1), np.dtype("int8"), np.dtype("f8,f8"), np.dtype("f8,f4"), slice(1), float, int, np.float64, 1j, "a b", ("a", "b")]
    digests = [of(thing) for thing in different]
    assert len(set(digests)) == len(different)
    assert of({"b", "a", "c"}) == of({"c", "b", "a"})
    assert of({1: 2, 3: 4}) != of({3: 4, 1: 2})


def test_deep_graphs_need_no_recursion():
    x = T.dscalar()
    y = x
    for _ in range(20000):
        y = T.neg(y)
    assert digest([x], [y]) != digest([x], [y.owner.inputs[0]])


def test_ops_with_one_digest_are_equal():
    """Over the ops of all spec records, their scalar ops and the types of their outputs."""
    found = {}
    for spec in all_specs():
        xs = symbols(spec.cases[0])
        for node in theano.gof.graph.io_toposort(xs, as_list(spec.build(*xs))):
            for thing in (node.op, getattr(node.op, "scalar_op", None), *[out.type for out in node.outputs]):
                description = Description()
                description.add(thing)
                found.setdefault(description.digest(), []).append(thing)
    assert len(found) > 500
    for things in found.values():
        assert all(thing == things[0] for thing in things), things


def test_digests_are_the_same_in_every_process():
    program = (
        "import theano_compat as t; from theano_compat.gof.digest import Description; x = t.tensor.fmatrix();"
        "y = t.tensor.nnet.softmax(t.tensor.dot(x, t.shared(1.0) * x.T)); g = t.grad(t.scan(lambda r, h: r * h, x, y[0])[0].sum(), x);"
        "d = Description(); d.add({'b', 'a'}); d.add_graph([x], [g, y]); print(d.digest())"
    )
    digests = set()
    for seed in "123":
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        digests.add(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True).stdout)
    assert len(digests) == 1
