"""Pickles and copies of graphs: identity, state, depth."""

import copy
import pickle

import pytest

from tests.gof.toys import add, chain, divmod_, graph, mul, neg, number, numbers
from theano_compat.configparser import change_flags
from theano_compat.gof import Constant, FunctionGraph
from theano_compat.gof import graph as g

DEPTH = 20_000


def _by_c(obj):
    return pickle.loads(pickle.dumps(obj, protocol=pickle.HIGHEST_PROTOCOL))


def _by_python(obj):
    import io

    buffer = io.BytesIO()
    pickle._Pickler(buffer, 2).dump(obj)
    buffer.seek(0)
    return pickle._Unpickler(buffer).load()


COPIERS = {"pickle": _by_c, "python pickle": _by_python, "protocol 0": lambda o: pickle.loads(pickle.dumps(o, 0)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("how", COPIERS)
def test_shared_parts_stay_shared(how):
    x, y = numbers("xy")
    low = mul(x, 2.0)
    quotient, remainder = divmod_(low, y)
    x2, low2, out2, remainder2 = COPIERS[how]((x, low, add(quotient, low), remainder))
    assert x2 is not x and x2.name == "x"
    assert low2.owner.inputs[0] is x2
    assert out2.owner.inputs[1] is low2
    assert out2.owner.inputs[0].owner is remainder2.owner and remainder2.owner.outputs[1] is remainder2
    assert isinstance(low2.owner.inputs[1], Constant) and low2.owner.inputs[1].data == 2.0
    assert "__preamble__" not in vars(out2) and "__preamble__" not in vars(out2.owner)


@pytest.mark.parametrize("how", COPIERS)
def test_depth_does_not_matter(how):
    (x,) = numbers("x")
    length = DEPTH if "python" not in how else 3_000
    out = COPIERS[how](chain(x, length))
    (leaf,) = g.inputs([out])
    assert leaf.name == "x" and len(g.io_toposort([leaf], [out])) == length


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_function_graphs_are_whole_again(how):
    x, y = numbers("xy")
    f = graph([x, y], add(chain(x, DEPTH), y), y)
    f2 = COPIERS[how](f)
    f2.check_integrity()
    assert len(f2.apply_nodes) == DEPTH + 1 and f2.inputs[1] is f2.outputs[1]
    assert all(v.fgraph is f2 for v in f2.variables)
    f2.replace_validate(f2.outputs[0], f2.inputs[0])
    assert f2.outputs[0] is f2.inputs[0]
    f.check_integrity()
    assert len(f.apply_nodes) == DEPTH + 1


def test_a_failed_pickle_leaves_nothing_behind():
    (x,) = numbers("x")
    bad = Constant(number, 1.0)
    bad.data = lambda: None  # not picklable
    out = chain(add(x, bad), 500)
    for _ in range(2):
        with pytest.raises(Exception):
            pickle.dumps(out)
    bad.data = 3.0
    assert g.inputs([pickle.loads(pickle.dumps(out))])[1].data == 3.0


def test_shallow_copies_share_the_owner():
    (x,) = numbers("x")
    x.tag.mark = 1
    out = neg(x)
    copied = copy.copy(out)
    assert copied is not out and copied.owner is out.owner and copy.copy(x).tag.mark == 1


def test_test_values_are_pickled_if_the_flag_says_so():
    (x,) = numbers("x")
    x.tag.test_value = 3.0
    with change_flags(pickle_test_value=False):
        assert not hasattr(_by_c(x).tag, "test_value")
    with change_flags(pickle_test_value=True):
        assert _by_c(x).tag.test_value == 3.0
    assert x.tag.test_value == 3.0


def test_a_variable_of_a_function_graph_is_copied_without_it():
    x, y = numbers("xy")
    f = graph([x, y], add(x, y))
    lone = _by_c(f.outputs[0])
    assert not hasattr(lone, "fgraph") and not hasattr(lone, "clients")
    FunctionGraph(g.inputs([lone]), [lone], clone=False).check_integrity()
