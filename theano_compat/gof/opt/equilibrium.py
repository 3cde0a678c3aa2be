"""Local rewrites until nothing changes, on a worklist.

The first round looks at every node, from the outputs to the inputs. After that a node is looked at again only when it is new, when
one of its inputs was replaced, when such a node is among its close clients, or when one of its results gained or lost a client.
When the worklist has run dry, one further round over the whole graph confirms that nothing is left for patterns that look
further; it costs no more than its (failing) attempts, which the index of ops keeps few.
"""

from __future__ import annotations

import sys
import time

from theano_compat import config
from theano_compat.gof.graph import io_toposort
from theano_compat.gof.opt.base import Optimizer, report, require_replace_validate
from theano_compat.gof.opt.dispatch import Dispatch
from theano_compat.gof.opt.local import LocalOptimizer
from theano_compat.gof.opt.navigate import NavigatorOptimizer
from theano_compat.gof.opt.profile import PassProfile, label
from theano_compat.gof.toolbox import Feature

# Clients of clients are looked at again too: most patterns are two nodes deep.
_CLIENT_RADIUS = 2
# Cleaning up looks at the whole graph, so it is done a bounded number of times in one draining of the worklist.
_EARLY_CLEANUPS = 4
# A graph may grow this many times (and at least to this many nodes) before the rewriting is stopped.
_GROWTH_FACTOR, _GROWTH_FLOOR = 30, 20_000


class ChangeTracker(Feature):
    """Feature that records whether the graph has changed since `reset`."""

    def __init__(self):
        self.changed = False
        self.nb_imported = 0

    def on_attach(self, fgraph):
        if hasattr(fgraph, "change_tracker"):
            from theano_compat.gof.toolbox import AlreadyThere

            raise AlreadyThere("A change tracker is already attached.")
        fgraph.change_tracker = self

    def on_detach(self, fgraph):
        if getattr(fgraph, "change_tracker", None) is self:
            del fgraph.change_tracker

    def on_import(self, fgraph, node, reason):
        self.nb_imported += 1
        self.changed = True

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self.changed = True

    def reset(self):
        """Forget what has been seen."""
        self.changed = False


class _Worklist(Feature):
    """What has changed in the graph, and where each node stands between inputs and outputs."""

    def __init__(self):
        self.fresh = []
        self.touched = {}
        self.rank = {}
        self.current_rank = 0
        self.version = 0

    def on_import(self, fgraph, node, reason):
        self.version += 1
        self.rank[node] = self.current_rank
        self.fresh.append(node)

    def on_prune(self, fgraph, node, reason):
        self.rank.pop(node, None)
        self.touched.pop(node, None)

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self.version += 1
        if not isinstance(node, str):
            self.touched[node] = True
        for variable in (r, new_r):
            # The number of clients has changed; rewrites ask for it.
            if variable.owner is not None:
                self.touched.setdefault(variable.owner, False)

    def take_fresh(self):
        fresh, self.fresh = self.fresh, []
        return fresh

    def everything(self, fgraph):
        """Return all nodes, those nearest to the inputs first."""
        self.fresh, self.touched = [], {}
        nodes = list(fgraph.depth_first())
        self.rank = {node: i for i, node in enumerate(nodes)}
        return nodes

    def changed_region(self, fgraph, later):
        """Return the nodes to look at again, in the same order."""
        alive = fgraph.apply_nodes
        region = dict.fromkeys(later)
        region.update((node, None) for node in self.fresh)
        frontier = [node for node in region if node in alive]
        for node, inputs_changed in self.touched.items():
            region[node] = None
            if inputs_changed:
                frontier.append(node)
        self.fresh, self.touched = [], {}
        for _ in range(_CLIENT_RADIUS):
            found = []
            for node in frontier:
                for output in node.outputs:
                    for client, _i in fgraph.clients(output):
                        if not isinstance(client, str) and client not in region:
                            region[client] = None
                            found.append(client)
            frontier = found
        rank = self.rank
        return sorted((node for node in region if node in alive), key=lambda node: rank.get(node, 0))


