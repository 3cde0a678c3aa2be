"""Theano's documentation: each page's examples, unchanged, against the ledger of what passes here.

The ledger holds, per page, the lines of the examples that do not pass and the reason. A line that fails and is not in the ledger is a loss; a line
in the ledger that passes now is a gain, to be taken out of it:

    python -m compat_tests.test_documentation --update        write the ledger anew (reasons of lines that stay are kept)
    python -m compat_tests.test_documentation --python P      what another interpreter's real Theano passes, for comparison
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from compat_tests import sources

HERE = Path(__file__).parent
LEDGER = HERE / "ledgers" / "documentation.json"
PAGES = """
tutorial/adding tutorial/examples tutorial/gradients tutorial/broadcasting tutorial/shape_info tutorial/aliasing tutorial/loading_and_saving tutorial/modes tutorial/numpy
tutorial/symbolic_graphs tutorial/faq_tutorial library/compile/function library/compile/io library/tensor/basic library/tensor/elemwise library/tensor/extra_ops
library/tensor/nnet/nnet library/tensor/nnet/conv library/tensor/nnet/bn library/gradient extending/graphstructures extending/op extending/type extending/optimization
extending/inplace extending/extending_theano extending/unittest extending/tips glossary
tutorial/loop tutorial/conditions tutorial/sparse tutorial/printing_drawing tutorial/debug_faq tutorial/index library/scan library/sparse/index library/typed_list library/printing
library/compile/debugmode library/compile/nanguardmode library/misc/pkl_utils library/gof/utils library/tensor/fft library/tensor/utils extending/scan extending/fibby
extending/using_params extending/ctype extending/cop extending/extending_theano_c faq crei2013/theano cifarSC2011/theano cifarSC2011/advanced_theano
""".split()


def run(page: str, python: str = sys.executable, real: bool = False) -> list[dict]:
    """Run one page in a process of its own, in an empty folder, and return its records."""
    path = sources.fetch() / "doc" / f"{page}.txt"
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "MPLBACKEND": "Agg"}
    if real:
        environment["THEANO_FLAGS"] = f"cxx=,blas.ldflags=,base_compiledir={tempfile.gettempdir()}/theano_real"
    with tempfile.TemporaryDirectory() as scratch:
        command = [python, "-W", "ignore", str(HERE / "doc_examples.py"), str(path), "--json", *(["--real"] if real else [])]
        done = subprocess.run(command, capture_output=True, text=True, cwd=scratch, env=environment, timeout=600)
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        raise AssertionError(f"{page} did not run to its end:\n{done.stderr[-3000:]}") from None


def load_ledger() -> dict[str, dict]:
    """Return page -> {"examples": count, "fails": {line: reason}}."""
    return json.loads(LEDGER.read_text()) if LEDGER.exists() else {}


@pytest.mark.parametrize("page", PAGES)
def test_page(page):
    expected = load_ledger()[page]
    records = run(page)
    assert len(records) == expected["examples"]
    failed = {f"{r['line']}": r for r in records if not r["passed"]}
    lost = [r for line, r in failed.items() if line not in expected["fails"]]
    assert not lost, "lost:\n" + "\n".join(f"line {r['line']}: {r['source']}wanted {r['want']}\ngot {r['got']}" for r in lost)
    gained = sorted(set(expected["fails"]) - set(failed), key=int)
    assert not gained, f"these lines pass now, take them out of the ledger: {gained}"


def main() -> None:
    """Run all pages and print a line for each; ``--update`` writes the ledger."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--python", help="interpreter with a real Theano to run instead")
    parser.add_argument("--pages", nargs="*", default=PAGES)
    args = parser.parse_args()
    old, ledger, passed, total = load_ledger(), {}, 0, 0
    for page in args.pages:
        records = run(page, args.python or sys.executable, bool(args.python))
        fails = {str(r["line"]): r["got"].strip().rpartition("\n")[2][:200] for r in records if not r["passed"]}
        kept = old.get(page, {}).get("fails", {})
        ledger[page] = {"examples": len(records), "fails": {line: kept.get(line, reason) for line, reason in fails.items()}}
        passed, total = passed + len(records) - len(fails), total + len(records)
        print(f"{page:32} {len(records) - len(fails):4} of {len(records)}", *(f"\n    line {line}: {reason}" for line, reason in fails.items()), flush=True)
    print(f"{passed} of {total} examples passed")
    if args.update and not args.python:
        LEDGER.parent.mkdir(exist_ok=True)
        LEDGER.write_text(json.dumps({**old, **ledger}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
