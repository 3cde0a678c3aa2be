"""IfElse inside of a step: the nodes that only one branch needs become statements that run where it is taken."""

from __future__ import annotations

from collections.abc import Sequence

from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.ir import Assign, Repeat, View
from theano_compat.codegen.lower.registry import lower
from theano_compat.codegen.step import BranchBuilder, StepBuilder
from theano_compat.gof.graph import Apply, Constant, Variable
from theano_compat.tensor.opt import Assert

__all__ = ["lower_step"]

_Block = tuple[int, int] | None


def lower_step(step: StepBuilder, order: Sequence[Apply], outputs: Sequence[Variable], before) -> None:
    """Lower the nodes of a step in order.

    Parameters
    ----------
    step : StepBuilder
    order : sequence of Apply
    outputs : sequence of Variable
    before : dict
        For a node those that must have run before it (``fgraph.orderings()``): what it overwrites they read.

    Raises
    ------
    NotLowered
        Where one of them has to run in Python; the text names it.
    """
    from theano_compat.codegen.schedule import is_lazy

    inside: dict[_Block, list[Apply]] = {}
    position = {node: i for i, node in enumerate(order)}
    for node, block in _blocks(order, outputs, is_lazy, before).items():
        inside.setdefault(block, []).append(node)

    def lower_all(builder: StepBuilder, nodes: Sequence[Apply]) -> None:
        for node in nodes:
            if type(node.op).__name__ == "MakeSlice":
                continue
            builder.begin(node)
            try:
                if is_lazy(node):
                    _lower_ifelse(builder, node, [inside.get((position[node], k), ()) for k in (0, 1)], lower_all)
                else:
                    lower(node.op, node, builder)
            except NotLowered as reason:
                text = str(reason)
                raise NotLowered(text if text.startswith("its step has ") else f"its step has {node.op}: {text}") from None

    lower_all(step, inside.get(None, ()))


def _blocks(order: Sequence[Apply], outputs: Sequence[Variable], is_lazy, before) -> dict[Apply, _Block]:
    """Return for each node the innermost block that holds all that needs it, in the order of the nodes.

    A block is None for the step itself, or a branch: the position of its IfElse, and 0 or 1.
    """
    needs: dict[Apply, dict[_Block, bool]] = {node: {} for node in order}  # a block, and whether it surely needs the node
    home: dict[Apply, _Block] = {}

    def need(node: Apply | None, block: _Block, surely: bool) -> None:
        if node in needs:
            needs[node][block] = surely or needs[node].get(block, False)

    def enclosing(block: _Block) -> list[_Block]:
        chain = [block]
        while chain[-1] is not None:
            chain.append(home[order[chain[-1][0]]])
        return chain

    for var in outputs:
        need(var.owner, None, True)
    for place in range(len(order) - 1, -1, -1):
        node = order[place]
        blocks = needs[node] or {None: True}
        common = None
        for block in blocks:
            its = enclosing(block)
            common = its if common is None else [b for b in common if b in its]
        here = home[node] = common[0]
        sure = {block for block, surely in blocks.items() if surely}
        surely = here in sure or any(b is not None and (b[0], 1 - b[1]) in sure for b in sure)
        if not surely and _depends_on_values(node):
            raise NotLowered(f"its step has {node.op}, which several branches need and which may fail where none is taken")
        for other in before.get(node, ()):
            need(other, here, surely)
        for k, var in enumerate(node.inputs):
            if k and is_lazy(node):
                need(var.owner, (place, int(k > node.op.n_outs)), True)
            else:
                need(var.owner, here, surely)
    return {node: home[node] for node in order}


def _depends_on_values(node: Apply) -> bool:
    """Tell whether a node may fail for some values of its inputs, not only for some shapes: it must not run where nothing needs it."""
    if isinstance(node.op, Assert):
        return True
    return "Subtensor" in type(node.op).__name__ and not all(
        isinstance(v, Constant) or getattr(v.type, "ndim", 0) and not v.dtype.startswith(("int", "uint", "bool")) for v in node.inputs[1:] if hasattr(v.type, "dtype")
    )


