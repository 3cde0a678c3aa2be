"""debugprint, character for character as Theano 1.0.5 prints the same graphs."""

import io
from textwrap import dedent

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.printing import debugprint
from theano_compat.printing.describe import char_from_number


def text(obj, **options):
    return debugprint(obj, file="str", **options)


def expect(lines):
    # Lines of nodes end in blanks; a dollar sign marks the end where it matters.
    return dedent(lines).strip("\n").replace("$", "") + "\n"


@pytest.fixture
def cost():
    x, y, s = T.dmatrix("x"), T.dvector("y"), T.dscalar("s")
    z = T.dot(x, y)
    z.name = "zz"
    return (z**2).sum() + s


def test_plain(cost):
    assert text(cost) == expect("""
        Elemwise{add,no_inplace} [id A] ''   $
         |Sum{acc_dtype=float64} [id B] ''   $
         | |Elemwise{pow,no_inplace} [id C] ''   $
         |   |dot [id D] 'zz'   $
         |   | |x [id E]
         |   | |y [id F]
         |   |InplaceDimShuffle{x} [id G] ''   $
         |     |TensorConstant{2} [id H]
         |s [id I]
    """)


def test_identifiers(cost):
    assert text(cost, ids="int", depth=2) == expect("""
        Elemwise{add,no_inplace} [id 0] ''   $
         |Sum{acc_dtype=float64} [id 1] ''   $
         |s [id 2]
    """)
    assert text(cost, ids="", depth=2) == expect("""
        Elemwise{add,no_inplace}  ''   $
         |Sum{acc_dtype=float64}  ''   $
         |s $
    """)
    assert f"[id {cost.auto_name}]" in text(cost, ids="auto")
    assert f"[id {id(cost)}]" in text(cost, ids="id")
    with pytest.raises(ValueError):
        text(cost, ids="what")


def test_types_and_stop_on_name(cost):
    assert text(cost, print_type=True, stop_on_name=True) == expect("""
        Elemwise{add,no_inplace} [id A] <TensorType(float64, scalar)> ''   $
         |Sum{acc_dtype=float64} [id B] <TensorType(float64, scalar)> ''   $
         | |Elemwise{pow,no_inplace} [id C] <TensorType(float64, vector)> ''   $
         |   |dot [id D] <TensorType(float64, vector)> 'zz'   $
         |   |InplaceDimShuffle{x} [id E] <TensorType(int8, (True,))> ''   $
         |     |TensorConstant{2} [id F] <TensorType(int8, scalar)>
         |s [id G] <TensorType(float64, scalar)>
    """)


def test_function_with_order_storage_and_clients():
    x, w = T.dvector("x"), theano.shared(np.zeros(2), "w")
    y = T.exp(x)
    f = theano.function([x], [y, y + w], mode=theano.Mode("vm", "merge"), name="f")
    assert text(f) == expect("""
        Elemwise{exp,no_inplace} [id A] ''   0
         |x [id B]
        Elemwise{add,no_inplace} [id C] ''   1
         |Elemwise{exp,no_inplace} [id A] ''   0
         |w [id D]
    """)
    first = text(f, print_clients=True).splitlines()[0]
    assert first.startswith("Elemwise{exp,no_inplace} [id A] ''   0 clients:[(")
    assert "('output', '')" in first and "('[id B]', 1)" in first
    assert text(f, print_storage=True).splitlines()[-1] == " |w [id D] [array([0., 0.])]"
    assert text(f.maker.fgraph) == text(f)
    assert "''   0" not in text(f.maker.fgraph.outputs)


def test_several_objects_share_identifiers(cost):
    lines = text([cost, cost.owner.inputs[1]]).splitlines()
    assert lines[-1] == "s [id I]"
    assert text([cost, cost]).splitlines()[-1] == "Elemwise{add,no_inplace} [id A] ''   "
    used = {}
    text(cost, used_ids=used)
    assert text(cost.owner.inputs[1], used_ids=used) == "s [id I]\n"


def test_multiple_outputs_show_their_position():
    values, _ = T.max_and_argmax(T.dmatrix("x"), axis=1)
    assert text(values).startswith("MaxAndArgmax{axis=(1,)}.0 [id A] 'max'   \n")


def test_destinations(cost, capsys):
    assert debugprint(cost) is None
    printed = capsys.readouterr().out
    buffer = io.StringIO()
    debugprint(cost, file=buffer)
    assert printed == buffer.getvalue() == text(cost)


def test_other_objects():
    assert text([3]) == "3\n"
    assert text(T.constant([1, 2, 3])) == "TensorConstant{[1 2 3]} [id A]\n"
    with pytest.raises(TypeError, match="debugprint cannot print an object of this type"):
        text("text")


def test_deep_graph():
    x = T.dscalar("x")
    y = x
    for _ in range(3000):
        y = -y
    assert text(y).count("\n") == 3001


def test_profile_columns(cost):
    x = T.dvector("x")
    f = theano.function([x], T.exp(x), profile=theano.compile.ProfileStats(atexit_print=False),
                        mode=theano.Mode("vm", "merge"))
    f([1.0])
    printed = text(f)
    assert printed.startswith("\nTiming Info\n-----------\n--> <time> <% time> - <total time> <% total time>'\n")
    assert " --> " in printed.splitlines()[-2] and printed.splitlines()[-2].endswith("%")


def test_letters():
    assert [char_from_number(n) for n in (0, 25, 26, 30, 1000)] == ["A", "Z", "BA", "BE", "BMM"]
