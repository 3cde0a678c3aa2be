"""`Sum` and `Prod`, and the helpers that the gradient of a product with zeros needs."""
from __future__ import annotations

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.scalar import BinaryScalarOp
from theano_compat.scalar.dtypes import DISCRETE
from theano_compat.tensor.elemwise_ops.careduce import CAReduceDtype
from theano_compat.tensor.elemwise_ops.dimshuffle import DimShuffle
from theano_compat.tensor.elemwise_ops.elemwise_op import Elemwise


class _Expander:
    """Gives reduced tensors their lost dimensions back, with length one."""

    def __init__(self, x, axis):
        reduced = range(x.type.ndim) if axis is None else axis
        kept = iter(range(x.type.ndim))
        self.order = ["x" if dim in reduced else next(kept) for dim in range(x.type.ndim)]

    def __call__(self, reduced):
        return DimShuffle(reduced.type.broadcastable, self.order)(reduced)


class Sum(CAReduceDtype):
    """Sum along axes.

    Parameters
    ----------
    axis : None, int or sequence of int
        Axes to sum along; None for all.
    dtype : str, optional
        Dtype of the result; default: 64-bit for whole numbers, else the input's.
    acc_dtype : str, optional
        Dtype of the running sum; default: 64-bit for whole numbers, the next wider one for floats.
    """

    __props__ = ("axis", "dtype", "acc_dtype")
    nfunc_spec = ("sum", 1, 1)

    def __init__(self, axis=None, dtype=None, acc_dtype=None):
        super().__init__(scal.add, axis=axis, dtype=dtype, acc_dtype=acc_dtype)

    def __str__(self):
        return CAReduceDtype.__str__(self)

    def L_op(self, inp, out, grads):
        """Spread the gradient over the elements summed; zero where the sum is whole."""
        from theano_compat.tensor.basic import as_tensor_variable

        (x,), (gz,) = inp, grads
        if out[0].type.dtype in DISCRETE:
            return [x.zeros_like(dtype=config.floatX)]
        gz = as_tensor_variable(gz)
        return [Elemwise(scal.second)(x, _Expander(x, self.axis)(gz))]

    def grad(self, inp, grads):
        """As `L_op`."""
        return self.L_op(inp, [self(*inp)], grads)

    def R_op(self, inputs, eval_points):
        """Sum the direction; what is made of integers has none."""
        if None in eval_points or inputs[0].type.dtype in DISCRETE:
            return [None]
        return self(*eval_points, return_list=True)


class Prod(CAReduceDtype):
    """Product along axes.

    Parameters
    ----------
    axis : None, int or sequence of int
    dtype, acc_dtype : str, optional
        As for `Sum`.
    no_zeros_in_input : bool
        Promise that no element is zero, which makes the gradient simpler.
    """

    __props__ = ("axis", "dtype", "acc_dtype")
    nfunc_spec = ("prod", 1, 1)

    def __init__(self, axis=None, dtype=None, acc_dtype=None, no_zeros_in_input=False):
        super().__init__(scal.mul, axis=axis, dtype=dtype, acc_dtype=acc_dtype)
        self.no_zeros_in_input = no_zeros_in_input

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("no_zeros_in_input", False)

    def __str__(self):
        return _with_props(self)

    def L_op(self, inp, out, grads):
        """Give each element the gradient times the product of all others.

        Notes
        -----
        Without zeros that is the product divided by the element. With one zero in a group only the zero gets a
        gradient, the product of the others; with more, none does.
        """
        from theano_compat.tensor.basic import as_tensor_variable, eq, neq, switch
        from theano_compat.tensor.basic import sum as tensor_sum

        (x,), (gz,) = inp, grads
        if out[0].type.dtype in DISCRETE or self.acc_dtype in DISCRETE:
            return [x.zeros_like(dtype=config.floatX)]
        expand = _Expander(x, self.axis)
        gz = expand(as_tensor_variable(gz))
        product = expand(self(x))
        no_zeros = gz * product / x
        if self.no_zeros_in_input:
            return [no_zeros]
        is_zero = eq(x, 0.0)
        zeros = tensor_sum(is_zero, axis=self.axis)
        one_zero, none = expand(eq(zeros, 1)), expand(eq(zeros, 0))
        others = ProdWithoutZeros(axis=self.axis, dtype=self.dtype, acc_dtype=self.acc_dtype)(
            one_zero * neq(gz, 0.0) * x
        )
        at_the_zero = switch(one_zero * is_zero, expand(others), 0.0) * gz
        return [switch(none, no_zeros, at_the_zero)]

    def grad(self, inp, grads):
        """As `L_op`."""
        return self.L_op(inp, [self(*inp)], grads)

    def R_op(self, inputs, eval_points):
        """Move the product by the sum of its partial derivatives times the direction."""
        (direction,) = eval_points
        if direction is None:
            return [None]
        out = self(*inputs)
        (partial,) = self.L_op(inputs, [out], [out.ones_like()])
        return [Sum(axis=self.axis, dtype=out.type.dtype)(partial * direction)]


def _with_props(op) -> str:
    return f"{type(op).__name__}{{axis={op.axis}, dtype={op.dtype!r}, acc_dtype={op.acc_dtype!r}}}"


class MulWithoutZeros(BinaryScalarOp):
    """Product in which zeros count as ones, except that two zeros give zero."""

    identity = 1.0
    commutative = True
    associative = True

    def impl(self, x, y):
        """Multiply, skipping a zero."""
        if x == 0:
            return y
        return x if y == 0 else x * y

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Multiply, skipping a zero."""
        x, y = scal.ctext.cast_all(inputs, in_dtypes, out_dtype)
        product = scal.ctext.chain("*", inputs, in_dtypes, out_dtype)
        return f"({x} == 0 ? {y} : {y} == 0 ? {x} : {product})"


mul_without_zeros = MulWithoutZeros(scal.upcast_out, name="mul_without_zeros")


class ProdWithoutZeros(CAReduceDtype):
    """Product of the elements along axes that are not zero; zero where all are.

    Parameters
    ----------
    axis : None, int or sequence of int
    dtype, acc_dtype : str, optional
        As for `Sum`.
    """

    __props__ = ("axis", "dtype", "acc_dtype")

    def __init__(self, axis=None, dtype=None, acc_dtype=None):
        super().__init__(mul_without_zeros, axis=axis, dtype=dtype, acc_dtype=acc_dtype)

    def __str__(self):
        return _with_props(self)

    def _fold(self, x, axes, acc):
        import numpy as np

        from theano_compat.tensor.elemwise_ops.evaluate import cast_array

        x = cast_array(x, acc)
        zero = x == 0
        product = np.multiply.reduce(np.where(zero, np.ones((), acc), x), axis=axes, dtype=acc)
        return np.where(np.all(zero, axis=axes), np.zeros((), acc), product)

    def grad(self, inp, grads):
        """Not available: it serves the first derivative of `Prod`."""
        from theano_compat.gradient import grad_not_implemented

        (x,) = inp
        return [
            grad_not_implemented(
                self,
                0,
                x,
                "2nd derivatives of `product(a)` is not currently supported. If `a` is guaranteed to contains no "
                "zeros, use `product(a, no_zeros_in_input=True)`.",
            )
        ]
