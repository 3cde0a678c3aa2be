"""Features: objects attached to a FunctionGraph that hear of its changes, may object to them, or add abilities."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from io import StringIO
from typing import Any, NamedTuple

import numpy as np

from theano_compat import config
from theano_compat.gof import graph


class AlreadyThere(Exception):
    """Raised by a feature's ``on_attach`` when the FunctionGraph has what it would add."""


class ReplacementDidntRemovedError(Exception):
    """A replacement was to remove some variables, and they are still in the graph."""


class BadOptimization(Exception):
    """A rewrite replaced a variable by one with another value or type.

    Parameters
    ----------
    old_r, new_r : Variable
        What was replaced, and by what.
    old_r_val, new_r_val : value, optional
    reason : object
        The rewrite, or its name.
    old_graph, new_graph : str, optional
        The graphs before and after, printed.
    """

    def __init__(
        self, old_r, new_r=None, old_r_val=None, new_r_val=None, reason=None, old_graph=None, new_graph=None
    ):
        super().__init__()
        self.reason = reason
        self.old_r, self.old_r_val = old_r, old_r_val
        self.new_r, self.new_r_val = new_r, new_r_val

        def printed(var):
            if not isinstance(var, graph.Variable):
                return ""
            from theano_compat.printing import debugprint

            text = StringIO()
            debugprint(var, depth=6, file=text, print_type=True)
            return text.getvalue()

        self.old_graph = printed(old_r) if old_graph is None else old_graph
        self.new_graph = printed(new_r) if new_graph is None else new_graph
        self.full_err = None
        if new_r is None and isinstance(reason, str):
            self.full_err = f"BadOptimization Error {super().__str__()}\n  Variable: id {id(old_r)} {old_r}\n  Reason: {reason}\n{self.old_graph}"

    def __str__(self) -> str:
        return self.str_diagnostic()

    def str_diagnostic(self) -> str:
        """Return the whole story: variables, values, their differences, the reason and the graphs."""
        if self.full_err is not None:
            return self.full_err
        text = StringIO()

        def line(*parts):
            print(*parts, file=text)

        line("BadOptimization Error", super().__str__())
        line("  Variable: id", id(self.new_r), self.new_r)
        if self.new_r is not None:
            line("  Op", getattr(self.new_r, "owner", None))
        line("  Value Type:", type(self.new_r_val))
        for label, value in (("Old", self.old_r_val), ("New", self.new_r_val)):
            if isinstance(value, np.ndarray):
                line(f"  {label} Value shape, dtype, strides:", value.shape, value.dtype, value.strides)
            line(f"  {label} Value: ", str(value)[:1000])
        if isinstance(self.old_r_val, np.ndarray) and isinstance(self.new_r_val, np.ndarray):
            try:
                difference = np.absolute(np.asarray(self.new_r_val - self.old_r_val))
                relative = difference / np.maximum(np.absolute(self.old_r_val), 1e-30)
                line("  Max Abs Diff: ", np.max(difference))
                line("  Mean Abs Diff: ", np.mean(difference))
                line("  Median Abs Diff: ", np.median(difference))
                line("  Std Abs Diff: ", np.std(difference))
                line("  Max Rel Diff: ", np.max(relative))
            except Exception as e:  # shapes that do not fit, dtypes without a difference
                line("  (no difference can be computed:", e, ")")
        line("  Reason: ", str(self.reason))
        line("  Old Graph:")
        line(self.old_graph)
        line("  New Graph:")
        line(self.new_graph)
        line("Hint: relax the tolerance by setting tensor.cmp_sloppy=1")
        line("  or even tensor.cmp_sloppy=2 for less-strict comparison")
        return text.getvalue()


class Feature:
    """Base class of features; a feature overrides what it wants to hear.

    Notes
    -----
    The methods get the FunctionGraph first. They are called after the change. A feature may have an attribute
    ``pickle_rm_attr``, the names of what it set on the graph, and a method ``unpickle(fgraph)`` that sets it anew.
    """

    def on_attach(self, function_graph) -> None:
        """The feature is being attached; raise :class:`AlreadyThere` if it is not needed."""

    def on_detach(self, function_graph) -> None:
        """The feature is being removed: take back what ``on_attach`` did to the graph."""

    def on_import(self, function_graph, node, reason) -> None:
        """``node`` has come into the graph; its inputs are there already."""

    def on_change_input(self, function_graph, node, i, r, new_r, reason=None) -> None:
        """Input ``i`` of ``node`` (or output ``i`` of the graph if it is ``'output'``) was ``r`` and is ``new_r``."""

    def on_prune(self, function_graph, node, reason) -> None:
        """``node`` is going from the graph; nothing uses it any more."""

    def orderings(self, function_graph) -> dict:
        """Return a dictionary from a node to the list of nodes that must run before it."""
        return {}


