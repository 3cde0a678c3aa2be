"""Runs Theano's own test files, each in a process of its own, and compares with the ledger of what passes here.

    python -m compat_tests.suite                                 all files (half an hour on two processors)
    python -m compat_tests.suite theano/gof/tests/test_graph.py  some files
    python -m compat_tests.suite -k grad FILE                    some tests of a file
    python -m compat_tests.suite --update [FILES]                write the ledger (reasons of tests that still fail are kept)
    python -m compat_tests.suite --baseline JSON                 and say which tests pass under real Theano and not here

The ledger (``ledgers/theano_suite.json``) holds for each file how many tests pass, and of each that does not the reason. A run fails if
another test fails, or if fewer pass.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from compat_tests import sources

HERE = Path(__file__).parent
LEDGER = HERE / "ledgers" / "theano_suite.json"
#: GPU backends are not part of this tier, and these need what is no longer anywhere.
SKIPPED = ("theano/gpuarray", "theano/misc/tests/test_pycuda", "theano/misc/tests/test_gnumpy", "theano/tests/run_tests", "theano/d3viz")


class Outcome(NamedTuple):
    """How a test ended: ``passed``, ``failed``, ``skipped``, ``error`` or ``deselected``, and why."""

    what: str
    why: str


def files() -> list[str]:
    """Return the test files of the source distribution."""
    root = sources.fetch()
    found = sorted(str(p.relative_to(root)) for p in root.glob("theano/**/test_*.py"))
    return [f for f in found if not f.startswith(SKIPPED)]


def run(file: str, timeout: int = 300, options: Sequence[str] = ()) -> dict[str, Outcome]:
    """Run one file in a process of its own, with an empty cache of compiled code.

    Parameters
    ----------
    file : str
        Path in the source distribution.
    timeout : int
        Seconds that a test may take; without pytest-timeout, sixty times as many for the whole file.
    options : sequence of str
        Further arguments of pytest.

    Returns
    -------
    dict
        Test (its id without the file) to outcome. A file that did not come to its end has one entry, ``""``.
    """
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = Path(scratch, "outcomes")
        command = [sys.executable, "-W", "ignore", "-m", "pytest", "-p", "compat_tests.graft", "-p", "no:cacheprovider", "-q", "--tb=short", "--rootdir=."]
        command += ["--continue-on-collection-errors", f"--outcomes={outcomes}"]
        command += [f"--timeout={timeout}"] * has_timeout() + [*options, file]
        flags = os.environ.get("THEANO_FLAGS", "") + f",base_compiledir={scratch}/cache"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "THEANO_FLAGS": flags.lstrip(",")}
        try:
            subprocess.run(command, cwd=sources.fetch(), env=environment, capture_output=True, timeout=60 * timeout)
        except subprocess.TimeoutExpired:
            return {"": Outcome("error", "the file was not done in time")}
        if not outcomes.exists():
            return {"": Outcome("error", "the interpreter died")}
        records = (json.loads(line) for line in outcomes.read_text().splitlines())
        return {test.partition("::")[2]: Outcome(what, why) for test, what, why in records}


def has_timeout() -> bool:
    """Tell whether pytest-timeout is there."""
    import importlib.util

    return importlib.util.find_spec("pytest_timeout") is not None


def load_ledger() -> dict[str, dict]:
    """Return file -> {"passed": number of tests, "fails": {test: reason}}."""
    return json.loads(LEDGER.read_text()) if LEDGER.exists() else {}


def entry(outcomes: dict[str, Outcome], old: dict) -> dict:
    """Return the ledger's entry for a file; `old` is the one there was, for its reasons."""
    fails = {test: old.get("fails", {}).get(test, why) for test, (what, why) in outcomes.items() if what in ("failed", "error")}
    return {"passed": sum(what == "passed" for what, _ in outcomes.values()), "fails": fails}


def lost(outcomes: dict[str, Outcome], expected: dict) -> list[str]:
    """Say what got worse than the ledger's entry for a file; what was not asked for passes for passed."""
    fails = expected["fails"]
    worse = [f"{test}: {why}" for test, (what, why) in outcomes.items() if what in ("failed", "error") and test not in fails]
    passed = sum(what == "passed" or (what == "deselected" and test not in fails) for test, (what, _) in outcomes.items())
    if passed < expected["passed"] and not worse:
        worse.append(f"{passed} tests pass; there were {expected['passed']}")
    return worse


def behind(file: str, outcomes: dict[str, Outcome], baseline: dict[str, str]) -> tuple[int, list[str]]:
    """Return how many tests of a file pass under real Theano, and which of these fail here."""
    module = Path(file).stem

    def plain(test: str) -> str:
        # The baseline leaves out a class that has the module's name.
        return test.removeprefix(f"{module}::")

    theirs = {plain(test.partition("::")[2]) for test, what in baseline.items() if what == "passed" and test.startswith(file + "::")}
    ours = {plain(test): what for test, (what, _) in outcomes.items()}
    return len(theirs), sorted(test for test in theirs if ours.get(test) not in ("passed", "skipped", "deselected"))


def main() -> int:
    """Run, compare, print a line for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="test files of the source distribution")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--baseline", type=Path, help="JSON with the results under real Theano (results: id -> outcome), to compare with")
    parser.add_argument("--jobs", type=int, default=2, help="files that are run at the same time")
    parser.add_argument("--timeout", type=int, default=300, help="seconds that a test may take")
    parser.add_argument("-k", help="as pytest's -k")
    args = parser.parse_args()
    if args.update and args.k:
        parser.error("the ledger is written for whole files: --update goes without -k")
    baseline = json.loads(args.baseline.read_text())["results"] if args.baseline else {}
    ledger, totals, failed = load_ledger(), Counter(), False
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = {file: pool.submit(run, file, args.timeout, ["-k", args.k] if args.k else []) for file in args.files or files()}
        for file, job in jobs.items():
            outcomes = job.result()
            counts = Counter(what for what, _ in outcomes.values() if what != "deselected")
            totals += counts
            line = f"{file:62} " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
            missing: list[str] = []
            if baseline:
                theirs, missing = behind(file, outcomes, baseline)
                totals["passed under Theano, not here"] += len(missing)
                line += f"   (Theano: {theirs} passed; {len(missing)} of these not here)"
            print(line, *(f"    {test}: {outcomes.get(test, Outcome('', 'not run')).why}" for test in missing), sep="\n", flush=True)
            for worse in lost(outcomes, ledger[file]) if file in ledger and not args.update else ():
                print("    lost:", worse)
                failed = True
            if args.update:
                ledger[file] = entry(outcomes, ledger.get(file, {}))
                LEDGER.write_text(json.dumps(ledger, indent=1, sort_keys=True) + "\n")
    print("; ".join(f"{n} {what}" for what, n in totals.items()))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
