"""The cache: whatever is wrong with its folder or its files, functions work, and nobody waits or loads a broken file."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from theano_compat.codegen import toolchain

pytestmark = pytest.mark.skipif(toolchain.compiler() is None, reason="needs a C compiler")

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import numpy as np, theano_compat as theano, theano_compat.tensor as T
from theano_compat.codegen import cache
x = T.dvector('x')
f = theano.function([x], [T.exp(x) + {n}, (x ** 2).sum()])
a, b = f([0.0, 1.0])
assert np.allclose(a, np.exp([0.0, 1.0]) + {n}) and b == 1.0
print(f.fn.loaded.library.was_cached)
"""


def start(folder, n=1, **kwargs):
    environment = {**os.environ, "THEANO_FLAGS": f"base_compiledir={folder},compiledir_format=here", "PYTHONPATH": str(ROOT), **kwargs.pop("env", {})}
    return subprocess.Popen([sys.executable, "-c", PROGRAM.format(n=n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **kwargs)


def run(folder, n=1, **kwargs):
    process = start(folder, n, **kwargs)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip()


def entries(folder):
    return sorted(Path(folder).rglob("*.so"))


@pytest.mark.parametrize("name", ["plain", "with blank and é", "long" * 40])
def test_second_process_finds_what_the_first_built(tmp_path, name):
    folder = tmp_path / name
    assert run(folder) == "False"
    assert run(folder) == "True"
    assert run(folder, n=2) == "False"


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def damage_empty(path):
    path.write_bytes(b"")


def damage_directory(path):
    path.unlink()
    path.mkdir()


def damage_symlink(path):
    planted = path.parent.parent / "planted"
    planted.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(planted)


def damage_exchange(path):
    other = next(p for p in entries(path.parents[1]) if p != path)
    path.write_bytes(other.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [damage_truncate, damage_flip, damage_empty, damage_directory, damage_symlink, damage_exchange], ids=lambda f: f.__name__)
def test_damaged_entries_are_built_again(tmp_path, damage):
    run(tmp_path)
    for path in entries(tmp_path):
        damage(path)
    assert run(tmp_path) == "False"
    if damage is not damage_directory:  # a folder in the way is left alone, and built around
        assert run(tmp_path) == "True"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_read_only_folder(tmp_path):
    run(tmp_path, n=1)
    os.chmod(tmp_path, 0o755)
    folders = [p for p in [tmp_path, *tmp_path.rglob("*")] if p.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert run(tmp_path, n=1) == "True"
        assert run(tmp_path, n=7) == "False"
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "base").write_text("not a folder")
    assert run(tmp_path / "base") == "False"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_folder_that_others_may_write_to_is_not_used(tmp_path):
    run(tmp_path)
    inner = tmp_path / "here" / "tc1"
    assert stat.S_IMODE(inner.stat().st_mode) == 0o700
    inner.chmod(0o777)
    assert run(tmp_path) == "False"


def test_eight_processes_start_cold_together(tmp_path):
    processes = [start(tmp_path) for _ in range(8)]
    for process in processes:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
    assert run(tmp_path) == "True"
    assert not list(tmp_path.rglob("tmp-*"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_in_mid_build(tmp_path):
    # Kill at ever later moments; whatever is left behind must not disturb the next process.
    for delay in (0.35, 0.5, 0.65, 0.8):
        process = start(tmp_path, n=3, start_new_session=True)
        time.sleep(delay)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for path in entries(tmp_path):
            if path.name.startswith("tmp-"):
                continue
            assert path.stat().st_size > 0
    run(tmp_path, n=3)
    assert run(tmp_path, n=3) == "True"


def test_no_compiler_means_numpy_and_one_line(tmp_path):
    code = """
import warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter('always')
    import numpy as np, theano_compat as theano, theano_compat.tensor as T
    x = T.dmatrix('x')
    f = theano.function([x], T.nnet.softmax(x).sum(), mode=theano.Mode('cvm', 'fast_run'))
    g = theano.function([x], x + 1, mode=theano.Mode('cvm', 'fast_run'))
    print(float(f(np.ones((2, 3)))), g([[1.0]])[0, 0])
print(sum('compiler' in str(w.message) for w in seen))
"""
    environment = {**os.environ, "THEANO_FLAGS": f"cxx=,base_compiledir={tmp_path}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2.0", "2.0", "1"]


def test_text_is_the_same_under_any_hash_seed(tmp_path):
    code = """
import theano_compat as theano, theano_compat.tensor as T, hashlib
x, W = T.fmatrix('x'), theano.shared(__import__('numpy').ones((3, 2), 'float32'))
y = T.ivector('y')
p = T.nnet.softmax(T.dot(x, W))
cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
f = theano.function([x, y], cost, updates=[(W, W - T.grad(cost, W) * __import__('numpy').float32(0.1))])
print(hashlib.sha256(f.fn.program.source.encode()).hexdigest())
"""
    texts = set()
    for seed in ("0", "1", "12345"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "THEANO_FLAGS": f"base_compiledir={tmp_path}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    assert len(texts) == 1


def test_nothing_of_the_users_reaches_the_text():
    import theano_compat as theano
    import theano_compat.tensor as T

    x = T.dvector('evil"; } int main(void) { //')
    f = theano.function([x], x * 2, name="*/ hello")
    assert "evil" not in f.fn.program.source and "hello" not in f.fn.program.source


def test_many_compilations_do_not_pile_up(tmp_path):
    """Code is unloaded with the last function that uses it."""
    code = """
import gc, os, numpy as np, theano_compat as theano, theano_compat.tensor as T

def maps():
    return sum('/tc1/' in line for line in open('/proc/self/maps'))

x = T.dvector('x')
for i in range(12):
    f = theano.function([x], x * float(i + 2))
    f([1.0])
    del f
    gc.collect()
print(maps())
"""
    if not os.path.exists("/proc/self/maps"):
        pytest.skip("needs /proc")
    environment = {**os.environ, "THEANO_FLAGS": f"base_compiledir={tmp_path}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 12  # the run-time extension and at most one function, a few mappings each
