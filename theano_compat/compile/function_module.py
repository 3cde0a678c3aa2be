"""Compiled functions as the user holds them: calling, named inputs, stored values, copying and pickling.

The graph side is in :mod:`theano_compat.compile.function_maker` and :mod:`theano_compat.compile.aliasing`, whose
names are found here as well.
"""

from __future__ import annotations

import copy
import copyreg
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano_compat import config
from theano_compat.compile.aliasing import (  # noqa: F401
    Supervisor,
    alias_root,
    infer_reuse_pattern,
    insert_deepcopy,
    view_tree_set,
)
from theano_compat.compile.function_maker import (  # noqa: F401
    FunctionMaker,
    UnusedInputError,
    _constructor_FunctionMaker,
    convert_function_input,
    fgraph_updated_vars,
    orig_function,
    std_fgraph,
)
from theano_compat.compile.io import In, SymbolicInput, SymbolicOutput  # noqa: F401
from theano_compat.compile.ops import deep_copy_op, view_op  # noqa: F401
from theano_compat.compile.sharedvalue import UPDATES, call_lock
from theano_compat.configparser import string_types  # noqa: F401
from theano_compat.gof import Constant
from theano_compat.gof.link import Container, is_explained, raise_with_op
from theano_compat.gof.op import ops_with_inner_function
from theano_compat.gof.utils import get_variable_trace_string

_logger = logging.getLogger("theano.compile.function_module")

for _class in (FunctionMaker, Supervisor, UnusedInputError):
    _class.__module__ = __name__


class AliasedMemoryError(Exception):
    """Two variables share memory where that cannot be kept up.

    Parameters
    ----------
    a, b : object
        The values that overlap.
    """

    def __init__(self, a: Any, b: Any):
        super().__init__(a, b)
        self.a, self.b = a, b


# Marks in the tables of a function: several inputs have this name; an input has no default.
DUPLICATE = ["DUPLICATE"]
NODEFAULT = ["NODEFAULT"]

# Functions that decide, for values that NumPy knows nothing of, whether two are equal.
check_equal_checkers: list[Callable[[Any, Any], bool]] = []


def register_checker(checker: Callable[[Any, Any], bool]) -> None:
    """Let `checker` take part in :func:`check_equal`; it raises what it likes on values that it does not know."""
    check_equal_checkers.insert(0, checker)


def check_equal(x: Any, y: Any) -> bool:
    """Whether two values are equal, by the registered checkers, else as arrays, else by ``==``."""
    for checker in check_equal_checkers:
        try:
            return checker(x, y)
        except Exception:
            continue
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return bool(np.array_equal(x, y))
    return bool(x == y)


def get_info_on_inputs(named_inputs: Sequence[str], n_unnamed_inputs: int) -> str:
    """One sentence that says which inputs can be given by name.

    Parameters
    ----------
    named_inputs : list of str
        The names.
    n_unnamed_inputs : int
        How many inputs have none.
    """
    n_named = len(named_inputs)
    remedy = "(use 'name=...' in a Variable's constructor to give it a name)"
    if not n_named:
        if not n_unnamed_inputs:
            return "The function is supposed to have no input."
        if n_unnamed_inputs == 1:
            return (
                "The function has a single input variable which has no name, and thus cannot be assigned through a "
                f"keyword argument {remedy}."
            )
        return (
            f"The function has {n_unnamed_inputs} inputs, but none of them is named, and thus they cannot be assigned "
            f"through keyword arguments {remedy}."
        )
    text = f"The function has {n_named} named input{'s' if n_named > 1 else ''} ({', '.join(named_inputs)})"
    if n_unnamed_inputs:
        plural = "s" if n_unnamed_inputs > 1 else ""
        text += (
            f", and {n_unnamed_inputs} unnamed input{plural} which thus cannot be accessed through keyword "
            f"argument{plural} {remedy.replace('Variable', 'variable')}"
        )
    return text + "."


