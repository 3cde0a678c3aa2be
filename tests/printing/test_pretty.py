"""pp: expressions as Theano 1.0.5 prints them, and printers of one's own."""

import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import gof
from theano_compat.printing import (
    FunctionPrinter,
    IgnorePrinter,
    OperatorPrinter,
    PatternPrinter,
    pp,
    pprint,
)

x, y, s, i = T.dmatrix("x"), T.dvector("y"), T.dscalar("s"), T.iscalar("i")


@pytest.mark.parametrize(
    "expression, text",
    [
        (x, "x"),
        (x + 1, "(x + TensorConstant{1})"),
        (x * 2 - 1, "((x * TensorConstant{2}) - TensorConstant{1})"),
        (x / 2, "(x / TensorConstant{2})"),
        (-x, "(-x)"),
        (-x * 2, "((-x) * TensorConstant{2})"),
        (x**2, "(x ** TensorConstant{2})"),
        (x - (x - 1), "(x - (x - TensorConstant{1}))"),
        (T.dot(x, y), "(x \\dot y)"),
        (x[0], "x[Constant{0}]"),
        (x.T, "x.T"),
        (abs(x), "|x|"),
        (T.exp(x), "exp(x)"),
        (T.switch(x > 0, x, 0), "switch(gt(x, TensorConstant{0}), x, TensorConstant{0})"),
        (T.fill(x, 2), "fill(x, TensorConstant{2})"),
        (T.cast(x, "float32"), "float32(x)"),
        (x.sum(), "Sum{acc_dtype=float64}(x)"),
        (T.stack([s, s]), "[s, s]"),
        (T.alloc(s, 2, 3), "alloc(s, TensorConstant{2}, TensorConstant{3})"),
        (theano.shared(3.0), "<TensorType(float64, scalar)>"),
        (
            T.grad(s**2, s),
            "((fill((s ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2}) * "
            "(s ** (TensorConstant{2} - TensorConstant{1})))",
        ),
    ],
)
def test_forms(expression, text):
    assert pp(expression) == text


class Named(gof.Op):
    __props__ = ("label",)

    def __init__(self, label, n_out=1):
        self.label, self.n_out = label, n_out

    def make_node(self, *inputs):
        return gof.Apply(self, list(inputs), [inputs[0].type() for _ in range(self.n_out)])


def test_printers_assigned_to_ops_classes_and_conditions():
    one, two = Named("one"), Named("two")
    printer = pprint.clone()
    assert printer(one(s)) == "Named{label='one'}(s)"
    printer.assign(Named, FunctionPrinter("general"))
    printer.assign(two, OperatorPrinter("&", -1))
    assert printer(one(s)) == "general(s)" and printer(two(s, s)) == "(s & s)" and printer(two(s)) == "(&s)"
    printer.assign(lambda pstate, r: r.name == "secret", PatternPrinter("***"))
    hidden = one(s)
    hidden.name = "secret"
    assert printer(hidden) == "general(s)"
    # The original is as before.
    assert pprint(two(s, s)) == "Named{label='two'}(s, s)"
    assert pprint.clone_assign(one, IgnorePrinter())(one(s)) == "s"


def test_printers_by_output():
    op = Named("both", n_out=2)
    printer = pprint.clone_assign(op, FunctionPrinter("first", "second"))
    a, b = op(s)
    assert printer(a + b) == "(first(s) + second(s))"
    printer = pprint.clone_assign(op, PatternPrinter("<%(0)s>", ("[%(0)s]", -1000)))
    a, b = op(s)
    assert printer(b) == "[s]" and printer(a) == "<s>"


def test_wrong_use_of_printers():
    with pytest.raises(ValueError):
        OperatorPrinter("+", 0, "sideways")
    with pytest.raises(TypeError, match="cannot represent"):
        OperatorPrinter("+", 0).process(s, theano.printing.PrinterState(pprinter=pprint))
    with pytest.raises(TypeError, match="Not enough arguments to call"):
        pprint(s, s)


def test_greek_names():
    assert pp(T.dscalar("alpha") * 2) == "(\\alpha * TensorConstant{2})"


def test_process_graph_names_what_is_named():
    z = x + 1
    z.name = "z"
    assert pprint.process_graph([x], [z * 2], display_inputs=True) == (
        "inputs: x\nz = (x + TensorConstant{1})\nout0 = (z * TensorConstant{2})"
    )


def test_deep_expression():
    z = s
    for _ in range(2500):
        z = -z
    assert pp(z) == "(-" * 2500 + "s" + ")" * 2500
