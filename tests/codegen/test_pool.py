"""The threads that compiled functions share: same results for any number of them, forks, many callers, limits, the end of the process."""

import math
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen import pool, toolchain
from theano_compat.configparser import _by_name, change_flags
from theano_compat.tensor.signal.pool import pool_2d

pytestmark = pytest.mark.skipif(pool.address() == 0, reason="needs a C compiler and POSIX threads")
ROOT = Path(__file__).parents[2]
rng = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def threads_as_before():
    yield
    pool.set_threads(None)


def with_threads(count, function, *values):
    """Results with so many threads, and whether any were used."""
    pool.set_threads(count + 1)  # a change of the number: no jobs alone, whatever happened before
    pool.set_threads(count)
    before = pool.shared_jobs()
    found = function(*[v.copy() if isinstance(v, np.ndarray) and v.base is None else v for v in values])
    return [np.asarray(r) for r in (found if isinstance(found, list) else [found])], pool.shared_jobs() > before


def assert_same_for_any_number(function, values, oracle=None, rtol=1e-10):
    wanted, shared = with_threads(1, function, *values)
    assert not shared
    for count in (2, 4, 7):
        found, shared = with_threads(count, function, *values)
        assert shared, "the work is too small to be shared"
        for one, other in zip(wanted, found):
            assert one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    for one, other in zip(wanted, oracle or []):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


