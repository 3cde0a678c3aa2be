"""theano_compat: a drop-in Theano for today's Python.

The map of the package (what stands on a line knows only of the lines above it):

=====================================  ================================================================================
``configparser``, ``configdefaults``   ``theano.config``, ``.theanorc``, ``THEANO_FLAGS``
``gof``                                graphs: types, variables, ops, walks, rewriting, the Linker interface
``scalar``                             scalar types and operations: value, C text and derivative of each, once
``printing``                           ``debugprint``, ``pp``, ``Print``, pictures of graphs
``compile``                            ``function``, ``shared``, modes, debugging modes, profiles
``gradient``                           ``grad``, ``Rop``, ``Lop``, ``jacobian``, ``verify_grad``
``tensor``                             tensor types, operations, rewrites, ``nnet``, ``signal``
``ifelse``, ``updates``, ``raise_op``  lazy branches, ordered updates, run-time errors
``scan_module``                        loops
``codegen``                            the compiled engine: loops, fusion, memory plan, C text, cache
``alias``, ``cli``                     ``import theano`` for old programs, ``python -m theano_compat``
=====================================  ================================================================================

Old code says ``import theano_compat as theano``, or is run unchanged by ``python -m theano_compat script.py``.
"""

from __future__ import annotations

import logging as _logging
import sys as _sys

from theano_compat.configdefaults import config
from theano_compat.configparser import change_flags
from theano_compat import configdefaults, configparser, version
from theano_compat.version import theano_version as __version__  # old scripts compare it with Theano's releases

theano = _sys.modules[__name__]  # "from theano import theano" is common

theano_logger = _logging.getLogger("theano")
logging_default_formatter = _logging.Formatter(fmt="%(levelname)s (%(name)s): %(message)s")
logging_default_handler = _logging.StreamHandler()
logging_default_handler.setFormatter(logging_default_formatter)
theano_logger.addHandler(logging_default_handler)
theano_logger.setLevel(_logging.WARNING)


def disable_log_handler(logger=theano_logger, handler=logging_default_handler):
    """Take theano's own log handler away, for programs that set up logging themselves."""
    if logger.hasHandlers():
        logger.removeHandler(handler)


def _set_numpy_errors() -> None:
    """Apply the flags ``numpy.seterr_*`` as Theano does at import."""
    import numpy

    if config.numpy.seterr_all != "None":
        numpy.seterr(all=config.numpy.seterr_all)
    kinds = {kind: getattr(config.numpy, f"seterr_{kind}") for kind in ("divide", "over", "under", "invalid")}
    numpy.seterr(**{kind: value for kind, value in kinds.items() if value != "None"})


_set_numpy_errors()

from theano_compat import gof
from theano_compat.gof import (
    Apply,
    Constant,
    Container,
    FunctionGraph,
    Generic,
    InconsistencyError,
    Linker,
    LocalLinker,
    Op,
    OpenMPOp,
    PerformLinker,
    Type,
    Variable,
    generic,
    object2,
    opt,
    toolbox,
    utils,
)
from theano_compat import scalar, printing, compile
from theano_compat.compile import (
    FunctionMaker,
    In,
    Mode,
    OpFromGraph,
    Out,
    Param,
    ProfileStats,
    SymbolicInput,
    SymbolicOutput,
    as_op,
    function,
    function_dump,
    predefined_linkers,
    predefined_modes,
    predefined_optimizers,
    shared,
)
from theano_compat import gradient
from theano_compat.gradient import Lop, Rop, grad, subgraph_grad
from theano_compat import tensor
from theano_compat.tensor import get_scalar_constant_value
from theano_compat import ifelse, raise_op, updates
from theano_compat.printing import pp, pprint
from theano_compat.updates import OrderedUpdates

#: names that are imported when they are first asked for: name -> (module, attribute or None for the module itself)
_LATER = {
    **{name: ("scan_module", name) for name in ("scan", "map", "reduce", "foldl", "foldr", "scan_checkpoints")},
    "clone": ("scan_module.scan_utils", "clone"),
    "sparse_grad": ("sparse", "sparse_grad"),
    **{name: ("gof.cc", name) for name in ("CLinker", "OpWiseCLinker", "DualLinker")},
    "_asarray": ("misc.safe_asarray", "_asarray"),
    **{name: (name, None) for name in ("scan_module", "sparse", "typed_list", "gpuarray", "sandbox", "misc", "d3viz", "compat", "tests", "pathparse", "breakpoint", "alias", "codegen")},
}


#: not written yet: asking for them says so, and nothing lists them
_NOT_YET = ("d3viz",)
#: what Theano's own star import does not give, where it would hide a program's names (``ifelse`` is a function too)
_NOT_BY_STAR = {*_NOT_YET, "annotations", "ifelse", "raise_op", "gpuarray", "sparse", "typed_list", "sandbox", "pathparse", "breakpoint", "alias", "codegen"}


def dot(l, r):
    """The product of two arrays or matrices, by what their types define it to be: dense, sparse, or of another package.

    Parameters
    ----------
    l, r : Variable or array_like
        The factors.
    """
    for factor, method, other in ((l, "__dot__", r), (r, "__rdot__", l)):
        if hasattr(factor, method) and not isinstance(factor.type, tensor.TensorType):
            return getattr(factor, method)(other)
    return tensor.dot(l, r)


def has_handlers(logger) -> bool:
    """Tell whether a logger, or one above it, has a handler."""
    return logger.hasHandlers()


def __getattr__(name: str):
    if name == "ProfileMode":
        import warnings

        warnings.warn("ProfileMode is gone since Theano 0.9; theano.function(..., profile=True) says more", DeprecationWarning, stacklevel=2)
        return compile.ProfileMode
    place = _LATER.get(name)
    if place is None:
        raise AttributeError(f"module 'theano' has no attribute {name!r}")
    from importlib import import_module

    try:
        module = import_module(f"theano_compat.{place[0]}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("theano_compat"):
            raise AttributeError(f"theano.{name} is not in theano_compat {version.version} yet") from error
        raise
    value = module if place[1] is None else getattr(module, place[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER}.difference(_NOT_YET))


#: ``from theano import *`` gives ``scan``, ``clone`` … too, and imports what they are in
__all__ = sorted({name for name in (*globals(), *_LATER) if not name.startswith("_")} - _NOT_BY_STAR)


# Rewrites are read when a function is first compiled.
compile.mode.optdb.read_before_use([f"theano_compat.tensor.{name}" for name in tensor.REWRITES])

for _param in configparser._config_var_list:
    if isinstance(_param, configdefaults.DeviceParam) and configparser.get_flag(_param.fullname) not in ("", "cpu"):
        raise NotImplementedError(
            f"{_param.fullname}={_param.written} asks for a GPU, and theano_compat {version.version} has no GPU backend yet. "
            f"Set {_param.fullname}=cpu in THEANO_FLAGS or .theanorc to run on the CPU."
        )

configparser.warn_unknown_flags()
