"""Containers, the linkers that run perform, the virtual machines, error reports."""

import copy

import numpy as np
import pytest

from tests.gof.toys import Arithmetic, Number, add, divmod_, graph, mul, neg, number, numbers
from theano_compat.configparser import change_flags
from theano_compat.gof import Apply, Constant, Op, PerformLinker, WrapLinker, WrapLinkerMany
from theano_compat.gof.link import Container, gc_helper, map_storage
from theano_compat.gof.vm import Loop, LoopGC, Stack, VM_Linker

LINKERS = {
    "perform": PerformLinker,
    "perform, all kept": lambda: PerformLinker(allow_gc=False),
    "loop": lambda: VM_Linker(lazy=False, allow_gc=False),
    "loop, dropping": lambda: VM_Linker(lazy=False, allow_gc=True),
    "stack": lambda: VM_Linker(lazy=True, allow_gc=True),
    "stack, all kept": lambda: VM_Linker(lazy=True, allow_gc=False),
}


class Pick(Op):
    """A lazy choice: only the branch that is wanted gets computed."""

    __props__ = ()

    def make_node(self, condition, yes, no):
        return Apply(self, [condition, yes, no], [number()])

    def make_thunk(self, node, storage_map, compute_map, no_recycling, impl=None):
        cells = [storage_map[v] for v in node.inputs]
        known = [compute_map[v] for v in node.inputs]
        (out,) = node.outputs

        def thunk():
            if not known[0][0]:
                return [0]
            wanted = 1 if cells[0][0] else 2
            if not known[wanted][0]:
                return [wanted]
            storage_map[out][0] = cells[wanted][0]
            compute_map[out][0] = 1
            return []

        thunk.lazy = True
        return thunk


@pytest.mark.parametrize("name", LINKERS)
def test_every_linker_computes_the_same(name):
    x, y = numbers("xy")
    low = add(x, y)
    quotient, remainder = divmod_(mul(low, low), y)
    f = LINKERS[name]().accept(graph([x, y], quotient, remainder, x, neg(low), Constant(number, 5))).make_function()
    for a, b in ((3.0, 2.0), (7.0, 4.0)):
        assert f(a, b) == [(a + b) ** 2 // b, (a + b) ** 2 % b, a, -(a + b), 5.0]


@pytest.mark.parametrize("name", LINKERS)
def test_a_failure_names_the_node_its_inputs_and_the_users_line(name):
    x, y = numbers("xy")
    fail = Arithmetic("Fail", lambda a, b: [][1])
    with change_flags(**{"traceback.limit": 8}):
        out = fail(neg(x), y)  # the line that the message must show
    f = LINKERS[name]().accept(graph([x, y], out)).make_function()
    with pytest.raises(IndexError) as caught:
        f(1.0, 2.0)
    text = str(caught.value)
    for part in (
        "list index out of range\nApply node that caused the error: Fail(Neg.0, y)",
        "\nToposort index: 1\n",
        "\nInputs types: [",
        "\nInputs values: [-1.0, 2.0]",
        "\nOutputs clients: [['output']]\n",
        "\nBacktrace when the node is created(use Theano flag traceback.limit=N to make it longer):\n",
        "the line that the message must show",
        "HINT: Use the Theano flag 'exception_verbosity=high'",
    ):
        assert part in text
    assert caught.value.__op_instance__ is out.owner


def test_an_exception_with_a_constructor_of_its_own_keeps_its_type(capsys):
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a, b)

    def raise_odd(x):
        raise Odd(1, 2)

    (x,) = numbers("x")
    f = PerformLinker().accept(graph([x], Arithmetic("Odd", raise_odd)(x))).make_function()
    with pytest.raises(Odd):
        f(1.0)
    assert "does not allow us to add an extra error message" in capsys.readouterr().err


def test_values_are_dropped_after_their_last_use():
    (x,) = numbers("x")
    low = neg(x)
    out = add(low, x)
    for linker, kept in ((VM_Linker(lazy=False, allow_gc=True), False), (VM_Linker(lazy=True, allow_gc=True), False), (VM_Linker(allow_gc=False), True)):
        f = graph([v := x.clone()], add(neg(v), v))
        machine, inputs, outputs = linker.accept(f).make_thunk()
        inputs[0].data = 2.0
        machine()
        middle = f.outputs[0].owner.inputs[0]
        assert outputs[0].data == 0.0 and (machine.storage_map[middle][0] is not None) is kept
    assert out is not low


def test_the_machine_fits_the_graph():
    x, y, z = numbers("xyz")
    kinds = []
    for out, allow_gc in ((lambda x, y, z: add(x, y), True), (lambda x, y, z: add(x, y), False), (lambda x, y, z: Pick()(x, y, z), True)):
        leaves = numbers("xyz")
        kinds.append(type(VM_Linker(allow_gc=allow_gc).accept(graph(leaves, out(*leaves))).make_thunk()[0]))
    assert kinds == [LoopGC, Loop, Stack]


def test_a_lazy_op_computes_only_the_branch_it_wants():
    ran = []

    def noting(name):
        return Arithmetic(name, lambda v: ran.append(name) or v)

    c, a, b = numbers("cab")
    f = VM_Linker().accept(graph([c, a, b], Pick()(c, noting("yes")(a), noting("no")(b)))).make_function()
    assert f(1.0, 5.0, 6.0) == 5.0 and ran == ["yes"]
    assert f(0.0, 5.0, 6.0) == 6.0 and ran == ["yes", "no"]