class _InputTable:
    """A function's inputs by name, variable or position; the items are containers, or the values in them.

    Parameters
    ----------
    finder : dict
        Key to container or :data:`DUPLICATE`.
    values : bool
        Give the values instead of the containers.
    explain : callable
        Returns a sentence on the names that there are.
    """

    def __init__(self, finder: dict[Any, Any], values: bool, explain: Callable[[], str]):
        self._finder, self._values, self._explain = finder, values, explain

    def _find(self, item: Any) -> Any:
        try:
            found = self._finder[item]
        except (KeyError, TypeError):
            raise TypeError(f"Unknown input or state: {item}") from None
        if found is DUPLICATE:
            raise TypeError(
                f"Ambiguous name: {item} - please check the names of the inputs of your function for duplicates."
            )
        return found

    def __getitem__(self, item: Any) -> Any:
        container = self._find(item)
        return container.value if self._values else container

    def __setitem__(self, item: Any, value: Any) -> None:
        try:
            container = self._find(item)
        except TypeError as error:
            if str(error).startswith("Unknown"):
                raise TypeError(f"{error}. {self._explain()}") from None
            raise
        container.value = value
        container.provided += 1

    def __contains__(self, item: Any) -> bool:
        # Names are what one asks for; anything else that cannot be looked up is not there.
        try:
            return item in self._finder
        except TypeError:
            return False


