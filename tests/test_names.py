"""Theano's names are there: those that 89 projects use, and the public ones of each module.

``python -m tests.test_names`` prints the counts and what is missing.
"""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
CLIENT = (DATA / "client_names.txt").read_text().split()
MODULES = json.loads((DATA / "theano_names.json").read_text())
#: of Python 2 and 3 in one source, or of the interpreter; nobody imports them from Theano
NOT_NAMES = {"absolute_import", "division", "print_function", "string_types", "integer_types", "PY3", "p", "rpath", "xrange", "imported_scipy"}
#: the GPU backend and the viewer are not written yet
LATER = ("theano.gpuarray", "theano.sandbox.cuda", "theano.sandbox.gpuarray", "theano.misc.pycuda_utils", "theano.misc.gnumpy_utils", "theano.d3viz")
#: not here, and why
ABSENT = {
    "theano.test": "ran nose over the installed package",
    "theano.config.pthreads": "no flag of Theano: a library of one project adds it",
    "theano.sandbox.scan": "an experiment that Theano itself took out in 2016",
    "theano.mean": "never there: the one use is a slip",
    "theano.tensor.concat": "never there: the one use is a slip",
    "theano.tensor.dimshuffle": "never there: the one use is a slip",
    "theano.tensor.new": "never there: the one use is a slip",
    "theano.tensor.abs": "never there: the one use is a slip",
    "theano.tensor.nnet.softminus": "gone before Theano 1.0",
    "theano.tensor.nnet.Conv3D": "the old 3-D convolution, gone since Theano 0.9: conv3d",
    "theano.gof.cc.struct_gen": "text of Theano's C++ structs",
    "theano.tensor.blas_c.gemv_c_code": "C text of Theano's own ops",
    "theano.tensor.blas_c.ger_c_code": "C text of Theano's own ops",
    "theano.tensor.nnet.conv.gen_conv_code_unroll_batch_kern": "C text of Theano's own ops",
}
COMPLETE = [m for m in MODULES if m.split(".")[1:2] in (["tensor"], ["scalar"], ["gof"], ["compile"], ["gradient"], ["printing"], ["configparser"], ["typed_list"], []) or m in ("theano.updates", "theano.ifelse", "theano.raise_op")]


def lookup(dotted: str):
    """Return what a dotted name of Theano means here.

    Raises
    ------
    LookupError
        If there is no such thing.
    """
    parts = ["theano_compat", *dotted.split(".")[1:]]
    for cut in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                thing = importlib.import_module(".".join(parts[:cut]))
                for part in parts[cut:]:
                    thing = getattr(thing, part)
            return thing
        except (ImportError, AttributeError):
            continue
    raise LookupError(dotted)


def missing(names):
    """Return those of some dotted names that are not there."""
    out = []
    for name in names:
        try:
            lookup(name)
        except LookupError:
            out.append(name)
    return out


def missing_of_module(module):
    """Return the public names of a module that are not there."""
    return missing(f"{module}.{name}" for name in MODULES[module] if name not in NOT_NAMES)


def test_names_that_projects_use():
    absent = [n for n in missing(CLIENT) if not n.startswith(LATER) and n not in ABSENT]
    assert not absent, absent


@pytest.mark.parametrize("module", COMPLETE)
def test_public_names_of(module):
    absent = [n for n in missing_of_module(module) if not n.startswith(LATER) and n not in ABSENT]
    assert not absent, absent


@pytest.mark.parametrize(
    "module, names",
    [
        ("theano_compat", "scan map reduce foldl foldr scan_checkpoints clone scan_module sparse_grad misc compat tests CLinker OpWiseCLinker DualLinker function tensor"),
        ("theano_compat.printing", "pydotprint pydot_imported pydot_imported_msg default_colorCodes debugprint pp"),
    ],
)
def test_star_import_and_dir_give_the_names_that_are_imported_late(module, names):
    given = {}
    exec(f"from {module} import *", given)
    assert [name for name in names.split() if name not in given] == []
    assert [name for name in names.split() if name not in dir(importlib.import_module(module))] == []


def test_star_import_gives_no_module_that_would_hide_a_function():
    given = {}
    exec("from theano_compat import *", given)
    assert not {"ifelse", "raise_op", "annotations"} & given.keys()


@pytest.mark.parametrize(
    "old, home",
    [
        ("theano.tensor.elemwise.TensorType", "theano.tensor.TensorType"),
        ("theano.tensor.var.TensorType", "theano.tensor.TensorType"),
        ("theano.tensor.opt.values_eq_approx_remove_inf", "theano.tensor.type.values_eq_approx_remove_inf"),
        ("theano.gof.opt.InconsistencyError", "theano.gof.InconsistencyError"),
        ("theano.gof.cc.get_lock", "theano.gof.compilelock.get_lock"),
        ("theano.tensor.nnet.nnet.as_tensor_variable", "theano.tensor.as_tensor_variable"),
    ],
)
def test_names_are_found_where_old_code_takes_them_from(old, home):
    assert lookup(old) is lookup(home)


def test_a_release_says_so():
    assert lookup("theano.version.release") is True


def test_programs_that_ask_for_a_gpu_are_told_there_is_none():
    assert lookup("theano.sandbox.cuda.cuda_available") is lookup("theano.sandbox.cuda.cuda_enabled") is lookup("theano.gpuarray.pygpu_activated") is False
    assert lookup("theano.sandbox.cuda.dnn").dnn_available() is lookup("theano.gpuarray.dnn").dnn_available(None) is lookup("theano.gpuarray.dnn").dnn_present() is False
    assert "no GPU backend" in lookup("theano.gpuarray.dnn").dnn_available.msg


@pytest.mark.parametrize("module", ["theano_compat.sandbox.cuda", "theano_compat.gpuarray"])
def test_using_a_gpu_is_refused_and_says_why(module):
    backend = importlib.import_module(module)
    with pytest.raises(NotImplementedError, match=r"use\('gpu0'\): .*(no GPU backend|gone since Theano 1.0)"):
        backend.use("gpu0")
    with pytest.raises(AttributeError, match="basic_ops: .*(no GPU backend|gone since Theano 1.0)"):
        _ = backend.basic_ops
    with pytest.raises(ImportError):  # what guarded programs catch
        importlib.import_module(f"{module}.basic_ops")
    assert not hasattr(backend, "gpu_from_host")


def main() -> None:
    """Print how many names are there."""
    absent = missing(CLIENT)
    print(f"names that projects use: {len(CLIENT) - len(absent)} of {len(CLIENT)}; missing: {', '.join(absent)}")
    for top in ("theano", "theano.tensor", "theano.scalar", "theano.gof", "theano.compile", "theano.gradient"):
        modules = [m for m in MODULES if m == top or (top != "theano" and m.startswith(top + "."))]
        wanted = [f"{m}.{n}" for m in modules for n in MODULES[m]]
        absent = missing(wanted)
        print(f"{top} ({len(modules)} modules): {len(wanted) - len(absent)} of {len(wanted)}; missing: {', '.join(absent)}")


if __name__ == "__main__":
    main()
