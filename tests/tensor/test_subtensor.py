"""Indexing against NumPy, which is the oracle of every value here."""

import itertools
import pickle

import numpy as np
import pytest

import theano_compat
import theano_compat.scalar as scal
import theano_compat.tensor as T
from tests.tensor.subtensor_tools import run
from theano_compat.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedIndexingError,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    adv_index_broadcastable_pattern,
    advanced_subtensor1,
    as_index_variable,
    get_canonical_form_slice,
    get_idx_list,
    make_constant,
    slice_len,
)

DATA = np.arange(60.0).reshape(3, 4, 5)
rng = np.random.RandomState(7)

BASIC = [
    (0,),
    (-1,),
    (1, 2, 3),
    (slice(None),),
    (slice(1, None),),
    (slice(None, -1), slice(None, None, 2)),
    (slice(None, None, -1), 0),
    (slice(-2, None), slice(3, 0, -2), slice(100)),
    (slice(5, 2),),
    (slice(None, None, -2), slice(None, 1, -1)),
    (Ellipsis, 1),
    (0, Ellipsis, slice(1, 3)),
    (),
    (None, 1),
    (slice(None), None, slice(2), None),
]
ADVANCED = [
    ([0, 2],),
    (np.array([[0, 1], [2, 2]]),),
    (slice(None), [1, 1, 3]),
    (slice(None), slice(None), [0, -1]),
    ([0, 1], [1, 2]),
    ([0, 1], [1, 2], [0, 4]),
    ([0, 1], slice(None), [3, 4]),
    ([0, 1], slice(1, 3), 2),
    (slice(1, None), [1, 2], [[0], [1]]),
    (None, [0, 1], slice(None), [2, 3]),
    (0, [1, 2]),
    (DATA > 20,),
    (np.array([True, False, True]),),
    (slice(None), np.array([True, False, True, True])),
    (np.array([True, False, True]), 1),
    (np.array([[True, False, True, True]] * 3), [0]),
]


def _ids(index):
    return repr(index).replace("\n", "")[:60]


@pytest.mark.parametrize("index", BASIC + ADVANCED, ids=_ids)
def test_reading_equals_numpy(index):
    x = T.tensor3()
    np.testing.assert_array_equal(run(x[index], {x: DATA}), DATA[index])


@pytest.mark.parametrize("index", [i for i in BASIC if None not in i] + ADVANCED[:12], ids=_ids)
@pytest.mark.parametrize("write", [True, False], ids=["set", "inc"])
@pytest.mark.parametrize("spread", [True, False], ids=["scalar", "full"])
def test_writing_equals_numpy(index, write, spread):
    x = T.tensor3()
    part = x[index]
    if part.owner is None or not part.owner.inputs:
        pytest.skip("the whole tensor")
    shape = () if spread else DATA[index].shape
    y = T.TensorType("float64", (False,) * len(shape))()
    try:
        z = T.set_subtensor(part, y) if write else T.inc_subtensor(part, y)
    except TypeError as error:
        # Where the read went through a reshape or dimshuffle of something else.
        assert "subtensor" in str(error)
        pytest.skip("not the direct result of indexing")
    value = rng.rand(*shape)
    wanted = DATA.copy()
    if write:
        wanted[index] = value
    else:
        np.add.at(wanted, index, value)
    np.testing.assert_allclose(run(z, {x: DATA, y: np.asarray(value)}), wanted)


@pytest.mark.parametrize("index", [i for i in BASIC if None not in i], ids=_ids)
def test_shape_of_a_read_follows_from_the_shape(index):
    x = T.tensor3()
    node = x[index].owner
    shape = node.op.infer_shape(node, [tuple(x.shape[k] for k in range(3))])[0]
    found = [int(run(T.as_tensor_variable(extent), {x: DATA})) for extent in shape]
    assert tuple(found) == DATA[index].shape