class EquilibriumOptimizer(NavigatorOptimizer):
    """Apply rewrites until none of them changes the graph any more.

    Parameters
    ----------
    optimizers : list of Optimizer or LocalOptimizer
        Rewrites of whole graphs run at the beginning of each round.
    failure_callback : callable, optional
        See `NavigatorOptimizer`.
    ignore_newtrees : bool
        Whether nodes that a rewrite has made wait for the next round.
    tracks_on_change_inputs : bool
        Whether a node one of whose inputs was replaced is looked at within the same round.
    max_use_ratio : int or float
        A rewrite may be applied at most this many times for each node of the graph; then it is named and the rewriting stops.
    final_optimizers : list, optional
        Run when a round ends.
    cleanup_optimizers : list, optional
        Run after each part of a round that changed the graph.
    """

    def __init__(
        self, optimizers, failure_callback=None, ignore_newtrees=True, tracks_on_change_inputs=False,
        max_use_ratio=None, final_optimizers=None, cleanup_optimizers=None,
    ):  # fmt: skip
        super().__init__(None, ignore_newtrees=ignore_newtrees, failure_callback=failure_callback)
        if max_use_ratio is None:
            max_use_ratio = config.optdb.max_use_ratio
        self.max_use_ratio = max_use_ratio
        self.tracks_on_change_inputs = tracks_on_change_inputs
        self.global_optimizers = []
        self.final_optimizers = list(final_optimizers or ())
        self.cleanup_optimizers = list(cleanup_optimizers or ())
        self._dispatch = Dispatch(())
        self._locals = []
        for rewrite in optimizers:
            if isinstance(rewrite, LocalOptimizer):
                self._locals.append(rewrite)
                self._dispatch.add(rewrite)
            else:
                self.global_optimizers.append(rewrite)

    @property
    def local_optimizers_all(self):
        """The local rewrites that are tried on every node."""
        return self._dispatch.everywhere

    @property
    def local_optimizers_map(self):
        """The other local rewrites, by the op class or op that they track."""
        return {**self._dispatch.by_class, **self._dispatch.by_op}

    def get_local_optimizers(self):
        """Iterate over the local rewrites, each once."""
        yield from self._locals

    def add_requirements(self, fgraph):
        Optimizer.add_requirements(self, fgraph)
        require_replace_validate(fgraph)
        for rewrite in (*self._locals, *self.global_optimizers, *self.final_optimizers, *self.cleanup_optimizers):
            rewrite.add_requirements(fgraph)

    def apply(self, fgraph, start_from=None):
        run = _Run(self, fgraph)
        work = _Worklist()
        fgraph.attach_feature(work)
        try:
            run.to_equilibrium(work, start_from)
        finally:
            fgraph.remove_feature(work)
        return run.finish()

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__} {getattr(self, 'name', None)} id={id(self)}", file=stream)
        if depth != 0:
            for rewrite in (*self._locals, *self.global_optimizers):
                rewrite.print_summary(stream, level=level + 2, depth=depth - 1)

    def __str__(self):
        return f"{type(self).__name__}({getattr(self, 'name', None)})"


