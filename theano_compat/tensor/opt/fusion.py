"""Fusing elementwise operations: one loop for a whole group of them.

A group is grown from a consumer towards its inputs. An elementwise operation joins the group when all who use its result are in the
group already and it has the group's broadcast pattern, so that nothing is computed twice. Each operation is looked at a constant
number of times, whatever the size of the group.
"""

from __future__ import annotations

import time

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.compile.mode import optdb
from theano_compat.gof import SequenceDB
from theano_compat.gof.graph import io_toposort
from theano_compat.gof.opt import Optimizer, copy_stack_trace
from theano_compat.gof.opt.base import require_replace_validate
from theano_compat.gof.opt.profile import PassProfile
from theano_compat.gof.utils import MethodNotDefined
from theano_compat.tensor.elemwise import Elemwise


def elemwise_max_input_fct(node):
    """Return how many inputs a fused operation may have."""
    return 1024


def _has_code(op, in_dtypes, out_dtype):
    """Whether a scalar op can be computed in generated code for these dtypes."""
    if isinstance(op, scal.Composite):
        # Fused before, so its parts have been asked.
        return True
    names = [f"x{i}" for i in range(len(in_dtypes))]
    expression = getattr(op, "c_expr", None)
    if expression is not None:
        try:
            expression(names, list(in_dtypes), out_dtype)
            return True
        except (MethodNotDefined, NotImplementedError):
            pass
        except Exception:
            return False
    try:
        variables = [scal.get_scalar_type(dtype)() for dtype in in_dtypes]
        node = op.make_node(*variables)
        op.c_code(node, "test_presence_of_c_code", names, ["z0"], {"fail": "{;}"})
        return True
    except Exception:
        return False


class _CodeTable:
    """Remembers which scalar ops have code."""

    def __init__(self):
        self._known = {}

    def __call__(self, op, in_dtypes, out_dtype):
        try:
            key = (op, in_dtypes, out_dtype)
            known = self._known.get(key)
        except TypeError:
            return _has_code(op, in_dtypes, out_dtype)
        if known is None:
            if len(self._known) > 4096:
                self._known.clear()
            known = self._known[key] = _has_code(op, in_dtypes, out_dtype)
        return known


_has_code_cached = _CodeTable()


def _fusable(node, op_class):
    """Whether a node may be part of a fused operation at all."""
    return (
        type(node.op) is op_class
        and len(node.outputs) == 1
        and not node.op.inplace_pattern
        and _has_code_cached(
            node.op.scalar_op, tuple(v.type.dtype for v in node.inputs), node.outputs[0].type.dtype
        )
    )


def _grow(root, op_class, max_inputs):
    """Return the set of nodes of the group that ends in `root`."""
    pattern = root.outputs[0].type.broadcastable
    group = {root}
    n_inputs = len(set(root.inputs))
    frontier = list(root.inputs)
    while frontier:
        variable = frontier.pop()
        node = variable.owner
        if node is None or node in group or type(node.op) is not op_class:
            continue
        if variable.type.broadcastable != pattern or not all(client in group for client, _ in variable.clients):
            # It may still join when the last of its clients does: that client will put it here again.
            continue
        if not _fusable(node, op_class):
            continue
        if n_inputs + len(node.inputs) - 1 > max_inputs:
            continue
        n_inputs += len(node.inputs) - 1
        group.add(node)
        frontier.extend(node.inputs)
    return group


def _scalar_graph(root, group):
    """Build the fused scalar expression of a group.

    Returns
    -------
    inputs : list of tensor Variable
        What the group reads, in the order of their first use from left to right.
    scalars : list of scalar Variable
        The scalar that stands for each.
    output : scalar Variable
    """
    inputs, scalars, scalar_of = [], [], {}
    # Depth first, from left to right, without recursion.
    stack = [(root.outputs[0], False)]
    while stack:
        variable, ready = stack.pop()
        if variable in scalar_of:
            continue
        node = variable.owner
        if node is None or node not in group:
            stand_in = scal.get_scalar_type(variable.type.dtype).make_variable()
            _copy_test_value(variable, stand_in)
            scalar_of[variable] = stand_in
            inputs.append(variable)
            scalars.append(stand_in)
        elif not ready:
            stack.append((variable, True))
            stack.extend((v, False) for v in reversed(node.inputs))
        else:
            scalar_of[variable] = _scalar_apply(node.op.scalar_op, [scalar_of[v] for v in node.inputs])
    return inputs, scalars, scalar_of[root.outputs[0]]


def _copy_test_value(variable, stand_in):
    if config.compute_test_value != "off":
        value = getattr(variable.tag, "test_value", None)
        if value is not None and getattr(value, "size", 0):
            stand_in.tag.test_value = value.flatten()[0]


