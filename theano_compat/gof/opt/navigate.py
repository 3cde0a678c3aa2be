"""Walks that apply a local rewrite over a graph once."""

from __future__ import annotations

import sys
import time
from collections import deque

from theano_compat.gof.graph import io_toposort
from theano_compat.gof.opt.base import InconsistencyError, Optimizer, report_failure, require_replace_validate
from theano_compat.gof.opt.dispatch import Dispatch
from theano_compat.gof.opt.local import LocalOptGroup
from theano_compat.gof.opt.profile import PassProfile, label
from theano_compat.gof.toolbox import Feature


class Updater(Feature):
    """Feature that tells a running walk what happens to the graph.

    Parameters
    ----------
    importer, pruner : callable or None
        Called with each node that enters, or leaves, the graph.
    chin : callable or None
        Called with ``(node, i, old, new, reason)`` for each changed input.
    name : str, optional
    """

    def __init__(self, importer, pruner, chin, name=None):
        self.importer, self.pruner, self.chin, self.name = importer, pruner, chin, name

    def __str__(self):
        return f"Updater{{{self.name}}}"

    @staticmethod
    def _tell(listener, *event):
        if listener is not None:
            listener(*event)

    def on_import(self, fgraph, node, reason):
        self._tell(self.importer, node)

    def on_prune(self, fgraph, node, reason):
        self._tell(self.pruner, node)

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self._tell(self.chin, node, i, r, new_r, reason)

    def on_detach(self, fgraph):
        # Let go of the walk's closures.
        self.importer = self.pruner = self.chin = None


class NavigatorOptimizer(Optimizer):
    """Base of the rewrites that apply a local rewrite node by node.

    Parameters
    ----------
    local_opt : LocalOptimizer or callable
        What to apply; a plain function gets the node.
    ignore_newtrees : bool or 'auto'
        Whether nodes made by the rewrite are left alone; ``'auto'`` asks the local rewrite (``reentrant``).
    failure_callback : callable, optional
        ``failure_callback(exception, self, [(old, new)], local_opt, node)``; without it, exceptions go up.
    """

    def __init__(self, local_opt, ignore_newtrees="auto", failure_callback=None):
        self.local_opt = local_opt
        if ignore_newtrees == "auto":
            ignore_newtrees = not getattr(local_opt, "reentrant", True)
        self.ignore_newtrees = ignore_newtrees
        self.failure_callback = failure_callback

    @staticmethod
    def warn(exc, nav, repl_pairs, local_opt, node):
        """Failure callback: report, then go on unless told otherwise."""
        report_failure(f"Optimization failure due to: {local_opt}", [f"node: {node}"])

    @staticmethod
    def warn_inplace(exc, nav, repl_pairs, local_opt, node):
        """Failure callback for rewrites in place: a replacement that would be inconsistent is no news."""
        if not isinstance(exc, InconsistencyError):
            NavigatorOptimizer.warn(exc, nav, repl_pairs, local_opt, node)

    @staticmethod
    def warn_ignore(exc, nav, repl_pairs, local_opt, node):
        """Failure callback that ignores everything."""

    def attach_updater(self, fgraph, importer, pruner, chin=None, name=None):
        """Have functions called as the graph changes; the result goes to `detach_updater`."""
        if self.ignore_newtrees:
            importer = None
        if importer is None and pruner is None and chin is None:
            return None
        updater = Updater(importer, pruner, chin, name=name)
        fgraph.attach_feature(updater)
        return updater

    def detach_updater(self, fgraph, u):
        """End what `attach_updater` began."""
        if u is not None:
            fgraph.remove_feature(u)

    def process_node(self, fgraph, node, lopt=None):
        """Try a local rewrite on a node and put what it gives into the graph.

        Returns
        -------
        bool
            Whether the graph changed.
        """
        lopt = lopt or self.local_opt
        try:
            found = lopt.transform(node) if hasattr(lopt, "transform") else lopt(node)
        except Exception as error:
            if self.failure_callback is None:
                raise
            self.failure_callback(error, self, [(output, None) for output in node.outputs], lopt, node)
            return False
        if found is False or found is None:
            return False
        pairs, remove = replacement_pairs(node, found, lopt)
        if not pairs and not remove:
            return False
        try:
            fgraph.replace_all_validate_remove(pairs, remove=remove, reason=lopt)
        except Exception as error:
            # The graph is back in its former state.
            if self.failure_callback is None:
                raise
            self.failure_callback(error, self, pairs, lopt, node)
            return False
        return True

    def add_requirements(self, fgraph):
        super().add_requirements(fgraph)
        require_replace_validate(fgraph)
        if hasattr(self.local_opt, "add_requirements"):
            self.local_opt.add_requirements(fgraph)

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__} {getattr(self, 'name', None)} id={id(self)}", file=stream)
        if depth != 0 and hasattr(self.local_opt, "print_summary"):
            self.local_opt.print_summary(stream, level=level + 2, depth=depth - 1)


