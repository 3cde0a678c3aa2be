"""The folder of compiled code: what is in it, and how to empty it."""

from __future__ import annotations

import os
import shutil
import sys

from theano_compat import config

string_types = (str,)


def _is_ours(path: str) -> bool:
    """Whether a folder looks like one of compiled code: emptying the wrong one cannot be undone."""
    return os.path.isdir(path) and os.path.basename(path).startswith("compiledir_")


def cleanup() -> None:
    """Remove the files that processes which died left unfinished, and what has not been used for a month."""
    from theano_compat.codegen import cache

    cache.clear(older_than=60 * 60 * 24 * 31)


def print_title(title: str, overline: str = "", underline: str = "") -> None:
    """Print a title with lines of a character above and below."""
    for line in (overline * len(title), title, underline * len(title)):
        if line:
            print(line)


def print_compiledir_content() -> None:
    """Print the number, ages and sizes of what is in the folder of compiled code."""
    from theano_compat.codegen import cache

    sizes = sorted(path.stat().st_size for path in cache.entries() if path.suffix != ".json")
    print_title(f"Theano cache: {config.compiledir}", overline="=", underline="=")
    print()
    print(f"{len(sizes)} compiled functions")
    if sizes:
        print(f"smallest {sizes[0]} bytes, median {sizes[len(sizes) // 2]} bytes, largest {sizes[-1]} bytes, all {sum(sizes)} bytes")


def compiledir_purge() -> None:
    """Empty the folder of compiled code of this configuration."""
    if os.path.isdir(config.compiledir):
        for name in os.listdir(config.compiledir):
            path = os.path.join(config.compiledir, name)
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def basecompiledir_ls() -> None:
    """Print the folders of compiled code, of all configurations."""
    base = config.base_compiledir
    names = sorted(os.listdir(base)) if os.path.isdir(base) else []
    ours = [name for name in names if _is_ours(os.path.join(base, name))]
    others = [name for name in names if name not in ours]
    print_title(f"base_compiledir is {base}")
    print()
    print_title("Sub-directories (possible compiled caches):", underline="-")
    for name in ours:
        print(f"    {name}")
    if not ours:
        print("    (None)")
    if others:
        print()
        print_title("Files in base_compiledir:", underline="-")
        for name in others:
            print(f"    {name}")


def basecompiledir_purge() -> None:
    """Empty the folders of compiled code, of all configurations."""
    base = config.base_compiledir
    for name in os.listdir(base) if os.path.isdir(base) else ():
        path = os.path.join(base, name)
        if _is_ours(path) and not os.path.islink(path):
            print(f"Removing {path}", file=sys.stderr)
            shutil.rmtree(path, ignore_errors=True)
