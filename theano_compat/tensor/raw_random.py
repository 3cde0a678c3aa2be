"""Random numbers by NumPy's ``RandomState``, as expressions.

A generator is a value of type :data:`random_state_type`. Each function here takes one and returns
the pair ``(new generator, sample)``; nothing is drawn before the compiled function runs. Users mostly
want :class:`theano_compat.tensor.shared_randomstreams.RandomStreams`, which keeps the generators in
shared variables.
"""

from __future__ import annotations

import sys
from copy import copy

import numpy as np

import theano_compat as theano
from theano_compat import config, tensor
from theano_compat import scalar as scal
from theano_compat.compile.mode import optdb
from theano_compat.gof import Apply, Op, Type, Variable
from theano_compat.gof.opt import copy_stack_trace, in2out, local_optimizer
from theano_compat.gradient import grad_undefined
from theano_compat.tensor import basic as tb
from theano_compat.tensor.type_other import NoneTypeT

__all__ = [
    "RandomFunction",
    "RandomStateType",
    "RandomStreamsBase",
    "binomial",
    "choice",
    "choice_helper",
    "multinomial",
    "multinomial_helper",
    "normal",
    "np",
    "optdb",
    "permutation",
    "permutation_helper",
    "poisson",
    "random_integers",
    "random_integers_helper",
    "random_make_inplace",
    "random_state_type",
    "string_types",
    "sys",
    "tensor",
    "theano",  # programs that say "from theano.tensor.raw_random import *" have these four from it
    "uniform",
]

string_types = (str,)


class RandomStateType(Type):
    """Type of values that are a :class:`numpy.random.RandomState`."""

    def __str__(self):
        return "RandomStateType"

    def filter(self, data, strict=False, allow_downcast=None):
        if self.is_valid_value(data):
            return data
        raise TypeError()

    def is_valid_value(self, a) -> bool:
        return type(a) is np.random.RandomState

    def values_eq(self, a, b) -> bool:
        """Compare the algorithm, its key and position, and the cached normal number."""
        return all(
            np.array_equal(mine, other) for mine, other in zip(a.get_state(), b.get_state())
        )

    def get_shape_info(self, obj):
        return None

    def get_size(self, shape_info) -> int:
        """Give the size of a generator in bytes; the same for every one."""
        return _generator_bytes()

    @staticmethod
    def may_share_memory(a, b) -> bool:
        return a is b


def _generator_bytes() -> int:
    return sum(
        part.nbytes if isinstance(part, np.ndarray) else sys.getsizeof(part)
        for part in np.random.RandomState(0).get_state()
    )


random_state_type = RandomStateType()


