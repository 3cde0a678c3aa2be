"""Hash-consing: equal constants become one, equal computations become one."""

from __future__ import annotations

import time

from theano_compat.gof.fg import FunctionGraph, InconsistencyError
from theano_compat.gof.graph import Constant, Variable, io_toposort
from theano_compat.gof.opt.base import Optimizer, require_replace_validate
from theano_compat.gof.opt.profile import PassProfile
from theano_compat.gof.toolbox import Feature


class _metadict:  # noqa: N801
    """A table that graphs in pickles of Theano hold; it is not used."""


class MergeFeature(Feature):
    """The table of what a graph computes: constants by their signature, nodes by op and inputs.

    It is kept while a graph lives; a merge looks each node up in topological order, so that one pass finds everything.
    """

    def on_attach(self, fgraph):
        if hasattr(fgraph, "merge_feature"):
            from theano_compat.gof.toolbox import AlreadyThere

            raise AlreadyThere("A merge feature is already attached.")
        fgraph.merge_feature = self
        self.constant_of = {}
        # Pairs that could not be merged once (in-place operations): not tried again.
        self.blacklist = set()
        self.dirty = True

    def on_detach(self, fgraph):
        if getattr(fgraph, "merge_feature", None) is self:
            del fgraph.merge_feature

    def on_import(self, fgraph, node, reason):
        self.dirty = True

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self.dirty = True

    def on_prune(self, fgraph, node, reason):
        """A pruned node stays out by itself: the table of nodes is made anew by each merge."""

    def process_constant(self, fgraph, c):
        """Return the constant that stands for all that equal `c`.

        Parameters
        ----------
        c : Constant
        """
        if getattr(c, "cached", False):
            # Owned by the cache of constants: never part of a graph of its own.
            return c
        try:
            signature = c.signature()
            known = self.constant_of.get(signature)
        except (TypeError, NotImplementedError, AttributeError):
            return c
        if known is None or (known is not c and not getattr(known, "clients", ())):
            # Nobody uses the known one any more: let go of it.
            self.constant_of[signature] = c
            return c
        if known is not c and known.name is None:
            known.name = c.name
        return known

    def process_node(self, fgraph, node):
        """Return the key under which equal nodes meet."""
        return node.op, tuple(map(id, node.inputs))

    def get_merged_assert_input(self, node, candidate):
        """Return inputs that combine the assertions of two nodes which are otherwise equal.

        Parameters
        ----------
        node, candidate : Apply
            With the same op.

        Returns
        -------
        list of Variable or None
            None if they differ in more than assertions.
        """
        from theano_compat.tensor.opt import Assert

        inputs = []
        for ours, theirs in zip(node.inputs, candidate.inputs):
            if ours is theirs:
                inputs.append(ours)
                continue
            a, conditions_a = _below_assert(ours, Assert)
            b, conditions_b = _below_assert(theirs, Assert)
            if a is not b:
                return None
            conditions = list(dict.fromkeys([*conditions_b, *conditions_a]))
            op = theirs.owner.op if theirs.owner is not None and conditions_b else ours.owner.op
            inputs.append(op(a, *conditions))
        return inputs


def _below_assert(variable, assert_class):
    owner = variable.owner
    if owner is not None and isinstance(owner.op, assert_class):
        return owner.inputs[0], owner.inputs[1:]
    return variable, []


