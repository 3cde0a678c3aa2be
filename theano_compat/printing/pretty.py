"""``pp``: expressions as formulas. Each op is printed by the printer that was assigned to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano_compat.gof import Op, Variable
from theano_compat.gof.utils import scratchpad

__all__ = [
    "DefaultPrinter", "FunctionPrinter", "IgnorePrinter", "LeafPrinter", "OperatorPrinter", "PPrinter",
    "PatternPrinter", "PrinterState", "VALID_ASSOC", "default_printer", "greek", "leaf_printer", "pp", "pprint",
    "special", "use_ascii",
]

# The ways in which an operator can group.
VALID_ASSOC = {"left", "right", "either"}

use_ascii = True

special = {"middle_dot": "\\dot", "big_sigma": "\\Sigma"}
greek = {name: "\\" + name for name in ("alpha", "beta", "gamma", "delta", "epsilon")}

# A graph larger than this is printed from its inputs upwards, so that its depth does not matter.
_LARGE = 200


class PrinterState(scratchpad):
    """What printers hand on while an expression is printed.

    Parameters
    ----------
    props : PrinterState or dict, optional
        What it starts from.
    **more_props : object
        What is different: ``pprinter``, ``precedence``, ``memo``.

    Attributes
    ----------
    memo : dict
        The text of each variable that has been printed.
    """

    def __init__(self, props: Any = None, **more_props: Any):
        if isinstance(props, scratchpad):
            self.__update__(props)
        elif props is not None:
            self.__dict__.update(props)
        self.__dict__.update(more_props)
        if "memo" not in self.__dict__:
            self.memo: dict[Any, str] = {}

    def clone(self, props: Any = None, **more_props: Any) -> PrinterState:
        """A copy with some properties changed; the memo is shared."""
        return PrinterState(self, **{**(props or {}), **more_props})


def _inputs_text(output: Variable, pstate: Any, precedence: float) -> list[str]:
    """The texts of the inputs of the node that makes `output`."""
    process = pstate.pprinter.process
    state = pstate.clone(precedence=precedence)
    return [process(v, state) for v in output.owner.inputs]


def _require_owner(printer: Any, output: Variable) -> None:
    if output.owner is None:
        raise TypeError(f"{type(printer).__name__} cannot represent {output}, which no operation makes")


class OperatorPrinter:
    """Prints a node as its inputs with an operator between them, or before a single input.

    Parameters
    ----------
    operator : str
        The sign.
    precedence : float
        How strongly it binds.
    assoc : {'left', 'right', 'either'}
        How it groups.
    """

    def __init__(self, operator: str, precedence: float, assoc: str = "left"):
        if assoc not in VALID_ASSOC:
            raise ValueError(f"assoc has to be one of {sorted(VALID_ASSOC)}, not {assoc!r}")
        self.operator, self.precedence, self.assoc = operator, precedence, assoc

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        _require_owner(self, output)
        texts = _inputs_text(output, pstate, self.precedence)
        # Parentheses stand everywhere, so that nobody has to know how strongly what binds.
        inner = self.operator + texts[0] if len(texts) == 1 else f" {self.operator} ".join(texts)
        return f"({inner})"


class PatternPrinter:
    """Prints a node by a template.

    Parameters
    ----------
    *patterns : str or tuple
        One per output, such as ``'|%(0)s|'``; a tuple gives the precedences of the inputs after the template.
    """

    def __init__(self, *patterns: Any):
        self.patterns = [(p, ()) if isinstance(p, str) else (p[0], tuple(p[1:])) for p in patterns]

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        _require_owner(self, output)
        pattern, precedences = self.patterns[output.owner.outputs.index(output)]
        process = pstate.pprinter.process
        texts = {}
        for position, variable in enumerate(output.owner.inputs):
            precedence = precedences[position] if position < len(precedences) else 1000
            texts[str(position)] = process(variable, pstate.clone(precedence=precedence))
        return pattern % texts


class FunctionPrinter:
    """Prints a node as a function call.

    Parameters
    ----------
    *names : str
        The function's name for each output.
    """

    def __init__(self, *names: str):
        self.names = names

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        _require_owner(self, output)
        name = self.names[output.owner.outputs.index(output)]
        return f"{name}({', '.join(_inputs_text(output, pstate, -1000))})"


class IgnorePrinter:
    """Prints a node of one input as if it were that input."""

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        _require_owner(self, output)
        if len(output.owner.inputs) != 1:
            raise TypeError(f"IgnorePrinter cannot represent {output.owner.op}, which has more than one input")
        return pstate.pprinter.process(output.owner.inputs[0], pstate)


class LeafPrinter:
    """Prints a variable by its name."""

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        return greek[output.name] if output.name in greek else str(output)


class DefaultPrinter:
    """Prints a node as a call of its op, and a variable by its name."""

    def process(self, output: Variable, pstate: Any) -> str:
        """The text of `output`."""
        if getattr(output, "owner", None) is None:
            return leaf_printer.process(output, pstate)
        return f"{output.owner.op}({', '.join(_inputs_text(output, pstate, -1000))})"


leaf_printer = LeafPrinter()
default_printer = DefaultPrinter()


class PPrinter:
    """Chooses the printer of each variable.

    Notes
    -----
    An assignment to an op or to a class of ops is looked up first; conditions are asked after that, the latest one first.
    """

    def __init__(self) -> None:
        self.printers: list[tuple[Callable[..., Any], Any]] = []
        self.printers_dict: dict[Any, Any] = {}

    def assign(self, condition: Any, printer: Any) -> None:
        """Let `printer` print what `condition` says.

        Parameters
        ----------
        condition : Op, type or callable
            An op, a class of ops, or ``condition(pstate, variable)``.
        printer : object or callable
            Has a method ``process(variable, pstate)``, or is such a function.
        """
        if not hasattr(printer, "process") and callable(printer):
            printer = _CallablePrinter(printer)
        if isinstance(condition, (Op, type)):
            self.printers_dict[condition] = printer
        else:
            self.printers.insert(0, (condition, printer))

    def _printer_of(self, r: Any, pstate: Any) -> Any:
        owner = getattr(r, "owner", None)
        if owner is not None:
            for key in (owner.op, type(owner.op)):
                found = self.printers_dict.get(key)
                if found is not None:
                    return found
        for condition, printer in self.printers:
            if condition(pstate, r):
                return printer
        return default_printer

    def process(self, r: Any, pstate: Any = None) -> str:
        """The text of a variable.

        Parameters
        ----------
        r : Variable
            The expression.
        pstate : PrinterState, optional
            The state of the printing that this belongs to.
        """
        if pstate is None:
            pstate = PrinterState(pprinter=self)
            self._print_deep_graph_upwards(r, pstate)
        elif isinstance(pstate, dict):
            pstate = PrinterState(pprinter=self, **pstate)
        found = pstate.memo.get(r)
        if found is None:
            found = pstate.memo[r] = self._printer_of(r, pstate).process(r, pstate)
        return found

    def _print_deep_graph_upwards(self, r: Any, pstate: Any) -> None:
        if getattr(r, "owner", None) is None:
            return
        from theano_compat.gof.graph import io_toposort

        nodes = io_toposort([], [r])
        if len(nodes) > _LARGE:
            for node in nodes:
                for output in node.outputs:
                    pstate.memo[output] = self._printer_of(output, pstate).process(output, pstate)

    def process_graph(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], updates: Any = None, display_inputs: bool = False
    ) -> str:
        """The text of a graph, with one line for each named variable, output and update.

        Parameters
        ----------
        inputs, outputs : list of Variable
            The graph.
        updates : dict, optional
            Updated inputs with their new values.
        display_inputs : bool
            Begin with the list of inputs.
        """
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        updates = updates or {}
        from theano_compat.gof.graph import io_toposort

        pstate = PrinterState(pprinter=self)
        lines = []
        if display_inputs:
            lines.append(f"inputs: {', '.join(map(str, [*inputs, *updates]))}")
        targets = [*outputs, *updates.values()]
        named = {v for node in io_toposort(inputs, targets) for v in node.outputs if v.name is not None}
        for node in io_toposort(inputs, targets):
            for output in node.outputs:
                if output in named or output in targets:
                    text = self._printer_of(output, pstate).process(output, pstate)
                    label = output.name if output.name is not None else f"out{targets.index(output)}"
                    lines.append(f"{label} = {text}")
                    pstate.memo[output] = label
        lines.extend(f"{target} <- {self.process(value, pstate)}" for target, value in updates.items())
        return "\n".join(lines)

    def __call__(self, *args: Any) -> str:
        """The text of one variable, or of a graph of inputs and outputs."""
        if len(args) == 1:
            return self.process(*args)
        if len(args) in (2, 3) and isinstance(args[1], (list, tuple)):
            return self.process_graph(*args)
        raise TypeError("Not enough arguments to call.")

    def clone(self) -> PPrinter:
        """A printer with the same assignments."""
        twin = type(self)()
        twin.printers = list(self.printers)
        twin.printers_dict = dict(self.printers_dict)
        return twin

    def clone_assign(self, condition: Any, printer: Any) -> PPrinter:
        """A printer with one more assignment."""
        twin = self.clone()
        twin.assign(condition, printer)
        return twin


class _CallablePrinter:
    """Lets a function serve as a printer."""

    def __init__(self, function: Callable[..., str]):
        self.process = function


pprint = PPrinter()
pp = pprint
