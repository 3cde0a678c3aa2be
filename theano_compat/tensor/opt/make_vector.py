"""`MakeVector`: a vector from scalars, which is what symbolic shapes are made of."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.tensor import basic as T


class MakeVector(Op):
    """Concatenate scalars to a vector.

    Parameters
    ----------
    dtype : str
        Of the result; inputs are upcast to it.
    """

    __props__ = ("dtype",)

    def __init__(self, dtype="int64"):
        self.dtype = dtype

    def make_node(self, *inputs):
        inputs = [T.as_tensor_variable(variable) for variable in inputs]
        for variable in inputs:
            if variable.ndim != 0:
                raise TypeError(f"MakeVector takes scalars, not {variable.type}.")
        if any(variable.dtype != self.dtype for variable in inputs):
            upcast = scal.upcast(self.dtype, *[variable.dtype for variable in inputs])
            if upcast != self.dtype:
                raise AssertionError(
                    f"The upcast of the inputs to MakeVector should match the dtype given in __init__: {upcast}, {self.dtype}"
                )
            inputs = [T.cast(variable, self.dtype) for variable in inputs]
        type_ = T.TensorType(dtype=self.dtype, broadcastable=(False,))
        return Apply(self, inputs, [type_()])

    def perform(self, node, inputs, out_):
        (storage,) = out_
        # Always a fresh array: the old one may be in use elsewhere.
        storage[0] = np.array(inputs, dtype=node.outputs[0].dtype).reshape(len(inputs))

    def infer_shape(self, node, ishapes):
        return [(len(node.inputs),)]

    def grad(self, inputs, output_gradients):
        if self.dtype in T.discrete_dtypes:
            from theano_compat import config

            return [variable.zeros_like().astype(config.floatX) for variable in inputs]
        (gradient,) = output_gradients
        return [gradient[i] for i in range(len(inputs))]

    def R_op(self, inputs, eval_points):
        if self.dtype in T.discrete_dtypes or all(point is None for point in eval_points):
            return [None]
        points = [T.zeros_like(v) if p is None else p for v, p in zip(inputs, eval_points)]
        return self.make_node(*points).outputs

    def c_code_cache_version(self):
        return (3,)


class MakeVectorPrinter:
    """Print as a list: ``[a, b]``."""

    def process(self, r, pstate):
        """Return the text of a variable made by `MakeVector`."""
        if r.owner is None:
            raise TypeError("Can only print make_vector.")
        if not isinstance(r.owner.op, MakeVector):
            raise TypeError("Can only print make_vector.")
        old_precedence = getattr(pstate, "precedence", None)
        try:
            pstate.precedence = 1000
            parts = [pstate.pprinter.process(variable) for variable in r.owner.inputs]
        finally:
            pstate.precedence = old_precedence
        return f"[{', '.join(parts)}]"


make_vector = MakeVector()


def _register_printer():
    from theano_compat.printing import pprint

    pprint.assign(lambda pstate, r: r.owner and isinstance(r.owner.op, MakeVector), MakeVectorPrinter())


_register_printer()

__all__ = ["MakeVector", "MakeVectorPrinter", "make_vector"]
