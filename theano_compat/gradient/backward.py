"""Reverse mode: :func:`grad`, and the vector-Jacobian product :func:`Lop`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from theano_compat import config
from theano_compat.gof import Apply, Variable
from theano_compat.gof.null_type import NullType
from theano_compat.gof.utils import get_variable_trace_string
from theano_compat.gradient.types import (
    DisconnectedInputError,
    DisconnectedType,
    NullTypeGradError,
    disconnected_type,
)

__all__ = ["Lop", "format_as", "grad", "grad_seconds"]

# Seconds spent in grad since the import, for the profiles.
_seconds = 0.0


def grad_seconds() -> float:
    """Seconds spent in :func:`grad` so far."""
    return _seconds


def format_as(use_list: bool, use_tuple: bool, outputs: Any) -> Any:
    """`outputs` as a list, as a tuple, or bare.

    Parameters
    ----------
    use_list, use_tuple : bool
        The form wanted; neither of them for the only element itself.
    outputs : list, tuple or Variable
        What is to be returned.
    """
    assert not (use_list and use_tuple), "Both flags cannot be simultaneously True"
    if not use_list and not use_tuple:
        if isinstance(outputs, (list, tuple)):
            assert len(outputs) == 1, "Wrong arguments. Expected a one element list"
            return outputs[0]
        return outputs
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    return list(outputs) if use_list else tuple(outputs)


def _is_disconnected(variable: Variable) -> bool:
    return isinstance(variable.type, DisconnectedType)


def _is_null(variable: Variable) -> bool:
    return isinstance(variable.type, NullType)


def _float_zeros_like(x: Any) -> Any:
    """Zeros of the shape of `x` in a dtype that a gradient can have."""
    from theano_compat import tensor

    zeros = x.zeros_like()
    return zeros if zeros.type.dtype in tensor.float_dtypes else zeros.astype(config.floatX)


def _float_ones_like(x: Any) -> Any:
    """Ones of the shape of `x` in a dtype that a gradient can have."""
    from theano_compat import tensor

    dtype = x.type.dtype
    return x.ones_like(dtype=dtype if dtype in tensor.float_dtypes else config.floatX)


# ---------------------------------------------------------------------------------------------------------
# which variables lie between the inputs and the cost
# ---------------------------------------------------------------------------------------------------------


def _connection_pattern(node: Apply) -> list[list[bool]]:
    """For each input of `node`, to which outputs it is connected."""
    method = getattr(node.op, "connection_pattern", None)
    if method is None:
        return [[True] * len(node.outputs)] * len(node.inputs)
    pattern = method(node)
    if not isinstance(pattern, list):
        raise TypeError(
            f"Op.connection_pattern should return list of list of bool, but for Op={node.op}got {pattern} with type "
            f"{type(pattern)}."
        )
    if len(pattern) != len(node.inputs):
        raise ValueError(f"{node.op}.connection_pattern should have {len(node.inputs)} rows but has {len(pattern)}.")
    for row, flags in enumerate(pattern):
        if not isinstance(flags, list):
            raise TypeError(
                f"{node.op}.connection_pattern should return a list of lists, but element {row}is {flags} of type "
                f"{type(flags)}."
            )
        assert len(flags) == len(node.outputs), (
            f"{node.op}.connection_pattern has {len(flags)} columns in row {row} for {len(node.outputs)} outputs"
        )
    return pattern


class _Region:
    """The part of the graph through which the cost depends on the variables in question.

    Parameters
    ----------
    outputs : list of Variable
        Where gradients start.
    wrt : list of Variable
        Where they end.
    consider_constant : iterable of Variable or None
        Where they stop.

    Attributes
    ----------
    uses : dict
        Variable to {node: positions of the variable among the node's inputs}, in the order in which the
        terms of its gradient are added.
    """

    def __init__(self, outputs: Sequence[Variable], wrt: Sequence[Variable], consider_constant: Any):
        if consider_constant is None:
            consider_constant = ()
        elif not hasattr(consider_constant, "__iter__"):
            raise TypeError(f"consider_constant must be an iterable collection, got {type(consider_constant)}")
        consider_constant = list(consider_constant)
        for elem in consider_constant:
            if not isinstance(elem, Variable):
                raise TypeError(f"Elements of consider_constant must be variables, but got {type(elem)}")
        self._constant = set(consider_constant)
        self._patterns: dict[Apply, list[list[bool]]] = {}
        self.uses: dict[Variable, dict[Apply, list[int]]] = {}
        for output in outputs:
            self.uses.setdefault(output, {})
        visited: set[Variable] = set()
        for output in outputs:
            self._collect(output, visited)
        self._keep_reachable(wrt)

    def pattern(self, node: Apply) -> list[list[bool]]:
        """The connection pattern of a node, asked for once."""
        found = self._patterns.get(node)
        if found is None:
            found = self._patterns[node] = _connection_pattern(node)
        return found

    def _edges(self, variable: Variable) -> Iterator[Variable]:
        """Note that the maker of `variable` uses its inputs, and give those inputs one after the other."""
        node = variable.owner
        if node is None or variable in self._constant:
            return
        column = node.outputs.index(variable)
        pattern = self.pattern(node)
        for position, source in enumerate(node.inputs):
            if not pattern[position][column]:
                continue
            positions = self.uses.setdefault(source, {}).setdefault(node, [])
            if position not in positions:
                positions.append(position)
            yield source

    def _collect(self, output: Variable, visited: set[Variable]) -> None:
        """Walk from `output` to its sources, depth first, the first input first."""
        if output in visited:
            return
        visited.add(output)
        stack = [self._edges(output)]
        while stack:
            source = next(stack[-1], None)
            if source is None:
                stack.pop()
            elif source not in visited:
                visited.add(source)
                stack.append(self._edges(source))

    def _keep_reachable(self, wrt: Sequence[Variable]) -> None:
        """Forget all variables that depend on none of `wrt`."""
        reached: set[Variable] = set()
        pending = [variable for variable in wrt if variable in self.uses]
        while pending:
            variable = pending.pop()
            if variable in reached:
                continue
            reached.add(variable)
            for node, positions in self.uses[variable].items():
                pattern = self.pattern(node)
                for column, output in enumerate(node.outputs):
                    if output in self.uses and any(pattern[position][column] for position in positions):
                        pending.append(output)
        for variable in list(self.uses):
            if variable not in reached:
                del self.uses[variable]


# ---------------------------------------------------------------------------------------------------------
# the gradient terms of one node
# ---------------------------------------------------------------------------------------------------------


def _copies_of_destroyed(node: Apply) -> list[Variable]:
    """The node's inputs; those that it destroys as copies, or the gradient would need what is gone."""
    destroy_map = getattr(node.op, "destroy_map", None)
    if not destroy_map:
        return list(node.inputs)
    destroyed = {node.inputs[positions[0]] for positions in destroy_map.values() if positions}
    return [v.copy() if v in destroyed and hasattr(v, "copy") else v for v in node.inputs]


def _dtype(variable: Any) -> str | None:
    return getattr(variable.type, "dtype", None)


def _cast_to_outputs(node: Apply, output_grads: Sequence[Any]) -> list[Any]:
    """Gradients in the dtype of the outputs that they belong to, where that is a float or complex dtype."""
    from theano_compat import tensor

    result = []
    for output, gradient in zip(node.outputs, output_grads):
        have, want = _dtype(gradient), _dtype(output)
        if want is not None and have is not None and want not in tensor.discrete_dtypes and want != have:
            if have in tensor.complex_dtypes and want not in tensor.complex_dtypes:
                gradient = tensor.real(gradient)  # the imaginary direction does not exist for a real output
            gradient = gradient.astype(want)
        result.append(gradient)
    for position, gradient in enumerate(result):
        have = _dtype(gradient)
        if have is not None and have in tensor.discrete_dtypes:
            raise TypeError(
                f"The gradient towards output {position} of {node.op} has the integer dtype {have}; it has to be "
                "continuous."
            )
    return result


def _check_terms(
    node: Apply,
    terms: list[Any],
    inputs_connected: Sequence[bool],
    only_nan: Sequence[bool],
) -> None:
    """Raise unless each term is a gradient that the op may return for its input."""
    from theano_compat import tensor

    for position, term in enumerate(terms):
        if term is None:
            raise TypeError(
                f"{node.op}.grad returned None for a gradient term, this is prohibited. Instead of None,return "
                "zeros_like(input), disconnected_type(), or a NullType variable such as those made with the "
                "grad_undefined or grad_unimplemented helper functions."
            )
        if not isinstance(term, Variable):
            raise TypeError(f"{node.op}.grad returned {type(term)}, expected Variable instance.")
        if _is_null(term):
            continue
        if _is_disconnected(term):
            if inputs_connected[position] and not only_nan[position]:
                raise TypeError(
                    f"{node.op}.grad returned DisconnectedType for input {position}. Its connection_pattern method "
                    "does not allow this."
                )
            continue
        dtype = _dtype(term)
        if dtype is not None and dtype not in tensor.continuous_dtypes:
            raise TypeError(
                f"{node.op}.grad illegally  returned an integer-valued variable. (Input index {position}, dtype {dtype})"
            )
        if only_nan[position]:
            raise TypeError(
                f"{node.op}.grad returned a value for input {position}, whose only way to the cost is through "
                "outputs with an undefined gradient: it has to be of NullType."
            )
        if not inputs_connected[position]:
            raise TypeError(
                f"{node.op}.grad returned {term} of type {term.type} for input {position}. Its connection_pattern "
                "method says that this input is disconnected from the cost."
            )


def _node_terms(node: Apply, pattern: list[list[bool]], output_grads: Sequence[Any]) -> list[Any]:
    """The gradient terms that `node` passes to each of its inputs.

    Parameters
    ----------
    node : Apply
        The node.
    pattern : list of list of bool
        Its connection pattern.
    output_grads : list of Variable
        The gradients towards its outputs.
    """
    arrived = [not _is_disconnected(g) for g in output_grads]
    undefined = [_is_null(g) for g in output_grads]
    inputs_connected = [any(flag and there for flag, there in zip(row, arrived)) for row in pattern]
    if not any(inputs_connected):
        return [disconnected_type() for _ in node.inputs]
    if all(undefined):
        return [output_grads[0] for _ in node.inputs]

    only_nan = [
        connected
        and not any(flag and there and not null for flag, there, null in zip(row, arrived, undefined))
        for row, connected in zip(pattern, inputs_connected)
    ]
    given = _cast_to_outputs(node, output_grads)
    terms = node.op.L_op(_copies_of_destroyed(node), node.outputs, given)
    if terms is None:
        raise TypeError(f"{node.op}.grad returned NoneType, expected iterable.")
    terms = list(terms)
    if len(terms) != len(node.inputs):
        raise ValueError(f"{node.op} returned the wrong number of gradient terms.")
    if any(undefined):
        nan = next(g for g, null in zip(output_grads, undefined) if null)
        terms = [nan if bad else term for bad, term in zip(only_nan, terms)]
    _check_terms(node, terms, inputs_connected, only_nan)
    return terms


# ---------------------------------------------------------------------------------------------------------
# putting it together
# ---------------------------------------------------------------------------------------------------------


class _Sweep:
    """One run of reverse mode over a region.

    Parameters
    ----------
    region : _Region
        What lies between.
    known : dict
        Variable to gradient, for the variables where gradients start.
    cost_name : str or None
        Name gradients after it.
    """

    def __init__(self, region: _Region, known: dict[Variable, Any], cost_name: str | None):
        self.region, self.cost_name = region, cost_name
        self.gradients = known
        self._terms: dict[Apply, list[Any]] = {}

    def gradient(self, wanted: Variable) -> Any:
        """The gradient towards `wanted`, after those towards all that lies between it and the cost."""
        uses, gradients = self.region.uses, self.gradients
        stack: list[Variable] = [wanted]
        while stack:
            variable = stack[-1]
            if variable in gradients:
                stack.pop()
                continue
            missing = [
                output
                for node in uses.get(variable, ())
                if node not in self._terms
                for output in node.outputs
                if output not in gradients
            ]
            if missing:
                stack.extend(reversed(missing))
                continue
            gradients[variable] = self._sum_of_terms(variable)
            stack.pop()
        return gradients[wanted]

    def _terms_of(self, node: Apply) -> list[Any]:
        terms = self._terms.get(node)
        if terms is None:
            given = [self.gradients[output] for output in node.outputs]
            terms = self._terms[node] = _node_terms(node, self.region.pattern(node), given)
        return terms

    def _sum_of_terms(self, variable: Variable) -> Any:
        terms: list[Any] = []
        for node, positions in self.region.uses.get(variable, {}).items():
            node_terms = self._terms_of(node)
            for position in positions:
                term = node_terms[position]
                if _is_null(term):
                    return term
                if _is_disconnected(term):
                    continue
                if hasattr(variable, "ndim") and term.ndim != variable.ndim:
                    raise ValueError(
                        f"{node.op}.grad returned a term with {term.ndim} dimensions, but {variable.ndim} are required."
                    )
                terms.append(term)
        if not terms:
            return disconnected_type()
        total = reduce(lambda left, right: left + right, terms)
        if self.cost_name is not None and variable.name is not None:
            total.name = f"(d{self.cost_name}/d{variable.name})"
        return total


def _start_gradients(cost: Any, known_grads: Any) -> dict[Variable, Any]:
    """The gradients that are known from the start."""
    from theano_compat import tensor

    known: dict[Variable, Any] = {}
    if known_grads is not None:
        for variable, gradient in known_grads.items():
            if not hasattr(gradient, "type"):
                raise TypeError(
                    "output grads must be theano variables.Ambiguous whether "
                    f"{type(gradient)} should be made into tensor or sparse theano variable"
                )
            if not _is_null(gradient) and not _is_disconnected(gradient):
                if gradient.type.dtype not in tensor.continuous_dtypes:
                    raise TypeError(
                        "Gradients must always be NullType, DisconnectedType, or continuous, but grad was given a "
                        f"known_grad of type {gradient.type}"
                    )
            known[variable] = gradient
    if cost is not None:
        start = known[cost] if cost in known else _float_ones_like(cost)
        # A continuous cost and its gradient have one dtype.
        if hasattr(start.type, "dtype") and cost.type.dtype in tensor.continuous_dtypes:
            start = start.astype(cost.type.dtype)
        known[cost] = start
    return known


def _disconnected_handler(mode: str) -> Callable[[Variable], None]:
    """What to do about a variable on which the cost does not depend."""

    def handle(variable: Variable) -> None:
        message = (
            "grad method was asked to compute the gradient with respect to a variable that is not part of the "
            f"computational graph of the cost, or is used only by a non-differentiable operator: {variable}"
        )
        if mode == "ignore":
            return
        if mode == "warn":
            warnings.warn(message, stacklevel=4)
            return
        if mode == "raise":
            raise DisconnectedInputError(message + get_variable_trace_string(variable).rstrip("\n"))
        raise ValueError(
            "Invalid value for keyword 'disconnected_inputs', valid values are 'ignore', 'warn' and 'raise'."
        )

    return handle


def grad(
    cost: Any,
    wrt: Any,
    consider_constant: Any = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Any = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """Symbolic gradients of a scalar.

    Parameters
    ----------
    cost : Variable or None
        A scalar expression; None if `known_grads` is given.
    wrt : Variable or list or tuple of Variable
        Towards what.
    consider_constant : iterable of Variable, optional
        Expressions that gradients do not pass.
    disconnected_inputs : {'raise', 'warn', 'ignore'}
        What to do about variables in `wrt` on which the cost does not depend.
    add_names : bool
        Name gradients ``(d<cost>/d<variable>)`` where both have names.
    known_grads : dict of Variable to Variable, optional
        Gradients that are known of some expressions, of the cost that they lead to.
    return_disconnected : {'zero', 'none', 'disconnected'}
        What comes back for variables on which the cost does not depend: zeros, None, or a variable of DisconnectedType.
    null_gradients : {'raise', 'return'}
        What to do about gradients that are undefined or not implemented.

    Returns
    -------
    Variable or list or tuple of Variable
        In the form of `wrt`; each with the shape of its variable.

    Raises
    ------
    DisconnectedInputError
        The cost does not depend on a variable, and `disconnected_inputs` is ``'raise'``.
    NullTypeGradError
        A gradient is undefined or not implemented.
    TypeError
        The cost is no scalar, or an op returned what is no gradient.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x = theano.tensor.dscalar('x')
    >>> float(theano.grad(x ** 2, x).eval({x: 4.0}))
    8.0
    """
    global _seconds
    began = time.perf_counter()

    if cost is None and known_grads is None:
        raise AssertionError("cost and known_grads can't both be None.")
    if cost is not None:
        if not isinstance(cost, Variable):
            raise TypeError(f"cost must be a scalar variable, got {cost!r} of type {type(cost)}")
        if _is_null(cost):
            raise ValueError("Can't differentiate a NaN cost. cost is NaN because " + cost.type.why_null)
        if cost.ndim != 0:
            raise TypeError("cost must be a scalar.")

    use_list, use_tuple = isinstance(wrt, list), isinstance(wrt, tuple)
    if not isinstance(wrt, (list, tuple)):
        wrt = [wrt]
    for elem in wrt:
        if not isinstance(elem, Variable):
            raise TypeError(f"Expected Variable, got {elem} of type {type(elem)}")
    return_as = str(return_disconnected).lower()
    assert return_as in ("zero", "none", "disconnected"), (
        f"return_disconnected has to be 'zero', 'none' or 'disconnected', not {return_disconnected!r}"
    )
    assert null_gradients in ("raise", "return"), f"null_gradients has to be 'raise' or 'return', not {null_gradients!r}"

    outputs = ([] if cost is None else [cost]) + list(known_grads or ())
    region = _Region(outputs, wrt, consider_constant)
    known = _start_gradients(cost, known_grads)
    handle_disconnected = _disconnected_handler(disconnected_inputs)
    for elem in wrt:
        if elem not in region.uses and elem is not cost and elem not in known:
            handle_disconnected(elem)
            known[elem] = disconnected_type()

    cost_name = cost.name if add_names and cost is not None else None
    sweep = _Sweep(region, known, cost_name)
    result = [sweep.gradient(elem) for elem in wrt]
    for position, gradient in enumerate(result):
        if _is_null(gradient):
            if null_gradients == "raise":
                raise NullTypeGradError("tensor.grad encountered a NaN. " + gradient.type.why_null)
        elif _is_disconnected(gradient):
            handle_disconnected(wrt[position])
            if return_as == "zero":
                result[position] = _float_zeros_like(wrt[position])
            elif return_as == "none":
                result[position] = None
    _seconds += time.perf_counter() - began
    return format_as(use_list, use_tuple, result)


def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    r"""The product of a row vector with the Jacobian: :math:`v^T \partial f / \partial x`.

    Parameters
    ----------
    f : Variable or list of Variable
        The function's value.
    wrt : Variable or list or tuple of Variable
        Its arguments.
    eval_points : Variable or list of Variable
        The vector, in the shape of `f`.
    consider_constant, disconnected_inputs
        As for :func:`grad`.

    Returns
    -------
    Variable or list or tuple of Variable
        In the form and with the shapes of `wrt`.
    """
    eval_points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    f = list(f) if isinstance(f, (list, tuple)) else [f]
    assert len(f) == len(eval_points), f"{len(eval_points)} evaluation points for {len(f)} expressions"
    use_list, use_tuple = isinstance(wrt, list), isinstance(wrt, tuple)
    wrt = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    gradients = grad(
        cost=None,
        known_grads=dict(zip(f, eval_points)),
        consider_constant=consider_constant,
        wrt=wrt,
        disconnected_inputs=disconnected_inputs,
    )
    return format_as(use_list, use_tuple, gradients)
