"""An op that raises."""

from __future__ import annotations

from theano_compat.gof import Apply, Op

__all__ = ["Raise"]


class Raise(Op):
    """Raise an exception when the function reaches this node; otherwise the identity.

    Parameters
    ----------
    msg
        Text of the exception.
    exc
        Its class.
    """

    __props__ = ("msg", "exc")

    def __init__(self, msg="", exc=NotImplementedError):
        self.msg = msg
        self.exc = exc

    def __str__(self):
        return f"Raise{{{self.exc}({self.msg})}}"

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, out_storage):
        raise self.exc(self.msg)
