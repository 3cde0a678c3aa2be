"""`Elemwise`: a scalar op applied to every element of its tensors, with broadcasting."""
from __future__ import annotations

import copy

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.configparser import change_flags
from theano_compat.gof import Apply, Constant, OpenMPOp
from theano_compat.gof.null_type import NullType
from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import get_scalar_type
from theano_compat.tensor.elemwise_ops.dimshuffle import DimShuffle
from theano_compat.tensor.elemwise_ops.evaluate import kernel_for, numpy_function

#: What scalar ops answered, by op, dtypes and configuration; emptied when it grows large.
_ANSWERS: dict = {}
_MOST_ANSWERS = 5000


def _remembered(scalar_op, question: tuple, ask):
    """Give what `ask` gives, from memory where the op is one of the package's own.

    A user's op may hold state that its equality does not see, and a composite is big and rarely met again.
    """
    if isinstance(scalar_op, scal.Composite) or not type(scalar_op).__module__.startswith("theano_compat."):
        return ask()
    key = (scalar_op, question, config.floatX, config.cast_policy, config.int_division)
    found = _ANSWERS.get(key)
    if found is None:
        if len(_ANSWERS) > _MOST_ANSWERS:
            _ANSWERS.clear()
        found = _ANSWERS[key] = ask()
    return found


def _output_dtypes(scalar_op, in_dtypes: tuple) -> tuple:
    """Ask the scalar op for its output dtypes."""

    def ask():
        with change_flags(compute_test_value="off"):
            node = scalar_op.make_node(*[get_scalar_type(dtype)() for dtype in in_dtypes])
        return tuple(out.type.dtype for out in node.outputs)

    return _remembered(scalar_op, in_dtypes, ask)


def _scalar_gradients(scalar_op, in_dtypes: tuple, ograd_dtypes: tuple, ograds) -> tuple:
    """Ask the scalar op for its gradient expressions.

    Parameters
    ----------
    ograd_dtypes : tuple of str or None
        None where the output's gradient is null or disconnected; then it is taken from `ograds`.

    Returns
    -------
    (list, list, list, list)
        Scalar inputs, outputs, gradients of the outputs, and expressions of the gradients of the inputs.
    """

    def ask():
        with change_flags(compute_test_value="off"):
            s_inputs = [get_scalar_type(dtype)() for dtype in in_dtypes]
            s_outputs = scalar_op.make_node(*s_inputs).outputs
            s_ograds = [g if d is None else get_scalar_type(d)() for g, d in zip(ograds, ograd_dtypes)]
            s_igrads = scalar_op.L_op(s_inputs, s_outputs, s_ograds)
        if not isinstance(s_igrads, (list, tuple)) or len(s_igrads) != len(s_inputs):
            raise TypeError(f"{scalar_op}.grad should give a list with one gradient per input, got {s_igrads}")
        return s_inputs, s_outputs, s_ograds, s_igrads

    if None in ograd_dtypes:
        return ask()
    return _remembered(scalar_op, (in_dtypes, ograd_dtypes), ask)


def _is_constant(x):
    """Tell whether a variable is a constant, perhaps with dimensions added."""
    while x.owner is not None and isinstance(x.owner.op, DimShuffle):
        x = x.owner.inputs[0]
    return isinstance(x, Constant)


