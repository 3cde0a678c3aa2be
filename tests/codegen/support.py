"""Compiling expressions without rewrites, and comparing with the ops' own `perform`."""

import numpy as np

from theano_compat.codegen.linker import CodegenLinker
from theano_compat.codegen.schedule import Island
from theano_compat.gof import FunctionGraph
from theano_compat.gof.link import PerformLinker


def link(linker, inputs, outputs):
    """Return the thunk and the cells of inputs and outputs."""
    fgraph = FunctionGraph(list(inputs), list(outputs), clone=True)
    fn, ins, outs = linker.accept(fgraph).make_thunk()
    return fn, ins, outs


def run(linked, values):
    fn, ins, outs = linked
    for container, value in zip(ins, values):
        container.storage[0] = _same_layout(value)
    fn()
    return [container.storage[0] for container in outs]


def _same_layout(value):
    """A copy with the same strides, so that in-place work hurts nobody."""
    value = np.asarray(value)
    if value.size == 0 or value.flags.c_contiguous:
        return value.copy()
    low = np.lib.array_utils.byte_bounds(value) if hasattr(np.lib, "array_utils") else np.byte_bounds(value)
    memory = np.empty(low[1] - low[0], "uint8")
    offset = value.__array_interface__["data"][0] - low[0]
    copy = np.ndarray(value.shape, value.dtype, memory, offset, value.strides)
    copy[...] = value
    return copy


def islands(linked):
    """What did not become C, with the reason."""
    return [(str(s.node.op), s.reason) for s in linked[0].schedule.steps if isinstance(s, Island)]


def compare(inputs, outputs, *value_sets, rtol=1e-10, may_be_island=()):
    """Assert that compiled code gives what `perform` gives: values, dtypes, shapes, or the same kind of error."""
    compiled = link(CodegenLinker(), inputs, outputs)
    unexpected = [i for i in islands(compiled) if not any(name in i[0] for name in may_be_island)]
    assert not unexpected
    reference = link(PerformLinker(), inputs, outputs)
    for values in value_sets:
        where = [(np.shape(v), getattr(v, "strides", None)) for v in values]
        try:
            wanted = run(reference, values)
        except Exception as error:
            try:
                run(compiled, values)
            except type(error):
                continue
            raise AssertionError(f"{where}: perform raised {error!r}, compiled code did not") from error
        for k, (found, value) in enumerate(zip(run(compiled, values), wanted)):
            found, value = np.asarray(found), np.asarray(value)
            assert (found.dtype, found.shape) == (value.dtype, value.shape), (k, where)
            tolerance = max(rtol, _TOLERANCE.get(value.dtype.name, 0))
            np.testing.assert_allclose(found, value, rtol=tolerance, atol=tolerance, err_msg=f"output {k} for {where}")
    return compiled


_TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "complex64": 2e-5}


def layouts(rng, *shape, dtype="float64"):
    """One array of a shape in many layouts: C, Fortran, strided, reversed, transposed part of a larger one."""
    def draw(size):
        value = rng.standard_normal(size)
        if dtype.startswith(("int", "uint", "bool")):
            value = np.abs(value * 3) if dtype.startswith("uint") else value * 3
        if dtype.startswith("complex"):
            value = value + 1j * rng.standard_normal(size)
        return value.astype(dtype)

    twice = tuple(2 * n for n in shape)
    yield draw(shape)
    yield np.asfortranarray(draw(shape))
    yield draw(twice)[tuple(slice(None, None, 2) for _ in shape)]
    yield draw(shape)[tuple(slice(None, None, -1) for _ in shape)]
    yield draw(twice[::-1]).T[tuple(slice(n, None) for n in shape)]
    yield np.broadcast_to(draw(shape[-1:]), shape)