def _scalar_apply(op, inputs):
    """Apply a scalar op; the parts of one that was fused before are put in one by one."""
    if not isinstance(op, scal.Composite):
        return op(*inputs)
    value_of = dict(zip(op.inputs, inputs))
    for node in io_toposort(op.inputs, op.outputs):
        results = node.op.make_node(*[value_of.get(v, v) for v in node.inputs]).outputs
        value_of.update(zip(node.outputs, results))
    return value_of[op.outputs[0]]


def local_elemwise_fusion_op(OP, max_input_fct=lambda node: 32, maker=None):
    """Return the rewrite that fuses a node with all the elementwise operations that only it uses.

    Parameters
    ----------
    OP : class
        The elementwise op, of the CPU or of the GPU.
    max_input_fct : callable
        From a node to the largest number of inputs of a fused one.
    maker : callable, optional
        ``maker(node, scalar_op)`` makes the op; default: ``OP(scalar_op)``.

    Returns
    -------
    callable
        From a node to False or a list with its replacement.
    """
    if maker is None:

        def maker(node, scalar_op):
            return OP(scalar_op)

    def local_fuse(node):
        if type(node.op) is not OP or not _fusable(node, OP):
            return False
        group = _grow(node, OP, max_input_fct(node))
        if len(group) == 1:
            return False
        inputs, scalars, output = _scalar_graph(node, group)
        composite = scal.Composite(scalars, [output])
        fused = maker(node, composite)(*inputs, return_list=True)
        if fused[0].type != node.outputs[0].type:
            return False
        traces = [n.outputs[0] for n in group if n is not node]
        copy_stack_trace([node.outputs[0], *traces], fused)
        return fused

    return local_fuse


local_elemwise_fusion = local_elemwise_fusion_op(Elemwise, elemwise_max_input_fct)


def local_add_mul_fusion(node):
    """``add(add(a, b), c)`` → ``add(a, b, c)``, likewise `mul`, for partial results that are used once."""
    if not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, (scal.Add, scal.Mul)):
        return False
    kind, dtype, limit = type(node.op.scalar_op), node.outputs[0].type.dtype, elemwise_max_input_fct(node)
    inputs, opened = [], False
    stack = list(reversed(node.inputs))
    while stack:
        variable = stack.pop()
        inner = variable.owner
        if (
            inner is not None
            and isinstance(inner.op, Elemwise)
            and isinstance(inner.op.scalar_op, kind)
            and len(variable.clients) == 1
            and variable.type.dtype == dtype
            and len(inputs) + len(stack) + len(inner.inputs) <= limit
        ):
            stack.extend(reversed(inner.inputs))
            opened = True
        else:
            inputs.append(variable)
    if not opened:
        return False
    result = node.op(*inputs)
    if result.type != node.outputs[0].type:
        return False
    return [copy_stack_trace(node.outputs[0], result)]


class FusionOptimizer(Optimizer):
    """Apply a fusing function to each node, from the outputs to the inputs, until nothing changes.

    Parameters
    ----------
    local_optimizer : callable
        From a node to False or its replacements.
    """

    def __init__(self, local_optimizer):
        self.optimizer = local_optimizer

    def add_requirements(self, fgraph):
        require_replace_validate(fgraph)

    def apply(self, fgraph):
        profile = PassProfile(self, nodes_before=len(fgraph.apply_nodes), rounds=0)
        begin = time.perf_counter()
        fused, changed = 0, True
        transform = getattr(self.optimizer, "transform", self.optimizer)
        while changed:
            changed = False
            profile.rounds += 1
            for node in reversed(fgraph.depth_first()):
                if node not in fgraph.apply_nodes:
                    continue
                replacements = transform(node)
                if replacements:
                    fgraph.replace_all_validate(list(zip(node.outputs, replacements)), reason=type(self).__name__)
                    fused += 1
                    changed = True
        profile.counters["fused"] = fused
        profile.seconds, profile.nodes_after = time.perf_counter() - begin, len(fgraph.apply_nodes)
        return profile


fuse_seqopt = SequenceDB()
fuse_seqopt.register("local_add_mul_fusion", FusionOptimizer(local_add_mul_fusion), 0, "fast_run", "fusion")
fuse_seqopt.register("composite_elemwise_fusion", FusionOptimizer(local_elemwise_fusion), 1, "fast_run", "fusion")
if config.tensor.local_elemwise_fusion:
    optdb.register(
        "elemwise_fusion", fuse_seqopt, 49, "fast_run", "fusion", "local_elemwise_fusion", "FusionOptimizer"
    )
