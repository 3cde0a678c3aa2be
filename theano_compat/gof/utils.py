"""Small tools of the graph core: ``__props__``, scratchpads, creation traces, sequence helpers."""

from __future__ import annotations

import functools
import hashlib
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from theano_compat import config

PY3 = True
string_types = (str,)
integer_types = (int,)
simple_types = (int, float, str, bool, type(None), bytes)


class MethodNotDefined(Exception):
    """An abstract method was called on a class that does not define it."""


class TestValueError(Exception):
    """A test value is missing or does not fit its variable."""

    __test__ = False  # not a test class, whatever pytest thinks of the name


class _Undefined:
    """The type of :data:`undef`."""

    def __repr__(self) -> str:
        return "undef"


#: Stands for "no value was given" where None is a value.
undef = _Undefined()

c_cpp_keywords = set(
    """
    alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor bool break case catch
    char char16_t char32_t class compl concept const const_cast constexpr continue decltype default delete do double
    dynamic_cast else enum explicit export extern final float for friend goto if import inline int long module mutable
    namespace new noexcept not not_eq nullptr operator or or_eq override private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch
    synchronized template this NULL thread_local throw true false try typedef typeid typename typeof union unsigned using
    virtual void volatile wchar_t while xor xor_eq _Alignas _Alignof _Atomic _Bool _Complex _Generic _Imaginary _Noreturn
    _Pragma _Static_assert _Thread_local
    """.split()
)


# ----------------------------------------------------------------------------------------------------- __props__


def _props(self) -> tuple:
    """Return the values of the attributes named by ``__props__``."""
    return tuple([getattr(self, name) for name in self.__props__])


def _props_dict(self) -> dict[str, Any]:
    """Return the attributes named by ``__props__`` as a dictionary (what rebuilds an equal object)."""
    return {name: getattr(self, name) for name in self.__props__}


def _props_hash(self) -> int:
    return hash((type(self), tuple([getattr(self, name) for name in self.__props__])))


def props_eq(self, other) -> bool:
    """Tell whether two objects are of one class and have equal ``__props__``; the ``__eq__`` of classes that have no other."""
    if self is other:
        return True
    if type(self) is not type(other):
        return False
    return all(getattr(self, name) == getattr(other, name) for name in self.__props__)


def _props_str(self) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__props__)
    return f"{type(self).__name__}{{{shown}}}" if shown else type(self).__name__


class MetaObject(type):
    """Metaclass that derives equality, hash and string of a class from its ``__props__``.

    A class body that says ``__props__ = ("axis", "dtype")`` gets ``__eq__``, ``__hash__`` and ``__str__`` over these
    attributes, unless it defines the method itself.
    """

    def __new__(mcs, name, bases, namespace, **kwargs):
        props = namespace.get("__props__")
        if props is not None:
            if not isinstance(props, tuple):
                raise TypeError("__props__ has to be a tuple")
            if not all(isinstance(attribute, str) for attribute in props):
                raise TypeError("elements of __props__ have to be strings")
            namespace["_props"] = _props
            namespace["_props_dict"] = _props_dict
            namespace.setdefault("__eq__", props_eq)
            namespace.setdefault("__hash__", _props_hash)
            namespace.setdefault("__str__", _props_str)
        return super().__new__(mcs, name, bases, namespace, **kwargs)


class object2(metaclass=MetaObject):
    """Base of Op, Type, Variable and FunctionGraph: ``object`` with support for ``__props__``."""

    __slots__: list = []


class scratchpad:
    """A bag of attributes: what ``variable.tag`` is."""

    def __repr__(self) -> str:
        return f"scratchpad{vars(self)}"

    __str__ = __repr__

    def __copy__(self) -> scratchpad:
        # Every variable and node that is cloned has one: the general way of `copy` takes three times as long.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __update__(self, other) -> scratchpad:
        vars(self).update(vars(other))
        return self

    def clear(self) -> None:
        """Forget all attributes."""
        vars(self).clear()

    def info(self) -> None:
        """Print each attribute with its value."""
        print(f"<theano_compat.gof.utils.scratchpad instance at {id(self)}>")
        for name, value in self.__dict__.items():
            print(f"  {name}: {value}")


class D:
    """An object whose attributes are the keyword arguments given."""

    def __init__(self, **d):
        self.__dict__.update(d)


class Keyword:
    """A named marker value."""

    def __init__(self, name: str, nonzero: bool = True):
        self.name = name
        self.nonzero = nonzero

    def __bool__(self) -> bool:
        return self.nonzero

    __nonzero__ = __bool__

    def __str__(self) -> str:
        return f"<{self.name}>"

    __repr__ = __str__


ABORT = Keyword("ABORT", False)
RETRY = Keyword("RETRY", False)
FAILURE = Keyword("FAILURE", False)
FALL_THROUGH = Keyword("FALL_THROUGH", True)
ANY_TYPE = Keyword("ANY_TYPE")


# ------------------------------------------------------------------------------------------------ creation traces

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_internal_file: dict[str, bool] = {}
_line_text: dict[tuple[str, int], str | None] = {}


