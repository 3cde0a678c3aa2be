"""Loops.

=====================  ==============================================================================
``scan``               :func:`scan`: from a step written in Python to a loop in the graph
``scan_views``         :func:`map`, :func:`reduce`, :func:`foldl`, :func:`foldr`
``scan_checkpoints``   :func:`scan_checkpoints`: less memory for the gradient of a long loop
``layout``             the order of a loop's arguments, and a loop taken apart
``scan_op``            the op :class:`Scan`
``running``            running it
``backward``           its gradient
``forward``            its directional derivative
``scan_utils``         copies, comparisons, shapes of graphs
``mapping``            :func:`scan_utils.map_variables`
``scan_opt``           rewrites
=====================  ==============================================================================
"""

from theano_compat.scan_module import scan_opt
from theano_compat.scan_module.scan import scan
from theano_compat.scan_module.scan_checkpoints import scan_checkpoints
from theano_compat.scan_module.scan_utils import clone, until
from theano_compat.scan_module.scan_views import foldl, foldr, map, reduce

__all__ = ["clone", "foldl", "foldr", "map", "reduce", "scan", "scan_checkpoints", "scan_opt", "until"]
