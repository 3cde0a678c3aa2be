"""Symbolic shapes of everything in a graph, computed when somebody asks."""

from __future__ import annotations

import logging
import traceback

import numpy as np

from theano_compat import config, gof
from theano_compat.compile.ops import Shape, Shape_i
from theano_compat.gof.opt import Optimizer
from theano_compat.gof.opt.base import report
from theano_compat.gof.toolbox import AlreadyThere, Feature
from theano_compat.tensor import basic as T
from theano_compat.tensor.opt.common import constant_value, made_by
from theano_compat.tensor.opt.make_vector import MakeVector, make_vector
from theano_compat.tensor.subtensor import Subtensor, get_idx_list

_logger = logging.getLogger("theano.tensor.opt")


class _Shapes(dict):
    """Variable to tuple of scalar variables (None where a variable has no shape); missing entries are computed on the way."""

    def __init__(self, feature):
        super().__init__()
        self._feature = feature

    def __missing__(self, variable):
        self._feature._compute(variable)
        return self[variable]

    def __contains__(self, variable):
        return dict.__contains__(self, variable) or variable in self._feature._seen

    def get(self, variable, default=None):
        return self[variable] if variable in self else default


class ShapeFeature(Feature):
    """Knows the shape of every variable of a graph as scalar expressions.

    ``shape_of[variable]`` is a tuple of 0-d int64 variables, in terms of the shapes of the inputs as far as the ops' `infer_shape`
    tell, or None for variables without a shape. Nothing is computed before it is asked for: that keeps the cost of the feature
    proportional to its use. When a rewrite replaces a variable, the replacement inherits what is known of the old one's shape
    where its own op says nothing.
    """

    def __init__(self):
        self.shape_of = _Shapes(self)
        self._seen = set()
        # New variable -> the one that it replaced, and the reverse.
        self._former = {}
        self._successor = {}
        self.lscalar_one = T.constant(1, dtype="int64")

    # --- feature protocol ---------------------------------------------------------------------------

    def on_attach(self, fgraph):
        if hasattr(fgraph, "shape_feature"):
            raise AlreadyThere("This FunctionGraph already has a ShapeFeature")
        fgraph.shape_feature = self
        self.fgraph = fgraph
        self._seen.update(fgraph.variables)

    def on_detach(self, fgraph):
        self.shape_of.clear()
        self._seen.clear()
        self._former.clear()
        self._successor.clear()
        self.fgraph = None
        del fgraph.shape_feature

    def on_import(self, fgraph, node, reason):
        self._seen.update(node.outputs)
        self._seen.update(node.inputs)

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self._seen.add(new_r)
        if self._former.get(new_r) is r:
            return
        # Never form a circle of predecessors.
        older = r
        while older is not None and older is not new_r:
            older = self._former.get(older)
        if older is new_r:
            return
        if new_r not in self._former and not dict.__contains__(self.shape_of, new_r):
            self._former[new_r] = r
        self._successor[r] = new_r

    # --- questions ----------------------------------------------------------------------------------

    def shape_ir(self, i, r):
        """Return the length of dimension `i` of a variable as an expression of the variable itself."""
        if hasattr(r.type, "broadcastable") and r.type.broadcastable[i]:
            return self.lscalar_one
        length = Shape_i(i)(r)
        known = constant_value(length)
        return length if known is None else self._constant(known)

    def shape_tuple(self, r):
        """Return the shape of a variable in terms of the variable itself; None if it has none."""
        if not hasattr(r, "ndim"):
            return None
        return tuple(self.shape_ir(i, r) for i in range(r.ndim))

    def default_infer_shape(self, node, i_shapes):
        """Return the shapes of a node's outputs when its op does not tell."""
        return [self.shape_tuple(r) for r in node.outputs]

    def get_node_infer_shape(self, node):
        """Return the shapes of a node's outputs as its op tells them."""
        infer = getattr(node.op, "infer_shape", None)
        i_shapes = [self.shape_of[r] for r in node.inputs]
        if infer is None:
            return self.default_infer_shape(node, i_shapes)
        try:
            shapes = infer(node, i_shapes)
        except T.ShapeError:
            return self.default_infer_shape(node, i_shapes)
        except NotImplementedError as error:
            if str(error):
                raise NotImplementedError(
                    "Code called by infer_shape failed raising a NotImplementedError. Raising NotImplementedError to "
                    "indicate that a shape cannot be computed is no longer supported, and one should now use "
                    f"tensor.ShapeError instead. The original exception message is: {error}"
                ) from error
            return self.default_infer_shape(node, i_shapes)
        except Exception as error:
            message = (
                f"Failed to infer_shape from Op {node.op}.\nInput shapes: {i_shapes}\n"
                f"Exception encountered during infer_shape: {type(error)}\nException message: {error}\n"
                f"Traceback: {traceback.format_exc()}"
            )
            if config.on_shape_error == "raise":
                raise Exception(message) from error
            report(message, _logger.warning)
            return self.default_infer_shape(node, i_shapes)
        if len(shapes) != len(node.outputs):
            raise Exception(
                f'The infer_shape method for the Op "{node.op}" returned a list with the wrong number of element: '
                f"len(o_shapes) = {len(shapes)}  != len(node.outputs) = {len(node.outputs)}"
            )
        return shapes

    def get_shape(self, var, idx):
        """Return the length of dimension `idx` of a variable."""
        shape = self.shape_of[var]
        return shape[idx]

    def make_vector_shape(self, r):
        """Return the shape of a variable as one vector."""
        return make_vector(*self.shape_of[r])

    def same_shape(self, x, y, dim_x=None, dim_y=None):
        """Whether two variables (or one dimension of each) are known to have the same lengths.

        Parameters
        ----------
        x, y : Variable
        dim_x, dim_y : int, optional
            Both or neither.
        """
        sx, sy = self.shape_of[x], self.shape_of[y]
        if sx is None or sy is None:
            return False
        if (dim_x is None) != (dim_y is None):
            raise ValueError("same_shape: give both dimensions or neither.")
        if dim_x is not None:
            sx, sy = [sx[dim_x]], [sy[dim_y]]
        return len(sx) == len(sy) and all(equal_lengths(a, b) for a, b in zip(sx, sy))

    # --- filling the table --------------------------------------------------------------------------

    def _compute(self, variable):
        """Fill in the shape of a variable and of all that it depends on, without recursion."""
        known = self.shape_of
        stack = [variable]
        while stack:
            current = stack[-1]
            if dict.__contains__(known, current):
                stack.pop()
                continue
            node = current.owner
            if node is None:
                self.init_r(current)
                stack.pop()
                continue
            waiting = [v for v in node.inputs if not dict.__contains__(known, v)]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            for output, shape in zip(node.outputs, self.get_node_infer_shape(node)):
                if not dict.__contains__(known, output):
                    self.set_shape(output, shape)
                    self._inherit(output)

    def init_r(self, r):
        """Register a variable's shape in terms of itself."""
        if not dict.__contains__(self.shape_of, r):
            self.set_shape(r, self.shape_tuple(r))

    def _inherit(self, variable):
        """Take over lengths that were known of a replaced variable and are not known of its replacement."""
        former = self._former.get(variable)
        seen = 0
        while former is not None and seen < 50:
            if dict.__contains__(self.shape_of, former) or _tells_shape(former):
                if dict.__contains__(self.shape_of, former) or former.owner is not None:
                    self.update_shape(variable, former)
                return
            former = self._former.get(former)
            seen += 1

    def update_shape(self, r, other_r):
        """Improve what is known of `r` by what is known of another variable of the same shape."""
        other = self.shape_of[other_r] if dict.__contains__(self.shape_of, other_r) else None
        own = self.shape_of[r] if dict.__contains__(self.shape_of, r) else None
        if other is None or own is None or len(own) != len(other):
            if own is None and other is not None:
                self.set_shape(r, other, override=True)
            return
        merged = []
        for i, (mine, theirs) in enumerate(zip(own, other)):
            better = _is_length_of(mine, r, i) and not _is_length_of(theirs, other_r, i) and not _depends_on(theirs, r)
            merged.append(theirs if better else mine)
        self.shape_of[r] = tuple(merged)

    def set_shape(self, r, s, override=False):
        """Register the shape of a variable.

        Parameters
        ----------
        r : Variable
        s : sequence of int or Variable, or None
        override : bool
            Whether a shape may be there already.
        """
        if not override and dict.__contains__(self.shape_of, r):
            raise AssertionError(f"r already in shape_of: {r}")
        if s is None:
            self.shape_of[r] = None
            return
        if not isinstance(s, (tuple, list)):
            raise TypeError("shapes must be tuple/list", (r, s))
        if r.ndim != len(s):
            raise AssertionError(
                f'Something inferred a shape with {len(s)} dimensions for a variable with {r.ndim} dimensions. Variable: {r}, '
                f"made by {r.owner}"
            )
        self.shape_of[r] = tuple(
            self.lscalar_one if getattr(r.type, "broadcastable", [False] * r.ndim)[i] else self.unpack(s[i], r)
            for i in range(r.ndim)
        )

    def set_shape_i(self, r, i, s_i):
        """Replace one length in the shape of a variable."""
        old = self.shape_of[r]
        self.shape_of[r] = tuple(self.unpack(s_i, r) if j == i else length for j, length in enumerate(old))

    def unpack(self, s_i, var):
        """Return a length as a 0-d int64 variable.

        Parameters
        ----------
        s_i : int or Variable
        var : Variable
            Whose length it is, for messages.
        """
        if s_i is None:
            raise AssertionError(f"A length in the shape of {var} is None.")
        if s_i is self.lscalar_one:
            return s_i
        if isinstance(s_i, float) and int(s_i) == s_i:
            s_i = int(s_i)
        if isinstance(s_i, (np.integer, int)) or (isinstance(s_i, np.ndarray) and s_i.ndim == 0):
            if s_i < 0:
                raise AssertionError(f"There is a negative shape in the graph! {var}, made by {var.owner}: {s_i}")
            return self._constant(s_i)
        if isinstance(s_i, (tuple, list)):
            raise NotImplementedError(f"A length in the shape of {var} is a {type(s_i).__name__}: {s_i}")
        length = self._below_shape_subtensor(s_i)
        if length is not None:
            return length
        type_ = s_i.type
        if getattr(type_, "dtype", "") not in T.integer_dtypes and getattr(type_, "dtype", "") != "bool":
            raise TypeError(f"Unsupported shape element of type {type_} in the shape of {var}")
        if getattr(type_, "ndim", 0):
            raise TypeError("Shape element must be scalar", s_i)
        if not isinstance(s_i, T.TensorVariable) and not hasattr(type_, "broadcastable"):
            s_i = T.tensor_from_scalar(s_i)
        return s_i if s_i.dtype == "int64" else T.cast(s_i, "int64")

    def _below_shape_subtensor(self, length):
        """Return what ``x.shape[i]`` or ``Shape_i{i}(x)`` is known to be; None for anything else."""
        owner = getattr(length, "owner", None)
        if owner is not None and isinstance(owner.op, Shape_i):
            source = owner.inputs[0]
            return self.shape_of[source][owner.op.i] if dict.__contains__(self.shape_of, source) and self.shape_of[source] else None
        if owner is None or not isinstance(owner.op, Subtensor):
            return None
        inner = owner.inputs[0].owner
        if inner is None or not isinstance(inner.op, (Shape, MakeVector)):
            return None
        index = get_idx_list(owner.inputs, owner.op.idx_list)
        if len(index) != 1 or isinstance(index[0], slice):
            return None
        number = constant_value(index[0]) if hasattr(index[0], "type") else index[0]
        if number is None:
            return None
        if isinstance(inner.op, MakeVector):
            found = inner.inputs[int(number)]
            return found if found.dtype == "int64" else None
        source = inner.inputs[0]
        return self.shape_of[source][int(number)] if dict.__contains__(self.shape_of, source) else None

    def _constant(self, value):
        value = int(value)
        return self.lscalar_one if value == 1 else T.constant(value, dtype="int64")

    def latest(self, variable):
        """Return the variable that stands in the graph for one that has been replaced (maybe several times)."""
        seen = set()
        while variable in self._successor and variable not in seen and variable not in self.fgraph.variables:
            seen.add(variable)
            variable = self._successor[variable]
        return variable


