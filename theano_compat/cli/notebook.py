"""Runs the cells of a notebook in order, and saves its pictures beside it.

Line magics are tolerated: ``%pylab`` imports its names, ``%run`` runs a script, ``%cd`` changes the folder; magics that only concern the browser are left out. Open matplotlib
figures are saved after each cell as ``NAME_cellN.png``.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import subprocess
import sys
import types

from theano_compat.cli import namespace as namespaces
from theano_compat.cli import python2, supply

_PYLAB = "import numpy\nimport numpy as np\nimport matplotlib.pyplot as plt\nfrom matplotlib.pylab import *\nfrom numpy import *"


def read_cells(path: str) -> list[str]:
    """Return the text of the code cells of a notebook (formats 2, 3 and 4).

    Raises
    ------
    ValueError
        If the file is no notebook of Python.
    """
    with open(path, encoding="utf-8") as file:
        try:
            book = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not a notebook: {error}") from None
    cells = book.get("cells")
    if cells is None:
        cells = [cell for sheet in book.get("worksheets", []) for cell in sheet.get("cells", [])]
    language = book.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        raise ValueError(f"{path} is a notebook of {language}; only Python notebooks can be run")
    texts = [cell.get("source", cell.get("input", "")) for cell in cells if cell.get("cell_type") == "code"]
    return ["".join(text) if isinstance(text, list) else text for text in texts]


def plain_python(cell: str) -> str:
    """Return a cell's text with magics, shell lines and help requests turned into Python, line for line."""
    first = cell.lstrip().split("\n", 1)[0]
    if first.startswith("%%"):
        name = first[2:].split()[0] if first[2:].split() else ""
        body = cell.lstrip().partition("\n")[2]
        if name in ("time", "timeit", "capture", "prun"):
            return "\n" + plain_python(body)
        if name in ("writefile", "file"):
            return f"open({first.split()[-1]!r}, 'w').write({body!r})"
        if name in ("bash", "sh", "!"):
            return f"__shell__({body!r})"
        return ""  # html, javascript, latex, … concern the browser
    lines = cell.split("\n")
    inside = _lines_inside_strings(cell)
    return "\n".join(line if number in inside else _plain_line(line) for number, line in enumerate(lines))


def _lines_inside_strings(text: str) -> set[int]:
    """Return the numbers of lines that begin within a triple-quoted string."""
    inside, quote = set(), None
    for number, line in enumerate(text.split("\n")):
        if quote:
            inside.add(number)
        for mark in re.findall(r"\"\"\"|'''", line):
            quote = None if quote == mark else quote or mark
    return inside


def _plain_line(line: str) -> str:
    indent, text = re.match(r"(\s*)(.*)", line).groups()
    assigned = re.match(r"([\w.]+)\s*=\s*!(.*)", text)
    if assigned:
        return f"{indent}{assigned[1]} = __shell__({assigned[2]!r})"
    if text.startswith("!"):
        return f"{indent}__shell__({text[1:]!r})"
    if text.startswith("%"):
        name, _, rest = text[1:].partition(" ")
        if name == "pylab":
            return indent + _PYLAB.replace("\n", "; ").replace("; from matplotlib.pylab import *; from numpy import *", "; exec('from matplotlib.pylab import *', globals())")
        if name in ("time", "timeit"):
            return indent + re.sub(r"^(-\w+\s*\d*\s+)*", "", rest)
        if name == "run":
            return f"{indent}__run__({rest!r})"
        if name == "cd":
            return f"{indent}__import__('os').chdir({rest.strip()!r})"
        return indent + ("pass" if indent else "")
    if re.fullmatch(r"\?{1,2}[^?#]+|[^?#'\"]+\?{1,2}", text.strip()):
        return indent + "pass"  # a request for help
    return line


def _shell(command: str) -> list[str]:
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    print(done.stdout + done.stderr, end="")
    return done.stdout.splitlines()


