"""Compares theano_compat with real Theano, JAX and PyTorch: one command, one table.

    python benchmarks/run.py                                  theano_compat alone
    python benchmarks/run.py --theano PYTHON --jax PYTHON --torch PYTHON

PYTHON is an interpreter that has that framework. Every measurement is a process of its own; the frameworks take turns, and the order of a turn is
reversed each time. The fourth call of every framework must give the same number before any time is printed. Printed are medians over the rounds and ratios to theano_compat:

    import   import of the framework, NumPy included
    cold     from the expression to the first result, with an empty cache of compiled code
    warm     the same in a second process
    step     one call, later on
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CASES = ("logistic", "mlp", "lenet", "x + 1", "chain", "softmax", "polynomial")


def measure(framework: str, python: str, case: str, cache: str, args) -> dict:
    """Run one worker and return its record."""
    flags = f"floatX={args.dtype},base_compiledir={cache}"
    if framework == "theano":
        flags += f",blas.ldflags={args.theano_blas}"
    environment = {**os.environ, "THEANO_FLAGS": flags, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages have their bytecode; so shall a checkout
    environment["JAX_ENABLE_X64"] = "1" if args.dtype == "float64" else "0"
    environment["JAX_PLATFORMS"] = "cpu"
    # The matrix products of all run on the same number of threads.
    environment.update({name: str(args.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})
    command = [python, "-W", "ignore", str(HERE / "worker.py"), framework, case, "--dtype", args.dtype, "--batch", str(args.batch), "--seconds", str(args.seconds)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{framework} failed on {case}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("theano", "jax", "torch"):
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"interpreter with {name}")
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--theano-blas", default="-lopenblas", help="blas.ldflags of real Theano")
    parser.add_argument("--json", type=Path, help="write all records here")
    args = parser.parse_args()
    frameworks = {"theano_compat": sys.executable, **{n: getattr(args, n) for n in ("theano", "jax", "torch") if getattr(args, n)}}
    records: dict = {}
    with tempfile.TemporaryDirectory() as scratch:
        for framework, python in frameworks.items():  # bytecode and the disk's cache
            measure(framework, python, "x + 1", f"{scratch}/first-{framework}", args)
        for case in args.cases:
            for turn in range(args.rounds):
                order = list(frameworks.items())
                for framework, python in order if turn % 2 == 0 else reversed(order):
                    cache = f"{scratch}/{framework}-{case.replace(' ', '')}-{turn}"
                    for kind in ("cold", "warm"):
                        record = measure(framework, python, case, cache, args)
                        records.setdefault((case, framework, kind), []).append(record)
            show(case, frameworks, records, 1e-3 if args.dtype == "float32" else 1e-6)
    if args.json:
        args.json.write_text(json.dumps([{"case": c, "framework": f, "kind": k, "records": r} for (c, f, k), r in records.items()], indent=1))


def show(case: str, frameworks: dict, records: dict, tolerance: float) -> None:
    """Print one case's table, after checking that all frameworks computed the same."""

    def median(framework, kind, what):
        return statistics.median(what(r) for r in records[case, framework, kind])

    results = {f: records[case, f, "warm"][0]["result"] for f in frameworks}
    ours = results["theano_compat"]
    rows = []
    for framework in frameworks:
        first = lambda r: r["build_s"] + r["first_call_s"]
        rows.append((framework, median(framework, "warm", lambda r: r["import_s"]), median(framework, "cold", first), median(framework, "warm", first), median(framework, "warm", lambda r: r["step_s"])))
    print(f"\n{case}")
    print(f"  {'':14}{'import s':>10}{'cold s':>10}{'warm s':>10}{'step µs':>12}   ratios to theano_compat (above 1: slower)")
    base = rows[0]
    for row in rows:
        ratios = "  ".join(f"{name} {value / mine:.2f}" for name, value, mine in zip(("import", "cold", "warm", "step"), row[1:], base[1:]))
        agrees = "" if row is base or abs(results[row[0]] - ours) <= tolerance * max(1, abs(ours)) else f"  DIFFERS: {results[row[0]]} against {ours}"
        print(f"  {row[0]:14}{row[1]:10.3f}{row[2]:10.3f}{row[3]:10.3f}{1e6 * row[4]:12.2f}   {ratios if row is not base else ''}{agrees}", flush=True)


if __name__ == "__main__":
    main()