class RandomFunction(Op):
    """Draw a sample from a generator.

    Parameters
    ----------
    fn
        Name of a method of ``RandomState``, or a function ``fn(generator, *args, shape)``.
    outtype
        Type of the sample.
    inplace
        Advance the given generator instead of a copy.
    ndim_added
        Number of dimensions that a sample has beyond the length of the shape.

    Notes
    -----
    Inputs are the generator, an integer vector with the shape, and the parameters of the
    distribution. Outputs are the advanced generator and the sample.
    """

    __props__ = ("fn", "outtype", "inplace", "ndim_added")

    def __init__(self, fn, outtype, inplace=False, ndim_added=0):
        self.__setstate__([fn, outtype, inplace, ndim_added])

    def __getstate__(self):
        return [self.fn, self.outtype, self.inplace, self.ndim_added]

    def __setstate__(self, state):
        self.fn, self.outtype, self.inplace, self.ndim_added = state
        by_name = isinstance(self.fn, str)
        self.exec_fn = getattr(np.random.RandomState, self.fn) if by_name else self.fn
        if self.inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        name = self.fn if isinstance(self.fn, str) else self.exec_fn.__name__
        return f"{type(self).__name__}{{{name}}}"

    def make_node(self, r, shape, *args):
        shape = tb.as_tensor_variable(shape, ndim=1)
        if shape.type.broadcastable == (False,) and shape.dtype != "int64":
            shape = tb.cast(shape, "int64")
        elif shape.dtype not in ("int64", "int32"):
            shape = shape.astype("int64")
        if not isinstance(r.type, RandomStateType):
            print("WARNING: RandomState instances should be in RandomStateType", file=sys.stderr)
        args = [
            arg
            if isinstance(arg, Variable) and isinstance(arg.type, NoneTypeT)
            else tb.as_tensor_variable(arg)
            for arg in args
        ]
        return Apply(self, [r, shape, *args], [r.type(), self.outtype()])

    def perform(self, node, inputs, out_):
        new_generator, sample = out_
        generator, shape, *args = inputs
        if type(generator) is not np.random.RandomState:
            raise TypeError(f"expected a numpy.random.RandomState, got {type(generator)}")
        if len(shape) != self.outtype.ndim - self.ndim_added:
            raise ValueError(
                f"Shape mismatch: self.outtype.ndim ({self.outtype.ndim}) != len(shape)"
                f" ({len(shape)}) + self.ndim_added ({self.ndim_added})"
            )
        if not self.inplace:
            generator = _copy_generator(generator)
        values = self.exec_fn(generator, *args, tuple(int(extent) for extent in shape))
        values = np.asarray(values, dtype=self.outtype.dtype)
        if values.ndim != self.outtype.ndim:
            raise ValueError(
                f'Shape mismatch: "out" should have dimension {self.outtype.ndim}, but the value'
                f' produced by "perform" has dimension {values.ndim}'
            )
        new_generator[0] = generator
        sample[0] = values

    def infer_shape(self, node, i_shapes):
        if self.ndim_added > 0:
            return [None, self._shape_with_event(node)]
        shape = node.inputs[1]
        return [None, [shape[k] for k in range(node.outputs[1].ndim)]]

    def _shape_with_event(self, node) -> list:
        """Shape of samples that are vectors: their length is a parameter, or the length of one."""
        shape, *args = node.inputs[1:]
        if self.fn is permutation_helper:
            extent = args[0]
        elif self.fn is multinomial_helper:
            extent = args[1].shape[args[1].ndim - 1]
        else:
            raise tb.ShapeError("the shape of the sample depends on the values of the parameters")
        return [shape[k] for k in range(node.outputs[1].ndim - 1)] + [extent]

    def grad(self, inputs, outputs):
        return [
            grad_undefined(
                self, k, inp, "No gradient defined through raw random numbers op"
            )
            for k, inp in enumerate(inputs)
        ]

    def R_op(self, inputs, eval_points):
        return [None for _ in eval_points]


def _copy_generator(generator):
    """Copy a generator; several times faster than ``copy.copy``, which goes through a pickle."""
    if generator.get_state(legacy=False)["bit_generator"] != "MT19937":
        return copy(generator)
    twin = np.random.RandomState(0)
    twin.set_state(generator.get_state(legacy=False))
    return twin


# -- shapes ----------------------------------------------------------------------------------------


def _extent_from_args(position: int, ndim: int, args) -> tuple:
    """Find the extent of a dimension given as -1 in those of the parameters."""
    overlaps = False
    for arg in args:
        axis = position + arg.ndim - ndim
        if axis < 0:
            continue
        overlaps = True
        if not arg.broadcastable[axis]:
            return arg.shape[axis], False
    if not overlaps:
        raise ValueError(
            "Auto-shape of -1 must overlap"
            "with the shape of one of the broadcastable"
            "inputs"
        )
    return tb.as_tensor_variable(np.asarray(1, dtype="int64")), True


