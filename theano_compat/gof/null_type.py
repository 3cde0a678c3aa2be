"""The type of a gradient that does not exist."""

from __future__ import annotations

from theano_compat.gof.type import Type


class NullType(Type):
    """A type without values, for expressions that must not be evaluated, such as undefined gradients.

    Parameters
    ----------
    why_null : str
        Why there is no value.
    """

    def __init__(self, why_null: str = "(no explanation given)"):
        self.why_null = why_null

    @staticmethod
    def may_share_memory(a, b) -> bool:
        """Return False: there are no values that could share anything."""
        return False

    def values_eq(self, a, b, force_same_dtype=True):
        raise ValueError("NullType has no values to compare")

    def filter(self, data, strict=False, allow_downcast=None):
        raise ValueError("No values may be assigned to a NullType")

    def filter_variable(self, other, allow_convert=True):
        return self.filter(other)

    def __eq__(self, other) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return "NullType"


null_type = NullType()
