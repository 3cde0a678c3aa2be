"""Compares the loops of theano_compat with those of real Theano, JAX, PyTorch and PyTensor: one command, one table a case.

    python benchmarks/loops.py --quick                        theano_compat alone
    python benchmarks/loops.py --quick --cache FOLDER --theano PYTHON --jax PYTHON --torch PYTHON --pytensor PYTHON

PYTHON is an interpreter that has that framework. Real Theano and PyTensor spend a minute or two on each new graph: the first quick run fills FOLDER, the next
takes five minutes; without --quick, count on an hour. Real Theano's compiled loop needs Python 3.10 or older; what runs, and how it loops, is printed first.
Each framework has a process of its own, all on the same core and with one thread (``--threads``). They take turns of ``--seconds``, in an order that is
reversed each time; printed are medians over the turns.

Before a case is timed, every framework has called it four times, and the results of the fourth call and how far it has moved each parameter
must be those of real Theano, or of the first other framework that runs. ``differs`` is the largest difference, relative to the largest element of its array; what differs by more than ``--tolerance`` is not timed.
Where a framework has several ways of writing a loop all are checked, and the fastest is printed, with its name. ``ours/other`` below 1: theano_compat is faster.

    power       A ** k for a vector of 8, by 10 000 multiplications; float64, all else is float32
    recurrence  h = a * h + b over rows of 8 and of 256; the sum of all h and its gradients
    rnn, gru    batch 1, 32 units, 1000 steps: all predictions, and a training step
    lstm        a training step: embedding, LSTM, softmax and crossentropy at each of 100 steps; ``--grid`` for more sizes
    compile     that training step from the first expression to the first result: with an empty cache, and in a second process
    unrolled    the same for an LSTM without a loop, in a graph that grows
    memory      by how much the first training step lets the process grow, with scan and with scan_checkpoints (Linux);
                real Theano's scan_checkpoints needs the division of Python 2, and is given it
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np

from engines import Failed, Worker, add_arguments, chosen

OTHERS = ("theano", "jax", "torch", "pytensor")
LSTM = {"steps": 100, "hidden": 256, "batch": 32}
SMALL = {"steps": 1000, "hidden": 32, "batch": 1}
#: group -> (case, dtype, sizes) of its tables of times
TIMED = {
    "power": [("power", "float64", {"steps": 10_000, "n": 8})],
    "recurrence": [("recurrence", "float32", {"steps": 1000, "n": n}) for n in (8, 256)],
    "rnn": [("rnn forward", "float32", SMALL), ("rnn training", "float32", SMALL)],
    "gru": [("gru forward", "float32", SMALL), ("gru training", "float32", SMALL)],
    "lstm": [("lstm training", "float32", LSTM)],
}
GRID = [("lstm training", "float32", {"steps": 100, "hidden": hidden, "batch": batch}) for hidden in (16, 64, 256, 1024) for batch in (1, 32)]
# A gradient is a sum of many terms that cancel: in float32 two right ones were seen to differ by 1e-3.
TOLERANCE = {"float32": 3e-3, "float64": 1e-9}


class Comparison:
    """What all tables need: the frameworks, their caches, and what was measured.

    Attributes
    ----------
    frameworks : dict
        Framework -> interpreter.
    records : list of dict
        All measurements.
    """

    def __init__(self, args: argparse.Namespace, scratch: Path):
        self.args, self.scratch, self.frameworks, self.records = args, scratch, chosen(args, OTHERS), []
        self.cache = args.cache or scratch / "cache"
        self.fresh = 0

    def pristine(self, framework: str) -> Path:
        """Return the folder of what importing a framework alone leaves in its cache; real Theano builds two extensions then."""
        return self.scratch / "pristine" / framework

    def worker(self, framework: str, dtype: str = "float32", cache: Path | None = None) -> Worker:
        """Start a framework; its compiled code is shared by all tables of times."""
        where = cache or (self.cache / framework).absolute()
        return Worker(framework, self.frameworks[framework], "loops", where, dtype, self.args, self.args.patience)

    def new_cache(self, framework: str) -> Path:
        """Return a folder in which no function was compiled yet."""
        self.fresh += 1
        folder = self.scratch / f"fresh-{self.fresh}"
        if self.pristine(framework).exists():
            shutil.copytree(self.pristine(framework), folder)
        return folder

    def keep(self, framework: str, cache: Path) -> None:
        """Let what was compiled serve the tables of times."""
        if cache.exists() and not (self.cache / framework).exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            shutil.move(cache, self.cache / framework)

    def seconds(self, record: dict, step: bool) -> float:
        """Return the time of a record on the clock that was asked for: of a call, or of building and the first call."""
        if self.args.clock == "cpu":
            return record["cpu_s" if step else "compile_cpu_s"]
        return record["step_s"] if step else record["build_s"] + record["first_call_s"]

    def record(self, **values: object) -> None:
        """Keep a measurement."""
        self.records.append(values)
        if self.args.json:
            self.args.json.write_text(json.dumps(self.records, indent=1))

    def in_turns(self, items: list, turn: int) -> list:
        """Return the order of a turn."""
        return items[::-1] if turn % 2 else items


def difference(arrays: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    """Return the largest difference of two lists of arrays, each relative to the largest element that is wanted; infinite if they cannot be compared."""
    if [a.shape for a in arrays] != [w.shape for w in wanted]:
        return math.inf
    worst = [np.abs(a.astype("float64") - w).max() / max(np.abs(w).max(), 1e-30) for a, w in zip(arrays, wanted) if a.size]
    return max((float(value) if np.isfinite(value) else math.inf for value in worst), default=0.0)


def results(worker: Worker, variants: list[dict], scratch: Path) -> dict[str, list[np.ndarray]]:
    """Return variant -> results of the fourth call."""
    file = scratch / "results.npz"
    worker.ask("results", file=str(file))
    with np.load(file) as stored:
        found: dict[str, list[np.ndarray]] = {}
        for name in stored:
            found.setdefault(name.rpartition("/")[0], []).append(stored[name])
    return {v["variant"]: found[v["variant"]] for v in variants if "error" not in v}


def clock(seconds: float) -> str:
    """Return a time in a unit that suits it."""
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else f"{seconds * factor:.0f} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def line(framework: str, *columns: str) -> None:
    """Print a row of a table."""
    print(f"  {framework:14}{columns[0]:22}" + "".join(f"{c:>13}" for c in columns[1:]), flush=True)


def title(case: str, sizes: dict, dtype: str) -> None:
    print(f"\n{case}: {', '.join(f'{name} {value}' for name, value in sizes.items())}, {dtype}")


def prepared(bench: Comparison, stack: contextlib.ExitStack, case: str, dtype: str, sizes: dict) -> tuple[dict, list[dict]]:
    """Build a case everywhere and compare the results; return the workers, and what there is to time and what failed."""
    workers, lanes, found = {}, [], {}
    for framework in bench.frameworks:
        try:
            worker = workers[framework] = stack.enter_context(bench.worker(framework, dtype))
            built = worker.ask("build", case=case, sizes=sizes)["variants"]
            found[framework] = results(worker, built, bench.scratch)
        except Failed as failure:
            lanes.append({"framework": framework, "variant": "", "error": str(failure)})
            continue
        lanes += [{"framework": framework, "times": [], **variant} for variant in built]
    referee = next((f for f in (*OTHERS, "theano_compat") if found.get(f)), None)
    for lane in lanes:
        if "error" not in lane:
            wanted = next(iter(found[referee].values()))
            lane["differs"] = difference(found[lane["framework"]][lane["variant"]], wanted)
            if not lane["differs"] <= (bench.args.tolerance or TOLERANCE[dtype]):
                lane["error"] = f"DIFFERS by {lane['differs']:.1e} from {referee}"
    return workers, lanes


def take_turns(bench: Comparison, workers: dict, lanes: list[dict]) -> None:
    """Time what can be timed; a framework's slower variants only once."""
    running = [lane for lane in lanes if "error" not in lane]
    for turn in range(bench.args.turns):
        for lane in bench.in_turns(running, turn):
            try:
                answer = workers[lane["framework"]].ask("time", variant=lane["variant"], seconds=bench.args.seconds)
                lane["times"].append(bench.seconds(answer, step=True))
            except Failed as failure:
                lane["error"] = str(failure)
        running = [lane for lane in running if "error" not in lane]
        best = {f: min((lane["times"][0] for lane in running if lane["framework"] == f), default=0) for f in workers}
        running = [lane for lane in running if lane["times"][0] <= 1.5 * best[lane["framework"]]]


