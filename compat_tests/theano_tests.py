"""What Theano's own test modules need to be imported here: themselves, from the source distribution, and the parts of nose that they use."""

from __future__ import annotations

import importlib.abc
import importlib.util
import re
import sys
import types
import unittest
from pathlib import Path

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


def supply_nose() -> None:
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
                try:
                    function(*args, **kwargs)
                except kinds:
                    return
                raise AssertionError(f"{function.__name__} did not raise {kinds}")

            wrapper.__name__ = function.__name__
            return wrapper

        return decorate

    plugins = module("nose.plugins", skip=module("nose.plugins.skip", SkipTest=unittest.SkipTest), attrib=module("nose.plugins.attrib", attr=lambda *a, **k: lambda f: f))
    module("nose", tools=module("nose.tools", raises=raises, **tools), plugins=plugins, SkipTest=unittest.SkipTest)


def install() -> None:
    """Make ``theano.*.tests.*``, ``nose`` and the NumPy names of that time importable in this process."""
    from theano_compat.cli import supply

    supply.install()
    sys.meta_path.insert(0, TestModules(sources.fetch()))
    supply_nose()
