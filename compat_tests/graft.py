"""A pytest plugin that runs Theano's own tests, unchanged, with ``theano`` meaning this package.

    cd FOLDER/Theano-1.0.5 && python -m pytest -p compat_tests.graft theano/gof/tests/test_graph.py

Test modules (``theano.*.tests.*``) come from the source distribution, everything else from theano_compat. What the tests need of nose is supplied, and
generator tests (a function that yields ``(function, arguments…)``) are run as one test each.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import inspect
import os
import re
import sys
import types
import unittest
from pathlib import Path

import pytest

from compat_tests import sources

_TESTS = re.compile(r"^theano(\.\w+)*\.tests(\.\w+)*$|^theano\.sparse\.sandbox\.test_\w+$")


class TestModules(importlib.abc.MetaPathFinder):
    """Finds ``theano.*.tests.*`` in the source distribution where this package has no such module."""

    __test__ = False

    def __init__(self, root: Path):
        self.root = root

    def find_spec(self, fullname, path=None, target=None):
        if not _TESTS.match(fullname):
            return None
        try:
            if importlib.util.find_spec(fullname.replace("theano", "theano_compat", 1)) is not None:
                return None
        except ModuleNotFoundError:
            pass
        place = self.root.joinpath(*fullname.split("."))
        if (place / "__init__.py").exists():
            return importlib.util.spec_from_file_location(fullname, place / "__init__.py", submodule_search_locations=[str(place)])
        file = place.with_suffix(".py")
        return importlib.util.spec_from_file_location(fullname, file) if file.exists() else None


def _supply_nose() -> None:
    def module(name, **content):
        made = types.ModuleType(name)
        made.__dict__.update(content)
        sys.modules[name] = made
        return made

    case = unittest.TestCase()
    tools = {re.sub(r"(?<!^)(?=[A-Z])", "_", n).lower(): getattr(case, n) for n in dir(case) if n.startswith("assert") and "_" not in n}
    tools["assert_equals"] = case.assertEqual

    def raises(*kinds):
        def decorate(function):
            def wrapper(*args, **kwargs):
                with pytest.raises(kinds):
                    function(*args, **kwargs)

            wrapper.__name__ = function.__name__
            return wrapper

        return decorate

    plugins = module("nose.plugins", skip=module("nose.plugins.skip", SkipTest=unittest.SkipTest), attrib=module("nose.plugins.attrib", attr=lambda *a, **k: lambda f: f))
    module("nose", tools=module("nose.tools", raises=raises, **tools), plugins=plugins, SkipTest=unittest.SkipTest)


def pytest_configure(config):
    """Set up before any test module is imported."""
    from theano_compat import alias
    from theano_compat.cli import supply

    alias.install()
    supply.install()  # the tests use names of NumPy that are gone
    sys.meta_path.insert(0, TestModules(sources.fetch()))
    _supply_nose()
    os.environ.setdefault("MPLBACKEND", "Agg")


def _run_generated(generator):
    for step in generator:
        function, *arguments = step if isinstance(step, tuple) else (step,)
        function(*arguments)


@pytest.hookimpl(tryfirst=True)
def pytest_collectstart(collector):
    """Replace generator tests before pytest looks at a module or class."""
    if not isinstance(collector, (pytest.Module, pytest.Class)):
        return
    try:
        holder = collector.obj
    except Exception:
        return
    for name, value in list(vars(holder).items()):
        if name.startswith("test") and inspect.isgeneratorfunction(value):

            def make(original):
                def test(*args):
                    _run_generated(original(*args))

                if isinstance(holder, type):
                    return lambda self: test(self)
                return lambda: test()

            replacement = make(value)
            replacement.__name__ = name
            setattr(holder, name, replacement)


def pytest_addoption(parser):
    parser.addoption("--outcomes", help="write test id and outcome as JSON lines to this file")


_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report):
    """Note the outcome of each test: that of its call, or of a set-up or tear-down that failed."""
    if report.when == "call" or report.outcome != "passed":
        if report.when != "call" and report.outcome == "failed":
            _outcomes[report.nodeid] = "error"
        elif _outcomes.get(report.nodeid) != "error":
            _outcomes[report.nodeid] = report.outcome


def pytest_collectreport(report):
    """A module that cannot be imported is an outcome too."""
    if report.failed:
        _outcomes[report.nodeid] = "error"


def pytest_sessionfinish(session):
    """Write the outcomes."""
    import json

    path = session.config.getoption("--outcomes")
    if path:
        Path(path).write_text("".join(json.dumps([name, outcome]) + "\n" for name, outcome in _outcomes.items()))
