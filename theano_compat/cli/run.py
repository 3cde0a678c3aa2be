"""Runs an old program unchanged: ``python -m theano_compat script.py args`` (or ``notebook.ipynb``).

In that program ``theano`` means this package, Python 2 is translated, also in modules that lie beside the script, and names that are gone are supplied.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import sysconfig
import traceback
import types

from theano_compat.cli import namespace, python2, supply

#: The options that say which Python a program is written in.
PYTHONS = {"--python2": True, "--python3": False}


class _OldSourceLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the user's own, translated where it is Python 2; compiled code is not kept."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        code, self.entries = python2.compile_program(python2.read_source(path), path)
        return code

    def exec_module(self, module):
        code = self.get_code(module.__name__)
        module.__dict__.update(self.entries)
        exec(code, module.__dict__)


class OldSourceFinder(importlib.abc.MetaPathFinder):
    """Finds the user's own modules: those outside the Python installation and its site-packages."""

    def __init__(self, folder: str):
        self.folder = os.path.realpath(folder)
        paths = sysconfig.get_paths()
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.installed = tuple({os.path.realpath(paths[k]) + os.sep for k in ("stdlib", "platstdlib", "purelib", "platlib")} | {os.path.realpath(here) + os.sep})

    def _is_users(self, origin: str) -> bool:
        path = os.path.realpath(origin)
        if path.startswith(self.installed) or "site-packages" in path or "dist-packages" in path:
            return False
        listed = [os.path.realpath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
        return any(path.startswith(folder + os.sep) for folder in [self.folder, *listed])

    def find_spec(self, fullname, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not importlib.machinery.SourceFileLoader or not self._is_users(spec.origin):
            return None
        spec.loader = _OldSourceLoader(fullname, spec.origin)
        return spec


def prepare(folder: str) -> None:
    """Make this process ready for an old program that lies in a folder."""
    from theano_compat import alias

    alias.install()
    # The supplier asks this finder, not the other way round: a NumPy or SciPy on PYTHONPATH is supplied with names, too.
    sys.meta_path.insert(0, OldSourceFinder(folder))
    supply.install()
    sys.path.insert(0, folder)


def main_namespace(path: str) -> dict:
    """Return the namespace of a fresh ``__main__`` module for a program."""
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __spec__=None, __package__=None)
    sys.modules["__main__"] = module
    return module.__dict__


def _without_runner(error: BaseException) -> traceback.TracebackException:
    """Return the trace of an error without the frames of this package's command line, so that it starts and ends at the user's own lines."""
    runner = os.path.dirname(os.path.abspath(__file__)) + os.sep
    shown = traceback.TracebackException.from_exception(error)
    chain = shown
    while chain is not None:
        own = [frame for frame in chain.stack if not frame.filename.startswith((runner, "<frozen "))]
        if own:
            chain.stack[:] = own
        chain = chain.__cause__ or chain.__context__
    return shown


def run_protected(action) -> int:
    """Run a program, show what it raises with the user's own lines, and say what was supplied."""
    status = 0
    try:
        action()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        if stop.code is not None and not isinstance(stop.code, int):
            print(stop.code, file=sys.stderr)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)
        status = 130
    except BaseException as error:
        sys.stdout.flush()
        if isinstance(error, SyntaxError):
            error.__traceback__ = None  # the error itself names file and line
        print("".join(_without_runner(error).format()), end="", file=sys.stderr)
        status = 1
    sys.stdout.flush()
    line = supply.report()
    if line:
        print(line, file=sys.stderr)
    return status


def main(argv: list[str]) -> int:
    """Run ``argv[0]`` with the rest as its arguments and return the exit status; ``--python2`` or ``--python3`` before it says what it is."""
    old = None
    if argv and argv[0] in PYTHONS:
        old, argv = PYTHONS[argv[0]], argv[1:]
    if not argv:
        print("which script? python -m theano_compat script.py", file=sys.stderr)
        return 2
    path = argv[0]
    if not os.path.isfile(path):
        print(f"python -m theano_compat: no such file, and no such command: {path}", file=sys.stderr)
        return 2
    sys.argv[:] = argv
    # The folder that "python -m" put first is the working folder; a script expects its own.
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    prepare(os.path.dirname(os.path.abspath(path)))
    if path.endswith(".ipynb"):
        from theano_compat.cli import notebook

        return run_protected(lambda: notebook.run(path, main_namespace(path), old))

    def action():
        source = python2.read_source(path)
        is_old = python2.is_python2(source, path) if old is None else old
        namespace.begin(is_old)
        code, entries = python2.compile_program(source, path, old=is_old)
        names = main_namespace(path)
        names.update(entries)
        exec(code, names)

    return run_protected(action)
