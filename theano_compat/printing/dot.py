"""``pydotprint``: graphs as pictures, in Graphviz's language."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from typing import Any

from theano_compat import config
from theano_compat.gof import Apply, Constant, FunctionGraph, Variable, graph

__all__ = ["default_colorCodes", "graph_to_dot", "pydot_imported", "pydot_imported_msg", "pydotprint"]

_logger = logging.getLogger("theano.printing")

# Colours of nodes, by a part of the op's name.
default_colorCodes = {
    "GpuFromHost": "red",
    "HostFromGpu": "red",
    "Scan": "yellow",
    "Shape": "brown",
    "IfElse": "magenta",
    "Elemwise": "#FFAABB",
    "Subtensor": "#FFAAFF",
    "Alloc": "#FFAA22",
    "Output": "blue",
}


def _find_renderer() -> tuple[bool, str]:
    if shutil.which("dot"):
        return True, ""
    return False, "Install the program Graphviz, so that `dot` can be found on the PATH."


pydot_imported, pydot_imported_msg = _find_renderer()


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _DotGraph:
    """Collects nodes and edges.

    Parameters
    ----------
    max_label_size : int
        Longer labels are cut.
    with_ids : bool
        Put numbers before labels.
    """

    def __init__(self, max_label_size: int, with_ids: bool):
        self.max_label_size, self.with_ids = max_label_size, with_ids
        self.lines: list[str] = []
        self.names: dict[Any, str] = {}

    def _attributes(self, options: dict[str, Any]) -> str:
        parts = [f"{key}={_quote(str(value))}" for key, value in options.items() if value is not None]
        return f" [{', '.join(parts)}]" if parts else ""

    def node(self, obj: Any, label: str, **options: Any) -> str:
        """The name of the node of `obj`, which is added when it is new."""
        if obj in self.names:
            return self.names[obj]
        number = len(self.names)
        if self.with_ids:
            label = f"{number}: {label}"
        if len(label) > self.max_label_size:
            label = label[: self.max_label_size - 3] + "..."
        name = self.names[obj] = f"n{number}"
        self.lines.append(f"  {name}{self._attributes({'label': label, **options})};")
        return name

    def edge(self, source: str, target: str, **options: Any) -> None:
        self.lines.append(f"  {source} -> {target}{self._attributes(options)};")

    def text(self) -> str:
        return "digraph G {\n" + "\n".join(self.lines) + "\n}\n"


def _variable_label(variable: Variable, simple: bool) -> str:
    if variable.name is not None:
        return str(variable.name) if simple else f"name={variable.name} {variable.type}"
    if isinstance(variable, Constant):
        text = str(variable.data).replace("\n", " ")
        return f"val={text} {variable.type}"
    return str(variable.type)


def _graph_of(fct: Any) -> tuple[list[Apply], list[Variable], Any]:
    """The nodes in order, the outputs, and the profile of what is to be drawn."""
    from theano_compat.compile.function_module import Function

    if isinstance(fct, Function):
        return list(fct.maker.fgraph.toposort()), list(fct.maker.fgraph.outputs), getattr(fct, "profile", None)
    if isinstance(fct, FunctionGraph):
        return list(fct.toposort()), list(fct.outputs), getattr(fct, "profile", None)
    if isinstance(fct, Variable):
        fct = [fct]
    elif isinstance(fct, Apply):
        fct = fct.outputs
    if not isinstance(fct, (list, tuple)) or not all(isinstance(v, Variable) for v in fct):
        raise ValueError(
            f"pydotprint expects as input a theano.function, a theano.gof.FunctionGraph, a Variable, a list of Variable "
            f"or an Apply node, not {type(fct)}"
        )
    return graph.io_toposort(graph.inputs(fct), fct), list(fct), None


def _groups(nodes: list[Apply], condition: Any) -> dict[Apply, str]:
    """Which nodes are needed by one side of a lazy condition only, and of which colour they are drawn."""
    node = next((n for n in nodes if n.op == condition or n.op.__class__.__name__ == "IfElse"), None)
    if node is None or condition is None:
        return {}
    n_out = len(node.outputs)
    sides = [
        {v.owner for v in graph.ancestors(list(part)) if v.owner is not None}
        for part in (node.inputs[1 : 1 + n_out], node.inputs[1 + n_out :])
    ]
    colours = {}
    for n in nodes:
        left, right = n in sides[0], n in sides[1]
        if left or right:
            colours[n] = "orange" if left and right else "green" if left else "red"
    return colours


def graph_to_dot(
    fct: Any,
    compact: bool = True,
    with_ids: bool = False,
    high_contrast: bool = True,
    cond_highlight: Any = None,
    colorCodes: dict[str, str] | None = None,
    max_label_size: int = 70,
    var_with_name_simple: bool = False,
) -> str:
    """A graph in Graphviz's language; the parameters are those of :func:`pydotprint`."""
    colours = default_colorCodes if colorCodes is None else colorCodes
    nodes, outputs, profile = _graph_of(fct)
    sides = _groups(nodes, cond_highlight)
    dot = _DotGraph(max_label_size, with_ids)
    wanted = set(outputs)
    inplace_edges = {}
    for node in nodes:
        for positions in (getattr(node.op, "destroy_map", None) or {}).values():
            for position in positions:
                inplace_edges[node, position] = "red"
        for positions in (getattr(node.op, "view_map", None) or {}).values():
            for position in positions:
                inplace_edges.setdefault((node, position), "blue")

    def draw_apply(node: Apply) -> str:
        label = str(node.op).replace(":", "_")
        if profile is not None and node in getattr(profile, "apply_time", {}):
            seconds = profile.apply_time[node]
            whole = max(profile.fct_call_time, 1e-12)
            label += f" ({seconds:.2e}s, {seconds / whole * 100:.1f}%)"
        colour = sides.get(node) or next((c for part, c in colours.items() if part in type(node.op).__name__), None)
        style = {"style": "filled", "fillcolor": colour} if high_contrast else {"color": colour}
        return dot.node(node, label, shape="ellipse", **(style if colour else {}))

    def draw_variable(variable: Variable) -> str:
        output = variable in wanted
        colour = "blue" if output else "cyan" if variable.owner is not None else "green"
        if variable.owner is None and len(getattr(variable, "clients", None) or ()) == 0 and hasattr(variable, "clients"):
            colour = "gray"
        label = _variable_label(variable, var_with_name_simple)
        style = {"style": "filled", "fillcolor": colour} if high_contrast else {"color": colour}
        return dot.node(variable, label, shape="box", **style)

    for node in nodes:
        target = draw_apply(node)
        for position, variable in enumerate(node.inputs):
            several = len(node.inputs) > 1
            label = (f"{position} " if several else "") + str(variable.type)
            colour = inplace_edges.get((node, position))
            drawn = variable.owner is None or not compact or variable in wanted
            source = draw_variable(variable) if drawn else draw_apply(variable.owner)
            dot.edge(source, target, label=label[:max_label_size], color=colour)
        for position, variable in enumerate(node.outputs):
            used = len(getattr(variable, "clients", None) or (0,)) > 0
            if variable in wanted or not compact and used:
                label = (f"{position} " if len(node.outputs) > 1 else "") + str(variable.type)
                dot.edge(target, draw_variable(variable), label=label[:max_label_size])
    for variable in outputs:
        draw_variable(variable)
    return dot.text()