class Bookkeeper(Feature):
    """A feature that also hears of the nodes that were there before it was attached."""

    def on_attach(self, fgraph) -> None:
        for node in fgraph.depth_first():
            self.on_import(fgraph, node, "on_attach")

    def on_detach(self, fgraph) -> None:
        for node in fgraph.depth_first():
            self.on_prune(fgraph, node, "Bookkeeper.detach")


class GetCheckpoint:
    """``fgraph.checkpoint()``: return a mark that :meth:`History.revert` goes back to."""

    def __init__(self, history, fgraph):
        self.nb = 0  # the last mark
        self.h, self.fgraph = history, fgraph

    def __call__(self) -> int:
        self.nb += 1
        self.h.history[self.fgraph] = []
        return self.nb


class LambdExtract(NamedTuple):
    """One step back: let input ``i`` of ``node`` be ``r`` again."""

    fgraph: Any
    node: Any
    i: int
    r: graph.Variable
    reason: Any = None

    def __call__(self):
        return self.fgraph.change_input(self.node, self.i, self.r, reason=("Revert", self.reason))


class History(Feature):
    """Remembers the changes since the last checkpoint and takes them back.

    Adds ``fgraph.checkpoint()`` and ``fgraph.revert(checkpoint)``. One checkpoint is active at a time.
    """

    pickle_rm_attr = ["checkpoint", "revert"]

    def __init__(self):
        self.history: dict = {}

    def on_attach(self, fgraph) -> None:
        if hasattr(fgraph, "checkpoint") or hasattr(fgraph, "revert"):
            raise AlreadyThere("History feature is already present or in conflict with another plugin.")
        self.history[fgraph] = []
        History.unpickle(self, fgraph)

    def unpickle(self, fgraph) -> None:
        """Put the methods on the graph."""
        self.history.setdefault(fgraph, [])
        fgraph.checkpoint = GetCheckpoint(self, fgraph)
        fgraph.revert = partial(self.revert, fgraph)

    def on_detach(self, fgraph) -> None:
        del fgraph.checkpoint
        del fgraph.revert
        del self.history[fgraph]

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None) -> None:
        steps = self.history[fgraph]
        if steps is not None:  # None while going back
            steps.append((node, i, r, reason))

    def revert(self, fgraph, checkpoint) -> None:
        """Take back all changes since ``checkpoint``, the last one at first."""
        steps = self.history[fgraph]
        self.history[fgraph] = None
        if fgraph.checkpoint.nb != checkpoint:
            self.history[fgraph] = steps
            raise ValueError(f"checkpoint {checkpoint} is not the last one, {fgraph.checkpoint.nb}")
        while steps:
            node, i, r, reason = steps.pop()
            LambdExtract(fgraph, node, i, r, reason)()
        self.history[fgraph] = steps

    def __getstate__(self) -> dict:
        return {**self.__dict__, "history": {}}


class Validator(Feature):
    """Adds ``fgraph.validate()``, which asks all features, and ``fgraph.consistent()``, which answers with a bool."""

    pickle_rm_attr = ["validate", "consistent"]

    def on_attach(self, fgraph) -> None:
        if hasattr(fgraph, "validate"):
            raise AlreadyThere("Validator feature is already present or in conflict with another plugin.")
        Validator.unpickle(self, fgraph)

    def unpickle(self, fgraph) -> None:
        """Put the methods on the graph."""
        fgraph.validate = partial(self.validate_, fgraph)
        fgraph.consistent = partial(self.consistent_, fgraph)

    def on_detach(self, fgraph) -> None:
        del fgraph.validate
        del fgraph.consistent

    def validate_(self, fgraph) -> None:
        """Raise what a feature's ``validate`` raises, InconsistencyError as a rule."""
        start = time.perf_counter()
        try:
            fgraph.execute_callbacks("validate")
        except Exception as e:
            verbose = getattr(config, "optimizer_verbose", False)
            if verbose and not isinstance(e, AssertionError):
                print("optimizer: validate failed:", e)
            raise
        finally:
            elapsed = time.perf_counter() - start
            profile = getattr(fgraph, "profile", None)
            if profile:
                profile.validate_time += elapsed

    def consistent_(self, fgraph) -> bool:
        """Whether all features accept the graph as it is."""
        try:
            fgraph.validate()
            return True
        except Exception:
            return False


