"""The short way through a call: functions that are one compiled segment skip all Python code between the call and the C function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theano_compat import config
from theano_compat.codegen import runtime
from theano_compat.codegen.abi import ArraySpec
from theano_compat.compile.sharedvalue import UPDATES

__all__ = ["make_fast_call"]

_TAKES_FLOAT, _TAKES_INT = 1, 2


def make_fast_call(compiled, function) -> Callable | None:
    """Return a callable for plain positional calls of a function, None if the function is not simple enough.

    The callable returns what the call returns, or NotImplemented before anything has happened where the arguments are not arrays (or
    numbers) of exactly the right kind.

    Parameters
    ----------
    compiled : CompiledFunction or RecalledFunction
    function : theano_compat.compile.Function
    """
    wiring = compiled.wiring()
    fast_call = runtime.fast_call_type() if wiring is not None else None
    step = compiled.only_segment()
    if fast_call is None or not isinstance(step.call, runtime.extension_types()):
        return None
    specs = function.maker.expanded_inputs
    explicit = [i for i, s in enumerate(specs) if not s.implicit]
    if explicit != list(range(len(explicit))) or function.return_none or function.output_keys is not None or len(explicit) > 16:
        return None
    for i in explicit:
        entry = specs[i]
        if entry.mutable or entry.borrow or entry.update is not None or not function.input_storage[i].required or not hasattr(entry.variable.type, "dtype"):
            return None
    source, cells = [], []
    for i, cell in zip(wiring.sources, step.inputs):
        if i is not None and i < len(explicit):
            source.append(i)
        else:
            cells.append(cell)
            source.append(-len(cells))
    types = [specs[i].variable.type for i in explicit]
    if any(not hasattr(t, "broadcastable") or type(t).__name__ != "TensorType" for t in types):
        return None
    written = {wiring.sources[k] for k in step.spec.written}
    arguments = [runtime.array_spec(ArraySpec(t.dtype, t.ndim, tuple(t.broadcastable)), i in written) for i, t in zip(explicit, types)]
    updated = [c for s, c in zip(specs, function.input_storage) if s.update is not None]
    containers = function.input_storage[: len(explicit)]

    def fail(record, args):
        with function._lock:  # a general call of another thread uses the same cells
            for container, value in zip(containers, args):
                container.storage[0] = np.asarray(value, dtype=container.type.dtype)
            try:
                compiled.explain_record(step, record)
            finally:
                for container in containers:
                    container.storage[0] = None

    return fast_call(
        step.call,
        arguments,
        [_numbers_taken(t, specs[i]) for i, t in zip(explicit, types)],
        source,
        tuple(cells),
        wiring.results[: function.n_returned_outputs],
        function.unpack_single,
        wiring.results[function.n_returned_outputs :],
        tuple(c.storage for c in updated),
        UPDATES if updated else None,
        fail,
    )


def _numbers_taken(kind, entry) -> int:
    """Say which Python numbers an argument takes as they are, by the rules of TensorType.filter."""
    if kind.ndim or entry.strict:
        return 0
    downcast = entry.allow_downcast
    if kind.dtype == "float64":
        return _TAKES_FLOAT | _TAKES_INT
    if kind.dtype == "float32":
        return (_TAKES_FLOAT if downcast or (downcast is None and config.floatX == "float32") else 0) | _TAKES_INT
    return _TAKES_INT if kind.dtype in ("int8", "int16", "int32", "int64") else 0