def time_case(bench: Comparison, case: str, dtype: str, sizes: dict) -> None:
    """Print one table of times."""
    title(case, sizes, dtype)
    with contextlib.ExitStack() as stack:
        workers, lanes = prepared(bench, stack, case, dtype, sizes)
        take_turns(bench, workers, lanes)
    line("", "", "per step", "per call", "ours/other", "differs")
    ours = None
    for framework in bench.frameworks:
        mine = [lane for lane in lanes if lane["framework"] == framework]
        timed = [lane for lane in mine if "error" not in lane]
        for lane in mine:
            lane["median_s"] = statistics.median(lane["times"]) if lane.get("times") else None
            bench.record(table="times", case=case, dtype=dtype, sizes=sizes, **lane)
        if timed:
            best = min(timed, key=lambda lane: lane["median_s"])
            ours = best["median_s"] if framework == "theano_compat" else ours
            ratio = f"{ours / best['median_s']:.2g}" if ours and framework != "theano_compat" else ""
            line(framework, best["variant"], clock(best["median_s"] / sizes["steps"]), clock(best["median_s"]), ratio, f"{best['differs']:.0e}")
        for lane in mine:
            if "error" in lane:
                line(framework, lane["variant"], "no time: " + lane["error"])


def compile_once(bench: Comparison, framework: str, cache: Path, case: str, sizes: dict) -> float:
    """Return the seconds from the first expression to the first result in a new process."""
    with bench.worker(framework, cache=cache) as worker:
        (built,) = worker.ask("build", case=case, sizes=sizes, only_first=True)["variants"]
        if "error" in built:
            raise Failed(built["error"])
        return bench.seconds(built, step=False)


