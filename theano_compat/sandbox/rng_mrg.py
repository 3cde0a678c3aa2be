"""The random number generator MRG31k3p: many streams, one expression each.

What a stream computes is in ``mrg31k3p.py``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat import config, gradient, tensor
from theano_compat import scalar as scal
from theano_compat.compile import optdb, shared
from theano_compat.gof import Apply, Op, ParamsType, Variable, local_optimizer
from theano_compat.gof.opt import copy_stack_trace, in2out
from theano_compat.gradient import undefined_grad
from theano_compat.sandbox import multinomial
from theano_compat.sandbox.mrg31k3p import (
    M1,
    M2,
    MASK2,
    MASK12,
    MASK13,
    MULT2,
    NORM,
    A1p72,
    A1p134,
    A2p72,
    A2p134,
    draw,
    ff_2p72,
    ff_2p134,
    matVecModM,
    mrg_next_value,
    multMatVect,
    substreams,
)
from theano_compat.scalar import bool as bool_t
from theano_compat.scalar import int32 as int_t

integer_types = (int, np.integer)
string_types = (str,)
np_int32_vals = [np.int32(shift) for shift in (0, 7, 9, 15, 16, 22, 24)]


def _to_float(drawn: np.ndarray, dtype: str) -> np.ndarray:
    """Numbers between 0 and 1 of integers 0 < z < 2^31, uint32, rounded as Theano's C code rounds them."""
    if dtype not in tensor.float_dtypes:
        raise TypeError(f"a sample has dtype float16, float32 or float64, not {dtype}")
    if dtype == "float16":
        return (((drawn & np.uint32(0x7FFF)) + np.uint32(1)).astype("float64") * np.float64(np.float16(3.0458e-05))).astype(dtype)
    return drawn.astype(dtype) * np.dtype(dtype).type(4.6566126e-10 if dtype == "float32" else NORM)


class DotModulo(Op):
    """Two products of a matrix and a vector, each modulo a number, joined: ``(A s) % m`` and ``(A2 s2) % m2``."""

    __props__ = ()

    def make_node(self, A: Any, s: Any, m: Any, A2: Any, s2: Any, m2: Any) -> Apply:
        return Apply(self, [tensor.as_tensor_variable(v) for v in (A, s, m, A2, s2, m2)], [tensor.as_tensor_variable(s).type()])

    def perform(self, node: Apply, inputs: Sequence, outputs: Sequence) -> None:
        A, s, m, A2, s2, m2 = inputs
        outputs[0][0] = np.concatenate([matVecModM(A, s, m), matVecModM(A2, s2, m2)])


class mrg_uniform_base(Op):
    """Base of the ops that draw uniform numbers.

    Parameters
    ----------
    output_type : TensorType
        The type of the sample.
    inplace : bool
        Whether the state is overwritten.
    """

    __props__ = ("output_type", "inplace")
    params_type = ParamsType(inplace=bool_t, ndim=int_t, otypenum=int_t, otype_is_float32=bool_t)

    ndim = property(lambda self: self.output_type.ndim)
    otypenum = property(lambda self: np.dtype(self.output_type.dtype).num)
    otype_is_float32 = property(lambda self: self.output_type.dtype == "float32")

    def __init__(self, output_type: Any, inplace: bool = False):
        super().__init__()
        self.warned_numpy_version = False
        self.output_type, self.inplace = output_type, inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.output_type},{'inplace' if self.inplace else 'no_inplace'}}}"

    def grad(self, inputs: Sequence, ograd: Sequence) -> list:
        return [gradient.grad_undefined(self, k, v, "No gradient defined through random sampling op") for k, v in enumerate(inputs)]

    def R_op(self, inputs: Sequence, eval_points: Sequence) -> list:
        return [None for _ in eval_points]


def _is_one(length: Any) -> bool:
    """Whether a length is known to be 1."""
    if length is None:
        return False
    try:
        return bool(tensor.get_scalar_constant_value(length) == 1)
    except tensor.NotScalarConstantError:
        return False