class MergeOptimizer(Optimizer):
    """Merge equal constants and equal nodes.

    Two nodes are equal if their ops compare equal and their inputs are the same variables. Where a merge would break an in-place
    operation it is left out.
    """

    def add_requirements(self, fgraph):
        require_replace_validate(fgraph)
        if not hasattr(fgraph, "merge_feature"):
            fgraph.attach_feature(MergeFeature())

    def apply(self, fgraph):
        table = fgraph.merge_feature
        profile = PassProfile(self, nodes_before=len(fgraph.apply_nodes))
        begin = time.perf_counter()
        merged_constants = merged_nodes = refused = 0
        if table.dirty:
            nodes = fgraph.depth_first()
            merged_constants = self._merge_constants(fgraph, table, nodes)
            merged_nodes, refused = self._merge_nodes(fgraph, table, nodes)
            merged_nodes += self._merge_under_asserts(fgraph, table)
            table.dirty = False
        profile.counters.update(
            {"merged constants": merged_constants, "merged nodes": merged_nodes, "refused merges": refused}
        )
        profile.seconds, profile.nodes_after = time.perf_counter() - begin, len(fgraph.apply_nodes)
        return profile

    def _merge_constants(self, fgraph, table, nodes):
        seen, merged = set(), 0
        for variable in (v for vs in (*(node.inputs for node in nodes), fgraph.outputs) for v in vs):
            if not isinstance(variable, Constant) or id(variable) in seen:
                continue
            seen.add(id(variable))
            kept = table.process_constant(fgraph, variable)
            if kept is not variable and kept.type == variable.type:
                try:
                    fgraph.replace_all_validate([(variable, kept)], reason="MergeOptimizer")
                    merged += 1
                except InconsistencyError:
                    continue
        return merged

    def _merge_nodes(self, fgraph, table, nodes):
        first, merged, refused = {}, 0, 0
        alive = fgraph.apply_nodes
        for node in nodes:
            if node not in alive:
                continue
            key = table.process_node(fgraph, node)
            kept = first.setdefault(key, node)
            if kept is node:
                continue
            if kept not in alive:
                first[key] = node
                continue
            if (id(node), id(kept)) in table.blacklist:
                continue
            if self._replace(fgraph, table, node, kept):
                merged += 1
            else:
                refused += 1
        return merged, refused

    def _replace(self, fgraph, table, node, kept):
        pairs = []
        for old, new in zip(node.outputs, kept.outputs):
            if old.type != new.type:
                return False
            if old.clients:
                pairs.append((old, new))
        # A name that the user gave stays on what remains.
        for old, new in zip(node.outputs, kept.outputs):
            if new.name is None and old.name is not None:
                new.name = old.name
        if not pairs:
            return False
        try:
            fgraph.replace_all_validate(pairs, reason="MergeOptimizer")
        except InconsistencyError:
            table.blacklist.add((id(node), id(kept)))
            return False
        return True

    def _merge_under_asserts(self, fgraph, table):
        """Merge nodes that differ only in assertions on their inputs."""
        from theano_compat.tensor.opt import Assert

        groups = {}
        nodes = fgraph.depth_first()
        bare = {}
        for node in nodes:
            if isinstance(node.op, Assert):
                bare[node.outputs[0]] = node.inputs[0]
        if not bare:
            return 0
        merged = 0
        for node in nodes:
            if node not in fgraph.apply_nodes or isinstance(node.op, Assert):
                continue
            key = node.op, tuple(id(bare.get(v, v)) for v in node.inputs)
            other = groups.setdefault(key, node)
            if other is node or other not in fgraph.apply_nodes:
                groups[key] = node
                continue
            inputs = table.get_merged_assert_input(node, other)
            if inputs is None:
                continue
            fresh = node.op.make_node(*inputs)
            if [v.type for v in fresh.outputs] != [v.type for v in node.outputs]:
                continue
            pairs = [(old, new) for n in (node, other) for old, new in zip(n.outputs, fresh.outputs) if old.clients]
            try:
                fgraph.replace_all_validate(pairs, reason="MergeOptimizer")
            except InconsistencyError:
                continue
            groups[key] = fresh
            merged += 1
        return merged


def is_same_graph_with_merge(var1, var2, givens=None):
    """Tell whether two variables are computed alike, by merging both in one graph.

    Parameters
    ----------
    var1, var2 : Variable
    givens : dict or list of pairs, optional
        Replacements to make in both beforehand.

    Returns
    -------
    bool
    """
    from theano_compat.gof.graph import clone as clone_graph
    from theano_compat.gof.graph import inputs as graph_inputs

    sources = [v for v in graph_inputs([var1, var2]) if not isinstance(v, Constant)]
    if var1 is var2 and not givens:
        return True
    new_inputs, new_outputs = clone_graph(sources, [var1, var2], copy_inputs=False)
    fgraph = FunctionGraph(list(new_inputs), list(new_outputs), clone=False)
    if givens:
        pairs = givens.items() if hasattr(givens, "items") else givens
        inside = set(fgraph.inputs)
        for old, new in pairs:
            if old in inside or old in fgraph.variables:
                if isinstance(new, Constant) or new in fgraph.variables or new.owner is None:
                    if new not in fgraph.variables and not isinstance(new, Constant):
                        fgraph.add_input(new)
                fgraph.replace(old, new)
    MergeOptimizer().optimize(fgraph)
    out1, out2 = fgraph.outputs
    fgraph.disown()
    if out1 is out2:
        return True
    if out1.owner is None and out2.owner is None:
        return isinstance(out1, Constant) and isinstance(out2, Constant) and out1.equals(out2)
    return (
        out1.owner is not None
        and out1.owner is out2.owner
        and out1.owner.outputs.index(out1) == out2.owner.outputs.index(out2)
    )


def pre_constant_merge(vars):
    """Merge equal constants in expressions that are not in a function yet.

    Parameters
    ----------
    vars : Variable or list of Variable
        What is computed for them is changed in place.

    Returns
    -------
    list of Variable
    """
    if isinstance(vars, Variable):
        vars = [vars]
    known = {}

    def canonical(variable):
        if not isinstance(variable, Constant):
            return variable
        signature = variable.signature()
        return known.setdefault(signature, variable)

    for node in io_toposort([], [v for v in vars if isinstance(v, Variable) and v.owner is not None]):
        if getattr(node, "fgraph", None) is not None:
            # Part of a compiled function: not ours to change.
            continue
        for i, variable in enumerate(node.inputs):
            kept = canonical(variable)
            if kept is not variable:
                node.inputs[i] = kept
    return [canonical(v) for v in vars]


__all__ = [
    "MergeFeature", "MergeOptimizer", "is_same_graph_with_merge", "pre_constant_merge",
]  # fmt: skip
