"""From the arguments of :func:`theano.function` to a graph of its own: shared variables, updates and givens.

:func:`rebuild_collect_shared` copies the expressions, so that compiling never changes what the user built, and finds
the shared variables among them together with their updates.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from theano_compat import config
from theano_compat.compile.io import In
from theano_compat.compile.sharedvalue import SharedVariable, shared
from theano_compat.configparser import string_types
from theano_compat.gof import Constant, Variable

_logger = logging.getLogger("theano.compile.pfunc")

__all__ = ["Param", "iter_over_pairs", "pfunc", "rebuild_collect_shared"]


def iter_over_pairs(pairs: Any) -> Iterable[tuple[Any, Any]]:
    """The (key, value) pairs of a mapping, or the pairs themselves."""
    return pairs.items() if isinstance(pairs, dict) else pairs


class _Cloner:
    """Copies expressions once each, and collects the shared variables that they read."""

    def __init__(self, rebuild_strict: bool, no_default_updates: Any):
        if isinstance(no_default_updates, bool):
            self.no_default_updates: Any = no_default_updates
        elif isinstance(no_default_updates, (list, tuple, set, frozenset)):
            self.no_default_updates = set(no_default_updates)
        else:
            raise TypeError(f"no_default_updates should be either a bool or a list, not {no_default_updates!r}")
        self.rebuild_strict = rebuild_strict
        self.clone_d: dict[Any, Any] = {}
        self.update_d: dict[Any, Any] = {}
        self.update_expr: list[tuple[Any, Any]] = []
        self.shared_inputs: list[Any] = []
        self._seen_shared: set[Any] = set()

    def note_shared(self, variable: Any) -> None:
        """Make a shared variable one of the function's inputs."""
        if variable not in self._seen_shared:
            self._seen_shared.add(variable)
            self.shared_inputs.append(variable)

    def _default_update(self, variable: Any) -> None:
        blocked = self.no_default_updates
        if blocked is True or (blocked is not False and variable in blocked):
            return
        update = getattr(variable, "default_update", None)
        if update is not None and variable not in self.update_d:
            update = variable.type.filter_variable(update, allow_convert=True)
            self.update_d[variable] = update
            self.update_expr.append((variable, update))

    def _leaf(self, variable: Any, copy_leaf: bool) -> None:
        if isinstance(variable, SharedVariable):
            self.note_shared(variable)
            self._default_update(variable)
        # A constant that already belongs to a function graph cannot enter another one.
        needs_copy = copy_leaf or (isinstance(variable, Constant) and hasattr(variable, "fgraph"))
        self.clone_d[variable] = variable.clone() if needs_copy else variable

    def clone(self, variable: Any, copy_leaves: bool) -> Any:
        """The copy of `variable`, with everything that it is computed from."""
        clone_d = self.clone_d
        stack = [variable]
        while stack:
            current = stack[-1]
            if current in clone_d:
                stack.pop()
                continue
            node = current.owner
            if node is None:
                self._leaf(current, copy_leaves)
                stack.pop()
                continue
            if node not in clone_d:
                missing = [v for v in node.inputs if v not in clone_d]
                if missing:
                    # The first input comes first: shared variables are met in reading order.
                    stack.extend(reversed(missing))
                    continue
                clone_d[node] = node.clone_with_new_inputs(
                    [clone_d[v] for v in node.inputs], strict=self.rebuild_strict
                )
            for old, new in zip(node.outputs, clone_d[node].outputs):
                clone_d.setdefault(old, new)
            stack.pop()
        return clone_d[variable]


def _checked_update(target: Any, value: Any) -> Any:
    """`value` as a variable of the type of the shared variable `target`."""
    try:
        value = target.type.filter_variable(value, allow_convert=False)
    except TypeError:
        raise TypeError(
            "An update must have the same type as the original shared variable "
            f"(shared_var={target}, shared_var.type={target.type}, update_val={value}, "
            f"update_val.type={getattr(value, 'type', None)}).",
            "If the difference is related to the broadcast pattern, you can call the "
            "tensor.unbroadcast(var, axis_to_unbroadcast[, ...]) function to remove broadcastable dimensions.",
        ) from None
    assert value.type == target.type
    return value


