"""Gradients that are none: disconnected, undefined, not implemented; and the errors about them."""

from __future__ import annotations

from typing import Any, NoReturn

from theano_compat.gof import Type, Variable
from theano_compat.gof.null_type import NullType, null_type

__all__ = [
    "DisconnectedInputError", "DisconnectedType", "NullType", "NullTypeGradError", "disconnected_type",
    "grad_not_implemented", "grad_undefined", "null_type",
]


class DisconnectedType(Type):
    """The type of a gradient towards an input on which the cost does not depend.

    Notes
    -----
    Unlike a gradient of zero it says that there is no functional relation at all. Nothing is ever stored in a
    variable of this type.
    """

    def __str__(self) -> str:
        return "DisconnectedType"

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise AssertionError(
            "If you're assigning to a DisconnectedType you're doing something wrong. It should only be used as a "
            "symbolic placeholder."
        )

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> NoReturn:
        self._refuse()

    def filter_variable(self, other: Any, allow_convert: bool = True) -> NoReturn:
        self._refuse()

    fiter_variable = filter_variable

    @staticmethod
    def may_share_memory(a: Any, b: Any) -> bool:
        return False

    @staticmethod
    def value_eq(a: Any, b: Any, force_same_dtype: bool = True) -> NoReturn:
        raise AssertionError(
            "If you're assigning to a DisconnectedType you're doing something wrong. It should only be used as a "
            "symbolic placeholder."
        )


disconnected_type = DisconnectedType()


class DisconnectedInputError(ValueError):
    """A gradient was asked for towards a variable on which the cost does not depend."""


class NullTypeGradError(TypeError):
    """A gradient that is undefined or not implemented is part of the answer."""


def _null_gradient(op: Any, x_pos: int, x: Variable, why: str, comment: str) -> Variable:
    return NullType(
        f"This variable is Null because the grad method for input {x_pos} ({x}) of the {op} op is {why}. {comment}"
    )()


def grad_not_implemented(op: Any, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """What an op's ``grad`` returns for an input for which nobody has written the derivative.

    Parameters
    ----------
    op : Op
        The op.
    x_pos : int
        The position of the input.
    x : Variable
        The input.
    comment : str
        Further explanation for the error message.

    Returns
    -------
    Variable
        Of a NullType that carries the explanation: an error is raised only if the result depends on it.
    """
    return _null_gradient(op, x_pos, x, "not implemented", comment)


def grad_undefined(op: Any, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """What an op's ``grad`` returns for an input for which there is no derivative.

    The parameters and the result are those of :func:`grad_not_implemented`.
    """
    return _null_gradient(op, x_pos, x, "mathematically undefined", comment)
