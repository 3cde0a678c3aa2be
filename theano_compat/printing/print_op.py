"""An op that prints what passes through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano_compat.gof import Apply, Op, Variable

__all__ = ["Print"]


def _print_fn(op: Print, xin: Any) -> None:
    """Print the attributes that the op asks for; those that are methods are called."""
    for attr in op.attrs:
        value = getattr(xin, attr)
        print(op.message, attr, "=", value() if callable(value) else value)


class Print(Op):
    """The identity, which prints the value whenever it is computed.

    Parameters
    ----------
    message : str
        Printed before the value.
    attrs : sequence of str
        The attributes or methods of the value that are printed.
    global_fn : callable
        Does the printing instead: ``global_fn(op, value)``.

    Notes
    -----
    Rewrites may remove it, or compute what it prints more or less often than the code suggests.
    """

    view_map = {0: [0]}
    __props__ = ("message", "attrs", "global_fn")
    digestible = False  # it does so while constants are folded, too

    def __init__(
        self,
        message: str = "",
        attrs: Sequence[str] = ("__str__",),
        global_fn: Callable[[Any, Any], None] = _print_fn,
    ):
        self.message = message
        # A tuple, since the op has to be hashable.
        self.attrs = tuple(attrs)
        self.global_fn = global_fn

    def make_node(self, xin: Variable) -> Apply:
        return Apply(self, [xin], [xin.type.make_variable()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        output_storage[0][0] = inputs[0]
        self.global_fn(self, inputs[0])

    def grad(self, input: Sequence[Variable], output_gradients: Sequence[Variable]) -> list[Variable]:
        return list(output_gradients)

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return list(eval_points)

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return shapes

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("global_fn", _print_fn)
        self.__dict__.update(state)

    def c_code_cache_version(self) -> tuple[Any, ...]:
        return (1,)