@pytest.mark.parametrize(
    "index", [i for i in ADVANCED if not any(np.asarray(e).dtype == bool for e in i)], ids=_ids
)
def test_shape_of_an_advanced_read_follows_from_shapes(index):
    x = T.tensor3()
    node = T.advanced_subtensor(x, *index).owner
    shapes = [
        tuple(v.shape[k] for k in range(v.ndim)) if hasattr(v, "ndim") else None
        for v in node.inputs
    ]
    shape = node.op.infer_shape(node, shapes)[0]
    found = [int(run(T.as_tensor_variable(extent), {x: DATA})) for extent in shape]
    assert tuple(found) == DATA[index].shape


def test_symbolic_numbers():
    x, i, j = T.matrix(), T.iscalar(), T.lscalar()
    data = DATA[0]
    for a, b in itertools.product(range(-6, 7), repeat=2):
        got = run(x[i:j], {x: data, i: np.int32(a), j: np.int64(b)})
        np.testing.assert_array_equal(got, data[a:b])
    np.testing.assert_array_equal(
        run(x[:, ::i], {x: data, i: np.int32(-2)}), data[:, ::-2]
    )


def test_canonical_slices_select_what_python_selects():
    start, stop, step, length = T.lscalars("start", "stop", "step", "length")
    canonical, direction = get_canonical_form_slice(slice(start, stop, step), length)
    outs = [canonical.start, canonical.stop, canonical.step, direction]
    for values in itertools.product((-9, -4, -1, 0, 2, 5, 9), (-9, -3, 0, 1, 4, 9), (-3, -1, 1, 2), (0, 1, 5)):
        env = dict(zip((start, stop, step, length), map(np.int64, values)))
        a, b, s, way = (int(v) for v in run(outs, env))
        whole = range(values[3])
        wanted = list(whole[slice(*values[:3])])
        assert 0 <= a <= b <= values[3] and s > 0 and way in (-1, 1)
        assert list(whole[a:b:s])[::way] == wanted, values


@pytest.mark.parametrize("theslice", [slice(None), slice(1, 3), slice(None, -1), slice(-3, None),
                                      slice(None, None, -1), slice(-2, None, -2), slice(3, 1), slice(2, None, 3),
                                      slice(None, 2, -1), slice(0, None), slice(4, -9, -1)], ids=str)
def test_slice_len_counts(theslice):
    length = T.lscalar()
    symbolic = T.as_tensor_variable(slice_len(theslice, length))
    for extent in range(7):
        wanted = len(range(extent)[theslice])
        assert int(run(symbolic, {length: np.int64(extent)})) == wanted
        assert slice_len(theslice, extent) == wanted


def test_canonical_slices_of_known_numbers_need_no_graph():
    for values in itertools.product((None, -9, -1, 0, 2, 9), (None, -9, -3, 0, 4, 9), (None, -3, -1, 1, 2), (0, 1, 5)):
        canonical, way = get_canonical_form_slice(slice(*values[:3]), values[3])
        whole = range(values[3])
        assert list(whole[canonical])[::way] == list(whole[slice(*values[:3])])
        assert all(isinstance(v, int) for v in (canonical.start, canonical.stop, canonical.step))


def test_canonical_slice_folds_what_is_known():
    assert get_canonical_form_slice(slice(-4, -2, 2), 5) == (slice(1, 3, 2), 1)
    assert get_canonical_form_slice(slice(None, None, -1), 5) == (slice(0, 5, 1), -1)
    assert get_canonical_form_slice(-1, 5) == (4, 1)
    n = T.matrix().shape[0]
    assert get_canonical_form_slice(slice(None), n) == (slice(0, n, 1), 1)