def replacement_pairs(node, found, lopt):
    """Check what a local rewrite returned.

    Returns
    -------
    pairs : list of (Variable, Variable)
        Old and new.
    remove : list of Variable
        Those that must be gone afterwards.
    """
    remove = ()
    if isinstance(found, dict):
        remove = found.get("remove", ())
        pairs = [(old, new) for old, new in found.items() if not isinstance(old, str)]
    elif isinstance(found, (list, tuple)):
        if len(found) != len(node.outputs):
            raise ValueError(f"Optimizer {lopt} gave wrong number of replacements: {len(found)} for {len(node.outputs)}")
        pairs = list(zip(node.outputs, found))
    else:
        raise TypeError(f"Optimizer {lopt} gave wrong type of replacement. Expected list or tuple. Got {found}")
    return [(old, new) for old, new in pairs if new is not None and new is not old], remove


class TopoOptimizer(NavigatorOptimizer):
    """Apply a local rewrite to every node in topological order, or in its reverse.

    Parameters
    ----------
    local_opt : LocalOptimizer
    order : {'in_to_out', 'out_to_in'}
    ignore_newtrees, failure_callback
        See `NavigatorOptimizer`.
    """

    def __init__(self, local_opt, order="in_to_out", ignore_newtrees=False, failure_callback=None):
        if order not in ("in_to_out", "out_to_in"):
            raise ValueError("order must be 'out_to_in' or 'in_to_out'")
        self.order = order
        super().__init__(local_opt, ignore_newtrees, failure_callback)

    def apply(self, fgraph, start_from=None):
        profile = PassProfile(self, nodes_before=len(fgraph.apply_nodes))
        begin = time.perf_counter()
        queue = deque(fgraph.depth_first() if start_from is None else io_toposort(fgraph.inputs, start_from))
        profile.counters["io_toposort seconds"] = round(time.perf_counter() - begin, 6)
        take = queue.popleft if self.order == "in_to_out" else queue.pop
        put = queue.append
        current = None
        wanted = _node_filter(self.local_opt)

        def importer(node):
            if node is not current and wanted(node):
                put(node)

        updater = self.attach_updater(fgraph, importer, None, name=getattr(self, "name", None))
        alive = fgraph.apply_nodes
        applied = tried = 0
        try:
            while queue:
                node = take()
                if not wanted(node) or node not in alive:
                    continue
                current = node
                tried += 1
                applied += self.process_node(fgraph, node)
        finally:
            self.detach_updater(fgraph, updater)
        profile.seconds, profile.nodes_after = time.perf_counter() - begin, len(fgraph.apply_nodes)
        name = label(self.local_opt)
        profile.times[name], profile.applied[name], profile.tried[name] = profile.seconds, applied, tried
        return profile

    def __str__(self):
        return getattr(self, "__name__", "<TopoOptimizer instance>")


def _node_filter(local_opt):
    """Return a predicate: whether a local rewrite can match a node."""
    tracks = getattr(local_opt, "tracks", None)
    if tracks is None or not tracks():
        return lambda node: True
    dispatch = Dispatch([local_opt])
    return lambda node: bool(dispatch(node.op))


class OpKeyOptimizer(NavigatorOptimizer):
    """Apply a local rewrite to the nodes of the one op that it names (`op_key`).

    Parameters
    ----------
    local_opt : LocalOptimizer
        Has an ``op_key()``.
    ignore_newtrees, failure_callback
        See `NavigatorOptimizer`.
    """

    def __init__(self, local_opt, ignore_newtrees=False, failure_callback=None):
        if not hasattr(local_opt, "op_key"):
            raise TypeError(f"LocalOptimizer for OpKeyOptimizer must have an 'op_key' method: {local_opt!r} has none.")
        super().__init__(local_opt, ignore_newtrees, failure_callback)

    def apply(self, fgraph):
        op = self.local_opt.op_key()
        ops = set(op) if isinstance(op, (list, tuple)) else {op}
        queue = [node for node in fgraph.depth_first() if node.op in ops]
        current = None

        def importer(node):
            if node is not current and node.op in ops:
                queue.append(node)

        updater = self.attach_updater(fgraph, importer, None, name=getattr(self, "name", None))
        try:
            while queue:
                node = queue.pop()
                if node in fgraph.apply_nodes:
                    current = node
                    self.process_node(fgraph, node)
        finally:
            self.detach_updater(fgraph, updater)

    def add_requirements(self, fgraph):
        super().add_requirements(fgraph)
        from theano_compat.gof.toolbox import NodeFinder

        fgraph.attach_feature(NodeFinder())


