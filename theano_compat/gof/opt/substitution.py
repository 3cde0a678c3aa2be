"""Local rewrites that are data: one op for another, an op removed, a pattern for a pattern."""

from __future__ import annotations

import copy
import pdb
import sys

import numpy as np

from theano_compat.gof.graph import Constant
from theano_compat.gof.opt.local import LocalOptimizer
from theano_compat.gof.opt.trace import copy_stack_trace


class OpSub(LocalOptimizer):
    """Replace an op by another on the same inputs.

    Parameters
    ----------
    op1, op2 : Op
        ``op2.make_node`` must take the inputs of ``op1``.
    transfer_tags : bool
        Whether the tags of node and outputs are carried over.
    """

    # Its product never matches itself, so walks need not look at new nodes.
    reentrant = False
    retains_inputs = True

    def __init__(self, op1, op2, transfer_tags=True):
        self.op1, self.op2, self.transfer_tags = op1, op2, transfer_tags

    def op_key(self):
        """Return the op that it looks for."""
        return self.op1

    def tracks(self):
        return [self.op1]

    def transform(self, node):
        if not node.op == self.op1:
            return False
        new = self.op2.make_node(*node.inputs)
        if self.transfer_tags:
            new.tag = copy.copy(node.tag)
            for old_output, new_output in zip(node.outputs, new.outputs):
                new_output.tag = copy.copy(old_output.tag)
        return new.outputs

    def __str__(self):
        return f"{self.op1} -> {self.op2}"


class OpRemove(LocalOptimizer):
    """Remove an op that gives its inputs back as its outputs.

    Parameters
    ----------
    op : Op
        Has as many outputs as inputs.
    """

    reentrant = False

    def __init__(self, op):
        self.op = op

    def op_key(self):
        """Return the op that it looks for."""
        return self.op

    def tracks(self):
        return [self.op]

    def transform(self, node):
        return list(node.inputs) if node.op == self.op else False

    def __str__(self):
        return f"{self.op}(x) -> x"

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__}(op={self.op}) id={id(self)}", file=stream)


