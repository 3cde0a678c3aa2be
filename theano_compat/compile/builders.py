"""Ops made of expressions: :class:`OpFromGraph`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano_compat import gof
from theano_compat.compile.mode import optdb
from theano_compat.compile.pfunc import _Cloner, rebuild_collect_shared
from theano_compat.compile.sharedvalue import SharedVariable
from theano_compat.configparser import change_flags
from theano_compat.gof import Apply, Variable, ops_with_inner_function
from theano_compat.gof.graph import io_connection_pattern

__all__ = ["OpFromGraph", "inline_ofg_expansion"]


def _replace(outputs: Sequence[Variable], old: Sequence[Variable], new: Sequence[Variable]) -> list[Variable]:
    """Copies of `outputs` with other variables in place of some."""
    cloner = _Cloner(rebuild_strict=True, no_default_updates=True)
    cloner.clone_d.update(zip(old, new))
    return [cloner.clone(output, copy_leaves=False) for output in outputs]


def _is_placeholder(variable: Any) -> bool:
    """Whether a gradient is disconnected or undefined, so that it cannot be an op's output."""
    from theano_compat.gof.null_type import NullType
    from theano_compat.gradient import DisconnectedType

    return isinstance(variable.type, (NullType, DisconnectedType))


class OpFromGraph(gof.Op):
    """An op that computes an expression.

    Parameters
    ----------
    inputs : list of Variable
        The expression's inputs.
    outputs : list of Variable
        What it computes. Shared variables in it become inputs that callers need not give.
    inline : bool
        Put the expression in place of the op when a function is compiled.
    lop_overrides, grad_overrides : 'default', OpFromGraph, callable, Variable, or list of callable, 'default', Variable or None
        The gradient instead of the expression's own. A ``lop`` callable takes ``(inputs, outputs, output_gradients)``,
        a ``grad`` callable ``(inputs, output_gradients)``; either returns a list. A list has an entry per input, whose
        callables return one gradient. A Variable is of NullType or DisconnectedType.
    rop_overrides : 'default', OpFromGraph, callable, Variable, or list of these
        The same for the forward derivative; a callable takes ``(inputs, eval_points)``.
    connection_pattern : list of list of bool, optional
        Which outputs depend on which inputs, instead of what the expression says.
    name : str, optional
        The op's printed name.
    **kwargs
        Passed to the compilation of the expression.

    Notes
    -----
    The derivatives of such an op are such ops themselves, so that a graph stays small when one is used often.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x, y = theano.tensor.scalars('xy')
    >>> op = theano.OpFromGraph([x, y], [x + 2 * y])
    >>> float(op(x, op(y, x)).eval({x: 1.0, y: 3.0}))
    11.0
    """

    TYPE_ERR_MSG = "%s must be 'default', an OpFromGraph, a callable, a Variable or a list of these"

    def __init__(
        self,
        inputs: list[Variable],
        outputs: list[Variable],
        inline: bool = False,
        lop_overrides: Any = "default",
        grad_overrides: Any = "default",
        rop_overrides: Any = "default",
        connection_pattern: list[list[bool]] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not isinstance(outputs, list):
            raise TypeError(f"outputs must be list, got {type(outputs)}")
        for variable in [*inputs, *outputs]:
            if not isinstance(variable, Variable):
                raise TypeError("inputs and outputs must be Variable instances", variable)
        if "updates" in kwargs or "givens" in kwargs:
            raise TypeError("updates and givens are not allowed here")

        self.is_inline = inline
        # Inside, shared variables are ordinary inputs, or gradients would not reach them.
        self.shared_inputs = [
            v for v in gof.graph.inputs(outputs) if isinstance(v, SharedVariable) and v not in inputs
        ]
        stand_ins = [v.type() for v in self.shared_inputs]
        local_inputs, local_outputs, (_, update_d, update_expr, left_over) = rebuild_collect_shared(
            outputs,
            inputs=[*inputs, *stand_ins],
            replace=dict(zip(self.shared_inputs, stand_ins)),
            copy_inputs_over=False,
            no_default_updates=True,
        )
        assert not update_d and not update_expr and not left_over
        assert len(local_inputs) == len(inputs) + len(self.shared_inputs)
        assert len(local_outputs) == len(outputs)
        self.local_inputs, self.local_outputs = local_inputs, local_outputs
        self.inputs, self.outputs = inputs, outputs
        self.kwargs = kwargs
        self.input_types = [v.type for v in inputs]
        self.output_types = [v.type for v in outputs]
        self._fn: Any = None

        if lop_overrides != "default":
            if grad_overrides != "default":
                raise ValueError("lop_overrides and grad_overrides are mutually exclusive")
            self.set_lop_overrides(lop_overrides)
            self._lop_type = "lop"
        else:
            self.set_grad_overrides(grad_overrides)
        self.set_rop_overrides(rop_overrides)
        self._connection_pattern = connection_pattern
        if name is not None:
            assert isinstance(name, str), "name must be None or string object"
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(type(self)) ^ id(self)

    def __str__(self) -> str:
        return f"{type(self).__name__ if self.name is None else self.name}{{inline={self.is_inline}}}"

    # ---- derivatives ----------------------------------------------------------------------------------

    def set_grad_overrides(self, grad_overrides: Any) -> None:
        """Replace the gradient; the forms are those of the constructor."""
        self._lop_overrides, self._lop_type, self._lop_cache = grad_overrides, "grad", None

    def set_lop_overrides(self, lop_overrides: Any) -> None:
        """Replace the gradient by callables that also take the outputs."""
        self._lop_overrides, self._lop_type, self._lop_cache = lop_overrides, "lop", None

    def set_rop_overrides(self, rop_overrides: Any) -> None:
        """Replace the forward derivative."""
        self._rop_overrides, self._rop_cache = rop_overrides, None

    def _derivative_op(
        self,
        what: str,
        overrides: Any,
        arguments: list[Variable],
        default: Callable[[Sequence[int]], list[Any]],
        call: Callable[[Callable[..., Any]], Any],
        n_results: int,
    ) -> tuple[Any, list[Any]]:
        """The op of a derivative, and for each result the placeholder that stands for it, or None.

        Parameters
        ----------
        what : str
            ``'LOp'`` or ``'ROp'``.
        overrides : object
            As given by the user.
        arguments : list of Variable
            The inputs of the op.
        default : callable
            The results at some positions as the expression itself gives them.
        call : callable
            Calls an override with its arguments.
        n_results : int
            How many results there are.
        """
        if isinstance(overrides, OpFromGraph):
            expected = len(overrides.local_inputs) - len(overrides.shared_inputs)
            if expected != len(arguments) and expected != len(self.local_inputs) + len(self.local_outputs):
                raise ValueError(f"{overrides} takes {expected} inputs, {what} has {len(arguments)}")
            return overrides, [None] * n_results
        if isinstance(overrides, str) and overrides == "default":
            results = default(range(n_results))
        elif isinstance(overrides, Variable):
            if not _is_placeholder(overrides):
                raise TypeError(self._override_error(what))
            results = [overrides.type() for _ in range(n_results)]
        elif isinstance(overrides, list):
            if len(overrides) > n_results:
                raise ValueError(f"Can override {n_results} of {what}, got {len(overrides)}")
            overrides = overrides + ["default"] * (n_results - len(overrides))
            wanted = [i for i, o in enumerate(overrides) if isinstance(o, str) and o == "default"]
            own = dict(zip(wanted, default(wanted))) if wanted else {}
            results = [own[i] if i in own else self._one_override(what, o, call) for i, o in enumerate(overrides)]
        elif callable(overrides):
            results = call(overrides)
            if not isinstance(results, (list, tuple)):
                raise TypeError(f"{what} override should return a list of gradients, got {type(results)}")
            if len(results) != n_results:
                raise ValueError(f"{what} override should return {n_results} gradients, got {len(results)}")
            results = list(results)
        else:
            raise TypeError(self._override_error(what))
        placeholders = [r if _is_placeholder(r) else None for r in results]
        outputs = [r for r, p in zip(results, placeholders) if p is None]
        op = type(self)(
            inputs=arguments,
            outputs=outputs,
            inline=self.is_inline,
            name=f"{self.name or type(self).__name__}_{what}",
            on_unused_input="ignore",
        )
        return op, placeholders

    def _override_error(self, what: str) -> str:
        return self.TYPE_ERR_MSG % f"override of {what}"

    def _one_override(self, what: str, override: Any, call: Callable[[Callable[..., Any]], Any]) -> Any:
        from theano_compat.gradient import disconnected_type

        if override is None:
            return disconnected_type()
        if isinstance(override, Variable):
            if not _is_placeholder(override):
                raise TypeError(self._override_error(what))
            return override
        if callable(override):
            return call(override)
        raise TypeError(self._override_error(what))

    def _lop(self) -> tuple[Any, list[Any]]:
        if self._lop_cache is None:
            with change_flags(compute_test_value="off"):
                self._lop_cache = self._make_lop()
        return self._lop_cache

    def _make_lop(self) -> tuple[Any, list[Any]]:
        from theano_compat.gradient import grad

        inputs, outputs = self.local_inputs, self.local_outputs
        gradients = [t() for t in self.output_types]

        def default(positions: Sequence[int]) -> list[Any]:
            return grad(
                cost=None,
                wrt=[inputs[i] for i in positions],
                known_grads=dict(zip(outputs, gradients)),
                disconnected_inputs="ignore",
                return_disconnected="disconnected",
                null_gradients="return",
            )

        def call(override: Callable[..., Any]) -> Any:
            given = (inputs, gradients) if self._lop_type == "grad" else (inputs, outputs, gradients)
            return override(*given)

        return self._derivative_op(
            "LOp", self._lop_overrides, [*inputs, *outputs, *gradients], default, call, len(inputs)
        )

    def _rop(self) -> tuple[Any, list[Any]]:
        if self._rop_cache is None:
            with change_flags(compute_test_value="off"):
                self._rop_cache = self._make_rop()
        return self._rop_cache

    def _make_rop(self) -> tuple[Any, list[Any]]:
        from theano_compat.gradient import Rop

        inputs, outputs = self.local_inputs, self.local_outputs
        points = [v.type() for v in inputs]

        def default(positions: Sequence[int]) -> list[Any]:
            return Rop([outputs[i] for i in positions], inputs, points, "ignore", "disconnected")

        def call(override: Callable[..., Any]) -> Any:
            return override(inputs, points)

        return self._derivative_op(
            "ROp", self._rop_overrides, [*inputs, *points], default, call, len(outputs)
        )

    def get_lop_op(self) -> Any:
        """The op of the gradient; its inputs are this op's inputs, its outputs, and the gradients towards them."""
        return self._lop()[0]

    def get_rop_op(self) -> Any:
        """The op of the forward derivative; its inputs are this op's inputs and the directions."""
        return self._rop()[0]

    @staticmethod
    def _fill(op: Any, arguments: list[Any], placeholders: list[Any]) -> list[Any]:
        if all(p is not None for p in placeholders):
            return list(placeholders)
        computed = iter(op(*arguments, return_list=True))
        return [next(computed) if p is None else p for p in placeholders]

    def L_op(self, inputs: Sequence[Variable], outputs: Sequence[Variable], output_grads: Sequence[Any]) -> list[Any]:
        op, placeholders = self._lop()
        gradients = [
            output.zeros_like() if _is_placeholder(g) else g for output, g in zip(outputs, output_grads)
        ]
        if self._lop_type == "grad" and isinstance(self._lop_overrides, OpFromGraph):
            # An op given as the gradient does not take the outputs.
            return self._fill(op, [*inputs, *gradients], placeholders)
        return self._fill(op, [*inputs, *outputs, *gradients], placeholders)

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        op, placeholders = self._rop()
        points = [v.zeros_like() if p is None else p for v, p in zip(inputs, eval_points)]
        results = self._fill(op, [*inputs, *points], placeholders)
        return [None if _is_placeholder(r) else r for r in results]

    # ---- protocol of ops ------------------------------------------------------------------------------

    def make_node(self, *inputs: Any) -> Apply:
        expected = len(self.local_inputs) - len(self.shared_inputs)
        if len(inputs) == len(self.local_inputs):
            # A rewrite or a copy gives the shared variables as well.
            types = [v.type for v in self.local_inputs]
            return Apply(self, [t.filter_variable(v) for t, v in zip(types, inputs)], [t() for t in self.output_types])
        if len(inputs) != expected:
            raise ValueError(f"Expected {expected} inputs, got {len(inputs)}")
        given = [t.filter_variable(v) for t, v in zip(self.input_types, inputs)]
        return Apply(self, given + self.shared_inputs, [t() for t in self.output_types])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Which outputs depend on which inputs: as given, or as the expression says."""
        if self._connection_pattern is not None:
            return self._connection_pattern
        inner = io_connection_pattern(self.local_inputs, self.local_outputs)
        if isinstance(self._lop_overrides, str) and self._lop_overrides == "default":
            pattern = [[bool(flag) for flag in row] for row in inner]
        else:
            from theano_compat.gradient import DisconnectedType

            # An input whose gradient was replaced is connected exactly if there is a gradient.
            _, placeholders = self._lop()
            pattern = [
                [placeholder is None or not isinstance(placeholder.type, DisconnectedType)] * len(row)
                for row, placeholder in zip(inner, placeholders)
            ]
        self._connection_pattern = pattern
        return pattern

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        from theano_compat.tensor.opt import ShapeFeature

        feature = ShapeFeature()
        feature.on_attach(gof.FunctionGraph([], []))
        for variable, known in zip(self.local_inputs, shapes):
            if known is not None:
                feature.set_shape(variable, known)
        for inner in gof.graph.io_toposort(self.local_inputs, self.local_outputs):
            for variable in inner.inputs:
                if variable.owner is None and variable not in feature.shape_of:
                    feature.init_r(variable)
            feature.on_import(None, inner, reason="OpFromGraph.infer_shape")
        result = []
        for output in self.local_outputs:
            known = feature.shape_of.get(output)
            if known is None:
                result.append(None)
            else:
                result.append(tuple(_replace(list(known), self.local_inputs, node.inputs)))
        return result

    @property
    def fn(self) -> Any:
        """The compiled expression."""
        if self._fn is None:
            from theano_compat.compile.function_module import orig_function

            # An op may well ignore some of its inputs, gradients above all.
            options = {"on_unused_input": "ignore", **self.kwargs}
            self._fn = orig_function(self.local_inputs, self.local_outputs, **options)
            self._fn.trust_input = True
        return self._fn

    def prepare_node(self, node: Apply, storage_map: Any, compute_map: Any, impl: str | None) -> None:
        """Compile the expression before the first call."""
        if impl is None or impl == "py":
            _ = self.fn

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[list[Any]]) -> None:
        values = self.fn(*inputs)
        assert len(values) == len(outputs)
        for storage, value in zip(outputs, values):
            storage[0] = value

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["_fn"] = None
        return state


ops_with_inner_function[OpFromGraph] = "fn"


@gof.local_optimizer([OpFromGraph])
def inline_ofg_expansion(node: Apply) -> Any:
    """Put the expression in place of an op that was made with ``inline=True``."""
    op = node.op
    if not isinstance(op, OpFromGraph) or not op.is_inline:
        return False
    return _replace(op.local_outputs, op.local_inputs, node.inputs)


# Before everything else, so that all rewrites see the expressions.
optdb.register(
    "inline_ofg_expansion", gof.opt.in2out(inline_ofg_expansion), -0.01, "fast_compile", "fast_run"
)