def _walk(order, apply_all_opts):
    """Return the function that makes a named walk over a group of local rewrites."""

    def make(*local_opts, **kwargs):
        name = kwargs.pop("name", None)
        ignore_newtrees = kwargs.pop("ignore_newtrees", False if apply_all_opts else "auto")
        kwargs.setdefault("failure_callback", TopoOptimizer.warn_inplace)
        if len(local_opts) > 1 or apply_all_opts:
            local_opt = LocalOptGroup(*local_opts, apply_all_opts=apply_all_opts)
        else:
            (local_opt,) = local_opts
            if not name:
                name = getattr(local_opt, "__name__", None)
        walk = TopoOptimizer(local_opt, order=order, ignore_newtrees=ignore_newtrees, **kwargs)
        if name:
            walk.__name__ = name
        return walk

    make.__doc__ = f"Return a `TopoOptimizer` that applies the local rewrites {order.replace('_', ' ')}."
    return make


in2out = _walk("in_to_out", apply_all_opts=False)
out2in = _walk("out_to_in", apply_all_opts=False)
topogroup_in2out = _walk("in_to_out", apply_all_opts=True)
topogroup_out2in = _walk("out_to_in", apply_all_opts=True)
for _name in ("in2out", "out2in", "topogroup_in2out", "topogroup_out2in"):
    globals()[_name].__name__ = globals()[_name].__qualname__ = _name


def check_chain(r, *chain):
    """Tell whether a result is made by a chain of ops, each fed (through any input) by the next.

    Parameters
    ----------
    r : Variable or Apply
    chain : Op, op class or callable
        The op, or class of op, or predicate on the op, of each node from the result upwards.

    Returns
    -------
    bool
    """
    if hasattr(r, "owner"):
        r = r.owner
    level = [] if r is None else [r]
    for depth, wanted in enumerate(chain):
        level = [node for node in level if _op_is(node.op, wanted)]
        if not level:
            return False
        if depth < len(chain) - 1:
            level = [v.owner for node in level for v in node.inputs if v.owner is not None]
    return True


def _op_is(op, wanted):
    if wanted is None or wanted is op:
        return True
    if isinstance(wanted, type):
        return isinstance(op, wanted)
    if hasattr(wanted, "make_node"):
        return op == wanted
    return bool(wanted(op)) if callable(wanted) else False


def pre_greedy_local_optimizer(list_optimizations, out):
    """Apply local rewrites to an expression that is not in a function yet.

    Parameters
    ----------
    list_optimizations : list of LocalOptimizer
        Ones that need no `FunctionGraph`.
    out : Variable

    Returns
    -------
    Variable
        An equal expression; `out` itself where nothing matched. Shared parts are not changed in place.
    """
    dispatch = Dispatch(list_optimizations)
    new_of = {}
    for node in io_toposort([], [out]):
        inputs = [new_of.get(v, v) for v in node.inputs]
        if any(a is not b for a, b in zip(inputs, node.inputs)):
            fresh = node.clone_with_new_inputs(inputs)
            new_of.update(zip(node.outputs, fresh.outputs))
            node, originals = fresh, node.outputs
        else:
            originals = node.outputs
        for rewrite in dispatch(node.op):
            found = rewrite.transform(node)
            if found:
                found = found if isinstance(found, dict) else dict(zip(node.outputs, found))
                for original, output in zip(originals, node.outputs):
                    replacement = found.get(output)
                    if replacement is not None:
                        new_of[original] = replacement
                break
    result = new_of.get(out, out)
    return result


__all__ = [
    "NavigatorOptimizer", "OpKeyOptimizer", "TopoOptimizer", "Updater", "check_chain", "in2out",
    "out2in", "pre_greedy_local_optimizer", "topogroup_in2out", "topogroup_out2in",
]  # fmt: skip
