"""Which variables of a compiled graph may share memory, and the copies that keep it from being seen outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from theano_compat.compile.ops import deep_copy_op, view_op
from theano_compat.gof import Variable
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.graph import inputs as graph_inputs

__all__ = ["Supervisor", "alias_root", "infer_reuse_pattern", "insert_deepcopy", "view_tree_set"]


def alias_root(v: Variable) -> Variable:
    """The variable whose memory `v` lives in.

    Parameters
    ----------
    v : Variable
        Followed through ``view_map`` and ``destroy_map`` towards the inputs.

    Raises
    ------
    NotImplementedError
        A variable on the way is a view of several inputs.
    """
    while v.owner is not None:
        op, position = v.owner.op, v.owner.outputs.index(v)
        sources = [
            *(getattr(op, "view_map", None) or {}).get(position, ()),
            *(getattr(op, "destroy_map", None) or {}).get(position, ()),
        ]
        if not sources:
            break
        if len(sources) > 1:
            raise NotImplementedError(
                f"{v} is a view/destroyed version of more then one inputs. Currently, we only support the case where "
                "an output is a view or a destroyed version of one input."
            )
        v = v.owner.inputs[sources[0]]
    return v


def view_tree_set(v: Variable, treeset: set[Variable]) -> None:
    """Add to `treeset` the variable `v` and all that lives in its memory.

    Parameters
    ----------
    v : Variable
        A variable of a function graph; its clients are followed.
    treeset : set
        Receives the variables.
    """
    treeset.add(v)
    pending = [v]
    while pending:
        current = pending.pop()
        for client, position in current.clients:
            if client == "output":
                continue
            maps = chain(
                (getattr(client.op, "view_map", None) or {}).items(),
                (getattr(client.op, "destroy_map", None) or {}).items(),
            )
            for output_index, input_indices in maps:
                output = client.outputs[output_index]
                if position in input_indices and output not in treeset:
                    treeset.add(output)
                    pending.append(output)


def infer_reuse_pattern(fgraph: Any, outputs_to_disown: Iterable[Variable]) -> list[Variable]:
    """The variables whose storage a function must not use again from one call to the next.

    Parameters
    ----------
    fgraph : FunctionGraph
        The rewritten graph.
    outputs_to_disown : iterable of Variable
        Outputs that the caller keeps.

    Returns
    -------
    list of Variable
        Those that share memory with these outputs, without inputs and constants.
    """
    found: dict[Variable, None] = {}
    for output in outputs_to_disown:
        views: set[Variable] = set()
        view_tree_set(alias_root(output), views)
        found.update(dict.fromkeys(views))
    return [r for r in found if r.owner is not None]


def _alias_in_outputs(fgraph: Any, i: int, views: set[Variable]) -> int | None:
    for j in range(i + 1, len(fgraph.outputs)):
        if fgraph.outputs[j] in views:
            return j
    return None


def insert_deepcopy(fgraph: Any, wrapped_inputs: Sequence[Any], wrapped_outputs: Sequence[Any]) -> None:
    """Copy outputs that would otherwise share memory with an input or with another output.

    Parameters
    ----------
    fgraph : FunctionGraph
        Changed in place.
    wrapped_inputs, wrapped_outputs : list of SymbolicInput, SymbolicOutput
        Tell which were borrowed: where both sides are, a view is enough.

    Notes
    -----
    An input that is updated gets a new value after the call, and one that is destroyed belongs to the
    function: an output may keep the memory of either.
    """
    assert len(wrapped_inputs) == len(fgraph.inputs)
    assert len(wrapped_outputs) == len(fgraph.outputs)
    updated = {
        variable
        for spec, variable in zip(wrapped_inputs, fgraph.inputs)
        if getattr(spec, "update", None) is not None
    }
    position_of = {variable: position for position, variable in enumerate(fgraph.inputs)}
    leaves = set(graph_inputs(fgraph.outputs))
    destroyers_of = getattr(fgraph, "get_destroyers_of", None) or (lambda _: ())

    for i, spec in enumerate(wrapped_outputs):
        root = alias_root(fgraph.outputs[i])
        views: set[Variable] = set()
        view_tree_set(root, views)
        copier = None
        j = _alias_in_outputs(fgraph, i, views)
        if j is not None:
            copier = view_op if spec.borrow and wrapped_outputs[j].borrow else deep_copy_op
        else:
            # A root is the only one of its views that can be an input or a constant.
            if root in leaves and root not in updated and not destroyers_of(root):
                position = position_of.get(root)
                borrowed = spec.borrow and (position is None or wrapped_inputs[position].borrow)
                copier = view_op if borrowed else deep_copy_op
        if copier is not None:
            fgraph.change_input("output", i, copier(fgraph.outputs[i]), reason="insert_deepcopy")


class Supervisor:
    """A feature that refuses graphs in which an operation destroys what must stay.

    Parameters
    ----------
    protected : iterable of Variable
        Inputs that may not be destroyed. The outputs never may.
    """

    def __init__(self, protected: Iterable[Variable]):
        self.protected = list(protected)

    def validate(self, fgraph: Any) -> bool | None:
        """Raise InconsistencyError if a protected variable is destroyed."""
        destroyers = getattr(fgraph, "destroyers", None)
        if destroyers is None:
            return True
        for r in chain(self.protected, fgraph.outputs):
            if destroyers(r):
                raise InconsistencyError(f"Trying to destroy a protected Variable.{r}")
        return None
