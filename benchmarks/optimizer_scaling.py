"""How the time of rewriting grows with the depth of a network.

    python benchmarks/optimizer_scaling.py                        theano_compat alone
    python benchmarks/optimizer_scaling.py --theano PYTHON        beside real Theano, in PYTHON

Multilayer perceptrons of 5 to 80 layers with softmax, negative log-likelihood, weight decay and an update of every parameter are
built and rewritten with all of ``fast_run``, but not compiled (linker ``py``), each in a process of its own, the frameworks in turns.
Printed are medians over the rounds, in seconds: building the gradient, rewriting, and ours again by stage.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def network(theano, layers, width=10):
    """Return the inputs, the cost and the updates of a training step."""
    import time

    import numpy as np

    T = theano.tensor
    rng = np.random.RandomState(0)
    x, y = T.matrix("x"), T.lvector("y")
    parameters, hidden = [], x
    for i in range(layers):
        weights = theano.shared(rng.randn(width, width) * 0.1, name=f"W{i}")
        bias = theano.shared(np.zeros(width), name=f"b{i}")
        hidden = T.tanh(T.dot(hidden, weights) + bias)
        parameters += [weights, bias]
    probabilities = T.nnet.softmax(hidden)
    cost = -T.mean(T.log(probabilities)[T.arange(y.shape[0]), y])
    for weights in parameters[::2]:
        cost = cost + 0.001 * (weights**2).sum()
    start = time.perf_counter()
    gradients = T.grad(cost, parameters)
    seconds = time.perf_counter() - start
    return [x, y], cost, [(p, p - 0.1 * g) for p, g in zip(parameters, gradients)], seconds


def stages(profile):
    """Return the seconds of each entry of the rewrite database."""
    found = {}
    for part in getattr(profile, "parts", ()):
        name = getattr(part.rewrite, "name", None) or type(part.rewrite).__name__
        found[name] = found.get(name, 0.0) + part.seconds
    return found


def work(framework, layers):
    """Measure one network in this process and print a record."""
    import importlib
    import time

    theano = importlib.import_module({"ours": "theano_compat", "theano": "theano"}[framework])
    importlib.import_module(theano.__name__ + ".tensor")
    mode_class = importlib.import_module(theano.__name__ + ".compile.mode").Mode
    fgraph_class = importlib.import_module(theano.__name__ + ".gof").FunctionGraph
    inputs, cost, updates, gradient = network(theano, layers)
    fgraph = fgraph_class(inputs + [p for p, _ in updates], [cost] + [new for _, new in updates], clone=True)
    before = len(fgraph.apply_nodes)
    optimizer = mode_class("py", "fast_run").optimizer
    start = time.perf_counter()
    with mode_flags(theano):
        profile = optimizer.optimize(fgraph)
    seconds = time.perf_counter() - start
    record = {"gradient": gradient, "rewriting": seconds, "before": before, "after": len(fgraph.apply_nodes)}
    if framework == "ours":
        record["stages"] = stages(profile)
    print("RECORD " + json.dumps(record))


def mode_flags(theano):
    """Return the context in which a function would be compiled: no traces for variables made by rewrites."""
    import importlib

    change_flags = importlib.import_module(theano.__name__ + ".configparser").change_flags
    flags = change_flags(**{"traceback.limit": theano.config.traceback.compile_limit})
    if hasattr(flags, "__enter__"):
        return flags
    import contextlib

    return contextlib.nullcontext()


def measure(framework, python, layers):
    """Run one process; return its record."""
    flags = "blas.ldflags=-lopenblas,cxx=" if framework == "theano" else ""
    environment = {**os.environ, "THEANO_FLAGS": flags, "PYTHONPATH": str(ROOT)}
    command = [python, "-W", "ignore", __file__, "--worker", framework, "--layers", str(layers)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    for line in result.stdout.splitlines():
        if line.startswith("RECORD "):
            return json.loads(line[7:])
    raise RuntimeError(f"{framework} with {layers} layers failed:\n{result.stderr[-2000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--theano", metavar="PYTHON", help="an interpreter with real Theano")
    parser.add_argument("--layers", type=int, nargs="+", default=[5, 10, 20, 40, 80])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", choices=["ours", "theano"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.layers[0])
        return
    frameworks = {"ours": sys.executable, **({"theano": args.theano} if args.theano else {})}
    print(f"{'layers':>6} {'nodes':>6} {'after':>6} {'gradient':>9} {'rewriting':>10}" + ("  theano: gradient  rewriting   ratio" if args.theano else ""))
    by_stage = {}
    for layers in args.layers:
        records = {name: [] for name in frameworks}
        for turn in range(args.rounds):
            for name in list(frameworks)[:: -1 if turn % 2 else 1]:
                records[name].append(measure(name, frameworks[name], layers))
        median = {
            name: {key: statistics.median(r[key] for r in rows) for key in ("gradient", "rewriting", "before", "after")}
            for name, rows in records.items()
        }
        ours = median["ours"]
        line = f"{layers:6d} {ours['before']:6.0f} {ours['after']:6.0f} {ours['gradient']:9.3f} {ours['rewriting']:10.3f}"
        if args.theano:
            theirs = median["theano"]
            line += f"  {theirs['gradient']:16.3f} {theirs['rewriting']:10.3f} {theirs['rewriting'] / ours['rewriting']:7.1f}"
        print(line, flush=True)
        for record in records["ours"]:
            for stage, seconds in record["stages"].items():
                by_stage.setdefault(stage, {}).setdefault(layers, []).append(seconds)
    print("\nours by stage, seconds")
    rows = {stage: {n: statistics.median(s) for n, s in table.items()} for stage, table in by_stage.items()}
    largest = max(args.layers)
    print(f"{'':28}" + "".join(f"{n:>9}" for n in args.layers))
    for stage, table in sorted(rows.items(), key=lambda item: -item[1].get(largest, 0)):
        if table.get(largest, 0) > 0.005:
            print(f"{stage:28}" + "".join(f"{table.get(n, 0):9.3f}" for n in args.layers))


if __name__ == "__main__":
    main()
