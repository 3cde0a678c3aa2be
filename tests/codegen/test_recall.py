"""Functions that were compiled before are found by their graph, and nothing about them tells that they were not compiled anew."""

import copy
import functools
import itertools
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import config
from theano_compat.codegen import cache, recall, toolchain
from theano_compat.codegen.recalled import RecalledFunction
from theano_compat.compile.function_maker import FunctionMaker
from theano_compat.gof.optdb import DB

pytestmark = pytest.mark.skipif(toolchain.compiler() is None or config.device != "cpu", reason="needs a C compiler")

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(int(time.time() * 1e6), 10)


@pytest.fixture(autouse=True)
def _own_rewrites_only(monkeypatch):
    """Other tests may have registered rewrites of their own."""
    monkeypatch.setattr(DB, "foreign", set())


@pytest.fixture
def new():
    """A number that is in no graph yet."""
    return float(next(_numbers))


def is_recalled(function):
    return isinstance(function.fn, RecalledFunction)


def twice(make):
    """Make a function of a graph that is not in the cache, and again."""
    first, second = make(), make()
    assert not is_recalled(first) and is_recalled(second)
    return first, second


# --- what is found ------------------------------------------------------------------------------------------


def test_values(new):
    def make(name="x"):
        x, y = T.dmatrix(name), T.dvector()
        return theano.function([x, y], [T.tanh(x).sum(axis=0) * new + y, x.T])

    first, second = twice(make)
    x, y = np.random.rand(3, 4), np.random.rand(4)
    for a, b in zip(first(x, y), second(x, y)):
        assert np.array_equal(a, b) and a.dtype == b.dtype and a.strides == b.strides
    assert second._fast_call is not None
    assert is_recalled(make("other"))
    # what is not quite of the right type takes the long way
    assert np.array_equal(second(x.tolist(), list(range(4)))[0], first(x, np.arange(4.0))[0])


def test_updates_and_shared_variables(new):
    def make():
        w, x = theano.shared(np.arange(3.0)), T.dvector("x")
        return w, theano.function([x], (w * x).sum() + new, updates=[(w, w + x)])

    (w1, first), (w2, second) = make(), make()
    assert is_recalled(second)
    for f, w in ((first, w1), (second, w2)):
        assert f(np.ones(3)) == 3 + new
        assert w.get_value().tolist() == [1, 2, 3]
        assert f(x=np.ones(3)) == 6 + new
        assert w.get_value().tolist() == [2, 3, 4]
    assert second.get_shared() == [w2]


def test_forms_of_inputs_and_outputs(new):
    x, y = T.dscalar("x"), T.dscalar("y")
    makers = [
        lambda: theano.function([x, theano.In(y, value=2.0)], x * new + y)(1.0),
        lambda: theano.function([x], {"a": x * new, "b": x + new})(1.0),
        lambda: theano.function([x], [x * new, x * new])(1.0),
        lambda: theano.function([x], [x, x * new])(1.0),
        lambda: theano.function([y], x * new + y, givens={x: y * 2})(1.0),
        lambda: theano.function([theano.In(x, mutable=True)], theano.Out(x * new, borrow=True))(1.0),
        lambda: theano.function([x], [x * new])(1.0),
        lambda: theano.function([x, y], x * new, on_unused_input="ignore")(1.0, 2.0),
    ]
    for make in makers:
        first, second, third = make(), make(), make()
        assert first == second == third


def test_outputs_are_fresh(new):
    x = T.dvector()
    _, f = twice(lambda: theano.function([x], [x + new, x]))
    given = np.zeros(2)
    (a, same), (b, _) = f(given), f(given)
    assert not np.shares_memory(a, b) and not np.shares_memory(same, given)
    a[:] = 7
    assert b.tolist() == [new, new] and f(given)[0].tolist() == [new, new]


def test_loops_and_random_streams(new):
    from theano_compat.sandbox.rng_mrg import MRG_RandomStreams

    def make():
        srng, x = MRG_RandomStreams(seed=5), T.dvector("x")
        rows, updates = theano.scan(lambda h: T.tanh(h * new) + srng.uniform((3,), dtype="float64"), outputs_info=x, n_steps=4)
        return theano.function([x], [rows, T.grad(rows.sum(), x)], updates=updates)

    first, second = twice(make)
    for _ in range(2):
        for a, b in zip(first(np.ones(3)), second(np.ones(3))):
            assert np.array_equal(a, b)