class Function:
    """A compiled function; what :func:`theano.function` returns.

    Parameters
    ----------
    fn : callable
        Runs the graph on the storage.
    input_storage, output_storage : list of Container
        Where the values of the inputs and of the outputs are.
    indices : list
        For each input ``(spec, None, [spec])``.
    outputs : list of SymbolicOutput
        What is returned.
    defaults : list of (bool, bool, object)
        For each input: the call has to give it; it gets its default back after each call; the default.
    unpack_single, return_none : bool
        Return the only output bare; return nothing.
    output_keys : list of str or None
        Return a dictionary.
    maker : FunctionMaker
        What made this function.
    name : str, optional
        For messages.

    Attributes
    ----------
    trust_input : bool
        Set it to skip conversion and checks of the arguments: they must be arrays of the right type and layout.
    """

    # A linker's short way through a call: called with the positional arguments, it returns what the call returns, or
    # NotImplemented when anything about them is out of the ordinary.
    _fast_call: Callable[[tuple[Any, ...]], Any] | None = None

    def __init__(
        self,
        fn: Any,
        input_storage: list[Container],
        output_storage: list[Container],
        indices: list[Any],
        outputs: list[SymbolicOutput],
        defaults: list[tuple[bool, bool, Any]],
        unpack_single: bool,
        return_none: bool,
        output_keys: Sequence[str] | None,
        maker: FunctionMaker,
        name: str | None = None,
    ):
        self.name, self.maker, self.fn = name, maker, fn
        self.input_storage, self.output_storage = input_storage, output_storage
        self.indices, self.defaults, self.outputs = indices, defaults, outputs
        self.unpack_single, self.return_none, self.output_keys = unpack_single, return_none, output_keys
        self.profile = getattr(maker, "profile", None)
        self.trust_input = False
        specs = maker.expanded_inputs
        # Calls of one function run one at a time; of functions with updates, all of them do (they may share what they update).
        self._lock = UPDATES if any(spec.update is not None for spec in specs) else call_lock()
        self._connect_inputs()

        self.n_returned_outputs = len(output_storage) - sum(spec.update is not None for spec in specs)
        # The storage of shared variables is the library's own: it never overlaps with an argument.
        self._check_for_aliased_inputs = any(
            isinstance(spec, In) and not spec.shared and (spec.borrow or spec.mutable) for spec in specs
        )
        self._prepare_call()

    # ---- set-up ---------------------------------------------------------------------------------------

    def _connect_inputs(self) -> None:
        """Give each container its flags and first value, and enter it under position, variable and name."""
        finder: dict[Any, Any] = {}
        self.inv_finder: dict[Container, SymbolicInput] = {}
        self._named_inputs: list[str] = []
        self._n_unnamed = 0
        for position, (entry, container, default) in enumerate(zip(self.indices, self.input_storage, self.defaults)):
            spec = entry[0]
            required, _, value = default
            container.strict = getattr(spec, "strict", False)
            container.allow_downcast = getattr(spec, "allow_downcast", None)
            if value is not None:
                if isinstance(value, Container):
                    container.storage[0] = value.storage[0]
                else:
                    container.value = value
            container.required = required
            container.implicit = spec.implicit
            container.provided = 0
            finder[position] = container
            finder[spec.variable] = container
            finder[spec.name] = DUPLICATE if spec.name in finder else container
            if spec.name is None:
                self._n_unnamed += 1
            else:
                self._named_inputs.append(spec.name)
            self.inv_finder[container] = spec
        self.finder = finder
        self._value = _InputTable(finder, True, self._explain_inputs)
        self._container = _InputTable(finder, False, self._explain_inputs)

    def _prepare_call(self) -> None:
        """Tables that the call reads, and the linker's short way if it has one."""
        specs = self.maker.expanded_inputs
        self._required = [c for c in self.input_storage if c.required]
        self._checked = [c for c in self.input_storage if c.required or c.implicit]
        self._refeeds = [(c, value) for c, (_, refeed, value) in zip(self.input_storage, self.defaults) if refeed]
        self._updates = [c for spec, c in zip(specs, self.input_storage) if spec.update is not None]
        # With garbage collection on, the function keeps no reference to what it computed.
        self._to_clear = [container for container, computed in zip(self.output_storage, self.maker.computes_outputs) if computed]
        make_fast = getattr(self.fn, "make_fast_call", None)
        self._fast_call = make_fast(self) if make_fast is not None and not self.profile else None

    def _explain_inputs(self) -> str:
        return get_info_on_inputs(self._named_inputs, self._n_unnamed)

    # ---- stored values --------------------------------------------------------------------------------

    @property
    def container(self) -> _InputTable:
        """The containers of the inputs, by name, variable or position."""
        return self._container

    @property
    def value(self) -> _InputTable:
        """The stored values of the inputs, by name, variable or position; can be assigned to."""
        return self._value

    def __contains__(self, item: Any) -> bool:
        return item in self._value

    def __getitem__(self, item: Any) -> Any:
        return self._value[item]

    def __setitem__(self, item: Any, value: Any) -> None:
        self._value[item] = value

    def get_shared(self) -> list[Any]:
        """The shared variables that the function reads or updates."""
        return [spec.variable for spec in self.maker.inputs if getattr(spec, "shared", False)]

    def sync_shared(self) -> None:
        """Wait until all work on this function's shared variables is done; on the CPU it always is."""
        for variable in self.get_shared():
            sync = getattr(variable.get_value(borrow=True, return_internal_type=True), "sync", None)
            if sync is not None:
                sync()

    @property
    def nodes_with_inner_function(self) -> list[Any]:
        """The nodes of the rewritten graph whose ops hold a function of their own."""
        return [node for node in self.maker.fgraph.apply_nodes if type(node.op) in ops_with_inner_function]

    def free(self) -> None:
        """Drop intermediate results that the function keeps for its next call; constants and inputs stay."""
        # A function that was found has no such table of its own, nor functions in its ops.
        storage_map = getattr(self.fn, "__dict__", {}).get("storage_map") or {}
        keep = {id(container.storage) for container in self.input_storage}
        for variable, storage in storage_map.items():
            if not isinstance(variable, Constant) and id(storage) not in keep:
                storage[0] = None
        for node in self.nodes_with_inner_function if storage_map else ():
            inner = getattr(node.op, ops_with_inner_function[type(node.op)], None)
            if hasattr(inner, "free"):
                inner.free()
        release = getattr(self.fn, "free", None)
        if callable(release):
            release()

    # ---- call -----------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs for these inputs and apply the updates.

        Parameters
        ----------
        *args, **kwargs : object
            Values of the inputs by position or name.
        output_subset : list of int or str, optional
            Compute only these outputs, given by position or by key.

        Returns
        -------
        object
            The value of the single output; a list for a list of outputs; a dictionary for a dictionary;
            None if the function has no outputs.
        """
        fast = self._fast_call
        if fast is not None and not kwargs:
            result = fast(*args)
            if result is not NotImplemented:
                return result
        with self._lock:
            return self._general_call(args, kwargs)

    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        profile = self.profile
        start = time.perf_counter() if profile else 0.0
        subset = self._output_positions(kwargs.pop("output_subset", None)) if "output_subset" in kwargs else None
        try:
            self._take_arguments(args, kwargs)
            if self._check_for_aliased_inputs:
                self._separate_aliases()
            for container in self._checked:
                self._check_provided(container)
            fn_start = time.perf_counter() if profile else 0.0
            outputs = self._run(subset)
            if profile:
                spent = time.perf_counter() - fn_start
                self.maker.mode.fn_time += spent
                profile.vm_call_time += spent
            if outputs is None:
                outputs = [container.storage[0] for container in self.output_storage]
            else:
                outputs = list(outputs)
        finally:
            # Required inputs are not kept alive by the function; the others get their defaults back.
            for container in self._required:
                container.storage[0] = None
            for container, value in self._refeeds:
                container.value = value
        if getattr(self.fn, "allow_gc", False):
            for container in self._to_clear:
                container.storage[0] = None
        if self._updates and getattr(self.fn, "need_update_inputs", True):
            for container, value in zip(self._updates, outputs[self.n_returned_outputs :]):
                container.data = value
        if profile:
            spent = time.perf_counter() - start
            self.maker.mode.call_time += spent
            profile.fct_callcount += 1
            profile.fct_call_time += spent
            if hasattr(self.fn, "update_profile"):
                self.fn.update_profile(profile)
            if profile.ignore_first_call:
                profile.reset()
                profile.ignore_first_call = False
        return self._shape_result(outputs[: self.n_returned_outputs], subset)

    def _output_positions(self, wanted: Sequence[Any] | None) -> list[int] | None:
        if wanted is None or self.output_keys is None:
            return wanted if wanted is None else list(wanted)
        position = {key: i for i, key in enumerate(self.output_keys)}
        return [position[key] for key in wanted]

    def _take_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        storage = self.input_storage
        for container in storage:
            container.provided = 0
        if len(args) + len(kwargs) > len(storage):
            raise TypeError("Too many parameter passed to theano function")
        trust = self.trust_input
        for position, (container, value) in enumerate(zip(storage, args)):
            if trust or value is None:
                # None stands for "no value": it is up to the ops what to make of it
                container.storage[0] = value
            else:
                try:
                    container.storage[0] = container.type.filter(
                        value, strict=container.strict, allow_downcast=container.allow_downcast
                    )
                except Exception as error:
                    self._explain_bad_argument(error, value, position)
                    raise
            container.provided += 1
        for key, value in kwargs.items():
            self._value[key] = value

    def _describe_input(self, position: int) -> str:
        """Say which function an input is of, which of its inputs it is, and where its variable was made."""
        function = f'theano function with name "{self.name}"' if self.name else "theano function"
        return f"{function} at index {position} (0-based). {get_variable_trace_string(self.maker.inputs[position].variable)}"

    def _explain_bad_argument(self, error: Exception, value: Any, position: int) -> None:
        """Put function, position and the line that made the variable before the message of `error`."""
        name = getattr(value, "name", None)
        argument = f'argument with name "{name}"' if name else "argument"
        text = f"Bad input {argument} to {self._describe_input(position)}"
        if not error.args:
            error.args = (text,)
        elif len(error.args) == 1:
            error.args = (text + str(error.args[0]),)
        else:
            error.args = (text, *error.args)

    def _separate_aliases(self) -> None:
        """Copy arguments that overlap an earlier one where the function may write into either."""
        groups: list[list[tuple[Any, Container]]] = []
        for spec, container in zip(self.maker.inputs, self.input_storage):
            value = container.storage[0]
            if value is None or not (getattr(spec, "borrow", False) or spec.mutable):
                continue
            overlap = getattr(spec.variable.type, "may_share_memory", None)
            if overlap is None:
                continue
            for group in groups:
                if any(overlap(value, other.storage[0]) for _, other in group):
                    group.append((spec, container))
                    break
            else:
                groups.append([(spec, container)])
        for group in groups:
            if len(group) > 1 and any(spec.mutable for spec, _ in group):
                for _, container in group[1:]:
                    container.storage[0] = copy.copy(container.storage[0])

    def _check_provided(self, container: Container) -> None:
        def label() -> Any:
            spec = self.inv_finder[container]
            return getattr(spec, "variable", spec)

        if container.required and not container.provided:
            raise TypeError(f"Missing required input: {label()}\nIt is an input to {self._describe_input(self.input_storage.index(container))}")
        if container.implicit and container.provided > 0:
            raise TypeError(f"Tried to provide value for implicit input: {label()}")
        if container.provided > 1:
            raise TypeError(f"Multiple values for input: {label()}")

    def _run(self, subset: list[int] | None) -> Any:
        fn = self.fn
        try:
            return fn() if subset is None else fn(output_subset=subset)
        except Exception as error:
            position = getattr(fn, "position_of_error", None)
            if position is None or is_explained(error):
                raise
            thunks = getattr(fn, "thunks", None)
            raise_with_op(
                fn.nodes[position],
                thunk=thunks[position] if thunks is not None else None,
                storage_map=getattr(fn, "storage_map", None),
            )

    def _shape_result(self, outputs: list[Any], subset: list[int] | None) -> Any:
        if self.return_none:
            return None
        if self.output_keys is not None:
            chosen = range(len(outputs)) if subset is None else subset
            return {self.output_keys[i]: outputs[i] for i in chosen}
        if self.unpack_single and len(outputs) == 1 and subset is None:
            return outputs[0]
        return outputs if subset is None else [outputs[i] for i in subset]

    def explain(self) -> str:
        """Say what became of the function: loops, library calls and Python steps, and where the C text is."""
        explain = getattr(self.fn, "explain", None)
        return explain() if explain is not None else f"run in Python by {type(self.maker.linker).__name__}"

    # ---- copies ---------------------------------------------------------------------------------------

    def copy(
        self,
        share_memory: bool = False,
        swap: dict[Any, Any] | None = None,
        delete_updates: bool = False,
        name: str | None = None,
        profile: Any = None,
    ) -> Function:
        """The same function again, without rewriting its graph anew.

        Parameters
        ----------
        share_memory : bool
            Use the same storage for intermediate results.
        swap : dict of SharedVariable to SharedVariable, optional
            Work on other shared variables of the same type.
        delete_updates : bool
            Leave out all updates.
        name : str, optional
            The copy's name; by default this one's with ``" copy"`` after it.
        profile : bool, str or ProfileStats, optional
            As for :func:`theano.function`.

        Returns
        -------
        Function
            Sharing the shared variables that are not swapped.
        """
        from theano_compat.compile.function_copy import copy_function

        return copy_function(self, share_memory, swap, delete_updates, name, profile)

    def __copy__(self) -> Function:
        # Values that the function may destroy are its own.
        values = [
            copy.deepcopy(container.storage[0]) if spec.mutable else container.storage[0]
            for spec, container in zip(self.maker.inputs, self.input_storage)
        ]
        return self._twin(values)

    def _twin(self, values: list[Any]) -> Function:
        """A function of the same maker that starts from these values of its own."""
        given = [
            spec.value if isinstance(spec.value, Container) else value
            for spec, value in zip(self.maker.inputs, values)
        ]
        twin = self.maker.create(given, trustme=True)
        twin.name = self.name
        twin.trust_input = self.trust_input
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return _pickle_Function(self)


def _pickle_Function(f: Function) -> tuple[Any, ...]:
    """How a function is pickled: its maker, the values of its inputs, its trust in its arguments."""
    values: list[Any] = []
    for container, (required, _, _) in zip(f.input_storage, f.defaults):
        values.append(None if required else container.storage[0])
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    for i, first in enumerate(arrays):
        for second in arrays[i + 1 :]:
            if first is not second and np.may_share_memory(first, second):
                if f.pickle_aliased_memory_strategy == "raise":
                    raise AliasedMemoryError(first, second)
                if f.pickle_aliased_memory_strategy == "warn":
                    warnings.warn(
                        "aliased relationship between Function arguments will not be preserved by un-pickling operation"
                    )
    return _constructor_Function, (f.maker, f.input_storage, values, f.trust_input)


# What pickling does about inputs that share memory: 'warn', 'raise' or 'ignore'.
Function.pickle_aliased_memory_strategy = "warn"  # type: ignore[attr-defined]


def _constructor_Function(
    maker: FunctionMaker | None, input_storage: list[Any], inputs_data: list[Any], trust_input: bool = False
) -> Function | None:
    """Rebuild a function from its pickle."""
    if not config.unpickle_function or maker is None:
        return None
    f = maker.create(input_storage, trustme=True)
    assert len(f.input_storage) == len(inputs_data)
    for container, value in zip(f.input_storage, inputs_data):
        if value is not None:
            container.storage[0] = value
    f.trust_input = trust_input
    return f


copyreg.pickle(Function, _pickle_Function)
