"""``debugprint``: graphs as indented trees."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from theano_compat.gof import Apply, FunctionGraph, Op, Variable
from theano_compat.printing.describe import char_from_number

__all__ = ["debugprint", "debugprint_variable"]

_PROFILE_HEADER = "\n".join(
    [
        "",
        "Timing Info",
        "-----------",
        "--> <time> <% time> - <total time> <% total time>'",
        "",
        "<time>         computation time for this node",
        "<% time>       fraction of total computation time for this node",
        "<total time>   time for this node + total times for this node's ancestors",
        "<% total time> total time for this node over total computation time",
        "",
        "N.B.:",
        "* Times include the node time and the function overhead.",
        "* <total time> and <% total time> may over-count computation times",
        "  if inputs to a node share a common ancestor and should be viewed as a",
        "  loose upper bound. Their intended use is to help rule out potential nodes",
        "  to remove when optimizing a graph because their <total time> is very low.",
        "",
    ]
)


def _is_scan(op: Op) -> bool:
    module = sys.modules.get("theano_compat.scan_module.scan_op")
    return module is not None and isinstance(op, module.Scan)


class _TreePrinter:
    """Prints variables as trees; nodes that have been printed before get one line.

    The parameters are those of :func:`debugprint_variable`.
    """

    def __init__(self, **options: Any):
        self.print_type: bool = options["print_type"]
        self.file = options["file"]
        self.ids: str = options["ids"]
        self.stop_on_name: bool = options["stop_on_name"]
        self.print_clients: bool = options["print_clients"]
        self.print_destroy_map: bool = options.get("print_destroy_map", False)
        self.print_view_map: bool = options.get("print_view_map", False)
        self.done: Any = options["done"]
        self.used_ids: dict[Any, str] = options["used_ids"]
        self.scan_ops: list[Variable] = options["scan_ops"]
        order = options["order"]
        self.order = {node: position for position, node in enumerate(order)} if order else {}
        self.profile = options["profile"]
        self.smap = options["smap"]
        self.outer_of: dict[Any, Any] = options["outer_of"] or {}
        self._total_times: Any = None

    def id_of(self, obj: Any, what: Any = None) -> str:
        """The identifier of a node or a leaf, in brackets; a new one at its first use."""
        if obj in self.used_ids:
            return self.used_ids[obj]
        if obj == "output":
            text = "output"
        elif self.ids == "id":
            text = f"[id {id(what if what is not None else obj)}]"
        elif self.ids == "int":
            text = f"[id {len(self.used_ids)}]"
        elif self.ids == "CHAR":
            text = f"[id {char_from_number(len(self.used_ids))}]"
        elif self.ids == "auto":
            text = f"[id {(what if what is not None else obj).auto_name}]"
        elif self.ids == "":
            text = ""
        else:
            raise ValueError(f"ids has to be 'id', 'int', 'CHAR', 'auto' or '', not {self.ids!r}")
        if self.ids or obj == "output":
            self.used_ids[obj] = text
        return text

    def tree(self, root: Variable, prefix: str, prefix_child: str, depth: int) -> None:
        """Print `root` and what it is computed from.

        Parameters
        ----------
        root : Variable
            The top of the tree.
        prefix, prefix_child : str
            What stands before its line, and before the lines of its inputs.
        depth : int
            How many levels; negative for all.
        """
        if depth == 0:
            return
        stack: list[Iterator[tuple[Variable, str, str, int]]] = [iter([(root, prefix, prefix_child, depth)])]
        while stack:
            entry = next(stack[-1], None)
            if entry is None:
                stack.pop()
                continue
            variable, before, before_children, levels = entry
            if self._line(variable, before) and levels != 1:
                stack.append(self._children(variable, before_children, levels - 1))

    def _children(self, variable: Variable, prefix: str, levels: int) -> Iterator[tuple[Variable, str, str, int]]:
        inputs = variable.owner.inputs
        for position, source in enumerate(inputs):
            last = position == len(inputs) - 1
            if source.owner is not None and _is_scan(source.owner.op) and source not in self.scan_ops:
                self.scan_ops.append(source)
            yield source, prefix + " |", prefix + ("  " if last else " |"), levels

    def _line(self, variable: Variable, prefix: str) -> bool:
        """Print the line of one variable; whether its inputs are to follow."""
        type_text = f" <{variable.type}>" if self.print_type else ""
        owner = getattr(variable, "owner", None)
        if owner is None:
            identifier = self.id_of(variable)
            outer = self.outer_of.get(variable)
            arrow = ""
            if outer is not None:
                arrow = f" -> {self.id_of(outer.owner if outer.owner is not None else outer, outer)}"
            print(f"{prefix}{variable} {identifier}{type_text}{arrow}{self._storage(variable)}", file=self.file)
            return False

        already = owner in self.done
        op = str(owner.op) if len(owner.outputs) == 1 else f"{owner.op}.{owner.outputs.index(variable)}"
        name = "" if variable.name is None else variable.name
        identifier = self.id_of(owner, variable)
        destroyed = getattr(owner.op, "destroy_map", None) if self.print_destroy_map else None
        viewed = getattr(owner.op, "view_map", None) if self.print_view_map else None
        position = self.order.get(owner, "")
        line = (
            f"{prefix}{op} {identifier}{type_text} '{name}' {f'd={destroyed}' if destroyed else ''} "
            f"{f'v={viewed}' if viewed else ''} {position}{self._storage(variable)}{self._clients(variable)}"
        )
        print(line + self._times(variable), file=self.file)
        self._mark(owner)
        return not already and not (self.stop_on_name and name)

    def _mark(self, node: Apply) -> None:
        if isinstance(self.done, dict):
            self.done[node] = ""
        elif isinstance(self.done, list):
            self.done.append(node)
        else:
            self.done.add(node)

    def _storage(self, variable: Variable) -> str:
        if self.smap is None:
            return ""
        return f" {self.smap.get(variable, '')}"

    def _clients(self, variable: Variable) -> str:
        clients = getattr(variable, "clients", None)
        if not self.print_clients or not clients or len(clients) < 2:
            return ""
        listed = [
            (self.id_of(client), "" if client == "output" else self.order.get(client, "")) for client, _ in clients
        ]
        return f" clients:{listed}"

    def _times(self, variable: Variable) -> str:
        profile = self.profile
        if profile is None or variable.owner not in profile.apply_time:
            return ""
        if self._total_times is None:
            self._total_times = profile.compute_total_times()
        own, total = profile.apply_time[variable.owner], self._total_times[variable.owner]
        whole = max(profile.fct_call_time, 1e-12)
        return f" --> {own:8.2e}s {own / whole * 100:4.1f}% {total:8.2e}s {total / whole * 100:4.1f}%"


def debugprint_variable(
    r: Variable,
    prefix: str = "",
    depth: int = -1,
    done: Any = None,
    print_type: bool = False,
    file: Any = None,
    print_destroy_map: bool = False,
    print_view_map: bool = False,
    order: Any = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    prefix_child: str | None = None,
    scan_ops: Any = None,
    profile: Any = None,
    scan_inner_to_outer_inputs: Any = None,
    smap: Any = None,
    used_ids: Any = None,
    print_clients: bool = False,
) -> Any:
    """Print one variable as a tree.

    Parameters
    ----------
    r : Variable
        The top of the tree.
    prefix, prefix_child : str
        What stands before its line, and before those of its inputs.
    depth : int
        How many levels; -1 for all.
    done : set or dict, optional
        Nodes whose inputs are not printed again; grows.
    print_type, print_destroy_map, print_view_map, print_clients : bool
        What else to print.
    file : file object, optional
        Where to print; standard output if not given.
    order : list of Apply, optional
        Print the position of each node in it.
    ids : {'CHAR', 'int', 'id', 'auto', ''}
        The kind of identifiers.
    stop_on_name : bool
        Do not go behind named variables.
    scan_ops : list, optional
        Receives outputs of scan nodes that are met.
    profile : ProfileStats, optional
        Print times.
    scan_inner_to_outer_inputs : dict, optional
        Inner inputs of a scan with what they stand for outside.
    smap : dict, optional
        Storage map whose values are printed.
    used_ids : dict, optional
        Identifiers in use; grows.

    Returns
    -------
    file object
        `file`.
    """
    file = sys.stdout if file is None else file
    printer = _TreePrinter(
        print_type=print_type,
        file=file,
        ids=ids,
        stop_on_name=stop_on_name,
        print_clients=print_clients,
        print_destroy_map=print_destroy_map,
        print_view_map=print_view_map,
        done=set() if done is None else done,
        used_ids={} if used_ids is None else used_ids,
        scan_ops=[] if scan_ops is None else scan_ops,
        order=order,
        profile=profile,
        smap=smap,
        outer_of=scan_inner_to_outer_inputs,
    )
    printer.tree(r, prefix, prefix if prefix_child is None else prefix_child, depth)
    return file


def _collect(obj: Any, print_storage: bool) -> Iterator[tuple[Any, Any, Any, Any]]:
    """What there is to print in `obj`: (variable or plain value, profile, storage map, order)."""
    from theano_compat.compile.function_module import Function

    if isinstance(obj, Variable):
        yield obj, None, None, None
    elif isinstance(obj, Apply):
        for output in obj.outputs:
            yield output, None, None, None
    elif isinstance(obj, Function):
        fgraph = obj.maker.fgraph
        order = fgraph.toposort()
        smap = obj.fn.storage_map if print_storage else None
        for output in fgraph.outputs:
            yield output, obj.profile, smap, order
    elif isinstance(obj, FunctionGraph):
        order = obj.toposort()
        for output in obj.outputs:
            yield output, getattr(obj, "profile", None), None, order
    elif isinstance(obj, (int, float, np.ndarray)):
        yield obj, None, None, None
    elif isinstance(obj, (list, tuple, set)):
        for element in obj:
            yield from _collect(element, print_storage)
    else:
        raise TypeError("debugprint cannot print an object of this type", obj)


def debugprint(
    obj: Any,
    depth: int = -1,
    print_type: bool = False,
    file: Any = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    done: Any = None,
    print_storage: bool = False,
    print_clients: bool = False,
    used_ids: Any = None,
) -> str | None:
    """Print a graph as an indented tree, one line for each variable.

    Parameters
    ----------
    obj : Variable, Apply, Function, FunctionGraph, or a list of these
        What to print.
    depth : int
        How many levels; -1 for all.
    print_type : bool
        Print types.
    file : file object, 'str' or None
        Where to print; ``'str'`` returns the text, None is standard output.
    ids : {'CHAR', 'int', 'id', 'auto', ''}
        How nodes and variables are identified: letters, numbers, Python's id, names given at creation, not at all.
    stop_on_name : bool
        Do not print what lies behind named variables.
    done : dict or set, optional
        Nodes whose inputs are not printed again.
    print_storage : bool
        Print what a function has stored.
    print_clients : bool
        Print who uses variables that have several users in a function.
    used_ids : dict, optional
        Identifiers in use.

    Returns
    -------
    str or None
        The text for ``file='str'``.

    Notes
    -----
    After a node come its inputs, indented by ``|``. A node that has been printed before comes without them. The number
    after a node's name is its position in the order of execution. The inner graphs of scans follow at the end.
    """
    if not isinstance(depth, int):
        raise Exception("depth parameter must be an int")
    if file == "str":
        target: Any = io.StringIO()
    else:
        target = sys.stdout if file is None else file
    done = set() if done is None else done
    used_ids = {} if used_ids is None else used_ids
    entries = list(_collect(obj, print_storage))
    if any(getattr(profile, "fct_callcount", 0) for _, profile, _, _ in entries):
        print(_PROFILE_HEADER, file=target)

    common = {
        "depth": depth,
        "done": done,
        "print_type": print_type,
        "file": target,
        "ids": ids,
        "stop_on_name": stop_on_name,
        "used_ids": used_ids,
        "print_clients": print_clients,
    }
    scan_ops: list[Variable] = []
    for variable, profile, smap, order in entries:
        if not isinstance(variable, Variable):
            print(variable, file=target)
            continue
        if variable.owner is not None and _is_scan(variable.owner.op):
            scan_ops.append(variable)
        timed = profile if getattr(profile, "fct_callcount", 0) else None
        debugprint_variable(variable, order=order, scan_ops=scan_ops, profile=timed, smap=smap, **common)
    if scan_ops:
        _print_inner_graphs(scan_ops, common, target)
    return target.getvalue() if file == "str" else None


def _print_inner_graphs(scan_ops: list[Variable], common: dict[str, Any], target: Any) -> None:
    """Print what scans compute in each step; scans inside scans are appended to the list while it is read."""
    print("", file=target)
    print("Inner graphs of the scan ops:", file=target)
    for output in scan_ops:
        op = output.owner.op
        inner_inputs, inner_outputs = op.shown_graph
        mappings = op.get_oinp_iinp_iout_oout_mappings()["outer_inp_from_inner_inp"]
        outer_of = {
            inner_inputs[i]: output.owner.inputs[o] for i, o in mappings.items() if i < len(inner_inputs)
        }
        print("", file=target)
        debugprint_variable(output, scan_ops=scan_ops, scan_inner_to_outer_inputs=outer_of, **common)
        for variable in inner_outputs:
            if variable.owner is not None and _is_scan(variable.owner.op):
                scan_ops.append(variable)
            debugprint_variable(
                variable,
                prefix=" >",
                prefix_child=" >",
                scan_ops=scan_ops,
                scan_inner_to_outer_inputs=outer_of,
                **common,
            )
