"""Errors for names that nothing can stand for."""

from __future__ import annotations

from typing import NoReturn


def gone(name: str, advice: str) -> NoReturn:
    """Say that a name is gone for good, and what to use."""
    raise AttributeError(f"{name} no longer exists; {advice}")
