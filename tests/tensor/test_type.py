"""TensorType: which values it takes, how it compares, what it is called."""

import pickle

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from theano_compat.tensor.type import TensorType, values_eq_approx


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ((), "scalar"), ((False,), "vector"), ((False, False), "matrix"), ((True, False), "row"),
        ((False, True), "col"), ((False,) * 4, "4D"), ((True,), "(True,)"), ((True, True), "(True, True)"),
        ((False, True, False), "(False, True, False)"),
    ],
)  # fmt: skip
def test_name_tells_dtype_and_pattern(pattern, name):
    assert str(TensorType("float32", pattern)) == repr(TensorType("float32", pattern)) == f"TensorType(float32, {name})"


def test_equality_is_by_dtype_and_pattern():
    assert TensorType("int8", (False,)) == T.bvector
    assert hash(TensorType("int8", (False,))) == hash(T.bvector)
    assert T.bvector != T.bmatrix and T.bvector != T.wvector and T.row != T.col
    assert pickle.loads(pickle.dumps(T.fcol)) == T.fcol


def test_floatx_stands_for_the_configured_type():
    with theano_compat.change_flags(floatX="float32"):
        assert TensorType("floatX", ()).dtype == "float32"
        assert T.matrix().dtype == "float32"


@pytest.mark.parametrize("dtype", ["float33", float, "object", "<U1"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match="Unsupported dtype for TensorType"):
        TensorType(dtype, ())


def test_clone_changes_only_what_is_asked():
    t = TensorType("float32", (False, True), name="mine")
    assert t.clone("int8") == TensorType("int8", (False, True))
    assert t.clone(broadcastable=(True,)) == TensorType("float32", (True,))


@pytest.mark.parametrize(
    ("kind", "value", "want"),
    [
        (T.fvector, np.zeros(3, "float32"), "float32"), (T.fvector, np.zeros(3, "int8"), "float32"),
        (T.fvector, [1, 2], "float32"), (T.fvector, [1.5, 2], "float32"), (T.fscalar, 1.5, "float32"),
        (T.dscalar, 0.1, "float64"), (T.bscalar, np.int64(3), "int8"), (T.iscalar, True, "int32"),
        (T.lvector, [], "int64"),
        (T.fvector, np.array([1, 2], ">f4"), "float32"), (T.zvector, [1j, 2], "complex128"),
    ],
)  # fmt: skip
def test_filter_converts_what_loses_nothing(kind, value, want):
    got = kind.filter(value)
    assert isinstance(got, np.ndarray) and got.dtype == want and got.dtype.isnative
    np.testing.assert_array_equal(got, np.asarray(value))


LOSES = "cannot store a value of dtype float64 without risking loss of precision"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (T.fvector, np.zeros(3), r"^TensorType\(float32, vector\) " + LOSES),
        (T.fvector, [0.1], "cannot store accurately value"),
        (T.bscalar, 1000, "cannot store accurately value 1000, it would be represented as -24"),
        (T.lvector, np.arange(3).astype("uint64"), "cannot store a value of dtype uint64"),
        (T.fvector, np.zeros((3, 3), "float32"), r"^Wrong number of dimensions: expected 1, got 2 with shape \(3, 3\)\.$"),
        (T.frow, np.zeros((3, 3), "float32"), "Non-unit value on shape on a broadcastable dimension"),
        (T.fvector, T.fvector("x"), "^Expected an array-like object, but found a Variable"),
    ],
)
def test_filter_refuses_with_theanos_words(kind, value, text):
    with pytest.raises(TypeError, match=text):
        kind.filter(value)


def test_strict_takes_only_what_fits():
    value = np.zeros(3, "float32")
    assert T.fvector.filter(value, strict=True) is value
    for wrong, text in ((np.zeros(3), "dtype = float32"), ([1.0], "expected a ndarray object")):
        with pytest.raises(TypeError, match=text):
            T.fvector.filter(wrong, strict=True)


def test_downcast_on_request():
    assert T.fvector.filter(np.array([0.1]), allow_downcast=True).dtype == "float32"
    with theano_compat.change_flags(floatX="float32"):
        # a plain Python float is not meant to be double
        assert T.fscalar.filter(0.1).dtype == "float32"
        with pytest.raises(TypeError):
            T.fscalar.filter(0.1, allow_downcast=False)


