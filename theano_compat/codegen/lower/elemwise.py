"""Elemwise: any scalar op over broadcast arrays."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import Builder, NotLowered
from theano_compat.codegen.dtypes import literal
from theano_compat.codegen.ir import Load, Store, StoreScalar, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.scalarbody import Body
from theano_compat.gof.graph import Constant
from theano_compat.scalar import ScalarOp
from theano_compat.tensor.elemwise import Elemwise


def broadcast_domain(builder: Builder, views: list[View]) -> tuple[str, ...]:
    """Return the common extents of views of one rank, with the run-time checks that they agree."""
    domain = []
    for axis in range(views[0].ndim if views else 0):
        extent, first = "1", 0
        for k, view in enumerate(views):
            mine = builder.find(view.shape[axis])
            if mine == "1":
                continue
            if extent == "1":
                extent, first = mine, k
            else:
                details = (str(first), str(axis), extent, str(k), str(axis), mine)
                builder.require_equal(extent, mine, ErrorCode.SHAPE_MISMATCH, *details)
                extent = builder.find(extent)
        domain.append(extent)
    return tuple(domain)


def memory_order(builder: Builder, views: list[View], domain: tuple[str, ...]) -> list[int] | None:
    """Return the order of axes in which all arrays of full extent lie in memory, None for C order or where they differ."""
    found = None
    for view in views:
        if view.buffer is None or any(
            builder.find(mine) == "1" != builder.find(whole) for mine, whole in zip(view.shape, domain)
        ):
            continue
        if view.axes is None:
            return None
        axes = [a for a in view.axes if a is not None]
        if len(axes) != len(view.axes):
            return None
        order = sorted(range(len(axes)), key=axes.__getitem__)
        if found not in (None, order):
            return None
        found = order
    return None if found is None or found == sorted(found) else found


#: Arrays that one loop may read and write, and those of a sum that one loop of several takes.
_MOST_OPERANDS, _PART = 60, 30


def emit_elemwise(builder: Builder, scalar_op, views: list[View], out_dtypes: list[str], targets: list) -> list[View]:
    """Emit ``targets[...] = scalar_op(*views)``; None among `targets` stands for a new array."""
    body = Body(builder)
    in_dtypes = [v.dtype for v in views]
    ndim = views[0].ndim if views else 0
    domain = broadcast_domain(builder, views)
    if all(extent == "1" for extent in domain):
        # one element: a name instead of an array
        names = body.apply(scalar_op, [builder.scalar(v) for v in views], in_dtypes, out_dtypes)
        builder.statements.extend(_with_helpers(body))
        found = []
        for name, dtype, target in zip(names, out_dtypes, targets):
            if target is None:
                found.append(View(None, dtype, "NULL", ("1",) * ndim, ("0",) * ndim, value=name))
            else:
                builder.statements.append(StoreScalar(target, name))
                shape, strides = ("1",) * ndim, ("0",) * ndim
                found.append(
                    View(target.buffer, dtype, target.pointer, shape, strides, target.axes, value=name, also=target.also)
                )
        return found
    if len(views) + len(out_dtypes) > _MOST_OPERANDS:
        return _in_parts(builder, scalar_op, views, out_dtypes, targets, domain)
    names, loads, loaded = [], [], {}
    for view in views:
        if view.value is not None:
            names.append(view.value)
        elif view in loaded:
            names.append(loaded[view])
        else:
            load: Load = builder.load(view, domain)
            loads.append(load)
            loaded[view] = load.name
            names.append(load.name)
    values = body.apply(scalar_op, names, in_dtypes, out_dtypes)
    order = memory_order(builder, views, domain) if all(t is None for t in targets) else None
    if order is not None:
        # everything is read in another order of axes: the results are laid out, and the loop runs, in that one
        domain = tuple(domain[a] for a in order)
        for load in loads:
            load.strides = tuple(load.strides[a] for a in order)
            load.view = builder.permute(load.view, order)
    views_out, stores = [], []
    for value, dtype, target in zip(values, out_dtypes, targets):
        room = builder.temp(dtype, domain) if target is None else target
        views_out.append(room if order is None else builder.permute(room, [order.index(a) for a in range(ndim)]))
        stores.append(Store(room, room.strides, value))
    if any(s.block for s in body.statements) and len(stores) > 1:
        raise NotLowered("a user's scalar op with several outputs")
    builder.loop(domain, loads, body.statements, stores, tuple(body.helpers))
    return views_out


def _in_parts(builder: Builder, scalar_op, views: list[View], out_dtypes: list[str], targets: list, domain: tuple[str, ...]) -> list[View]:
    """Emit an op on more arrays than one loop can walk, such as the sum of the gradients of an unrolled net, as several loops.

    Sums and products are made from left to right, a part of the operands at a time; a composite op one of its ops after another.
    """
    inner = getattr(scalar_op, "fgraph", None)
    if inner is None:
        if not (scalar_op.associative and len(out_dtypes) == 1):
            raise NotLowered(f"scalar op {scalar_op} on more than {_MOST_OPERANDS} arrays")
        while len(views) + 1 > _MOST_OPERANDS:
            views = [*emit_elemwise(builder, scalar_op, views[:_PART], out_dtypes, [None]), *views[_PART:]]
        return emit_elemwise(builder, scalar_op, views, out_dtypes, targets)
    if any(view.dtype != var.type.dtype for view, var in zip(views, inner.inputs)):
        raise NotLowered(f"a composite op on more than {_MOST_OPERANDS} arrays of other dtypes")
    ndim = len(domain)
    found = dict(zip(inner.inputs, views))
    target_of = {var: target for var, target in zip(inner.outputs, targets) if target is not None and var.owner is not None}
    order = inner.toposort()
    last = {var: position for position, node in enumerate(order) for var in node.inputs}

    def operand(var) -> View:
        if isinstance(var, Constant):
            return View(None, var.type.dtype, "NULL", ("1",) * ndim, ("0",) * ndim, value=literal(var.data, var.type.dtype))
        return found[var]

    for position, node in enumerate(order):
        # What is written in place must have been read: by the last op at the latest.
        room = [target_of.get(var) if position == len(order) - 1 and var not in last else None for var in node.outputs]
        results = emit_elemwise(builder, node.op, [operand(v) for v in node.inputs], [v.type.dtype for v in node.outputs], room)
        found.update(zip(node.outputs, results))
    outputs = []
    for var, target in zip(inner.outputs, targets):
        view = operand(var)
        if tuple(map(builder.find, view.shape)) != tuple(map(builder.find, domain)) or var.owner is None or (target is not None and view.buffer is not target.buffer):
            room = builder.temp(var.type.dtype, domain) if target is None else target
            builder.copy(room, view)
            view = room
        outputs.append(view)
    return outputs


def _with_helpers(body: Body):
    helpers = tuple(body.helpers)
    for k, statement in enumerate(body.statements):
        yield statement if k or not helpers else type(statement)(
            statement.name, statement.ctype, statement.expr, statement.block, helpers
        )


@register(Elemwise)
def lower_elemwise(op, node, builder):
    views = [builder.view(v) for v in node.inputs]
    targets: list[View | None] = [None] * len(node.outputs)
    for k, source in op.inplace_pattern.items():
        if builder.must_overwrite(views[source], node.outputs[k]):
            targets[k] = views[source]
    found = emit_elemwise(builder, op.scalar_op, views, [o.type.dtype for o in node.outputs], targets)
    for out, view in zip(node.outputs, found):
        builder.bind(out, view)


@register(ScalarOp)
def lower_scalar(op, node, builder):
    body = Body(builder)
    names = body.apply(
        op,
        [builder.scalar_of(v) for v in node.inputs],
        [v.type.dtype for v in node.inputs],
        [v.type.dtype for v in node.outputs],
    )
    builder.statements.extend(_with_helpers(body))
    for out, name in zip(node.outputs, names):
        builder.bind(out, builder.value_view(name, out.type.dtype))