class ReplaceValidate(History, Validator):
    """Adds replacements that are taken back when a feature objects.

    Puts ``replace_validate(r, new_r, reason)``, ``replace_all_validate(replacements, reason)`` and
    ``replace_all_validate_remove(replacements, remove, reason)`` on the graph.
    """

    _ADDED = ("replace_validate", "replace_all_validate", "replace_all_validate_remove")
    pickle_rm_attr = [*_ADDED, *History.pickle_rm_attr, *Validator.pickle_rm_attr]

    def on_attach(self, fgraph) -> None:
        if any(hasattr(fgraph, attribute) for attribute in self._ADDED):
            raise AlreadyThere("ReplaceValidate feature is already present or in conflict with another plugin.")
        for base in (History, Validator):
            base.on_attach(self, fgraph)
        self._nodes_removed: set = set()
        self.fail_validate = False
        self._bind(fgraph)

    def _bind(self, fgraph) -> None:
        for attribute in self._ADDED:
            setattr(fgraph, attribute, partial(getattr(self, attribute), fgraph))

    def unpickle(self, fgraph) -> None:
        """Put the methods on the graph."""
        for base in (History, Validator):
            base.unpickle(self, fgraph)
        self._bind(fgraph)

    def on_detach(self, fgraph) -> None:
        for base in (History, Validator):
            base.on_detach(self, fgraph)
        for attribute in self._ADDED:
            delattr(fgraph, attribute)

    def replace_validate(self, fgraph, r, new_r, reason=None) -> None:
        """Replace one variable and validate."""
        self.replace_all_validate(fgraph, [(r, new_r)], reason=reason)

    def replace_all_validate(self, fgraph, replacements: Iterable, reason=None, verbose: bool | None = None):
        """Make the replacements and validate; if a feature objects, take them back and raise what it raised.

        Returns
        -------
        int
            The checkpoint before the replacements.
        """
        checkpoint = fgraph.checkpoint()
        if verbose is None:
            verbose = config.optimizer_verbose
        if config.scan.debug:
            replacements = list(replacements)
            from theano_compat.scan_module.scan_op import Scan

            scans = sum(isinstance(node.op, Scan) for node in fgraph.apply_nodes)
        for r, new_r in replacements:
            try:
                fgraph.replace(r, new_r, reason=reason, verbose=False)
            except Exception as e:
                fgraph.revert(checkpoint)
                expected = (TypeError, AssertionError, BadOptimization)
                if not isinstance(e, expected):
                    print(
                        f"<<!! BUG IN FGRAPH.REPLACE OR A LISTENER !!>> {type(e)} {e} {reason}", file=sys.stderr
                    )
                raise
        try:
            fgraph.validate()
        except Exception as e:
            fgraph.revert(checkpoint)
            if verbose:
                print(f"validate failed on node {r}.\n Reason: {reason}, {e}")
            raise
        if config.scan.debug:
            after = sum(isinstance(node.op, Scan) for node in fgraph.apply_nodes)
            if after < scans:
                print(f"Reason: {reason}: {scans} scans became {after}", file=sys.stderr)
        if verbose:
            print(reason, r, new_r)
        return checkpoint

    def replace_all_validate_remove(self, fgraph, replacements: Iterable, remove: Sequence, reason=None, warn=True):
        """Like :meth:`replace_all_validate`, and take all back if a node of ``remove`` is still in the graph.

        Raises
        ------
        ReplacementDidntRemovedError
        """
        checkpoint = self.replace_all_validate(fgraph, replacements, reason)
        still_there = [node for node in remove if node in fgraph.apply_nodes or node in fgraph.variables]
        if still_there:
            fgraph.revert(checkpoint)
            if warn:
                print(
                    f"WARNING: An optimization wanted to replace a Variable in the graph, but the replacement for it "
                    f"doesn't remove it. We disabled the optimization. (reason: {reason}, still there: {still_there[0]}, "
                    f"replacements: {replacements})",
                    file=sys.stderr,
                )
            raise ReplacementDidntRemovedError()

    def __getstate__(self) -> dict:
        state = History.__getstate__(self)
        state["_nodes_removed"] = set()
        return state

    def on_import(self, fgraph, node, reason) -> None:
        # A node that was pruned in this replacement is a rewrite undoing itself: see validate.
        if node in self._nodes_removed:
            self.fail_validate = True

    def validate(self, fgraph) -> None:
        """Object if a node that a rewrite forbade has come back."""
        if self.fail_validate:
            self.fail_validate = False
            from theano_compat.gof.fg import InconsistencyError

            raise InconsistencyError("Trying to reintroduce a removed node")


