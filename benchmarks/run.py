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
import statistics
import tempfile

import numpy as np

from engines import Failed, Worker, add_arguments, chosen

CASES = ("logistic", "mlp", "lenet", "x + 1", "chain", "softmax", "polynomial")
OTHERS = ("theano", "jax", "torch")


def measure(framework: str, python: str, case: str, cache: str, args) -> dict:
    """Run one worker and return its record."""
    try:
        with Worker(framework, python, "graphs", cache, args.dtype, args) as worker, tempfile.TemporaryDirectory() as scratch:
            (built,) = worker.ask("build", case=case, sizes={"batch": args.batch})["variants"]
            worker.ask("results", file=f"{scratch}/results.npz")
            result = float(np.load(f"{scratch}/results.npz")["/0"].sum(dtype="float64"))
            return {**worker.hello, **built, **worker.ask("time", variant="", seconds=args.seconds, at_least=5), "result": result}
    except Failed as failure:
        raise SystemExit(f"{framework} failed on {case}: {failure}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, OTHERS)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--batch", type=int, default=100)
    args = parser.parse_args()
    frameworks = chosen(args, OTHERS)
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