class mrg_uniform(mrg_uniform_base):
    """Draw uniform numbers: from states of shape (n_streams, 6) and a size the new states and the sample.

    Element i of the sample, in C order, comes from stream ``i % n_streams``.
    """

    @classmethod
    def new(cls, rstate: Any, ndim: int | None, dtype: str, size: Any) -> list:
        """Apply the op for a sample of the given dtype and size."""
        v_size = tensor.as_tensor_variable(size)
        if ndim is None:
            ndim = tensor.get_vector_length(v_size)
        lengths = list(size) if isinstance(size, (tuple, list)) else [None] * ndim
        return cls(tensor.TensorType(dtype, tuple(_is_one(length) for length in lengths)))(rstate, v_size)

    def make_node(self, rstate: Any, size: Any) -> Apply:
        rstate, size = tensor.as_tensor_variable(rstate), tensor.as_tensor_variable(size)
        return Apply(self, [rstate, size], [rstate.type(), self.output_type()])

    def infer_shape(self, node: Apply, input_shapes: Sequence) -> list:
        """The shapes of the states and of the sample."""
        size = node.inputs[1]
        return [input_shapes[0], [size[i] for i in range(self.output_type.ndim)]]

    def perform(self, node: Apply, inp: Sequence, out: Sequence, params: Any = None) -> None:
        rstate, size = inp
        size = [int(length) for length in size]
        _check_states(rstate)
        if len(size) != self.output_type.ndim:
            raise ValueError(f"size must have length {self.output_type.ndim} (not {len(size)})")
        if any(length < 0 for length in size):
            raise ValueError(f"negative dimensions are not allowed: a sample of size {tuple(size)} was asked for")
        n = math.prod(size)
        if n > M1:
            raise ValueError(f"rng_mrg does not support more than (2**31 -1) samples; {n} were asked for")
        if n and not len(rstate):
            raise ValueError("rstate must have rows, it has none")
        drawn, states = draw(rstate, n)
        out[1][0] = _to_float(drawn, self.output_type.dtype).reshape(size)
        if self.inplace:
            rstate[...] = states
            states = rstate
        out[0][0] = states


def _check_states(rstate: Any) -> None:
    """Refuse what is no int32 array of shape (n_streams, 6)."""
    if rstate.ndim != 2:
        raise ValueError(f"rstate must be matrix, it has {rstate.ndim} dimensions")
    if rstate.shape[1] != 6:
        raise ValueError(f"rstate must have 6 columns, it has {rstate.shape[1]}")
    if rstate.dtype != np.int32:
        raise ValueError(f"rstate must be int32, it is {rstate.dtype}")


