"""From specified inputs and outputs to a callable: build the graph, rewrite it, link it."""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any

from theano_compat import config
from theano_compat.compile import mode as modes
from theano_compat.compile.aliasing import Supervisor, infer_reuse_pattern, insert_deepcopy
from theano_compat.compile.compiling import compiling
from theano_compat.compile.io import In, SymbolicInput, SymbolicOutput
from theano_compat.compile.sharedvalue import call_lock
from theano_compat.configparser import change_flags, flags_of_compiled_code, string_types
from theano_compat.gof import Constant, FunctionGraph, Variable, toolbox
from theano_compat.gof.graph import ancestors
from theano_compat.gof.link import Container
from theano_compat.gof.optdb import DB
from theano_compat.gof.utils import get_variable_trace_string

_logger = logging.getLogger("theano.compile.function_module")


class UnusedInputError(Exception):
    """An input of a function is not needed to compute its outputs."""


def std_fgraph(
    input_specs: Sequence[SymbolicInput], output_specs: Sequence[SymbolicOutput], accept_inplace: bool = False
) -> tuple[FunctionGraph, list[SymbolicOutput]]:
    """A function graph whose outputs are the outputs asked for, followed by the updates of the inputs.

    Parameters
    ----------
    input_specs, output_specs : list of SymbolicInput, SymbolicOutput
        What the function takes and gives.
    accept_inplace : bool
        Allow operations that destroy their inputs already in the user's expressions.

    Returns
    -------
    tuple
        The graph, and the specs of the outputs that are updates.

    Raises
    ------
    TypeError
        An operation works in place and that is not accepted.
    """
    orig_inputs = [spec.variable for spec in input_specs]
    update_mapping: dict[int, int] = {}
    updates = []
    for position, spec in enumerate(input_specs):
        if spec.update is not None:
            update_mapping[len(output_specs) + len(updates)] = position
            updates.append(spec.update)
    orig_outputs = [spec.variable for spec in output_specs] + updates
    fgraph = FunctionGraph(orig_inputs, orig_outputs, update_mapping=update_mapping)

    for node in fgraph.apply_nodes:
        if getattr(node.op, "destroy_map", None):
            if not accept_inplace:
                raise TypeError("Graph must not contain inplace operations", node, node.op)
            from theano_compat.gof import DestroyHandler

            fgraph.attach_feature(DestroyHandler())
            break

    destroyers = getattr(fgraph, "destroyers", lambda _: ())
    fgraph.attach_feature(
        Supervisor(
            variable
            for spec, variable in zip(input_specs, fgraph.inputs)
            if not (spec.mutable or destroyers(variable))
        )
    )
    for feature in std_fgraph.features:
        fgraph.attach_feature(feature())
    return fgraph, [SymbolicOutput(update) for update in updates]


# Names that the user gave must survive the rewriting.
std_fgraph.features = [toolbox.PreserveVariableAttributes]  # type: ignore[attr-defined]


def fgraph_updated_vars(fgraph: FunctionGraph, expanded_inputs: Sequence[SymbolicInput]) -> dict[Variable, Variable]:
    """Each updated input with the variable that becomes its new value.

    Parameters
    ----------
    fgraph : FunctionGraph
        Its last outputs are the updates.
    expanded_inputs : list of SymbolicInput
        The inputs' specs.
    """
    updated = [position for position, spec in enumerate(expanded_inputs) if spec.update is not None]
    if not updated:
        return {}
    new_values = fgraph.outputs[-len(updated) :]
    return {fgraph.inputs[position]: value for position, value in zip(updated, new_values)}