def _is_internal(filename: str) -> bool:
    """Whether a file is part of this package proper (its tests are user code)."""
    known = _internal_file.get(filename)
    if known is None:
        path = os.path.abspath(filename) if not filename.startswith("<") else filename
        known = path.startswith(_PACKAGE) and f"{os.sep}tests{os.sep}" not in path
        _internal_file[filename] = known
    return known


def _source_line(filename: str, lineno: int, module_globals: dict) -> str | None:
    key = (filename, lineno)
    if filename.startswith("<"):  # interactive input: the same name and number may mean another text later
        return linecache.getline(filename, lineno, module_globals).strip() or None
    if key not in _line_text:
        _line_text[key] = linecache.getline(filename, lineno, module_globals).strip() or None
    return _line_text[key]


def simple_extract_stack(f=None, limit: int | None = None, skips: Sequence[str] = ()) -> list[tuple]:
    """Return the current stack as ``(file, line number, function, source line)``, outermost first.

    Parameters
    ----------
    f : frame, optional
        Where to start; default: the caller's frame.
    limit : int, optional
        How many frames to return at most; default ``sys.tracebacklimit`` or all.
    skips : sequence of str
        Innermost frames whose file name holds one of these are left out, up to the first that does not.
    """
    if f is None:
        f = sys._getframe(1)
    if limit is None:
        limit = getattr(sys, "tracebacklimit", None)
    trace: list[tuple] = []
    while f is not None and (limit is None or len(trace) < limit):
        code = f.f_code
        filename, lineno = code.co_filename, f.f_lineno
        if trace or not any(part in filename for part in skips):
            trace.append((filename, lineno, code.co_name, _source_line(filename, lineno, f.f_globals)))
        f = f.f_back
    trace.reverse()
    return trace


def add_tag_trace(thing, user_line: int | None = None):
    """Record where the user's code made ``thing`` as ``thing.tag.trace`` and return ``thing``.

    Parameters
    ----------
    thing : Variable or Apply
    user_line : int, optional
        How many frames of the user's code to keep, ``-1`` for all; default ``config.traceback.limit``.

    Notes
    -----
    ``tag.trace`` is a list of stacks (rewrites add those of all nodes that went into a new one); a stack is a
    list of ``(file, line number, function, source line)`` as :func:`traceback.format_list` takes it.
    """
    limit = config.traceback.limit if user_line is None else user_line
    if limit == 0:
        return thing
    frame = sys._getframe(1)
    while frame is not None and _is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    stack = []
    while frame is not None and len(stack) != limit:
        code = frame.f_code
        # Frames of this package between the user's own (an op that calls other ops) say nothing to anybody.
        # Nor do those of the command line that runs the program.
        if code.co_filename == "<frozen runpy>" or _is_internal(code.co_filename):
            frame = frame.f_back
            continue
        lineno = frame.f_lineno
        stack.append((code.co_filename, lineno, code.co_name, _source_line(code.co_filename, lineno, frame.f_globals)))
        frame = frame.f_back
    if stack:
        stack.reverse()
        thing.tag.trace = [stack]
    else:
        thing.tag.trace = stack
    return thing


def get_variable_trace_string(v) -> str:
    """Return the text that tells where variable ``v`` was made, or ``""`` where nothing is known."""
    trace = getattr(v.tag, "trace", None)
    if not trace:
        return ""
    text = [" \nBacktrace when that variable is created:\n\n"]
    stacks = trace if isinstance(trace[0], list) else [trace]
    # One stack, the first, as the others belong to what the variable was rewritten from.
    text.extend(traceback.format_list(stacks[0]))
    return "".join(text)


# --------------------------------------------------------------------------------------------------------- caches


def hashtype(self) -> int:
    """Hash by class: for objects that are equal whenever their classes are."""
    cls = type(self)
    return hash(cls.__name__) ^ hash(cls.__module__)


def memoize(f: Callable) -> Callable:
    """Remember the results of ``f`` by its hashable positional arguments."""
    cache: dict = {}

    @functools.wraps(f)
    def remembering(*args):
        try:
            return cache[args]
        except KeyError:
            value = cache[args] = f(*args)
            return value

    return remembering


def deprecated(filename: str, msg: str = "") -> Callable:
    """Decorate a function so that its first call warns that it is deprecated.

    Parameters
    ----------
    filename : str
        Where the function lives, for the message.
    msg : str
        What to use instead.
    """

    def decorate(f):
        @functools.wraps(f)
        def warn_once(*args, **kwargs):
            if not warn_once.warned:
                warn_once.warned = True
                warnings.warn(f"deprecated: {filename}.{f.__name__}. {msg}".rstrip(), DeprecationWarning, stacklevel=2)
            return f(*args, **kwargs)

        warn_once.warned = False
        return warn_once

    return decorate


def hash_from_code(msg: str | bytes) -> str:
    """Return the SHA-256 digest of a text, in hexadecimal."""
    if isinstance(msg, str):
        msg = msg.encode()
    return hashlib.sha256(msg).hexdigest()


