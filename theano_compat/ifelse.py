"""A lazy condition: of two branches only the one that is needed is computed.

Unlike :func:`theano_compat.tensor.switch`, which computes both of its branches and chooses element
by element, :func:`ifelse` takes a scalar condition and whole variables (or lists of them). Laziness
needs a virtual-machine linker (``vm``, ``cvm``, the default); others compute both branches.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from theano_compat import config, tensor
from theano_compat.compile import Rebroadcast, Shape, SpecifyShape, optdb
from theano_compat.gof import Apply, Op, Variable
from theano_compat.gof.opt import Optimizer, copy_stack_trace, in2out, local_optimizer
from theano_compat.gof.toolbox import ReplaceValidate
from theano_compat.gradient import DisconnectedType

__all__ = [
    "CondMerge",
    "IfElse",
    "acceptable_ops",
    "cond_make_inplace",
    "cond_merge_ifs_false",
    "cond_merge_ifs_true",
    "cond_merge_random_op",
    "cond_remove_identical",
    "ifelse",
    "ifelse_lift_single_if_through_acceptable_ops",
    "optdb",
]


class IfElse(Op):
    """Choose one of two groups of variables by a scalar, without computing the other.

    Parameters
    ----------
    n_outs
        Number of variables in each group.
    as_view
        Pass the chosen values on instead of copying them.
    gpu
        The variables are on a GPU.
    name
        Shown in printed graphs.

    Notes
    -----
    Inputs are the condition, the variables of the "then" group, those of the "else" group.
    """

    def __init__(self, n_outs, as_view=False, gpu=False, name=None):
        if as_view:
            self.view_map = {k: [k + 1] for k in range(n_outs)}
        self.as_view = as_view
        self.gpu = gpu
        self.n_outs = n_outs
        self.name = name

    def __eq__(self, other):
        return (
            type(self) is type(other)
            and self.as_view == other.as_view
            and self.gpu == other.gpu
            and self.n_outs == other.n_outs
        )

    def __hash__(self):
        return hash((type(self), self.as_view, self.gpu, self.n_outs))

    def __str__(self):
        words = [] if self.name is None else [self.name]
        words += ["inplace"] if self.as_view else []
        words += ["gpu"] if self.gpu else []
        return f"if{{{','.join(words)}}}"

    def _branches(self, inputs) -> tuple[list, list]:
        n = self.n_outs
        return list(inputs[1 : n + 1]), list(inputs[n + 1 :])

    def make_node(self, c, *args):
        if len(args) != 2 * self.n_outs:
            raise AssertionError(
                "Wrong number of arguments to make_node: "
                f"expected {2 * self.n_outs}, got {len(args)}"
            )
        c = tensor.as_tensor_variable(c)
        if not self.gpu:
            args = [
                arg._as_TensorVariable()
                if hasattr(arg, "_as_TensorVariable")
                else arg
                if isinstance(arg, Variable)
                else tensor.as_tensor_variable(arg)
                for arg in args
            ]
        then, otherwise = args[: self.n_outs], args[self.n_outs :]
        for t, f in zip(then, otherwise):
            if t.type != f.type:
                raise TypeError(
                    "IfElse requires same types for true and false return values",
                    t,
                    f,
                    t.type,
                    f.type,
                )
        if c.ndim > 0:
            raise TypeError(
                "Condition given to the op has to be a scalar with 0 standing for False,"
                " anything else for True"
            )
        return Apply(self, [c, *args], [t.type() for t in then])

    def perform(self, node, inputs, output_storage):
        then, otherwise = self._branches(inputs)
        for storage, value in zip(output_storage, then if inputs[0] != 0 else otherwise):
            storage[0] = value if self.as_view else _copy_of(value)

    def make_thunk(self, node, storage_map, compute_map, no_recycling, impl=None):
        condition = node.inputs[0]
        n = self.n_outs
        groups = {}
        for truth, first in ((True, 1), (False, n + 1)):
            groups[truth] = [
                (first + k, compute_map[var], storage_map[var], compute_map[out], storage_map[out])
                for k, (var, out) in enumerate(
                    zip(node.inputs[first : first + n], node.outputs)
                )
            ]
        condition_ready, condition_value = compute_map[condition], storage_map[condition]
        as_view = self.as_view

        def thunk():
            if not condition_ready[0]:
                return [0]
            group = groups[bool(condition_value[0] != 0)]
            missing = [position for position, ready, *_ in group if not ready[0]]
            if missing:
                return missing
            for _, _, value, done, storage in group:
                done[0] = 1
                storage[0] = value[0] if as_view else _copy_of(value[0])
            return []

        thunk.inputs, thunk.outputs = (
            [storage_map[v] for v in group] for group in (node.inputs, node.outputs)
        )
        thunk.lazy = True
        return thunk

    def infer_shape(self, node, inputs_shapes):
        then, otherwise = self._branches(inputs_shapes)
        flat_then = [extent for shape in then if shape is not None for extent in shape]
        flat_else = [extent for shape in otherwise if shape is not None for extent in shape]
        if any(shape is None for shape in then + otherwise) and not flat_then:
            return [None] * self.n_outs
        if not flat_then:
            return [() for _ in then]
        chosen = IfElse(n_outs=len(flat_then), gpu=False, name="shape")(
            node.inputs[0],
            *(tensor.cast(tensor.as_tensor_variable(e), "int64") for e in flat_then + flat_else),
            return_list=True,
        )
        chosen = iter(chosen)
        return [
            None if shape is None else tuple(next(chosen) for _ in shape) for shape in then
        ]

    def R_op(self, inputs, eval_points):
        then, otherwise = self._branches(inputs)
        d_then, d_else = self._branches(eval_points)
        kept = [k for k in range(self.n_outs) if not (d_then[k] is None and d_else[k] is None)]
        result: list = [None] * self.n_outs
        if not kept:
            return result
        parts = [
            tensor.zeros_like(value[k]) if given[k] is None else given[k]
            for value, given in ((then, d_then), (otherwise, d_else))
            for k in kept
        ]
        op = IfElse(len(kept), as_view=self.as_view, gpu=self.gpu, name=self.name)
        for k, out in zip(kept, op(inputs[0], *parts, return_list=True)):
            result[k] = out
        return result

    def connection_pattern(self, node):
        n = self.n_outs
        pattern = [[True] * n]
        for _ in range(2):
            pattern += [[k == j for j in range(n)] for k in range(n)]
        return pattern

    def grad(self, ins, grads):
        condition = ins[0]
        groups = self._branches(ins)
        live = [k for k, g in enumerate(grads) if not isinstance(g.type, DisconnectedType)]
        results = []
        for truth, (group, suffix) in enumerate(zip(groups, ("_grad_t", "_grad_f"))):
            terms: list = [DisconnectedType()() for _ in group]
            if live:
                zeros = [tensor.zeros_like(group[k], dtype=grads[k].dtype) for k in live]
                flowing = [grads[k] for k in live]
                name = None if self.name is None else self.name + suffix
                op = IfElse(len(live), as_view=self.as_view, gpu=self.gpu, name=name)
                both = flowing + zeros if truth == 0 else zeros + flowing
                for k, term in zip(live, op(condition, *both, return_list=True)):
                    terms[k] = term
            results += terms
        # The output changes only where the condition crosses zero: its gradient is zero elsewhere.
        return [condition.zeros_like().astype(config.floatX), *results]


def _copy_of(value):
    return value.copy() if type(value) in (np.ndarray, np.memmap) else deepcopy(value)


def ifelse(condition, then_branch, else_branch, name=None):
    """Compute `then_branch` if `condition` is not zero, else `else_branch`; only one of them.

    Parameters
    ----------
    condition : 0-d tensor variable
    then_branch, else_branch
        A variable, or a list or tuple of as many variables of the same types in each.
    name
        Shown in printed graphs.

    Returns
    -------
    variable, list or tuple
        As the branches came.

    Raises
    ------
    TypeError
        A variable has another type than its counterpart.
    ValueError
        The branches have different lengths.

    Examples
    --------
    >>> import theano_compat.tensor as T
    >>> x, y = T.scalars("xy")
    >>> ifelse(T.lt(x, y), x + y, x - y).eval({x: 1.0, y: 2.0}).item()
    3.0
    """
    container = type(then_branch) if isinstance(then_branch, (list, tuple)) else None
    then = list(then_branch) if isinstance(then_branch, (list, tuple)) else [then_branch]
    otherwise = list(else_branch) if isinstance(else_branch, (list, tuple)) else [else_branch]
    if len(then) != len(otherwise):
        raise ValueError(
            "The number of values on the `then` branch should have the same number of variables"
            f" as the `else` branch : (variables on `then` {len(then)}, "
            f"variables on `else` {len(otherwise)})"
        )
    pairs = [_as_one_type(t, f) for t, f in zip(then, otherwise)]
    op = IfElse(n_outs=len(pairs), as_view=False, gpu=False, name=name)
    inputs = [condition, *(t for t, _ in pairs), *(f for _, f in pairs)]
    results = op(*inputs, return_list=True)
    return results[0] if container is None else container(results)


def _as_one_type(then, otherwise) -> tuple:
    """Make variables of a pair of values, and bring one to the type of the other if that is safe."""
    if not isinstance(then, Variable):
        then = tensor.as_tensor_variable(then)
    if not isinstance(otherwise, Variable):
        otherwise = tensor.as_tensor_variable(otherwise)
    if then.type != otherwise.type:
        for first in (True, False):
            here, there = (then, otherwise) if first else (otherwise, then)
            try:
                converted = here.type.filter_variable(there, allow_convert=True)
            except (TypeError, NotImplementedError):
                continue
            then, otherwise = (here, converted) if first else (converted, here)
            break
    if then.type != otherwise.type:
        raise TypeError(
            f"The two branches should have identical types, but they are {then.type} and"
            f" {otherwise.type} respectively. This error could be raised if for example you"
            " provided a one element list on the `then` branch but a tensor on the `else` branch."
        )
    return then, otherwise


# -- rewrites --------------------------------------------------------------------------------------


def _only_read(variable) -> bool:
    """Tell whether nobody destroys, views or returns a variable."""
    for client, position in variable.clients:
        if client == "output":
            return False
        for mapping in ("destroy_map", "view_map"):
            if any(position in used for used in (getattr(client.op, mapping, None) or {}).values()):
                return False
    return True


def _is_outside(variable) -> bool:
    """Tell whether a variable is, or views, an input or a constant of the graph."""
    while variable.owner is not None:
        views = (getattr(variable.owner.op, "view_map", None) or {}).get(
            variable.owner.outputs.index(variable)
        )
        if not views:
            return False
        variable = variable.owner.inputs[views[0]]
    return True


def _may_share(node, k: int) -> bool:
    """Tell whether output `k` of a condition may share memory with both of its branches.

    A view map has room for the "then" branch only; the other one is checked here.
    """
    n = node.op.n_outs
    out, then, otherwise = node.outputs[k], node.inputs[k + 1], node.inputs[k + 1 + n]
    if _only_read(out):
        return True
    if not _is_outside(otherwise) and len(otherwise.clients) == 1:
        views = getattr(otherwise.owner.op, "view_map", None) or {}
        if otherwise.owner.outputs.index(otherwise) not in views:
            return True
    returned = [client == "output" for client, _ in out.clients]
    return all(returned) and _is_outside(then)


@local_optimizer([IfElse], inplace=True)
def cond_make_inplace(node):
    """Pass the chosen values on instead of copying them, where nobody could notice."""
    op = node.op
    if not isinstance(op, IfElse) or op.as_view:
        return False
    if not all(_may_share(node, k) for k in range(op.n_outs)):
        return False
    view = IfElse(n_outs=op.n_outs, as_view=True, gpu=op.gpu, name=op.name)
    results = view(*node.inputs, return_list=True)
    copy_stack_trace(node.outputs, results)
    return results


optdb.register(
    "cond_make_inplace",
    in2out(cond_make_inplace, ignore_newtrees=True),
    95,
    "fast_run",
    "inplace",
)

# The rewrites below are offered by name and are not part of any mode: they can make a graph less
# lazy than it was written.

acceptable_ops = (
    tensor.Dot,
    tensor.Reshape,
    Shape,
    SpecifyShape,
    tensor.MaxAndArgmax,
    tensor.Subtensor,
    tensor.IncSubtensor,
    Rebroadcast,
    tensor.Alloc,
    tensor.Elemwise,
    tensor.DimShuffle,
)


@local_optimizer(acceptable_ops)
def ifelse_lift_single_if_through_acceptable_ops(main_node):
    """Move an op with one conditional input into both branches of the condition."""
    if not isinstance(main_node.op, acceptable_ops):
        return False
    conditions = {
        inp.owner for inp in main_node.inputs if inp.owner and isinstance(inp.owner.op, IfElse)
    }
    if len(conditions) != 1:
        return False
    (condition,) = conditions
    if any(
        client == "output" or client is not main_node
        for out in condition.outputs
        for client, _ in out.clients
    ):
        return False
    branches = []
    for group in condition.op._branches(condition.inputs):
        chosen = dict(zip(condition.outputs, group))
        inputs = [chosen.get(inp, inp) for inp in main_node.inputs]
        branches.append(main_node.op(*inputs, return_list=True))
    lifted = IfElse(len(main_node.outputs), name=condition.op.name)
    results = lifted(condition.inputs[0], *branches[0], *branches[1], return_list=True)
    copy_stack_trace(main_node.outputs, results)
    return results


def _merge_nested(node, group: int):
    """Let a condition look through conditions on the same variable in one of its branches."""
    if not isinstance(node.op, IfElse):
        return False
    n = node.op.n_outs
    replaced = {}
    for k in range(n):
        inner = node.inputs[1 + group * n + k].owner
        if inner and isinstance(inner.op, IfElse) and inner.inputs[0] is node.inputs[0]:
            where = inner.outputs.index(node.inputs[1 + group * n + k])
            replaced[1 + group * n + k] = inner.inputs[1 + group * inner.op.n_outs + where]
    if not replaced:
        return False
    inputs = [replaced.get(k, inp) for k, inp in enumerate(node.inputs)]
    results = node.op(*inputs, return_list=True)
    copy_stack_trace(node.outputs, results)
    return results


@local_optimizer([IfElse])
def cond_merge_ifs_true(node):
    """Look through conditions on the same variable in the "then" branch."""
    return _merge_nested(node, 0)


@local_optimizer([IfElse])
def cond_merge_ifs_false(node):
    """Look through conditions on the same variable in the "else" branch."""
    return _merge_nested(node, 1)


@local_optimizer([IfElse])
def cond_remove_identical(node):
    """Drop outputs that have the same pair of branches as an earlier output."""
    op = node.op
    if not isinstance(op, IfElse):
        return False
    then, otherwise = op._branches(node.inputs)
    first: dict = {}
    source = [first.setdefault(pair, k) for k, pair in enumerate(zip(then, otherwise))]
    kept = sorted(set(source))
    if len(kept) == op.n_outs:
        return False
    smaller = IfElse(len(kept), as_view=op.as_view, gpu=op.gpu, name=op.name)
    results = smaller(
        node.inputs[0],
        *(then[k] for k in kept),
        *(otherwise[k] for k in kept),
        return_list=True,
    )
    results = [results[kept.index(k)] for k in source]
    copy_stack_trace(node.outputs, results)
    return results


def _joined(first, second):
    """Build one condition that gives the outputs of two with the same test."""
    a_then, a_else = first.op._branches(first.inputs)
    b_then, b_else = second.op._branches(second.inputs)
    names = [op.name or "?" for op in (first.op, second.op)]
    joined = IfElse(
        first.op.n_outs + second.op.n_outs,
        as_view=False,
        gpu=False,
        name=None if names == ["?", "?"] else "&".join(names),
    )
    return joined(
        first.inputs[0], *a_then, *b_then, *a_else, *b_else, return_list=True
    )


def _depends_on(node, other) -> bool:
    """Tell whether a node needs, directly or not, an output of another."""
    seen = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if current is other:
            return True
        if current in seen:
            continue
        seen.add(current)
        pending.extend(inp.owner for inp in current.inputs if inp.owner is not None)
    return False


class CondMerge(Optimizer):
    """Join conditions that follow each other in the order of the graph and test the same variable."""

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph):
        conditions = [node for node in fgraph.toposort() if isinstance(node.op, IfElse)]
        for before, after in zip(conditions[::-1][1:], conditions[::-1]):
            if before.inputs[0] is not after.inputs[0] or _depends_on(after, before):
                continue
            pairs = list(zip(before.outputs + after.outputs, _joined(before, after)))
            fgraph.replace_all_validate(pairs, reason="cond_merge")


@local_optimizer([tensor.Elemwise, tensor.DimShuffle, tensor.Subtensor])
def cond_merge_random_op(main_node):
    """Join two conditions on the same variable that feed one op."""
    if isinstance(main_node.op, IfElse):
        return False
    conditions = list(
        dict.fromkeys(
            inp.owner for inp in main_node.inputs if inp.owner and isinstance(inp.owner.op, IfElse)
        )
    )
    for k, first in enumerate(conditions):
        for second in conditions[k + 1 :]:
            if first.inputs[0] is not second.inputs[0]:
                continue
            if _depends_on(first, second) or _depends_on(second, first):
                continue
            replacement = dict(zip(first.outputs + second.outputs, _joined(first, second)))
            results = main_node.op(
                *(replacement.get(inp, inp) for inp in main_node.inputs), return_list=True
            )
            copy_stack_trace(main_node.outputs, results)
            return results
    return False