class _Display:
    """What a notebook shows: values of last lines, figures, and IPython's ``display``."""

    def __init__(self, stem: str):
        self.stem, self.cell, self.pictures = stem, 0, 0

    def value(self, value) -> None:
        if value is not None:
            print(repr(value))

    def figures(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else ():
            figure = pyplot.figure(number)
            if figure.get_axes() or figure.texts or figure.images:
                self.pictures += 1
                path = f"{self.stem}_cell{self.cell}{f'_{self.pictures}' if self.pictures > 1 else ''}.png"
                figure.savefig(path)
                print(f"[picture saved: {path}]")
            pyplot.close(figure)


def _supply_ipython(display: _Display) -> None:
    try:
        import IPython.display  # noqa: F401
    except ImportError:
        supply.note("IPython.display")
        package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")

        class Shown:
            def __init__(self, data=None, *args, **kwargs):
                self.data = data

        for name in ("HTML", "Image", "SVG", "Math", "Latex", "Markdown", "YouTubeVideo", "Javascript", "Audio"):
            setattr(module, name, type(name, (Shown,), {}))
        module.display = lambda *values, **kwargs: [display.value(v) for v in values if not isinstance(v, Shown)] and None
        module.clear_output = lambda *args, **kwargs: None
        package.version_info = (8, 24, 0, "")  # matplotlib asks
        package.display, package.get_ipython = module, lambda: None
        sys.modules["IPython"], sys.modules["IPython.display"] = package, module


def run(path: str, namespace: dict, old: bool | None = None) -> None:
    """Run a notebook's cells in one namespace.

    Parameters
    ----------
    path : str
        The ``.ipynb`` file.
    namespace : dict
        Where the cells' names live.
    old : bool, optional
        Whether the cells are Python 2; found out by default.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    display = _Display(os.path.splitext(path)[0])
    _supply_ipython(display)
    namespace.update(__shell__=_shell, __run__=lambda script: _run_script(script, namespace), __show__=display.value, get_ipython=lambda: None)
    cells = [plain_python(cell) for cell in read_cells(path)]
    # One Python for the whole notebook: a cell alone may not show that it is Python 2.
    if old is None:
        old = any(_cell_is_python2(cell, path) for cell in cells) and all(python2.translates(cell, path) for cell in cells if cell.strip())
    namespaces.begin(old)
    for number, text in enumerate(cells, 1):
        display.cell, display.pictures = number, 0
        label = f"{path} cell {number}"
        linecache.cache[label] = (len(text), None, text.splitlines(True), label)
        if old and text.strip():
            text, lines = python2.translate(text, label)
            code, entries = python2.compile_python2(_show_last_value(text), lines, label)
        else:
            code, entries = python2.compile_program(_show_last_value(text), label, old=False)
        namespace.update(entries)
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            # A plain function: pyplot sets attributes on it.
            pyplot.show = lambda *args, **kwargs: display.figures()
        exec(code, namespace)
        display.figures()


def _cell_is_python2(text: str, path: str) -> bool:
    return bool(text.strip()) and python2.is_python2(text, path)


def _run_script(script: str, namespace: dict) -> None:
    name = script.split()[0]
    code, entries = python2.compile_program(python2.read_source(name), name)
    namespace.update(entries)
    exec(code, namespace)


def _show_last_value(text: str) -> str:
    """Wrap the last expression of a cell so that its value is shown, as notebooks do; ``;`` at the end keeps it silent."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text  # the error is raised when the cell is compiled
    if not tree.body or not isinstance(tree.body[-1], ast.Expr) or text.rstrip().endswith(";"):
        return text
    last = tree.body[-1]
    lines = text.split("\n")
    start, end = (last.lineno - 1, last.col_offset), (last.end_lineno - 1, last.end_col_offset)
    # Offsets count UTF-8 bytes.
    raw = [line.encode() for line in lines]
    raw[end[0]] = raw[end[0]][: end[1]] + b")" + raw[end[0]][end[1] :]
    raw[start[0]] = raw[start[0]][: start[1]] + b"__show__(" + raw[start[0]][start[1] :]
    return b"\n".join(raw).decode()
