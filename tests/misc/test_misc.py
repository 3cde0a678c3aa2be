"""Ordered sets, frozen dictionaries, pickling without code, templates."""

import io
import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.misc import pkl_utils
from theano_compat.misc.doubleop import DoubleOp
from theano_compat.misc.frozendict import FrozenOrderedDict, frozendict
from theano_compat.misc.may_share_memory import may_share_memory
from theano_compat.misc.ordered_set import OrderedSet, check_deterministic
from theano_compat.misc.safe_asarray import _asarray
from theano_compat.misc.strutil import pretty_format, render_string
from theano_compat.misc.windows import output_subprocess_Popen


def test_ordered_set():
    s = OrderedSet([3, 1, 2, 3])
    assert list(s) == [3, 1, 2] and 1 in s and len(s) == 3
    s.add(0)
    s.discard(1)
    s.update([9, 3])
    assert list(s) == [3, 2, 0, 9] and list(reversed(s)) == [9, 0, 2, 3]
    assert s.pop() == 9 and s.pop(last=False) == 3 and list(s) == [2, 0]
    assert list(s.union([5])) == [2, 0, 5] and list(s | OrderedSet([7])) == [2, 0, 7]
    s.difference_update([2])
    assert s == OrderedSet([0]) != OrderedSet([1])
    assert list(pickle.loads(pickle.dumps(s))) == [0] and list(s.copy()) == [0]
    with pytest.raises(TypeError, match="manually cast your `OrderedSet` into `set`"):
        s == {0}  # noqa: B015
    with pytest.raises(AssertionError):
        check_deterministic({1, 2})
    with pytest.raises(KeyError):
        OrderedSet().pop()


def test_frozendict():
    d = frozendict(a=1)
    assert d["a"] == 1 and hash(d) == hash(frozendict({"a": 1})) and d == {"a": 1}
    assert dict(d.copy(b=2)) == {"a": 1, "b": 2} and "b" not in d
    with pytest.raises(TypeError):
        d["a"] = 2
    assert list(FrozenOrderedDict([("z", 1), ("a", 2)])) == ["z", "a"]


def test_may_share_memory():
    a = np.zeros(4)
    assert may_share_memory(a, a[1:]) and not may_share_memory(a, a.copy())
    assert may_share_memory(a, 3, raise_other_type=False) is False
    with pytest.raises(TypeError):
        may_share_memory(a, "b")


def test_templates():
    assert render_string("%(a)s + %(b)s", {"a": 1, "b": 2}) == "1 + 2"
    with pytest.raises(Exception, match="line 2"):
        render_string("ok\n%(missing)s", {})
    assert pretty_format("if (x) {\ny;\n}") == "if (x) {\n  y;\n}"


def test_asarray():
    assert _asarray([1], dtype="floatX").dtype == theano.config.floatX
    assert _asarray(np.array([1], "int64"), dtype="int32").dtype == np.dtype("int32")


def test_subprocess():
    import sys

    out, err, status = output_subprocess_Popen([sys.executable, "-c", "print(3)"])
    assert out.strip() == b"3" and status == 0
    with pytest.raises(TypeError):
        output_subprocess_Popen(["x"], stdout=None)


def test_double_op():
    x = T.dvector()
    theano.gradient.verify_grad(DoubleOp(), [np.ones(3)], rng=np.random.RandomState(1), mode="FAST_COMPILE")
    assert np.array_equal(theano.function([x], DoubleOp()(x), mode="FAST_COMPILE")([1.5]), [3])


def test_dump_and_load_name_arrays_after_shared_variables():
    import zipfile

    w, b = theano.shared(np.arange(3.0), "w"), theano.shared(np.ones(2), "w")
    plain = np.zeros(4)
    file = io.BytesIO()
    pkl_utils.dump((w, b, plain, w), file)
    file.seek(0)
    assert set(zipfile.ZipFile(file).namelist()) == {"w", "w_2", "array_0", "pkl"}
    file.seek(0)
    w2, b2, plain2, again = pkl_utils.load(file)
    assert again is w2 and w2.name == "w" and np.array_equal(plain2, plain)
    assert np.array_equal(w2.get_value(), [0, 1, 2]) and np.array_equal(b2.get_value(), [1, 1])
    with pytest.raises(ValueError, match="multiple shared variables with the name `w` found"):
        pkl_utils.dump(
            (w, b), io.BytesIO(), persistent_id=lambda z: pkl_utils.PersistentSharedVariableID(z, allow_duplicates=False)
        )


def test_strip_pickler_leaves_traces_out():
    x = T.dvector("x")
    y = T.exp(x)
    y.tag.note, y.tag.test_value = "private", np.ones(3)
    file = io.BytesIO()
    pkl_utils.StripPickler(file, protocol=-1, extra_tag_to_remove="note").dump(y)
    assert hasattr(y.tag, "trace") and y.tag.note == "private"
    twin = pickle.loads(file.getvalue())
    assert not hasattr(twin.tag, "note") and not hasattr(twin.tag, "trace") and str(twin.owner.op) == str(y.owner.op)


def test_compat_unpickler_reads_old_module_names():
    text = b"ctheano.tensor.basic\nexp\n."
    assert pkl_utils.CompatUnpickler(io.BytesIO(text)).load() is T.exp


def test_function_dump(tmp_path):
    x = T.dvector("x")
    path = tmp_path / "f.pkl"
    theano.compile.function_dump(str(path), [x], x * 2)
    arguments = pickle.loads(path.read_bytes())
    assert np.array_equal(theano.function(**arguments)([1.0]), [2])