def test_constants(new):
    table = np.random.rand(20, 3) + new
    i, x = T.lvector(), T.dmatrix()
    first, second = twice(lambda: theano.function([i], T.constant(table)[i]))
    assert np.array_equal(first([3, 1]), second([3, 1]))
    large = np.random.rand(200, 100) + new  # 160 000 bytes
    for build in (lambda: x * T.constant(large), lambda: T.dot(x[0, :100], T.constant(large).T)):  # as it is, and a view
        first, second = twice(lambda build=build: theano.function([x], build()))
        assert np.array_equal(first(np.ones((200, 100))), second(np.ones((200, 100))))
    # made by rewriting, it is too much for a note
    assert not any(is_recalled(theano.function([x], x * T.exp(T.constant(large / new)))) for _ in range(2))


def test_constants_share_memory_with_what_they_were_made_of(new):
    x = T.dvector("x")
    for _ in range(2):
        buffer, step = np.arange(4.0) + new, np.array([1.0, 2.0, 3.0])
        rows, _ = theano.scan(lambda r, s: r * s, sequences=x, non_sequences=T.constant(step))
        functions = [theano.function([x], x * buffer), theano.function([x], [x + buffer, rows])]
        assert functions[0](np.ones(4)).tolist() == buffer.tolist()
        buffer[:], step[:] = 100, 7
        assert functions[0](np.ones(4)).tolist() == [100] * 4
        assert functions[1](np.ones(4))[0].tolist() == [101] * 4 and functions[1](np.ones(4))[1].tolist() == [[7] * 3] * 4
    assert all(map(is_recalled, functions))


def test_what_makes_another_function(new):
    x, v, s = T.dvector("x"), T.fvector("v"), theano.shared(np.ones(2))
    makers = [
        lambda: theano.function([x], x * new),
        lambda: theano.function([x], x * (new + 1)),
        lambda: theano.function([v], v * new),
        lambda: theano.function([theano.In(x, mutable=True)], x * new),
        lambda: theano.function([x], theano.Out(x * new, borrow=True)),
        lambda: theano.function([x], [x * new, x * 2]),
        lambda: theano.function([x], [x * 2, x * new]),
        lambda: theano.function([x], x * new, mode=theano.Mode("cvm", "fast_compile")),
        lambda: theano.function([x], x * new, mode=theano.compile.get_default_mode().excluding("fusion")),
        lambda: theano.function([], s * new),
        lambda: theano.function([], s * new, updates=[(s, s + 1)]),
        lambda: theano.function([x], x * new + T.constant(-0.0)),
        lambda: theano.function([x], x * new + T.constant(0.0)),
    ]
    assert not any(is_recalled(make()) for make in makers)
    assert all(is_recalled(make()) for make in makers)
    with config.change_flags({"tensor.local_elemwise_fusion": False}):
        assert not is_recalled(makers[0]())
        assert is_recalled(makers[0]())


def test_what_is_compiled_always(new, monkeypatch):
    class Twice(theano.gof.Op):
        __props__ = ()
        itypes, otypes = [T.dvector], [T.dvector]

        def perform(self, node, inputs, outputs):
            outputs[0][0] = inputs[0] * 2

    x = T.dvector("x")
    rewrite = theano.gof.local_optimizer([T.add])(lambda node: None)
    makers = [
        lambda: theano.function([x], Twice()(x) * new),
        lambda: theano.function([x], x * new, profile=theano.compile.ProfileStats(atexit_print=False)),
        lambda: theano.function([x], x * new, mode="DebugMode"),
        lambda: theano.function([x], x * new, mode=theano.compile.get_default_mode().register((theano.gof.EquilibriumOptimizer([rewrite], 10), 1.4))),
        lambda: theano.function([x], x * new, mode=theano.Mode("py", "fast_run")),
    ]
    for number, make in enumerate(makers):
        assert not any(is_recalled(make()) for _ in range(2)), number
    with config.change_flags({"cmodule.recall": False}):
        assert not any(is_recalled(theano.function([x], x * new)) for _ in range(2))
    twice(lambda: theano.function([x], x * new))
    # A rewrite of the user's own may change any graph.
    theano.tensor.opt.register_specialize(theano.gof.local_optimizer([T.add])(lambda node: None), name=f"own{new:.0f}")
    assert DB.foreign == {f"own{new:.0f}"}
    assert not is_recalled(theano.function([x], x * new))


