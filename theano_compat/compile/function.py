"""The user's entrance: :func:`function`."""

from __future__ import annotations

import logging
import sys
from typing import Any

from theano_compat.compile.function_module import orig_function
from theano_compat.compile.pfunc import pfunc
from theano_compat.configparser import string_types

_logger = logging.getLogger("theano.compile.function")

__all__ = ["function", "function_dump"]


def function_dump(
    filename: str,
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    extra_tag_to_remove: Any = None,
) -> None:
    """Pickle the arguments of a call of :func:`function`, to compile it elsewhere.

    Parameters
    ----------
    filename : str
        Where the pickle goes. Its content is a dictionary of keyword arguments of :func:`function`.
    extra_tag_to_remove : list of str, optional
        Attributes of ``tag`` to leave out, besides the traces.
    inputs, outputs, mode, updates, givens, no_default_updates, accept_inplace, name, rebuild_strict
        As for :func:`function`, like all that follow.
    """
    arguments = {
        "inputs": inputs,
        "outputs": outputs,
        "mode": mode,
        "updates": updates,
        "givens": givens,
        "no_default_updates": no_default_updates,
        "accept_inplace": accept_inplace,
        "name": name,
        "rebuild_strict": rebuild_strict,
        "allow_input_downcast": allow_input_downcast,
        "profile": profile,
        "on_unused_input": on_unused_input,
    }
    from theano_compat.misc.pkl_utils import StripPickler

    with open(filename, "wb") as file:
        StripPickler(file, protocol=-1, extra_tag_to_remove=extra_tag_to_remove).dump(arguments)


def _name_of_caller() -> str:
    """File and line of the code that calls :func:`function`."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
) -> Any:
    """Compile expressions into something that can be called.

    Parameters
    ----------
    inputs : list of Variable or In
        The parameters of the call.
    outputs : Variable, Out, or a list or dict of these, optional
        What a call returns, in the same form.
    mode : Mode or str, optional
        How to rewrite and run; ``config.mode`` if not given.
    updates : list of pairs or dict, optional
        Shared variables with the expressions of their new values, applied after each call.
    givens : list of pairs or dict, optional
        Variables with what stands in their place in this function.
    no_default_updates : bool or list of SharedVariable
        Do not apply the ``default_update`` of shared variables, or of these.
    accept_inplace : bool
        Allow operations that destroy their inputs in the expressions.
    name : str, optional
        For messages and profiles; file and line of the call if not given.
    rebuild_strict : bool
        Refuse givens that change types in the graph.
    allow_input_downcast : bool or None
        Whether arguments may lose precision; ``None`` allows it for Python floats to ``floatX`` only.
    profile : bool, str or ProfileStats, optional
        Measure the function; a string is the heading.
    on_unused_input : {'raise', 'warn', 'ignore'}, optional
        What to do about inputs that the outputs do not need; ``config.on_unused_input`` if not given.

    Returns
    -------
    Function
        Callable with values for the inputs.

    Raises
    ------
    UnusedInputError
        An input is not needed, or stands twice in the list.
    MissingInputError
        The outputs need a variable that has no value.
    TypeError
        An input, output, update or given is of the wrong kind.
    """
    if name is None:
        name = _name_of_caller()

    output_keys = None
    if isinstance(outputs, dict):
        for key in outputs:
            if not isinstance(key, string_types):
                raise AssertionError(f"The keys of a dictionary of outputs have to be strings, not {key!r}")
        output_keys = sorted(outputs)
        outputs = [outputs[key] for key in output_keys]

    if not isinstance(inputs, (list, tuple)):
        raise Exception(
            "Input variables of a Theano function should be contained in a list, even when there is a single input."
        )

    common = {
        "mode": mode, "accept_inplace": accept_inplace, "name": name, "on_unused_input": on_unused_input,
        "output_keys": output_keys,
    }  # fmt: skip
    if any(isinstance(i, (list, tuple)) for i in inputs):
        # Specifications by nested lists are older than updates and givens.
        if profile:
            raise NotImplementedError("profiling not supported in old-style function")
        if updates or givens:
            raise NotImplementedError(
                "In() instances and tuple inputs trigger the old semantics, which disallow using updates and givens"
            )
        return orig_function(inputs, outputs, **common)
    work = {"updates": updates, "givens": givens, "no_default_updates": no_default_updates}
    checks = {"rebuild_strict": rebuild_strict, "allow_input_downcast": allow_input_downcast}
    return pfunc(inputs, outputs, profile=profile, **common, **work, **checks)


