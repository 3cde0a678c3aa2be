"""Generated code and the run-time extension under address and undefined-behaviour checks, and without a warning."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen import runtime, toolchain

COMPILER = toolchain.compiler()
pytestmark = pytest.mark.skipif(COMPILER is None or COMPILER.kind != "gcc" or not sys.platform.startswith("linux"), reason="needs gcc on Linux")
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_sample_under_sanitizers(tmp_path):
    libraries = []
    for name in ("libasan.so", "libubsan.so"):
        path = subprocess.run([COMPILER.command[0], f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
        if not os.path.isabs(path):
            pytest.skip(f"no {name}")
        libraries.append(path)
    environment = dict(
        os.environ,
        LD_PRELOAD=" ".join(libraries),
        ASAN_OPTIONS="detect_leaks=0:abort_on_error=0",
        UBSAN_OPTIONS="print_stacktrace=1",
        PYTHONPATH=str(ROOT),
        PYTHONMALLOC="malloc",
        OMP_NUM_THREADS="3",
        THEANO_FLAGS=f"base_compiledir={tmp_path},gcc.cxxflags=-fsanitize=address,undefined -fno-sanitize-recover=undefined -g".replace(
            "address,undefined", "address -fsanitize=undefined"
        ),
    )
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("sanitized_sample.py"))], capture_output=True, text=True, env=environment, timeout=500)
    assert "finished" in done.stdout and "ERROR" not in done.stderr and "runtime error" not in done.stderr, done.stderr[-4000:]


def warnings_of(source, *options):
    command = [*COMPILER.command, *(o for o in toolchain.OPTIONS if o != "-w"), "-Wall", "-Wextra", "-Werror", *options, "-c", "-x", "c", "-", "-o", os.devnull]
    done = subprocess.run(command, input=source, capture_output=True, text=True, timeout=120)
    return re.findall(r"error: .*", done.stderr) if done.returncode else []


def test_the_extension_has_no_warnings():
    assert warnings_of(runtime._source(), *(f"-I{folder}" for folder in runtime._headers()), "-Wno-unused-parameter", "-Wno-cast-function-type") == []


def sources():
    x, y = T.matrices("xy")
    i = T.ivector()
    z, w = T.tensor4s("zw")
    cost = T.nnet.categorical_crossentropy(T.nnet.softmax(T.dot(x, y)), i).mean()
    yield [x, y, i], [cost, *T.grad(cost, [x, y])]
    yield [x], [x.sum(0), T.tanh(x[::2]).mean(), x.max(1), T.argmax(x, 0), T.join(0, x, x)]
    yield [x, i], [x[i], T.inc_subtensor(x[i], 1)]
    yield [z, w], [T.nnet.conv2d(z, w)]
    yield [x], [theano.scan(lambda row, s: s * 0.5 + T.dot(row, row), sequences=x, outputs_info=x[0])[0]]
    yield [x], [T.cast(x, "int8") // 3, T.cast(x, "complex64") * 2j, T.erf(x), T.gammaln(x)]


@pytest.mark.parametrize("inputs, outputs", list(sources()))
def test_generated_code_has_no_warnings(inputs, outputs):
    source = theano.function(inputs, outputs).fn.program.source
    # Helpers and kernel arguments that a function has no use for are not worth a special text.
    ignored = ("-Wno-unused-function", "-Wno-unused-parameter", "-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-unknown-pragmas")
    assert warnings_of(source, *ignored) == []
