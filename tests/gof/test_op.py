"""Op protocol: props, make_node by itypes, test values, parameters, thunks."""

import warnings

import pytest

from tests.gof.toys import Arithmetic, add, neg, number, numbers
from theano_compat.configparser import change_flags
from theano_compat.gof import Apply, EnumList, Op, Params, ParamsType, generic
from theano_compat.gof import op as op_module
from theano_compat.gof.op import debug_assert, get_debug_values, get_test_value
from theano_compat.gof.type import CDataType, EnumType
from theano_compat.gof.utils import MethodNotDefined, object2


def test_props_give_equality_hash_and_string():
    class Axis(Op):
        __props__ = ("axis", "name")

        def __init__(self, axis, name):
            self.axis, self.name = axis, name

    class Other(Axis):
        pass

    one, same = Axis(0, "a"), Axis(0, "a")
    assert one == same and hash(one) == hash(same) and one != Axis(1, "a") and one != Other(0, "a")
    assert str(one) == "Axis{axis=0, name='a'}" and one._props() == (0, "a") and one._props_dict() == {"axis": 0, "name": "a"}
    assert str(type("Bare", (Op,), {"__props__": ()})()) == "Bare"


def test_props_must_be_a_tuple_and_own_methods_win():
    with pytest.raises(TypeError, match="__props__ has to be a tuple"):
        type("Bad", (object2,), {"__props__": ["a"]})
    own = type("Own", (object2,), {"__props__": (), "__str__": lambda self: "mine"})()
    assert str(own) == "mine"


class Typed(Op):
    itypes = [number, number]
    otypes = [number]

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] - inputs[1]


def test_itypes_and_otypes_make_the_node():
    x, y = numbers("xy")
    assert Typed()(x, y).type == number
    with pytest.raises(ValueError, match="We expected 2 inputs but got 1."):
        Typed()(x)
    with pytest.raises(TypeError, match="We expected inputs of types"):
        Typed()(x, generic())
    with pytest.raises(NotImplementedError, match="You can either define itypes and otypes"):
        type("Nothing", (Op,), {})()(x)


def test_undefined_methods_say_so():
    (x,) = numbers("x")
    bare = type("Bare", (Op,), {})()
    with pytest.raises(MethodNotDefined, match="perform"):
        bare.perform(None, [], [])
    with pytest.raises(NotImplementedError, match="of class Bare does not implement R_op"):
        bare.R_op([x], [x])
    with pytest.raises(AttributeError, match="grad"):
        bare.L_op([x], [x], [x])
    with pytest.raises(MethodNotDefined):
        bare.c_code(None, "n", [], [], {})


def test_calls_return_one_output_a_list_or_the_default():
    (x,) = numbers("x")
    two = Arithmetic("Two", lambda v: (v, -v), nout=2)
    assert len(two(x)) == 2 and neg(x, return_list=True)[0].owner.op is neg
    two.default_output = 1
    assert two(x).index == 1 and two(x, return_list=True)[0].index == 1


def test_outputs_remember_the_users_line():
    (x,) = numbers("x")
    out = neg(x)  # here
    ((*_, (_, _, function, line)),) = out.tag.trace
    assert function == "test_outputs_remember_the_users_line" and line.endswith("# here")
    with change_flags(**{"traceback.limit": 0}):
        assert not hasattr(neg(x).tag, "trace")


def test_test_values_flow_through_ops():
    x, y = numbers("xy")
    x.tag.test_value, y.tag.test_value = 2.0, 3
    with change_flags(compute_test_value="raise"):
        out = add(neg(x), y)
        assert out.tag.test_value == 1.0 and get_test_value(out) == 1.0
        assert get_debug_values(x, y) == [(2.0, 3.0)] and get_debug_values(x) == [2.0]
    assert get_debug_values(x) == []


