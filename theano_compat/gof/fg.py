"""FunctionGraph: a graph with fixed inputs and outputs that can be changed, and that tells its features of each change."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from theano_compat import config
from theano_compat.gof import graph, toolbox, utils
from theano_compat.gof.flatpickle import flat_reduce, is_flat, restore_state
from theano_compat.gof.graph import Apply, Constant, Variable
from theano_compat.gof.utils import get_variable_trace_string

NullType = None


class CachedConstantError(Exception):
    """A constant of the global cache was used in a FunctionGraph as it is: constants in graphs must be copies."""


class InconsistencyError(Exception):
    """A graph cannot be computed, or a feature does not accept it (:meth:`FunctionGraph.validate`)."""


class MissingInputError(Exception):
    """A graph needs a variable that is neither an input, nor a constant, nor computed.

    Parameters
    ----------
    variable : Variable, optional keyword
        The one that is missing: the line where it was made is added to the message.
    """

    def __init__(self, *args, **kwargs):
        variable = kwargs.pop("variable", None)
        if kwargs:
            raise TypeError(f"MissingInputError got unexpected keyword arguments: {', '.join(kwargs)}")
        if variable is not None:
            trace = get_variable_trace_string(variable)
            if trace:
                args = (*args, trace)
        # Printed as one text: a tuple would show its line breaks as \n.
        super().__init__("\n".join(str(arg) for arg in args))


class FunctionGraph(utils.object2):
    """The subgraph between inputs and outputs, as an object that is edited in place.

    Parameters
    ----------
    inputs, outputs : list of Variable
    features : list of Feature, optional
        Attached in this order.
    clone : bool
        Work on a copy of the graph (the variables of a graph know their one FunctionGraph).
    update_mapping : dict, optional
        Maps the index of an output to the index of the input that it updates.

    Attributes
    ----------
    inputs, outputs : list of Variable
    apply_nodes : set of Apply
    variables : set of Variable
        Each has an attribute ``fgraph``, and ``clients``: the list of ``(node, input index)`` that use it, with
        ``('output', index)`` for outputs of the graph.
    """

    def __init__(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        features: Iterable | None = None,
        clone: bool = True,
        update_mapping: dict[int, int] | None = None,
    ):
        if clone:
            inputs, outputs = graph.clone(inputs, outputs)
        if not isinstance(inputs, list):
            raise TypeError("Argument `inputs` should be a list")
        if not isinstance(outputs, list):
            raise TypeError("Argument `outputs` should be a list")
        self.execute_callbacks_time = 0.0
        self.execute_callbacks_times: dict[Any, float] = {}
        self._features: list = []
        self._listeners: dict[str, list] = {}
        self.apply_nodes: set[Apply] = set()
        self.variables: set[Variable] = set()
        self.inputs = inputs
        self.outputs = outputs
        self.update_mapping = update_mapping
        self.profile = None
        # The order of `depth_first`, and the outputs that it was found for; None after a change.
        self._depth_first: tuple[list[Apply], list[Variable]] | None = None
        for feature in features or ():
            self.attach_feature(feature)
        self.attach_feature(toolbox.ReplaceValidate())
        try:
            self._import_all()
        except Exception:
            self._untie()  # or the variables could never be put into another graph
            raise

    def _import_all(self) -> None:
        """Take in inputs, outputs and all between them."""
        for var in self.inputs:
            if var.owner is not None:
                raise ValueError(
                    f"One of the provided inputs is the output of an already existing node. If that is okay, either "
                    f"discard that input's owner or use graph.clone. (input: {var})"
                )
            self.__setup_r__(var)
            self.variables.add(var)
        for var in self.outputs:
            self.__import_r__(var, reason="init")
        for i, var in enumerate(self.outputs):
            var.clients.append(("output", i))

    # ------------------------------------------------------------------------------------------ nodes come and go

    def add_input(self, input: Variable) -> None:
        """Make a leaf variable an input of the graph."""
        if input not in self.inputs:
            self.inputs.append(input)
            if getattr(input, "fgraph", None) is not self:
                self.__setup_r__(input)
                self.variables.add(input)

    def __setup_r__(self, r: Variable) -> None:
        """Tie a variable to this graph."""
        if getattr(r, "cached", False):
            raise CachedConstantError(
                "You manually constructed a FunctionGraph, but you passed it a graph that has a cached constant. "
                "This should not happen. Clone the graph before building the FunctionGraph."
            )
        if getattr(r, "fgraph", self) is not self and r.fgraph is not None:
            raise Exception(f"{r} is already owned by another fgraph")
        r.fgraph = self
        r.clients = []

    def __setup_node__(self, node: Apply) -> None:
        """Tie a node to this graph."""
        if getattr(node, "fgraph", self) is not self and node.fgraph is not None:
            raise Exception(f"{node} is already owned by another fgraph")
        if hasattr(node.op, "view_map") and not all(isinstance(v, (list, tuple)) for v in node.op.view_map.values()):
            raise Exception(f"Op '{node.op}' have a bad view map '{node.op.view_map}', the values must be tuples or lists.")
        if hasattr(node.op, "destroy_map") and not all(
            isinstance(v, (list, tuple)) for v in node.op.destroy_map.values()
        ):
            raise Exception(
                f"Op '{node.op}' have a bad destroy map '{node.op.destroy_map}', the values must be tuples or lists."
            )
        node.fgraph = self
        node.deps = {}

    def disown(self) -> None:
        """Let go of all nodes and variables and detach all features; the graph is unusable afterwards."""
        for feature in self._features:
            on_detach = getattr(feature, "on_detach", None)
            if on_detach is not None:
                on_detach(self)
        self._features = []
        self._listeners = {}
        self._untie()

    def _untie(self) -> None:
        """Let go of all nodes and variables."""
        for node in self.apply_nodes:
            node.fgraph = None
            node.deps = {}
        for var in self.variables:
            var.fgraph = None
            var.clients = []
        self.apply_nodes = set()
        self.variables = set()
        self.inputs = []
        self.outputs = []

    def clients(self, r: Variable) -> list:
        """Return the uses of a variable: a list of ``(node, input index)`` or ``('output', index)``."""
        return r.clients

    def __add_client__(self, r: Variable, new_client: tuple) -> None:
        """Note a use of a variable."""
        r.clients.append(new_client)

    def __remove_client__(self, r: Variable, client_to_remove: tuple, reason=None) -> None:
        """Drop a use of a variable, and, when it was the last, what was there only for it."""
        pending = [(r, client_to_remove)]
        inputs = None
        while pending:
            var, client = pending.pop()
            var.clients.remove(client)
            if var.clients:
                continue
            node = var.owner
            if node is None:
                # A leaf goes unless it is an input of the graph.
                if inputs is None:
                    inputs = set(self.inputs)
                if var not in inputs:
                    self.variables.discard(var)
                    var.fgraph = None
                continue
            if any(out.clients for out in node.outputs):
                continue
            if node not in self.apply_nodes:
                continue
            self.apply_nodes.remove(node)
            self._depth_first = None
            self.variables.difference_update(node.outputs)
            node.tag.removed_by = [*getattr(node.tag, "removed_by", ()), str(reason)]
            self.execute_callbacks("on_prune", node, reason)
            node.fgraph = None
            for out in node.outputs:
                out.fgraph = None
            pending.extend((v, (node, i)) for i, v in enumerate(node.inputs))

    def __import_r__(self, variable: Variable, reason) -> None:
        """Take a variable into the graph, with all that computes it."""
        if getattr(variable, "fgraph", None) is self and variable in self.variables:
            return
        node = variable.owner
        if node is not None:
            if node not in self.apply_nodes:
                self.__import__(node, reason=reason)
            return
        if not isinstance(variable, Constant) and variable not in self.inputs:
            from theano_compat.gof.null_type import NullType as _NullType

            if isinstance(variable.type, _NullType):
                raise TypeError(f"Computation graph contains a NaN. {variable.type.why_null}")
            raise MissingInputError("Undeclared input", variable=variable)
        self.__setup_r__(variable)
        self.variables.add(variable)

    def __import__(self, apply_node: Apply, check: bool = True, reason=None) -> None:
        """Take a node into the graph, after all nodes that it needs and that are not in it yet.

        Parameters
        ----------
        apply_node : Apply
        check : bool
            Look first whether all needed leaves are inputs or constants.
        reason : object
            Passed to the features.
        """
        new_nodes = graph.io_toposort(self.variables, apply_node.outputs)
        if check:
            inputs = None
            for node in new_nodes:
                for i, var in enumerate(node.inputs):
                    if var.owner is None and not isinstance(var, Constant) and getattr(var, "fgraph", None) is not self:
                        if inputs is None:
                            inputs = set(self.inputs)
                        if var not in inputs:
                            self._complain_of_missing(node, i, var)
                    elif getattr(var, "fgraph", self) not in (self, None):
                        raise Exception(f"{var} is already owned by another fgraph")
        variables, execute = self.variables, self.execute_callbacks
        self._depth_first = None
        for node in new_nodes:
            self.__setup_node__(node)
            self.apply_nodes.add(node)
            imported_by = getattr(node.tag, "imported_by", None)
            if imported_by is None:
                imported_by = node.tag.imported_by = []
            imported_by.append(str(reason))
            for out in node.outputs:
                self.__setup_r__(out)
                variables.add(out)
            for i, var in enumerate(node.inputs):
                if var not in variables:
                    self.__setup_r__(var)
                    variables.add(var)
                var.clients.append((node, i))
            execute("on_import", node, reason)

    def _complain_of_missing(self, node: Apply, i: int, var: Variable) -> None:
        """Raise MissingInputError for input ``i`` of ``node``, with how it was to be used."""
        message = (
            f"Input {i} of the graph (indices start from 0), used to compute {node}, was not provided and not given a "
            "value. Use the Theano flag exception_verbosity='high', for more information on this error."
        )
        if config.exception_verbosity == "high":
            from theano_compat.printing import debugprint

            text = StringIO()
            debugprint(node, file=text)
            message += "\n\n" + text.getvalue()
        raise MissingInputError(message, variable=var)

    # -------------------------------------------------------------------------------------------------- changes

    def change_input(self, node, i: int, new_r: Variable, reason=None) -> None:
        """Let input ``i`` of ``node`` be ``new_r``; ``node`` may be ``'output'`` for output ``i`` of the graph.

        Raises
        ------
        TypeError
            If the new variable's type differs from the old one's.
        """
        is_output = node == "output"
        uses = self.outputs if is_output else node.inputs
        old_r = uses[i]
        if not old_r.type == new_r.type:
            what = "output" if is_output else "node's input"
            raise TypeError(
                f"The type of the replacement must be the same as the type of the original Variable. "
                f"({what} {i} of {node}: {old_r} of {old_r.type}, replacement {new_r} of {new_r.type}, reason {reason})"
            )
        if old_r is new_r:
            return
        if not is_output and node.fgraph is not self:
            raise Exception(f"Cannot operate on {node} because it does not belong to this FunctionGraph")
        uses[i] = new_r
        self._depth_first = None
        self.__import_r__(new_r, reason=reason)
        new_r.clients.append((node, i))
        self.__remove_client__(old_r, (node, i), reason=reason)
        # Features hear of the change when the graph is whole again; one that objects may put it back.
        self.execute_callbacks("on_change_input", node, i, old_r, new_r, reason=reason)

    def replace(self, r: Variable, new_r: Variable, reason=None, verbose: bool | None = None) -> None:
        """Use ``new_r`` wherever ``r`` is used.

        Parameters
        ----------
        r, new_r : Variable
            ``r`` is in the graph; ``new_r`` and what it needs is taken in.
        reason : object, optional
            Who wants it: a rewrite or its name.
        verbose : bool, optional
            Print the replacement; default ``config.optimizer_verbose``.
        """
        if verbose is None:
            verbose = config.optimizer_verbose
        if verbose:
            print(reason, r, new_r)
        if getattr(r, "fgraph", None) is not self:
            if getattr(r, "fgraph", self) is None and r.owner is not None:
                # It was there when the rewrite found it, and has gone with another output of its node: nothing to do.
                return
            raise Exception(f"Cannot replace {r} because it does not belong to this FunctionGraph", str(reason))
        if r.type != new_r.type:
            converted = r.type.convert_variable(new_r)
            # Some conversions only look like ones.
            if converted is None or converted.type != r.type:
                done = dict(r=r, new_r=new_r)
                raise toolbox.BadOptimization(
                    old_r=r, new_r=None, old_r_val=None, new_r_val=None,
                    reason=f"{reason}. The type of the replacement must be the same. "
                    f"({done['r']} is of {r.type}, {done['new_r']} of {new_r.type})",
                )  # fmt: skip
            new_r = converted
        if config.compute_test_value != "off":
            self._pass_on_test_value(r, new_r)
        for node, i in list(r.clients):
            self.change_input(node, i, new_r, reason=reason)

    def _pass_on_test_value(self, r: Variable, new_r: Variable) -> None:
        """Give the replacement the test value of what it replaces, where it has none, and compare the shapes."""
        try:
            test_value = graph_test_value(r)
            new_value = graph_test_value(new_r)
        except AttributeError:
            return
        if getattr(test_value, "shape", None) != getattr(new_value, "shape", None):
            raise AssertionError(
                f"The replacement variable has a test value with a shape different from the original variable's test "
                f"value. Original: {test_value.shape}, new: {new_value.shape} (replacing {r} by {new_r})"
            )

    def replace_all(self, pairs: Iterable[tuple[Variable, Variable]], reason=None) -> None:
        """Make several replacements, in order."""
        for r, new_r in pairs:
            self.replace(r, new_r, reason=reason)

    # ------------------------------------------------------------------------------------------------- features

    def attach_feature(self, feature) -> None:
        """Add a feature: it is told of imports, prunes and changes from now on.

        A feature that raises :class:`toolbox.AlreadyThere` in ``on_attach`` is left out silently.
        """
        if feature in self._features:
            return
        on_attach = getattr(feature, "on_attach", None)
        if on_attach is not None:
            try:
                on_attach(self)
            except toolbox.AlreadyThere:
                return
        self.execute_callbacks_times.setdefault(feature, 0)
        self._features.append(feature)
        self._listeners = {}

    def remove_feature(self, feature) -> None:
        """Take a feature away; its ``on_detach`` is called."""
        try:
            self._features.remove(feature)
        except ValueError:
            return
        self._listeners = {}
        on_detach = getattr(feature, "on_detach", None)
        if on_detach is not None:
            on_detach(self)

    def _listening(self, name: str) -> list:
        """Return the pairs (feature, its method ``name``) of those that have one which does something."""
        found = []
        for feature in self._features:
            method = getattr(feature, name, None)
            # The base class's methods are there to be overridden; calling them 10^5 times is just time.
            if method is None or getattr(method, "__func__", None) is getattr(toolbox.Feature, name, False):
                continue
            found.append((feature, method))
        return found

    def execute_callbacks(self, name: str, *args, **kwargs) -> None:
        """Call ``feature.name(self, *args, **kwargs)`` of each feature that has it."""
        listeners = self._listeners.get(name)
        if listeners is None:
            listeners = self._listeners[name] = self._listening(name)
        if not listeners:
            return
        start = before = time.perf_counter()
        for feature, method in listeners:
            method(self, *args, **kwargs)
            now = time.perf_counter()
            self.execute_callbacks_times[feature] = self.execute_callbacks_times.get(feature, 0) + now - before
            before = now
        self.execute_callbacks_time += before - start

    def collect_callbacks(self, name: str, *args) -> dict:
        """Call ``feature.name(self, *args)`` of each feature that has it and return the answers by feature."""
        return {
            feature: getattr(feature, name)(self, *args) for feature in self._features if hasattr(feature, name)
        }

    # ---------------------------------------------------------------------------------------------- questions

    def depth_first(self) -> list[Apply]:
        """Return the nodes, each after those that compute its inputs, as `graph.io_toposort` orders them.

        It is kept until the graph changes (many rewrites look at a graph and leave it as it is): do not change the list.
        """
        if self._depth_first is None or self._depth_first[1] != self.outputs:
            self._depth_first = graph.io_toposort(self.inputs, self.outputs), list(self.outputs)
        return self._depth_first[0]

    def toposort(self) -> list[Apply]:
        """Return the nodes in an order in which they can be run, the features' orderings honoured.

        Raises
        ------
        ValueError
            If there is none: a cycle.
        """
        if len(self.apply_nodes) < 2:
            return list(self.apply_nodes)
        orderings = self.orderings()
        return graph.io_toposort(self.inputs, self.outputs, orderings) if orderings else list(self.depth_first())

    def orderings(self) -> dict[Apply, list[Apply]]:
        """Return which nodes must come before which, beyond what their inputs demand.

        Returns
        -------
        dict
            From a node to the list of nodes that must run before it, as the features say.
        """
        answers = []
        for feature in self._features:
            method = getattr(feature, "orderings", None)
            if method is None or getattr(method, "__func__", None) is toolbox.Feature.orderings:
                continue
            answer = method(self)
            if answer:
                answers.append((feature, answer))
        merged: dict[Apply, list[Apply]] = {}
        for feature, answer in answers:
            if not isinstance(answer, dict):
                raise TypeError(f"{feature}.orderings must return a dictionary", type(answer))
            for node, before in answer.items():
                if not isinstance(before, (list, tuple)) and not hasattr(before, "__reversed__"):
                    raise TypeError("prereqs must be a type with a deterministic iteration order", type(before))
                merged.setdefault(node, []).extend(before)
        if len(answers) > 1:
            return {node: list(dict.fromkeys(before)) for node, before in merged.items()}
        return merged

    def check_integrity(self) -> None:
        """Raise an exception if nodes, variables and clients do not agree with one another."""
        nodes = graph.ops(self.inputs, self.outputs)
        if self.apply_nodes != nodes:
            raise Exception("The nodes are inappropriately cached. missing, in excess: ", nodes - self.apply_nodes, self.apply_nodes - nodes)
        uses: dict[Variable, list] = {}
        for node in nodes:
            if node.fgraph is not self:
                raise Exception(f"Node should belong to the FunctionGraph. {node}", node)
            for i, var in enumerate(node.inputs):
                if getattr(var, "fgraph", None) is not self:
                    raise Exception(f"Input of node should belong to the FunctionGraph. {var}", (node, i))
                uses.setdefault(var, []).append((node, i))
        for i, var in enumerate(self.outputs):
            uses.setdefault(var, []).append(("output", i))
        found = set(graph.variables(self.inputs, self.outputs)) | set(self.inputs)
        if not found <= self.variables or any(var not in found and var.clients for var in self.variables):
            raise Exception(
                "The variables are inappropriately cached. missing, in excess: ", found - self.variables, self.variables - found
            )
        for var in found:
            if var.owner is None and var not in self.inputs and not isinstance(var, Constant):
                raise Exception(f"Undeclared input. {var}", var)
            if getattr(var, "fgraph", None) is not self:
                raise Exception(f"Variable should belong to the FunctionGraph. {var}", var)
            wanted, kept = uses.get(var, []), var.clients
            if len(wanted) != len(kept) or set(wanted) != set(kept):
                raise Exception(f"Client not in FunctionGraph or listed wrongly. {var}", kept, wanted)

    def __str__(self) -> str:
        return f"[{', '.join(graph.as_string(self.inputs, self.outputs))}]"

    def __repr__(self) -> str:
        return self.__str__()

    # -------------------------------------------------------------------------------------------------- copies

    def clone(self, check_integrity: bool = True) -> FunctionGraph:
        """Return a copy with copies of all nodes, variables and the same features' copies."""
        return self.clone_get_equiv(check_integrity)[0]

    def clone_get_equiv(self, check_integrity: bool = True, attach_feature: bool = True) -> tuple[FunctionGraph, dict]:
        """Return a copy, and the map from the old variables and nodes to the new ones.

        Parameters
        ----------
        check_integrity : bool
            Check this graph first.
        attach_feature : bool
            Attach the features (the same objects) to the copy.
        """
        equiv = graph.clone_get_equiv(self.inputs, self.outputs)
        if check_integrity:
            self.check_integrity()
        copied = FunctionGraph([equiv[v] for v in self.inputs], [equiv[v] for v in self.outputs], clone=False)
        copied.update_mapping = self.update_mapping
        copied.profile = self.profile
        if check_integrity:
            copied.check_integrity()
        if attach_feature:
            for feature in self._features:
                copied.attach_feature(feature)
        return copied, equiv

    def __reduce_ex__(self, protocol):
        return flat_reduce(self, roots=[*self.inputs, *self.outputs])

    def __getstate__(self) -> dict:
        # Features put methods on the graph; those are bound anew by their unpickle().
        state = self.__dict__.copy()
        for feature in self._features:
            for attribute in getattr(feature, "pickle_rm_attr", ()):
                state.pop(attribute, None)
        for attribute in ("_listeners", "_depth_first", "apply_nodes", "variables", "execute_callbacks_times"):
            state.pop(attribute, None)
        return state

    def __setstate__(self, state) -> None:
        self.__dict__.update(restore_state(state))
        if not is_flat(state):
            self._leave_theanos_features()
        self._listeners = {}
        self._depth_first = None
        self.execute_callbacks_times = {}
        self.apply_nodes = set()
        self.variables = set()
        nodes = graph.io_toposort(self.inputs, self.outputs)
        for var in self.inputs:
            var.fgraph = self
            var.clients = []
            self.variables.add(var)
        for node in nodes:
            node.fgraph = self
            node.deps = {}
            self.apply_nodes.add(node)
            for var in node.outputs:
                var.fgraph = self
                var.clients = []
                self.variables.add(var)
        for node in nodes:
            for i, var in enumerate(node.inputs):
                self._adopt_leaf(var)
                var.clients.append((node, i))
        for i, var in enumerate(self.outputs):
            self._adopt_leaf(var)
            var.clients.append(("output", i))
        for feature in self._features:
            if hasattr(feature, "unpickle"):
                feature.unpickle(self)
        if not is_flat(state):
            from theano_compat.gof.destroyhandler import DestroyHandler

            self.attach_feature(DestroyHandler())

    def _leave_theanos_features(self) -> None:
        """Take away what Theano's features keep in its pickles: their tables are not ours. The graph is rewritten already; in-place work is checked anew."""
        self._features = []
        self.__dict__.setdefault("update_mapping", None)
        for name in ("destroyers", "destroy_handler", "merge_feature", "shape_feature", "change_tracker"):
            self.__dict__.pop(name, None)

    def _adopt_leaf(self, var: Variable) -> None:
        if var not in self.variables:
            var.fgraph = self
            var.clients = []
            self.variables.add(var)


def graph_test_value(var: Variable):
    """Return a variable's test value; AttributeError where there is none."""
    from theano_compat.gof.op import get_test_value

    return get_test_value(var)


__all__ = ["CachedConstantError", "InconsistencyError", "MissingInputError", "FunctionGraph", "traceback"]
