"""Reverse and forward mode, what stops gradients, and the texts of their errors."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import gof, gradient
from theano_compat.gradient import DisconnectedInputError, DisconnectedType, NullTypeGradError

MODE = "FAST_COMPILE"


def value(expression, givens):
    f = theano.function(list(givens), expression, mode=MODE, on_unused_input="ignore")
    return f(*givens.values())


class Custom(gof.Op):
    """x times two, with a gradient and a connection pattern of one's choice."""

    def __init__(self, grad=None, pattern=None):
        self._grad = grad
        if pattern is not None:
            self.connection_pattern = lambda node: pattern

    def make_node(self, *inputs):
        inputs = [T.as_tensor_variable(i) for i in inputs]
        return gof.Apply(self, inputs, [inputs[0].type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] * 2

    def grad(self, inputs, output_grads):
        return self._grad(self, inputs, output_grads)

    def __str__(self):
        return "Custom"


def test_forms_of_wrt():
    x, y = T.dscalars("x", "y")
    cost = x**2 * y
    assert isinstance(theano.grad(cost, [x, y]), list) and isinstance(theano.grad(cost, (x,)), tuple)
    assert value(theano.grad(cost, x), {x: 3.0, y: 2.0}) == 12
    assert [float(v) for v in value(theano.grad(cost, [x, y]), {x: 3.0, y: 2.0})] == [12, 9]
    assert value(theano.grad(x, x), {x: 1.0}) == 1


def test_gradient_of_a_formula_agrees_with_differences():
    x = T.dvector("x")
    cost = (T.tanh(x) * T.exp(-x[0]) + x[::-1]).sum() + T.dot(x, x)
    f = theano.function([x], [cost, theano.grad(cost, x)], mode=MODE)
    at, step = np.array([0.3, -0.2, 0.7]), 1e-6
    _, analytic = f(at)
    numeric = [(f(at + step * e)[0] - f(at - step * e)[0]) / (2 * step) for e in np.eye(3)]
    assert np.allclose(analytic, numeric, atol=1e-7)


def test_names():
    x = T.dvector("x")
    cost = (x**2).sum()
    cost.name = "cost"
    assert theano.grad(cost, x).name == "(dcost/dx)"
    assert theano.grad(cost, x, add_names=False).name is None


def test_wrong_costs_and_variables():
    x, v = T.dscalar("x"), T.dvector("v")
    with pytest.raises(TypeError, match="cost must be a scalar."):
        theano.grad(v, v)
    with pytest.raises(TypeError, match="Expected Variable, got 3 of type"):
        theano.grad(x, 3)
    with pytest.raises(AssertionError, match="cost and known_grads can't both be None."):
        theano.grad(None, x)
    with pytest.raises(TypeError, match="consider_constant must be an iterable collection"):
        theano.grad(x, x, consider_constant=3)


def test_disconnected_inputs():
    x, v = T.dscalar("x"), T.dvector("v")
    with pytest.raises(DisconnectedInputError) as error:
        theano.grad(x * 2, v)
    assert "is not part of the computational graph of the cost" in str(error.value) and "test_grad.py" in str(error.value)
    with pytest.warns(UserWarning, match="used only by a non-differentiable operator: v"):
        theano.grad(x * 2, v, disconnected_inputs="warn")
    ignore = {"disconnected_inputs": "ignore"}
    assert np.array_equal(value(theano.grad(x * 2, v, **ignore), {x: 1.0, v: np.ones(3)}), np.zeros(3))
    assert theano.grad(x * 2, v, return_disconnected="None", **ignore) is None
    assert isinstance(theano.grad(x * 2, v, return_disconnected="Disconnected", **ignore).type, DisconnectedType)
    with pytest.raises(ValueError, match="valid values are 'ignore', 'warn' and 'raise'"):
        theano.grad(x * 2, v, disconnected_inputs="what")


def test_integer_inputs_have_float_gradients():
    x, i = T.dscalar("x"), T.iscalar("i")
    g = theano.grad(x * i, i)
    assert g.dtype == theano.config.floatX and value(g, {x: 4.0, i: 3}) == 4


def test_consider_constant_stops_gradients():
    x = T.dscalar("x")
    y = x**2
    assert value(theano.grad(y * x, x, consider_constant=[y]), {x: 3.0}) == 9
    assert value(theano.grad(y * x, x), {x: 3.0}) == 27


def test_known_grads():
    x = T.dvector("x")
    y = x**2
    g = theano.grad(None, x, known_grads={y: T.constant(np.array([1.0, 10.0]))})
    assert np.allclose(value(g, {x: [2.0, 3.0]}), [4, 60])
    cost = y.sum()
    both = theano.grad(cost, x, known_grads={cost: T.constant(5.0)})
    assert np.allclose(value(both, {x: [2.0, 3.0]}), [20, 30])
    with pytest.raises(TypeError, match="Gradients must always be NullType, DisconnectedType, or continuous"):
        theano.grad(None, x, known_grads={y: T.ivector()})
    with pytest.raises(TypeError, match="output grads must be theano variables"):
        theano.grad(None, x, known_grads={y: 3})


def test_null_gradients():
    x = T.dscalar("x")
    for helper, text in (
        (gradient.grad_undefined, r"the grad method for input 0 \(x\) of the Custom op is mathematically undefined. why"),
        (gradient.grad_not_implemented, r"the grad method for input 0 \(x\) of the Custom op is not implemented. why"),
    ):
        cost = Custom(lambda op, i, g: [helper(op, 0, i[0], "why")])(x)  # noqa: B023
        with pytest.raises(NullTypeGradError, match="tensor.grad encountered a NaN. This variable is Null because " + text):
            theano.grad(cost, x)
        assert isinstance(theano.grad(cost, x, null_gradients="return").type, gradient.NullType)


@pytest.mark.parametrize(
    "grad, error, text",
    [
        (lambda op, i, g: None, TypeError, "Custom.grad returned NoneType, expected iterable."),
        (lambda op, i, g: [g[0]], ValueError, "Custom returned the wrong number of gradient terms."),
        (lambda op, i, g: [g[0], None], TypeError, "Custom.grad returned None for a gradient term, this is prohibited."),
        (lambda op, i, g: [g[0], g[0]], ValueError, "returned a term with 0 dimensions, but 1 are required"),
        (
            lambda op, i, g: [g[0], T.ivector()],
            TypeError,
            r"illegally  returned an integer-valued variable. \(Input index 1, dtype int32\)",
        ),
        (
            lambda op, i, g: [gradient.disconnected_type(), i[1]],
            TypeError,
            "returned DisconnectedType for input 0. Its connection_pattern method does not allow this.",
        ),
    ],
)
def test_wrong_gradients_of_ops(grad, error, text):
    x, v = T.dscalar("x"), T.dvector("v")
    with pytest.raises(error, match=text):
        theano.grad(Custom(grad)(x, v), [x, v])


@pytest.mark.parametrize(
    "pattern, error, text",
    [
        (3, TypeError, "Op.connection_pattern should return list of list of bool"),
        ([[True]], ValueError, "connection_pattern should have 2 rows but has 1"),
        ([[True, True], [True]], AssertionError, "connection_pattern has 2 columns"),
    ],
)
def test_wrong_connection_patterns(pattern, error, text):
    x, v = T.dscalar("x"), T.dvector("v")
    with pytest.raises(error, match=text):
        theano.grad(Custom(lambda op, i, g: g, pattern)(x, v), x)


def test_connection_pattern_cuts_the_graph():
    x, v = T.dscalar("x"), T.dvector("v")
    op = Custom(lambda op, i, g: [g[0] * 2, gradient.disconnected_type()], [[True], [False]])
    assert value(theano.grad(op(x, v), x), {x: 1.0, v: [1.0]}) == 2
    with pytest.raises(DisconnectedInputError):
        theano.grad(op(x, v), v)


def test_markers():
    x = T.dscalar("x")
    at = {x: 3.0}
    assert value(theano.grad(x * gradient.zero_grad(x), x), at) == 3
    assert value(theano.grad(x * gradient.disconnected_grad(x), x), at) == 3
    assert value(theano.grad(x * gradient.consider_constant(x), x), at) == 3
    assert value(theano.grad(gradient.grad_clip(x, -1, 1) ** 2, x), at) == 1
    assert value(theano.grad(gradient.grad_scale(x, -2) ** 2, x), at) == -12
    with pytest.raises(DisconnectedInputError):
        theano.grad(gradient.disconnected_grad(x), x)
    with pytest.raises(NullTypeGradError, match="of the UndefinedGrad op is mathematically undefined"):
        theano.grad(gradient.undefined_grad(x), x)
    for marked in (gradient.zero_grad(x), gradient.grad_clip(x, 0, 1)):
        f = theano.function([x], marked * 2, mode=MODE)
        assert f(4) == 8 and len(f.maker.fgraph.apply_nodes) == 1


def test_equal_clips_are_equal_and_others_are_not():
    assert gradient.GradClip(0, 1) == gradient.GradClip(0, 1) != gradient.GradClip(0, 2)
    assert gradient.GradScale(2) == gradient.GradScale(2) != gradient.GradScale(3)
    x = T.dscalar("x")
    both = gradient.grad_clip(x, -1, 1) ** 2 + gradient.grad_clip(x, -2, 2) ** 2
    assert value(theano.grad(both, x), {x: 5.0}) == 3


def test_rop_and_lop_are_products_with_the_jacobian():
    x, v = T.dvector("x"), T.dvector("v")
    matrix = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    y = T.tanh(T.dot(T.constant(matrix), x))
    at, direction, row = np.array([0.1, 0.2, -0.3]), np.array([1.0, -2.0, 0.5]), np.array([0.7, -0.4])
    jacobian = (1 - np.tanh(matrix @ at) ** 2)[:, None] * matrix
    assert np.allclose(value(theano.Rop(y, x, v), {x: at, v: direction}), jacobian @ direction)
    assert np.allclose(value(theano.Lop(y, x, v), {x: at, v: row}), row @ jacobian)
    assert isinstance(theano.Rop([y], x, v), list) and isinstance(theano.Lop(y, (x,), v), tuple)


def test_rop_errors():
    x, v, s = T.dvector("x"), T.dvector("v"), T.dscalar("s")
    with pytest.raises(ValueError, match="Element 0 of wrt/eval_point have mismatched dimensionality: 1 versus 0"):
        theano.Rop(x, x, s)
    with pytest.raises(DisconnectedInputError, match="computational graph of variables in wrt"):
        theano.Rop(gradient.disconnected_grad(x), x, v)
    zero = theano.Rop(gradient.disconnected_grad(x), x, v, disconnected_outputs="ignore")
    assert np.array_equal(value(zero, {x: [1.0, 2.0], v: [1.0, 1.0]}), [0, 0])


def test_jacobian_of_a_scalar_is_its_gradient():
    x = T.dscalar("x")
    assert value(theano.gradient.jacobian(x**2, x), {x: 4.0}) == 8
    with pytest.raises(AssertionError, match="tensor.jacobian expects a 1 dimensional variable as `expression`"):
        theano.gradient.jacobian(T.dmatrix(), x)
    with pytest.raises(AssertionError, match="tensor.hessian expects a 0 dimensional variable as `cost`"):
        theano.gradient.hessian(T.dvector(), x)


def test_jacobian_and_hessian_agree_with_their_formulas():
    x, w = T.dvector("x"), theano.shared(np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]]), "w")
    at, weights = np.array([0.3, -0.7]), w.get_value()
    y = T.tanh(T.dot(w, x))
    by_x, by_w = theano.gradient.jacobian(y, [x, w])
    slope = 1 - np.tanh(weights @ at) ** 2
    assert np.allclose(value(by_x, {x: at}), slope[:, None] * weights)
    assert np.allclose(value(by_w, {x: at}), np.einsum("i,ij,k->ijk", slope, np.eye(3), at))
    cost = (x**3).sum() + x[0] * x[1]
    expected = np.diag(6 * at) + np.array([[0, 1], [1, 0]])
    assert np.allclose(value(theano.gradient.hessian(cost, x), {x: at}), expected)
    assert isinstance(theano.gradient.hessian(cost, [x]), list)


