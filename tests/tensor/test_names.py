"""Every name of Theano's tensor modules is there, with its arguments."""

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).with_name("tensor_names.json")
NAMES = json.loads(HERE.read_text())


@pytest.mark.parametrize("module", sorted(NAMES))
def test_module_has_all_names(module):
    found = importlib.import_module(module.replace("theano", "theano_compat", 1))
    assert [name for name in NAMES[module] if not hasattr(found, name)] == []


@pytest.mark.parametrize("module", sorted(NAMES))
def test_functions_take_theanos_arguments(module):
    found = importlib.import_module(module.replace("theano", "theano_compat", 1))
    for name, signature in NAMES[module].items():
        if signature is None:
            continue
        plain = re.sub(r"\([^()]*\)", "", signature[1:-1])
        wanted = [entry.split("=")[0].strip().lstrip("*") for entry in plain.split(",") if entry.strip()]
        ours = [*inspect.signature(getattr(found, name)).parameters]
        assert ours[: len(wanted)] == wanted, name


@pytest.mark.parametrize("module, names", [("tensor", "nnet opt blas nlinalg raw_random shared_randomstreams xlogx vector"), ("tensor.raw_random", "theano tensor np sys uniform")])
def test_a_star_import_gives_the_modules_that_theanos_gives(module, names):
    namespace = {}
    exec(f"from theano_compat.{module} import *", namespace)
    assert [name for name in names.split() if name not in namespace] == []
