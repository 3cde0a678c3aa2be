"""The feature that keeps graphs with in-place ops right: nobody reads a value after it has been overwritten.

An op that overwrites input ``i`` for output ``o`` says so by ``destroy_map = {o: [i]}``; one whose output may be a view of an
input by ``view_map``. Variables that may share memory form a tree of views; its top is their *root*. A graph is consistent if

* each root has at most one destroyer, and is neither a constant nor tagged ``indestructible``,
* the destroyer has no second input from the same tree (unless its op says that it tolerates that),
* all other users of the tree can run before the destroyer.

The last is a question of cycles in the graph of "must run before". The handler keeps a number for each node such that each
edge goes upwards, and looks at what has changed since the last time only: as long as new edges go upwards, or a search in the
interval between the two ends of an offending one finds no path back, nothing else has to be visited.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from math import inf

from theano_compat import config
from theano_compat.gof import toolbox
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.graph import Apply, Constant, Variable, io_toposort

_TOP, _BOTTOM = (inf,), (-inf,)


class ProtocolError(Exception):
    """The FunctionGraph told the handler of a change that cannot be."""


def fast_inplace_check(inputs: list[Variable]) -> list[Variable]:
    """Return those of ``inputs``, variables of one FunctionGraph, that an in-place op might overwrite.

    Left out are constants, what has a destroyer already, what a Supervisor protects, and outputs of the graph.
    """
    fgraph = inputs[0].fgraph
    protected = {var for feature in fgraph._features for var in getattr(feature, "protected", ())}
    protected.update(fgraph.outputs)
    return [
        var for var in inputs if not isinstance(var, Constant) and var not in protected and not fgraph.has_destroyers([var])
    ]


class DestroyHandler(toolbox.Bookkeeper):
    """Objects to graphs in which a value could be read after it was overwritten; orders the readers before the destroyers.

    Parameters
    ----------
    do_imports_on_attach : bool
        Look at the nodes that are there when the feature is attached.
    algo : {'regular', 'fast'}, optional
        ``fast``: an in-place op is refused at once, as it is put into the graph, where it cannot be right; default
        ``config.cycle_detection``.

    Notes
    -----
    Adds ``fgraph.destroyers(variable)``, ``fgraph.has_destroyers(variables)`` and ``fgraph.destroy_handler``.
    """

    pickle_rm_attr = ["destroyers", "has_destroyers"]

    def __init__(self, do_imports_on_attach: bool = True, algo: str | None = None):
        self.fgraph = None
        self.do_imports_on_attach = do_imports_on_attach
        self.algo = config.cycle_detection if algo is None else algo
        self._forget()

    def _forget(self) -> None:
        self.view_i: dict[Variable, Variable] = {}  # from a view to what it is a view of
        self.view_o: dict[Variable, dict] = {}  # the other way round, as ordered sets
        self.destroyers: dict[Apply, None] = {}  # ordered set of the nodes with a destroy_map
        self._destroyed: dict[Variable, dict] = {}  # from an input that is overwritten to its destroyers
        self._root_destroyers: dict[Variable, list] = {}  # answers of _destroyers_of_root
        self._dirty_roots: dict[Variable, None] = {}  # whose tree or users have changed
        self._dirty_nodes: dict[Apply, None] = {}  # that are new or have new inputs
        self._place: dict[Apply, tuple] = {}  # a number, and a serial number that makes it unique
        self._placed_all = False
        self._serial = count()
        self.fail_validate: dict[Apply, Exception] = {}

    # --------------------------------------------------------------------------------------------- attachment

    def on_attach(self, fgraph) -> None:
        if any(hasattr(fgraph, attribute) for attribute in ("destroyers", "destroy_handler")):
            raise toolbox.AlreadyThere("DestroyHandler feature is already present or in conflict with another plugin.")
        if self.fgraph is not None and self.fgraph is not fgraph:
            raise Exception("A DestroyHandler instance can only serve one FunctionGraph.")
        self.fgraph = fgraph
        fgraph.destroy_handler = self
        self.unpickle(fgraph)
        self._forget()
        if self.do_imports_on_attach:
            toolbox.Bookkeeper.on_attach(self, fgraph)

    def unpickle(self, fgraph) -> None:
        """Put the methods on the graph."""

        def destroyers(var: Variable) -> list[Apply]:
            """Return the destroyers of a variable's memory, a list of none or one (more in an inconsistent graph)."""
            return list(self._destroyers_of_root(self._root(var)))

        def has_destroyers(variables: Iterable[Variable]) -> bool:
            """Whether any of the variables' memory is overwritten."""
            return any(self._destroyers_of_root(self._root(var)) for var in variables)

        fgraph.destroyers = destroyers
        fgraph.has_destroyers = has_destroyers

    def on_detach(self, fgraph) -> None:
        if fgraph is not self.fgraph:
            raise Exception("detaching wrong fgraph", fgraph)
        del fgraph.destroyers
        del fgraph.has_destroyers
        del fgraph.destroy_handler
        self._forget()
        self.fgraph = None

    def __getstate__(self) -> dict:
        # Trees and places are made anew from the graph.
        return {"fgraph": self.fgraph, "do_imports_on_attach": self.do_imports_on_attach, "algo": self.algo}

    def __setstate__(self, state) -> None:
        self.__dict__.update(state)
        self._forget()
        self._stale = True

    _stale = False

    def _refill(self) -> None:
        """After unpickling: look at the nodes of the graph, which exist by now."""
        if self._stale:
            self._stale = False
            for node in self.fgraph.depth_first():
                self.on_import(self.fgraph, node, "unpickle")

    # ------------------------------------------------------------------------------------------------- changes

    def fast_destroy(self, app: Apply, reason) -> None:
        """Refuse a node that overwrites a constant, a protected input, or what another one overwrites already.

        Raises
        ------
        InconsistencyError
        """
        for in_is in getattr(app.op, "destroy_map", {}).values():
            if len(in_is) != 1:
                raise NotImplementedError("destroying this output invalidates multiple inputs", app.op)
            var = app.inputs[in_is[0]]
            root = self._root(var)
            if isinstance(root, Constant) or getattr(root.tag, "indestructible", False):
                raise InconsistencyError(f"Attempting to destroy indestructible variables: {[root]} ({reason})")
            if any(other is not app for other in self._destroyers_of_root(root)):
                raise InconsistencyError(f"{var} is already destroyed by another node ({reason})")

    def on_import(self, fgraph, app: Apply, reason) -> None:
        if self._stale:
            self._refill()
        op = app.op
        for out_i, in_is in getattr(op, "view_map", {}).items():
            if len(in_is) > 1:
                raise NotImplementedError(f"{op} is a view of multiple inputs")
            if in_is:
                self._add_view(app.outputs[out_i], app.inputs[in_is[0]])
        destroy_map = getattr(op, "destroy_map", None)
        if destroy_map:
            self.destroyers[app] = None
            for in_is in destroy_map.values():
                for i in in_is:
                    self._destroyed.setdefault(app.inputs[i], {})[app] = None
            if self.algo == "fast":
                try:
                    self.fast_destroy(app, reason)
                except InconsistencyError as e:
                    self.fail_validate[app] = e
        self._dirty_nodes[app] = None
        for var in app.inputs:
            self._touch(var)

    def on_prune(self, fgraph, app: Apply, reason) -> None:
        if self._stale:
            self._refill()
        for var in app.inputs:
            self._touch(var)
        op = app.op
        for out_i, in_is in getattr(op, "view_map", {}).items():
            if in_is:
                self._remove_view(app.outputs[out_i], app.inputs[in_is[0]])
        if app in self.destroyers:
            del self.destroyers[app]
            for in_is in op.destroy_map.values():
                for i in in_is:
                    self._undestroy(app.inputs[i], app)
        self._dirty_nodes.pop(app, None)
        self._place.pop(app, None)
        self.fail_validate.pop(app, None)

    def on_change_input(self, fgraph, app, i: int, old_r: Variable, new_r: Variable, reason) -> None:
        if self._stale:
            self._refill()
        if app == "output":
            return
        self._touch(old_r)
        op = app.op
        for out_i, in_is in getattr(op, "view_map", {}).items():
            if i in in_is:
                self._remove_view(app.outputs[out_i], old_r)
                self._add_view(app.outputs[out_i], new_r)
        if app in self.destroyers and any(i in in_is for in_is in op.destroy_map.values()):
            # The old variable may still be overwritten by another input of the node.
            if not any(app.inputs[j] is old_r for in_is in op.destroy_map.values() for j in in_is):
                self._undestroy(old_r, app)
            self._destroyed.setdefault(new_r, {})[app] = None
            self.fail_validate.pop(app, None)
        self._touch(new_r)
        self._dirty_nodes[app] = None

    def _add_view(self, view: Variable, of: Variable) -> None:
        self.view_i[view] = of
        self.view_o.setdefault(of, {})[view] = None

    def _remove_view(self, view: Variable, of: Variable) -> None:
        self._touch(of)
        if self.view_i.get(view) is of:
            del self.view_i[view]
        views = self.view_o.get(of)
        if views is not None:
            views.pop(view, None)
            if not views:
                del self.view_o[of]
        self._touch(view)

    def _undestroy(self, var: Variable, app: Apply) -> None:
        nodes = self._destroyed.get(var)
        if nodes is not None:
            nodes.pop(app, None)
            if not nodes:
                del self._destroyed[var]

    def _touch(self, var: Variable) -> None:
        """Mark the tree of a variable as changed."""
        # Only trees with a destroyer matter, now or later; the answers kept for it are void in any case.
        root = self._root(var)
        self._root_destroyers.pop(root, None)
        self._root_destroyers.pop(var, None)
        self._dirty_roots[root] = None

    # ---------------------------------------------------------------------------------------------- view trees

    def _root(self, var: Variable) -> Variable:
        """Return the top of a variable's tree."""
        view_i = self.view_i
        while var in view_i:
            var = view_i[var]
        return var

    def _tree(self, root: Variable) -> list[Variable]:
        """Return a root and all views of it, direct and indirect."""
        if root not in self.view_o:
            return [root]
        tree = [root]
        for var in tree:  # grows while we walk it
            tree.extend(self.view_o.get(var, ()))
        return tree

    def _destroyers_of_root(self, root: Variable) -> list[Apply]:
        """Return the nodes that overwrite something of the tree of ``root``."""
        if self._stale:
            self._refill()
        if not self._destroyed:
            return []
        known = self._root_destroyers.get(root)
        if known is None:
            found: dict[Apply, None] = {}
            for var in self._tree(root):
                found.update(self._destroyed.get(var, ()))
            known = self._root_destroyers[root] = list(found)
        return known

    def _readers(self, root: Variable, destroyer: Apply) -> list[Apply]:
        """Return the nodes that must run before the destroyer of a root."""
        found: dict[Apply, None] = {}
        for var in self._tree(root):
            for node, _ in getattr(var, "clients", ()):
                if node is not destroyer and node != "output":
                    found[node] = None
        return list(found)

    @property
    def droot(self) -> dict[Variable, Variable]:
        """Map from each variable of a tree with a destroyer to the root."""
        return {var: root for root in self.root_destroyer for var in self._tree(root)}

    @property
    def impact(self) -> dict[Variable, list]:
        """Map from each root with a destroyer to all variables of its tree."""
        return {root: self._tree(root) for root in self.root_destroyer}

    @property
    def root_destroyer(self) -> dict[Variable, Apply]:
        """Map from each root with a destroyer to that."""
        if self._stale:
            self._refill()
        return {self._root(var): next(iter(nodes)) for var, nodes in self._destroyed.items()}

    def refresh_droot_impact(self) -> tuple[dict, dict, dict]:
        """Return :attr:`droot`, :attr:`impact` and :attr:`root_destroyer`; raise if a root has several destroyers."""
        for root in list(self.root_destroyer):
            self._check_root(root)
        return self.droot, self.impact, self.root_destroyer

    # ---------------------------------------------------------------------------------------------- validation

    def validate(self, fgraph) -> bool:
        """Raise InconsistencyError if a value could be read after it was overwritten."""
        if self._stale:
            self._refill()
        for error in self.fail_validate.values():
            raise error
        if not self.destroyers:
            # Places are of no use now; what changes until the first destroyer comes is not recorded.
            self._dirty_roots.clear()
            self._dirty_nodes.clear()
            self._place.clear()
            self._placed_all = False
            return True
        roots = {self._root(var): None for var in self._dirty_roots}
        heads: dict[Apply, dict] = {}  # from a destroyer to the nodes that must come before it
        for root in roots:
            destroyer = self._check_root(root)
            if destroyer is not None:
                heads.setdefault(destroyer, {}).update(dict.fromkeys(self._readers(root, destroyer)))
        if not self._placed_all or not self._place_changes(heads):
            self._place_all()
        self._dirty_roots.clear()
        self._dirty_nodes.clear()
        return True

    def _check_root(self, root: Variable) -> Apply | None:
        """Return the destroyer of a root, None if there is none; raise if there are several or it must not be."""
        destroyers = self._destroyers_of_root(root)
        if not destroyers:
            return None
        if len(destroyers) > 1:
            raise InconsistencyError(f"Multiple destroyers of {root}: {destroyers}")
        if isinstance(root, Constant) or getattr(root.tag, "indestructible", False):
            raise InconsistencyError(f"Attempting to destroy indestructible variables: {[root]}")
        (destroyer,) = destroyers
        self._check_aliasing(destroyer, root)
        return destroyer

    def _check_aliasing(self, app: Apply, root: Variable) -> None:
        """Raise if a node reads, by another input, the tree that it overwrites."""
        same = getattr(app.op, "destroyhandler_tolerate_same", ())
        aliased = getattr(app.op, "destroyhandler_tolerate_aliased", ())
        tree = set(self._tree(root)) if len(app.inputs) > 1 else ()
        for in_is in app.op.destroy_map.values():
            for i in in_is:
                destroyed = app.inputs[i]
                if destroyed not in tree:
                    continue
                for j, var in enumerate(app.inputs):
                    if j == i or var not in tree or (i, j) in aliased:
                        continue
                    if var is destroyed and (i, j) in same:
                        continue
                    raise InconsistencyError(
                        f"Input aliasing: {app} overwrites input {i}, and input {j} may share its memory ({destroyed}, {var})"
                    )

    # ------------------------------------------------------------------------------------- places and cycles

    def _destroyers_after(self, node: Apply) -> list[Apply]:
        """Return the destroyers that have to wait for ``node`` to have read its inputs."""
        if not self._destroyed:
            return []
        return [
            destroyer
            for var in node.inputs
            for destroyer in self._destroyers_of_root(self._root(var))
            if destroyer is not node
        ]

    def _after(self, node: Apply) -> list[Apply]:
        """Return the nodes that must run after ``node``."""
        users = [user for out in node.outputs for user, _ in out.clients if user != "output"]
        return users + self._destroyers_after(node)

    def _before(self, node: Apply) -> list[Apply]:
        """Return the nodes that must run before ``node``."""
        before = [var.owner for var in node.inputs if var.owner is not None]
        if node in self.destroyers:
            roots = {self._root(node.inputs[i]) for in_is in node.op.destroy_map.values() for i in in_is}
            for root in roots:
                before.extend(self._readers(root, node))
        return before

    def _place_all(self) -> None:
        """Number all nodes anew; raise if there is a cycle."""
        try:
            order = io_toposort(self.fgraph.inputs, self.fgraph.outputs, self._orderings())
        except ValueError:
            self._placed_all = False
            raise InconsistencyError("Dependency graph contains cycles") from None
        self._place = {node: (float(i), next(self._serial)) for i, node in enumerate(order)}
        self._placed_all = True

    def _place_changes(self, heads: dict[Apply, dict]) -> bool:
        """Number new nodes, and move others where that is enough; return whether all edges go upwards now.

        Raises
        ------
        InconsistencyError
            If there is a cycle.
        """
        place = self._place
        for node in self._dirty_nodes:
            if node not in place and not self._insert(node, heads):
                return False
        # Edges that are new and go downwards, by their upper ends.
        wrong: dict[Apply, list] = {}
        for node in self._dirty_nodes:
            for var in node.inputs:
                owner = var.owner
                if owner is not None and place[owner] >= place[node]:
                    wrong.setdefault(node, []).append(owner)
        for destroyer, readers in heads.items():
            if destroyer not in place:
                return False
            for reader in readers:
                if reader not in place:
                    return False
                if place[reader] >= place[destroyer]:
                    wrong.setdefault(destroyer, []).append(reader)
        if not wrong:
            return True
        if len(wrong) > 1:
            return False
        ((head, tails),) = wrong.items()
        self._move(head, tails)
        return True

    def _insert(self, node: Apply, heads: dict[Apply, dict]) -> bool:
        """Give a new node a number between what must come before it and what comes after; False if there is none."""
        place = self._place
        low = max((place.get(var.owner, _BOTTOM)[0] for var in node.inputs if var.owner is not None), default=-inf)
        high = min((place.get(other, _TOP)[0] for other in self._after(node)), default=inf)
        # Readers that are higher up may have to be moved below, but not for want of trying.
        readers = [place[reader][0] for reader in heads.get(node, ()) if reader in place]
        wished = max([low, *[at for at in readers if at < high]], default=low)
        if wished == -inf:
            at = 0.0 if high == inf else high - 1.0
        elif high == inf:
            at = wished + 1.0
        else:
            at = (wished + high) / 2
        if not low < at < high and not (low == -inf and high == inf):
            return False
        place[node] = (at, next(self._serial))
        return True

    def _move(self, head: Apply, tails: list[Apply]) -> None:
        """Make ``head`` come after ``tails``: all other edges go upwards. Raise if there is a path from head to a tail."""
        place, top, bottom = self._place, max(self._place[t] for t in tails), self._place[head]
        targets = set(tails)
        followers: dict[Apply, None] = {head: None}
        pending = [head]
        while pending:
            for node in self._after(pending.pop()):
                if node in targets:
                    raise InconsistencyError("Dependency graph contains cycles")
                if node not in followers and place.get(node, _TOP) <= top:
                    followers[node] = None
                    pending.append(node)
        leaders: dict[Apply, None] = dict.fromkeys(t for t in tails)
        pending = list(tails)
        while pending:
            for node in self._before(pending.pop()):
                if node not in leaders and place.get(node, _BOTTOM) >= bottom:
                    leaders[node] = None
                    pending.append(node)
        # The places that both groups hold are dealt out again: leaders at first, each group in its old order.
        ordered = sorted(leaders, key=place.__getitem__) + sorted(followers, key=place.__getitem__)
        for node, at in zip(ordered, sorted(place[n] for n in ordered)):
            place[node] = at

    def orderings(self, fgraph, ordered: bool = True) -> dict[Apply, list[Apply]]:
        """Return, for each destroyer, the nodes that must run before it.

        Raises
        ------
        InconsistencyError
            If a root has several destroyers or one that it must not have.
        """
        if self._stale:
            self._refill()
        if not self.destroyers:
            return {}
        for error in self.fail_validate.values():
            raise error
        for root in {self._root(var): None for var in self._destroyed}:
            self._check_root(root)
        return self._orderings()

    def _orderings(self) -> dict[Apply, list[Apply]]:
        before: dict[Apply, dict] = {}
        for var, nodes in self._destroyed.items():
            root = self._root(var)
            for node in nodes:
                readers = self._readers(root, node)
                if readers:
                    before.setdefault(node, {}).update(dict.fromkeys(readers))
        return {node: list(readers) for node, readers in before.items()}
