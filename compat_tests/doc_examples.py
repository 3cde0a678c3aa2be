"""Runs the examples of one page of Theano's documentation, in one namespace, and says of each whether it passed.

Examples are ``>>>`` lines, and ``testcode`` blocks with the ``testoutput`` that follows; ``testsetup`` blocks are run first.

    python compat_tests/doc_examples.py PAGE.txt            theano means theano_compat
    python compat_tests/doc_examples.py PAGE.txt --real     theano means the Theano that is installed
"""

from __future__ import annotations

import argparse
import contextlib
import doctest
import io
import json
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.DONT_ACCEPT_TRUE_FOR_1 | doctest.NORMALIZE_WHITESPACE
_DIRECTIVE = re.compile(r"^(\s*)\.\. (testsetup|testcode|testoutput|testcleanup)::(.*)$")


@dataclass
class Example:
    """One piece of code of a page, with the output that it must print (None: any)."""

    line: int
    kind: str
    source: str
    want: str | None
    options: dict


def _blocks(lines):
    """Yield (first line, kind, text, option lines) for each directive, and blank its lines out."""
    i = 0
    while i < len(lines):
        match = _DIRECTIVE.match(lines[i])
        if not match:
            i += 1
            continue
        indent, start = len(match[1]), i
        i += 1
        body = []
        while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip()) > indent):
            body.append(lines[i])
            i += 1
        lines[start:i] = [""] * (i - start)
        options = [line.strip() for line in body if re.match(r"\s*:\w+:", line)]
        code = [line for line in body if not re.match(r"\s*:\w+:", line)]
        margin = min((len(line) - len(line.lstrip()) for line in code if line.strip()), default=0)
        skipped = next((n for n, line in enumerate(body) if line.strip() and not re.match(r"\s*:\w+:", line)), 0)
        yield start + 1 + skipped + 1, match[2], "\n".join(line[margin:] for line in code).strip("\n") + "\n", options


def read_page(path: Path) -> list[Example]:
    """Return the examples of a page in the order of its lines, setup blocks first."""
    lines = path.read_text(encoding="utf-8").split("\n")
    found: list[Example] = []
    for line, kind, text, options in _blocks(lines):
        flags = {}
        for word in re.findall(r"([+-])(\w+)", " ".join(o.split(":", 2)[2] for o in options if o.startswith(":options:"))):
            flags[doctest.OPTIONFLAGS_BY_NAME[word[1]]] = word[0] == "+"
        found.append(Example(line, kind, text, None, flags))
    for example in doctest.DocTestParser().get_examples("\n".join(lines), str(path)):
        if not example.options.get(doctest.SKIP):
            # The pages leave out what an expression prints where it does not matter to them.
            found.append(Example(example.lineno + 1, ">>>", example.source, example.want or None, example.options))
    found.sort(key=lambda e: e.line)
    page: list[Example] = []
    for example in found:
        if example.kind == "testoutput":
            code = next((e for e in reversed(page) if e.kind == "testcode"), None)
            if code is not None:
                code.want, code.options = (None if example.options.get(doctest.SKIP) else example.source), example.options
            continue
        page.append(example)
    return sorted(page, key=lambda e: e.kind != "testsetup")


def wanted_exception(want: str) -> str | None:
    """Return the type of the exception that a page shows: what stands on the first line of its traceback that is not indented."""
    shown = want.partition("Traceback")[2].split("\n")[1:]
    line = next((line for line in shown if re.match(r"\w", line)), "")
    return line.partition(":")[0].strip().rpartition(".")[2] or None


def run_page(path: Path) -> list[dict]:
    """Run a page's examples and return one record for each: line, source, passed, what was printed, what was wanted."""
    checker = doctest.OutputChecker()
    namespace: dict = {"__name__": "__main__"}
    results = []
    for number, example in enumerate(read_page(path)):
        flags = FLAGS
        for flag, on in example.options.items():
            flags = flags | flag if on else flags & ~flag
        printed, error = io.StringIO(), None
        with contextlib.redirect_stdout(printed):
            try:
                mode = "single" if example.kind == ">>>" else "exec"
                exec(compile(example.source, f"<{path.stem} line {example.line}>", mode, 0, True), namespace)
            except BaseException as raised:  # SystemExit too: the page must go on
                error = raised
        got = printed.getvalue()
        if error is not None:
            passed = wanted_exception(example.want or "") == type(error).__name__
            got += "".join(traceback.format_exception(type(error), error, error.__traceback__)[-12:])
        else:
            passed = example.want is None or checker.check_output(example.want, got, flags)
        results.append({"number": number, "line": example.line, "kind": example.kind, "source": example.source, "want": example.want, "got": got, "passed": passed})
    return results


def main() -> None:
    """Run a page and print its results, as text or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--real", action="store_true", help="use the installed Theano")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.real:
        from theano_compat import alias

        alias.install()
        sys.path.insert(0, str(Path(__file__).parent.parent))
        from compat_tests import theano_tests

        theano_tests.install()  # some pages import Theano's own tests
    import numpy

    numpy.set_printoptions(legacy="1.13")  # the pages show what NumPy printed then
    import matplotlib

    matplotlib.use("Agg")
    sys.argv[1:] = []
    results = run_page(args.page)
    if args.json:
        print(json.dumps(results))
        return
    for r in results:
        if not r["passed"]:
            print(f"--- line {r['line']} ({r['kind']})\n{r['source']}wanted:\n{r['want']}got:\n{r['got']}")
    print(f"{args.page.stem}: {sum(r['passed'] for r in results)} of {len(results)} passed")


if __name__ == "__main__":
    main()
