"""Texts that identify expressions and values, for comparing runs."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from theano_compat.gof import Variable

__all__ = ["char_from_number", "hex_digest", "min_informative_str", "position_independent_str", "var_descriptor"]


def char_from_number(number: int) -> str:
    """Capital letters that count: 0 is ``A``, 25 ``Z``, 26 ``BA``."""
    digits = ""
    while True:
        number, digit = divmod(number, 26)
        digits = chr(ord("A") + digit) + digits
        if not number:
            return digits


class _TagGenerator:
    """Gives ``A``, ``B``, and so on."""

    def __init__(self) -> None:
        self.cur_tag_number = 0

    def get_tag(self) -> str:
        """The next one."""
        tag = char_from_number(self.cur_tag_number)
        self.cur_tag_number += 1
        return tag


def hex_digest(x: np.ndarray) -> str:
    """A text that is the same for equal arrays of one layout.

    Parameters
    ----------
    x : ndarray
        The array.

    Returns
    -------
    str
        SHA-256 of the bytes, strides and shape.
    """
    strides = ",".join(map(str, x.strides))
    shape = ",".join(map(str, x.shape))
    return f"{hashlib.sha256(x.tobytes()).hexdigest()}|strides=[{strides}]|shape=[{shape}]"


def min_informative_str(obj: Any, indent_level: int = 0, _prev_obs: Any = None, _tag_generator: Any = None) -> str:
    """A variable as an indented tree with a letter for each entry; repeated parts are given by their letter.

    Parameters
    ----------
    obj : Variable
        The expression. What lies behind a named variable is left out.
    indent_level : int
        Where the text starts.
    """
    seen = {} if _prev_obs is None else _prev_obs
    tags = _TagGenerator() if _tag_generator is None else _tag_generator
    lines = []
    stack = [(obj, indent_level)]
    while stack:
        current, level = stack.pop()
        indent = " " * level
        if current in seen:
            lines.append(f"{indent}<{seen[current]}>")
            continue
        tag = seen[current] = tags.get_tag()
        owner = getattr(current, "owner", None)
        if getattr(current, "name", None) is not None:
            label = current.name
        elif owner is not None:
            label = str(owner.op)
            stack.extend((source, level + 1) for source in reversed(owner.inputs))
        else:
            label = str(current)
        lines.append(f"{indent}{tag}. {label}")
    return "\n".join(lines)


def var_descriptor(obj: Any, _prev_obs: Any = None, _tag_generator: Any = None) -> str:
    """A text that describes an expression or a value completely, and is the same in every run.

    Parameters
    ----------
    obj : object
        A variable, an array, or anything with a printed form.
    """
    seen: dict[Any, str] = {} if _prev_obs is None else _prev_obs
    tags = _TagGenerator() if _tag_generator is None else _tag_generator
    parts: list[str] = []
    stack: list[Any] = [(obj,)]
    while stack:
        entry = stack.pop()
        if isinstance(entry, str):
            parts.append(entry)
            continue
        current = entry[0]
        key = current if isinstance(current, Variable) else id(current)
        if key in seen:
            parts.append(f"<{seen[key]}>")
            continue
        tag = seen[key] = tags.get_tag()
        parts.append(f"{tag}=")
        owner = getattr(current, "owner", None)
        if hasattr(current, "__array__") and not isinstance(current, Variable):
            array = np.asarray(current)
            strides = ",".join(map(str, array.strides))
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            parts.append(f"<ndarray:strides=[{strides}],digest={digest}>")
        elif owner is not None:
            parts.append(str(owner.op) + "(")
            stack.append(")")
            for position, source in reversed(list(enumerate(owner.inputs))):
                stack.append((source,))
                if position:
                    stack.append(",")
        else:
            parts.append(str(current))
    return "".join(parts)


def position_independent_str(obj: Any) -> str:
    """A text for `obj` without its place in memory.

    Parameters
    ----------
    obj : object
        A variable, or something whose text has an address after ``at 0x``.
    """
    if isinstance(obj, Variable):
        return f"theano_var{{type={position_independent_str(obj.type)}}}"
    text = str(obj)
    while " at 0x" in text:
        before, _, after = text.partition(" at 0x")
        text = before + after.lstrip("0123456789abcdefABCDEF")
    return text