def rebuild_collect_shared(
    outputs: Any,
    inputs: Sequence[Variable] | None = None,
    replace: Any = None,
    updates: Any = None,
    rebuild_strict: bool = True,
    copy_inputs_over: bool = True,
    no_default_updates: Any = False,
) -> tuple[list[Variable], Any, list[Any]]:
    """Copy expressions, replacing variables in them, and collect their shared variables and updates.

    Parameters
    ----------
    outputs : Variable, Out, or a list, tuple or dict of these, or None
        The expressions.
    inputs : list of Variable, optional
        Variables that stay inputs.
    replace : dict or list of pairs, optional
        What stands in place of which variables.
    updates : dict or list of pairs, optional
        The new values of shared variables.
    rebuild_strict : bool
        Refuse replacements that would change types.
    copy_inputs_over : bool
        Keep the input variables themselves instead of copying them.
    no_default_updates : bool or list of SharedVariable
        Which shared variables are not updated by their ``default_update``.

    Returns
    -------
    tuple
        The inputs, the copied outputs in the form given, and ``[clone_d, update_d, update_expr, shared_inputs]``.

    Raises
    ------
    TypeError
        An output, a key or the type of an update is wrong.
    ValueError
        Two updates of one variable.
    """
    from theano_compat.compile.io import SymbolicOutput

    cloner = _Cloner(rebuild_strict, no_default_updates)
    clone_d, update_d, update_expr = cloner.clone_d, cloner.update_d, cloner.update_expr
    copy_leaves = not copy_inputs_over

    for old, new in iter_over_pairs(replace or ()):
        if not isinstance(old, Variable):
            raise TypeError("given keys must be Variable", old)
        if not isinstance(new, Variable):
            new = shared(new)
        if old in clone_d:
            raise AssertionError(
                "When using 'givens' or 'replace' with several (old_v, new_v) replacement pairs, you can not have a "
                "new_v variable depend on an old_v one. For instance, givens = {a:b, b:(a+1)} is not allowed. "
                f"Here, the old_v {old} is used to compute other new_v's, but it is scheduled to be replaced by {new}."
            )
        clone_d[old] = cloner.clone(new, copy_leaves)

    input_variables = []
    for variable in inputs or ():
        if variable not in clone_d:
            clone_d[variable] = variable.clone() if copy_leaves else variable
        input_variables.append(clone_d[variable])

    for target, value in iter_over_pairs(updates or ()):
        if not isinstance(target, SharedVariable):
            raise TypeError("update target must be a SharedVariable", target)
        if target in update_d:
            raise ValueError("this shared variable already has an update expression", (target, update_d[target]))
        value = _checked_update(target, value)
        update_d[target] = value
        update_expr.append((target, value))

    def clone_output(output: Any) -> Any:
        if isinstance(output, Variable):
            return cloner.clone(output, copy_leaves)
        if isinstance(output, SymbolicOutput):
            return type(output)(cloner.clone(output.variable, copy_leaves), borrow=output.borrow)
        raise TypeError(
            f"Outputs must be theano Variable or Out instances. Received {output} of type {type(output)}"
        )

    cloned_outputs: Any
    if outputs is None:
        cloned_outputs = []
    elif isinstance(outputs, (list, tuple)):
        cloned_outputs = [clone_output(output) for output in outputs]
    elif isinstance(outputs, dict):
        cloned_outputs = {key: clone_output(output) for key, output in outputs.items()}
    elif isinstance(outputs, (Variable, SymbolicOutput)):
        cloned_outputs = clone_output(outputs)
    else:
        raise TypeError(
            "output must be a theano Variable or Out instance (or list of them)", outputs
        )

    # The list grows while it is read: an update can read a shared variable that has a default update.
    position = 0
    while position < len(update_expr):
        target, value = update_expr[position]
        update_d[target] = cloner.clone(value, copy_leaves)
        cloner.note_shared(target)
        position += 1

    return input_variables, cloned_outputs, [clone_d, update_d, update_expr, cloner.shared_inputs]


class Param(In):
    """An input of a function under its older name; ``default`` is the value of :class:`In`.

    Parameters
    ----------
    variable, name, mutable, strict, allow_downcast, implicit, borrow
        As in :class:`In`.
    default : object, optional
        The value when the call gives none.
    """

    def __init__(
        self,
        variable: Variable,
        default: Any = None,
        name: str | None = None,
        mutable: bool = False,
        strict: bool = False,
        allow_downcast: bool | None = None,
        implicit: bool | None = None,
        borrow: bool | None = None,
    ):
        super().__init__(
            variable,
            name=name,
            value=default,
            mutable=mutable,
            strict=strict,
            allow_downcast=allow_downcast,
            implicit=implicit,
            borrow=borrow,
        )


