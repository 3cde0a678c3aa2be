"""Random numbers: the streams of MRG31k3p, draws from discrete distributions."""

from __future__ import annotations

from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.dtypes import itemsize, storage_type
from theano_compat.codegen.lower.alloc import checked_shape, known_ones
from theano_compat.codegen.lower.incsubtensor import writable
from theano_compat.codegen.lower.registry import register
from theano_compat.sandbox.rng_mrg import mrg_uniform

#: dtype -> its sample as a C expression of the integer z that was drawn
_SAMPLE = {
    "float16": "tc_f2h((float)((z & 0x7fff) + 1) * 0x1.ffp-16f)",
    "float32": "(float)z * 4.6566126e-10f",
    "float64": "(double)z * 0x1p-31",
}


@register(mrg_uniform)
def lower_mrg_uniform(op, node, builder):
    dtype, kind = op.output_type.dtype, node.inputs[0].type
    if dtype not in _SAMPLE or kind.dtype != "int32" or kind.ndim != 2:
        raise NotLowered(f"a sample of dtype {dtype} from states of type {kind}")
    states = writable(builder, op, node)
    streams, width = map(builder.find, states.shape)
    builder.check_message(f"{width} == 6", ValueError, "rstate must have 6 columns, it has {}", width)
    shape = checked_shape(builder, builder.integers(node.inputs[1], op.output_type.ndim))
    room = builder.temp(dtype, known_ones(builder, node.outputs[1], shape))
    most = 2**31 - 1
    builder.check_message(
        f"{room.buffer.nbytes} <= INT64_C({most * itemsize(dtype)})", ValueError, f"rng_mrg does not support more than (2**31 -1) = {most} samples"
    )
    n = builder.mul(*shape, "1")
    builder.check_message(f"{streams} > 0 || {n} == 0", ValueError, "rstate must have rows, it has none")
    where = ", ".join((states.pointer, *states.strides, streams, n, f"({storage_type(dtype)} *){room.pointer}"))
    builder.call(
        f"tc_mrg_draw_{dtype}({where});",
        (states,),
        (states, room),
        helpers=(f"TC_MRG({dtype}, {storage_type(dtype)}, {_SAMPLE[dtype]})",),
        headers=("mrg",),
        label="uniform",
    )
    builder.bind(node.outputs[0], states)
    builder.bind(node.outputs[1], room)
