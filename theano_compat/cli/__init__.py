"""The command line of theano_compat.

========================  =======================================================================================
``python -m theano_compat``  what it does
========================  =======================================================================================
``[--flags F] FILE args``   run an old script (``.py``) or notebook (``.ipynb``), ``theano`` meaning this package
``doctor``                  say what was found (compiler, vector functions, BLAS, cache, GPU) and how to mend the rest
``cache``                   list, check or clear the cache of compiled functions
``config``                  print every flag with its value; ``--example`` prints ``.theanorc.example``
``data``                    make ``mnist.pkl.gz`` (digits) or ``reviews.tsv`` (rated sentences)
========================  =======================================================================================

``run.py`` runs programs. ``python2.py`` finds (with ``detect.py``) and translates Python 2 (with ``fixers``); what it did otherwise is in ``classic``. ``namespace.py`` makes a
program's builtins and imports, ``numpy_then.py`` its NumPy; ``supply.py`` serves the names that are gone (the tables of ``gone``); ``notebook.py`` turns notebooks into
cells; ``data.py`` (with ``reviews.py``), ``doctor.py`` and ``cache.py`` are the other commands.
"""

from __future__ import annotations

import importlib
import os
import sys

COMMANDS = {
    "run": "run a script or notebook (the default)",
    "doctor": "say what was found on this machine and how to mend the rest",
    "cache": "list, check or clear the cache of compiled functions",
    "config": "print every flag and its value",
    "data": "make a data file of the examples: mnist, reviews",
}


def usage() -> str:
    """Return the text of ``--help``."""
    rows = "\n".join(f"  {name:8} {what}" for name, what in COMMANDS.items())
    return f"usage: python -m theano_compat [--flags NAME=VALUE,...] [--python2|--python3] FILE.py|FILE.ipynb [arguments]\n       python -m theano_compat COMMAND [options]\n\ncommands:\n{rows}\n"


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : list of str, optional
        The arguments without the program's name; ``sys.argv[1:]`` by default.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(), end="")
        return 0 if argv else 2
    if argv[0] == "--version":
        from theano_compat.version import theano_version, version

        print(f"theano_compat {version} (the behaviour of Theano {theano_version})")
        return 0
    if argv[0].startswith("--flags"):
        return _with_flags(argv)
    command = argv[0] if argv[0] in COMMANDS and not os.path.isfile(argv[0]) else "run"
    rest = argv[1:] if command == argv[0] else argv
    if command == "run" and rest and rest[0].startswith("-") and rest[0] not in ("--python2", "--python3"):
        print(f"unknown option {rest[0]}\n\n{usage()}", file=sys.stderr, end="")
        return 2
    return importlib.import_module(f"theano_compat.cli.{command}").main(rest) or 0


def _with_flags(argv: list[str]) -> int:
    """Start again with the flags in the environment: they are read when the package is imported, which has happened."""
    flag, equals, value = argv[0].partition("=")
    rest = argv[1:]
    if flag != "--flags" or not (equals or rest):
        print(usage(), file=sys.stderr, end="")
        return 2
    if not equals:
        value, rest = rest[0], rest[1:]
    earlier = os.environ.get("THEANO_FLAGS", "")
    os.environ["THEANO_FLAGS"] = f"{earlier},{value}" if earlier else value
    # Under -m the last interpreter option is -m itself; what stands before it (-W, -X, …) is kept.
    options = sys.orig_argv[1 : sys.orig_argv.index("-m")] if "-m" in sys.orig_argv else []
    command = [sys.executable, *options, "-m", "theano_compat", *rest]
    if os.name == "nt":
        import subprocess

        return subprocess.call(command)
    sys.stdout.flush()
    os.execv(sys.executable, command)
    return 0