def convert_function_input(input: Any) -> In:
    """The :class:`In` for one of the forms in which an input can be written.

    Parameters
    ----------
    input : Variable, SymbolicInput, or list or tuple
        ``variable``, ``(variable, update)``, ``(name, variable)``, ``(variable, value)``,
        ``((variable, update), value)``, or any of the longer ones after a name.

    Raises
    ------
    TypeError
        It is none of these.
    """
    if isinstance(input, SymbolicInput):
        return input  # type: ignore[return-value]
    if isinstance(input, Constant):
        raise TypeError("A Constant instance is not a legal function input", input)
    if isinstance(input, Variable):
        return In(input)
    if not isinstance(input, (list, tuple)):
        raise TypeError(f"Unknown input type: {type(input)}, expected Variable instance", input)
    if not input:
        raise TypeError(f"Nonsensical input specification: {input}")

    original, rest = input, list(input)
    name = rest.pop(0) if isinstance(rest[0], string_types) else None
    value = update = None
    if len(rest) == 2:
        if isinstance(rest[0], (list, tuple)) and len(rest[0]) == 2 or not isinstance(rest[1], (Variable, str)):
            value = rest.pop()
        elif isinstance(rest[1], Variable) and not isinstance(rest[1], Constant):
            value = rest.pop()
    if len(rest) != 1:
        raise TypeError(f"The input specification is not valid: {original}")
    variable = rest[0]
    if isinstance(variable, (list, tuple)):
        if len(variable) != 2:
            raise TypeError(f"Invalid input syntax: {original} (check documentation or use an In instance)")
        variable, update = variable
    if not isinstance(variable, Variable):
        raise TypeError(f"The input specification is not valid: {variable}")
    if update is not None and not isinstance(update, Variable):
        raise TypeError("Unknown update type: %s, expected Variable instance" % type(update), update)
    if isinstance(value, SymbolicInput):
        raise TypeError("The value of an input cannot be an input itself", value)
    return In(variable, name=name, value=value, update=update)


def _check_unused_inputs(inputs: Sequence[SymbolicInput], outputs: Sequence[Any], on_unused_input: str | None) -> None:
    action = config.on_unused_input if on_unused_input is None else on_unused_input
    if action == "ignore":
        return
    # Inputs whose update or implicit use is all that there is count as used.
    targets = [spec.variable for spec in outputs] + [i.update for i in inputs if i.update is not None]
    used = set(ancestors(targets, blockers=[i.variable for i in inputs]))
    message = (
        "theano.function was asked to create a function computing outputs given certain inputs, but the provided "
        "input variable at index %i is not part of the computational graph needed to compute the outputs: %s.\n%s"
    )
    hints = {
        "warn": (
            "To make this warning into an error, you can pass the parameter on_unused_input='raise' to "
            "theano.function. To disable it completely, use on_unused_input='ignore'."
        ),
        "raise": (
            "To make this error into a warning, you can pass the parameter on_unused_input='warn' to "
            "theano.function. To disable it completely, use on_unused_input='ignore'."
        ),
    }
    for index, spec in enumerate(inputs):
        if spec.variable in used or spec.update is not None or getattr(spec, "shared", False):
            continue
        if action not in hints:
            raise ValueError(
                f"Invalid value for keyword on_unused_input of theano.function: '{action}'.\n"
                "Valid values are 'raise', 'warn', and 'ignore'."
            )
        text = message % (index, spec.variable, hints[action])
        if action == "warn":
            warnings.warn(text, stacklevel=_user_stacklevel())
        else:
            raise UnusedInputError(text + _created_at(spec.variable))


def _created_at(variable: Variable) -> str:
    where = get_variable_trace_string(variable)
    return f"\n{where.rstrip()}" if where.strip() else ""


def _user_stacklevel() -> int:
    """How many frames above the caller the user's code is."""
    import sys

    frame, level = sys._getframe(1), 1
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level


def _rewrite_steps(fgraph: FunctionGraph) -> None:
    """Rewrite the steps of the loops in a graph, and of those in them, as compiling the graph would have done: that is what is shown of them."""
    graphs = [fgraph]
    while graphs:
        steps = (getattr(node.op, "step_graph", None) for node in graphs.pop().apply_nodes)
        graphs += [step for step in steps if step is not None]


# One thread at a time rewrites the graph of a function that was found compiled.
_catching_up = call_lock()