def _from_sequence(ndim, shape, args) -> tuple:
    """Handle a shape that is a list or tuple of extents."""
    if ndim is None:
        ndim = len(shape)
    elif ndim != len(shape):
        raise ValueError(
            "ndim should be equal to len(shape), but\n",
            f"ndim = {ndim}, len(shape) = {len(shape)}, shape = {shape}",
        )
    extents, pattern = [], []
    for position, extent in enumerate(shape):
        if isinstance(extent, Variable):
            extents.append(extent)
            pattern.append(False)
        elif extent >= 0:
            extents.append(tb.as_tensor_variable(extent))
            pattern.append(extent == 1)
        elif extent == -1:
            found, one = _extent_from_args(position, ndim, args)
            extents.append(found)
            pattern.append(one)
        else:
            raise AssertionError("negative shape", extent)
    if extents:
        return ndim, tb.as_tensor_variable(extents), tuple(pattern)
    return 0, tb.constant([], dtype="int64"), ()


def _infer_ndim_bcast(ndim, shape, *args) -> tuple:
    """Find the rank, the shape and the broadcast pattern of a sample.

    Parameters
    ----------
    ndim
        What the user says, or None.
    shape
        A list or tuple of extents (-1: that of the parameters), an integer vector, or None for
        the common shape of the parameters.
    *args
        The parameters of the distribution.

    Returns
    -------
    tuple
        ``(int, integer vector, tuple of bool)``
    """
    args_ndim = max((arg.ndim for arg in args), default=0)
    if isinstance(shape, (tuple, list)):
        ndim, v_shape, pattern = _from_sequence(ndim, shape, args)
    elif shape is None:
        if not args:
            raise TypeError("_infer_ndim_bcast cannot infer shape without either shape or args")
        template = args[0]
        for arg in args[1:]:
            template = template + arg
        v_shape = template.shape
        pattern = tuple(template.broadcastable)
        ndim = template.ndim
    else:
        v_shape = tb.as_tensor_variable(shape)
        if v_shape.ndim != 1:
            raise TypeError(f"shape must be a vector or list of scalar, got '{v_shape}'")
        if ndim is None:
            ndim = tb.get_vector_length(v_shape)
        pattern = (False,) * ndim
    if v_shape.ndim != 1:
        raise TypeError(f"shape must be a vector or list of scalar, got '{v_shape}'")
    if v_shape.dtype not in tb.integer_dtypes:
        raise TypeError("shape must be an integer vector or list", v_shape.dtype)
    if args_ndim > ndim:
        raise ValueError(
            "ndim should be at least as big as required by args value", (ndim, args_ndim), args
        )
    return ndim, v_shape, pattern


def _full_shape(size, *params) -> tuple:
    """Give the shape of a sample and the parameters, both of its rank."""
    ndims = [param.ndim for param in params]
    size = tuple(size) if size is not None else ()
    rank = max([len(size), *ndims])
    params = [p.reshape((1,) * (rank - p.ndim) + p.shape) for p in params]
    if not size:
        size = np.broadcast_shapes(*(p.shape for p in params)) if params else ()
    shapes = tuple(p.shape for p in params)
    for shape in shapes:
        for axis, extent in enumerate(shape):
            if extent not in (1, size[axis]):
                raise ValueError(
                    f"shape[{axis}] ({extent}) should be equal to out_shape[{axis}]"
                    f" ({size[axis]}) or to 1",
                    shape,
                    size,
                    shapes,
                )
    return size, [np.broadcast_to(p, size) for p in params]


# -- distributions ---------------------------------------------------------------------------------


def _float_dtype(dtype, *params) -> str:
    return scal.upcast(config.floatX, *(p.dtype for p in params)) if dtype is None else dtype


def uniform(random_state, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
    """Sample uniformly from ``[low, high)``.

    Parameters
    ----------
    random_state
        A generator variable.
    size
        Shape of the sample; None for the common shape of the parameters.
    low, high
        Bounds, broadcast against `size`.
    ndim
        Rank of the sample, needed where `size` is a vector of unknown length.
    dtype
        Of the sample; by default what ``floatX`` and the bounds have in common.

    Returns
    -------
    list
        The advanced generator and the sample.
    """
    low, high = tb.as_tensor_variable(low), tb.as_tensor_variable(high)
    dtype = _float_dtype(dtype, low, high)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size, low, high)
    op = RandomFunction("uniform", tb.TensorType(dtype=dtype, broadcastable=pattern))
    return op(random_state, size, low, high)


