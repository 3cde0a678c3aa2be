"""Types: what values a variable may take, how they are checked, compared and made."""

from __future__ import annotations

from typing import Any

from theano_compat import config  # noqa: F401  (a name that Theano's module has)
from theano_compat.gof import graph, utils
from theano_compat.gof.ctype_api import CLinkerType
from theano_compat.gof.graph import Constant, Variable
from theano_compat.gof.utils import MethodNotDefined

string_types = (str,)


class PureType:
    """The Python side of a type: filter values, make variables and constants.

    A subclass defines :meth:`filter`, and equality and hash (by ``__props__`` or by hand).
    """

    #: The classes that :meth:`make_variable` and :meth:`make_constant` make.
    Variable = Variable
    Constant = Constant

    def filter(self, data, strict: bool = False, allow_downcast: bool | None = None):
        """Return ``data`` as a value of this type.

        Parameters
        ----------
        data : object
        strict : bool
            Accept only what needs no conversion.
        allow_downcast : bool, optional
            Whether a conversion may lose precision; None: Python floats to ``floatX`` only.

        Raises
        ------
        TypeError
            If the data does not fit and may not be converted.
        """
        raise MethodNotDefined("filter", type(self), self.__class__.__name__)

    # filter_inplace(value, storage, strict=False, allow_downcast=None) may be defined by a subclass that can
    # write a value into memory that it has already.

    def filter_variable(self, other, allow_convert: bool = True) -> Variable:
        """Return ``other``, a variable or a value, as a variable of this type.

        Raises
        ------
        TypeError
            If a variable has another type that does not convert to this one.
        """
        if not isinstance(other, graph.Variable):
            other = self.Constant(type=self, data=other)
        if other.type != self and allow_convert:
            converted = self.convert_variable(other)
            if converted is not None:
                return converted
        if other.type != self:
            raise TypeError(
                f"Cannot convert Type {other.type} (of Variable {other}) into Type {self}. "
                f"You can try to manually convert {other} into a {self}."
            )
        return other

    def convert_variable(self, var: Variable) -> Variable | None:
        """Return ``var`` converted to this type where that loses nothing, else None."""
        return var if self == var.type else None

    def is_valid_value(self, a) -> bool:
        """Whether ``a`` is a value of this type as it stands."""
        try:
            self.filter(a, strict=True)
            return True
        except (TypeError, ValueError):
            return False

    def value_validity_msg(self, a) -> str:
        """Return what is wrong with a value, for error messages."""
        return "none"

    def make_variable(self, name: str | None = None) -> Variable:
        """Return a new variable of this type."""
        return self.Variable(self, name=name)

    def make_constant(self, value, name: str | None = None) -> Constant:
        """Return a constant of this type."""
        return self.Constant(type=self, data=value, name=name)

    def __call__(self, name: str | None = None) -> Variable:
        """Return a new variable of this type, marked with the line where the user's code made it."""
        return utils.add_tag_trace(self.make_variable(name))

    def values_eq(self, a, b) -> bool:
        """Whether two values of this type are equal."""
        return a == b

    def values_eq_approx(self, a, b) -> bool:
        """Whether two values of this type are equal up to rounding."""
        return self.values_eq(a, b)


class Type(utils.object2, PureType, CLinkerType):
    """Base class of all types.

    Notes
    -----
    A subclass defines ``filter``, ``__eq__`` and ``__hash__`` (or ``__props__``). To be used in ops with C code of their
    own it also defines ``c_declare``, ``c_extract``, ``c_sync`` and their like.
    """


class SingletonType(Type):
    """A type without parameters: there is one instance of each subclass."""

    __instance: Any = None

    def __new__(cls, *args, **kwargs):
        if "_SingletonType__instance" not in cls.__dict__ or cls.__instance is None:
            cls.__instance = Type.__new__(cls)
        return cls.__instance

    def __str__(self) -> str:
        return self.__class__.__name__

    def __eq__(self, other) -> bool:
        return self is other or type(self) is type(other)

    def __hash__(self) -> int:
        return utils.hashtype(self)


class Generic(SingletonType):
    """Any Python object."""

    def filter(self, data, strict=False, allow_downcast=None):
        return data

    def is_valid_value(self, a) -> bool:
        return True

    def c_declare(self, name, sub, check_input=True):
        return f"PyObject* {name};"

    def c_init(self, name, sub):
        return f"{name} = NULL;"

    def c_extract(self, name, sub, check_input=True):
        return f"Py_INCREF(py_{name});\n{name} = py_{name};"

    def c_cleanup(self, name, sub):
        return f"Py_XDECREF({name});"

    def c_sync(self, name, sub):
        return f"assert(py_{name}->ob_refcnt > 1);\nPy_DECREF(py_{name});\npy_{name} = {name} ? {name} : Py_None;\nPy_INCREF(py_{name});"

    def c_code_cache_version(self):
        return (1,)

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__}>"


generic = Generic()


from theano_compat.gof.ctypes_enum import (  # noqa: E402,F401
    CDataType,
    CDataTypeConstant,
    CEnumType,
    EnumList,
    EnumType,
)