class FunctionMaker:
    """Makes functions of one graph, each with storage of its own.

    Parameters
    ----------
    inputs : list of SymbolicInput or Variable
        What the function takes.
    outputs : list of SymbolicOutput or Variable, or one of these, or None
        What it gives; one that is not in a list comes back bare.
    mode : Mode, str or None
        How to rewrite and run.
    accept_inplace : bool
        Allow the user's expressions to destroy inputs.
    function_builder : callable
        Makes the callable object.
    profile : ProfileStats, optional
        Receives times.
    on_unused_input : {'raise', 'warn', 'ignore'}, optional
        What to do about inputs that are not needed.
    fgraph : FunctionGraph, optional
        A graph that has been rewritten already.
    output_keys : list of str, optional
        Calls return a dictionary with these keys.
    name : str, optional
        The function's name.
    recipe : Recipe, optional
        How to make a function of this very graph that was compiled before (`theano_compat.codegen.recall`). The graph is then rewritten, under the flags of now, when it is asked for.

    Attributes
    ----------
    fgraph : FunctionGraph
        The rewritten graph.
    linker : Linker
        The one that has accepted it.
    """

    recipe: Any = None
    _fgraph: Any = None
    _linker: Any = None

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        mode: Any = None,
        accept_inplace: bool = False,
        function_builder: Any = None,
        profile: Any = None,
        on_unused_input: str | None = None,
        fgraph: FunctionGraph | None = None,
        output_keys: Sequence[str] | None = None,
        name: str | None = None,
        recipe: Any = None,
    ):
        mode = modes.get_mode(mode)
        self.profile = profile
        if profile:
            # The time that the toolchain reports is taken by difference.
            profile.linker_time = 0.0

        self.unpack_single = not isinstance(outputs, (list, tuple))
        self.return_none = outputs is None
        if self.return_none:
            outputs, self.unpack_single = (), False
        inputs = [self.wrap_in(i) for i in (inputs if isinstance(inputs, (list, tuple)) else (inputs,))]
        outputs = [self.wrap_out(o) for o in ((outputs,) if self.unpack_single else outputs)]
        _check_unused_inputs(inputs, outputs, on_unused_input)

        self.inputs = self.expanded_inputs = inputs
        self.outputs = outputs
        self.indices = [[i, None, [i]] for i in inputs]
        self.mode = mode
        self.accept_inplace = accept_inplace
        if function_builder is None:
            from theano_compat.compile.function_module import Function as function_builder
        self.function_builder = function_builder
        self.on_unused_input = on_unused_input
        self.output_keys = output_keys
        self.name = name

        self.recipe = recipe
        if recipe is None:
            self._rewrite_and_accept(fgraph)
        else:
            self._flags = flags_of_compiled_code()

        self.required = [i.value is None for i in inputs]
        self.refeed = [
            i.value is not None and not isinstance(i.value, Container) and i.update is None for i in inputs
        ]

    def _rewrite_and_accept(self, fgraph: FunctionGraph | None) -> None:
        """Make the graph, or take one that has been rewritten, and give it to the linker."""
        inputs, outputs, profile = self.inputs, self.outputs, self.profile
        optimized = fgraph is not None
        if fgraph is None:
            fgraph, additional = std_fgraph(inputs, outputs, self.accept_inplace)
            fgraph.profile = profile
            fgraph.name = self.name
        else:
            additional = [SymbolicOutput(i.update) for i in inputs if i.update is not None]
            if getattr(fgraph, "profile", None) is None:
                fgraph.profile = profile
        specs = outputs + additional
        if not optimized:
            self._optimize(fgraph, specs)
        self._fgraph = fgraph

        linker = copy.copy(self.mode.linker)
        kept = [output for output, spec in zip(fgraph.outputs, specs) if not spec.borrow]
        if kept:
            linker = linker.accept(fgraph, no_recycling=infer_reuse_pattern(fgraph, kept), profile=profile)
        else:
            linker = linker.accept(fgraph, profile=profile)
        self._linker = linker
        if hasattr(linker, "accept_var_updates"):
            linker.accept_var_updates(fgraph_updated_vars(fgraph, inputs))

    def _catch_up(self) -> None:
        """Rewrite the graph of a function that was found compiled, as it would have been then."""
        with _catching_up:
            if self._linker is None:
                now = flags_of_compiled_code()
                with change_flags({name: value for name, value in self._flags.items() if now.get(name) != value}):
                    self._rewrite_and_accept(None)
                    _rewrite_steps(self._fgraph)

    @property
    def fgraph(self) -> FunctionGraph:
        """The rewritten graph."""
        if self._fgraph is None:
            self._catch_up()
        return self._fgraph

    @fgraph.setter
    def fgraph(self, fgraph: FunctionGraph) -> None:
        self._fgraph = fgraph

    @property
    def linker(self) -> Any:
        """The linker that has accepted the graph."""
        if self._linker is None:
            self._catch_up()
        return self._linker

    @linker.setter
    def linker(self, linker: Any) -> None:
        self._linker = linker

    @property
    def computes_outputs(self) -> list[bool]:
        """For each output, updates last, whether a call computes it; others are inputs or constants."""
        if self._fgraph is None:
            return [True] * len(self.recipe.wiring.results)
        return [variable.owner is not None for variable in self.fgraph.outputs]

    @staticmethod
    def wrap_in(input: Any) -> SymbolicInput:
        """`input` as a SymbolicInput."""
        if isinstance(input, SymbolicInput):
            return input
        if isinstance(input, Variable):
            return SymbolicInput(input)
        if isinstance(input, (list, tuple)) and len(input) == 2:
            return SymbolicInput(input[0], update=input[1])
        raise TypeError("Unknown input type: %s (%s), expected Variable instance" % (type(input), input))

    @staticmethod
    def wrap_out(output: Any) -> SymbolicOutput:
        """`output` as a SymbolicOutput."""
        if isinstance(output, SymbolicOutput):
            return output
        if isinstance(output, Variable):
            return SymbolicOutput(output)
        raise TypeError("Unknown output type: %s (%s)" % (type(output), output))

    @staticmethod
    def expand_in(sinput: SymbolicInput, rinputs: Sequence[Any]) -> list[Any]:
        """The entry of ``indices`` for one input."""
        return [sinput, None, [sinput]]

    def _optimize(self, fgraph: FunctionGraph, specs: Sequence[SymbolicOutput]) -> None:
        """Apply the mode's rewrites under the flags that hold while compiling."""
        with compiling():
            start = time.perf_counter()
            mode = self.mode
            if self.recipe is not None:
                # There were none when the function was found.
                mode = mode.excluding(*DB.foreign)
            optimizer = mode.optimizer
            profile_data = self._apply_optimizer(optimizer, fgraph)
            spent = time.perf_counter() - start
            if self.profile:
                self.profile.optimizer_time += spent
                if config.profile_optimizer:
                    self.profile.optimizer_profile = (optimizer, profile_data)
            elif config.profile_optimizer and self.profile is not False:
                warnings.warn("config.profile_optimizer requires config.profile to  be set to True as well")
            _logger.debug("Optimizing took %f seconds", spent)
            insert_deepcopy(fgraph, self.inputs, specs)

    def _apply_optimizer(self, optimizer: Any, fgraph: FunctionGraph) -> Any:
        return optimizer(fgraph)

    def optimize_graph_with_cache(self, optimizer: Any, inputs: Any, outputs: Any) -> float:
        """Apply the rewrites, as without a cache of rewritten graphs.

        Returns
        -------
        float
            Seconds spent.

        Notes
        -----
        Theano could keep rewritten graphs in one pickle file. Compiled code is cached by its content here, and
        rewriting is cheap, so there is nothing to gain from it.
        """
        start = time.perf_counter()
        self._apply_optimizer(optimizer, self.fgraph)
        return time.perf_counter() - start

    def create(self, input_storage: Any = None, trustme: bool = False, storage_map: Any = None) -> Any:
        """A function with storage of its own.

        Parameters
        ----------
        input_storage : list, optional
            For each input a first value, a container to share, or a shared variable.
        trustme : bool
            Historic, without effect.
        storage_map : dict, optional
            Storage to use for variables of the graph.

        Returns
        -------
        Function
            The callable.
        """
        if input_storage is None:
            input_storage = [i.value for i in self.inputs]
        storage_lists, defaults = [], []
        for spec, given, required, refeed in zip(self.inputs, input_storage, self.required, self.refeed):
            if isinstance(given, Variable) and hasattr(given, "container"):
                given = given.container
            default = None
            if isinstance(given, Container):
                storage_lists.append(given.storage)
                # The value of a shared variable is not the function's to restore.
                if not required and not getattr(spec, "shared", False):
                    default = given.storage[0]
            else:
                storage_lists.append([None])
                if given is not None and not required:
                    default = spec.variable.type.filter(
                        given, strict=spec.strict, allow_downcast=spec.allow_downcast
                    )
                    if default is given and spec.mutable:
                        # The function may destroy it, and the caller's object must stay as it is.
                        default = copy.deepcopy(given)
            defaults.append((required, refeed, default))

        if self.recipe is not None and storage_map is None:
            from theano_compat.codegen.recalled import RecalledFunction

            fn = RecalledFunction(self, self.recipe, storage_lists, self.mode.linker.allow_gc)
            variables = [spec.variable for spec in self.outputs] + [spec.update for spec in self.inputs if spec.update is not None]
            containers = [Container(spec.variable, cell) for spec, cell in zip(self.inputs, storage_lists)]
            outputs = [Container(variable, cell, readonly=True) for variable, cell in zip(variables, fn.output_storage)]
        else:
            fn, containers, outputs = self.link(storage_lists, storage_map=storage_map)
        return self.function_builder(
            fn,
            containers,
            outputs,
            self.indices,
            self.outputs,
            defaults,
            self.unpack_single,
            self.return_none,
            self.output_keys,
            self,
            name=self.name,
        )

    def link(self, input_storage: list[list], output_storage: Any = None, storage_map: Any = None) -> tuple:
        """Compile the rewritten graph on the cells given; return what runs it, and the containers of its inputs and of its outputs."""
        linker, start = self.linker, time.perf_counter()
        cells = {"input_storage": input_storage, "storage_map": storage_map}
        if output_storage is not None:
            cells["output_storage"] = output_storage
        with compiling():
            linked = linker.make_thunk(**cells)
        if self.profile:
            self.profile.linker_time += time.perf_counter() - start
            self.profile.linker_make_thunk_time = getattr(self.profile, "linker_make_thunk_time", 0.0)
        return linked

    def __reduce__(self) -> tuple[Any, ...]:
        options = {
            "inputs": self.inputs,
            "outputs": None if self.return_none else self.outputs[0] if self.unpack_single else self.outputs,
            "fgraph": self.fgraph,
            "mode": self.mode,
            "accept_inplace": self.accept_inplace,
            "function_builder": self.function_builder,
            "profile": self.profile,
            "on_unused_input": self.on_unused_input,
            "output_keys": self.output_keys,
            "name": self.name,
        }
        return _constructor_FunctionMaker, (options,)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Theano's pickles hold a maker by its attributes.
        for name, value in state.items():
            setattr(self, name, value)


