"""``function.explain()``: what became of a function, in words."""

from __future__ import annotations

from collections import Counter

from theano_compat.codegen.ir import Call, Loop, Repeat
from theano_compat.codegen.schedule import Island

__all__ = ["explain"]


def explain(compiled) -> str:
    """Describe segments, loops with the nodes that were fused into them, loops in time with their steps, Python islands and why, memory, and where the C is.

    Parameters
    ----------
    compiled : CompiledFunction
        The `fn` of a compiled function.

    Returns
    -------
    str
        One paragraph per step, in order of execution.
    """
    lines = []
    number = 0
    for position, step in enumerate(compiled.schedule.steps):
        demand = " (on demand)" if step.condition else ""
        if isinstance(step, Island):
            lines.append(f"{position}. Python{demand}: {step.node.op}\n      because: {step.reason}")
            continue
        spec = compiled.program.segments[number]
        number += 1
        lines.append(
            f"{position}. C function {spec.symbol}{demand}: {len(spec.nodes)} nodes, {len(spec.inputs)} inputs, "
            f"{len(spec.outputs)} results, {spec.n_slots} scratch slots"
        )
        lines += _segment_lines(step, spec)
        changed = [str(v) for k, v in enumerate(step.inputs) if k in spec.written]
        if changed:
            lines.append(f"      changes in place: {', '.join(changed)}")
    if compiled.loaded is not None:
        lines.append(f"C text: {compiled.loaded.keep_source() or 'fn.program.source'}; shared object: {compiled.loaded.path}")
    return "\n".join(lines)


def _segment_lines(step, spec) -> list[str]:
    silent = set(range(len(spec.nodes)))
    lines = _statement_lines(step.statements, spec, silent, "      ")
    if silent:
        kinds = Counter(type(spec.nodes[n].op).__name__ for n in sorted(silent))
        lines.append(f"      views and scalars: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")
    return lines


def _statement_lines(statements, spec, silent: set[int], indent: str) -> list[str]:
    """Describe statements, and take the nodes that they do the work of from `silent`."""
    lines = []
    for statement in statements:
        if not isinstance(statement, (Loop, Call, Repeat)):
            continue
        silent.difference_update(statement.nodes)
        if isinstance(statement, Repeat):
            lines.append(f"{indent}{statement.label}: {statement.nodes[0]} {spec.nodes[statement.nodes[0]].op}")
            lines += _statement_lines(statement.body, spec, silent, indent + "    ")
            continue
        names = " + ".join(f"{n} {spec.nodes[n].op}" for n in dict.fromkeys(statement.nodes))
        if isinstance(statement, Loop):
            kind = "reduction" if any(s.reducer for s in statement.stores) else "loop"
            kind = f"{kind} over {len(statement.domain)} dimensions{' in place' if statement.direct else ''}"
            lines.append(f"{indent}{kind} (reads {len(statement.loads)}, writes {len(statement.stores)}): {names}")
        else:
            lines.append(f"{indent}{statement.label or 'call'}: {names}")
    return lines
