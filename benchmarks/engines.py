"""Starts a framework in a process of its own and talks to it: the driver's side of worker.py.

A worker is asked one thing at a time (build a case, time it, write its results) and waits between two questions, so that several can take
turns on one core.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

HERE = Path(__file__).parent


class Failed(RuntimeError):
    """A framework could not do what it was asked; the message is one line that says why."""


def add_arguments(parser: ArgumentParser, names: tuple[str, ...]) -> None:
    """Add what every comparison asks for: an interpreter for each of `names`, threads, BLAS of real Theano, a file for the records."""
    for name in names:
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"interpreter with {name}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--theano-blas", default="-lopenblas", help="blas.ldflags of real Theano")
    parser.add_argument("--json", type=Path, help="write all records here")


def chosen(args: Namespace, names: tuple[str, ...]) -> dict[str, str]:
    """Return framework -> interpreter of those that are to run, theano_compat first."""
    return {"theano_compat": sys.executable, **{name: getattr(args, name) for name in names if getattr(args, name)}}


def environment(framework: str, cache: str | Path, dtype: str, args: Namespace) -> dict[str, str]:
    """Return the environment of a worker: one dtype, one number of threads, and its cache of compiled code in `cache`."""
    flags = f"floatX={dtype},base_compiledir={cache}"
    if framework == "theano":
        flags += f",blas.ldflags={args.theano_blas}"
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages have their bytecode; so shall a checkout
    variables["PYTENSOR_FLAGS" if framework == "pytensor" else "THEANO_FLAGS"] = flags
    variables.update(JAX_ENABLE_X64="1" if dtype == "float64" else "0", JAX_PLATFORMS="cpu")
    # JAX has a cache too, if it is told where; warm shall mean the same for all.
    variables.update(JAX_COMPILATION_CACHE_DIR=f"{cache}/jax", JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0", JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1")
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    variables.update({name: str(args.threads) for name in threads})
    if args.threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return variables


class Worker:
    """A process that runs one framework.

    Parameters
    ----------
    framework : str
    python : str
        Its interpreter.
    suite : {"graphs", "loops"}
        Which cases it knows.
    cache : path
        Its folder of compiled code.
    dtype : str
    args : Namespace
        With `threads` and `theano_blas`.
    patience : float, optional
        Seconds to wait for an answer before the process is ended; no limit by default.

    Attributes
    ----------
    hello : dict
        What the worker says of itself: versions, how it is set up, seconds of its imports.

    Raises
    ------
    Failed
        If the framework cannot be imported.
    """

    def __init__(self, framework: str, python: str, suite: str, cache: str | Path, dtype: str, args: Namespace, patience: float | None = None):
        self.framework, self.patience = framework, patience
        self.log = tempfile.TemporaryFile()
        command = [python, "-W", "ignore", str(HERE / "worker.py"), framework, suite, "--dtype", dtype, "--threads", str(args.threads)]
        variables = environment(framework, cache, dtype, args)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=variables)
        self.hello = self.answer()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def ask(self, do: str, **arguments: object) -> dict:
        """Ask for one thing and return the answer, or raise `Failed`."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says what became of it
        return self.answer()

    def answer(self) -> dict:
        """Return the next answer."""
        line, until = b"", None if self.patience is None else time.monotonic() + self.patience
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(None if until is None else max(0, until - time.monotonic())):
                    self.close()
                    raise Failed(f"gave up after {self.patience:.0f} s")
                piece = os.read(self.process.stdout.fileno(), 1 << 16)
                if not piece:
                    raise Failed(self.last_words())
                line += piece
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def last_words(self) -> str:
        """Return why a process has ended: its exit code and the last line that it printed."""
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return f"ended with {code}: {lines[-1] if lines else 'no message'}"
