"""``function.explain()``: what became of a function, in words."""

from __future__ import annotations

from collections import Counter

from theano_compat.codegen.ir import Call, Loop
from theano_compat.codegen.schedule import Island

__all__ = ["explain"]


def explain(compiled) -> str:
    """Describe segments, loops with the nodes that were fused into them, Python islands and why, memory, and where the C is.

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
    lines = []
    silent = set(range(len(spec.nodes)))
    for statement in step.statements:
        if not isinstance(statement, (Loop, Call)):
            continue
        names = [f"{n} {spec.nodes[n].op}" for n in dict.fromkeys(statement.nodes)]
        silent.difference_update(statement.nodes)
        if isinstance(statement, Loop):
            kind = "reduction" if any(s.reducer for s in statement.stores) else "loop"
            arrays = f"reads {len(statement.loads)}, writes {len(statement.stores)}"
            lines.append(f"      {kind} over {len(statement.domain)} dimensions ({arrays}): {' + '.join(names)}")
        else:
            lines.append(f"      {statement.label or 'call'}: {' + '.join(names)}")
    if silent:
        kinds = Counter(type(spec.nodes[n].op).__name__ for n in sorted(silent))
        lines.append(f"      views and scalars: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")
    return lines