class Elemwise(OpenMPOp):
    """Apply a scalar op to each element.

    Parameters
    ----------
    scalar_op : ScalarOp
        What to do with one element of each input.
    inplace_pattern : dict, optional
        Output index to input index: that output overwrites that input.
    name : str, optional
        What the op prints as.
    nfunc_spec : tuple, optional
        ``(NumPy function name, nin, nout)``; default: the scalar op's.
    openmp : bool, optional
        Whether loops of many elements may be divided among threads.

    Notes
    -----
    Inputs of fewer dimensions get broadcastable ones on the left. A dimension is stretched only where the input's
    *type* says that its length is 1; any other difference in length is an error.
    """

    __props__ = ("scalar_op", "inplace_pattern")

    def __init__(self, scalar_op, inplace_pattern=None, name=None, nfunc_spec=None, openmp=None):
        self.name = name
        self.scalar_op = scalar_op
        self.inplace_pattern = dict(inplace_pattern or {})
        self.destroy_map = {out: [inp] for out, inp in self.inplace_pattern.items()}
        self.nfunc_spec = nfunc_spec if nfunc_spec is not None else getattr(scalar_op, "nfunc_spec", None)
        self.nfunc = self.ufunc = None
        self._kernels: dict = {}
        self._hash = hash((Elemwise, scalar_op, tuple(sorted(self.inplace_pattern.items()))))
        super().__init__(openmp=openmp)

    def __eq__(self, other):
        return self is other or (
            type(self) is type(other)
            and self._hash == other._hash
            and self.scalar_op == other.scalar_op
            and self.inplace_pattern == other.inplace_pattern
        )

    def __hash__(self):
        return self._hash

    def __getstate__(self):
        state = copy.copy(self.__dict__)
        for derived in ("_kernels", "_hash", "nfunc", "ufunc"):
            state.pop(derived, None)
        return state

    def __setstate__(self, state):
        openmp = state.get("openmp")
        Elemwise.__init__(
            self, state["scalar_op"], state.get("inplace_pattern"), state.get("name"), state.get("nfunc_spec"), openmp
        )
        self.__dict__.update(state)
        self.inplace_pattern = dict(state.get("inplace_pattern") or {})

    def __str__(self):
        if self.name:
            return self.name
        if self.inplace_pattern:
            return f"Elemwise{{{self.scalar_op}}}{sorted(self.inplace_pattern.items())}"
        return f"Elemwise{{{self.scalar_op}}}"

    def get_output_info(self, dim_shuffle, *inputs):
        """Bring the inputs to one rank and find the outputs' types.

        Parameters
        ----------
        dim_shuffle : class
            `DimShuffle` or a replacement for it.
        *inputs : TensorVariable

        Returns
        -------
        (list of str, list of list of bool, list of TensorVariable)
            Output dtypes, output broadcast patterns, inputs of equal rank.

        Raises
        ------
        ValueError
            An output would overwrite an input that is smaller than it.
        TypeError
            An output would overwrite an input of another dtype.
        """
        dtypes = tuple(x.type.dtype for x in inputs)
        out_dtypes = _output_dtypes(self.scalar_op, dtypes)
        rank = max(x.type.ndim for x in inputs)
        raised = []
        for x in inputs:
            missing = rank - x.type.ndim
            if missing:
                order = ["x"] * missing + list(range(x.type.ndim))
                x = dim_shuffle(x.type.broadcastable, order)(x)
            raised.append(x)
        pattern = [all(dims) for dims in zip(*[x.type.broadcastable for x in raised])]
        for out, inp in self.inplace_pattern.items():
            if any(small and not wide for small, wide in zip(raised[inp].type.broadcastable, pattern)):
                raise ValueError("Operation cannot be done inplace on an input with broadcasted dimensions.")
            if out_dtypes[out] != dtypes[inp]:
                raise TypeError(
                    "Cannot do an inplace operation on incompatible data types.",
                    (list(dtypes), list(out_dtypes), self.inplace_pattern),
                )
        return list(out_dtypes), [list(pattern) for _ in out_dtypes], raised

    def make_node(self, *inputs):
        """Apply the op to tensors, or to what can be made one."""
        from theano_compat.tensor.basic import as_tensor_variable
        from theano_compat.tensor.type import TensorType

        inputs = [as_tensor_variable(x) for x in inputs]
        if not inputs:
            raise TypeError(f"{self} needs at least one input")
        out_dtypes, patterns, inputs = self.get_output_info(DimShuffle, *inputs)
        outputs = [TensorType(dtype, pattern)() for dtype, pattern in zip(out_dtypes, patterns)]
        return Apply(self, inputs, outputs)

    def connection_pattern(self, node):
        """Ask the scalar op; without an answer, every input reaches every output."""
        if hasattr(self.scalar_op, "connection_pattern"):
            return self.scalar_op.connection_pattern(node)
        return [[True for _ in node.outputs] for _ in node.inputs]

    def infer_shape(self, node, i_shapes):
        """Give each dimension the length of the first input that is not broadcastable there."""
        from theano_compat.tensor.basic import constant

        shapes = []
        for out in node.outputs:
            shape = []
            for dim, broadcastable in enumerate(out.type.broadcastable):
                length = None
                if not broadcastable:
                    for x, x_shape in zip(node.inputs, i_shapes):
                        if not x.type.broadcastable[dim]:
                            length = x_shape[dim]
                            break
                shape.append(constant(1, dtype="int64") if length is None else length)
            shapes.append(tuple(shape))
        return shapes

    # Gradients

    def _gradients_unsummed(self, inputs, outputs, ograds):
        """Carry the scalar op's gradient expressions over to tensors, at the outputs' full shape."""
        in_dtypes = tuple(x.type.dtype for x in inputs)
        ograd_dtypes = tuple(
            None if isinstance(g.type, (NullType, DisconnectedType)) else g.type.dtype for g in ograds
        )
        s_inputs, s_outputs, s_ograds, s_igrads = _scalar_gradients(self.scalar_op, in_dtypes, ograd_dtypes, ograds)
        image = {}
        for scalars, tensors in ((s_inputs, inputs), (s_outputs, outputs), (s_ograds, ograds)):
            image.update(zip(scalars, tensors))
        rank = max(x.type.ndim for x in [*inputs, *outputs])
        return [None if g is None else _tensorize(g, image, rank) for g in s_igrads]

    _bgrad = _gradients_unsummed

    def L_op(self, inputs, outs, ograds):
        """Give the gradients, summed over the dimensions along which an input was stretched."""
        from theano_compat.tensor.basic import sum as tensor_sum

        found = self._gradients_unsummed(inputs, outs, ograds)
        if any(out.type.dtype in scal.dtypes.DISCRETE for out in outs):
            return [_plain_zero(x, gradient) for x, gradient in zip(inputs, found)]
        for i, (x, gradient) in enumerate(zip(inputs, found)):
            if gradient is None or isinstance(gradient.type, (NullType, DisconnectedType)):
                continue
            stretched = [
                dim
                for dim, small in enumerate(x.type.broadcastable)
                if small and not outs[0].type.broadcastable[dim]
            ]
            if stretched:
                found[i] = tensor_sum(gradient, axis=stretched, keepdims=True)
        return found

    def grad(self, inputs, ograds):
        """As `L_op`, building the outputs once more."""
        return self.L_op(inputs, self.make_node(*inputs).outputs, ograds)

    def R_op(self, inputs, eval_points):
        """Push directions forward: each output moves by the sum of its partial derivatives times them."""
        from theano_compat.tensor.basic import ones_like

        outs = self(*inputs, return_list=True)
        moved = []
        for wanted in range(len(outs)):
            ograds = [ones_like(out) if i == wanted else out.zeros_like() for i, out in enumerate(outs)]
            total = None
            for x, partial, point in zip(inputs, self._gradients_unsummed(inputs, outs, ograds), eval_points):
                if partial is None or point is None or isinstance(partial.type, DisconnectedType):
                    continue
                if _is_constant(x):
                    # it does not move, and the partial derivative may be NaN (of (-1)**y at y = 2)
                    continue
                total = partial * point if total is None else total + partial * point
            if total is None and any(point is not None for point in eval_points):
                still = outs[wanted]
                total = still.zeros_like(dtype=config.floatX if still.dtype in scal.dtypes.DISCRETE else None)
            moved.append(total)
        return moved

    # Values

    def prepare_node(self, node, storage_map, compute_map, impl):
        """Let the scalar op prepare itself, and look its NumPy function up."""
        if self.nfunc_spec and impl != "c":
            try:
                self.nfunc = numpy_function(self.nfunc_spec[0])
            except (AttributeError, ImportError):
                self.nfunc = None
        prepare = getattr(self.scalar_op, "prepare_node", None)
        if prepare is not None and getattr(node.tag, "fake_node", None) is None:
            scalars = [
                [get_scalar_type(x.type.dtype)() for x in variables] for variables in (node.inputs, node.outputs)
            ]
            node.tag.fake_node = Apply(self.scalar_op, *scalars)
            prepare(node.tag.fake_node, None, None, impl)

    def perform(self, node, inputs, output_storage):
        """Compute with NumPy.

        Raises
        ------
        ValueError
            Lengths differ in a dimension that no type declares to be broadcastable.
        """
        shape = self._check_shapes(node, inputs)
        in_dtypes = tuple(x.type.dtype for x in node.inputs)
        out_dtypes = tuple(x.type.dtype for x in node.outputs)
        kernel = self._kernels.get((in_dtypes, out_dtypes))
        if kernel is None:
            kernel = self._kernels[in_dtypes, out_dtypes] = kernel_for(self.scalar_op, in_dtypes, out_dtypes)
        with np.errstate(all="ignore"):
            results = kernel(*inputs)
        if len(self.inplace_pattern) > 1:
            # One output's input can be what another output still has to be copied from.
            results = [_owned(result, inputs) for result in results]
        for i, (storage, result) in enumerate(zip(output_storage, results)):
            if i in self.inplace_pattern:
                target = inputs[self.inplace_pattern[i]]
                if result is not target:
                    np.copyto(target, result, casting="unsafe")
                storage[0] = target
            else:
                if result.shape != shape:
                    result = np.broadcast_to(result, shape)
                storage[0] = _owned(result, inputs)

    def _check_shapes(self, node, inputs) -> tuple:
        """Give the outputs' shape, or say which lengths clash."""
        if len(inputs) == 1:
            return inputs[0].shape
        first = inputs[0].shape
        if all(x.shape == first for x in inputs):
            return first
        shape = []
        for dim in range(node.outputs[0].type.ndim):
            reference = None
            for i, x in enumerate(inputs):
                if node.inputs[i].type.broadcastable[dim]:
                    continue
                if reference is None:
                    reference = i
                elif x.shape[dim] != inputs[reference].shape[dim]:
                    raise ValueError(
                        f"Input dimension mis-match. (input[{reference}].shape[{dim}] = "
                        f"{inputs[reference].shape[dim]}, input[{i}].shape[{dim}] = {x.shape[dim]})"
                    )
            shape.append(1 if reference is None else inputs[reference].shape[dim])
        return tuple(shape)

    def python_constant_folding(self, node):
        """Say that small results are folded without a compiler."""
        return node.outputs[0].type.ndim == 0


