"""Signals reach compiled loops; each case runs in a process of its own, which is killed if it does not end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen import abi, runtime, toolchain

pytestmark = pytest.mark.skipif(toolchain.compiler() is None or sys.platform == "win32", reason="needs a C compiler, and signals as POSIX has them")

CASES = [
    "until_that_never_holds",
    "many_cheap_steps",
    "long_inner_loop",
    "many_short_inner_loops",
    "slow_steps",
    "slow_branch_after_many_cheap_steps",
    "handler_that_raises_nothing",
    "handler_that_calls_the_function",
    "exception_of_a_handler_is_kept",
    "shared_variables_are_not_updated",
    "other_threads_are_not_disturbed",
    "thread_in_a_loop_does_not_keep_the_process",
    "child_of_another_thread_is_interrupted",
    pytest.param("interrupts_leave_no_memory", marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("extension", [True, False], ids=["extension", "ctypes"])
def test_signals_reach_a_loop_and_nothing_else_changes(case, extension):
    program = Path(__file__).with_name("interrupted_loops.py")
    environment = dict(os.environ, PYTHONPATH=str(program.parents[2]), THEANO_COMPAT_NO_EXTENSION="" if extension else "1")
    done = subprocess.run([sys.executable, str(program), case], capture_output=True, text=True, env=environment, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "finished\n", "")


def test_code_for_another_frame_is_not_taken_from_the_cache(monkeypatch):
    def texts():
        x = T.dvector("x")
        return theano.function([x], x * 2).fn.program.source, runtime._source()

    before = texts()
    assert before == texts()
    monkeypatch.setitem(abi._texts, "abi", abi.header("abi").replace("int64_t error[8];", "int64_t error[8], more;"))
    assert all(new != old for new, old in zip(texts(), before))
