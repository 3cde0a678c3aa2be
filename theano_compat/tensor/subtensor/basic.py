"""Basic indexing: integers and slices, always a view of the input."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op, Type, Variable
from theano_compat.gradient import DisconnectedType
from theano_compat.printing import pprint
from theano_compat.tensor import basic as tb
from theano_compat.tensor.subtensor.indices import (
    AdvancedIndexingError,
    fill_template,
    flatten_index,
    get_idx_list,
    is_index_type,
    not_integers,
    slice_len,
)
from theano_compat.tensor.type import TensorType


def hashable_index(idx_list) -> tuple:
    """Index template with slices as tuples, since slices could not be hashed before Python 3.12."""
    return tuple(
        ("slice", entry.start, entry.stop, entry.step) if isinstance(entry, slice) else entry
        for entry in idx_list
    )


def index_as_scalar(a):
    """Scalar variable of an index number: 0-d integer tensors are unwrapped."""
    if isinstance(a, Variable) and isinstance(a.type, TensorType):
        return tb.scalar_from_tensor(a)
    return scal.as_scalar(a)


def check_template_inputs(idx_list, ndim: int, inputs: tuple) -> None:
    """Compare index inputs with the types that their template asks for."""
    if len(idx_list) > ndim:
        raise IndexError("too many indices for array")
    wanted = flatten_index(idx_list, lambda entry: isinstance(entry, Type))
    if len(inputs) != len(wanted):
        raise IndexError("Not enough inputs to fill in the Subtensor template.", inputs, wanted)
    for given, expected in zip(inputs, wanted):
        if given.type != expected:
            raise TypeError(
                f"Wrong type for Subtensor template. Expected {given.type}, got {expected}."
            )


class Subtensor(Op):
    """Take ``x[idx]`` for an index of integers and slices.

    Parameters
    ----------
    idx_list
        The template: scalar types (or variables, whose types are used) and slices of them, at
        most one entry per dimension of the input.

    Notes
    -----
    Inputs are the tensor and one integer scalar per type in the template. The output is a view.
    """

    __props__ = ("idx_list",)
    view_map = {0: [0]}
    check_input = False
    _f16_ok = True

    e_indextype = "Invalid index type or slice for Subtensor"
    e_subslice = "nested slicing is not supported"
    debug = 0

    def __init__(self, idx_list):
        self.idx_list = tuple(self.convert(entry) for entry in idx_list)

    def __eq__(self, other):
        return type(self) is type(other) and self.idx_list == other.idx_list

    def __hash__(self):
        return hash((type(self), hashable_index(self.idx_list)))

    # -- templates -----------------------------------------------------------------------------

    @staticmethod
    def collapse(idxs, cond) -> list:
        """List the entries of an index, slices opened, that satisfy `cond`."""
        return flatten_index(idxs, cond)

    @staticmethod
    def convert(entry, slice_ok: bool = True):
        """Turn one entry of a user's index into an entry of a template.

        Raises
        ------
        AdvancedIndexingError
            Basic indexing does not take such an entry.
        TypeError
            A number of another kind than integer, or a literal one.
        """
        if isinstance(entry, slice) and slice_ok:
            return slice(
                *(
                    None if part is None else Subtensor.convert(part, slice_ok=False)
                    for part in (entry.start, entry.stop, entry.step)
                )
            )
        if isinstance(entry, Variable):
            type_ = entry.type
            if is_index_type(type_):
                return scal.get_scalar_type(type_.dtype)
            scalar_like = isinstance(type_, scal.Scalar) or (
                isinstance(type_, TensorType) and type_.ndim == 0
            )
            if scalar_like and type_.dtype != "bool":
                raise TypeError(f"Expected an integer{not_integers(entry)}")
        elif isinstance(entry, Type):
            if is_index_type(entry):
                return scal.get_scalar_type(entry.dtype)
        elif isinstance(entry, (int, np.integer)):
            raise TypeError("Python scalar in idx_list.Please report this error to theano-dev.")
        raise AdvancedIndexingError(Subtensor.e_indextype, entry)

    def get_constant_idx(
        self, inputs, allow_partial=False, only_process_constants=False, elemwise=True
    ) -> list:
        """Index of an apply node with its constants as numbers.

        Parameters
        ----------
        inputs
            The inputs of the node.
        allow_partial
            Leave in place what is not constant, instead of raising.
        only_process_constants, elemwise
            As for :func:`get_scalar_constant_value`.

        Raises
        ------
        NotScalarConstantError
            A number is not known, and `allow_partial` is false.
        """

        def value(part):
            if part is None:
                return None
            try:
                return tb.get_scalar_constant_value(
                    part, only_process_constants=only_process_constants, elemwise=elemwise
                )
            except tb.NotScalarConstantError:
                if allow_partial:
                    return part
                raise

        return [
            slice(value(entry.start), value(entry.stop), value(entry.step))
            if isinstance(entry, slice)
            else value(entry)
            for entry in get_idx_list(inputs, self.idx_list)
        ]

    my_as_scalar = staticmethod(index_as_scalar)

    # -- the op --------------------------------------------------------------------------------

    def make_node(self, x, *inputs):
        x = tb.as_tensor_variable(x)
        inputs = tuple(index_as_scalar(a) for a in inputs)
        check_template_inputs(self.idx_list, x.type.ndim, inputs)
        index = self.get_constant_idx((x, *inputs), allow_partial=True)
        index += [slice(None)] * (x.type.ndim - len(index))
        pattern = [
            bool(one) and self._keeps_one(entry)
            for entry, one in zip(index, x.type.broadcastable)
            if isinstance(entry, slice)
        ]
        return Apply(self, [x, *inputs], [tb.tensor(dtype=x.type.dtype, broadcastable=pattern)])

    @staticmethod
    def _keeps_one(entry: slice) -> bool:
        """Tell whether a slice certainly keeps the element of a broadcastable dimension."""
        ends = [entry.start, entry.stop, entry.step]
        if any(isinstance(end, Variable) for end in ends):
            return entry.start is None and entry.stop is None  # a step alone leaves one of one
        ends = [None if end is None else int(end) for end in ends]
        return ends[0] in (None, 0) and ends[2] != 0 and len(range(1)[slice(*ends)]) == 1

    def perform(self, node, inputs, out_):
        index = fill_template(self.idx_list, inputs[1:])
        out_[0][0] = np.asarray(inputs[0][index], dtype=node.outputs[0].type.dtype)

    def infer_shape(self, node, shapes):
        index = list(get_idx_list(node.inputs, self.idx_list))
        extents = shapes[0]
        index += [slice(None)] * (len(extents) - len(index))
        return [
            [
                extent if entry == slice(None) else slice_len(entry, extent)
                for entry, extent in zip(index, extents)
                if isinstance(entry, slice)
            ]
        ]

    def grad(self, inputs, grads):
        from theano_compat.tensor.subtensor.inc import IncSubtensor

        x, *rest = inputs
        (gz,) = grads
        if x.type.dtype in tb.discrete_dtypes:
            gx = x.zeros_like(dtype=config.floatX)
        else:
            gx = IncSubtensor(self.idx_list)(x.zeros_like(), gz, *rest)
        return [gx] + [DisconnectedType()() for _ in rest]

    def connection_pattern(self, node):
        return [[True]] + [[False] for _ in node.inputs[1:]]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return self(eval_points[0], *inputs[1:], return_list=True)

    # -- printing ------------------------------------------------------------------------------

    @staticmethod
    def str_from_slice(entry: slice) -> str:
        """Print a slice of a template: ``int64:int64:``, with nothing in place of None."""
        return ":".join("" if p is None else str(p) for p in (entry.start, entry.stop, entry.step))

    @classmethod
    def str_from_indices(cls, idx_list) -> str:
        """Print a whole template."""
        return ", ".join(
            cls.str_from_slice(entry) if isinstance(entry, slice) else str(entry)
            for entry in idx_list
        )

    def __str__(self):
        return f"{type(self).__name__}{{{self.str_from_indices(self.idx_list)}}}"


class SubtensorPrinter:
    """Pretty-printer: ``x[i, int64:int64]``."""

    def process(self, r, pstate):
        if r.owner is None:
            raise TypeError("Can only print Subtensor.")
        if not isinstance(r.owner.op, Subtensor):
            raise TypeError("Can only print Subtensor.")
        x, *numbers = r.owner.inputs
        numbers = iter(numbers)
        pieces = []
        with set_precedence(pstate, -1000):
            for entry in r.owner.op.idx_list:
                if isinstance(entry, slice):
                    pieces.append(self._slice(entry, numbers))
                else:
                    pieces.append(pstate.pprinter.process(next(numbers), pstate))
        with set_precedence(pstate, 1000):
            body = pstate.pprinter.process(x, pstate)
        return f"{body}[{', '.join(pieces)}]"

    @staticmethod
    def _slice(entry: slice, numbers) -> str:
        """Print the types of a slice, its step only where there is one, and skip its numbers."""
        for part in (entry.start, entry.stop, entry.step):
            if part is not None:
                next(numbers)
        first = "" if entry.start is None else entry.start
        last = "" if entry.stop is None else entry.stop
        return f"{first}:{last}" + ("" if entry.step is None else f":{entry.step}")


class set_precedence:
    """Set the precedence of a printer's state for one block."""

    def __init__(self, pstate, precedence):
        self.pstate = pstate
        self.precedence = precedence

    def __enter__(self):
        self.before = getattr(self.pstate, "precedence", None)
        self.pstate.precedence = self.precedence
        return self.pstate

    def __exit__(self, *exc):
        self.pstate.precedence = self.before


pprint.assign(
    lambda pstate, r: r.owner is not None and isinstance(r.owner.op, Subtensor),
    SubtensorPrinter(),
)
