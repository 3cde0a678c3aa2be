"""Order of the nodes, segments of compilable ones, Python islands between them.

Nodes are taken in an order that honours data, the destroy handler's orderings and laziness.  All ready nodes that can be
lowered go into the current segment before an island is placed, so that islands split the work as little as
possible.  Lowering is the test of whether a node can be lowered.

A node that only one branch of a lazy op (`IfElse`) needs gets that branch as its *condition*; segments hold nodes of one condition, and
a step with a condition runs on demand.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from theano_compat.codegen.builder import Builder, NotLowered
from theano_compat.codegen.lower import lower
from theano_compat.gof.graph import Apply, Constant, Variable

__all__ = ["Island", "Schedule", "Segment", "is_lazy", "make_schedule"]


@dataclass(eq=False)
class Island:
    """A node that runs through its own thunk, and why."""

    node: Apply
    reason: str
    condition: frozenset = frozenset()

    @property
    def inputs(self) -> list[Variable]:
        return list(self.node.inputs)

    @property
    def outputs(self) -> list[Variable]:
        return list(self.node.outputs)


@dataclass(eq=False)
class Segment:
    """Nodes that become one C function."""

    builder: Builder
    condition: frozenset = frozenset()
    inputs: list[Variable] = field(default_factory=list)
    outputs: list[Variable] = field(default_factory=list)


@dataclass
class Schedule:
    """Steps in order.

    Attributes
    ----------
    steps : list of Segment or Island
    lazy : bool
        Whether some steps run on demand.
    """

    steps: list
    lazy: bool


def is_virtual(node: Apply) -> bool:
    """Tell whether a node only packs values for indexing ops, which look through it; it runs only for an island."""
    return type(node.op).__name__ == "MakeSlice"


def is_lazy(node: Apply) -> bool:
    """Tell whether a node evaluates its inputs on demand."""
    return bool(getattr(node.op, "_lazy_codegen", False)) or type(node.op).__name__ == "IfElse"


def _conditions(order: list[Apply], outputs: list[Variable], orderings) -> dict[Apply, frozenset]:
    """Return for every node the set of (lazy node position, branch) that need it; empty for always.

    A condition is the set of all demands; a node that is demanded unconditionally has the empty set.
    """
    position = {node: i for i, node in enumerate(order)}
    demands: dict[Apply, set | None] = {node: set() for node in order}  # None: always

    def demand(var: Variable, by) -> None:
        node = var.owner
        if node is None or demands[node] is None:
            return
        if by is None:
            demands[node] = None
        else:
            demands[node].update(by)

    for out in outputs:
        demand(out, None)
    for node in reversed(order):
        mine = demands[node]
        if mine is not None and not mine:
            continue  # nobody needs it but an ordering
        for other in orderings.get(node, ()):
            if demands.get(other):
                if mine is None:
                    demands[other] = None
                else:
                    demands[other].update(mine)
        if is_lazy(node):
            demand(node.inputs[0], mine)
            for k, var in enumerate(node.inputs[1:]):
                branch = 0 if k < node.op.n_outs else 1
                demand(var, {(position[node], branch)})
        else:
            for var in node.inputs:
                demand(var, mine)
    return {node: frozenset() if need is None else frozenset(need) for node, need in demands.items()}


def make_schedule(fgraph, compile_nodes: bool = True, node_by_node: bool = False) -> Schedule:
    """Split a FunctionGraph into steps.

    Parameters
    ----------
    fgraph : FunctionGraph
    compile_nodes : bool
        False makes every node an island.
    node_by_node : bool
        Give each node a segment of its own, so that a profile can tell their times apart.
    """
    order = list(fgraph.toposort())
    position = {node: i for i, node in enumerate(order)}
    lazy = any(is_lazy(node) for node in order)
    conditions = _conditions(order, fgraph.outputs, fgraph.orderings()) if lazy else {}
    results = set(fgraph.outputs)
    updated = {fgraph.inputs[i] for i in (getattr(fgraph, "update_mapping", None) or {}).values()}
    lent = set(fgraph.inputs) - updated
    always: frozenset = frozenset()
    waiting: dict[Apply, int] = {}
    followers: dict[Apply, list[Apply]] = {node: [] for node in order}
    orderings = fgraph.orderings()
    for node in order:
        before = {v.owner for v in node.inputs if v.owner is not None}
        before.update(n for n in orderings.get(node, ()) if n in position)
        waiting[node] = len(before)
        for other in before:
            followers[other].append(node)

    steps: list = []
    # heaps by position keep the result independent of hashing
    ready = [position[n] for n in order if not waiting[n]]
    heapq.heapify(ready)
    islands: list[tuple[int, str]] = []
    current: Segment | None = None

    def done(node: Apply) -> None:
        for other in followers[node]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, position[other])

    def close() -> None:
        nonlocal current
        if current is not None and current.builder.nodes:
            steps.append(current)
        current = None

    virtual: dict[Variable, Apply] = {}

    def place_island(node: Apply, reason: str) -> None:
        for var in node.inputs:
            if var in virtual:
                packed = virtual.pop(var)
                steps.append(Island(packed, "packs a slice", conditions.get(packed, always)))
        steps.append(Island(node, reason, conditions.get(node, always)))

    deferred: list[int] = []
    while ready or islands or deferred:
        while ready:
            place = heapq.heappop(ready)
            node = order[place]
            condition = conditions.get(node, always)
            if compile_nodes and is_virtual(node):
                virtual.update(dict.fromkeys(node.outputs, node))
                done(node)
                continue
            if is_lazy(node) or not compile_nodes:
                heapq.heappush(islands, (place, "lazy" if compile_nodes else "no compiler"))
                continue
            if current is None:
                builder = Builder()
                builder.results = results
                builder.lent = lent
                current = Segment(builder, condition)
            elif current.condition != condition:
                heapq.heappush(deferred, place)
                continue
            builder = current.builder
            state = builder.checkpoint()
            builder.begin(node)
            try:
                lower(node.op, node, builder)
            except NotLowered as reason:
                builder.rollback(state)
                heapq.heappush(islands, (place, str(reason)))
                continue
            done(node)
            if node_by_node:
                close()
        if deferred:
            close()
            ready, deferred = deferred, []
            continue
        if islands:
            close()
            place, reason = heapq.heappop(islands)
            node = order[place]
            place_island(node, reason)
            done(node)
    close()
    for var in fgraph.outputs:
        if var in virtual:
            place_island(virtual.pop(var), "packs a slice")
    _interfaces(steps, fgraph)
    return Schedule(steps, lazy)


def _interfaces(steps: list, fgraph) -> None:
    """Find which variables each segment hands on."""
    needed = set(fgraph.outputs)
    for step in steps:
        if isinstance(step, Island):
            needed.update(step.node.inputs)
        else:
            step.inputs = list(step.builder.inputs)
            needed.update(step.inputs)
    for step in steps:
        if isinstance(step, Segment):
            inside = {v for node in step.builder.nodes for v in node.outputs}
            step.outputs = [
                v for node in step.builder.nodes for v in node.outputs if v in needed and v in inside
            ]


def is_constant(var: Variable) -> bool:
    """Tell whether a variable's value is fixed."""
    return isinstance(var, Constant)