def test_missing_test_values_raise_warn_or_pass():
    (x,) = numbers("x")
    with change_flags(compute_test_value="raise"):
        with pytest.raises(ValueError, match=r"Cannot compute test value: input 0 \(x\) of Op Neg\(x\) missing default value"):
            neg(x)
        with pytest.raises(AttributeError, match=r"Argument 0\('x'\) has no test value"):
            get_debug_values(x)
    with change_flags(compute_test_value="warn"), pytest.warns(UserWarning, match="Cannot compute test value"):
        neg(x)
    with change_flags(compute_test_value="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not hasattr(neg(x).tag, "test_value")
        with pytest.raises(ValueError, match="debug_assert failed"):
            debug_assert(False)
    with pytest.raises(AttributeError, match="x has no test value"):
        get_test_value(x)


def test_a_wrong_test_value_names_the_variable():
    (x,) = numbers("x")
    x.tag.test_value = "two"
    with change_flags(compute_test_value="raise"):
        with pytest.raises(ValueError, match="For compute_test_value, one input test value does not have the requested type"):
            neg(x)


def test_an_op_that_fails_on_test_values_reports_the_node():
    (x,) = numbers("x")
    x.tag.test_value = 0.0
    with change_flags(compute_test_value="raise"):
        with pytest.raises(ZeroDivisionError, match="Apply node that caused the error: Inverse"):
            Arithmetic("Inverse", lambda v: 1 / v)(x)


def test_parameters_reach_perform_filtered():
    kinds = EnumList(("PLUS", "+"), ("MINUS", "-"))

    class Signed(Op):
        __props__ = ("kind", "offset")
        params_type = ParamsType(kind=kinds, offset=generic)

        def __init__(self, kind, offset):
            self.kind, self.offset = kind, offset

        def make_node(self, x):
            return Apply(self, [x], [number()])

        def perform(self, node, inputs, outputs, params):
            sign = 1 if params.kind == kinds.PLUS else -1
            outputs[0][0] = sign * inputs[0] + params.offset

    (x,) = numbers("x")
    x.tag.test_value = 5.0
    with change_flags(compute_test_value="raise"):
        assert [Signed(kind, 1)(x).tag.test_value for kind in ("+", "-")] == [6.0, -4.0]


def test_params_are_immutable_hashable_and_checked():
    kind = ParamsType(a=generic, e=EnumList("A", ("B", "beta")))
    params = Params(kind, a=1, e=0)
    assert params == Params(kind, a=1, e=0) and hash(params) == hash(Params(kind, a=1, e=0)) and params != Params(kind, a=2, e=0)
    with pytest.raises(NotImplementedError, match="Params is immutable"):
        params.a = 2
    with pytest.raises(AttributeError, match='attribute "b" does not exist'):
        _ = params.b
    with pytest.raises(TypeError, match='ParamsType attribute "e" not in Params args'):
        Params(kind, a=1)
    assert (kind.A, kind.B, kind.enum_from_alias("beta"), kind.get_field(generic)) == (0, 1, 1, "a")
    with pytest.raises(SyntaxError, match="potential C/C"):
        ParamsType(int=generic)
    with pytest.raises(AttributeError, match="common constants names"):
        ParamsType(a=EnumList("A"), b=EnumList("A"))


def test_enums_have_constants_aliases_and_strict_rules():
    enum = EnumType(A=("alpha", 1), B=2.5)
    assert (enum.A, enum["B"], enum.fromalias("alpha"), enum.filter("alpha"), enum.filter("B")) == (1, 2.5, 1, 1, 2.5)
    assert str(enum) == "EnumType<double>(A(alpha):1, B:2.5)" and enum == EnumType(A=("alpha", 1.0), B=2.5)
    with pytest.raises(NotImplementedError, match="constant values are immutable"):
        enum.A = 3
    for bad, error in (({"a": 1}, AttributeError), ({"A": "x"}, TypeError), ({"A": ("A", 1)}, TypeError)):
        with pytest.raises(error):
            EnumType(**bad)
    import copy
    import pickle

    assert pickle.loads(pickle.dumps(enum)) == enum == copy.deepcopy(enum)


def test_opaque_c_values_must_be_capsules():
    kind = CDataType("void *", "free")
    assert kind.filter(None) is None and str(kind) == "CDataType{void *}" and kind == CDataType("void *", "free")
    assert kind.filter(kind.make_value(64)) is not None
    with pytest.raises(TypeError, match="expected None or a PyCapsule"):
        kind.filter(3)


def test_an_op_without_any_code_cannot_get_a_compiled_thunk():
    (x,) = numbers("x")
    node = type("Nothing", (Op,), {"make_node": lambda self, v: Apply(self, [v], [number()])})()(x).owner
    cells, flags = {v: [None] for v in (x, *node.outputs)}, {v: [False] for v in (x, *node.outputs)}
    thunk = node.op.make_thunk(node, cells, flags, [])
    with pytest.raises(MethodNotDefined):
        thunk()
    assert op_module.ops_with_inner_function is not None


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_an_op_with_c_code_only_is_refused_when_compiling_and_the_error_says_what_to_write(mode):
    import theano_compat
    from theano_compat import tensor
    from theano_compat.gof.utils import MethodNotDefined

    class OnlyC(theano_compat.Op):
        __props__ = ()

        def make_node(self, x):
            return theano_compat.Apply(self, [x], [x.type()])

        def c_code(self, node, name, inputs, outputs, sub):
            return ""

    x = tensor.vector("x")
    with pytest.raises(MethodNotDefined, match="C code only are not supported.*OnlyC\\(x\\).*Write OnlyC.perform") as caught:
        theano_compat.function([x], OnlyC()(x) * 2, mode=mode)
    assert "FAST_COMPILE" not in str(caught.value)