def _as_input(param: Any, strict: bool, allow_downcast: bool | None) -> In:
    """An :class:`In` of this function's own for what stands in the user's input list."""
    if isinstance(param, Constant):
        raise TypeError("Constants not allowed in param list", param)
    if isinstance(param, SharedVariable):
        raise TypeError(
            f"Cannot use a shared variable ({param}) as explicit input. Consider substituting a non-shared variable "
            "via the `givens` parameter"
        )
    if isinstance(param, Variable):
        return In(variable=param, strict=strict, allow_downcast=allow_downcast)
    if isinstance(param, In):
        if isinstance(param.variable, SharedVariable):
            raise TypeError(
                f"Cannot use a shared variable ({param.variable}) as explicit input. Consider substituting a non-shared "
                "variable via the `givens` parameter"
            )
        return copy.copy(param)
    raise TypeError(f"Unknown parameter type: {type(param)}")


def _refuse_duplicates(variables: Sequence[Variable]) -> None:
    from theano_compat.compile.function_module import UnusedInputError

    first_at: dict[Variable, int] = {}
    for index, variable in enumerate(variables):
        if variable in first_at:
            raise UnusedInputError(
                f"Variable {variable} is used twice in inputs to theano.function, at indices {first_at[variable]} and "
                f"{index}.  This would result in values provided for it being ignored. Please do not duplicate "
                "variables in the inputs list."
            )
        first_at[variable] = index


def _refuse_replaced_inputs(variables: Sequence[Variable], givens: Any) -> None:
    replaced = {pair[0] for pair in iter_over_pairs(givens) if isinstance(pair[0], Variable)}
    for x in variables:
        if x in replaced:
            raise RuntimeError(
                f"You are trying to replace variable '{x}' through the `givens` parameter, but this variable is an "
                "input to your function. Replacing inputs is currently forbidden because it has no effect. One way to "
                f"modify an input `{x}` to a function evaluating f({x}) is to define a new input `y` and use "
                f"`theano.function([y], f({x}), givens={{{x}: g(y)}})`. Another solution consists in using "
                f"`theano.clone`, e.g. like this: `theano.function([{x}], "
                f"theano.clone(f({x}), replace={{{x}: g({x})}}))`."
            )


def _profile_for(profile: Any, name: str | None) -> Any:
    if profile is None:
        profile = config.profile or config.print_global_stats
        if profile is False:
            return None
    from theano_compat.compile.profiling import ProfileStats

    if profile is True:
        return ProfileStats(message=name)
    if isinstance(profile, string_types):
        return ProfileStats(message=profile)
    return profile or None


def pfunc(
    params: Sequence[Any],
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
    output_keys: Sequence[str] | None = None,
) -> Any:
    """What :func:`theano.function` does once its outputs are in a list; the parameters are its own.

    Returns
    -------
    Function
        The compiled function.
    """
    from theano_compat.compile.function_module import orig_function

    profile = _profile_for(profile, name)
    if not isinstance(params, (list, tuple)):
        raise Exception("in pfunc() the first argument must be a list or a tuple")
    if not isinstance(no_default_updates, (bool, list, tuple, set, frozenset)):
        raise TypeError("no_default_update should be either a boolean or a list")
    updates = [] if updates is None else updates
    if len(updates) and any(
        isinstance(pair, Variable) or not hasattr(pair, "__len__") or len(pair) != 2
        for pair in iter_over_pairs(updates)
    ):
        raise ValueError(
            "The updates parameter must be an OrderedDict/dict or a list of lists/tuples with 2 elements"
        )
    givens = [] if givens is None else givens

    inputs = [_as_input(param, strict=False, allow_downcast=allow_input_downcast) for param in params]
    in_variables = [i.variable for i in inputs]
    _refuse_duplicates(in_variables)
    _refuse_replaced_inputs(in_variables, givens)

    # Updates of inputs are copied along with the outputs.
    single = not isinstance(outputs, (list, tuple)) and outputs is not None
    wanted = [] if outputs is None else [outputs] if single else list(outputs)
    input_updates = [i.update for i in inputs if i.update is not None]
    input_variables, cloned, (clone_d, update_d, _, shared_inputs) = rebuild_collect_shared(
        wanted + input_updates, in_variables, givens, updates, rebuild_strict, no_default_updates=no_default_updates
    )
    cloned = cloned[: len(wanted)]
    cloned_outputs = None if outputs is None else cloned[0] if single else cloned

    for spec, variable in zip(inputs, input_variables):
        spec.variable = variable
        if spec.update is not None:
            spec.update = clone_d[spec.update]
    for variable in shared_inputs:
        update = update_d.get(variable)
        inputs.append(
            In(
                variable=variable,
                value=variable.container,
                mutable=update is not None,
                borrow=True,
                update=update,
                shared=True,
            )
        )

    return orig_function(
        inputs,
        cloned_outputs,
        mode,
        accept_inplace=accept_inplace,
        name=name,
        profile=profile,
        on_unused_input=on_unused_input,
        output_keys=output_keys,
    )