def test_what_the_user_was_told_is_told_again(new, caplog):
    @theano.gof.local_optimizer([T.exp])
    def fails(node):
        raise RuntimeError("no")

    x = T.dvector("x")
    theano.tensor.opt.register_specialize(fails, name=f"fails{new:.0f}")
    try:
        for _ in range(2):
            DB.foreign.clear()
            caplog.clear()
            assert not is_recalled(theano.function([x], T.exp(x) * new))
            assert "Optimization failure due to" in caplog.text
    finally:
        theano.compile.optdb["specialize"].remove_tags(f"fails{new:.0f}", "fast_run")
    mode = theano.compile.get_default_mode().including("Print1.21")
    assert not any(is_recalled(theano.function([x], x * new, mode=mode)) for _ in range(2))
    y = T.dvector("y")
    with config.change_flags({"warn.identify_1pexp_bug": True}):
        for _ in range(2):
            with pytest.warns(UserWarning, match="compiled correctly here"):
                theano.function([x, y], new / (1 + T.exp(x) + y))


def test_a_database_that_belongs_to_no_mode_changes_nothing(new):
    database = theano.gof.EquilibriumDB()
    database.register("mine", theano.gof.local_optimizer([T.exp])(lambda node: None), "fast_run")
    x = T.dvector("x")
    twice(lambda: theano.function([x], x * new))


def test_ops_that_do_more_than_to_compute(new, tmp_path):
    path, x = os.fspath(tmp_path / "a.npy"), T.dvector("x")
    for value in (1.0, 2.0):
        np.save(path, np.full(2, value))
        f = theano.function([x], x * new + T.load(path, "float64", (False,)))
        assert f(np.zeros(2)).tolist() == [value, value]

    def double(a):
        return a * 2

    def triple(a):
        return a * 3

    for times, function in ((2, double), (3, triple)):
        op = theano.compile.ops.as_op([T.dvector], [T.dvector])(functools.wraps(np.trace)(function))
        f = theano.function([x], x * new + op(T.constant(np.ones(2))))
        assert f(np.zeros(2)).tolist() == [times, times]


def test_another_rewriting_under_the_name_of_a_mode(new):
    predefined = theano.compile.mode.predefined_optimizers
    x = T.dvector("x")
    try:
        found = []
        for tags in (["fast_run"], []):
            predefined["mine"] = theano.gof.Query(include=tags)
            rows, _ = theano.scan(lambda a: T.log(1 + T.exp(a)) + new * 0, outputs_info=x, n_steps=2, mode=theano.Mode("cvm", "mine"))
            found.append(float(theano.function([x], rows)(np.full(1, 800.0))[0, 0]))
        assert found == [800, np.inf]
    finally:
        del predefined["mine"]


def test_a_package_that_changes_while_it_runs(new, monkeypatch):
    x = T.dvector("x")
    recall._sources_at_first.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(recall, "IMPORTED_AT", 0)
        assert not any(is_recalled(theano.function([x], x * new)) for _ in range(2))
    first = recall._sources_at_first()
    with monkeypatch.context() as patch:
        patch.setattr(recall, "_look_at_sources", lambda: first + "changed")
        assert not any(is_recalled(theano.function([x], x * new)) for _ in range(2))
    twice(lambda: theano.function([x], x * new))


def test_a_blas_that_is_not_there_is_not_missed():
    program = "import theano_compat as t; x = t.tensor.dvector(); f = [t.function([x], t.tensor.exp(x)) for _ in '12'][1]; print(type(f.fn).__name__, f([0.0]))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "THEANO_FLAGS": os.environ.get("THEANO_FLAGS", "") + ",blas.ldflags=-lnosuchblas"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "RecalledFunction [1.]"


def test_debugging_tells_why(new, capsys):
    x = T.dvector("x")
    with config.change_flags({"cmodule.debug": True}):
        theano.function([x], theano.printing.Print("x")(x) * new)
        assert "Print, which does more than to compute" in capsys.readouterr().err
        large = T.constant(np.random.rand(200, 100) + 1 / new)
        theano.function([x], T.dot(x, T.exp(large)))
        assert "it has large constants" in capsys.readouterr().err