def test_printed_names():
    x, i, v = T.matrix(), T.iscalar(), T.lvector()
    assert str(x[0].owner.op) == "Subtensor{int64}"
    assert str(x[1:i:2].owner.op) == "Subtensor{int64:int32:int64}"
    assert str(x[:, 1:].owner.op) == "Subtensor{::, int64::}"
    assert str(T.inc_subtensor(x[0], 1).owner.op) == "IncSubtensor{Inc;int64}"
    assert str(T.set_subtensor(x[0:i], 1, inplace=True).owner.op) == "IncSubtensor{InplaceSet;int64:int32:}"
    assert str(T.set_subtensor(x[v], 1).owner.op) == "AdvancedIncSubtensor1{no_inplace,set}"
    assert (
        str(T.inc_subtensor(x[v, v], 1).owner.op)
        == "AdvancedIncSubtensor{inplace=False,  set_instead_of_inc=False}"
    )
    assert str(x[v].owner.op) == "AdvancedSubtensor1"


def test_pretty_printed_index():
    from theano_compat.printing import pp

    x, i = T.matrix("x"), T.iscalar("i")
    assert pp(x[0]) == "x[Constant{0}]"
    assert pp(x[1:i, ::2]) == "x[int64:int32, ::int64]"


def test_broadcast_patterns():
    row, i = T.row(), T.iscalar()
    ones = {"::": row[:], "0:1": row[0:1], "reversed": row[::-1], ":2": row[:2]}
    for part in ones.values():
        assert part.broadcastable == (True, False)
    for part in (row[0:i], row[i:], row[:0], row[-1:], row[:-1], row[1:]):
        assert part.broadcastable == (False, False)
    t, v, m = T.tensor3(), T.lvector(), T.lrow()
    assert t[v, 1:, v].broadcastable == (False, False)
    assert T.advanced_subtensor(t, None, v, None).broadcastable == (True, False, True, False, False)
    assert adv_index_broadcastable_pattern(t, (m, v)) == (False, False, False)
    row = T.tensor4().dimshuffle(0, 1, 2, 3, "x")
    assert T.advanced_subtensor(row, v, slice(1)).broadcastable == (False, False, False, False, True)


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda x, i, v, f: x[0, 0, 0], IndexError, "too many indices for array"),
        (lambda x, i, v, f: T.inc_subtensor(x, 1), TypeError, "x must be the result of a subtensor operation"),
        (lambda x, i, v, f: T.inc_subtensor(x + 1, 1), TypeError, "x must be the result of a subtensor operation"),
        (lambda x, i, v, f: T.inc_subtensor(x[0], x), TypeError,
         "Trying to increment a 1-dimensional subtensor with a 2-dimensional value."),
        (lambda x, i, v, f: IncSubtensor([scal.int64])(x, x, scal.int64("k")), ValueError,
         "Trying to increment a 1-dimensional subtensor with a 2-dimensional value."),
        (lambda x, i, v, f: Subtensor([scal.int64])(x, i), TypeError,
         "Wrong type for Subtensor template. Expected int32, got int64."),
        (lambda x, i, v, f: Subtensor([scal.int64])(x), IndexError,
         "Not enough inputs to fill in the Subtensor template."),
        (lambda x, i, v, f: Subtensor([3]), TypeError,
         "Python scalar in idx_list.Please report this error to theano-dev."),
        (lambda x, i, v, f: advanced_subtensor1(x, T.lmatrix()), TypeError, "index must be vector"),
        (lambda x, i, v, f: advanced_subtensor1(f, v), TypeError, "cannot index into a scalar"),
        (lambda x, i, v, f: T.advanced_inc_subtensor1(x, T.tensor3(), v), TypeError,
         "cannot increment x subtensor with ndim=2 by y with ndim=3 to x subtensor with ndim=? "),
        (lambda x, i, v, f: AdvancedIncSubtensor(inplace=True), NotImplementedError,
         "In place computation is not implemented"),
    ],
)
def test_what_is_wrong_is_said_in_theanos_words(build, error, text):
    with pytest.raises(error) as caught:
        build(T.matrix("x"), T.iscalar("i"), T.lvector("v"), T.dscalar("f"))
    assert caught.value.args[0] == text


