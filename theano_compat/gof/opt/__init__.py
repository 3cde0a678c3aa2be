"""The rewriting engine.

===================  ====================================================================================
file                 what
===================  ====================================================================================
`base`               rewrites of whole graphs: `Optimizer`, `SeqOptimizer`, and the failure policy
`local`              rewrites of one node: `LocalOptimizer`, `local_optimizer`, groups
`substitution`       local rewrites from data: `OpSub`, `OpRemove`, `PatternSub`
`dispatch`           the index from an op to the local rewrites that can match it
`navigate`           one walk over a graph: `TopoOptimizer`, `OpKeyOptimizer`, `in2out`, `out2in`
`equilibrium`        the worklist that runs local rewrites until nothing changes
`merge`              hash-consing of equal nodes and constants
`meta`               the rewrite that times alternatives and keeps the fastest
`trace`              keeping the line of the user's program through rewrites
`profile`            times and counts, and their printing
===================  ====================================================================================
"""

import logging
import pdb

from theano_compat import config
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.opt.base import (
    FromFunctionOptimizer,
    Optimizer,
    SeqOptimizer,
    inplace_optimizer,
    optimizer,
)
from theano_compat.gof.opt.equilibrium import ChangeTracker, EquilibriumOptimizer
from theano_compat.gof.opt.local import (
    FromFunctionLocalOptimizer,
    GraphToGPULocalOptGroup,
    LocalOptGroup,
    LocalOptimizer,
    local_optimizer,
)
from theano_compat.gof.opt.merge import (
    MergeFeature,
    _metadict,
    MergeOptimizer,
    is_same_graph_with_merge,
    pre_constant_merge,
)
from theano_compat.gof.opt.meta import LocalMetaOptimizer, LocalMetaOptimizerSkipAssertionError
from theano_compat.gof.opt.navigate import (
    NavigatorOptimizer,
    OpKeyOptimizer,
    TopoOptimizer,
    Updater,
    check_chain,
    in2out,
    out2in,
    pre_greedy_local_optimizer,
    topogroup_in2out,
    topogroup_out2in,
)
from theano_compat.gof.opt.profile import merge_dict
from theano_compat.gof.opt.substitution import OpRemove, OpSub, PatternSub
from theano_compat.gof.opt.trace import (
    CheckStackTraceOptimization,
    CheckStrackTraceFeature,
    check_stack_trace,
    copy_stack_trace,
    inherit_stack_trace,
)

integer_types = (int,)
string_types = (str,)


def __getattr__(name):
    """Serve ``theano``, the package itself, which old code imports from here too."""
    if name == "theano":
        import theano_compat

        return theano_compat
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ChangeTracker", "CheckStackTraceOptimization", "CheckStrackTraceFeature", "EquilibriumOptimizer",
    "FromFunctionLocalOptimizer", "FromFunctionOptimizer", "GraphToGPULocalOptGroup", "InconsistencyError", "LocalMetaOptimizer",
    "LocalMetaOptimizerSkipAssertionError", "LocalOptGroup", "LocalOptimizer", "MergeFeature", "MergeOptimizer",
    "NavigatorOptimizer", "OpKeyOptimizer", "OpRemove", "OpSub", "Optimizer", "PatternSub", "SeqOptimizer",
    "TopoOptimizer", "Updater", "check_chain", "check_stack_trace", "config", "copy_stack_trace", "in2out",
    "inherit_stack_trace", "inplace_optimizer", "is_same_graph_with_merge", "local_optimizer", "logging", "merge_dict",
    "optimizer", "out2in", "pdb", "pre_constant_merge", "pre_greedy_local_optimizer", "topogroup_in2out", "topogroup_out2in",
]  # fmt: skip
