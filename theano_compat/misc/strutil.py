"""Templates and layout of generated text."""

from __future__ import annotations

from typing import Any

__all__ = ["pretty_format", "render_string", "strip_leading_white_space"]


def render_string(string: str, sub: dict[str, Any]) -> str:
    """``string % sub`` with an error that shows where it went wrong.

    Parameters
    ----------
    string : str
        A template with ``%(name)s`` in it.
    sub : dict
        The values.
    """
    try:
        return string % sub
    except Exception as error:
        # The longest beginning of lines that can still be rendered ends right before the culprit.
        lines = string.split("\n")
        for number in range(1, len(lines) + 1):
            try:
                "\n".join(lines[:number]) % sub
            except Exception:
                raise Exception(f"Problem in line {number} of the template: {lines[number - 1]!r}: {error!r}") from error
        raise


def strip_leading_white_space(line: str) -> str:
    """`line` without blanks at its beginning."""
    return line.lstrip(" \t")


def pretty_format(string: str) -> str:
    """C text indented by its braces.

    Parameters
    ----------
    string : str
        Lines in any layout.
    """
    result, depth = [], 0
    for line in string.split("\n"):
        line = line.strip()
        closing = len(line) - len(line.lstrip("}"))
        depth = max(depth - closing, 0)
        result.append("  " * depth + line if line else "")
        depth = max(depth + line.count("{") - (line.count("}") - closing), 0)
    return "\n".join(result)