def compile_case(bench: Comparison, case: str, sizes: dict, frameworks: list[str]) -> None:
    """Print one table of compile times: cold and warm, or in a quick run warm alone, with the cache that all tables share."""
    title("compile " + case, sizes, "float32")
    kinds = ("warm",) if bench.args.quick else ("cold", "warm")
    line("", "", *kinds, *(f"{kind} ratio" for kind in kinds))
    seconds: dict = {(f, kind): [] for f in frameworks for kind in ("cold", "warm")}
    failures: dict = {}
    for turn in range(bench.args.rounds):
        for framework in bench.in_turns([f for f in frameworks if f not in failures], turn):
            cache = (bench.cache / framework).absolute() if bench.args.quick else bench.new_cache(framework)
            try:
                for kind in ("cold", "warm"):
                    seconds[framework, kind].append(compile_once(bench, framework, cache, case, sizes))
            except Failed as failure:
                failures[framework] = str(failure)
            bench.keep(framework, cache)
    ours = None
    for framework in frameworks:
        times = {kind: statistics.median(seconds[framework, kind]) for kind in kinds if seconds[framework, kind]}
        bench.record(table="compile", case=case, sizes=sizes, framework=framework, error=failures.get(framework), **times)
        if framework in failures:
            line(framework, "", "no time: " + failures[framework])
            continue
        ours = times if framework == "theano_compat" else ours
        ratios = [f"{ours[kind] / times[kind]:.2g}" if ours and ours is not times else "" for kind in times]
        line(framework, "", *(clock(t) for t in times.values()), *ratios)


