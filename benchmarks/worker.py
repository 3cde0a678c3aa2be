"""Runs the cases of one framework in this process; engines.py asks, by lines of JSON on standard input and output."""

import argparse
import dataclasses
import importlib
import json
import os
import platform
import statistics
import sys
import time
from typing import Any
from collections.abc import Callable

THEANO_FAMILY = ("theano_compat", "theano", "pytensor")


@dataclasses.dataclass
class Program:
    """A compiled case.

    Attributes
    ----------
    call : callable
        Computes; returns an array or a list of arrays.
    arguments : tuple of ndarray
        What it is called with.
    parameters : callable
        Returns the list of arrays that calls change; they are results too.
    """

    call: Callable
    arguments: tuple
    parameters: Callable = list

    def run(self):
        """Call once."""
        return self.call(*self.arguments)


def pin(threads):
    """Let this process and its children run on `threads` cores, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def load(framework, suite, threads):
    """Import a framework; return its cases of a suite, and how the framework is set up."""
    models = {"graphs": "models_", "loops": "loops_"}[suite]
    if framework not in THEANO_FAMILY:
        if framework == "torch":
            import torch

            torch.set_num_threads(threads)
        module = importlib.import_module(framework)
        return importlib.import_module(models + framework).cases(), module.__version__
    engine = importlib.import_module(framework)
    importlib.import_module(framework + ".tensor")
    about = loop_of_theano() if framework == "theano" and suite == "loops" else ""
    return importlib.import_module(models + "theano").cases(engine), engine.__version__ + about


def loop_of_theano():
    """Say which loop real Theano has for scan, and let it have its Python one where the compiled one cannot be built.

    Its C file is of Cython 0.28 and needs Python 3.10 or older. With a compiler, a failure to build it is an error of every scan; only a
    failed import makes Theano take its loop in Python. The step that is looped over is compiled in both.
    """
    name = "theano.scan_module.scan_perform_ext"
    try:
        importlib.import_module(name)
        return ", scan's loop in C"
    except Exception:
        sys.modules[name] = None
        return ", scan's loop in Python (its C does not build here)"


def memory_bytes(field):
    """Return a field of Linux's account of this process's memory (``VmRSS`` now, ``VmHWM`` at most), in bytes; None elsewhere."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None


def forget_peak():
    """Let the most memory that this process had (``VmHWM``) be counted from now on."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def all_cpu():
    """Return the seconds of CPU time of this process and of those that it waited for, which are compilers."""
    return sum(os.times()[:4])


class Session:
    """Answers what it is asked about the cases of one framework."""

    def __init__(self, cases, suite, dtype):
        self.cases, self.dtype, self.programs, self.initial = cases, dtype, {}, {}
        self.make_data = importlib.import_module(suite + "_data").make_data

    def build(self, case, sizes, only_first=False):
        """Build each variant of a case, and call it once; return the seconds of both, and the peak of memory of the call."""
        found = self.cases.get(case)
        if found is None:
            raise NotImplementedError("does not have this case")
        variants = found if isinstance(found, dict) else {"": found}
        self.programs, self.initial, records = {}, {}, []
        for label in list(variants)[: 1 if only_first else None]:
            try:
                records.append({"variant": label, **self.build_one(label, variants[label], self.make_data(case, self.dtype, **sizes))})
            except Exception as error:
                if len(variants) == 1:
                    raise
                records.append({"variant": label, "error": words(error)})
        return {"variants": records}

    def build_one(self, label, make, data):
        start, cpu = time.perf_counter(), all_cpu()
        program = self.programs[label] = Program(*make(data))
        build_s = time.perf_counter() - start
        self.initial[label] = [array.copy() for array in program.parameters()]
        forget_peak()
        before = memory_bytes("VmRSS")
        start = time.perf_counter()
        program.run()
        first_call_s = time.perf_counter() - start
        growth = None if before is None else max(0, memory_bytes("VmHWM") - before)
        return {"build_s": build_s, "first_call_s": first_call_s, "compile_cpu_s": all_cpu() - cpu, "call_peak_bytes": growth}

    def results(self, file):
        """Call each variant three times more; write the last results, and how far the parameters have moved, into an .npz file."""
        import numpy as np

        arrays = {}
        for label, program in self.programs.items():
            for _ in range(3):
                outputs = program.run()
            outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
            moved = [now - then for now, then in zip(program.parameters(), self.initial[label])]
            arrays.update({f"{label}/{i}": np.array(array) for i, array in enumerate(outputs + moved)})
        np.savez(file, **arrays)
        return {}

    def time(self, variant, seconds, at_least=1):
        """Call for some seconds; return the median and the least seconds of a call, and the median of the seconds of CPU time of it."""
        run, clock, cpu = self.programs[variant].run, time.perf_counter, time.process_time

        def sample(calls):
            before, cpu_before = clock(), cpu()
            for _ in range(calls):
                run()
            return (clock() - before) / calls, (cpu() - cpu_before) / calls

        until, samples = clock() + seconds, [sample(1)]
        inner = max(1, min(200, int(1e-3 / max(samples[0][0], 1e-9))))  # the clock itself takes time
        if inner > 1:
            samples = [sample(inner)]
        while clock() < until or len(samples) < at_least:
            samples.append(sample(inner))
        times, cpu_times = zip(*samples)
        return {"step_s": statistics.median(times), "best_s": min(times), "cpu_s": statistics.median(cpu_times), "calls": len(times) * inner}


def words(error):
    """Return an exception in one line."""
    text = str(error).strip()
    compiler = [line for line in text.replace(". ", ".\n").splitlines() if "error:" in line]
    return f"{type(error).__name__}: {(compiler or text.splitlines() or [''])[0].strip()[:300]}"


def serve(session, answers):
    """Answer each line of standard input."""
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = getattr(session, question.pop("do"))(**question)
        except Exception as error:
            import traceback

            traceback.print_exc()
            answer = {"error": words(error)}
        print(json.dumps(answer), file=answers, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("framework")
    parser.add_argument("suite", choices=["graphs", "loops"])
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    pin(args.threads)
    start = time.perf_counter()
    import numpy

    numpy_s = time.perf_counter() - start
    cases, about = load(args.framework, args.suite, args.threads)
    hello: dict[str, Any] = {"import_s": time.perf_counter() - start, "numpy_import_s": numpy_s}
    hello["about"] = f"{about}; Python {platform.python_version()}, NumPy {numpy.__version__}"
    print(json.dumps(hello), file=answers, flush=True)
    serve(Session(cases, args.suite, args.dtype), answers)


if __name__ == "__main__":
    main()