def _lower_ifelse(builder: StepBuilder, node: Apply, branches: Sequence[Sequence[Apply]], lower_all) -> None:
    """Make the chosen values in arrays that both branches write to.

    Each branch is a loop of one step or none.
    """
    n = node.op.n_outs
    chosen = builder.scalar_of(node.inputs[0])
    made: list[tuple[BranchBuilder, list[View]]] = []
    for k, nodes in enumerate(branches):
        branch = BranchBuilder(builder, builder.let(f"{chosen} {'!=' if k == 0 else '=='} 0", "_v"))
        lower_all(branch, nodes)
        made.append((branch, [branch.view(var) for var in node.inputs[1 + k * n : 1 + (k + 1) * n]]))
    ways = [branch for branch, _ in made]
    results = []
    for one, other in zip(*(values for _, values in made)):
        if _is_extent(one) and _is_extent(other) and all(branch.alternatives(v.items[0]) for branch, v in zip(ways, (one, other))):
            results.append(builder.integer_view(_either(builder, chosen, ways, (one.items[0], other.items[0]))))
            continue
        extents = [_either(builder, chosen, ways, pair) for pair in zip(one.shape, other.shape)]
        results.append(_array(builder, one.dtype, extents))
    written = tuple(dict.fromkeys(v.buffer for v in results if v.buffer is not None))
    for k, (branch, values) in enumerate(made):
        for result, value in zip(results, values):
            if result.buffer is None:
                continue
            branch.copy(View(result.buffer, result.dtype, result.pointer, tuple(map(branch.find, value.shape)), result.strides, result.axes), value)
        body, touched = branch.finished(), branch.touched_nodes()
        builder.statements.append(
            Repeat(branch.name("d"), branch.count, body, touched, written=written, label=f"branch {k}", branch=True, made=frozenset(branch.made))
        )
    for out, view in zip(node.outputs, results):
        builder.bind(out, view)


def _is_extent(view: View) -> bool:
    """Tell whether a value is an extent that is known by its name: what is made of it then has a shape that is known."""
    return view.ndim == 0 and view.items is not None and view.dtype == "int64" and (view.items[0].startswith("d") or view.items[0].isdigit())


def _either(builder: StepBuilder, chosen: str, branches: Sequence[BranchBuilder], extents: Sequence[str]) -> str:
    """Return the extent that is one in the first branch and the other in the second."""
    a, b = (branch.find(e) for branch, e in zip(branches, extents))
    if a == b and not branches[0].varies(a):
        return a
    known = [branch.alternatives(e) for branch, e in zip(branches, (a, b))]
    if not all(known):
        raise NotLowered("the shape of a result is known in its branch only")
    if any(branch.varies(e) for branch, e in zip(branches, (a, b))):
        extent = builder.name("d")
        builder.statements.append(Assign(extent, "int64_t", f"{extent} = 0;", block=True))
        for branch, e in zip(branches, (a, b)):
            branch.call(f"{extent} = {e};", (), ())
    else:
        extent = builder.let(f"{chosen} != 0 ? {a} : {b}")
    builder.choices[extent] = tuple(dict.fromkeys((*known[0], *known[1])))
    return extent


def _array(builder: StepBuilder, dtype: str, extents: Sequence[str]) -> View:
    """Return an array that has room for the largest of what its extents can be."""
    most = []
    for extent in extents:
        first, *others = builder.choices.get(extent, (extent,))
        for other in others:
            first = builder.let(f"{first} > {other} ? {first} : {other}")
        most.append(first)
    room = builder.temp(dtype, most)
    return room if list(room.shape) == list(extents) else builder.subview(room, "0", extents, room.strides)