MATRIX = rng.standard_normal((1003, 1001))
TALL, FLAT = rng.standard_normal((200003, 7)), rng.standard_normal((3, 500009))
LAYOUTS = {
    "rows": MATRIX,
    "columns": np.asfortranarray(MATRIX),
    "steps": rng.standard_normal((2006, 2002))[::2, ::2],
    "turned": MATRIX[::-1, ::-1],
    "tall": TALL,
    "flat": FLAT,
    "one row again and again": np.broadcast_to(MATRIX[:1], (1003, 1001)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_elementwise_loops(layout):
    x, y = T.dmatrices("xy")
    function = theano.function([x, y], [T.exp(-x) + T.tanh(y), x * y[0]])
    a = LAYOUTS[layout]
    b = np.ascontiguousarray(a[::-1])
    assert_same_for_any_number(function, (a, b), [np.exp(-a) + np.tanh(b), a * b[0]], 1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reductions(layout):
    x = T.dmatrix("x")
    outputs = [T.exp(x).sum(), T.exp(x).sum(0), T.exp(x).sum(1), x.max(), T.sqr(x).min(0), T.tanh(x).max(1)]
    a = LAYOUTS[layout]
    oracle = [np.exp(a).sum(), np.exp(a).sum(0), np.exp(a).sum(1), a.max(), (a**2).min(0), np.tanh(a).max(1)]
    assert_same_for_any_number(theano.function([x], outputs), (a,), oracle)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int8", "bool", "complex64"])
def test_reductions_of_other_types(dtype):
    x = T.matrix("x", dtype)
    y = T.switch(T.neq(x, 0), x, x) if dtype == "bool" else x * x
    outputs = [T.sum(y), T.sum(y, axis=0), *([T.all(x), T.any(x, axis=0)] if dtype == "bool" else []), *([T.max(y)] if dtype[:3] in ("int", "flo") else [])]
    a = (rng.standard_normal((2400, 1500)) * 3).astype(dtype)
    assert_same_for_any_number(theano.function([x], outputs), (a,))


def test_a_nan_is_found_by_whoever_has_it():
    x = T.dvector("x")
    function = theano.function([x], [T.exp(x).max(), T.exp(x).min(), T.exp(x).sum()])
    for place in (0, 400000, 999999):
        a = np.zeros(1000000)
        a[place] = np.nan
        assert_same_for_any_number(function, (a,), [np.nan] * 3)


def test_a_result_and_its_sum_in_one_loop():
    x = T.dmatrix("x")
    y = T.exp(x)
    assert_same_for_any_number(theano.function([x], [y, y.sum(), (y - 1).sum(0)]), (MATRIX,), [np.exp(MATRIX), np.exp(MATRIX).sum(), np.expm1(MATRIX).sum(0)])


def test_many_dimensions():
    x = T.tensor4("x", "float64")
    a = rng.standard_normal((37, 6, 63, 65))
    for value in (a, a.transpose(3, 1, 0, 2)):
        oracle = [np.exp(value).sum(axis=(0, 2, 3)), np.exp(value).sum(axis=(1, 3)), np.tanh(value) * value.mean(axis=1, keepdims=True)]
        assert_same_for_any_number(
            theano.function([x], [T.exp(x).sum(axis=(0, 2, 3)), T.exp(x).sum(axis=(1, 3)), T.tanh(x) * x.mean(axis=1, keepdims=True)]), (value,), oracle
        )


def test_updates_in_place():
    start = rng.standard_normal(700001)
    results = []
    for count in (1, 2, 4):
        pool.set_threads(count)
        s = theano.shared(start.copy())
        step = theano.function([], [], updates=[(s, s - 0.01 * T.sin(s))])
        for _ in range(5):
            step()
        results.append(s.get_value())
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_memory_that_is_read_where_it_is_written_elsewhere_is_not_shared():
    start, y = rng.standard_normal(600001), T.dvector("y")
    for count in (1, 4):
        memory = start.copy()
        s = theano.shared(memory[:-1], borrow=True)
        step = theano.function([y], updates=[(s, T.exp(s) - y)])
        pool.set_threads(count + 1)
        pool.set_threads(count)
        before = pool.shared_jobs()
        step(memory[1:])  # an element is read after its neighbour is written
        assert np.shares_memory(s.get_value(borrow=True), memory) and pool.shared_jobs() == before
        np.testing.assert_allclose(s.get_value(), np.exp(start[:-1]) - start[1:], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("m, k, n", [(100, 784, 500), (500, 500, 500), (700, 60, 800), (1000, 33, 517), (40, 2000, 600)])
def test_products(dtype, m, k, n):
    x, y, z = (T.matrix(dtype=dtype) for _ in range(3))
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
    function = theano.function([x, y, z], [T.dot(x, y), T.dot(y.T, x.T), z + 2 * T.dot(x, y)])
    rtol = 1e-3 if dtype == "float32" else 1e-10
    for left, right in ((a, b), (np.asfortranarray(a), np.asfortranarray(b)), (a[::-1], b)):
        assert_same_for_any_number(function, (left, right, c), [left @ right, (left @ right).T, c + 2 * (left @ right)], rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("images, filters, groups", [((33, 4, 20, 21), (6, 4, 3, 5), 1), ((200, 6, 8, 8), (8, 3, 3, 3), 2), ((64, 16, 14, 14), (24, 16, 1, 1), 1)])
def test_convolutions_and_gradients(dtype, images, filters, groups):
    x, w = T.tensor4("x", dtype), T.tensor4("w", dtype)
    out = T.nnet.conv2d(x, w, border_mode="half", num_groups=groups)
    function = theano.function([x, w], [out, *T.grad((out**2).sum(), [x, w])])
    a, b = rng.standard_normal(images).astype(dtype), rng.standard_normal(filters).astype(dtype)
    slow = theano.function([x, w], [out, *T.grad((out**2).sum(), [x, w])], mode=theano.Mode(linker="py"))
    assert_same_for_any_number(function, (a, b), slow(a, b), 1e-3 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("mode", ["max", "sum", "average_inc_pad", "average_exc_pad"])
def test_poolings_and_gradients(mode):
    x = T.tensor4("x", "float64")
    out = pool_2d(x, (3, 2), ignore_border=True, stride=(2, 2), pad=(1, 1), mode=mode)
    gradient = T.grad((out**3).sum(), x)
    outputs = [out, gradient, *([T.grad((gradient**2).sum(), x)] if mode == "max" else [])]
    a = rng.standard_normal((60, 5, 41, 40))
    slow = theano.function([x], outputs, mode=theano.Mode(linker="py"))
    assert_same_for_any_number(theano.function([x], outputs), (a,), slow(a))


def test_softmax_and_crossentropy():
    x, b, y = T.dmatrix("x"), T.dvector("b"), T.ivector("y")
    p = T.nnet.softmax(x + b)
    cost = -T.log(p)[T.arange(y.shape[0]), y].mean()
    function = theano.function([x, b, y], [p, T.nnet.logsoftmax(x), cost, *T.grad(cost, [x, b]), T.grad((p**2).sum(), x)])
    a, bias, classes = rng.standard_normal((1501, 301)), rng.standard_normal(301), rng.integers(0, 301, 1501).astype("int32")
    e = np.exp(a + bias)
    s = e / e.sum(1, keepdims=True)
    assert_same_for_any_number(function, (a, bias, classes), [s, a - np.log(np.exp(a).sum(1, keepdims=True)), -np.log(s[np.arange(1501), classes]).mean()])


def test_the_first_row_with_a_class_that_is_none_is_told():
    x, y = T.dmatrix("x"), T.ivector("y")
    function = theano.function([x, y], T.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, T.zeros((301,)), y)[:2])
    classes = np.zeros(3000, "int32")
    classes[[1200, 2999]] = 400
    for count in (1, 4):
        pool.set_threads(count)
        with pytest.raises(ValueError, match="y_i value out of bounds"):
            function(np.zeros((3000, 301)), classes)


def test_work_that_is_small_is_not_shared():
    x = T.dmatrix("x")
    function = theano.function([x], [T.tanh(x) + x.sum(), T.dot(x, x)])
    _, shared = with_threads(4, function, rng.standard_normal((60, 60)))
    assert not shared


def test_products_inside_shared_work_are_not_shared_again():
    """Filters so large that each image's product would be shared by itself."""
    x, w = T.tensor4("x", "float32"), T.tensor4("w", "float32")
    function = theano.function([x, w], T.nnet.conv2d(x, w))
    a, b = rng.standard_normal((6, 64, 30, 30)).astype("float32"), rng.standard_normal((256, 64, 3, 3)).astype("float32")
    assert_same_for_any_number(function, (a, b))


def _sample():
    x = T.dmatrix("x")
    return theano.function([x], [T.exp(x).sum(), T.dot(x, x), T.tanh(x)])


def test_eight_callers_at_once():
    function, values = _sample(), [rng.standard_normal((400, 400)) for _ in range(8)]
    wanted = [with_threads(1, function, v)[0] for v in values]
    pool.set_threads(3)
    failures = []

    def work(k):
        for _ in range(20):
            for one, other in zip(wanted[k], function(values[k])):
                if not np.array_equal(one, other):
                    failures.append(k)

    callers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
        assert not caller.is_alive()
    assert not failures


def _in_child(function, value, answer):
    began_with = pool.started()
    pool.set_threads(3)
    found = function(value)
    answer.put((began_with, pool.started(), [np.asarray(f) for f in found]))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("others", [0, 2], ids=["idle", "others at work"])
def test_a_forked_child_and_its_parent_go_on(others):
    function, value = _sample(), rng.standard_normal((400, 400))
    wanted, shared = with_threads(3, function, value)
    assert shared and pool.started() >= 2
    stop = threading.Event()

    def work():
        while not stop.is_set():
            function(value)

    callers = [threading.Thread(target=work) for _ in range(others)]
    for caller in callers:
        caller.start()
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    for _ in range(4):
        child = context.Process(target=_in_child, args=(function, value, answer))
        child.start()
        began_with, started, found = answer.get(timeout=60)
        child.join(60)
        assert child.exitcode == 0 and (began_with, started) == (0, 2)
        assert all(np.array_equal(one, other) for one, other in zip(wanted, found))
    stop.set()
    for caller in callers:
        caller.join(60)
    found, shared = with_threads(3, function, value)
    assert shared and all(np.array_equal(one, other) for one, other in zip(wanted, found))


# --- limits ---------------------------------------------------------------------------------------------------------


def _run(text, **environment):
    kept = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "THEANO_FLAGS")}
    kept.update(PYTHONPATH=str(ROOT), **environment)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=kept, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Error" not in done.stderr, done.stderr[-3000:]
    return done.stdout.split()


_PROGRAM = """
import os, numpy as np, theano_compat as theano, theano_compat.tensor as T
from theano_compat.codegen import pool
x = T.dmatrix()
f = theano.function([x], [T.exp(x).sum(), T.dot(x, x), T.tanh(x)])
for _ in range(3):
    f(np.ones((600, 600)))
print(len(os.listdir("/proc/self/task")), pool.started(), pool.shared_jobs() > 0)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_one_thread_asked_for_is_one_thread():
    assert _run(_PROGRAM, OMP_NUM_THREADS="1") == ["1", "0", "False"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_number_asked_for_is_started():
    assert _run(_PROGRAM, OMP_NUM_THREADS="3", OPENBLAS_NUM_THREADS="1") == ["3", "2", "True"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_openmp_in_the_flags_is_one_thread():
    assert _run(_PROGRAM, THEANO_FLAGS="openmp=False", OPENBLAS_NUM_THREADS="1") == ["1", "0", "False"]


def test_the_process_ends_well_while_threads_wait_and_work():
    program = _PROGRAM.replace('print(len(os.listdir("/proc/self/task")),', "print(1,") + (
        "import threading, time\n"
        "def work():\n    while True:\n        f(np.ones((600, 600)))\n"
        "threading.Thread(target=work, daemon=True).start()\ntime.sleep(0.3)\n"
    )
    assert _run(program, OMP_NUM_THREADS="4") == ["1", "3", "True"]


@pytest.mark.parametrize(
    "flags, environment, cpus, wanted",
    [
        ({}, {}, 6, (6, 6, 0)),
        ({}, {"OMP_NUM_THREADS": "3"}, 6, (3, 3, 0)),
        ({}, {"OMP_NUM_THREADS": "8,2"}, 1, (8, 8, 0)),
        ({}, {"OMP_NUM_THREADS": "many"}, 5, (5, 5, 0)),
        ({}, {"OPENBLAS_NUM_THREADS": "1"}, 4, (4, 1, 0)),
        ({"openmp": True, "openmp_elemwise_minsize": 1000}, {}, 4, (4, 4, 1000)),
    ],
)
def test_flags_and_environment_say_how_many(flags, environment, cpus, wanted, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pool, "available_cpus", lambda: cpus)
    monkeypatch.setattr(_by_name["openmp"], "is_default", not flags)
    with change_flags(**flags):
        assert pool.wanted_threads() == wanted


def test_the_least_size_of_the_flags_decides():
    x = T.dvector("x")
    with change_flags(openmp=True, openmp_elemwise_minsize=20000):
        function = theano.function([x], T.tanh(x))
        for size, wanted in ((19999, False), (20000, True)):
            pool.set_threads(7)  # a change of the number: no jobs alone, whatever happened before
            pool.set_threads(None)
            if pool.wanted_threads()[0] == 1:
                pytest.skip("one CPU")
            before = pool.shared_jobs()
            function(np.ones(size))
            assert (pool.shared_jobs() > before) == wanted


@pytest.mark.parametrize("files, groups, limit", [
    ({"cpu.max": "max 100000"}, "0::/\n", math.inf),
    ({"cpu.max": "150000 100000"}, "0::/\n", 1.5),
    ({"cpu.max": "400000 100000", "a/cpu.max": "max 100000", "a/b/cpu.max": "200000 100000"}, "0::/a/b\n", 2),
    ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu,cpuacct:/x\n1:name=systemd:/\n", 3),
    ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu,cpuacct:/x\n", math.inf),
    ({}, "nonsense", math.inf),
])
def test_the_limit_of_a_container_is_read(files, groups, limit, tmp_path):
    (tmp_path / "groups").write_text(groups)
    for name, text in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text + "\n")
    assert pool.container_limit(str(tmp_path / "groups"), str(tmp_path / "root")) == limit


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        pool.set_threads(0)


# --- races ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ThreadSanitizer of gcc on Linux")
def test_no_races(tmp_path):
    compiler = toolchain.compiler()
    text = pool.source() + Path(__file__).with_name("pool_sample.c").read_text()
    program = str(tmp_path / "sample")
    command = [*compiler.command, "-std=gnu11", "-g", "-O1", "-w", "-fsanitize=thread", "-pthread", "-x", "c", "-", "-o", program, "-lm"]
    if compiler.kind != "gcc" or subprocess.run(command, input=text, text=True, capture_output=True).returncode:
        pytest.skip("no ThreadSanitizer")
    for prefix in ([], ["setarch", "-R"]):  # where addresses are too random for it
        done = subprocess.run([*prefix, program], capture_output=True, text=True, timeout=300)
        if "unexpected memory mapping" not in done.stderr:
            break
    else:
        pytest.skip("ThreadSanitizer does not run here")
    assert done.returncode == 0 and done.stdout == "finished\n" and "WARNING" not in done.stderr, done.stderr[-4000:]
