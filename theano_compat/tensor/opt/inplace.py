"""Letting elementwise operations write their result over an input that nobody needs any more.

Whether that is allowed is a question of order: all others who read the input, or a view of it, must be able to run before. The
pass keeps one valid order of the graph and moves nodes within it as operations are put in place (the dynamic topological order of
Pearce and Kelly), so that a decision costs as much as the part of the order that it disturbs, not the whole graph.
"""

from __future__ import annotations

import copy
import time

from theano_compat import scalar as scal
from theano_compat.compile.mode import optdb
from theano_compat.gof import Constant, InconsistencyError
from theano_compat.gof.opt import Optimizer
from theano_compat.gof.opt.base import attach_destroy_handler, require_replace_validate
from theano_compat.gof.opt.profile import PassProfile
from theano_compat.tensor.elemwise import Elemwise

#: Nodes through which paths are known in advance.
_LANDMARKS = 128


class _Order:
    """A topological order that takes further constraints one at a time.

    Most constraints that are impossible are so because of a long path: what the backward pass reads late cannot be overwritten early. Some nodes,
    spread over the order, are landmarks: which of them a node leads to and which of them lead to it is one bit each, and a path through any of
    them is found without a search. Constraints and renamed nodes leave these paths as they are.
    """

    def __init__(self, fgraph):
        self.fgraph = fgraph
        nodes = fgraph.toposort()
        self.position = {node: i for i, node in enumerate(nodes)}
        # Constraints from in-place operations, beyond those of the data.
        self.after, self.before = {}, {}
        for node, earlier in fgraph.orderings().items():
            for other in earlier:
                self._add(other, node)
        landmarks = {node: 1 << k for k, node in enumerate(nodes[:: max(1, len(nodes) // _LANDMARKS)])}
        self.leads_to = self._paths(reversed(nodes), self.successors, landmarks)
        self.comes_from = self._paths(nodes, self.predecessors, landmarks)

    @staticmethod
    def _paths(nodes, neighbours, landmarks):
        """Return the landmarks that are reached from each node, itself among them; `nodes` come after their neighbours."""
        reached = {}
        for node in nodes:
            bits = landmarks.get(node, 0)
            for other in neighbours(node):
                bits |= reached[other]
            reached[node] = bits
        return reached

    def _add(self, first, second):
        self.after.setdefault(first, []).append(second)
        self.before.setdefault(second, []).append(first)

    def successors(self, node):
        """Return the nodes that must come after a node."""
        found = [client for output in node.outputs for client, _ in output.clients if client != "output"]
        return found + self.after.get(node, [])

    def predecessors(self, node):
        """Return the nodes that must come before a node."""
        return [v.owner for v in node.inputs if v.owner is not None] + self.before.get(node, [])

    def require(self, firsts, second):
        """Demand that nodes come before another; return whether that is possible."""
        position = self.position
        for first in firsts:
            if position[first] < position[second]:
                continue
            if not self._move(first, second):
                return False
        for first in firsts:
            self._add(first, second)
        return True

    def _move(self, first, second):
        """Reorder so that `first` comes before `second`; False if `first` depends on `second`."""
        if self.leads_to[second] & self.comes_from[first]:
            return False
        position = self.position
        low, high = position[second], position[first]
        forward = self._reach(second, self.successors, lambda n: position[n] <= high)
        if first in forward:
            return False
        backward = self._reach(first, self.predecessors, lambda n: position[n] >= low)
        moved = sorted(backward, key=position.__getitem__) + sorted(forward, key=position.__getitem__)
        for node, place in zip(moved, sorted(position[n] for n in moved)):
            position[node] = place
        return True

    @staticmethod
    def _reach(start, neighbours, within):
        seen, stack = {start}, [start]
        while stack:
            for node in neighbours(stack.pop()):
                if node not in seen and within(node):
                    seen.add(node)
                    stack.append(node)
        return seen

    def rename(self, old, new):
        """Let a node take the place of another."""
        for known in (self.position, self.leads_to, self.comes_from):
            known[new] = known.pop(old)
        for table, reverse in ((self.after, self.before), (self.before, self.after)):
            others = table.pop(old, None)
            if others:
                table[new] = others
                for other in others:
                    reverse[other] = [new if n is old else n for n in reverse.get(other, ())]


class _Memory:
    """Which variables share memory through views, and what is known about each such family."""

    def __init__(self, fgraph, protected):
        self.fgraph = fgraph
        self.protected = protected
        self.outputs = set(fgraph.outputs)
        # root -> the node that overwrites it
        self.destroyer = {}
        for node in fgraph.apply_nodes:
            for positions in (getattr(node.op, "destroy_map", None) or {}).values():
                for i in positions:
                    self.destroyer[self.root(node.inputs[i])] = node

    @staticmethod
    def root(variable):
        """Return the variable that a view is, in the end, a view of."""
        while variable.owner is not None:
            views = (getattr(variable.owner.op, "view_map", None) or {}).get(variable.owner.outputs.index(variable))
            if not views:
                break
            variable = variable.owner.inputs[views[0]]
        return variable

    @staticmethod
    def family(root):
        """Return a variable and all views of it."""
        found, stack = [], [root]
        while stack:
            variable = stack.pop()
            found.append(variable)
            for client, i in variable.clients:
                if client == "output":
                    continue
                for o, views in (getattr(client.op, "view_map", None) or {}).items():
                    if i in views:
                        stack.append(client.outputs[o])
        return found

    def readers(self, variable, node):
        """Return the nodes that must run before `node` may overwrite a variable; None if it may not."""
        root = self.root(variable)
        if isinstance(root, Constant) or root in self.destroyer or root in self.protected:
            return None
        if any(other is not variable and self.root(other) is root for other in node.inputs):
            return None
        if sum(other is variable for other in node.inputs) > 1:
            return None
        readers = {}
        for member in self.family(root):
            if member in self.outputs or member in self.protected:
                return None
            for client, _ in member.clients:
                if client != "output" and client is not node:
                    readers[client] = None
        # A view on the way to the variable itself is made before the node anyway.
        return list(readers)


def _inplace_scalar_op(op, node, pattern):
    """Return a scalar op whose result has the dtype of the input that it overwrites."""
    make = getattr(op, "make_new_inplace", None)
    if make is not None:
        return make(scal.transfer_type(*[pattern.get(i, o.type.dtype) for i, o in enumerate(node.outputs)]))
    changed = copy.copy(op)
    changed.output_types_preference = scal.transfer_type(*[pattern.get(i) for i in range(len(node.outputs))])
    changed.name = None
    for attribute in ("_hash", "_cached_hash"):
        changed.__dict__.pop(attribute, None)
    return changed


class InplaceElemwiseOptimizer(Optimizer):
    """Put elementwise operations in place wherever that is allowed.

    Parameters
    ----------
    OP : class
        The elementwise op, of the CPU or of the GPU.
    """

    def __init__(self, OP):
        self.op = OP

    def add_requirements(self, fgraph):
        require_replace_validate(fgraph)
        attach_destroy_handler(fgraph)

    def apply(self, fgraph):
        profile = PassProfile(self, nodes_before=len(fgraph.apply_nodes))
        begin = time.perf_counter()
        checkpoint = fgraph.checkpoint()
        changed = self._run(fgraph, validate_each=False)
        try:
            fgraph.validate()
        except InconsistencyError:
            # Some feature knows more than this pass: ask it each time.
            fgraph.revert(checkpoint)
            changed = self._run(fgraph, validate_each=True)
        profile.counters["put in place"] = changed
        profile.seconds, profile.nodes_after = time.perf_counter() - begin, len(fgraph.apply_nodes)
        return profile

    def _run(self, fgraph, validate_each):
        from theano_compat.compile.function_module import Supervisor

        protected = {v for f in fgraph._features if isinstance(f, Supervisor) for v in f.protected}
        protected.update(fgraph.outputs)
        order, memory = _Order(fgraph), _Memory(fgraph, protected)
        changed = 0
        for node in sorted(order.position, key=order.position.__getitem__):
            if type(node.op) is self.op:
                changed += self._put_in_place(fgraph, node, order, memory, validate_each)
        return changed

    def _put_in_place(self, fgraph, node, order, memory, validate_each):
        changed = 0
        for o in range(len(node.outputs)):
            if o in node.op.inplace_pattern:
                continue
            for i in self._candidates(fgraph, node, o):
                readers = memory.readers(node.inputs[i], node)
                if readers is None or not order.require(readers, node):
                    continue
                fresh = self._replaced(fgraph, node, {**node.op.inplace_pattern, o: i}, validate_each)
                if fresh is None:
                    continue
                memory.destroyer[memory.root(node.inputs[i])] = fresh
                order.rename(node, fresh)
                node, changed = fresh, changed + 1
                break
        return changed

    def _candidates(self, fgraph, node, o):
        """Return the inputs to try for an output; one that the output is the new value of comes first."""
        out = node.outputs[o]
        used = set(node.op.inplace_pattern.values())
        found = [i for i, v in enumerate(node.inputs) if i not in used and v.type == out.type]
        updates = getattr(fgraph, "update_mapping", None)
        if updates and out in fgraph.outputs:
            targets = {fgraph.inputs[updates[n]] for n, v in enumerate(fgraph.outputs) if v is out and n in updates}
            found.sort(key=lambda i: node.inputs[i] not in targets)
        return found

    def _replaced(self, fgraph, node, pattern, validate_each):
        """Put the in-place version of a node into the graph and return it; None if that was refused."""
        op = self._make_op(node, pattern)
        outputs = op(*node.inputs, return_list=True)
        for old, new in zip(node.outputs, outputs):
            new.tag.__dict__.update({k: v for k, v in old.tag.__dict__.items() if k not in new.tag.__dict__ or k == "trace"})
            new.name = old.name
        pairs = list(zip(node.outputs, outputs))
        if not validate_each:
            for old, new in pairs:
                fgraph.replace(old, new, reason="inplace_elemwise_optimizer")
            return outputs[0].owner
        try:
            fgraph.replace_all_validate(pairs, reason="inplace_elemwise_optimizer")
        except InconsistencyError:
            return None
        return outputs[0].owner

    def _make_op(self, node, pattern):
        return self.op(_inplace_scalar_op(node.op.scalar_op, node, pattern), dict(pattern))

    def print_summary(self, stream=None, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__} ({self.op})", file=stream)


inplace_elemwise_optimizer = InplaceElemwiseOptimizer(Elemwise)
optdb.register(
    "inplace_elemwise_opt",
    inplace_elemwise_optimizer,
    75,
    "inplace_opt",  # an older name
    "inplace_elemwise_optimizer",
    "fast_run",
    "inplace",
)
