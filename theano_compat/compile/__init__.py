"""From expressions to callables.

========================  ==================================================================================
``function``              :func:`function`, the user's entrance
``pfunc``                 shared variables, updates and givens are worked into the graph
``function_maker``        build the function graph, rewrite it by the mode, link it
``function_module``       :class:`Function`, what the user calls; named values, copies, pickles
``function_copy``         ``Function.copy``
``aliasing``              which outputs share memory with what, and the copies that hide it
``io``                    :class:`In`, :class:`Out`
``sharedvalue``           :func:`shared` and the base class of shared variables
``mode``                  modes, linkers by name, and ``optdb``, the database of all rewrites
``ops``                   view, copy, shape, broadcast and specify-shape ops; ``as_op``
``builders``              :class:`OpFromGraph`
``debugmode``             a mode that checks every op and every rewrite
``nanguardmode``          a mode that stops at NaN, inf or very large values
``monitormode``           a mode that calls the user's function around each op
``profiling``             times and memory, per function, class, op and node
========================  ==================================================================================
"""

from __future__ import annotations

from typing import Any

from theano_compat import config  # noqa: F401
from theano_compat.compile.ops import (  # noqa: F401
    DeepCopyOp,
    FromFunctionOp,
    Rebroadcast,
    Shape,
    Shape_i,
    SpecifyShape,
    ViewOp,
    as_op,
    deep_copy_op,
    register_deep_copy_op_c_code,
    register_rebroadcast_c_code,
    register_shape_c_code,
    register_shape_i_c_code,
    register_specify_shape_c_code,
    register_view_op_c_code,
    shape,
    specify_shape,
    view_op,
)

from theano_compat.compile.mode import (  # noqa: F401  isort: skip
    AddDestroyHandler,
    AddFeatureOptimizer,
    FAST_COMPILE,
    FAST_RUN,
    Mode,
    OPT_FAST_COMPILE,
    OPT_FAST_RUN,
    OPT_FAST_RUN_STABLE,
    OPT_MERGE,
    OPT_NONE,
    OPT_O2,
    OPT_O3,
    OPT_STABILIZE,
    OPT_UNSAFE,
    PrintCurrentFunctionGraph,
    exclude,
    get_default_mode,
    get_mode,
    instantiated_default_mode,
    local_useless,
    optdb,
    predefined_linkers,
    predefined_modes,
    predefined_optimizers,
    register_linker,
    register_mode,
    register_optimizer,
)
from theano_compat.compile.io import In, Out, SymbolicInput, SymbolicOutput  # noqa: F401  isort: skip
from theano_compat.compile.sharedvalue import SharedVariable, shared, shared_constructor  # noqa: F401  isort: skip
from theano_compat.compile.pfunc import Param, pfunc, rebuild_collect_shared  # noqa: F401  isort: skip
from theano_compat.compile.function_module import (  # noqa: F401  isort: skip
    AliasedMemoryError,
    DUPLICATE,
    Function,
    FunctionMaker,
    NODEFAULT,
    Supervisor,
    UnusedInputError,
    alias_root,
    check_equal,
    convert_function_input,
    fgraph_updated_vars,
    get_info_on_inputs,
    infer_reuse_pattern,
    insert_deepcopy,
    orig_function,
    register_checker,
    std_fgraph,
    view_tree_set,
)
from theano_compat.configparser import string_types  # noqa: F401  isort: skip
from theano_compat.gof import Variable  # noqa: F401  isort: skip
from theano_compat.gof.graph import io_connection_pattern, is_same_graph  # noqa: F401  isort: skip
from theano_compat.gof.null_type import NullType  # noqa: F401  isort: skip
from theano_compat.gof.op import ops_with_inner_function  # noqa: F401  isort: skip
from theano_compat.compile.builders import OpFromGraph, inline_ofg_expansion  # noqa: F401  isort: skip
from theano_compat.compile.function import function, function_dump  # noqa: F401  isort: skip

# Parts that few programs need are loaded when they are asked for.
_LATER = {
    "DebugMode": "theano_compat.compile.debugmode",
    "MonitorMode": "theano_compat.compile.monitormode",
    "NanGuardMode": "theano_compat.compile.nanguardmode",
    "ProfileMode": "theano_compat.compile.profilemode",
    "ProfileStats": "theano_compat.compile.profiling",
    "ScanProfileStats": "theano_compat.compile.profiling",
    "DisconnectedType": "theano_compat.gradient",
    "debugmode": "",
    "monitormode": "",
    "nanguardmode": "",
    "profilemode": "",
    "profiling": "",
    "sandbox": "",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LATER[name] or f"{__name__}.{name}")
    value = module if not _LATER[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