def guess_n_streams(size: Any, warn: bool = False) -> int:
    """A good number of streams for samples of a size.

    Parameters
    ----------
    size : tuple or Variable
        The size of the samples.
    warn : bool
        Warn when the size is not known.
    """
    if isinstance(size, (tuple, list)) and all(isinstance(s, integer_types) for s in size):
        n = 1
        for s in size:
            n *= int(s)
        # A stream gives six numbers of a large sample.
        return min(n // 6 if n > 6 else n, 60 * 256)
    if warn:
        warnings.warn(
            f"The size {size} of the sample is not known, so that {60 * 256} streams are used; give nstreams to "
            "choose their number", stacklevel=3,
        )  # fmt: skip
    return 60 * 256


def _checked_size(size: Any) -> Any:
    """A size as tuples and symbolic vectors give it, or an error."""
    if isinstance(size, tuple):
        msg = "size must be a tuple of int or a Theano variable"
        assert all(isinstance(i, (*integer_types, Variable)) for i in size), msg
        _refuse_empty(size)
    elif not (isinstance(size, Variable) and size.ndim == 1):
        raise TypeError(f"size must be a tuple of int or a Theano Variable with 1 dimension, got {size} of type {type(size)}")
    return size


def _refuse_empty(size: Any) -> None:
    if any(isinstance(i, integer_types) and i <= 0 for i in size):
        raise ValueError("The specified size contains a dimension with value <= 0", size)


class MRG_RandomStreams:
    """A source of random expressions on MRG31k3p.

    Parameters
    ----------
    seed : int or sequence of six int
        Where the streams begin; an int stands for six times itself.

    Notes
    -----
    Every sample has states of its own in a shared variable, which functions that compute it update.

    Examples
    --------
    >>> import theano_compat as theano
    >>> streams = MRG_RandomStreams(seed=1234)
    >>> f = theano.function([], streams.uniform((2, 3)))
    >>> f().round(4).tolist()
    [[0.3726, 0.6577, 0.5925], [0.3193, 0.7798, 0.0302]]
    """

    def __init__(self, seed: Any = 12345):
        self.state_updates: list[tuple] = []
        self.default_instance_seed = seed
        self.set_rstate(seed)

    def updates(self) -> list[tuple]:
        """For each sample so far: its states, their update, its size and the number of streams asked for."""
        return list(self.state_updates)

    def set_rstate(self, seed: Any) -> None:
        """Set where the next sample's states begin, from an int or six."""
        if isinstance(seed, integer_types):
            if seed == 0:
                raise ValueError("seed should not be 0", seed)
            if seed >= M2:
                raise ValueError(f"seed should be less than {M2}", seed)
            self.rstate = np.asarray([seed] * 6, dtype="int32")
            return
        if len(seed) != 6:
            raise TypeError("seed should be 1 integer or 6 integers")
        for which, part, bound in (("first", seed[:3], M1), ("last", seed[3:], M2)):
            if all(s == 0 for s in part):
                raise ValueError(f"The {which} 3 values of seed should not be all 0", seed)
            if any(s >= bound for s in part):
                raise ValueError(f"The {which} 3 values of seed should be less than {bound}", seed)
        self.rstate = np.asarray(seed, dtype="int32")

    def seed(self, seed: Any = None) -> None:
        """Begin again: the states of every sample so far are set, in the order in which they were made.

        Parameters
        ----------
        seed : int or sequence of six int, optional
            That of the constructor by default.
        """
        self.set_rstate(self.default_instance_seed if seed is None else seed)
        for old, new, size, nstreams in self.state_updates:
            n = self.n_streams(size) if nstreams is None else nstreams
            old.set_value(self.get_substream_rstates(n, new.owner.outputs[1].dtype), borrow=True)

    def inc_rstate(self) -> None:
        """Move on to where the next sample's states begin."""
        self.rstate = ff_2p134(self.rstate)

    @config.change_flags(compute_test_value="off")
    def get_substream_rstates(self, n_streams: int, dtype: str, inc_rstate: bool = True) -> np.ndarray:
        """The states of a sample.

        Parameters
        ----------
        n_streams : int
            How many.
        dtype : str
            That of the sample.
        inc_rstate : bool
            Move on afterwards.

        Returns
        -------
        ndarray
            Of shape (n_streams, 6), int32.
        """
        assert isinstance(dtype, str)
        assert 0 < n_streams < 2**72
        states = substreams(self.rstate, int(n_streams))
        if inc_rstate:
            self.inc_rstate()
        return states

    def n_streams(self, size: Any) -> int:
        """How many streams a sample of a size gets."""
        return guess_n_streams(size)

    def pretty_return(self, node_rstate: Any, new_rstate: Any, sample: Any, size: Any, nstreams: int | None) -> Any:
        """Note how a sample's states are updated, and return the sample."""
        sample.rstate = node_rstate
        sample.update = (node_rstate, new_rstate)
        node_rstate.default_update = new_rstate
        self.state_updates.append((node_rstate, new_rstate, size, nstreams))
        return sample

    def uniform(self, size: Any, low: Any = 0.0, high: Any = 1.0, ndim: int | None = None, dtype: str | None = None, nstreams: int | None = None, **kwargs: Any) -> Any:
        """Numbers between `low` and `high`, both excluded in float64.

        Parameters
        ----------
        size : tuple of int or Variable, or Variable
            The shape of the sample.
        low, high : number or Variable
            The bounds, broadcast to the sample.
        ndim : int, optional
            The number of dimensions, where `size` does not tell.
        dtype : str, optional
            By default that of the bounds and ``floatX``.
        nstreams : int, optional
            How many streams the sample is drawn from.

        Returns
        -------
        Variable
            The sample.
        """
        low, high = tensor.as_tensor_variable(low), tensor.as_tensor_variable(high)
        if dtype is None:
            dtype = scal.upcast(config.floatX, low.dtype, high.dtype)
        low, high = (undefined_grad(tensor.cast(bound, dtype)) for bound in (low, high))
        size = _checked_size(size)
        n = self.n_streams(size) if nstreams is None else nstreams
        target = {name: value for name, value in [("target", kwargs.pop("target", None))] if value is not None}
        if kwargs:
            raise TypeError(f"uniform() got unexpected keyword arguments {kwargs.keys()}")
        node_rstate = shared(self.get_substream_rstates(n, dtype), **target)
        u = self.pretty_return(node_rstate, *mrg_uniform.new(node_rstate, ndim, dtype, size), size=size, nstreams=nstreams)
        r = u * (high - low) + low
        if u.type.broadcastable != r.type.broadcastable:
            raise NotImplementedError("Increase the size to match the broadcasting pattern of `low` and `high` arguments")
        assert r.dtype == dtype
        return r

    def binomial(self, size: Any = None, n: Any = 1, p: Any = 0.5, ndim: int | None = None, dtype: str = "int64", nstreams: int | None = None, **kwargs: Any) -> Any:
        """Zeros and ones, each 1 with probability `p`; `n` has to be 1."""
        if n != 1:
            raise NotImplementedError("MRG_RandomStreams.binomial with n > 1")
        p = undefined_grad(tensor.as_tensor_variable(p))
        # Half precision would be too coarse to compare with.
        draw = "float32" if dtype == "float32" and p.dtype == "float32" else None
        x = self.uniform(size=size, ndim=ndim, nstreams=nstreams, dtype=draw, **kwargs)
        return tensor.cast(x < p, dtype)

    def multinomial(self, size: Any = None, n: Any = 1, pvals: Any = None, ndim: int | None = None, dtype: str = "int64", nstreams: int | None = None, **kwargs: Any) -> Any:
        """For each row of probabilities how often each outcome is drawn in `n` draws.

        Parameters
        ----------
        n : int or Variable
            The number of draws.
        pvals : Variable
            Shape (rows, outcomes).

        Returns
        -------
        Variable
            Shape (rows, outcomes).
        """
        if pvals is None:
            raise TypeError("You have to specify pvals")
        pvals = undefined_grad(tensor.as_tensor_variable(pvals))
        if size is not None:
            _refuse_empty(size if isinstance(size, (tuple, list)) else ())
            raise ValueError("Provided a size argument to MRG_RandomStreams.multinomial, which does not use the size argument.")
        if ndim is not None:
            raise ValueError("Provided an ndim argument to MRG_RandomStreams.multinomial, which does not use the ndim argument.")
        if pvals.ndim != 2:
            raise NotImplementedError("MRG_RandomStreams.multinomial only implemented for pvals.ndim = 2")
        n = tensor.as_tensor_variable(n)
        unis = self.uniform(size=pvals[:, 0].shape * n, ndim=1, nstreams=nstreams, **kwargs)
        return multinomial.MultinomialFromUniform(dtype)(pvals, unis, n)

    def choice(self, size: Any = 1, a: Any = None, replace: bool = True, p: Any = None, ndim: int | None = None, dtype: str = "int64", nstreams: int | None = None, **kwargs: Any) -> Any:
        """For each row of probabilities `size` different outcomes.

        Parameters
        ----------
        size : int or Variable
            How many.
        a : None
            The outcomes are ``0 .. p.shape[1] - 1``.
        replace : bool
            Has to be False.
        p : Variable
            Shape (rows, outcomes).

        Returns
        -------
        Variable
            Shape (rows, size).
        """
        if replace:
            raise NotImplementedError("MRG_RandomStreams.choice only works without replacement for now.")
        if a is not None:
            raise TypeError("For now, a has to be None in MRG_RandomStreams.choice. Sampled values are between 0 and p.shape[1]-1")
        if p is None:
            raise TypeError("For now, p has to be specified in MRG_RandomStreams.choice.")
        p = undefined_grad(tensor.as_tensor_variable(p))
        if ndim is not None:
            raise ValueError("ndim argument to MRG_RandomStreams.choice is not used.")
        if p.ndim != 2:
            raise NotImplementedError("MRG_RandomStreams.choice is only implemented for p.ndim = 2")
        size = tensor.as_tensor_variable(size)
        unis = self.uniform(size=p[:, 0].shape * size, ndim=1, nstreams=nstreams, **kwargs)
        return multinomial.ChoiceFromUniform(odtype=dtype)(p, unis, size)

    def multinomial_wo_replacement(self, size: Any = None, n: Any = 1, pvals: Any = None, ndim: int | None = None, dtype: str = "int64", nstreams: int | None = None, **kwargs: Any) -> Any:
        """The old name of :meth:`choice`."""
        warnings.warn(
            "MRG_RandomStreams.multinomial_wo_replacement() is deprecated and will be removed in the next release of Theano. "
            "Please use MRG_RandomStreams.choice() instead.", stacklevel=2,
        )  # fmt: skip
        assert size is None, "multinomial_wo_replacement takes no size"
        return self.choice(size=n, a=None, replace=False, p=pvals, dtype=dtype, nstreams=nstreams, ndim=ndim, **kwargs)

    def normal(self, size: Any, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: str | None = None, nstreams: int | None = None, truncate: bool = False, **kwargs: Any) -> Any:
        """Normal numbers, by the method of Box and Muller.

        Parameters
        ----------
        size : int or tuple or list of int and Variable, or Variable
            The shape of the sample.
        avg, std : number or Variable
            Mean and standard deviation, broadcast to the sample.
        ndim, dtype, nstreams
            As for :meth:`uniform`.
        truncate : bool
            Only numbers within two standard deviations of the mean (of the distribution that is cut).

        Returns
        -------
        Variable
            The sample.
        """
        size = _normal_size(size)
        avg, std = (undefined_grad(tensor.as_tensor_variable(v)) for v in (avg, std))
        if dtype is None:
            dtype = scal.upcast(config.floatX, avg.dtype, std.dtype)
        avg, std = tensor.cast(avg, dtype), tensor.cast(std, dtype)

        def draw(n: Any, low: Any = 0.0) -> Any:
            return self.uniform((n,), low=low, high=1.0, ndim=1, dtype=dtype, nstreams=nstreams, **kwargs)

        # Pairs of numbers make pairs: one more is drawn for an odd count.
        wanted = tensor.prod(size, dtype="int64")
        count = wanted + wanted % 2
        uniform = draw(count)
        radius = tensor.sqrt(-2.0 * tensor.log(uniform[: count // 2]))
        theta = np.array(2.0 * np.pi, dtype=dtype) * uniform[count // 2 :]
        directions = [tensor.cos(theta), tensor.sin(theta)]
        parts = [radius * directions[0], radius * directions[1]]
        if truncate:
            parts = _within_two(parts, directions, draw, dtype)
        samples = tensor.join(0, *parts)[:wanted]
        samples = tensor.reshape(samples, newshape=size, ndim=ndim)
        samples = samples * std + avg
        return samples

    def truncated_normal(self, size: Any, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: str | None = None, nstreams: int | None = None, **kwargs: Any) -> Any:
        """Normal numbers cut off at two standard deviations, spread so that their own deviation is `std`."""
        # The deviation of a standard normal distribution that is cut at two.
        std = tensor.as_tensor_variable(std) / tensor.constant(0.87962566103423978)
        return self.normal(size=size, avg=avg, std=std, truncate=True, ndim=ndim, dtype=dtype, nstreams=nstreams, **kwargs)


def _within_two(parts: list, directions: list, draw: Any, dtype: str) -> list:
    """Numbers of which those beyond two were drawn again, in the same directions with shorter radii."""
    beyond = [(z < -2.0) | (z > 2.0) for z in parts]
    kept = [z[tensor.nonzero(~bad)] for z, bad in zip(parts, beyond)]
    places = [tensor.nonzero(bad)[0] for bad in beyond]
    least = tensor.constant(1.0 / np.e**2, dtype=dtype)
    radius = tensor.sqrt(-2.0 * tensor.log(draw(places[0].size + places[1].size, low=least)))
    again = [
        radius[: places[0].size] * directions[0][places[0]],
        radius[places[0].size :] * directions[1][places[1]],
    ]
    return [kept[0], again[0], kept[1], again[1]]


def _normal_size(size: Any) -> Any:
    """A size in any of its forms as a vector."""
    if isinstance(size, Variable):
        if size.ndim == 1:
            return size
        if size.ndim == 0:
            return tensor.stack([size])
        raise ValueError("Theano variable must have 1 dimension to be a valid size.", size)
    if isinstance(size, integer_types):
        return tensor.constant([int(size)], ndim=1)
    if not isinstance(size, (tuple, list)):
        raise ValueError("Size must be a int, tuple, list or Theano variable.", size)
    for length in size:
        if not isinstance(length, (Variable, *integer_types)):
            raise ValueError("Only Theano variables and integers are allowed in a size-tuple.", size, length)
        if isinstance(length, Variable) and length.ndim:
            raise ValueError("Non-scalar Theano variable in size", size, length)
        if not isinstance(length, Variable) and length <= 0:
            raise ValueError("Non-positive dimensions not allowed in size.", size, length)
    return tensor.as_tensor_variable(size, ndim=1)


@local_optimizer([mrg_uniform], inplace=True)
def mrg_random_make_inplace(node: Apply) -> Any:
    """Overwrite the states where nobody else reads them."""
    op = node.op
    if not isinstance(op, mrg_uniform) or op.inplace:
        return False
    new_outputs = type(op)(op.output_type, inplace=True).make_node(*node.inputs).outputs
    for old, new in zip(node.outputs, new_outputs):
        copy_stack_trace(old, new)
    return new_outputs


optdb.register("random_make_inplace_mrg", in2out(mrg_random_make_inplace, ignore_newtrees=True), 99, "fast_run", "inplace")


__all__ = [
    "A1p134", "A1p72", "A2p134", "A2p72", "DotModulo", "M1", "M2", "MASK12", "MASK13", "MASK2", "MRG_RandomStreams", "MULT2", "NORM",
    "ff_2p134", "ff_2p72", "guess_n_streams", "matVecModM", "mrg_next_value", "mrg_uniform", "mrg_uniform_base", "multMatVect",
]  # fmt: skip