@pytest.mark.parametrize(
    "build, text",
    [
        (lambda x, i, f: x[f], "Expected an integer\nf has dtype float64"),
        (lambda x, i, f: x[f:], "Expected an integer\nf has dtype float64"),
        (lambda x, i, f: x[..., T.fvector("y")], "index must be integers\ny has dtype float32"),
        (lambda x, i, f: x[i, T.fvector("y")], "index must be integers or a boolean mask\ny has dtype float32"),
        (lambda x, i, f: T.set_subtensor(x[T.dmatrix("m"), i], 0), "index must be integers or a boolean mask\nm has dtype float64"),
        (lambda x, i, f: advanced_subtensor1(x, f), "index must be integers\nf has dtype float64"),
        (lambda x, i, f: as_index_variable(f), "index must be integers or a boolean mask\nf has dtype float64"),
    ],
)
def test_an_index_that_is_no_integer_is_named_with_its_dtype(build, text):
    with pytest.raises(TypeError) as caught:
        build(T.matrix("x"), T.ivector("i"), T.dscalar("f"))
    assert caught.value.args[0].startswith(text)


def test_lists_are_left_to_advanced_indexing():
    with pytest.raises(AdvancedIndexingError):
        Subtensor.convert(T.lvector())


def test_out_of_bounds_is_an_index_error():
    x, v = T.matrix(), T.lvector()
    for part in (x[7], x[v], x[v, v], T.inc_subtensor(x[v], 1), T.set_subtensor(x[9], 1)):
        with pytest.raises(IndexError):
            run(part, {x: DATA[0], v: np.array([9])})


def test_mask_of_another_shape_is_an_index_error():
    x = T.matrix()
    mask = T.TensorType("bool", (False, False))()
    with pytest.raises(IndexError):
        run(x[mask], {x: DATA[0], mask: np.ones((2, 2), bool)})


def test_increment_of_a_place_named_twice_adds_twice():
    x, v = T.vector(), T.lvector()
    z = T.inc_subtensor(x[v], 1)
    np.testing.assert_array_equal(run(z, {x: np.zeros(3), v: np.array([1, 1, 2])}), [0, 2, 1])


def test_writes_leave_the_input_alone_unless_in_place():
    x, v = T.matrix(), T.lvector()
    for inplace in (False, True):
        for part in (x[0], x[v]):
            data = DATA[0].copy()
            run(T.set_subtensor(part, -1, inplace=inplace), {x: data, v: np.array([1])})
            assert (data == DATA[0]).all() == (not inplace)


def test_write_through_transpose_and_reshape():
    x, v, y = T.matrix(), T.lvector(), T.matrix()
    data = DATA[0]
    wanted = data.copy()
    wanted[:, [1, 3]] = 5
    np.testing.assert_array_equal(
        run(T.set_subtensor(x[:, v], 5.0), {x: data, v: np.array([1, 3])}), wanted
    )
    value = rng.rand(4, 2)
    wanted[:, [1, 3]] = value
    np.testing.assert_array_equal(
        run(T.set_subtensor(x[:, v], y), {x: data, v: np.array([1, 3]), y: value}), wanted
    )
    flat = run(T.inc_subtensor(x[1:].flatten(), np.arange(15.0)), {x: data})
    wanted = data.copy()
    wanted[1:] += np.arange(15.0).reshape(3, 5)
    np.testing.assert_array_equal(flat, wanted)


@pytest.mark.parametrize("mode", ["raise", "clip", "wrap"])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
@pytest.mark.parametrize("indices", [1, [0, 2, 1], [[0, 1], [2, 1]]], ids=str)
def test_take_equals_numpy(mode, axis, indices):
    x = T.tensor3()
    indices = np.asarray(indices) + (0 if mode == "raise" else 4)
    got = run(T.take(x, indices, axis=axis, mode=mode), {x: DATA})
    np.testing.assert_array_equal(got, DATA.take(indices, axis=axis, mode=mode))


