"""Running a graph through ``perform`` alone, node by node: an oracle without linker or rewrites."""

import numpy as np

from theano_compat.gof import Constant
from theano_compat.gof.graph import io_toposort


def run(outputs, values):
    """Compute variables from a dict of input values; a list of arrays comes back for a list."""
    many = isinstance(outputs, (list, tuple))
    wanted = list(outputs) if many else [outputs]
    storage = dict(values)
    for node in io_toposort(list(values), wanted):
        inputs = [v.data if isinstance(v, Constant) else storage[v] for v in node.inputs]
        cells = [[None] for _ in node.outputs]
        node.op.perform(node, inputs, cells, *_params(node))
        for variable, cell in zip(node.outputs, cells):
            storage[variable] = cell[0]
    found = [v.data if isinstance(v, Constant) else storage[v] for v in wanted]
    for variable, value in zip(wanted, found):
        if hasattr(variable.type, "broadcastable"):
            assert np.ndim(value) == variable.type.ndim
            assert np.asarray(value).dtype == variable.type.dtype
            for one, extent in zip(variable.type.broadcastable, np.shape(value)):
                assert not one or extent == 1
    return found if many else found[0]


def _params(node):
    from theano_compat.gof.utils import MethodNotDefined

    try:
        return [node.run_params()] if node.params_type else []
    except (AttributeError, MethodNotDefined):
        return []