def normal(random_state, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
    """Sample from normal distributions of mean `avg` and standard deviation `std`.

    See :func:`uniform` for the other parameters and the result.
    """
    avg, std = tb.as_tensor_variable(avg), tb.as_tensor_variable(std)
    dtype = _float_dtype(dtype, avg, std)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size, avg, std)
    op = RandomFunction("normal", tb.TensorType(dtype=dtype, broadcastable=pattern))
    return op(random_state, size, avg, std)


def binomial(random_state, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
    """Sample the number of successes in `n` trials of probability `p`.

    `prob` is an old name of `p`. See :func:`uniform` for the other parameters and the result.
    """
    if prob is not None:
        p = prob
        print(
            "DEPRECATION WARNING: the parameter prob to the binomal fct have been renamed to p to"
            " have the same name as numpy.",
            file=sys.stderr,
        )
    n, p = tb.as_tensor_variable(n), tb.as_tensor_variable(p)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size, n, p)
    op = RandomFunction("binomial", tb.TensorType(dtype=dtype, broadcastable=pattern))
    return op(random_state, size, n, p)


def poisson(random_state, size=None, lam=1.0, ndim=None, dtype="int64"):
    """Sample from Poisson distributions of mean `lam`.

    See :func:`uniform` for the other parameters and the result.
    """
    lam = tb.as_tensor_variable(lam)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size)
    op = RandomFunction("poisson", tb.TensorType(dtype=dtype, broadcastable=pattern))
    return op(random_state, size, lam)


def random_integers_helper(random_state, low, high, size):
    """Draw integers from ``low`` to ``high``, both included, one bound per element.

    Parameters
    ----------
    random_state : RandomState
    low, high : ndarray of integers
    size : tuple or None

    Returns
    -------
    ndarray of int64
    """
    size, (low, high) = _full_shape(size, np.asarray(low), np.asarray(high))
    out = np.empty(size, dtype="int64")
    for place in np.ndindex(*size):
        out[place] = random_state.randint(int(low[place]), int(high[place]) + 1, dtype="l")
    return out


def random_integers(random_state, size=None, low=0, high=1, ndim=None, dtype="int64"):
    """Sample integers from `low` to `high`, both included.

    See :func:`uniform` for the other parameters and the result.
    """
    low, high = tb.as_tensor_variable(low), tb.as_tensor_variable(high)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size, low, high)
    op = RandomFunction(
        random_integers_helper, tb.TensorType(dtype=dtype, broadcastable=pattern)
    )
    return op(random_state, size, low, high)


def choice_helper(random_state, a, replace, p, size):
    """Draw elements of `a`, or integers below it, with probabilities `p`.

    Parameters
    ----------
    random_state : RandomState
    a : ndarray
        A vector, or the number of integers.
    replace : bool
    p : ndarray or None
        Of the length of `a`; anything but a vector, or an empty one, stands for equal ones.
    size : tuple or None

    Returns
    -------
    ndarray
    """
    a = np.asarray(a)
    if a.ndim > 1:
        raise ValueError(f"a.ndim ({a.ndim}) must be 0 or 1")
    if p is not None and (np.ndim(p) != 1 or not np.size(p)):
        p = None
    replace = bool(replace)
    return random_state.choice(int(a) if a.ndim == 0 else a, size, replace, p)


