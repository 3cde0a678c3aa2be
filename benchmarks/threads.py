"""What the threads of compiled functions gain and cost: the same work with 1, 2, ... threads, beside nothing and beside a busy process.

    python benchmarks/threads.py                         1 and 2 threads
    python benchmarks/threads.py --threads 1 2 4 8 --busy 4

The numbers of threads take turns of a fifth of a second, in one process and on one function. Printed are, for each piece of work, the median time of a call on one thread in
milliseconds, and the ratios to it of the others' medians (and of their means, which tell what rare long calls cost): below 1 is faster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean as mean, median as middle

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from models_theano import cases
from theano_compat.codegen import pool
from graphs_data import make_data


def pieces(dtype: str):
    """Yield name, compiled function and arguments of each piece of work."""
    theano.config.floatX = dtype
    rng = np.random.default_rng(0)
    v, m = T.vector("v"), T.matrix("m")
    vector = rng.standard_normal(1_000_000).astype(dtype)
    matrix = rng.standard_normal((1000, 1000)).astype(dtype)
    for name, output in (("2 v + 1", 2 * v + 1), ("tanh(v)", T.tanh(v)), ("sum(exp(v))", T.exp(v).sum()), ("sum(v)", v.sum())):
        yield f"{name}, 1e6 elements", theano.function([v], output), (vector,)
    for name, output in (("sum over rows", T.exp(m).sum(0)), ("sum over columns", T.exp(m).sum(1)), ("softmax", T.nnet.softmax(m)), ("product", T.dot(m, m))):
        yield f"{name}, 1000 x 1000", theano.function([m], output), (matrix,)
    for case, batch in (("mlp", 100), ("mlp", 500), ("lenet", 100)):
        function, arguments = cases(theano)[case](make_data(case, dtype, batch))
        yield f"{case} step, batch {batch}", function, arguments


def measure(function, arguments, threads: list[int], seconds: float) -> list[list[float]]:
    """Return the times of the calls for each number of threads; they take turns."""
    times: list[list[float]] = [[] for _ in threads]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 12:
        for found, count in zip(times, threads):
            pool.set_threads(count)
            turn = time.perf_counter() + 0.2
            while (start := time.perf_counter()) < turn:
                function(*arguments)
                found.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--busy", type=int, default=1, help="busy processes beside, in the second half")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each piece of work")
    args = parser.parse_args()
    print(f"{pool.available_cpus()} CPUs, load {os.getloadavg()[0]:.1f}, {args.dtype}; ratios for {args.threads[1:]} threads")
    print(f"{'':36s}{'alone':>30s}{f'beside {args.busy} busy':>30s}")
    for name, function, arguments in pieces(args.dtype):
        columns = []
        for busy in (0, args.busy):
            beside = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            try:
                first, *others = measure(function, arguments, args.threads, args.seconds)
            finally:
                for process in beside:
                    process.kill()
                    process.wait()
            ratios = (f"{middle(other) / middle(first):7.2f} ({mean(other) / mean(first):.2f})" for other in others)
            columns.append(f"{1e3 * middle(first):9.2f} ms" + "".join(ratios))
        print(f"{name:36s}" + "".join(f"{c:>30s}" for c in columns), flush=True)


if __name__ == "__main__":
    main()
