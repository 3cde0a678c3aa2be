"""Compares the random streams of theano_compat with those of real Theano and with NumPy's Generator.

    python benchmarks/random_streams.py                       theano_compat and NumPy
    python benchmarks/random_streams.py --theano PYTHON       PYTHON is an interpreter that has Theano

Every library is a process of its own, on one thread, that stays for the whole run; they take turns, and the order of a turn is reversed each time. The
first call of theano_compat must give the numbers of Theano before any time is printed (normal numbers: to the last but few bits). Printed are
medians over the rounds of the shortest call of a turn, and ratios to theano_compat.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def pvals(rows, k):
    """Rows of probabilities: shape (rows, k)."""
    import numpy as np

    p = np.random.RandomState(0).rand(rows, k).astype("float32") + 0.01
    return p / p.sum(1, keepdims=True)


def theano_cases(theano, streams, shared):
    """Case -> sample."""
    return {
        "uniform float32, 1e6": lambda: streams.uniform((1000000,), dtype="float32"),
        "uniform float64, 1e6": lambda: streams.uniform((1000000,), dtype="float64"),
        "uniform float32, 100 x 100": lambda: streams.uniform((100, 100), dtype="float32"),
        "uniform float32, 20": lambda: streams.uniform((20,), dtype="float32"),
        "normal float32, 1e6": lambda: streams.normal((1000000,), dtype="float32"),
        "truncated normal float32, 1e5": lambda: streams.truncated_normal((100000,), dtype="float32"),
        "dropout mask, 128 x 1000": lambda: streams.binomial((128, 1000), p=0.5, dtype="float32"),
        "multinomial, 1000 x 100": lambda: streams.multinomial(pvals=shared(pvals(1000, 100)), dtype="float32"),
        "multinomial, 1000 x 100, n = 50": lambda: streams.multinomial(pvals=shared(pvals(1000, 100)), n=50),
        "choice of 10, 1000 x 100": lambda: streams.choice(size=10, replace=False, p=shared(pvals(1000, 100))),
    }


def numpy_cases(rng):
    """Case -> call; NumPy has no choice without replacement over many rows."""
    import numpy as np

    doubles = pvals(1000, 100).astype("float64")
    doubles /= doubles.sum(1, keepdims=True)
    return {
        "uniform float32, 1e6": lambda: rng.random(1000000, dtype="float32"),
        "uniform float64, 1e6": lambda: rng.random(1000000),
        "uniform float32, 100 x 100": lambda: rng.random((100, 100), dtype="float32"),
        "uniform float32, 20": lambda: rng.random(20, dtype="float32"),
        "normal float32, 1e6": lambda: rng.standard_normal(1000000, dtype="float32"),
        "dropout mask, 128 x 1000": lambda: (rng.random((128, 1000), dtype="float32") < np.float32(0.5)).astype("float32"),
        "multinomial, 1000 x 100": lambda: rng.multinomial(1, doubles),
        "multinomial, 1000 x 100, n = 50": lambda: rng.multinomial(50, doubles),
    }


def answer(library: str) -> None:
    """Run cases as they are asked for on standard input, a line each, and print a line of JSON for each."""
    import numpy as np

    if library == "numpy":
        cases = numpy_cases(np.random.default_rng(0))
        build = cases.get
    else:
        if library == "theano":
            import theano
            from theano.sandbox.rng_mrg import MRG_RandomStreams
        else:
            import theano_compat as theano
            from theano_compat.sandbox.rng_mrg import MRG_RandomStreams
        samples = theano_cases(theano, MRG_RandomStreams(2017), theano.shared)
        build = lambda case: theano.function([], samples[case]())
    calls: dict = {}
    for line in sys.stdin:
        case, seconds = json.loads(line)
        first = None
        if case not in calls:
            calls[case] = build(case)
            first = None if calls[case] is None else np.asarray(calls[case](), "float64").ravel()[:2000].tolist()
        call, best = calls[case], float("inf")
        until = time.perf_counter() + seconds
        while call is not None and time.perf_counter() < until:
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        print(json.dumps({"best": best, "first": first}), flush=True)


def start(library: str, python: str, cache: str) -> subprocess.Popen:
    """Start the process that answers for a library."""
    here = Path(__file__)
    environment = {**os.environ, "THEANO_FLAGS": f"floatX=float32,blas.ldflags=,base_compiledir={cache}", "PYTHONPATH": str(here.parent.parent), "OMP_NUM_THREADS": "1"}
    command = [python, "-W", "ignore", str(here), "--answer", library]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)


def ask(process: subprocess.Popen, case: str, seconds: float) -> dict:
    """Ask a library for one turn of a case."""
    process.stdin.write(json.dumps([case, seconds]) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(process.args)} ended on {case}")
    return json.loads(line)


def check(case: str, first: dict) -> None:
    """Refuse to compare times of different numbers."""
    if first.get("theano") is None:
        return
    tolerance = 1e-4 if "normal" in case else 0
    worst = max(abs(a - b) for a, b in zip(first["theano_compat"], first["theano"]))
    if worst > tolerance:
        raise SystemExit(f"{case}: theano_compat and Theano give different numbers, by {worst}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--theano", metavar="PYTHON", help="interpreter with theano")
    parser.add_argument("--cases", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="how long a turn is")
    parser.add_argument("--answer", metavar="LIBRARY", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.answer:
        answer(args.answer)
        return
    pythons = {"theano_compat": sys.executable, **({"theano": args.theano} if args.theano else {}), "numpy": sys.executable}
    with tempfile.TemporaryDirectory() as scratch:
        processes = {library: start(library, python, f"{scratch}/{library}") for library, python in pythons.items()}
        print(f"{'':34}" + "".join(f"{library + ' µs':>18}" for library in pythons) + "   ratios to theano_compat")
        for case in args.cases or theano_cases(None, None, None):
            first = {library: ask(process, case, 0)["first"] for library, process in processes.items()}
            check(case, first)
            times: dict = {library: [] for library in pythons}
            for turn in range(args.rounds):
                for library in list(pythons)[:: 1 if turn % 2 == 0 else -1]:
                    times[library].append(ask(processes[library], case, args.seconds)["best"])
            medians = {library: statistics.median(found) for library, found in times.items() if first[library] is not None}
            row = "".join(f"{1e6 * medians[library]:18.1f}" if library in medians else f"{'-':>18}" for library in pythons)
            ratios = "  ".join(f"{library} {t / medians['theano_compat']:.1f}" for library, t in medians.items() if library != "theano_compat")
            print(f"{case:34}{row}   {ratios}", flush=True)
        for process in processes.values():
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    main()