def choice(random_state, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
    """Sample elements of the vector `a`, or integers below the number `a`.

    Parameters
    ----------
    random_state, size, ndim, dtype
        As for :func:`uniform`.
    a
        What to choose from.
    replace
        Whether an element can be chosen several times.
    p
        Probabilities of the elements; None for equal ones.
    """
    a = tb.as_tensor_variable(a)
    if isinstance(replace, bool):
        replace = tb.constant(replace, dtype="int8")
    else:
        replace = tb.as_tensor_variable(replace)
    p = tb.as_tensor_variable([] if p is None else p)
    ndim, size, pattern = _infer_ndim_bcast(ndim, size)
    op = RandomFunction(choice_helper, tb.TensorType(dtype=dtype, broadcastable=pattern))
    return op(random_state, size, a, replace, p)


def permutation_helper(random_state, n, shape):
    """Draw permutations of the integers below `n`, one per element of `shape`.

    Parameters
    ----------
    random_state : RandomState
    n : 0-d ndarray
    shape : tuple or None

    Returns
    -------
    ndarray
        Of shape ``shape + (n,)``.
    """
    n = np.asarray(n)
    if n.shape != ():
        raise AssertionError("the number of elements to permute must be a scalar")
    n = int(n)
    shape = () if shape is None else tuple(shape)
    out = np.empty((*shape, n), dtype=int)
    for place in np.ndindex(*shape):
        out[place] = random_state.permutation(n)
    return out


def permutation(random_state, size=None, n=1, ndim=None, dtype="int64"):
    """Sample permutations of the integers below `n`.

    Parameters
    ----------
    random_state, ndim, dtype
        As for :func:`uniform`; `ndim` does not count the last dimension.
    size
        How many permutations; None for one of them, as a vector.
    n
        Number of integers.

    Returns
    -------
    list
        The advanced generator, and the sample of shape ``size + (n,)``.
    """
    if size is None or size == ():
        if ndim is not None and ndim != 1:
            raise TypeError(
                "You asked for just one permutation but asked for more then 1 dimensions."
            )
        ndim, size, pattern = 0, (), ()
        size = tb.constant([], dtype="int64")
    else:
        ndim, size, pattern = _infer_ndim_bcast(ndim, size)
    op = RandomFunction(
        permutation_helper,
        tb.TensorType(dtype=dtype, broadcastable=(*pattern, False)),
        ndim_added=1,
    )
    return op(random_state, size, n)


def multinomial_helper(random_state, n, pvals, size):
    """Draw from multinomial distributions, one per element of `size`.

    Parameters
    ----------
    random_state : RandomState
    n : ndarray of integers
        Number of trials.
    pvals : ndarray
        Probabilities on the last dimension.
    size : tuple or None

    Returns
    -------
    ndarray of int64
        Of shape ``size + (pvals.shape[-1],)``.
    """
    n, pvals = np.asarray(n), np.asarray(pvals)
    outcomes = pvals.shape[-1]
    leading = np.empty(pvals.shape[:-1], dtype="int8")
    size, (n, _) = _full_shape(size, n, leading)
    pvals = np.broadcast_to(pvals, (*size, outcomes))
    out = np.empty((*size, outcomes), dtype="int64")
    for place in np.ndindex(*size):
        out[place] = random_state.multinomial(n=int(n[place]), pvals=_summing_to_one(pvals[place]).astype("float64"))
    return out


def _summing_to_one(pvals: np.ndarray) -> np.ndarray:
    """Probabilities as NumPy accepts them: where rounding makes their sum more than 1 they shrink a little, as in Theano."""
    assert (pvals >= 0).all(), f"probabilities must not be negative, they are {pvals}"
    total = pvals.sum()
    if total > 1:
        assert total <= 1 + 1e-5, f"the probabilities {pvals} sum to {total}, which is more than 1"
        return pvals * pvals.dtype.type(1 - 5e-5)
    return pvals


def multinomial(random_state, size=None, n=1, pvals=[0.5, 0.5], ndim=None, dtype="int64"):  # noqa: B006
    """Sample counts of outcomes in `n` trials.

    Parameters
    ----------
    random_state, size, ndim, dtype
        As for :func:`uniform`; `size` and `ndim` do not count the last dimension.
    n
        Number of trials.
    pvals
        Probabilities of the outcomes, on the last dimension.

    Returns
    -------
    list
        The advanced generator, and the sample of shape ``size + (pvals.shape[-1],)``.
    """
    n, pvals = tb.as_tensor_variable(n), tb.as_tensor_variable(pvals)
    leading = pvals.T[0].T
    ndim, size, pattern = _infer_ndim_bcast(ndim, size, n, leading)
    op = RandomFunction(
        multinomial_helper,
        tb.TensorType(dtype=dtype, broadcastable=(*pattern, pvals.type.broadcastable[-1])),
        ndim_added=1,
    )
    return op(random_state, size, n, pvals)


# -- rewrite and base class ------------------------------------------------------------------------


@local_optimizer([RandomFunction], inplace=True)
def random_make_inplace(node):
    """Advance a generator in place of a copy."""
    op = node.op
    if not isinstance(op, RandomFunction) or op.inplace:
        return False
    destructive = RandomFunction(op.fn, op.outtype, inplace=True, ndim_added=op.ndim_added)
    results = destructive.make_node(*node.inputs).outputs
    copy_stack_trace(node.outputs, results)
    return results


optdb.register(
    "random_make_inplace",
    in2out(random_make_inplace, ignore_newtrees=True),
    99,
    "fast_run",
    "inplace",
)


class RandomStreamsBase:
    """The methods of a source of random streams; a subclass says in ``gen`` how a stream is made.

    Notes
    -----
    ``gen(op, *args, **kwargs)`` gets one of the functions of this module and its arguments without
    the generator, and returns the sample.
    """

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
        """Sample the number of successes in `n` trials, see :func:`binomial`."""
        if prob is not None:
            p = prob
            print(
                "DEPRECATION WARNING: the parameter prob to the binomal fct have been renamed to p"
                " to have the same name as numpy.",
                file=sys.stderr,
            )
        return self.gen(binomial, size, n, p, ndim=ndim, dtype=dtype)

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
        """Sample uniformly from ``[low, high)``, see :func:`uniform`."""
        return self.gen(uniform, size, low, high, ndim=ndim, dtype=dtype)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        """Sample from a normal distribution, see :func:`normal`."""
        return self.gen(normal, size, avg, std, ndim=ndim, dtype=dtype)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Sample integers with both bounds included, see :func:`random_integers`."""
        return self.gen(random_integers, size, low, high, ndim=ndim, dtype=dtype)

    def choice(self, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
        """Sample from a vector or the integers below a number, see :func:`choice`."""
        return self.gen(choice, size, a, replace, p, ndim=ndim, dtype=dtype)

    def poisson(self, size=None, lam=None, ndim=None, dtype="int64"):
        """Sample from a Poisson distribution, see :func:`poisson`."""
        return self.gen(poisson, size, lam, ndim=ndim, dtype=dtype)

    def permutation(self, size=None, n=1, ndim=None, dtype="int64"):
        """Sample permutations, see :func:`permutation`."""
        return self.gen(permutation, size, n, ndim=ndim, dtype=dtype)

    def multinomial(self, size=None, n=1, pvals=[0.5, 0.5], ndim=None, dtype="int64"):  # noqa: B006
        """Sample counts of outcomes, see :func:`multinomial`."""
        return self.gen(multinomial, size, n, pvals, ndim=ndim, dtype=dtype)

    def shuffle_row_elements(self, input):
        """Permute the elements of each row (last dimension) of a tensor independently.

        Parameters
        ----------
        input : tensor variable

        Returns
        -------
        tensor variable
            Of the type of `input`.
        """
        order = self.permutation(
            size=input.shape[:-1], n=input.shape[-1], ndim=input.ndim - 1
        )
        return tensor.permute_row_elements(input, order)