def test_ops_are_equal_by_value_and_survive_a_pickle():
    ops = [
        Subtensor([scal.int64, slice(scal.int64, None)]),
        IncSubtensor([scal.int64], set_instead_of_inc=True),
        AdvancedIncSubtensor1(inplace=True),
        AdvancedSubtensor(),
        AdvancedIncSubtensor(set_instead_of_inc=True),
    ]
    for op in ops:
        twin = pickle.loads(pickle.dumps(op))
        assert twin == op and hash(twin) == hash(op) and twin is not op
    assert len(set(ops)) == len(ops)
    assert Subtensor([scal.int64]) != Subtensor([scal.int32])


def test_get_idx_list_and_make_constant():
    template = (scal.int64, slice(scal.int64, None))
    assert get_idx_list(("x", 1, 2), template) == (1, slice(2, None, None))
    assert get_idx_list(("x", 1, 2), template, get_count=True) == 2
    one, part = make_constant((1, slice(2, None)))
    assert one.type == scal.int64 and one.data == 1 and part.start.data == 2


def test_get_constant_idx():
    x, i = T.matrix(), T.iscalar()
    node = x[1, i:3].owner
    with pytest.raises(T.NotScalarConstantError):
        node.op.get_constant_idx(node.inputs)
    one, part = node.op.get_constant_idx(node.inputs, allow_partial=True)
    assert one == 1 and part.stop == 3 and part.start is node.inputs[2]


GRADS = [
    ("basic", lambda x, v: x[1:, ::-2]),
    ("rows", lambda x, v: x[v]),
    ("columns", lambda x, v: x[:, v]),
    ("pairs", lambda x, v: x[v, v]),
    ("mask", lambda x, v: x[np.array([True, False, True])]),
    ("inc", lambda x, v: T.inc_subtensor((x * x)[1:], x[0])),
    ("set", lambda x, v: T.set_subtensor((x * x)[1:], x[0])),
    ("inc rows", lambda x, v: T.inc_subtensor((x * x)[v], x[0])),
    ("set rows", lambda x, v: T.set_subtensor((x * x)[v], x[0])),
    ("inc pairs", lambda x, v: T.inc_subtensor((x * x)[v, v], x[0, 0])),
    ("set pairs", lambda x, v: T.set_subtensor((x * x)[v, v], x[0, 0])),
    ("set mask", lambda x, v: T.set_subtensor((x * x)[np.array([True, False, True])], x[1])),
]


@pytest.mark.parametrize("build", [b for _, b in GRADS], ids=[n for n, _ in GRADS])
def test_gradient(build):
    data = rng.rand(3, 4)
    places = np.array([2, 0])
    theano_compat.gradient.verify_grad(
        lambda x: build(x, T.constant(places)), [data], rng=rng, mode="FAST_COMPILE"
    )


@pytest.mark.parametrize("build", [b for _, b in GRADS], ids=[n for n, _ in GRADS])
def test_r_op_is_the_directional_derivative(build):
    x, d = T.matrix(), T.matrix()
    y = build(x, T.constant(np.array([2, 0])))
    moved = T.Rop(y, x, d)
    data, way = rng.rand(3, 4), rng.rand(3, 4)
    eps = 1e-6
    near = run(y, {x: data + eps * way}) - run(y, {x: data - eps * way})
    np.testing.assert_allclose(run(moved, {x: data, d: way}), near / (2 * eps), atol=1e-6)


def test_gradient_to_integers_is_zero_and_to_indices_disconnected():
    x, v = T.ivector(), T.lvector()
    cost = T.cast(x[v], "float64").sum()
    gx = T.grad(cost, x)
    assert gx.dtype == theano_compat.config.floatX
    y = T.vector()
    with pytest.raises(theano_compat.gradient.DisconnectedInputError):
        T.grad(y[v].sum(), v)