def memory_case(bench: Comparison, sizes: dict) -> None:
    """Print by how much a training step lets processes grow."""
    title("memory of lstm carried", sizes, "float32")
    line("", "", "grows by", "per step", "ours/other", "differs")
    every = math.isqrt(sizes["steps"])
    wanted, ours = None, {}
    for framework in [f for f in bench.frameworks if f in ("theano_compat", "theano", "pytensor")]:
        for label, n in (("scan", 0), (f"checkpoints every {every}", every)):
            record = {"table": "memory", "sizes": sizes, "framework": framework, "variant": label}
            try:
                with bench.worker(framework) as worker:
                    (built,) = worker.ask("build", case="lstm carried", sizes={**sizes, "steps": every * every, "every": n})["variants"]
                    ((_, found),) = results(worker, [built], bench.scratch).items()
                    step_s = bench.seconds(worker.ask("time", variant="", seconds=bench.args.seconds), step=True)
            except Failed as failure:
                line(framework, label, "no figure: " + str(failure))
                bench.record(**record, error=str(failure))
                continue
            wanted = wanted or found
            grows = built["call_peak_bytes"]
            bench.record(**record, grows_by_bytes=grows, step_s=step_s, differs=difference(found, wanted))
            if framework == "theano_compat":
                ours[label] = grows
            ratio = f"{ours[label] / grows:.2g}" if framework != "theano_compat" and ours.get(label) and grows else ""
            size = "not known" if grows is None else f"{grows / 2**20:.0f} MiB"
            line(framework, label, size, clock(step_s / every**2), ratio, f"{difference(found, wanted):.0e}")


def introduce(bench: Comparison) -> None:
    """Print what runs, and drop what cannot be imported."""
    for framework in list(bench.frameworks):
        try:
            with bench.worker(framework, cache=bench.pristine(framework)) as worker:
                print(f"{framework:14}{worker.hello['about']}; imported in {worker.hello['import_s']:.2f} s", flush=True)
                bench.record(table="frameworks", framework=framework, **worker.hello)
        except Failed as failure:
            print(f"{framework:14}does not run: {failure}", flush=True)
            del bench.frameworks[framework]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, OTHERS)
    groups = [*TIMED, "compile", "unrolled", "memory"]
    parser.add_argument("--cases", nargs="*", choices=groups, default=groups, metavar="CASE", help=" ".join(groups))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns, warm compile times alone, smaller unrolled nets, less memory")
    parser.add_argument("--grid", action="store_true", help="the LSTM with 16 to 1024 units and batches of 1 and 32")
    parser.add_argument("--turns", type=int, help="turns of timing (9; quick: 3)")
    parser.add_argument("--seconds", type=float, help="of a turn (0.5; quick: 0.1)")
    parser.add_argument("--rounds", type=int, help="processes for each compile time (3; quick: 1)")
    parser.add_argument("--patience", type=float, help="seconds after which a framework that does not answer is given up (900; quick: 300)")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: time of the processes, for a machine that others use too")
    parser.add_argument("--tolerance", type=float, help="of results (float32: 3e-3, float64: 1e-9)")
    parser.add_argument("--cache", type=Path, help="keep compiled code here between runs; not that of compile times")
    args = parser.parse_args()
    usual = {"turns": (9, 3), "seconds": (0.5, 0.1), "rounds": (3, 1), "patience": (900, 300)}
    for name, values in usual.items():
        if getattr(args, name) is None:
            setattr(args, name, values[args.quick])
    return args


def main() -> None:
    """Measure and print."""
    args = parse()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Comparison(args, Path(scratch))
        introduce(bench)
        if "compile" in args.cases:  # first, as its cache serves the others
            compile_case(bench, "lstm training", LSTM, list(bench.frameworks))
        for group in args.cases:
            for case in GRID if group == "lstm" and args.grid else TIMED.get(group, ()):
                time_case(bench, *case)
        if "unrolled" in args.cases:
            for steps in (10, 20) if args.quick else (25, 50, 100, 200):
                names = [f for f in bench.frameworks if f in ("theano_compat", "theano", "jax")]
                compile_case(bench, "lstm unrolled", {"steps": steps, "hidden": 64, "batch": 16}, names)
        if "memory" in args.cases:
            memory_case(bench, {"steps": 256 if args.quick else 1024, "hidden": 256, "batch": 32})


if __name__ == "__main__":
    main()
