"""Running programs without windows popping up."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

__all__ = ["call_subprocess_Popen", "output_subprocess_Popen", "subprocess_Popen"]


def subprocess_Popen(command: Any, **params: Any) -> subprocess.Popen:
    """``subprocess.Popen``, hidden on Windows.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    **params : object
        Passed on.
    """
    if sys.platform == "win32":
        startup = subprocess.STARTUPINFO()  # type: ignore[attr-defined]
        startup.dwFlags |= subprocess.STARTF_USESHOWWINDOW  # type: ignore[attr-defined]
        params.setdefault("startupinfo", startup)
    params.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(command, **params)


def call_subprocess_Popen(command: Any, **params: Any) -> int:
    """Run a program, throw its output away, return its exit status."""
    if "stdout" in params or "stderr" in params:
        raise TypeError("don't use stderr or stdout with call_subprocess_Popen")
    process = subprocess_Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **params)
    return process.wait()


def output_subprocess_Popen(command: Any, **params: Any) -> tuple[bytes, bytes, int]:
    """Run a program; its output, its errors and its exit status."""
    if "stdout" in params or "stderr" in params:
        raise TypeError("don't use stderr or stdout with output_subprocess_Popen")
    process = subprocess_Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **params)
    out, err = process.communicate()
    return (*(out, err), process.returncode)
