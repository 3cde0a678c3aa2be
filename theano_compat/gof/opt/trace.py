"""Keeping the line of the user's program through rewrites."""

from __future__ import annotations

import contextlib
import logging
import warnings

from theano_compat import config
from theano_compat.gof.graph import nodes_constructed
from theano_compat.gof.opt.base import Optimizer
from theano_compat.gof.toolbox import Feature

_logger = logging.getLogger("theano.gof.opt")

# A node merged from hundreds of others would carry hundreds of traces; the first ones tell enough.
_MAX_TRACES = 8


def _traces(variable):
    trace = getattr(variable.tag, "trace", None)
    if not trace:
        return []
    # One trace (a list of frames) as opposed to a list of traces.
    return [trace] if isinstance(trace[0], tuple) else trace


def copy_stack_trace(from_var, to_var):
    """Add the creation traces of some variables to those of others.

    Parameters
    ----------
    from_var : Variable or list of Variable
        Where the computation comes from.
    to_var : Variable or list of Variable
        What replaces it.

    Returns
    -------
    Variable or list of Variable
        `to_var`.
    """
    sources = from_var if isinstance(from_var, (list, tuple)) else [from_var]
    targets = to_var if isinstance(to_var, (list, tuple)) else [to_var]
    incoming = [trace for variable in sources for trace in _traces(variable)]
    for target in targets:
        own = _traces(target)
        known = {id(trace) for trace in own}
        merged = list(own)
        for trace in incoming:
            if len(merged) >= _MAX_TRACES:
                break
            if id(trace) not in known:
                known.add(id(trace))
                merged.append(trace)
        target.tag.trace = merged
    return to_var


@contextlib.contextmanager
def inherit_stack_trace(from_var):
    """Within the ``with`` block, every new variable gets the creation traces of `from_var`."""
    with nodes_constructed() as made:
        yield
    copy_stack_trace(from_var, list(made))


def check_stack_trace(f_or_fgraph, ops_to_check="last", bug_print="raise"):
    """Tell whether the outputs of the chosen nodes know where the user made them.

    Parameters
    ----------
    f_or_fgraph : Function or FunctionGraph
    ops_to_check : str, Op, op class, or tuple/list of ops or op classes
        ``'last'`` (the nodes that make the outputs), ``'all'``, or which ops.
    bug_print : {'raise', 'warn', 'ignore'}
        What to do where a trace is missing.

    Returns
    -------
    bool
    """
    if hasattr(f_or_fgraph, "maker"):
        fgraph = f_or_fgraph.maker.fgraph
    elif hasattr(f_or_fgraph, "apply_nodes"):
        fgraph = f_or_fgraph
    else:
        raise ValueError(
            "The type of f_or_fgraph is not supported: a compiled function or a FunctionGraph is needed, "
            f"not {type(f_or_fgraph).__name__}."
        )
    if bug_print not in ("raise", "warn", "ignore"):
        raise ValueError(f"The string bug_print must be either 'raise', 'warn' or 'ignore', not {bug_print!r}.")

    for node in fgraph.apply_nodes:
        if not _wanted(node, fgraph, ops_to_check):
            continue
        for output in node.outputs:
            if _traces(output):
                continue
            message = f"Empty stack trace! The optimization that inserted variable {output} of op {node.op} lost it."
            if bug_print == "raise":
                raise ValueError(message)
            if bug_print == "warn":
                warnings.warn(message, stacklevel=2)
            return False
    return True


def _wanted(node, fgraph, ops_to_check):
    if ops_to_check == "last":
        return any(output in fgraph.outputs for output in node.outputs)
    if ops_to_check == "all":
        return True
    if isinstance(ops_to_check, str):
        raise ValueError(f"The string ops_to_check is not recognised: {ops_to_check!r}")
    if not isinstance(ops_to_check, (list, tuple, set)):
        ops_to_check = (ops_to_check,)
    classes = tuple(op for op in ops_to_check if isinstance(op, type))
    return isinstance(node.op, classes) or any(
        node.op == op for op in ops_to_check if not isinstance(op, type)
    )


class CheckStrackTraceFeature(Feature):
    """Reports each node that enters the graph without a creation trace (its name is historic)."""

    def on_import(self, fgraph, node, reason):
        level = config.check_stack_trace
        if level == "off":
            return
        for output in node.outputs:
            if _traces(output):
                continue
            message = f"Empty stack trace. The optimization that inserted this variable is {reason}: {output}"
            if level == "raise":
                raise AssertionError(message)
            if level == "log":
                _logger.warning(message)
            else:
                warnings.warn(message, stacklevel=2)
            # Say it once, and let what comes later in the graph inherit something.
            output.tag.trace = [[("", 0, message, "")] * 2]


class CheckStackTraceOptimization(Optimizer):
    """Attach `CheckStrackTraceFeature` where ``config.check_stack_trace`` asks for it."""

    def add_requirements(self, fgraph):
        if not any(isinstance(feature, CheckStrackTraceFeature) for feature in getattr(fgraph, "_features", ())):
            fgraph.attach_feature(CheckStrackTraceFeature())

    def apply(self, fgraph):
        """Nothing to rewrite: the feature does the work."""


__all__ = [
    "CheckStackTraceOptimization", "CheckStrackTraceFeature", "check_stack_trace", "copy_stack_trace",
    "inherit_stack_trace",
]  # fmt: skip
