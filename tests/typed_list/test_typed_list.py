"""Typed lists: values, types, in-place work."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.tensor_tools import evaluate
from theano_compat import typed_list as tl

KIND = tl.TypedListType(T.dvector)
A, B, C = np.ones(2), np.zeros(2), np.arange(3.0)


def same(got, want):
    assert isinstance(got, list) and len(got) == len(want)
    for x, y in zip(got, want):
        np.testing.assert_array_equal(x, y)


def test_type():
    assert KIND == tl.TypedListType(T.dvector) and hash(KIND) == hash(tl.TypedListType(T.dvector))
    assert KIND != tl.TypedListType(T.dmatrix)
    assert str(KIND) == "TypedList <TensorType(float64, vector)>"
    nested = tl.TypedListType(T.dvector, 2)
    assert nested.get_depth() == 2 and nested.ttype.ttype == KIND
    with pytest.raises(TypeError, match="Expected a Theano Type"):
        tl.TypedListType(3)
    with pytest.raises(ValueError, match="depth"):
        tl.TypedListType(T.dvector, -1)


def test_filter():
    same(KIND.filter([[1.0, 1.0]]), [A])
    value = [A, B]
    assert KIND.filter(value) is value and KIND.filter(value, strict=True) is value
    for wrong, strict in ((3, True), ([[1.0]], True), ([np.zeros((2, 2))], False)):
        with pytest.raises(TypeError):
            KIND.filter(wrong, strict=strict)


def test_equality_and_memory():
    assert KIND.values_eq([A, B], [A.copy(), B.copy()])
    assert not KIND.values_eq([A], [A, A]) and not KIND.values_eq([A], [B])
    assert KIND.values_eq_approx([A], [A * (1 + 1e-9)])
    assert KIND.may_share_memory([A, B], [A]) and not KIND.may_share_memory([A], [A.copy()])


@pytest.mark.parametrize(
    ("build", "value", "want"),
    [
        (lambda l, v: l.append(v), [A], [A, C]), (lambda l, v: l.extend(l), [A, B], [A, B, A, B]),
        (lambda l, v: l.insert(1, v), [A, B], [A, C, B]), (lambda l, v: l.remove(v), [A, C, B, C], [A, B, C]),
        (lambda l, v: l.remove(v), [A], [A]), (lambda l, v: l.reverse(), [A, B, C], [C, B, A]),
        (lambda l, v: l[1:], [A, B, C], [B, C]), (lambda l, v: tl.make_list([v, v]), [], [C, C]),
    ],
)  # fmt: skip
def test_lists_of_lists(build, value, want):
    l, v = KIND(), T.dvector()
    given = list(value)
    out = build(l, v)
    assert out.type == KIND
    same(evaluate(out, {l: given, v: C}), want)
    same(given, value)


@pytest.mark.parametrize(
    ("build", "value", "want", "dtype"),
    [
        (lambda l, v: tl.length(l), [A, B], 2, "int64"), (lambda l, v: l.count(v), [C, A, C], 2, "float64"),
        (lambda l, v: l.ind(v), [A, C], 1, "float64"),
    ],
)  # fmt: skip
def test_numbers_about_lists(build, value, want, dtype):
    l, v = KIND(), T.dvector()
    got = evaluate(build(l, v), {l: value, v: C})
    assert got == want and got.dtype == dtype


def test_entries():
    l, i = KIND(), T.lscalar()
    first, last = evaluate([l[0], l[i]], {l: [A, C], i: -1})
    same([first, last], [A, C])
    assert l.ttype == T.dvector and l.dtype == "float64" and l.ndim == 2
    with pytest.raises(TypeError, match="Expected scalar or slice as index"):
        l[T.lvector()]
    with pytest.raises(TypeError):
        len(l)
    assert evaluate([l.__len__()], {l: [A, C]})[0] == 2  # by its name it gives a variable, as in Theano


def test_absent_entry_has_no_position():
    l, v = KIND(), T.dvector()
    with pytest.raises(ValueError):
        evaluate(tl.index_(l, v), {l: [A], v: C})


def test_other_types_are_refused():
    with pytest.raises(AssertionError):
        KIND().append(T.dmatrix())
    with pytest.raises(TypeError, match="MakeList need all input variable"):
        tl.make_list([T.dvector(), T.dmatrix()])


def test_in_place_where_the_list_may_change():
    l, v = KIND(), T.dvector()
    kept = theano_compat.function([l, v], l.append(v), mode=theano_compat.Mode("py", "fast_run"))
    mine = [A]
    same(kept(mine, C), [A, C])
    same(mine, [A])
    changing = theano_compat.function(
        [theano_compat.In(l, mutable=True), v], l.append(v), mode=theano_compat.Mode("py", "fast_run")
    )
    (node,) = (n for n in changing.maker.fgraph.toposort() if isinstance(n.op, tl.Append))
    assert node.op.inplace
    same(changing(mine, C), [A, C])
    assert len(mine) == 2
