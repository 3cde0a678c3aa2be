"""A digest of a graph: the same in every process for graphs that compute the same in the same way, whatever their variables are called.

Two graphs with the same digest have equal ops, constants and types at the same places, so what was made of the one can stand for what would be made of the other.
The digest is taken over a text that says all there is to say. Where an object is met that cannot be put into words for sure (one of a class that is not the
package's, a function of somebody else's), or whose op does more than to compute (it reads a file, it prints: `digestible` is False), there is no digest: `NotDigestible` says why.
"""

from __future__ import annotations

import hashlib
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from theano_compat.gof.graph import Apply, Constant, Variable, io_toposort
from theano_compat.gof.utils import props_eq

__all__ = ["Description", "NotDigestible"]

_PACKAGE = __name__.partition(".")[0]
#: Where classes come from that users have not changed under a name that stays.
_KNOWN_ROOTS = {_PACKAGE, "builtins", "numpy", "collections"}
#: Bytes of a constant from which on a digest takes too long.
_LARGE = 2**20
#: Annotations that change how a graph is rewritten or run; others are the user's own, or say where a variable came from.
_MEANINGFUL_TAGS = ("indestructible", "hints")


class NotDigestible(Exception):
    """Raised for an object that has no description: the text says which and why."""


def _root(module: Any) -> str:
    return str(module).partition(".")[0]


class Description:
    """The text under construction: of one graph, and of things that go with it.

    Variables are named by their numbers, in the order in which they are met. So are ops, types and other objects; equal ones share a number.

    Attributes
    ----------
    constants : list of Constant
        In the order in which they were met: the same in graphs of one digest.
    """

    def __init__(self) -> None:
        self.constants: list[Constant] = []
        self._lines: list[str] = []
        # By id, with the object itself, so that no other one gets its id.
        self._known: dict[int, tuple[Any, str]] = {}
        self._numbers: dict[str, str] = {}

    def digest(self) -> str:
        """Return the digest of all that was described."""
        return hashlib.sha256("\n".join(self._lines).encode("utf-8", "surrogatepass")).hexdigest()

    def add(self, *objects: Any) -> None:
        """Describe objects one after another.

        Raises
        ------
        NotDigestible
            One of them cannot be described.
        """
        for thing in objects:
            self._lines.append(self._of(thing))

    def add_graph(self, inputs: Iterable[Variable], outputs: Iterable[Variable]) -> None:
        """Describe a graph, its inputs first, so that the order of both counts.

        Raises
        ------
        NotDigestible
            An op, a type or a constant cannot be described.
        """
        inputs, outputs = list(inputs), list(outputs)
        for variable in inputs:
            if id(variable) in self._known:
                raise NotDigestible("an input that is there twice, or a graph that is part of another one")
            self._leaf(variable)
        known, lines, of = self._known, self._lines, self._of
        for node in io_toposort(inputs, outputs):
            if id(node) in known:
                continue
            words = [of(node.op)]
            for variable in node.inputs:
                found = known.get(id(variable))
                words.append(found[1] if found is not None else self._leaf(variable))
            words.append("->")
            for variable in node.outputs:
                words.append(of(variable.type))
                if variable.tag.__dict__:
                    words += self._tags(variable)
            number = f"n{len(known)}"
            lines.append(" ".join(words))
            known[id(node)] = (node, number)
            for index, variable in enumerate(node.outputs):
                # An input may be computed too, beside what is computed from it.
                known.setdefault(id(variable), (variable, f"{number}.{index}"))
        lines.append(" ".join([known[id(v)][1] if id(v) in known else self._leaf(v) for v in outputs]))

    def _leaf(self, variable: Variable) -> str:
        """Describe and number a variable that is not computed (here)."""
        number = f"v{len(self._known)}"
        kind = type(variable)
        if _root(kind.__module__) != _PACKAGE:
            raise NotDigestible(f"a variable of the class {kind.__module__}.{kind.__qualname__}")
        words = [number, kind.__qualname__, self._of(variable.type), *self._tags(variable)]
        if isinstance(variable, Constant):
            words.append(self._of(variable.data))
            self.constants.append(variable)
        self._lines.append(" ".join(words))
        self._known[id(variable)] = (variable, number)
        return number

    def _tags(self, variable: Variable) -> list[str]:
        tags = variable.tag.__dict__
        return [f"{name}={self._of(tags[name])}" for name in _MEANINGFUL_TAGS if name in tags]

    def _of(self, thing: Any) -> str:
        """Return the words for an object, or its number if it has one."""
        plain = _PLAIN.get(type(thing))
        if plain is not None:
            return plain(thing)
        found = self._known.get(id(thing))
        if found is not None:
            if not found[1]:
                raise NotDigestible("an object that is part of itself")
            return found[1]
        container = _CONTAINERS.get(type(thing))
        if container is not None:
            return container(self, thing)
        if isinstance(thing, Variable):
            self.add_graph((), (thing,))
            return self._known[id(thing)][1]
        self._known[id(thing)] = (thing, "")
        words = self._object(thing)
        number = self._numbers.get(words)
        if number is None:
            number = self._numbers[words] = f"o{len(self._numbers)}"
            self._lines.append(f"{number} {words}")
        self._known[id(thing)] = (thing, number)
        return number

    def _object(self, thing: Any) -> str:
        kind = type(thing)
        if isinstance(thing, type):
            return _name(thing)
        if isinstance(thing, types.FunctionType):
            # The name can be another function's (functools.wraps), where its globals are cannot.
            if _root(thing.__globals__.get("__name__")) != _PACKAGE:
                raise NotDigestible(f"the function {thing.__module__}.{thing.__qualname__}, which is not the package's own")
            cells = [cell.cell_contents for cell in thing.__closure__ or ()]
            more = (cells, thing.__defaults__, thing.__kwdefaults__)
            return f"{thing.__globals__['__name__']}.{thing.__qualname__}:{thing.__code__.co_firstlineno}{self._of(more)}"
        if isinstance(thing, types.MethodType):
            return f"{self._of(thing.__self__)}.{thing.__name__}"
        if isinstance(thing, np.ufunc) and getattr(np, thing.__name__, None) is thing:
            return f"numpy.{thing.__name__}"
        if _root(kind.__module__) != _PACKAGE:
            raise NotDigestible(f"an object of the class {kind.__module__}.{kind.__qualname__}")
        if not getattr(kind, "digestible", True):
            raise NotDigestible(f"{kind.__qualname__}, which does more than to compute")
        if isinstance(thing, Apply):
            raise NotDigestible("a node apart from its graph")
        return f"{kind.__module__}.{kind.__qualname__}{self._of(_state(thing))}"