def _plain_zero(x, gradient):
    """Give a zero that anyone can see is one, for an op whose output is whole: `gradient` can be nothing else."""
    if gradient is None or isinstance(gradient.type, (NullType, DisconnectedType)):
        return gradient
    zero = x.zeros_like()
    return zero.astype(config.floatX) if zero.type.dtype in scal.dtypes.DISCRETE else zero


def _owned(result, inputs):
    """Give `result`, copied where it is (part of) an input or is not writeable."""
    if not result.flags.writeable or any(result is x for x in inputs):
        return result.copy()
    if result.base is not None and any(np.may_share_memory(result, x) for x in inputs):
        return result.copy()
    return result


def _tensorize(expression, image, rank):
    """Rebuild a graph of scalar ops as one of Elemwise ops, constants broadcast to `rank` dimensions.

    Parameters
    ----------
    expression : ScalarVariable
        Its leaves are keys of `image`, or constants.
    image : dict
        Scalar variable to tensor variable; what gets built is added.
    rank : int
    """
    from theano_compat.tensor.basic import as_tensor_variable

    stack = [expression]
    while stack:
        variable = stack[-1]
        if variable in image:
            stack.pop()
        elif isinstance(variable.type, (NullType, DisconnectedType)):
            image[variable] = variable
        elif variable.owner is None:
            tensor = as_tensor_variable(np.asarray(variable.data))
            image[variable] = DimShuffle((), ["x"] * rank)(tensor)
        else:
            waiting = [x for x in variable.owner.inputs if x not in image]
            if waiting:
                stack += waiting
                continue
            made = Elemwise(variable.owner.op)(*[image[x] for x in variable.owner.inputs], return_list=True)
            image.update(zip(variable.owner.outputs, made))
    return image[expression]