def _constructor_FunctionMaker(kwargs: dict[str, Any]) -> FunctionMaker | None:
    """Rebuild a maker from its pickle, rewriting again if ``config.reoptimize_unpickled_function`` says so."""
    if not config.unpickle_function:
        return None
    kwargs = dict(kwargs)
    if config.reoptimize_unpickled_function:
        kwargs.pop("fgraph", None)
    return FunctionMaker(**kwargs)


def orig_function(
    inputs: Sequence[Any],
    outputs: Any,
    mode: Any = None,
    accept_inplace: bool = False,
    name: str | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    output_keys: Sequence[str] | None = None,
) -> Any:
    """Compile a function of explicit inputs: no givens, no collecting of shared variables.

    Parameters
    ----------
    inputs : list
        Inputs in any form that :func:`convert_function_input` knows.
    outputs : Variable, Out, list of these, or None
        What it computes.
    mode, accept_inplace, name, profile, on_unused_input, output_keys
        As for :class:`FunctionMaker`.

    Returns
    -------
    Function
        The compiled function.
    """
    start = time.perf_counter()
    mode = modes.get_mode(mode)
    inputs = [convert_function_input(i) for i in inputs]
    if outputs is not None:
        wrap = FunctionMaker.wrap_out
        outputs = [wrap(o) for o in outputs] if isinstance(outputs, (list, tuple)) else wrap(outputs)
    if hasattr(mode.linker, "prepare"):
        mode.linker.prepare()
    make = getattr(mode, "function_maker", FunctionMaker)
    options = {"accept_inplace": accept_inplace, "on_unused_input": on_unused_input}
    search = None
    if make is FunctionMaker and not profile and hasattr(mode.linker, "search"):
        listed = [] if outputs is None else outputs if isinstance(outputs, list) else [outputs]
        search = mode.linker.search(inputs, listed, mode, accept_inplace)
        options["recipe"] = search.recipe
    maker = make(inputs, outputs, mode, profile=profile, output_keys=output_keys, name=name, **options)
    fn = maker.create([getattr(i, "value", None) for i in inputs])
    if search is not None:
        search.remember(fn.fn)
    if profile:
        profile.compile_time += time.perf_counter() - start
        profile.nb_nodes = len(fn.maker.fgraph.apply_nodes)
    fn.name = name
    return fn