def test_imports_of_the_package_are_not_foreign():
    program = "import theano_compat as t, theano_compat.sparse, theano_compat.sandbox.linalg, theano_compat.tensor.nnet; t.compile.optdb.query('+fast_run'); print(t.gof.optdb.DB.foreign)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert done.stdout.strip() == "set()"


# --- what is made when it is asked for ------------------------------------------------------------------------


def test_the_graph_is_there(new):
    def make():
        x = T.dmatrix("x")
        rows, _ = theano.scan(lambda r, h: theano.scan(lambda a, b: T.tanh(a * 2 + b), sequences=r, outputs_info=h)[0][-1], sequences=x, outputs_info=T.zeros(()))
        return theano.function([x], [T.log(1 + T.exp(x)).sum(axis=1) * new, rows], name="f")

    first, second = twice(make)
    texts = [theano.printing.debugprint(f, file="str") for f in (first, second)]
    assert texts[0] == texts[1] and "softplus" in texts[0] and "Composite{tanh" in texts[0]
    assert [str(n.op) for n in second.maker.fgraph.toposort()] == [str(n.op) for n in first.maker.fgraph.toposort()]
    assert second.maker.fgraph.name == "f"
    assert second.fn.program.source == first.fn.program.source
    assert second.explain() == first.explain()
    assert second.fn.nodes[-1].op == first.fn.nodes[-1].op
    assert np.array_equal(first(np.ones((2, 3))), second(np.ones((2, 3))))


def test_the_graph_is_rewritten_under_the_flags_of_then(new, monkeypatch):
    x, seen = T.dvector("x"), []
    optimize = FunctionMaker._optimize
    monkeypatch.setattr(FunctionMaker, "_optimize", lambda *args: [seen.append(config.deterministic), optimize(*args)])
    with config.change_flags(deterministic="more"):
        _, f = twice(lambda: theano.function([x], T.exp(x) * new + 1))
    assert len(f.maker.fgraph.apply_nodes) == 1
    assert seen == ["more", "more"] and config.deterministic == "default"


def test_the_graph_is_whole_or_not_there(new, monkeypatch):
    x, optimize = T.dvector("x"), FunctionMaker._optimize
    _, f = twice(lambda: theano.function([x], T.exp(x) * new + 1))
    with monkeypatch.context() as patch:

        def interrupted(self, fgraph, specs):
            optimize(self, fgraph, specs)
            raise KeyboardInterrupt

        patch.setattr(FunctionMaker, "_optimize", interrupted)
        with pytest.raises(KeyboardInterrupt):
            f.maker.fgraph  # noqa: B018
    assert len(f.maker.fgraph.apply_nodes) == 1 and f.maker.fgraph.toposort()[0] in f.fn.nodes


def test_rewrites_that_were_registered_since_do_not_count(new):
    x, y = T.dvector("x"), T.dvector("y")
    first, second = twice(lambda: theano.function([x, y], T.exp(x) * y * new))

    @theano.gof.local_optimizer([T.exp])
    def other(node):
        return [T.log(node.inputs[0])]

    theano.tensor.opt.register_specialize(other, "fast_run", name=f"other{new:.0f}")
    try:
        with pytest.raises(ValueError, match="Input dimension mis-match"):
            second(np.ones(3), np.ones(4))
        assert theano.printing.debugprint(first, file="str") == theano.printing.debugprint(second, file="str")
    finally:
        theano.compile.optdb["specialize"].remove_tags(f"other{new:.0f}", "fast_run")


def test_what_is_asked_in_vain_makes_nothing(new):
    x = T.dvector("x")
    _, f = twice(lambda: theano.function([x], x * new))
    assert not hasattr(f.fn, "jit_fn")
    f.free()
    assert f.fn._whole is None and f.maker._linker is None


@pytest.mark.parametrize("fast", [True, False])
def test_errors(new, fast):
    def make():
        x, y = T.dvector("x"), T.dvector("y")
        z = (x * y) * new
        return theano.function([x, y], z)

    texts = []
    for f in twice(make):
        arguments = (np.ones(3), np.ones(4)) if fast else ([1.0, 1.0, 1.0], [1.0] * 4)
        with pytest.raises(ValueError, match="Input dimension mis-match") as raised:
            f(*arguments)
        assert "z = (x * y) * new" in str(raised.value)
        texts.append(str(raised.value))
        assert f(np.ones(2), np.ones(2)).tolist() == [new, new]
    assert texts[0] == texts[1]