class _Run:
    """One application of an `EquilibriumOptimizer` to one graph."""

    def __init__(self, owner, fgraph):
        self.owner = owner
        self.fgraph = fgraph
        self.profile = PassProfile(owner, nodes_before=len(fgraph.apply_nodes), rounds=0)
        self.begin = time.perf_counter()
        self.most_nodes = len(fgraph.apply_nodes)
        self.growth_limit = max(_GROWTH_FACTOR * len(fgraph.apply_nodes), _GROWTH_FLOOR)
        self.applied = {}
        self.tried = {}
        self.seconds = {}
        self.exhausted = None

    def to_equilibrium(self, work, start_from=None):
        """Run rounds until one that looked at everything has changed nothing."""
        fgraph, owner = self.fgraph, self.owner
        complete = True
        while True:
            before = work.version
            self.profile.rounds += 1
            self._globals(owner.global_optimizers, work)
            if complete:
                # After the global rewrites, so that the order and the nodes are the current ones.
                batch = work.everything(fgraph)
                if start_from is not None:
                    wanted = set(io_toposort(fgraph.inputs, start_from))
                    batch, start_from = [node for node in batch if node in wanted], None
            else:
                batch = work.changed_region(fgraph, ())
            self._locals(batch, work)
            self._globals(owner.final_optimizers, work)
            if self.exhausted is not None:
                self._report_exhaustion()
                return
            changed = work.version != before
            if complete and not changed:
                return
            # A round over the changed region that had nothing to do calls for the confirming round over everything.
            complete = not changed

    def _globals(self, rewrites, work):
        changed = False
        for rewrite in rewrites:
            changed |= self._apply_global(rewrite, work)
        if changed:
            self._cleanup(work)

    def _cleanup(self, work):
        for rewrite in self.owner.cleanup_optimizers:
            self._apply_global(rewrite, work)

    def _apply_global(self, rewrite, work):
        before, start = work.version, time.perf_counter()
        work.current_rank = 0
        rewrite.apply(self.fgraph)
        changed = work.version != before
        self._count(rewrite, changed, time.perf_counter() - start)
        if self.applied.get(rewrite, 0) > self._limit():
            self.exhausted = rewrite
        return changed

    def _locals(self, batch, work):
        """Drain the worklist: this batch, then whatever its changes call for."""
        owner, alive = self.owner, self.fgraph.apply_nodes
        start_version, drained = work.version, 0
        while batch and self.exhausted is None:
            queue, later, queued = batch, {}, set(batch)
            while queue:
                node = queue.pop()
                queued.discard(node)
                if node not in alive:
                    continue
                work.current_rank = work.rank.get(node, 0)
                if not self._try_node(node):
                    continue
                if self.exhausted is not None:
                    break
                fresh = work.take_fresh()
                if owner.ignore_newtrees:
                    later.update(dict.fromkeys(fresh))
                else:
                    # They are looked at in this round; their clients, whose inputs changed, in the next one.
                    queue.extend(n for n in fresh if n not in queued)
                    queued.update(fresh)
                if owner.tracks_on_change_inputs:
                    changed = [n for n, by_input in work.touched.items() if by_input and n not in queued]
                    queue.extend(changed)
                    queued.update(changed)
            drained += 1
            if drained <= _EARLY_CLEANUPS and work.version != start_version and owner.cleanup_optimizers:
                # Equal nodes that have come up are merged before others look at how many clients they have.
                start_version = work.version
                self._cleanup(work)
            batch = work.changed_region(self.fgraph, later) if (later or work.touched or work.fresh) else []
        if work.version != start_version:
            self._cleanup(work)

    def _try_node(self, node):
        """Try the rewrites for a node until one has changed the graph; return whether one has."""
        owner, fgraph = self.owner, self.fgraph
        clock = time.perf_counter
        for rewrite in owner._dispatch(node.op):
            start = clock()
            changed = owner.process_node(fgraph, node, rewrite)
            self._count(rewrite, changed, clock() - start)
            if changed:
                size = len(fgraph.apply_nodes)
                if size > self.most_nodes:
                    self.most_nodes = size
                if self.applied[rewrite] > self._limit() or size > self.growth_limit:
                    self.exhausted = rewrite
                return True
        return False

    def _limit(self):
        return max(self.most_nodes, 1) * self.owner.max_use_ratio

    def _count(self, rewrite, changed, seconds):
        self.seconds[rewrite] = self.seconds.get(rewrite, 0.0) + seconds
        self.tried[rewrite] = self.tried.get(rewrite, 0) + 1
        if changed:
            self.applied[rewrite] = self.applied.get(rewrite, 0) + 1

    def _report_exhaustion(self):
        busiest = max(self.applied, key=self.applied.get, default=self.exhausted)
        name = label(busiest)
        report(
            f"EquilibriumOptimizer max'ed out by '{name}'. You can safely raise the current threshold of "
            f"{float(self.owner.max_use_ratio)} with the theano flag 'optdb.max_use_ratio'. "
            f"It was applied {self.applied.get(busiest, 0)} times; the graph went from {self.profile.nodes_before} to "
            f"{len(self.fgraph.apply_nodes)} nodes. To go without this rewrite: optimizer_excluding={name}"
        )

    def finish(self):
        """Return the profile of the run."""
        profile = self.profile
        profile.seconds = time.perf_counter() - self.begin
        profile.nodes_after = len(self.fgraph.apply_nodes)
        for target, source in ((profile.times, self.seconds), (profile.applied, self.applied), (profile.tried, self.tried)):
            for rewrite, value in source.items():
                name = label(rewrite)
                target[name] = target.get(name, 0) + value
        profile.counters["largest number of nodes"] = self.most_nodes
        return profile
