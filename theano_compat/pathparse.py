"""Editing of ``PATH``-like variables."""

from __future__ import annotations

import os

__all__ = ["PathParser"]


class PathParser:
    """The folders of an environment variable, in order and without doubles.

    Parameters
    ----------
    filename : str, optional
        A file with one folder a line to start from; else the variable ``PATH`` is.
    """

    def __init__(self, filename: str | None = None):
        if filename is None:
            lines = os.environ.get("PATH", "").split(os.pathsep)
        else:
            with open(filename) as file:
                lines = file.read().splitlines()
        self.paths = list(dict.fromkeys(line for line in lines if line))

    def addpath(self, path: str) -> None:
        """Add a folder that exists at the end."""
        if os.path.isdir(path) and path not in self.paths:
            self.paths.append(path)

    def removepath(self, path: str) -> None:
        """Take a folder out."""
        self.paths = [p for p in self.paths if p != path]

    def __str__(self) -> str:
        return os.pathsep.join(self.paths)