def test_unaligned_arrays_are_refused():
    value = np.frombuffer(b"0" * 17, dtype="b")[1:].view("float64")
    with pytest.raises(TypeError, match="not aligned"):
        T.dvector.filter(value)


def test_memory_maps_stay_memory_maps(tmp_path):
    mapped = np.memmap(tmp_path / "x", dtype="float32", mode="w+", shape=(3,))
    assert T.fvector.filter(mapped) is mapped
    assert T.fvector.filter(mapped, strict=True) is mapped


def test_finiteness_is_checked_on_request():
    kind = T.dvector.clone()
    kind.filter_checks_isfinite = True
    with pytest.raises(ValueError, match="non-finite"):
        kind.filter(np.array([np.nan]))


def test_filter_variable():
    x = T.fvector()
    assert T.fvector.filter_variable(x) is x
    col = T.fcol()
    assert T.fmatrix.filter_variable(col).type == T.fmatrix
    assert T.fvector.filter_variable(np.zeros(2, "float32")).type == T.fvector
    for wrong in (T.dvector(), T.fmatrix()):
        with pytest.raises(TypeError, match="^Cannot convert Type"):
            T.fvector.filter_variable(wrong)
    with pytest.raises(TypeError, match="^Cannot convert Type"):
        T.fcol.filter_variable(T.fmatrix())


def test_values_eq_takes_nan_for_equal_to_nan():
    a = np.array([1, np.nan])
    assert T.dvector.values_eq(a, a.copy())
    assert not T.dvector.values_eq(a, np.array([1.0, 2.0]))
    assert not T.dvector.values_eq(a, a.astype("float32"))
    assert not T.dvector.values_eq(np.zeros(2), np.zeros(3))


def test_values_eq_approx():
    a = np.array([1.0, 2.0])
    assert values_eq_approx(a, a * (1 + 1e-6))
    assert not values_eq_approx(a, a * 1.01)
    assert values_eq_approx(a.astype("float32"), (a * 1.0005).astype("float32"))
    assert values_eq_approx(a, a * 1.01, rtol=0.1)
    with_nan = np.array([1, np.nan])
    assert values_eq_approx(with_nan, with_nan)
    assert not values_eq_approx(with_nan, a)
    assert values_eq_approx(with_nan, a, allow_remove_nan=True)
    assert values_eq_approx(np.array([1, np.inf]), a, allow_remove_inf=True)
    assert not values_eq_approx(a, 1.0)
    assert values_eq_approx(np.array([1, 2]), np.array([1, 2]))


def test_small_services():
    assert T.fmatrix.get_size((2, 3)) == 24 and T.fmatrix.get_shape_info(np.zeros((2, 3))) == (2, 3)
    assert T.fscalar.get_size(()) == 4
    assert T.fmatrix.value_zeros((2, 1)).dtype == "float32"
    assert T.fmatrix.to_scalar_type() == theano_compat.scalar.float32
    assert T.fmatrix.ndim == 2
    a = np.zeros(3)
    assert T.dvector.may_share_memory(a, a[1:]) and not T.dvector.may_share_memory(a, None)
    assert T.fmatrix.dtype_specs() == (float, "npy_float32", "NPY_FLOAT32")
    assert "scalar" not in T.fvector.value_validity_msg(np.zeros(1)) and "valid" in T.fvector.value_validity_msg(np.zeros(1, "f"))


def test_every_letter_and_kind_is_a_type():
    letters = dict(c="complex64", z="complex128", f="float32", d="float64", b="int8", w="int16", i="int32", l="int64")
    kinds = {"scalar": 0, "vector": 1, "matrix": 2, "row": 2, "col": 2, **{f"tensor{n}": n for n in range(3, 8)}}
    for letter, dtype in letters.items():
        for kind, ndim in kinds.items():
            t = getattr(T, letter + kind)
            assert t.dtype == dtype and t.ndim == ndim
            assert t("x").name == "x"
    assert T.row().broadcastable == (True, False) and T.col("c", dtype="int8").type == T.bcol


def test_plurals():
    assert [v.name for v in T.fmatrices("a", "b")] == ["a", "b"]
    assert len(T.dscalars(3)) == 3
    assert T.vectors("x").name == "x"
    assert [v.type for v in T.tensor3s("a", "b")] == [T.tensor3().type] * 2
