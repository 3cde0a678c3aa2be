"""ProfileMode: the times of all functions made in one mode, as Theano had it up to version 0.8. `function(..., profile=True)` says more."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from theano_compat.compile.function_maker import FunctionMaker
from theano_compat.compile.mode import Mode
from theano_compat.compile.profiling import ProfileStats

__all__ = ["ProfileMode"]


class ProfileMode(Mode):
    """Runs functions as any mode does, and keeps their times for :meth:`print_summary`.

    Parameters
    ----------
    linker : Linker or str, optional
        As for :class:`Mode`.
    optimizer : Optimizer, Query or str
        As for :class:`Mode`.
    message : str, optional
        Heading of the summary.

    Examples
    --------
    >>> import theano_compat as theano
    >>> mode, x = theano.compile.ProfileMode(), theano.tensor.dscalar('x')
    >>> f = theano.function([x], x ** 2, mode=mode)
    >>> float(f(3))
    9.0
    >>> mode.print_summary()  # doctest: +ELLIPSIS
    Function profiling
    ...
    """

    def __init__(self, linker: Any = None, optimizer: Any = "default", message: str | None = None):
        self.message = message
        self.profiles: list[ProfileStats] = []
        super().__init__(linker, optimizer)

    def __getstate__(self) -> Any:
        return (*super().__getstate__(), self.message)

    def __setstate__(self, state: Any) -> None:
        self.profiles = []
        if len(state) == 3:
            self.message = state[2]
        super().__setstate__(state[:2])

    def function_maker(self, *args: Any, profile: Any = None, **options: Any) -> FunctionMaker:
        """A maker whose functions add to the times."""
        if not profile:
            profile = ProfileStats(atexit_print=False, message=options.get("name") or self.message)
        self.profiles.append(profile)
        return FunctionMaker(*args, profile=profile, **options)

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> ProfileMode:
        """A copy, possibly with other rewrites, whose times are counted with this one's."""
        new = super().clone(link_kwargs, optimizer, **kwargs)
        new.message, new.profiles = self.message, self.profiles
        return new  # type: ignore[return-value]

    def print_summary(self, n_apply_to_print: int = 15, n_ops_to_print: int = 20, file: TextIO | None = None, **_: Any) -> None:
        """Print the times of each function that was called, the slowest ops and nodes first.

        Parameters
        ----------
        n_apply_to_print, n_ops_to_print : int
            How many nodes and ops.
        file : file, optional
            Standard output if not given.
        """
        for profile in self.profiles:
            if profile.fct_callcount:
                profile.summary(file or sys.stdout, n_ops_to_print, n_apply_to_print)