def _name(kind: type) -> str:
    if _root(kind.__module__) not in _KNOWN_ROOTS:
        raise NotDigestible(f"the class {kind.__module__}.{kind.__qualname__}, which is not the package's own")
    return f"{kind.__module__}.{kind.__qualname__}"


def _state(thing: Any) -> Any:
    """Return what an object of the package consists of, as far as it tells the object from others of its class."""
    kind = type(thing)
    own = getattr(thing, "_digest_state", None)
    if own is not None:
        return own()
    if kind.__getstate__ is not _no_getstate if _no_getstate is not None else hasattr(kind, "__getstate__"):
        return thing.__getstate__()
    names = getattr(kind, "__props__", None)
    if names is not None and kind.__eq__ is props_eq:
        return tuple(getattr(thing, name) for name in names)
    if not hasattr(thing, "__dict__"):
        raise NotDigestible(f"an object of the class {kind.__qualname__}, which has slots")
    return {name: value for name, value in vars(thing).items() if name != "_hash"}  # which is another in each process


#: What a class has that does not say what its objects' pickles hold (Python 3.11 and later).
_no_getstate = getattr(object, "__getstate__", None)


def _sequence(opening: str, closing: str) -> Callable:
    def describe(description: Description, things: Any) -> str:
        if len(things) > 1 and all(isinstance(thing, Variable) for thing in things):
            description.add_graph((), things)  # one walk for all of them
        return f"{opening}{' '.join(map(description._of, things))}{closing}"

    return describe


def _mapping(description: Description, table: Any) -> str:
    # In the order of the table: rewrites may follow it.
    return f"{{{' '.join([f'{description._of(key)}:{description._of(value)}' for key, value in table.items()])}}}"


def _set(description: Description, things: Any) -> str:
    if not all(type(thing) in _PLAIN for thing in things):
        raise NotDigestible("a set of things without an order")
    return f"<{' '.join(sorted(map(description._of, things)))}>"


def _slice(description: Description, part: slice) -> str:
    return f"slice{description._of((part.start, part.stop, part.step))}"


def _array(_: Description, data: Any) -> str:
    array = np.asarray(data)
    if array.dtype.hasobject:
        raise NotDigestible("an array of Python objects")
    if array.nbytes > _LARGE:
        raise NotDigestible(f"a constant of {array.nbytes} bytes")
    contents = array.tobytes()
    if len(contents) > 64:
        contents = hashlib.sha256(contents).digest()
    return f"{type(data).__name__} {array.dtype!r} {array.shape} {contents.hex()}"


_PLAIN: dict[type, Callable[[Any], str]] = {
    **dict.fromkeys((bool, int, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented)), repr),
    **dict.fromkeys({np.dtype, *(type(np.dtype(code)) for code in np.typecodes["All"])}, repr),
}
_CONTAINERS: dict[type, Callable[[Description, Any], str]] = {
    tuple: _sequence("(", ")"),
    list: _sequence("[", "]"),
    **dict.fromkeys((dict, OrderedDict, defaultdict, types.MappingProxyType), _mapping),
    **dict.fromkeys((set, frozenset), _set),
    slice: _slice,
    np.ndarray: _array,
    **dict.fromkeys({np.dtype(code).type for code in np.typecodes["All"]}, _array),
}
