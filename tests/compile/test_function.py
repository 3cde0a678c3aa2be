"""Calling compiled functions: inputs, defaults, updates, givens, outputs, aliasing, and the texts of errors."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import In, Out, function, shared
from theano_compat.compile.function_module import UnusedInputError
from theano_compat.gof import MissingInputError

MODE = "FAST_COMPILE"


def fn(inputs, outputs=None, **options):
    return function(inputs, outputs, mode=options.pop("mode", MODE), **options)


# ---- inputs ---------------------------------------------------------------------------------------------


def test_positions_and_names_can_be_mixed():
    x, y = T.dscalars("x", "y")
    f = fn([x, y], x - 2 * y)
    assert f(5, 1) == f(5, y=1) == f(x=5, y=1) == 3


def test_default_is_used_again_after_it_was_overridden():
    x, y = T.dscalars("x", "y")
    f = fn([x, In(y, value=3.0)], x * y)
    assert [float(f(2)), float(f(2, 5)), float(f(2))] == [6, 10, 6]


def test_state_input_keeps_its_update():
    s = T.dscalar("s")
    inc = T.dscalar("inc")
    f = fn([inc, In(s, value=10.0, update=s + inc, name="total")], s)
    assert float(f(1)) == 10 and float(f(2)) == 11 and float(f["total"]) == 13
    f["total"] = 0
    assert float(f(4)) == 0 and float(f.value["total"]) == 4
    assert "total" in f and "inc" in f and "other" not in f


def test_mutable_default_of_the_caller_stays_as_it_was():
    v = T.dvector("v")
    start = np.zeros(3)
    f = fn([In(v, value=start, update=v + 1, mutable=True)], v, mode="FAST_RUN")
    f()
    f()
    assert np.array_equal(start, np.zeros(3)) and np.array_equal(f["v"], [2, 2, 2])


def test_a_missing_argument_is_named_with_its_function_position_and_line():
    with theano.change_flags(**{"traceback.limit": 8}):
        x, y = T.dscalar("x"), T.dscalar("y")  # the line that made them
    for name, said in (("area", 'theano function with name "area"'), (None, "theano function")):
        with pytest.raises(TypeError) as caught:
            fn([x, y], x * y, name=name)(1)
        first, second, *rest = str(caught.value).splitlines()
        assert first == "Missing required input: y"
        assert said in second and "at index 1 (0-based)" in second
        assert any("the line that made them" in line for line in rest)


def test_too_few_and_too_many_arguments():
    x, y = T.dscalars("x", "y")
    f = fn([x, y], x + y)
    with pytest.raises(TypeError, match="Missing required input: y"):
        f(1)
    with pytest.raises(TypeError, match="Too many parameter passed to theano function"):
        f(1, 2, 3)
    with pytest.raises(TypeError, match="Multiple values for input: x"):
        f(1, x=2)
    with pytest.raises(TypeError, match=r"Unknown input or state: z. The function has 2 named inputs \(x, y\)."):
        f(1, z=2)


def test_bad_argument_is_named_with_function_position_and_line():
    x = T.dmatrix("x")
    f = fn([x], x, name="myfunction")
    with pytest.raises(TypeError) as error:
        f(np.zeros(3))
    text = str(error.value)
    assert text.startswith('Bad input argument to theano function with name "myfunction" at index 0 (0-based).')
    assert "Wrong number of dimensions: expected 2, got 1 with shape (3,)." in text
    assert "test_function.py" in text


def test_allow_input_downcast():
    x = T.fvector("x")
    data = np.array([0.1])
    with pytest.raises(TypeError, match="without risking loss of precision"):
        fn([x], x)(data)
    assert fn([x], x, allow_input_downcast=True)(data).dtype == "float32"
    with pytest.raises(TypeError):
        fn([In(x, allow_downcast=False)], x)([0.1])


def test_function_is_called_after_an_error_as_before():
    x = T.dscalar("x")
    f = fn([x], x + 1)
    with pytest.raises(TypeError):
        f([1, 2])
    assert f(1) == 2


def test_names_of_functions():
    x = T.dscalar("x")
    assert "test_function.py:" in fn([x], x).name
    assert fn([x], x, name="f").name == "f"


def test_trust_input_skips_conversion():
    x = T.dvector("x")
    f = fn([x], x * 2)
    f.trust_input = True
    assert np.array_equal(f(np.ones(2)), [2, 2])
    with pytest.raises(Exception):  # noqa: B017  (no check, so anything may happen but an answer)
        f("no array")


# ---- outputs --------------------------------------------------------------------------------------------


def test_forms_of_outputs():
    x = T.dscalar("x")
    assert fn([], None)() is None
    assert fn([], [])() == []
    assert isinstance(fn([x], [x])(1), list)
    result = fn([x], {"b": x * 2, "a": x})(3)
    assert {key: float(value) for key, value in result.items()} == {"a": 3, "b": 6}
    with pytest.raises(AssertionError):
        fn([x], {1: x})


def test_output_subset_by_position_and_key():
    x = T.dscalar("x")
    stack = theano.Mode(theano.gof.vm.VM_Linker(allow_partial_eval=True, use_cloop=False), "fast_compile")
    f = fn([x], [x, x * 2, x * 3], mode=stack)
    assert [float(v) for v in f(2, output_subset=[2, 0])] == [6, 2]
    g = fn([x], {"a": x, "b": x * 2}, mode=stack)
    assert float(g(4, output_subset=["b"])["b"]) == 8


def test_outputs_do_not_share_memory_with_inputs_or_each_other():
    x = T.dmatrix("x")
    data = np.arange(6.0).reshape(2, 3)
    for mode in (MODE, "FAST_RUN"):
        a, b, c = fn([x], [x, x.T, x[0]], mode=mode)(data)
        for one, other in ((a, data), (b, data), (c, data), (a, b), (a, c), (b, c)):
            assert not np.may_share_memory(one, other)


def test_borrowed_on_both_sides_shares_memory():
    x = T.dmatrix("x")
    data = np.ones((2, 2))
    assert np.may_share_memory(fn([In(x, borrow=True)], Out(x.T, borrow=True))(data), data)


def test_arguments_are_destroyed_only_if_mutable():
    x = T.dvector("x")
    data = np.ones(3)
    function([x], x + 1, mode="FAST_RUN")(data)
    assert np.array_equal(data, [1, 1, 1])


def test_overlapping_mutable_arguments_are_separated():
    x, y = T.dvectors("x", "y")
    f = function([In(x, mutable=True), In(y, mutable=True)], [x * 2 + 1, y * 3 + 1], mode="FAST_RUN")
    data = np.ones(4)
    a, b = f(data[:3], data[1:])
    assert np.array_equal(a, [3, 3, 3]) and np.array_equal(b, [4, 4, 4])


# ---- shared variables -----------------------------------------------------------------------------------


def test_updates_are_simultaneous():
    a, b = shared(1.0), shared(2.0)
    f = fn([], [a, b], updates=[(a, b), (b, a)])
    assert [float(v) for v in f()] == [1, 2]
    assert (float(a.get_value()), float(b.get_value())) == (2, 1)


def test_updated_variables_get_memory_of_their_own():
    a, b, c = shared(np.zeros(3)), shared(np.ones(3)), shared(np.ones(3))
    fn([], [], updates=[(a, b), (c, b[::-1])])()
    values = [v.get_value(borrow=True) for v in (a, b, c)]
    assert not any(np.may_share_memory(values[i], values[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_wrong_updates():
    x, w, v = T.dmatrix("x"), shared(np.zeros(3), "w"), T.dvector("v")
    with pytest.raises(TypeError, match="update target must be a SharedVariable"):
        fn([v], v, updates=[(v, v)])
    with pytest.raises(ValueError, match="this shared variable already has an update expression"):
        fn([], w, updates=[(w, w + 1), (w, w + 2)])
    with pytest.raises(TypeError, match="An update must have the same type as the original shared variable"):
        fn([x], updates=[(w, x)])
    with pytest.raises(TypeError, match="Cannot use a shared variable"):
        fn([w], w)


def test_default_update_and_how_to_stop_it():
    w = shared(0.0)
    w.default_update = w + 1
    f, g, h = fn([], w), fn([], w, no_default_updates=True), fn([], w, no_default_updates=[w])
    assert [float(f()), float(f()), float(g()), float(h()), float(w.get_value())] == [0, 1, 2, 2, 2]
    fn([], w, updates=[(w, w * 10)])()
    assert float(w.get_value()) == 20


def test_default_update_of_a_variable_that_only_an_update_reads():
    a, b = shared(0.0), shared(1.0)
    b.default_update = b * 2
    f = fn([], [], updates=[(a, a + b)])
    f()
    f()
    assert float(a.get_value()) == 3 and float(b.get_value()) == 4


def test_givens_replace_in_this_function_only():
    x, y = T.dscalar("x"), T.dscalar("y")
    z = x * 2
    assert float(fn([y], z, givens={x: y + 1})(3)) == 8
    assert float(fn([x], z)(3)) == 6
    w = shared(5.0)
    assert float(fn([], z, givens=[(x, w)])()) == 10


def test_wrong_givens():
    x, y = T.dscalar("x"), T.dscalar("y")
    with pytest.raises(RuntimeError, match="You are trying to replace variable 'x' through the `givens` parameter"):
        fn([x], x * 2, givens={x: y})
    with pytest.raises(TypeError, match="given keys must be Variable"):
        fn([x], x, givens={3: x})
    with pytest.raises(AssertionError, match="you can not have a new_v variable depend on an old_v one"):
        fn([], x, givens=[(x, y * 2), (y, x)])


# ---- what the function needs ----------------------------------------------------------------------------


def test_unused_inputs():
    x, y = T.dscalars("x", "y")
    with pytest.raises(UnusedInputError) as error:
        fn([x, y], x)
    assert str(error.value).startswith(
        "theano.function was asked to create a function computing outputs given certain inputs, but the provided input "
        "variable at index 1 is not part of the computational graph needed to compute the outputs: y."
    )
    with pytest.warns(UserWarning, match="is not part of the computational graph"):
        fn([x, y], x, on_unused_input="warn")
    assert fn([x, y], x, on_unused_input="ignore")(1, 2) == 1
    with pytest.raises(ValueError, match="Valid values are 'raise', 'warn', and 'ignore'"):
        fn([x, y], x, on_unused_input="nothing")
    with pytest.raises(UnusedInputError, match="is used twice in inputs to theano.function, at indices 0 and 1"):
        fn([x, x], x)


def test_missing_inputs():
    x, y = T.dscalars("x", "y")
    with pytest.raises(MissingInputError, match="was not provided and not given a value"):
        fn([x], x + y)


def test_wrong_inputs_and_outputs():
    x = T.dscalar("x")
    with pytest.raises(Exception, match="should be contained in a list, even when there is a single input"):
        fn(x, x)
    with pytest.raises(TypeError, match="Unknown parameter type: <class 'int'>"):
        fn([3], x)
    with pytest.raises(TypeError, match="Outputs must be theano Variable or Out instances. Received 3 of type"):
        fn([x], 3)
    with pytest.raises(TypeError, match="Constants not allowed in param list"):
        fn([T.constant(1)], x)
    with pytest.raises(Exception, match="No predefined mode exist for string: bad"):
        fn([x], x, mode="bad")


def test_in_refuses_what_contradicts_itself():
    x, v = T.dscalar("x"), T.dvector("v")
    with pytest.raises(TypeError, match="The type of the update should be the same"):
        In(x, update=v)
    with pytest.raises(AssertionError, match="mutable=True, borrow=False"):
        In(x, mutable=True, borrow=False)
    with pytest.raises(TypeError, match="name must be a string"):
        In(x, name=3)


def test_old_style_tuples():
    x, s = T.dscalars("x", "s")
    f = function([x, ((s, s + x), 10.0)], s, mode=MODE)
    assert float(f(1)) == 10 and float(f(1)) == 11
    g = function([("first", x), (s, 2.0)], x * s, mode=MODE)
    assert float(g(first=4)) == 8


def test_a_deep_graph_compiles_and_runs():
    x = T.dscalar("x")
    y = x
    for _ in range(3000):
        y = y + x
    assert float(function([x], y, mode=theano.Mode("py", None))(1)) == 3001


def test_two_threads_do_not_lose_updates():
    from threading import Thread

    w = shared(0)
    f = function([], [], updates=[(w, w + 1)], mode=theano.Mode("vm", "fast_compile"))
    threads = [Thread(target=lambda: [f() for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(w.get_value()) == 800
