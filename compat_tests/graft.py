"""A pytest plugin that runs Theano's own tests, unchanged, with ``theano`` meaning this package.

    cd FOLDER/Theano-1.0.5 && python -m pytest -p compat_tests.graft theano/gof/tests/test_graph.py

Test modules (``theano.*.tests.*``) come from the source distribution, everything else from theano_compat. What the tests need of nose is supplied, and
generator tests (a function that yields ``(function, arguments…)``) are run as one test each.
"""

from __future__ import annotations

import inspect
import os
import unittest
from pathlib import Path

import pytest

from compat_tests import theano_tests


def pytest_configure(config):
    """Set up before any test module is imported."""
    from theano_compat import alias

    alias.install()
    theano_tests.install()
    os.environ.setdefault("MPLBACKEND", "Agg")


def _run_generated(generator):
    for step in generator:
        function, *arguments = step if isinstance(step, tuple) else (step,)
        function(*arguments)


def _as_nose_has_it(cls: type, module: str) -> None:
    """Let a test class belong to the module where it was found (some look for themselves there); call ``setUp`` and ``tearDown`` of plain ones too."""
    cls.__module__ = module
    if not issubclass(cls, unittest.TestCase):
        for theirs, ours in (("setUp", "setup_method"), ("tearDown", "teardown_method")):
            if hasattr(cls, theirs):
                setattr(cls, ours, lambda self, method=None, name=theirs: getattr(self, name)())


@pytest.hookimpl(tryfirst=True)
def pytest_collectstart(collector):
    """Replace generator tests, and make classes as nose has them, before pytest looks at a module or class."""
    if not isinstance(collector, (pytest.Module, pytest.Class)):
        return
    try:
        holder = collector.obj
    except Exception:
        return
    if isinstance(holder, type):
        if holder.__name__.startswith("_"):
            collector.collect = list  # a base of other test classes
            return
        _as_nose_has_it(holder, collector.getparent(pytest.Module).obj.__name__)
    classes = holder.__mro__ if isinstance(holder, type) else (holder,)
    inherited = {name: value for place in reversed(classes) for name, value in vars(place).items()}
    for name, value in inherited.items():
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
    parser.addoption("--outcomes", help="write test id, outcome and reason as JSON lines to this file")


_outcomes: dict[str, tuple[str, str]] = {}


def _reason(report) -> str:
    """The first line of what a test died of; the reason of one that was skipped."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr or "").strip().rpartition("\n")[2]
    return message.partition("\n")[0][:200]


def pytest_runtest_logreport(report):
    """Note the outcome of each test: that of its call, or of a set-up or tear-down that failed."""
    if report.when == "call" or report.outcome != "passed":
        if report.when != "call" and report.outcome == "failed":
            _outcomes[report.nodeid] = "error", _reason(report)
        elif _outcomes.get(report.nodeid, ("",))[0] != "error":
            _outcomes[report.nodeid] = report.outcome, _reason(report)


def pytest_collectreport(report):
    """A module that cannot be imported is an outcome too."""
    if report.failed:
        _outcomes[report.nodeid] = "error", _reason(report)


def pytest_deselected(items):
    """Note what was not asked for, so that it is not missed."""
    _outcomes.update((item.nodeid, ("deselected", "")) for item in items)


def pytest_sessionfinish(session):
    """Write the outcomes."""
    import json

    path = session.config.getoption("--outcomes")
    if path:
        Path(path).write_text("".join(json.dumps([name, *outcome]) + "\n" for name, outcome in _outcomes.items()))
