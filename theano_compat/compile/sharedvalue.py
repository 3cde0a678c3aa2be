"""Shared variables: symbolic variables with a stored value that functions read and update."""

from __future__ import annotations

import copy
import logging
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

from theano_compat.gof import Variable, generic, utils
from theano_compat.gof.link import Container

_locks: weakref.WeakSet = weakref.WeakSet()


def call_lock():
    """Return a re-entrant lock, as calls of functions need it; a forked child finds it free unless the thread that forked holds it."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


def _free_locks_of_other_threads() -> None:
    for lock in list(_locks):
        if not lock._is_owned():
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_locks_of_other_threads)

#: Held by every call of a function that updates shared variables, so that updates in place are whole whichever thread makes them.
UPDATES = call_lock()

__all__ = ["SharedVariable", "generic", "generic_constructor", "shared", "shared_constructor"]

_logger = logging.getLogger("theano.compile.sharedvalue")


class SharedVariable(Variable):
    """A variable whose value lives in a container that all functions using it share.

    Parameters
    ----------
    name : str or None
        The variable's name.
    type : Type
        Its type.
    value : object
        The first value, filtered by the type; ``None`` if a container is given.
    strict : bool or None
        Refuse values of another type, now and in ``set_value``.
    allow_downcast : bool or None
        Whether conversions may lose precision.
    container : Container, optional
        Holds the value instead of a new one.

    Attributes
    ----------
    default_update : Variable
        If set, the update that functions apply when the caller gives none.
    """

    def __init__(
        self,
        name: str | None,
        type: Any,
        value: Any,
        strict: bool | None,
        allow_downcast: bool | None = None,
        container: Container | None = None,
    ):
        super().__init__(type=type, name=name, owner=None, index=None)
        if container is not None:
            self.container = container
            if value is not None or strict is not None:
                raise TypeError("value and strict are ignored if you pass a container here")
            return
        stored = type.filter(value, strict=strict, allow_downcast=allow_downcast)
        self.container = Container(self, storage=[stored], readonly=False, strict=strict, allow_downcast=allow_downcast)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The stored value.

        Parameters
        ----------
        borrow : bool
            Allow the result to share memory with what is stored; without it a copy is made.
        return_internal_type : bool
            Allow the type in which the value is stored; for arrays in host memory it is the same.
        """
        value = self.container.value
        return value if borrow else copy.deepcopy(value)

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Replace the stored value, for all functions that use this variable.

        Parameters
        ----------
        new_value : object
            Anything that the type accepts.
        borrow : bool
            Allow `new_value` itself to be stored; without it a copy is made.
        """
        self.container.value = new_value if borrow else copy.deepcopy(new_value)

    def zero(self, borrow: bool = False) -> None:
        """Set the stored value to zero.

        Parameters
        ----------
        borrow : bool
            Write into the stored array itself.
        """
        if borrow:
            self.container.value[...] = 0
        else:
            self.container.value = 0 * self.container.value

    def clone(self) -> SharedVariable:
        """Another variable on the same container."""
        twin = self.__class__(name=self.name, type=self.type, value=None, strict=None, container=self.container)
        twin.tag = copy.copy(self.tag)
        return twin

    def __getitem__(self, *args: Any) -> Any:
        raise TypeError(
            "The generic 'SharedVariable' object is not subscriptable. This shared variable contains an object "
            f"of type: {type(self.get_value(borrow=True))}. Did you forget to cast it into a Numpy array before "
            "calling theano.shared()?"
        )

    def _no_value(self, *_: Any) -> NoReturn:
        raise Exception(
            "sharedvar.value does not exist anymore. Use sharedvar.get_value() or sharedvar.set_value() instead."
        )

    value = property(_no_value, _no_value)

    def filter_update(self, update: Any) -> Any:
        """`update` as a variable of this variable's type.

        Parameters
        ----------
        update : Variable or value
            What the caller of :func:`theano.function` wants the value to become.
        """
        if not isinstance(update, Variable):
            update = self.type.filter(update)
        return self.type.filter_variable(update)


def shared_constructor(ctor: Callable[..., Any], remove: bool = False) -> Callable[..., Any]:
    """Let :func:`shared` try `ctor`, before those registered earlier.

    Parameters
    ----------
    ctor : callable
        ``ctor(value, name, strict, allow_downcast, **kwargs)``; raises TypeError on values that are not its business.
    remove : bool
        Take it off the list instead.

    Returns
    -------
    callable
        `ctor`, so that this serves as a decorator.
    """
    if remove:
        shared.constructors.remove(ctor)
    else:
        shared.constructors.append(ctor)
    return ctor


def shared(
    value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None, **kwargs: Any
) -> SharedVariable:
    """A shared variable holding `value`.

    Parameters
    ----------
    value : object
        The first value. It is copied unless ``borrow=True`` is passed and the type allows it. Python lists and other
        objects that are no arrays or numbers give a generic variable.
    name : str, optional
        The variable's name.
    strict : bool
        Later values have to be of the type of the first one.
    allow_downcast : bool or None
        Whether later values may lose precision.
    **kwargs
        Passed to the constructor of the kind of variable (``borrow``, ``broadcastable``, ``target``).

    Returns
    -------
    SharedVariable
        Of the most specific class that accepts the value.

    Raises
    ------
    TypeError
        `value` is symbolic, or no constructor accepts it with these keywords.
    """
    try:
        if isinstance(value, Variable):
            raise TypeError("Shared variable constructor needs numeric values and not symbolic variables.")
        if type(value).__module__.startswith("scipy.sparse"):  # loaded when first needed, it registers its constructor
            from theano_compat import sparse  # noqa: F401
        for ctor in reversed(shared.constructors):
            try:
                variable = ctor(value, name=name, strict=strict, allow_downcast=allow_downcast, **kwargs)
            except TypeError:
                continue
            utils.add_tag_trace(variable)
            return variable
    except MemoryError as error:
        error.args = (*error.args, "you might consider using 'theano.shared(..., borrow=True)'")
        raise
    raise TypeError(
        "No suitable SharedVariable constructor could be found. Are you sure all kwargs are supported? We do not "
        f'support the parameter dtype or type. value="{value}". parameters="{kwargs}"'
    )


shared.constructors = []  # type: ignore[attr-defined]


@shared_constructor
def generic_constructor(
    value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None
) -> SharedVariable:
    """A shared variable that holds any Python object."""
    return SharedVariable(type=generic, value=value, name=name, strict=strict, allow_downcast=allow_downcast)
