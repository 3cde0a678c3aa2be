"""Copies of compiled functions: other shared variables, no updates, but the graph as it was rewritten."""

from __future__ import annotations

import copy
from typing import Any

from theano_compat.compile.io import SymbolicOutput
from theano_compat.compile.ops import deep_copy_op
from theano_compat.compile.sharedvalue import SharedVariable
from theano_compat.gof import Constant, FunctionGraph
from theano_compat.gof.link import Container


def _checked_swap(function: Any, swap: dict[Any, Any]) -> dict[Any, Any]:
    """`swap` keyed by the function's shared variables, after checking every pair."""
    own = {spec.variable: spec for spec in function.maker.inputs if getattr(spec, "shared", False)}
    checked = {}
    for old, new in swap.items():
        if not isinstance(old, SharedVariable):
            raise AssertionError("Key of swap should be SharedVariable, given:", old, " type", type(old))
        if old not in own:
            raise ValueError(f"SharedVariable: {getattr(old, 'name', old)} not found")
        if not isinstance(new, SharedVariable):
            raise AssertionError("Value of swap should be SharedVariable, given:", new, "type", type(new))
        if old.type != new.type:
            raise AssertionError(
                "Type of given SharedVariable conflicts with original one",
                "Type of given SharedVariable:",
                new.type,
                "Type of original SharedVariable:",
                old.type,
            )
        checked[old] = new
    return checked


def copy_function(
    function: Any,
    share_memory: bool,
    swap: dict[Any, Any] | None,
    delete_updates: bool,
    name: str | None,
    profile: Any,
) -> Any:
    """Do the work of ``Function.copy``, whose parameters these are."""
    maker = function.maker
    pairs = _checked_swap(function, swap or {})

    # Specs of the copy: their updates are expressions over the old variables, and only say which outputs
    # of the rewritten graph are updates.
    specs = []
    for spec in maker.inputs:
        spec = copy.copy(spec)
        spec.value = copy.copy(spec.value) if not isinstance(spec.value, Container) else spec.value
        specs.append(spec)
    n_outputs = len(maker.outputs)
    n_updates = sum(spec.update is not None for spec in specs)

    fgraph, memo = _copied_graph(maker.fgraph, n_outputs if delete_updates else n_outputs + n_updates)
    outputs = [SymbolicOutput(variable, spec.borrow) for variable, spec in zip(fgraph.outputs, maker.outputs)]

    update_position = n_outputs
    for spec, variable in zip(specs, fgraph.inputs):
        old = spec.variable
        if spec.update is not None:
            spec.update = None if delete_updates else fgraph.outputs[update_position]
            update_position += 1
            if delete_updates:
                spec.mutable = False
                _keep_intact(fgraph, variable)
        spec.variable = variable
        new = pairs.get(old)
        if new is not None:
            spec.value = new.container
            spec.variable = _swap_input(fgraph, variable, new)
            memo[old] = spec.variable

    storage_map = None
    if share_memory:
        storage_map = {}
        for variable, storage in (getattr(function.fn, "storage_map", None) or {}).items():
            twin = memo.get(variable)
            # Outputs are handed out, and inputs have containers of their own.
            if isinstance(twin, Constant) or twin is not None and twin.owner is not None and twin not in fgraph.outputs:
                storage_map[twin] = storage
    input_storage = []
    for spec, container, default in zip(specs, function.input_storage, function.defaults):
        if isinstance(spec.value, Container):
            input_storage.append(spec.value)
        elif default[0]:
            input_storage.append(None)
        else:
            # Values that belong to the function itself are carried over as they stand.
            input_storage.append(copy.deepcopy(container.storage[0]))

    if name is None:
        name = f"{function.name} copy" if function.name else None
    from theano_compat.compile.pfunc import _profile_for

    new_maker = type(maker)(
        inputs=specs,
        # A copy returns a list even of a single output, as Theano's copies do.
        outputs=None if maker.return_none else outputs,
        mode=maker.mode,
        fgraph=fgraph,
        profile=_profile_for(profile, name),
        on_unused_input="ignore",
        function_builder=maker.function_builder,
        accept_inplace=maker.accept_inplace,
        output_keys=maker.output_keys,
        name=name,
    )
    twin = new_maker.create(input_storage, storage_map=storage_map)
    twin.trust_input = function.trust_input
    twin.defaults = [
        (required, refeed, old if refeed else value)
        for (required, refeed, value), (_, _, old) in zip(twin.defaults, function.defaults)
    ]
    twin._prepare_call()
    fgraph.name = name
    return twin


def _copied_graph(old: FunctionGraph, n_outputs: int) -> tuple[FunctionGraph, dict[Any, Any]]:
    """A copy of the rewritten graph with its first outputs only, and the map from old to new."""
    memo: dict[Any, Any] = {}
    for variable in old.inputs:
        memo[variable] = variable.clone()
    for node in old.toposort():
        for variable in node.inputs:
            if variable not in memo:
                memo[variable] = variable.clone() if isinstance(variable, Constant) else variable
        twin = node.clone_with_new_inputs([memo[v] for v in node.inputs], strict=False)
        memo[node] = twin
        memo.update(zip(node.outputs, twin.outputs))
    for variable in old.outputs[:n_outputs]:
        if variable not in memo:
            memo[variable] = variable.clone()
    mapping = getattr(old, "update_mapping", None) or {}
    fgraph = FunctionGraph(
        [memo[v] for v in old.inputs],
        [memo[v] for v in old.outputs[:n_outputs]],
        clone=False,
        update_mapping={out: inp for out, inp in mapping.items() if out < n_outputs},
    )
    # Features that schedule the in-place operations have to be there again.
    for feature in old._features:
        if type(feature).__name__ == "DestroyHandler":
            fgraph.attach_feature(type(feature)())
    return fgraph, memo


def _keep_intact(fgraph: FunctionGraph, variable: Any) -> None:
    """Let the graph work on a copy of an input whose old value was to be replaced, and may be overwritten for that."""
    destroyers = getattr(fgraph, "destroyers", None)
    if destroyers is not None and destroyers(variable):
        intact = deep_copy_op(variable)
        for node, position in list(fgraph.clients(variable)):
            fgraph.change_input(node, position, intact, reason="copy without updates")


def _swap_input(fgraph: FunctionGraph, variable: Any, new: SharedVariable) -> Any:
    """Make another shared variable stand for an input of the graph."""
    variable.name = new.name
    variable.container = new.container
    return variable
