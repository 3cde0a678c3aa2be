"""The Print op, identifying texts, and pictures."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import printing
from theano_compat.printing import Print

MODE = theano.Mode("py", None)


def test_print_op(capsys):
    x = T.dvector("x")
    op = Print("msg", attrs=["shape", "min", "__str__"])
    f = theano.function([x], op(x) * 2, mode=MODE)
    assert np.array_equal(f([1.0, 2.0]), [2, 4])
    assert capsys.readouterr().out == "msg shape = (2,)\nmsg min = 1.0\nmsg __str__ = [1. 2.]\n"
    assert op == Print("msg", attrs=("shape", "min", "__str__")) != Print("msg")


def test_print_op_passes_gradients_and_shapes():
    x = T.dvector("x")
    seen = []
    op = Print("m", global_fn=lambda op, value: seen.append(value))
    assert np.array_equal(theano.function([x], theano.grad((op(x) ** 2).sum(), x), mode=MODE)([3.0]), [6])
    assert len(seen) == 1
    f = theano.function([x], op(x).shape, mode=theano.Mode("py", "fast_run"))
    assert list(f([1.0, 2.0])) == [2] and len(seen) == 1


def test_min_informative_str():
    x, s = T.dmatrix("x"), T.dscalar("s")
    z = T.exp(x)
    z.name = "zz"
    assert printing.min_informative_str(z.sum() + s) == (
        "A. Elemwise{add,no_inplace}\n B. Sum{acc_dtype=float64}\n  C. zz\n D. s"
    )
    y = x + x
    assert printing.min_informative_str(y) == "A. Elemwise{add,no_inplace}\n B. x\n <B>"


def test_var_descriptor():
    x, y = T.dmatrix("x"), T.dvector("y")
    assert printing.var_descriptor(T.dot(x, y)) == "A=dot(B=x,C=y)"
    assert printing.var_descriptor(x + x) == "A=Elemwise{add,no_inplace}(B=x,<B>)"
    array = np.ones((2, 2))
    assert printing.var_descriptor(array).startswith("A=<ndarray:strides=[16,8],digest=")
    assert printing.var_descriptor(array) != printing.var_descriptor(array * 2)


def test_hex_digest():
    assert printing.hex_digest(np.ones(3)) == (
        "cc143326a2646c605ea66139d7b440df7cbde18c050f1f8cf4dd30f42cfe7123|strides=[8]|shape=[3]"
    )
    assert printing.hex_digest(np.ones((2, 3))) != printing.hex_digest(np.ones((3, 2)))


def test_position_independent_str():
    assert printing.position_independent_str(T.dscalar()) == "theano_var{type=TensorType(float64, scalar)}"
    assert "0x" not in printing.position_independent_str(object())


def test_picture_source(tmp_path, capsys):
    x, w = T.dvector("x"), theano.shared(np.ones(2), "w")
    f = theano.function([x], T.exp(x) * w, mode=theano.Mode("py", "merge"))
    path = tmp_path / "with space é.dot"
    printing.pydotprint(f, outfile=str(path), format="dot", var_with_name_simple=True)
    text = path.read_text(encoding="utf-8")
    assert f"The output file is available at {path}" in capsys.readouterr().out
    assert text.startswith("digraph G {") and text.count("->") == 4
    for part in ('"x"', '"w"', "Elemwise{exp,no_inplace}", "Elemwise{mul,no_inplace}", 'fillcolor="#FFAABB"'):
        assert part in text


def test_picture_of_expressions():
    x = T.dvector("x")
    source = printing.pydotprint(T.exp(x) + 1, return_image=True, format="dot", compact=False).decode()
    assert source.count('shape="ellipse"') == 3
    with pytest.raises(ValueError, match="pydotprint expects as input"):
        printing.pydotprint(3, return_image=True, format="dot")
