"""`DimShuffle`: reorder dimensions, add broadcastable ones, drop ones of length one."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op


class DimShuffle(Op):
    """View of a tensor with its dimensions in another order.

    Parameters
    ----------
    input_broadcastable : sequence of bool
        Broadcast pattern of the inputs that the op will take.
    new_order : sequence of int or 'x'
        The output's dimensions: an input dimension's number, or ``'x'`` for a new one of length 1. Input
        dimensions that are left out have to be broadcastable and are dropped.
    inplace : bool
        Always True: the output is a view.

    Attributes
    ----------
    shuffle, drop, augment : list of int
        Input dimensions kept, in order; those dropped; output positions of the new ones.

    Examples
    --------
    ``DimShuffle((False, False), (1, 0))`` transposes a matrix, ``DimShuffle((False,), ('x', 0))`` makes a row of a vector,
    ``DimShuffle((True, False), (1,))`` a vector of a row.
    """

    _f16_ok = True
    check_input = False
    __props__ = ("input_broadcastable", "new_order", "inplace")

    def __init__(self, input_broadcastable, new_order, inplace=True):
        self.input_broadcastable = tuple(bool(b) for b in input_broadcastable)
        self.new_order = tuple(_as_index(entry) for entry in new_order)
        if inplace is not True:
            raise ValueError(
                "DimShuffle is inplace by default and hence the inplace for DimShuffle must be true"
            )
        self.inplace = inplace
        rank = len(self.input_broadcastable)
        for position, entry in enumerate(self.new_order):
            if entry != "x" and not 0 <= entry < rank:
                raise ValueError(
                    f"new_order[{position}] is {entry}, but the input only has {rank} axes."
                )
        self.shuffle = [entry for entry in self.new_order if entry != "x"]
        if len(set(self.shuffle)) != len(self.shuffle):
            raise ValueError(
                "The same input dimension may not appear twice in the list of output dimensions",
                self.new_order,
            )
        self.drop = [dim for dim in range(rank) if dim not in self.shuffle]
        if not all(self.input_broadcastable[dim] for dim in self.drop):
            raise ValueError(
                "You cannot drop a non-broadcastable dimension.", (tuple(input_broadcastable), self.new_order)
            )
        self.augment = [position for position, entry in enumerate(self.new_order) if entry == "x"]
        self.view_map = {0: [0]}

    @property
    def transposition(self):
        """The permutation of all input dimensions, those dropped last."""
        return self.shuffle + self.drop

    def __setstate__(self, state):
        self.__dict__.update(state)
        if not hasattr(self, "view_map"):
            self.view_map = {0: [0]}

    def __str__(self):
        return "InplaceDimShuffle{%s}" % ",".join(map(str, self.new_order))

    def make_node(self, _input):
        """Apply the op.

        Raises
        ------
        TypeError
            The input's broadcast pattern is not the one that the op was made for.
        """
        from theano_compat.tensor.basic import as_tensor_variable
        from theano_compat.tensor.type import TensorType

        x = as_tensor_variable(_input)
        pattern = tuple(x.type.broadcastable)
        if pattern != self.input_broadcastable:
            what = "number of dimensions" if len(pattern) != len(self.input_broadcastable) else "broadcastable pattern"
            raise TypeError(
                f"The {what} of the input is incorrect for this op. Expected {self.input_broadcastable}, got {pattern}."
            )
        return Apply(self, [x], [TensorType(dtype=x.type.dtype, broadcastable=self._output_pattern())()])

    def _output_pattern(self) -> list[bool]:
        return [True if entry == "x" else self.input_broadcastable[entry] for entry in self.new_order]

    def perform(self, node, inp, out, params=None):
        """Make the view."""
        (x,), (storage,) = inp, out
        if not isinstance(x, (np.ndarray, np.memmap)):
            raise TypeError(x)
        if self.drop and any(x.shape[dim] != 1 for dim in self.drop):
            raise ValueError(
                f"{self}: an input of shape {x.shape} cannot drop dimensions {self.drop}, which have to be of length 1."
            )
        view = x.transpose(self.shuffle + self.drop)
        lengths = iter(view.shape)
        # Only dimensions of length 1 come and go, so that reshape gives a view.
        storage[0] = np.asarray(view.reshape([1 if entry == "x" else next(lengths) for entry in self.new_order]))

    def infer_shape(self, node, shapes):
        """Pick the kept dimensions' lengths, and ones."""
        from theano_compat.tensor.basic import constant

        (shape,) = shapes
        one = constant(1, dtype="int64")
        return [tuple(one if entry == "x" else shape[entry] for entry in self.new_order)]

    def R_op(self, inputs, eval_points):
        """Shuffle the direction too."""
        if eval_points[0] is None:
            return [None]
        return self(*eval_points, return_list=True)

    def grad(self, inp, grads):
        """Shuffle the gradient back."""
        from theano_compat.tensor.basic import as_tensor_variable
        from theano_compat.tensor.elemwise_ops.elemwise_op import Elemwise

        (x,), (gz,) = inp, grads
        if x.type.dtype in scal.dtypes.DISCRETE:
            return [x.zeros_like(dtype=config.floatX)]
        from theano_compat.tensor.basic import patternbroadcast

        gz = as_tensor_variable(gz)
        ones = [one or more for one, more in zip(gz.type.broadcastable, self._output_pattern())]
        if list(gz.type.broadcastable) != ones:
            # an op in between lost the pattern; without it the dimensions that were added cannot be dropped
            gz = patternbroadcast(gz, ones)
        back = ["x"] * x.type.ndim
        for position, entry in enumerate(self.new_order):
            if entry != "x":
                back[entry] = position
        return [DimShuffle(gz.type.broadcastable, back)(Elemwise(scal.identity)(gz))]


def _as_index(entry):
    """Give an entry of a new order as an int or ``'x'``."""
    if isinstance(entry, str) and entry == "x":
        return "x"
    if isinstance(entry, (int, np.integer)):
        return int(entry)
    if hasattr(entry, "value"):
        # A symbolic constant, as old code passes.
        return int(entry.value)
    raise TypeError(
        "DimShuffle indices must be python ints. Got: '%s' of type '%s'.", entry, str(type(entry))
    )