class NodeFinder(Bookkeeper):
    """Adds ``fgraph.get_nodes(op)``: the nodes of an op, without a walk."""

    pickle_rm_attr = ["get_nodes"]

    def __init__(self):
        self.fgraph = None
        self.d: dict = {}

    def on_attach(self, fgraph) -> None:
        if self.fgraph is not None:
            raise Exception("A NodeFinder instance can only serve one FunctionGraph.")
        if hasattr(fgraph, "get_nodes"):
            raise AlreadyThere("NodeFinder is already present or in conflict with another plugin.")
        self.fgraph = fgraph
        fgraph.get_nodes = partial(self.query, fgraph)
        Bookkeeper.on_attach(self, fgraph)

    def unpickle(self, fgraph) -> None:
        """Put the method on the graph."""
        fgraph.get_nodes = partial(self.query, fgraph)

    def on_detach(self, fgraph) -> None:
        if self.fgraph is not fgraph:
            raise Exception("This NodeFinder instance was not attached to the provided fgraph.")
        self.fgraph = None
        self.d = {}
        del fgraph.get_nodes

    def on_import(self, fgraph, node, reason) -> None:
        try:
            self.d.setdefault(node.op, {})[node] = None
        except TypeError:  # an op that cannot be hashed can only be found by walking
            pass

    def on_prune(self, fgraph, node, reason) -> None:
        try:
            nodes = self.d.get(node.op)
        except TypeError:
            return
        if nodes:
            nodes.pop(node, None)
            if not nodes:
                del self.d[node.op]

    def query(self, fgraph, op) -> list:
        """Return the nodes of ``op``, in the order in which they came."""
        return list(self.d.get(op, ()))


class PrintListener(Feature):
    """Prints all that happens to a graph."""

    def __init__(self, active: bool = True):
        self.active = active

    def _say(self, *parts) -> None:
        if self.active:
            print(*parts)

    def on_attach(self, fgraph) -> None:
        self._say("-- attaching to: ", fgraph)

    def on_detach(self, fgraph) -> None:
        self._say("-- detaching from: ", fgraph)

    def on_import(self, fgraph, node, reason) -> None:
        self._say(f"-- importing: {node}, reason: {reason}")

    def on_prune(self, fgraph, node, reason) -> None:
        self._say(f"-- pruning: {node}, reason: {reason}")

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None) -> None:
        self._say(f"-- changing ({node}.inputs[{i}]) from {r} to {new_r}")


class PreserveNames(Feature):
    """Hands the name of a replaced variable on to its replacement, where that has none."""

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None) -> None:
        if r.name is not None and new_r.name is None:
            new_r.name = r.name


class PreserveVariableAttributes(Feature):
    """Hands the name and the ``nan_guard_mode_check`` tag of a replaced variable on to its replacement."""

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None) -> None:
        if r.name is not None and new_r.name is None:
            new_r.name = r.name
        # The tag goes along, or NanGuardMode would guard what the user wanted left alone.
        if getattr(r.tag, "nan_guard_mode_check", False) and not hasattr(new_r.tag, "nan_guard_mode_check"):
            new_r.tag.nan_guard_mode_check = r.tag.nan_guard_mode_check


class NoOutputFromInplace(Feature):
    """Objects to graphs in which an output is the result of an in-place operation.

    Parameters
    ----------
    first_output_idx, last_output_idx : int
        Which outputs to guard.
    """

    def __init__(self, first_output_idx: int = 0, last_output_idx: int | None = None):
        self.first_idx = first_output_idx
        self.last_idx = last_output_idx

    def validate(self, fgraph) -> None:
        """Raise InconsistencyError if a guarded output comes from a node that overwrites an input for it."""
        for out in fgraph.outputs[self.first_idx : self.last_idx]:
            node = out.owner
            if node is not None and out.index in getattr(node.op, "destroy_map", {}):
                from theano_compat.gof.fg import InconsistencyError

                raise InconsistencyError(
                    "A function graph Feature has requested (probably for efficiency reasons for scan) that outputs of "
                    f"the graph be prevented from being the result of inplace operations. This has prevented output {out} "
                    "from being computed by modifying another variable inplace."
                )