def _tells_shape(variable):
    return variable.owner is not None and hasattr(variable.owner.op, "infer_shape")


def _is_length_of(length, variable, i):
    """Whether an expression is just ``Shape_i{i}(variable)``."""
    owner = length.owner
    return owner is not None and isinstance(owner.op, Shape_i) and owner.op.i == i and owner.inputs[0] is variable


def _depends_on(length, variable, limit=200):
    """Whether an expression uses a variable (said to be so when it is too large to tell)."""
    stack, seen = [length], set()
    while stack:
        current = stack.pop()
        if current is variable:
            return True
        if current in seen or current.owner is None:
            continue
        seen.add(current)
        if len(seen) > limit:
            return True
        stack.extend(current.owner.inputs)
    return False


def without_round_trip(variable):
    """Look through ``tensor_from_scalar(scalar_from_tensor(x))``."""
    while True:
        outer = made_by(variable, T.TensorFromScalar)
        inner = made_by(outer[0], T.ScalarFromTensor) if outer is not None else None
        if inner is None:
            return variable
        variable = inner[0]


def equal_lengths(a, b, limit=200):
    """Whether two scalar expressions are structurally equal, round trips to a scalar type apart."""
    stack, seen = [(a, b)], set()
    while stack:
        x, y = map(without_round_trip, stack.pop())
        if x is y or (x, y) in seen:
            continue
        seen.add((x, y))
        if len(seen) > limit:
            return False
        if isinstance(x, gof.Constant) or isinstance(y, gof.Constant):
            if not (isinstance(x, gof.Constant) and isinstance(y, gof.Constant) and np.all(x.data == y.data)):
                return False
            continue
        if x.owner is None or y.owner is None or x.owner.op != y.owner.op:
            return False
        if len(x.owner.inputs) != len(y.owner.inputs) or x.owner.outputs.index(x) != y.owner.outputs.index(y):
            return False
        stack.extend(zip(x.owner.inputs, y.owner.inputs))
    return True


class ShapeOptimizer(Optimizer):
    """Attach a `ShapeFeature`."""

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ShapeFeature())

    def apply(self, fgraph):
        """Nothing to rewrite: the feature answers questions of other rewrites."""


class UnShapeOptimizer(Optimizer):
    """Remove the `ShapeFeature`."""

    def apply(self, fgraph):
        for feature in list(fgraph._features):
            if isinstance(feature, ShapeFeature):
                fgraph.remove_feature(feature)


__all__ = ["ShapeFeature", "ShapeOptimizer", "UnShapeOptimizer", "equal_lengths"]