def hash_from_file(file_path: str) -> str:
    """Return the SHA-256 digest of a file's content, in hexadecimal."""
    with open(file_path, "rb") as f:
        return hash_from_code(f.read())


# ------------------------------------------------------------------------------------------------ sequence helpers


def uniq(seq: Sequence) -> list:
    """Return the elements of ``seq`` without repetitions, in order, comparing by ``==``."""
    try:
        return list(dict.fromkeys(seq))
    except TypeError:  # something that cannot be hashed
        kept: list = []
        for item in seq:
            if item not in kept:
                kept.append(item)
        return kept


def unique(x: Iterable) -> bool:
    """Whether no two elements of ``x`` are equal."""
    items = list(x)
    return len(uniq(items)) == len(items)


def difference(seq1: Iterable, seq2: Iterable) -> list:
    """Return the elements of ``seq1`` that are not in ``seq2``, in order."""
    seq2 = list(seq2)
    try:
        without: Any = set(seq2)
        return [x for x in seq1 if x not in without]
    except TypeError:
        return [x for x in seq1 if x not in seq2]


def flatten(a) -> list:
    """Return the leaves of nested tuples, lists and sets, in order."""
    leaves, pending = [], [a]
    while pending:
        item = pending.pop()
        if isinstance(item, (tuple, list, set)):
            pending.extend(reversed(list(item)))
        else:
            leaves.append(item)
    return leaves


def hist(coll: Iterable[Hashable]) -> dict:
    """Count how often each element occurs."""
    counts: dict = {}
    for item in coll:
        counts[item] = counts.get(item, 0) + 1
    return counts


def remove(predicate: Callable, coll: Iterable) -> list:
    """Return the elements of ``coll`` for which ``predicate`` does not hold."""
    return [x for x in coll if not predicate(x)]


def to_return_values(values: Sequence):
    """Return the only element of a sequence of one, any other sequence as it is."""
    return values[0] if len(values) == 1 else values


def from_return_values(values) -> list:
    """Return a list: a copy of a list or tuple, or one holding the single value given."""
    return list(values) if isinstance(values, (list, tuple)) else [values]


def toposort(prereqs_d: dict) -> list:
    """Sort the keys and values of ``prereqs_d`` so that each comes after its prerequisites.

    Parameters
    ----------
    prereqs_d : dict
        Maps an element to the collection of those that must come before it.

    Raises
    ------
    ValueError
        If there is a cycle.
    """
    waiting: dict = {}
    blocks: dict = {}
    for item, before in prereqs_d.items():
        before = set(before)
        waiting[item] = len(before)
        for b in before:
            blocks.setdefault(b, []).append(item)
    for b in blocks:
        waiting.setdefault(b, 0)
    order = [item for item, count in waiting.items() if not count]
    for item in order:  # grows while we walk it
        for later in blocks.get(item, ()):
            waiting[later] -= 1
            if not waiting[later]:
                order.append(later)
    if len(order) != len(waiting):
        raise ValueError("some orderings contain a cycle", [item for item, count in waiting.items() if count])
    return order


def type_guard(type1):
    """Return a decorator: the function is called if its argument is a ``type1``, else it answers FALL_THROUGH."""

    def decorate(f):
        @functools.wraps(f)
        def guarded(arg, *args, **kwargs):
            if type1 is ANY_TYPE or isinstance(arg, type1):
                return f(arg, *args, **kwargs)
            return FALL_THROUGH

        return guarded

    return decorate


def comm_guard(type1, type2):
    """Return a decorator for a function of two arguments of these types, given in any order.

    The function is called with the ``type1`` first; if the arguments do not fit or it answers FALL_THROUGH in
    the first order, the other is tried; at last FALL_THROUGH is the answer.
    """

    def fits(arg, wanted):
        return wanted is ANY_TYPE or isinstance(arg, wanted)

    def decorate(f):
        @functools.wraps(f)
        def guarded(arg1, arg2, *rest):
            for first, second in ((arg1, arg2), (arg2, arg1)):
                if fits(first, type1) and fits(second, type2):
                    answer = f(first, second, *rest)
                    if answer is not FALL_THROUGH:
                        return answer
            return FALL_THROUGH

        return guarded

    return decorate


def give_variables_names(variables: Iterable) -> list:
    """Give each variable a name of its own: one that is missing or not unique gets ``_`` and a number at its end.

    Parameters
    ----------
    variables : iterable of Variable
        They are changed.

    Returns
    -------
    list of Variable
        Those given.

    Raises
    ------
    ValueError
        If two have the same name even so.
    """
    variables = list(variables)
    counts = hist([var.name for var in variables])
    unclear = [var for var in variables if not var.name or counts[var.name] > 1]
    for i, var in enumerate(unclear):
        var.name = f"{var.name or ''}_{i}"
    if not unique([var.name for var in variables]):
        raise ValueError("Not all variables have unique names. Maybe you've named some of the variables identically")
    return variables