def _render(text: str, outfile: str | None, format: str) -> bytes:
    if format == "dot":
        data = text.encode()
    else:
        program = shutil.which("dot")
        if program is None:
            raise RuntimeError(
                "Failed to import pydot. You must install graphviz and either pydot or pydot-ng for `pydotprint` to "
                f"work. {pydot_imported_msg or 'The program `dot` is needed.'} With format='dot' the picture's source is "
                "written without it."
            )
        done = subprocess.run([program, f"-T{format}"], input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"dot failed: {done.stderr.decode(errors='replace')}")
        data = done.stdout
    if outfile is not None:
        with open(outfile, "wb") as file:
            file.write(data)
    return data


def pydotprint(
    fct: Any,
    outfile: str | None = None,
    compact: bool = True,
    format: str = "png",
    with_ids: bool = False,
    high_contrast: bool = True,
    cond_highlight: Any = None,
    colorCodes: dict[str, str] | None = None,
    max_label_size: int = 70,
    scan_graphs: bool = False,
    var_with_name_simple: bool = False,
    print_output_file: bool = True,
    return_image: bool = False,
) -> bytes | None:
    """Draw a graph.

    Parameters
    ----------
    fct : Function, FunctionGraph, Variable, Apply or list of Variable
        What to draw.
    outfile : str, optional
        The file; a name in ``config.compiledir`` if not given.
    compact : bool
        Leave out intermediate variables.
    format : str
        What Graphviz can make: ``png``, ``svg``, ``pdf``; ``dot`` for the source, which needs no Graphviz.
    with_ids : bool
        Put numbers before labels.
    high_contrast : bool
        Fill nodes with their colour instead of framing them.
    cond_highlight : Op, optional
        A lazy condition, whose two sides get colours of their own.
    colorCodes : dict, optional
        Parts of ops' names with colours.
    max_label_size : int
        Longer labels are cut.
    scan_graphs : bool
        Draw the steps of scans too, in files ``<outfile>_<scan's name>_<position>``.
    var_with_name_simple : bool
        Label named variables by their name alone.
    print_output_file : bool
        Say where the picture is.
    return_image : bool
        Return the picture instead of writing it.

    Returns
    -------
    bytes or None
        The picture, for ``return_image=True``.

    Notes
    -----
    Inputs are green, outputs blue, unused inputs grey. A red arrow is an input that is destroyed, a blue one
    an input that the result is a view of.
    """
    text = graph_to_dot(
        fct, compact, with_ids, high_contrast, cond_highlight, colorCodes, max_label_size, var_with_name_simple
    )
    if return_image:
        return _render(text, None, format)
    if outfile is None:
        outfile = os.path.join(config.compiledir, f"theano.pydotprint.{config.device}.{format}")
    if not outfile.endswith("." + format):
        outfile += "." + format
    _render(text, outfile, format)
    if print_output_file:
        print("The output file is available at", outfile)
    if scan_graphs:
        base = outfile[: -len(format) - 1]
        for position, node in enumerate(_graph_of(fct)[0]):
            inner = getattr(node.op, "fn", None)
            if type(node.op).__name__ == "Scan" and inner is not None:
                pydotprint(
                    inner,
                    outfile=f"{base}_{getattr(node.op, 'name', None) or 'scan'}_{position}.{format}",
                    compact=compact,
                    format=format,
                    with_ids=with_ids,
                    high_contrast=high_contrast,
                    max_label_size=max_label_size,
                    scan_graphs=True,
                    print_output_file=print_output_file,
                )
    return None
