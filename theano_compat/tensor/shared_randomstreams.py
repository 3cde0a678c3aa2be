"""Random streams whose generators are shared variables, advanced by every call of a function."""

from __future__ import annotations

import copy

import numpy as np

from theano_compat.compile.sharedvalue import SharedVariable, shared, shared_constructor
from theano_compat.tensor import raw_random

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]


class RandomStateSharedVariable(SharedVariable):
    """A shared variable that holds a generator."""

    def __str__(self):
        name = self.name
        if name is None:
            # The text of a generator has its address, which would make printed graphs vary.
            name = f"<{self.type}>"
        return name


@shared_constructor
def randomstate_constructor(
    value, name=None, strict=False, allow_downcast=None, borrow=False
):
    """Make a shared variable of a :class:`numpy.random.RandomState`."""
    if not isinstance(value, np.random.RandomState):
        raise TypeError("only a numpy.random.RandomState can be shared as a generator", value)
    if not borrow:
        value = copy.deepcopy(value)
    return RandomStateSharedVariable(
        name, raw_random.random_state_type, value, strict=strict, allow_downcast=allow_downcast
    )


class RandomStreams(raw_random.RandomStreamsBase):
    """A source of random streams, each with a generator of its own.

    Parameters
    ----------
    seed : int or array of ints, optional
        Seeds the generator from which the streams get their seeds; from the system if None.

    Examples
    --------
    >>> import theano_compat
    >>> draw = theano_compat.function([], RandomStreams(seed=234).uniform((2,)))
    >>> [round(float(number), 6) for number in draw()]
    [0.126724, 0.970916]
    """

    def __init__(self, seed=None):
        #: List of ``(generator, its next state)``, in the order in which streams were made.
        self.state_updates = []
        self.default_instance_seed = seed
        self.gen_seedgen = np.random.RandomState(seed)

    def updates(self) -> list:
        """List the pairs of generators and their next states."""
        return list(self.state_updates)

    def seed(self, seed=None):
        """Seed every stream anew.

        Parameters
        ----------
        seed : int, optional
            The new seed; that of the constructor if None.
        """
        if seed is None:
            seed = self.default_instance_seed
        source = np.random.RandomState(seed)
        for generator, _ in self.state_updates:
            generator.set_value(
                np.random.RandomState(int(source.randint(2**30))), borrow=True
            )

    def __getitem__(self, item):
        """Give the value of the generator `item`, as a reference."""
        return item.get_value(borrow=True)

    def __setitem__(self, item, val):
        """Give the generator `item` a new value, without copying it."""
        item.set_value(val, borrow=True)

    def gen(self, op, *args, **kwargs):
        """Make a new stream.

        Parameters
        ----------
        op
            A function of :mod:`raw_random`.
        *args, **kwargs
            What it takes after the generator.

        Returns
        -------
        variable
            The sample. Its attributes ``rng`` and ``update`` are the generator and the pair of the
            generator and its next state.
        """
        generator = shared(np.random.RandomState(int(self.gen_seedgen.randint(2**30))))
        generator.tag.is_rng = True
        following, sample = op(generator, *args, **kwargs)
        sample.rng = generator
        sample.update = (generator, following)
        self.state_updates.append(sample.update)
        generator.default_update = following
        return sample
