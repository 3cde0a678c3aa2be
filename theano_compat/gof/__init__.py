"""The graph core: what an expression is, how it is walked, changed, rewritten, scheduled and run. No arrays, no C text.

===================  ==========================================================================================
``utils``            ``__props__``, scratchpads, the user's lines, sequence helpers
``graph``            Variable, Constant, Apply, and the walks over them
``type``             Type and its simple subclasses; ``ctypes_enum`` (CDataType, EnumType), ``null_type``,
                     ``params_type``; ``ctype_api`` is the C side of types and ops
``op``               Op, its protocol, thunks, test values; ``cop`` has COp and OpenMPOp
``fg``, ``toolbox``  FunctionGraph and its features; ``destroyhandler`` is the one that keeps in-place ops safe
``opt``, ``optdb``   rewrites, ways to apply them, and the database they are chosen from; ``unify`` for patterns
``link``, ``vm``     Linker interface, containers, PerformLinker, the virtual machine; ``sched`` for schedules
``flatpickle``       pickles and copies of graphs of any depth
``cc``, ``cmodule``  historical names of Theano's C linker; the compiled engine is ``theano_compat.codegen``
===================  ==========================================================================================
"""

from __future__ import annotations

from theano_compat.gof.utils import MethodNotDefined, hashtype, object2  # isort: skip
from theano_compat.gof.graph import Apply, Constant, Variable, view_roots  # isort: skip
from theano_compat.gof.type import CEnumType, EnumList, EnumType, Generic, Type, generic  # isort: skip
from theano_compat.gof.op import COp, Op, OpenMPOp, PureOp, ops_with_inner_function  # isort: skip
from theano_compat.gof.params_type import Params, ParamsType  # isort: skip
from theano_compat.gof.toolbox import (  # isort: skip
    Bookkeeper, Feature, History, NodeFinder, NoOutputFromInplace, PrintListener, ReplacementDidntRemovedError,
    ReplaceValidate, Validator,
)  # fmt: skip
from theano_compat.gof.fg import CachedConstantError, FunctionGraph, InconsistencyError, MissingInputError  # isort: skip
from theano_compat.gof.destroyhandler import DestroyHandler  # isort: skip
from theano_compat.gof.link import Container, Linker, LocalLinker, PerformLinker, WrapLinker, WrapLinkerMany  # isort: skip
from theano_compat.gof.opt import (  # isort: skip
    CheckStackTraceOptimization, EquilibriumOptimizer, LocalOptGroup, LocalOptimizer, MergeOptimizer,
    NavigatorOptimizer, OpKeyOptimizer, OpRemove, OpSub, Optimizer, PatternSub, SeqOptimizer, TopoOptimizer,
    inplace_optimizer, local_optimizer, optimizer,
)  # fmt: skip
from theano_compat.gof.optdb import DB, EquilibriumDB, LocalGroupDB, ProxyDB, Query, SequenceDB  # isort: skip


def __getattr__(name):
    # Linkers and modules of the C code that Theano generated; seldom used, so they are imported when they are asked for.
    import importlib

    if name in ("CLinker", "DualLinker", "HideC", "OpWiseCLinker"):
        return getattr(importlib.import_module("theano_compat.gof.cc"), name)
    if name in ("cc", "cmodule", "compiledir", "compilelock", "cutils", "lazylinker_c", "callcache", "sched", "vm", "unify"):
        return importlib.import_module(f"theano_compat.gof.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
