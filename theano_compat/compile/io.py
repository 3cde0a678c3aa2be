"""What stands in the input and output lists of :func:`theano.function`."""

from __future__ import annotations

import logging
from typing import Any

from theano_compat.configparser import string_types
from theano_compat.gof import Variable
from theano_compat.gof.link import Container

_logger = logging.getLogger("theano.compile.io")

__all__ = ["In", "Out", "SymbolicInput", "SymbolicOutput", "string_types"]


class SymbolicInput:
    """A symbolic variable with what a function is to do with it.

    Parameters
    ----------
    variable : Variable
        Stands for the value in the graph.
    name : str, optional
        The keyword under which the value can be given; the variable's name if `autoname`.
    update : Variable, optional
        What the stored value becomes after each call.
    mutable : bool, optional
        The function may destroy the array that is passed. Follows from `update` when not given.
    strict : bool
        Refuse values of another type instead of converting them.
    allow_downcast : bool or None
        Whether a value may lose precision; ``None`` allows it for Python floats to ``floatX`` only.
    autoname : bool
        Take the variable's name if there is no other.
    implicit : bool
        The value is not an argument of the call.
    """

    def __init__(
        self,
        variable: Variable,
        name: str | None = None,
        update: Variable | None = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool = False,
    ):
        assert implicit is not None
        self.variable = variable
        self.name = variable.name if autoname and name is None else name
        if self.name is not None and not isinstance(self.name, string_types):
            raise TypeError("name must be a string! (got: %s)" % self.name)
        self.update = update
        if update is not None and variable.type != update.type:
            raise TypeError(
                "Variable '%s' has type %s but an update of type %s. The type of the update should be the same "
                "as the type of the variable" % (variable, variable.type, update.type)
            )
        self.mutable = mutable if mutable is not None else update is not None
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.implicit = implicit

    def __str__(self) -> str:
        return f"In({self.variable} -> {self.update})" if self.update else f"In({self.variable})"

    def __repr__(self) -> str:
        return str(self)


class In(SymbolicInput):
    """An input of a function: variable, default value, update, and how the value may be treated.

    Parameters
    ----------
    variable, name, update, mutable, strict, allow_downcast, autoname
        As in :class:`SymbolicInput`.
    value : object or Container, optional
        The default. A container is shared, anything else is copied when the function is made.
    implicit : bool, optional
        The value is no argument of the call; by default so for containers and shared variables.
    borrow : bool, optional
        The function may keep a reference to the array that is passed; by default as `mutable`.
    shared : bool
        The value belongs to a shared variable.
    """

    def __init__(
        self,
        variable: Variable,
        name: str | None = None,
        value: Any = None,
        update: Variable | None = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool | None = None,
        borrow: bool | None = None,
        shared: bool = False,
    ):
        if shared and value is not None and not isinstance(value, Container):
            raise TypeError("The value of a shared input is a container, not %s." % type(value))
        if implicit is None:
            from theano_compat.compile.sharedvalue import SharedVariable

            implicit = isinstance(value, (Container, SharedVariable))
        super().__init__(variable, name, update, mutable, strict, allow_downcast, autoname, implicit)
        self.borrow = self.mutable if borrow is None else borrow
        if self.mutable and not self.borrow:
            raise AssertionError(
                "Symbolic input for variable %s (name=%s) has flags mutable=True, borrow=False. This combination "
                "is incompatible since mutable=True implies that the input variable may be both aliased "
                "(borrow=True) and overwritten." % (variable, name)
            )
        self.value = value
        self.shared = shared


class SymbolicOutput:
    """An output of a function.

    Parameters
    ----------
    variable : Variable
        What is returned.
    borrow : bool
        The array returned may be one that the function uses again at the next call.
    """

    def __init__(self, variable: Variable, borrow: bool = False):
        self.variable = variable
        self.borrow = borrow

    def __str__(self) -> str:
        return f"Out({self.variable},{self.borrow})"

    def __repr__(self) -> str:
        return str(self)


class Out(SymbolicOutput):
    """An output of a function, under the name that user code writes."""
