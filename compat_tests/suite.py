"""Theano's own tests, unchanged, against this package, and against what they do under real Theano.

    python -m compat_tests.suite                                 all of them, two files at a time
    python -m compat_tests.suite theano/gof/tests/test_graph.py  some
    python -m compat_tests.suite --update                        write what passes to the ledger

The ledger (``ledgers/theano_suite.json``) holds every test that passes here. A run fails if a test of it does not pass any more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compat_tests import sources

HERE = Path(__file__).parent
LEDGER = HERE / "ledgers" / "theano_suite.json"
#: GPU backends are not part of this tier, and these need what is no longer anywhere.
SKIPPED = ("theano/gpuarray", "theano/misc/tests/test_pycuda", "theano/misc/tests/test_gnumpy", "theano/tests/run_tests", "theano/d3viz")


def files() -> list[str]:
    """Return the test files of the source distribution."""
    root = sources.fetch()
    found = sorted(str(p.relative_to(root)) for p in root.glob("theano/**/test_*.py"))
    return [f for f in found if not f.startswith(SKIPPED)]


def run(file: str, timeout: int, cache: str, options: list[str]) -> dict[str, str]:
    """Run one file in a process of its own and return test id -> outcome."""
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = Path(scratch, "outcomes")
        command = [sys.executable, "-W", "ignore", "-m", "pytest", "-p", "compat_tests.graft", "-p", "no:cacheprovider", "-q", "--tb=no", "--continue-on-collection-errors", "--outcomes", str(outcomes)]
        command += [f"--timeout={timeout}"] * has_timeout() + options + [file]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "THEANO_FLAGS": os.environ.get("THEANO_FLAGS", "") + f",base_compiledir={cache}"}
        try:
            subprocess.run(command, cwd=sources.fetch(), env=environment, capture_output=True, timeout=60 * timeout)
        except subprocess.TimeoutExpired:
            return {file: "error"}
        if not outcomes.exists():
            return {file: "error"}  # the interpreter died
        return dict(json.loads(line) for line in outcomes.read_text().splitlines())


def has_timeout() -> bool:
    """Tell whether pytest-timeout is there."""
    import importlib.util

    return importlib.util.find_spec("pytest_timeout") is not None


def main() -> int:
    """Run, compare, print a line for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="test files of the source distribution")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--baseline", type=Path, help="JSON with the results under real Theano (results: id -> outcome), to compare with")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=60, help="seconds a test may take")
    parser.add_argument("-k", help="as pytest's -k")
    args = parser.parse_args()
    baseline = json.loads(args.baseline.read_text())["results"] if args.baseline else {}
    ledger = json.loads(LEDGER.read_text()) if LEDGER.exists() else {}
    results: dict[str, dict[str, str]] = {}
    totals: Counter = Counter()
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(args.jobs) as pool:
        wanted = args.files or files()
        jobs = {file: pool.submit(run, file, args.timeout, cache, ["-k", args.k] if args.k else []) for file in wanted}
        for file, job in jobs.items():
            results[file] = outcome = job.result()
            counts = Counter(outcome.values())
            totals += counts
            line = f"{file:62} " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
            theirs = {k: v for k, v in baseline.items() if k.startswith(file + "::")}
            if theirs:
                behind = [k for k, v in theirs.items() if v == "passed" and outcome.get(k) not in ("passed", "skipped")]
                totals["passed under Theano, not here"] += len(behind)
                line += f"   (Theano: {sum(v == 'passed' for v in theirs.values())} passed; {len(behind)} of these not here)"
            print(line, flush=True)
    print("; ".join(f"{n} {what}" for what, n in totals.items()))
    passed = {file: sorted(k for k, v in outcome.items() if v == "passed") for file, outcome in results.items()}
    lost = [test for file in results for test in ledger.get(file, ()) if test not in set(passed[file])] if not args.k else []
    for test in lost:
        print("lost:", test)
    if args.update:
        LEDGER.parent.mkdir(exist_ok=True)
        LEDGER.write_text(json.dumps({**ledger, **passed}, indent=0, sort_keys=True) + "\n")
        return 0
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