def test_partial_evaluation_runs_the_outputs_asked_for():
    ran = []
    (x,) = numbers("x")
    one, two = Arithmetic("One", lambda v: ran.append(1) or v)(x), Arithmetic("Two", lambda v: ran.append(2) or -v)(x)
    machine, inputs, outputs = VM_Linker(allow_partial_eval=True).accept(graph([x], one, two)).make_thunk()
    inputs[0].data = 3.0
    machine(output_subset=[1])
    assert ran == [2] and outputs[1].data == -3.0


def test_callbacks_see_every_node():
    seen = []
    (x,) = numbers("x")
    linker = VM_Linker(callback=lambda node, thunk, storage_map, compute_map: seen.append(str(node.op)))
    f = linker.accept(graph([x], neg(neg(x)))).make_function()
    f(1.0)
    assert seen == ["Neg", "Neg"]


def test_wrapped_linkers_run_in_step():
    seen = []

    def wrapper(i, node, *thunks):
        seen.append((i, str(node.op), len(thunks)))
        for thunk in thunks:
            thunk()

    (x,) = numbers("x")
    f = WrapLinkerMany([PerformLinker(allow_gc=False), PerformLinker(allow_gc=False)], [wrapper]).accept(graph([x], neg(neg(x)))).make_function()
    assert f(2.0) == 2.0 and seen == [(0, "Neg", 2), (1, "Neg", 2)]
    assert isinstance(WrapLinker([PerformLinker()], wrapper).clone(allow_gc=False).linkers[0], PerformLinker)


def test_a_linker_serves_one_graph():
    first, second = (graph([x := number()], neg(x)) for _ in range(2))
    linker = PerformLinker().accept(first)
    other = linker.accept(second)
    assert linker.accept(first) is linker and other is not linker and other.fgraph is second


def test_container_filters_and_names_itself_in_errors():
    x = number("x")
    cell = Container(x, [None])
    cell.data = 3
    assert cell.value == 3.0 and isinstance(cell.storage[0], float)
    with pytest.raises(ValueError) as caught:
        cell.value = "three"
    assert caught.value.args[-1] == 'Container name "x"'
    with pytest.raises(TypeError, match="expected a float"):
        Container(x, [None], strict=True).value = 3
    with pytest.raises(Exception, match="Cannot set readonly storage: x"):
        Container(x, [None], readonly=True).value = 3.0
    with pytest.raises(TypeError, match="storage must be a list of length at least one"):
        Container(x, 3)
    cell.value = None
    assert cell.value is None and str(cell) == "<None>"


def test_container_deepcopy_keeps_shared_storage_shared():
    storage = [2.0]
    cells = [Container(number, storage, name="a"), Container(Number(), storage, readonly=True)]
    first, second = copy.deepcopy(cells)
    assert first.storage is second.storage and first.storage is not storage
    assert first.data == 2.0 and second.readonly and first.name == "a"


def test_map_storage_gives_one_cell_to_a_variable_and_constants_their_value():
    (x,) = numbers("x")
    out = add(x, 2.0)
    f = graph([x], out, x)
    mine = [7.0]
    inputs, outputs, cells = map_storage(f, f.toposort(), [mine], None)
    assert inputs == [mine] and outputs[1] is mine
    assert [cells[v][0] for v in out.owner.inputs] == [7.0, 2.0]
    computed, last_user = gc_helper(f.toposort())
    assert list(computed) == [out] and last_user[x] is out.owner


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("linker", ["cvm", "vm", "py"])
def test_an_error_message_tells_of_the_node_once(linker, profile):
    import theano_compat
    from theano_compat import tensor

    x = tensor.dmatrix("x")
    f = theano_compat.function([x], tensor.nlinalg.matrix_inverse(x) * 2, mode=theano_compat.Mode(linker, "fast_run"), profile=profile)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        f(np.zeros((2, 2)))
    text = str(caught.value)
    assert text.startswith("Singular matrix\nApply node that caused the error: MatrixInverse(x)")
    assert text.count("Apply node that caused the error") == text.count("HINT") == 1


def test_a_fused_node_tells_once_of_each_line_that_made_its_parts():
    import theano_compat
    from theano_compat import tensor

    x, y = tensor.dvectors("xy")
    with change_flags(**{"traceback.limit": 8}):
        first = tensor.exp(x * y + x)  # the first line
        out = first * tensor.sqr(y) - x  # the second line
    f = theano_compat.function([x, y], out, mode="FAST_RUN")
    with pytest.raises(ValueError, match="Input dimension mis-match") as caught:
        f(np.zeros(2), np.zeros(3))
    text = str(caught.value)
    assert text.count("# the first line") == text.count("# the second line") == 1


def test_one_exception_object_that_is_raised_twice_is_explained_twice():
    error = IndexError("the same object")

    def fail(x):
        raise error

    (x,) = numbers("x")
    f = PerformLinker().accept(graph([x], Arithmetic("Fail", fail)(x))).make_function()
    for _ in range(2):
        with pytest.raises(IndexError, match="Apply node that caused the error"):
            f(1.0)
