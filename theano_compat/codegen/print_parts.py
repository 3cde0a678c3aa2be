"""A long segment as several C functions, one after another: what a compiler has to do for one function grows faster than its length.

The segment of an unrolled net of 200 steps has 60 000 lines, and gcc's allocation of registers and its analysis of pointers alone take more than half of its time
there, a tenth of it in a segment of 10 000. What one part defines and a later one reads is handed on in a structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["LONG", "in_parts", "indented", "on_stack"]

#: Lines of a segment that is divided, and of a part.
LONG, _PART = 2000, 500

#: Names that the engine has made end with their numbers, and each is declared once.
_name = re.compile(r"\b(?!tc_|TC_|float|double|complex|u?int)[A-Za-z_]*[A-Za-z_]\d+\b(?!\()").findall
_declaration = re.compile(r"(?:const )?(\w+(?: _Complex)?)( \*(?:const )?| )([A-Za-z_]+\d+) = ").match


def indented(lines: Iterable[str], times: int = 1) -> list[str]:
    """Return lines of C further to the right; those of the preprocessor stay."""
    return ["    " * times + line if not line.startswith("#") else line for line in lines]


def on_stack(name: str, size: int) -> str:
    """Return the declaration of an array of bytes."""
    return f"char {name}[{size}] __attribute__((aligned(16)));"


def _groups(chunks: Sequence[list[str]]) -> list[list[str]]:
    """Put statements together until they are a part."""
    groups: list[list[str]] = [[]]
    for chunk in chunks:
        if len(groups[-1]) + len(chunk) > _PART and groups[-1]:
            groups.append([])
        groups[-1] += chunk
    return groups


def _declares(lines: list[str], name: str) -> bool:
    """Tell whether lines declare a name of their own, inside of a block."""
    return any(re.search(rf"\b(?:int64_t|int32_t|int|size_t|char|double|float)\b[^=;(]*\b{name}\b", line) for line in lines)


def in_parts(symbol: str, chunks: Sequence[list[str]], last: list[str], opening: dict[str, str], arrays: dict[str, int]) -> str | None:
    """Return the text of a segment and its parts.

    Parameters
    ----------
    symbol : str
    chunks : list of list of str
        The lines of each statement.
    last : list of str
        The lines behind them.
    opening : dict of str to str
        What has to stand before the first use of a name in any part that uses it (pointers to inputs, counters of watched loops).
    arrays : dict of str to int
        Names of arrays on the C stack, and their bytes.

    Returns
    -------
    str or None
        None where a name is handed on whose declaration is not understood.
    """
    groups = _groups(chunks)
    groups[-1] = groups[-1] + last
    used = [set(_name("\n".join(group))) for group in groups]
    first: dict[str, int] = {}
    final: dict[str, int] = {}
    for number, names in enumerate(used):
        for name in names:
            first.setdefault(name, number)
            final[name] = number
    types: dict[str, str] = {}
    for group in groups:
        for line in group:
            found = _declaration(line)
            if found is not None:
                types.setdefault(found[3], found[1] + found[2].replace("const ", ""))
    handed_on: dict[str, int] = {}  # to their places in the structure
    for name in sorted((n for n in first if first[n] != final[n] and n not in opening), key=lambda n: (first[n], n)):
        if name in types or name in arrays:
            handed_on[name] = len(handed_on)
        elif not all(_declares(group, name) for group, names in zip(groups, used) if name in names):
            return None
    state = f"{symbol}_state"
    members = [on_stack(n, arrays[n]) if n in arrays else f"{types[n]}{n};" for n in handed_on]
    text = ["typedef struct {", *indented(members or ["char none;"]), f"}} {state};"]
    for number, (group, names) in enumerate(zip(groups, used)):
        lines, ending = [], []
        for name, line in opening.items():
            if name in names:
                lines.append(line)
        for name in sorted(names & arrays.keys() - handed_on.keys()):
            lines.append(on_stack(name, arrays[name]))
        for name in sorted(names & handed_on.keys(), key=handed_on.__getitem__):
            if name in arrays:
                lines.append(f"char *const {name} = state->{name};")
                continue
            if first[name] < number:
                lines.append(f"{types[name]}{name} = state->{name};")
            if final[name] > number:
                ending.append(f"state->{name} = {name};")
        text.append(f"static __attribute__((noinline)) int32_t {symbol}_part_{number}(tc_frame *f, {state} *state)")
        text.append("{")
        text += indented((*lines, *group, *ending))
        text += ["    return 0;", "}"]
    text += [f"int32_t {symbol}(tc_frame *f)", "{", f"    {state} state;", "    int32_t code;"]
    text += [f"    if ((code = {symbol}_part_{number}(f, &state))) return code;" for number in range(len(groups))]
    text += ["    return 0;", "}"]
    return "\n".join(text)
