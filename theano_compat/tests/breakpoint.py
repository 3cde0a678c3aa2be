"""Theano's path of the conditional breakpoint."""

from __future__ import annotations

from theano_compat.breakpoint import PdbBreakpoint

__all__ = ["PdbBreakpoint"]
