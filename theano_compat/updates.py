"""An ordered dictionary of the updates of shared variables."""

from __future__ import annotations

import logging
import warnings
from collections import OrderedDict

from theano_compat.compile.sharedvalue import SharedVariable

__all__ = ["OrderedUpdates"]

logger = logging.getLogger("theano.updates")


class OrderedUpdates(OrderedDict):
    """Updates ``{shared variable: new value}`` in the order in which they were added.

    Raises
    ------
    TypeError
        A key is not a shared variable.
    KeyError
        A variable would be updated by two different expressions.

    Examples
    --------
    >>> import theano_compat
    >>> n = theano_compat.shared(0)
    >>> updates = OrderedUpdates([(n, n + 1)])
    >>> f = theano_compat.function([], n, updates=updates)
    >>> int(f()), int(f())
    (0, 1)
    """

    def __init__(self, *key, **kwargs):
        if key and isinstance(key[0], dict) and not isinstance(key[0], OrderedDict) and len(key[0]) > 1:
            warnings.warn(
                "Initializing an `OrderedUpdates` from a non-ordered dictionary with 2+ elements"
                " could make your code non-deterministic",
                stacklevel=2,
            )
        super().__init__(*key, **kwargs)
        for variable in self:
            if not isinstance(variable, SharedVariable):
                raise TypeError(
                    "OrderedUpdates keys must inherit from SharedVariable", variable
                )

    def __setitem__(self, key, value):
        if not isinstance(key, SharedVariable):
            raise TypeError(
                "OrderedUpdates keys must inherit from SharedVariable", key
            )
        # Unpickling fills the dictionary before it has its attributes; nothing else is special.
        super().__setitem__(key, value)

    def update(self, other=None):
        """Add further updates.

        Raises
        ------
        KeyError
            A variable has another update already.
        """
        if other is None:
            return
        if isinstance(other, dict) and not isinstance(other, OrderedDict) and len(other) > 1:
            warnings.warn(
                "Updating an `OrderedUpdates` with a non-ordered dictionary with 2+ elements"
                " could make your code non-deterministic",
                stacklevel=2,
            )
        items = other.items() if isinstance(other, dict) else other
        for key, value in items:
            if key in self and self[key] is not value:
                raise KeyError("Collision", key)
            self[key] = value

    def __add__(self, other):
        joined = OrderedUpdates(self)
        joined.update(other)
        return joined

    def __radd__(self, other):
        joined = OrderedUpdates(other)
        joined.update(self)
        return joined