def test_jacobian_towards_an_intermediate_variable_and_of_nothing():
    x = T.dvector("x")
    z = x * 2
    assert np.allclose(value(theano.gradient.jacobian(z**2, z), {x: [1.0, 2.0]}), np.diag([4, 8]))
    assert value(theano.gradient.jacobian(x**2, x), {x: np.zeros(0)}).shape == (0, 0)


def test_subgraph_grad_in_pieces_is_the_whole_gradient():
    x, t = T.dvector("x"), T.dvector("t")
    w1, w2 = theano.shared(np.array([[0.3, -0.2], [0.1, 0.4]])), theano.shared(np.array([[1.0, 0.5], [-0.5, 2.0]]))
    a1 = T.tanh(T.dot(x, w1))
    a2 = T.tanh(T.dot(a1, w2))
    cost = ((a2 - t) ** 2).sum()
    (g2,), (at_a1,) = gradient.subgraph_grad([w2], [a1], cost=cost)
    (g1,), _ = gradient.subgraph_grad([w1], [x], start={a1: at_a1})
    pieces = value([g1, g2], {x: [1.0, 2.0], t: [0.0, 1.0]})
    whole = value(theano.grad(cost, [w1, w2]), {x: [1.0, 2.0], t: [0.0, 1.0]})
    assert all(np.allclose(p, w) for p, w in zip(pieces, whole))


def test_format_as():
    assert gradient.format_as(False, False, [1]) == 1
    assert gradient.format_as(True, False, 1) == [1] and gradient.format_as(False, True, [1, 2]) == (1, 2)
    with pytest.raises(AssertionError):
        gradient.format_as(True, True, [1])
    with pytest.raises(AssertionError):
        gradient.format_as(False, False, [1, 2])


def test_gradient_of_a_deep_graph():
    x = T.dscalar("x")
    y = x
    for _ in range(3000):
        y = y * 1.0
    assert theano.grad(y, x).type == x.type
    assert theano.Rop(y, x, x).type == x.type


def test_a_diamond_chain_is_linear():
    x = T.dscalar("x")
    y = x
    for _ in range(60):
        y = y + y
    g = theano.grad(y, x)
    assert len(gof.graph.io_toposort([x], [g])) < 600


def test_hessian_of_a_linear_cost_is_zero():
    v = T.dvector("v")
    second = theano.function([v], gradient.hessian((3 * v).sum(), v))
    np.testing.assert_array_equal(second(np.ones(3)), np.zeros((3, 3)))