def test_errors_of_arguments(new):
    x = T.dvector("x")
    for f in twice(lambda: theano.function([x], x * new, name="f")):
        with pytest.raises(TypeError, match='Bad input argument to theano function with name "f" at index 0'):
            f(np.ones((2, 2)))
        with pytest.raises(TypeError, match="Missing required input: x"):
            f()
        f.trust_input = True
        assert f(np.ones(1)).tolist() == [new]
        with pytest.raises(TypeError):
            f(np.ones((2, 2)))


def test_an_error_where_another_text_is_made_than_was_found(new, monkeypatch):
    """The numbers of nodes that the machine code tells are not those of the function compiled after all: then that one is run."""
    x, y = T.dvector("x"), T.dvector("y")
    _, f = twice(lambda: theano.function([x, y], x * y * new))
    f.fn.recipe.loaded.path = "elsewhere"
    for arguments in ((np.ones(3), np.ones(4)), ([1.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match="Input dimension mis-match"):
            f(*arguments)
        monkeypatch.setattr(type(f.fn.whole), "__call__", lambda self: None)
        with pytest.raises(RuntimeError, match="not after it was compiled anew"):
            f(*arguments)
        monkeypatch.undo()


def test_copies_and_pickles(new):
    def make():
        w, x = theano.shared(np.arange(3.0)), T.dvector("x")
        return theano.function([x], (w * x) * new, updates=[(w, w + 1)])

    _, f = twice(make)
    (w,) = f.get_shared()
    other = theano.shared(np.ones(3))
    swapped = f.copy(swap={w: other})
    assert swapped(np.ones(3))[0].tolist() == [new] * 3 and other.get_value().tolist() == [2, 2, 2]
    still = f.copy(delete_updates=True)
    assert still(np.ones(3))[0].tolist() == [0, new, 2 * new] == copy.copy(still)(np.ones(3))[0].tolist()
    assert w.get_value().tolist() == [0, 1, 2]
    again = pickle.loads(pickle.dumps(f))
    assert again(np.ones(3)).tolist() == [0, new, 2 * new]
    twin = copy.copy(f)
    assert is_recalled(twin) and twin(np.ones(3)).tolist() == [0, new, 2 * new]
    assert w.get_value().tolist() == [1, 2, 3]


def test_the_rest_of_the_interface(new):
    x = T.dvector("x")
    _, f = twice(lambda: theano.function([x], [x * new, x + new]))
    x = np.ones(2)
    assert f(x, output_subset=[1])[0].tolist() == [1 + new] * 2
    f.input_storage[0].storage[0] = x
    f.fn(n_calls=3)
    assert f.output_storage[0].storage[0].tolist() == [new, new]
    f.free()
    assert f.output_storage[0].storage[0] is None
    assert f(x)[0].tolist() == [new, new]
    assert f.nodes_with_inner_function == []
    f.fn.storage_map  # noqa: B018
    f.free()
    assert f(x)[0].tolist() == [new, new]


def test_many_threads(new):
    x = T.dvector("x")
    found = []

    def work():
        f = theano.function([x], x * new)
        with pytest.raises(TypeError):
            f(np.ones((2, 2)))
        found.append((f(np.ones(2)).tolist(), len(f.maker.fgraph.apply_nodes)))

    for _ in range(2):
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [([new, new], 1)] * 16


# --- the cache ----------------------------------------------------------------------------------------------

PROGRAM = """
import sys, numpy as np, theano_compat as theano, theano_compat.tensor as T
from theano_compat.codegen.recalled import RecalledFunction
x, w = T.fmatrix('{x}'), theano.shared(np.ones((3, 2), 'float32'))
cost = T.nnet.categorical_crossentropy(T.nnet.softmax(T.dot(x, w)), T.zeros((2,), 'int64')).mean()
h, _ = theano.scan(lambda row, h: T.tanh(row + h), sequences=x, outputs_info=T.zeros((3,), 'float32'))
f = theano.function([x], [cost, h[-1].sum()], updates=[(w, w - T.grad(cost + h.sum(), w, disconnected_inputs='ignore'))])
print([float(v) for v in f(np.ones((2, 3), 'float32'))], float(w.get_value().sum()))
print(isinstance(f.fn, RecalledFunction), 'theano_compat.codegen.schedule' in sys.modules)
"""


def run(folder, x="x", **environment):
    env = {**os.environ, "THEANO_FLAGS": f"base_compiledir={folder},compiledir_format=here", "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(x=x)], capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stderr
    values, kind = done.stdout.splitlines()
    return values, kind


def notes(folder):
    return sorted(Path(folder).rglob("*.json"))


COMPILED, RECALLED = "False True", "True False"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A cache in which the function is, and what it gave."""
    folder = tmp_path_factory.mktemp("recall")
    values, kind = run(folder, PYTHONHASHSEED="1")
    assert kind == COMPILED and len(notes(folder)) == 1
    return folder, values


@pytest.fixture
def cached(first, tmp_path):
    """A copy of that cache, and what the function gave."""
    folder, values = first
    return shutil.copytree(folder, tmp_path / "copy"), values


def test_other_processes_find_it(cached):
    folder, values = cached
    assert run(folder, "y", PYTHONHASHSEED="2") == (values, RECALLED)
    # a machine without the extension, and one without vector math
    assert run(folder, THEANO_COMPAT_NO_EXTENSION="1") == (values, RECALLED)
    assert run(folder, THEANO_COMPAT_NO_LIBMVEC="1")[1] == COMPILED


@pytest.mark.parametrize("harm", ["truncated", "flipped", "folder", "empty", "nonsense", "other types", "no code"])
def test_damage(cached, harm):
    folder, values = cached
    (note,) = notes(folder)
    with _folder(folder):
        record = json.loads(cache.read_note(note.stem))
    if harm == "truncated":
        note.write_bytes(note.read_bytes()[:-5])
    elif harm == "flipped":
        data = bytearray(note.read_bytes())
        data[20] ^= 1
        note.write_bytes(bytes(data))
    elif harm == "folder":
        note.unlink()
        note.mkdir()
    elif harm == "empty":
        note.write_bytes(b"")
    elif harm == "no code":
        for path in Path(folder).rglob(record["library"] + ".so"):
            path.unlink()
    else:
        changed = "[1, 2" if harm == "nonsense" else json.dumps({**record, "inputs": [["no type", 1, 2]]})
        with _folder(folder):
            cache.write_note(note.stem, changed)
    assert run(folder) == (values, COMPILED)
    if harm != "folder":
        assert run(folder) == (values, RECALLED)


class _folder:
    """Let `cache` work on another folder for a while."""

    def __init__(self, path):
        self.path = next(p for p in Path(path).rglob(cache.FORMAT))

    def __enter__(self):
        self.kept, cache.folder = cache.folder, lambda: self.path

    def __exit__(self, *_):
        cache.folder = self.kept


@pytest.mark.parametrize("change", [{"sources": [5]}, {"sources": [-1, 0]}, {"results": [7]}, {"constants": [{"bytes": "", "dtype": "<f8", "shape": [3]}]}, {"constants": [{"number": 7}]}, {"written": [9]}, {"n_slots": -1}, {"n_slots": 10**12}, {"n_slots": float("inf")}, {"inputs": [["O", [0], 0], ["float64", [0], 0]]}, {"symbol": "nothing"}, {"symbol": "tc_bind"}, {"library": "../x"}])
def test_a_note_that_does_not_fit_is_no_note(new, change):
    x, y = T.dvector("x"), T.dvector("y")
    keys = []

    def make():
        specs = [theano.In(x), theano.In(y)]
        keys.append(recall.describe(specs, [theano.Out(x * y * new)], theano.compile.get_default_mode(), False).digest())
        return theano.compile.function_module.orig_function(specs, theano.Out(x * y * new))

    twice(make)
    assert len(set(keys)) == 1
    note = json.loads(cache.read_note(keys[0]))
    cache.write_note(keys[0], json.dumps({**note, **change}))
    f = make()
    assert not is_recalled(f)
    assert f(np.ones(1), np.ones(1)).tolist() == [new]
    assert is_recalled(make())


def test_a_read_only_folder(cached):
    folder, values = cached
    for path in sorted(Path(folder).rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert run(folder) == (values, RECALLED)
    finally:
        for path in Path(folder).rglob("*"):
            path.chmod(0o700)


def test_the_command_lists_and_clears_notes(cached):
    folder, _ = cached
    env = {**os.environ, "THEANO_FLAGS": f"base_compiledir={folder},compiledir_format=here", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "theano_compat", "cache", "clear"], capture_output=True, text=True, env=env, check=True)
    assert "entries removed" in done.stdout and not notes(folder)