class PatternSub(LocalOptimizer):
    """Replace whatever matches a pattern by what another pattern builds.

    Parameters
    ----------
    in_pattern : tuple or dict
        ``(op, part, part, ...)``. A part is such a tuple again, a string (a name: matches anything, and the same thing each
        time), a number or a `Constant` (matches a constant of that value), or
        ``{'pattern': part, 'constraint': function of the variable}``.
    out_pattern : tuple, str or number
        Built with the names bound by the match.
    allow_multiple_clients : bool
        Whether inner matched results may be used elsewhere too (the work is then done twice).
    skip_identities_fn : callable, optional
        Given a variable that does not match, returns one to try instead, or None.
    name : str, optional
    pdb : bool
        Start the debugger where a match fails.
    tracks : sequence, optional
        Ops to be tried on instead of the pattern's first op, together with
        `get_nodes`: ``get_nodes(node)`` gives the nodes with the pattern's first op to match.
    values_eq_approx : callable, optional
        How DebugMode compares results with the new output.
    """

    def __init__(
        self, in_pattern, out_pattern, allow_multiple_clients=False, skip_identities_fn=None, name=None, pdb=False,
        tracks=(), get_nodes=None, values_eq_approx=None,
    ):  # fmt: skip
        self.in_pattern, self.out_pattern = in_pattern, out_pattern
        self.values_eq_approx = values_eq_approx
        head = in_pattern["pattern"] if isinstance(in_pattern, dict) else in_pattern
        if not isinstance(head, (list, tuple)):
            raise TypeError("The pattern to search for must start with a specific Op instance.")
        self.op = head[0]
        if name:
            self.__name__ = name
        self.pdb, self.get_nodes, self._tracks = pdb, get_nodes, list(tracks)
        self.allow_multiple_clients, self.skip_identities_fn = allow_multiple_clients, skip_identities_fn
        if self._tracks and get_nodes is None:
            raise ValueError("PatternSub: tracks needs get_nodes as well.")
        self.__doc__ = f"{type(self).__name__}: {self}"

    def op_key(self):
        """Return the op that it looks for."""
        return self.op

    def tracks(self):
        return self._tracks or [self.op]

    def transform(self, node, get_nodes=True):
        if get_nodes and self.get_nodes is not None:
            for real_node in self.get_nodes(node):
                if real_node == "output":
                    continue
                found = self.transform(real_node, get_nodes=False)
                if found:
                    return dict(zip(real_node.outputs, found))
        if node.op != self.op or len(node.outputs) != 1:
            return False
        bound = {}
        if not self._match(self.in_pattern, node.outputs[0], bound, any_clients=True):
            if self.pdb:
                pdb.set_trace()
            return False
        new = self._build(self.out_pattern, bound)
        if isinstance(new, (int, float)):
            new = _as_constant(new, node.outputs[0].type)
        if new.type != node.outputs[0].type:
            return False
        if self.values_eq_approx:
            new.tag.values_eq_approx = self.values_eq_approx
        if new.owner is not None:
            copy_stack_trace(node.outputs[0], new)
        return [new]

    def _match(self, pattern, variable, bound, any_clients):
        """Match iteratively, filling `bound`; return whether all parts fit."""
        work = [(pattern, variable, any_clients)]
        while work:
            part, variable, any_clients = work.pop()
            if isinstance(part, dict):
                constraint = part.get("constraint")
                if constraint is not None and not constraint(variable):
                    return False
                work.append((part["pattern"], variable, part.get("allow_multiple_clients", any_clients)))
            elif isinstance(part, (list, tuple)):
                owner = variable.owner
                fits = (
                    owner is not None
                    and owner.op == part[0]
                    and len(owner.inputs) == len(part) - 1
                    and (any_clients or len(getattr(variable, "clients", ())) <= 1)
                )
                if fits:
                    pairs = [(p, v, self.allow_multiple_clients) for p, v in zip(part[1:], owner.inputs)]
                    # What is popped first decides cheaply: an op that does not fit. Constraints come last.
                    work.extend(pair for pair in pairs if isinstance(pair[0], dict))
                    work.extend(pair for pair in reversed(pairs) if not isinstance(pair[0], (dict, list, tuple)))
                    work.extend(pair for pair in reversed(pairs) if isinstance(pair[0], (list, tuple)))
                    continue
                other = self.skip_identities_fn(variable) if self.skip_identities_fn else None
                if other is None or other is False:
                    return False
                work.append((part, other, any_clients))
            elif isinstance(part, str):
                if bound.setdefault(part, variable) is not variable:
                    return False
            elif isinstance(part, Constant):
                if not (isinstance(variable, Constant) and part.equals(variable)):
                    return False
            elif isinstance(part, (int, float, np.number)):
                if not (isinstance(variable, Constant) and np.all(variable.data == part)):
                    return False
            else:
                raise TypeError(f"PatternSub does not know what to do with {part!r} in a pattern.")
        return True

    def _build(self, pattern, bound):
        if isinstance(pattern, (list, tuple)):
            return pattern[0](*[self._build(part, bound) for part in pattern[1:]])
        if isinstance(pattern, str):
            return bound[pattern]
        if isinstance(pattern, (int, float)):
            return pattern
        return pattern.clone()

    def __str__(self):
        name = getattr(self, "__name__", None)
        return name or f"{_pattern_text(self.in_pattern)} -> {_pattern_text(self.out_pattern)}"

    def __repr__(self):
        return str(self)

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        name = getattr(self, "__name__", getattr(self, "name", None))
        print(
            f"{' ' * level}{type(self).__name__} {name}({_pattern_text(self.in_pattern)}, "
            f"{_pattern_text(self.out_pattern)}) id={id(self)}",
            file=stream,
        )


def _as_constant(value, type_):
    """Return a number as a constant of a type."""
    data = np.asarray(value, dtype=getattr(type_, "dtype", None))
    return type_.make_constant(data) if hasattr(type_, "make_constant") else Constant(type_, data)


def _pattern_text(pattern):
    """Return a pattern as the user would write the expression."""
    if isinstance(pattern, (list, tuple)):
        return f"{pattern[0]}({', '.join(_pattern_text(part) for part in pattern[1:])})"
    if isinstance(pattern, dict):
        return f"{_pattern_text(pattern['pattern'])} subject to {pattern.get('constraint', 'no conditions')}"
    return str(pattern)
