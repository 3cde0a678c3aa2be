"""The expression graph: Variable, Constant and Apply nodes, and the walks over them.

A :class:`Variable` is a value to come; it is either a leaf (``owner`` is None) or output number ``index`` of an
:class:`Apply` node, which says which op is applied to which inputs. All walks here are iterative, so the depth of a
graph never matters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from itertools import count

from theano_compat import config
from theano_compat.gof import utils
from theano_compat.gof.flatpickle import flat_reduce, restore_state

integer_types = (int,)
string_types = (str,)


class _NoParams:
    """The type of :data:`NoParams`, which stays one object through copies and pickles."""

    def __repr__(self) -> str:
        return "NoParams"

    def __reduce__(self):
        return "NoParams"


#: What ``Apply.run_params`` returns for an op without parameters.
NoParams = _NoParams()


class Node(utils.object2):
    """A node of the graph: a Variable or an Apply."""

    def get_parents(self) -> list:
        """Return the nodes that this one is computed from."""
        raise NotImplementedError()

    def __reduce_ex__(self, protocol):
        return flat_reduce(self)

    def __setstate__(self, state):
        self.__dict__.update(restore_state(state))


class Apply(Node):
    """The application of an op to inputs.

    Parameters
    ----------
    op : Op
    inputs : sequence of Variable
    outputs : sequence of Variable
        Each must be new: without an owner, or owned by this very node.

    Attributes
    ----------
    tag : scratchpad
        For any annotation.
    """

    def __init__(self, op, inputs: Sequence[Variable], outputs: Sequence[Variable]):
        for given, called in ((inputs, "inputs"), (outputs, "output")):
            if not isinstance(given, (list, tuple)):
                raise TypeError(f"The {called} of an Apply must be a list or tuple")
        misfits = [var for var in inputs if not isinstance(var, Variable)]
        if misfits:
            raise TypeError(f"The 'inputs' argument to Apply must contain Variable instances, not {misfits[0]}")
        self.op = op
        self.inputs: list[Variable] = list(inputs)
        self.outputs: list[Variable] = []
        self.tag = utils.scratchpad()
        for i, var in enumerate(outputs):
            if not isinstance(var, Variable):
                raise TypeError(f"The 'outputs' argument to Apply must contain Variable instances with no owner, not {var}")
            if var.owner is None:
                var.owner = self
                var.index = i
            elif var.owner is not self or var.index != i:
                raise ValueError("All output variables passed to Apply must belong to it.")
            self.outputs.append(var)

    def run_params(self):
        """Return the op's parameters for this node, or :data:`NoParams`."""
        get_params = getattr(self.op, "get_params", None)
        if get_params is None:
            return NoParams
        try:
            return get_params(self)
        except utils.MethodNotDefined:
            return NoParams

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        # What ties the node to its FunctionGraph is pickled with that, and made anew from it.
        state.pop("fgraph", None)
        if hasattr(self.tag, "ufunc"):  # NumPy cannot pickle functions made by frompyfunc; it is rebuilt when needed
            state["tag"] = tag = copy(self.tag)
            del tag.ufunc
        return state

    def default_output(self) -> Variable:
        """Return the output that stands for the node where one variable is wanted.

        Raises
        ------
        AttributeError
            If the node has several outputs and its op names none as the default.
        """
        default = getattr(self.op, "default_output", None)
        if default is None:
            if len(self.outputs) == 1:
                return self.outputs[0]
            raise AttributeError(f"{self.op}.default_output should be an output index.")
        if not isinstance(default, integer_types):
            raise AttributeError(f"{self.op}.default_output should be an int or long")
        if default < 0 or default >= len(self.outputs):
            raise AttributeError(f"{self.op}.default_output is out of range.")
        return self.outputs[default]

    out = property(default_output, doc="Alias for self.default_output()")

    def __str__(self) -> str:
        return op_as_string(self.inputs, self)

    def __repr__(self) -> str:
        return str(self)

    def __asapply__(self) -> Apply:
        return self

    def clone(self) -> Apply:
        """Return a new node of the same op on the same inputs, with new outputs."""
        node = self.__class__(self.op, self.inputs, [output.clone() for output in self.outputs])
        node.tag = copy(self.tag)
        return node

    def clone_with_new_inputs(self, inputs: Sequence[Variable], strict: bool = True) -> Apply:
        """Return a node like this one on other inputs.

        Parameters
        ----------
        inputs : sequence of Variable
        strict : bool
            True: the types must equal the old ones (or convert to them), and the outputs keep their types.
            False: where a type differs, the op's ``make_node`` decides on the outputs.
        """
        if len(inputs) != len(self.inputs):
            raise ValueError(f"{self.op} is applied to {len(self.inputs)} inputs, {len(inputs)} were given")
        new_inputs, remake = list(inputs), False
        for i, (old, new) in enumerate(zip(self.inputs, new_inputs)):
            if old.type is new.type or old.type == new.type:
                continue
            if strict:
                new_inputs[i] = old.type.filter_variable(new)  # raises TypeError where there is no way
            else:
                remake = True
        if remake:
            node = self.op.make_node(*new_inputs)
            node.tag = copy(self.tag).__update__(node.tag)
        else:
            node = self.clone()
            node.inputs = new_inputs
        return node

    def get_parents(self) -> list[Variable]:
        """Return the inputs, as a new list."""
        return list(self.inputs)

    @property
    def nin(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    @property
    def nout(self) -> int:
        """Number of outputs."""
        return len(self.outputs)

    @property
    def params_type(self):
        """Type of the op's parameters."""
        return self.op.params_type


class Variable(Node):
    """A value of some type: given from outside, or computed by an Apply node.

    Parameters
    ----------
    type : Type
    owner : Apply, optional
        The node that computes it.
    index : int, optional
        Which of the owner's outputs it is.
    name : str, optional

    Attributes
    ----------
    tag : scratchpad
        Annotations: ``tag.test_value``, ``tag.trace``, any of the user's.
    auto_name : str
        A unique name, ``auto_`` and a number.
    """

    __count__ = count(0)
    _observers: list = []

    def __init__(self, type, owner: Apply | None = None, index: int | None = None, name: str | None = None):
        if not (owner is None or isinstance(owner, Apply)):
            raise TypeError("owner must be an Apply instance", owner)
        if not (index is None or isinstance(index, integer_types)):
            raise TypeError("index must be an int", index)
        if not (name is None or isinstance(name, string_types)):
            raise TypeError("name must be a string", name)
        self.type, self.owner, self.index, self.name = type, owner, index, name
        self.auto_name = f"auto_{next(Variable.__count__)}"
        self.tag = utils.scratchpad()
        if Variable._observers:
            Variable.notify_construction_observers(self)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.owner is None:
            return f"<{self.type}>"
        op = self.owner.op
        if self.index == getattr(op, "default_output", 0 if len(self.owner.outputs) == 1 else None):
            return f"{op}.out" if len(self.owner.outputs) > 1 else f"{op}.0"
        return f"{op}.{self.index}"

    def __repr_test_value__(self) -> str:
        """Return the representation of the test value."""
        from theano_compat.gof.op import get_test_value

        return repr(get_test_value(self))

    def __repr__(self, firstPass: bool = True) -> str:
        text = [str(self)]
        if firstPass and config.print_test_value:
            try:
                text.append(self.__repr_test_value__())
            except AttributeError:
                pass
        return "\n".join(text)

    def clone(self) -> Variable:
        """Return a new leaf variable of the same type, name and tag."""
        other = self.__class__(self.type, None, None, self.name)
        other.tag = copy(self.tag)
        return other

    def __lt__(self, other):
        raise NotImplementedError("Subclasses of Variable must provide __lt__", self.__class__.__name__)

    def __le__(self, other):
        raise NotImplementedError("Subclasses of Variable must provide __le__", self.__class__.__name__)

    def __gt__(self, other):
        raise NotImplementedError("Subclasses of Variable must provide __gt__", self.__class__.__name__)

    def __ge__(self, other):
        raise NotImplementedError("Subclasses of Variable must provide __ge__", self.__class__.__name__)

    def get_parents(self) -> list[Apply]:
        """Return the owner in a list, or an empty list."""
        return [] if self.owner is None else [self.owner]

    def eval(self, inputs_to_values: dict | None = None):
        """Compute this variable.

        Parameters
        ----------
        inputs_to_values : dict, optional
            Values for the variables that it depends on.

        Returns
        -------
        The value, as a compiled function returns it. The function is kept with the variable for the next call.
        """
        given = {} if inputs_to_values is None else inputs_to_values
        cache = self.__dict__.setdefault("_fn_cache", {})
        variables = tuple(sorted(given.keys(), key=id))
        if variables not in cache:
            from theano_compat import function

            cache[variables] = function(list(variables), self)
        return cache[variables](*[given[var] for var in variables])

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        # What ties the variable to its FunctionGraph is pickled with that, and made anew from it.
        for attribute in ("_fn_cache", "fgraph", "clients"):
            state.pop(attribute, None)
        if not config.pickle_test_value and hasattr(self.tag, "test_value"):
            state["tag"] = tag = copy(self.tag)
            del tag.test_value
        return state

    @classmethod
    def append_construction_observer(cls, observer: Callable) -> None:
        """Call ``observer(variable)`` for each variable made from now on."""
        Variable._observers.append(observer)

    @classmethod
    def remove_construction_observer(cls, observer: Callable) -> None:
        """Stop calling ``observer``."""
        Variable._observers.remove(observer)

    @classmethod
    def notify_construction_observers(cls, instance: Variable) -> None:
        """Tell the observers about a new variable."""
        for observer in Variable._observers:
            observer(instance)


class Constant(Variable):
    """A leaf with a fixed value.

    Parameters
    ----------
    type : Type
    data : object
        The value; the type's filter sees it first.
    name : str, optional
    """

    def __init__(self, type, data, name: str | None = None):
        super().__init__(type, name=name)
        self.data = type.filter(data)
        utils.add_tag_trace(self)

    def signature(self) -> tuple:
        """Return an object by which equal constants are found: type and value."""
        return self.type, self.data

    def merge_signature(self) -> tuple:
        """Return the signature that merging goes by."""
        return self.signature()

    def equals(self, other) -> bool:
        """Whether ``other`` is a constant with the same signature."""
        if not isinstance(other, Constant):
            return False
        return self is other or self.signature() == other.signature()

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        text = str(self.data)
        if len(text) > 20:
            text = text[:10] + "..." + text[-10:]
        return f"Constant{{{text}}}"

    def clone(self) -> Constant:
        """Return a constant of the same type, value, name and tag; the value is shared."""
        other = self.__class__(self.type, self.data, self.name)
        other.tag = copy(self.tag)
        return other

    @property
    def owner(self) -> None:
        """Always None: a constant is computed by nobody."""
        return None

    @owner.setter
    def owner(self, value) -> None:
        if value is not None:
            raise ValueError("Constant instances cannot have an owner.")

    @property
    def value(self):
        """The value; read only."""
        return self.data


# ---------------------------------------------------------------------------------------------------------- walks


def stack_search(start: deque, expand: Callable, mode: str = "bfs", build_inv: bool = False):
    """Walk a graph from the nodes in ``start``.

    Parameters
    ----------
    start : deque
        Nodes to begin with; emptied on the way.
    expand : callable
        Maps a node to the list of nodes to visit next, or to None.
    mode : {'bfs', 'dfs'}
        Take the next node from the front or from the back of the queue.
    build_inv : bool
        Return a second value: a dictionary from each node to the list of those that led to it.

    Returns
    -------
    list
        The nodes in the order of their visits, each once.
    """
    if mode not in ("bfs", "dfs"):
        raise ValueError("mode should be bfs or dfs", mode)
    take = start.popleft if mode == "bfs" else start.pop
    visited: list = []
    expanded: dict = {}
    inverse: dict = {}
    while start:
        node = take()
        if node in expanded:
            continue
        visited.append(node)
        following = expanded[node] = expand(node)
        if following:
            if build_inv:
                for other in following:
                    inverse.setdefault(other, []).append(node)
            start.extend(following)
    return (visited, inverse) if build_inv else visited


def ancestors(variable_list: Iterable[Variable], blockers: Iterable[Variable] | None = None) -> list[Variable]:
    """Return the variables that contribute to those given, these included, inputs before what uses them."""
    blocked = set(blockers) if blockers else ()
    seen: set = set()
    order: list = []
    pending = list(variable_list)[::-1]
    while pending:
        var = pending.pop()
        if var in seen:
            continue
        seen.add(var)
        order.append(var)
        if var.owner is not None and var not in blocked:
            pending.extend(var.owner.inputs[::-1])
    order.reverse()
    return order


def inputs(variable_list: Iterable[Variable], blockers: Iterable[Variable] | None = None) -> list[Variable]:
    """Return the leaves (constants too) that the variables given are computed from.

    Parameters
    ----------
    variable_list : iterable of Variable
    blockers : iterable of Variable, optional
        Do not look behind these.
    """
    blocked = set(blockers) if blockers else ()
    seen: set = set()
    leaves: list = []
    pending = list(variable_list)[::-1]
    while pending:
        var = pending.pop()
        if var in seen:
            continue
        seen.add(var)
        if var.owner is None:
            leaves.append(var)
        elif var not in blocked:
            pending.extend(var.owner.inputs[::-1])
    return leaves


def variables_and_orphans(i: Iterable[Variable], o: Iterable[Variable]) -> tuple[list, list]:
    """Return the variables between ``i`` and ``o`` (all outputs of the nodes on the way), and the orphans.

    An orphan is a leaf needed for ``o`` that is not in ``i``: a constant, a shared variable, or a forgotten input.
    """
    given = set(i)
    seen: dict = {}
    pending = list(o)[::-1]
    while pending:
        var = pending.pop()
        if var in seen:
            continue
        seen[var] = None
        if var not in given and var.owner is not None:
            pending.extend(reversed(var.owner.outputs))
            pending.extend(reversed(var.owner.inputs))
    found = list(seen)
    return found, [var for var in found if var.owner is None and var not in given]


def ops(i: Iterable[Variable], o: Iterable[Variable]) -> set[Apply]:
    """Return the set of Apply nodes between inputs ``i`` and outputs ``o``."""
    found, orphaned = variables_and_orphans(i, o)
    ends = set(i) | set(orphaned)
    return {var.owner for var in found if var not in ends}


def variables(i: Iterable[Variable], o: Iterable[Variable]) -> list[Variable]:
    """Return the variables between inputs ``i`` and outputs ``o``, both included."""
    return variables_and_orphans(i, o)[0]


def orphans(i: Iterable[Variable], o: Iterable[Variable]) -> list[Variable]:
    """Return the leaves that ``o`` needs and that are not in ``i``."""
    return variables_and_orphans(i, o)[1]


def list_of_nodes(inputs: Iterable[Variable], outputs: Iterable[Variable]) -> list[Apply]:
    """Return the Apply nodes between inputs and outputs, those near the outputs first."""
    given = set(inputs)
    seen: set = set()
    found: list = []
    pending = deque(var.owner for var in outputs if var.owner is not None and var not in given)
    while pending:
        node = pending.popleft()
        if node in seen:
            continue
        seen.add(node)
        found.append(node)
        pending.extend(
            var.owner for var in node.inputs if var.owner is not None and var not in given and var.owner not in seen
        )
    return found


def is_in_ancestors(l_node: Apply, f_node: Apply) -> bool:
    """Whether ``f_node`` is ``l_node`` or one of the nodes that it is computed from."""
    seen: set = set()
    pending = [l_node]
    while pending:
        node = pending.pop()
        if node is f_node:
            return True
        if node in seen:
            continue
        seen.add(node)
        pending.extend(var.owner for var in node.inputs if var.owner is not None)
    return False


def view_roots(r: Variable) -> list[Variable]:
    """Return the variables whose memory ``r`` may be a view of, by the ops' ``view_map``."""
    roots: list = []
    seen: set = set()
    pending = [r]
    while pending:
        var = pending.pop()
        if var in seen:
            continue
        seen.add(var)
        viewed = getattr(var.owner.op, "view_map", {}).get(var.index) if var.owner is not None else None
        if viewed:
            pending.extend(var.owner.inputs[i] for i in reversed(viewed))
        else:
            roots.append(var)
    return roots


# ------------------------------------------------------------------------------------------------ clones and orders


def clone(
    i: Sequence[Variable], o: Sequence[Variable], copy_inputs: bool = True, copy_orphans: bool | None = None
) -> tuple[list, list]:
    """Copy the graph between inputs and outputs.

    Parameters
    ----------
    i, o : sequence of Variable
    copy_inputs : bool
        Make new inputs too.
    copy_orphans : bool, optional
        Make new constants and other leaves too; default: as ``copy_inputs``.

    Returns
    -------
    inputs, outputs : list of Variable
    """
    if copy_orphans is None:
        copy_orphans = copy_inputs
    equiv = clone_get_equiv(i, o, copy_inputs, copy_orphans)
    return [equiv[var] for var in i], [equiv[var] for var in o]


def clone_get_equiv(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    copy_inputs: bool = True,
    copy_orphans: bool = True,
    memo: dict | None = None,
) -> dict:
    """Copy the graph between inputs and outputs and return the map from old to new.

    Parameters
    ----------
    inputs, outputs : sequence of Variable
    copy_inputs, copy_orphans : bool
        Make new inputs, and new leaves that are not inputs; else the old ones are used.
    memo : dict, optional
        A map to begin with, extended and returned: what is in it is not copied again.

    Returns
    -------
    dict
        From each Variable and Apply of the old graph to its copy.
    """
    if memo is None:
        memo = {}
    for var in inputs:
        # An input given in the memo stays what the memo says.
        copied = var.clone() if copy_inputs else var
        memo.setdefault(var, copied)
    for node in io_toposort(inputs, outputs):
        if node in memo:
            continue
        for var in node.inputs:
            if var not in memo:
                memo[var] = var.clone() if copy_orphans else var
        copied_node = node.clone_with_new_inputs([memo[var] for var in node.inputs])
        memo[node] = copied_node
        for old, new in zip(node.outputs, copied_node.outputs):
            memo.setdefault(old, new)
    for var in outputs:
        if var not in memo:
            memo[var] = var.clone() if copy_orphans else var
    return memo


def general_toposort(
    outputs: Iterable,
    deps: Callable,
    debug_print: bool = False,
    compute_deps_cache: Callable | None = None,
    deps_cache: dict | None = None,
    clients: dict | None = None,
) -> list:
    """Sort all that ``outputs`` depend on so that each element comes after its dependencies.

    Parameters
    ----------
    outputs : iterable
    deps : callable
        Maps an element to the elements that must come before it. It must be deterministic for the order to be so.
    debug_print : bool
        Kept for callers of old; without effect.
    compute_deps_cache, deps_cache : callable and dict, optional
        A version of ``deps`` that remembers its answers in ``deps_cache``.
    clients : dict, optional
        Filled with the map from each element to the list of those that depend on it.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If there is a cycle.
    """
    if compute_deps_cache is None:
        if deps_cache is None:
            deps_cache = {}
        remembered = deps_cache

        def compute_deps_cache(element):
            if element not in remembered:
                remembered[element] = deps(element)
            return remembered[element]

    if not isinstance(outputs, (list, tuple, deque)):
        outputs = list(outputs)
    reachable, dependents = stack_search(deque(outputs), compute_deps_cache, "dfs", True)
    if clients is not None:
        clients.update(dependents)
    # What is ready goes out in the order in which it became so, beginning with the leaves as they were reached.
    missing = {}
    ready = deque()
    for element in reachable:
        before = compute_deps_cache(element)
        missing[element] = len(before) if before else 0
        if not before:
            ready.append(element)
    order = []
    while ready:
        element = ready.popleft()
        order.append(element)
        for dependent in dependents.get(element, ()):
            missing[dependent] -= 1
            if not missing[dependent]:
                ready.append(dependent)
    if len(order) != len(reachable):
        raise ValueError("graph contains cycles")
    return order


def io_toposort(
    inputs: Iterable[Variable],
    outputs: Iterable[Variable],
    orderings: dict | None = None,
    clients: dict | None = None,
) -> list[Apply]:
    """Return the Apply nodes between inputs and outputs, each after those that it depends on.

    Parameters
    ----------
    inputs, outputs : iterable of Variable
    orderings : dict, optional
        Maps an Apply node to a list of Apply nodes that must come before it, beyond what its inputs demand.
    clients : dict, optional
        Filled with the map from each element of the walk to those that depend on it.
    """
    if not orderings and clients is None:
        return _depth_first_order(inputs, outputs)
    given = frozenset(inputs)
    orderings = orderings or {}

    def deps(element):
        if element in given:
            return []
        if isinstance(element, Apply):
            return list(element.inputs) + list(orderings.get(element, ()))
        if element.owner is not None:
            return [element.owner]
        return []

    order = general_toposort(outputs, deps, clients=clients)
    return [element for element in order if isinstance(element, Apply)]


def _depth_first_order(inputs, outputs) -> list[Apply]:
    """Post-order walk over the owners: the order in which a recursive evaluation would run the nodes."""
    # A set is not copied: a function graph asks about the few new nodes on top of all that it has.
    given = inputs if isinstance(inputs, (set, frozenset)) else set(inputs)
    computed: set[Variable] = set()
    order: list[Apply] = []
    pending = [out for out in reversed(list(outputs)) if out.owner is not None]
    while pending:
        var = pending[-1]
        node = var.owner
        if node is None or var in computed or var in given:
            pending.pop()
            continue
        waiting = [v for v in node.inputs if v.owner is not None and v not in computed and v not in given]
        if waiting:
            pending.extend(waiting)  # so the last input's branch comes first, as in Theano
            continue
        pending.pop()
        computed.update(node.outputs)
        order.append(node)
    return order


# --------------------------------------------------------------------------------------------------------- strings


def default_node_formatter(op, argstrings: Sequence[str]) -> str:
    """Write the application of an op as ``op(arg, ...)``."""
    return f"{op.op}({', '.join(argstrings)})"


def op_as_string(
    i: Sequence[Variable], op: Apply, leaf_formatter: Callable = str, node_formatter: Callable = default_node_formatter
) -> str:
    """Write an Apply node with its inputs as text."""
    return node_formatter(op, as_string(i, op.inputs, leaf_formatter, node_formatter))


def as_string(
    i: Sequence[Variable],
    o: Sequence[Variable],
    leaf_formatter: Callable = str,
    node_formatter: Callable = default_node_formatter,
) -> list[str]:
    """Write the expressions of outputs ``o`` over inputs ``i`` as texts.

    A subexpression used several times is written ``*1 -> expression`` at first and ``*1`` afterwards, or ``*1::index``
    where its node has several outputs and it is not the default one.
    """
    given = set(i)
    uses: dict[Apply, int] = {}
    walk = [var.owner for var in o if var.owner is not None and var not in given]
    while walk:
        node = walk.pop()
        uses[node] = uses.get(node, 0) + 1
        if uses[node] == 1:
            walk.extend(var.owner for var in node.inputs if var.owner is not None and var not in given)
    repeated = {node for node, number in uses.items() if number > 1}
    numbers: dict[Apply, int] = {}

    def is_leaf(var):
        return var.owner is None or var in given

    def describe(root):
        if is_leaf(root):
            return leaf_formatter(root)
        texts: list[str] = []  # finished texts, taken up by the node that waits for them
        steps: list[tuple] = [("open", root)]
        while steps:
            step, var = steps.pop()
            if step == "open" and is_leaf(var):
                texts.append(leaf_formatter(var))
            elif step == "open":
                node = var.owner
                suffix = "" if len(node.outputs) == 1 or var.index == getattr(node.op, "default_output", None) else f"::{var.index}"
                if node in numbers:
                    texts.append(f"*{numbers[node]}{suffix}")
                    continue
                if node in repeated:
                    numbers[node] = len(numbers) + 1
                steps.append(("close", var))
                steps.extend(("open", v) for v in reversed(node.inputs))
            else:
                node = var.owner
                number = len(node.inputs)
                arguments = texts[len(texts) - number :]
                del texts[len(texts) - number :]
                label = f"*{numbers[node]} -> " if node in repeated else ""
                texts.append(f"{label}{node_formatter(node, arguments)}")
        return texts[0]

    return [describe(var) for var in o]


# ---------------------------------------------------------------------------------------------------- comparisons


def is_same_graph_with_merge(var1: Variable, var2: Variable, givens: dict | None = None) -> bool:
    """Whether merging equal parts makes one variable of the two; see :func:`is_same_graph`."""
    from theano_compat.gof.fg import FunctionGraph
    from theano_compat.gof.opt import MergeOptimizer

    givens = givens or {}
    leaves = [v for v in inputs([var1, var2]) if not isinstance(v, Constant)]
    outer = list(dict.fromkeys(leaves + list(givens)))
    equiv = clone_get_equiv(leaves, [var1, var2] + list(givens) + list(givens.values()), copy_inputs=True, copy_orphans=False)
    fgraph = FunctionGraph([equiv[v] for v in leaves], [equiv[var1], equiv[var2]], clone=False)
    for old, new in givens.items():
        if getattr(equiv[old], "fgraph", None) is fgraph:
            fgraph.replace(equiv[old], equiv[new], reason="is_same_graph")
    MergeOptimizer().optimize(fgraph)
    del outer
    return fgraph.outputs[0] is fgraph.outputs[1]


def is_same_graph(var1: Variable, var2: Variable, givens=None, debug: bool = False) -> bool:
    """Whether two variables are the same computation of the same leaves.

    Parameters
    ----------
    var1, var2 : Variable
    givens : dict or iterable of pairs, optional
        Variables to be taken as replaced in either graph.
    debug : bool
        Kept for callers of old; without effect.
    """
    givens = dict(givens) if givens else {}
    pairs = [(var1, var2)]
    seen: set = set()
    while pairs:
        a, b = pairs.pop()
        # A replacement may itself be replaced, but not for ever.
        a, b = _follow(a, givens), _follow(b, givens)
        if a is b or (a, b) in seen:
            continue
        seen.add((a, b))
        if a.owner is None or b.owner is None:
            if isinstance(a, Constant) and isinstance(b, Constant) and a.equals(b):
                continue
            return False
        if a.index != b.index or a.owner.op != b.owner.op or len(a.owner.inputs) != len(b.owner.inputs):
            return False
        pairs.extend(zip(a.owner.inputs, b.owner.inputs))
    return True


def _follow(var: Variable, replaced: dict) -> Variable:
    passed: set = set()
    while var in replaced and var not in passed:
        passed.add(var)
        var = replaced[var]
    return var


def equal_computations(xs, ys, in_xs=None, in_ys=None, strict: bool = True) -> bool:
    """Whether ``xs`` over ``in_xs`` compute what ``ys`` over ``in_ys`` compute; see ``scan_module.scan_utils``."""
    from theano_compat.scan_module.scan_utils import equal_computations as compare

    return compare(xs, ys, in_xs, in_ys, strict)


class nodes_constructed:
    """Context manager that collects the variables made in its body.

    Yields
    ------
    list of Variable
        Grows as variables are made.
    """

    def __enter__(self) -> list[Variable]:
        self._found: list[Variable] = []
        self._observer = self._found.append
        Variable.append_construction_observer(self._observer)
        return self._found

    def __exit__(self, *exc_info) -> None:
        Variable.remove_construction_observer(self._observer)


def io_connection_pattern(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> list[list[bool]]:
    """Return which outputs are connected, for differentiation, to which inputs.

    Returns
    -------
    list of list of bool
        Element ``[i][j]`` says whether output ``j`` depends on input ``i`` by ops whose ``connection_pattern`` lets
        a gradient through (all that an op without this method has).
    """
    connected: dict[Variable, int] = {var: 1 << i for i, var in enumerate(inputs)}  # sets of inputs as bits of an int
    for node in io_toposort(inputs, outputs):
        pattern_of = getattr(node.op, "connection_pattern", None)
        sources = [connected.get(var, 0) for var in node.inputs]
        pattern = pattern_of(node) if pattern_of is not None else None
        for j, out in enumerate(node.outputs):
            bits = connected.get(out, 0)
            for i, source in enumerate(sources):
                if source and (pattern is None or pattern[i][j]):
                    bits |= source
            connected[out] = bits
    return [[bool(connected.get(out, 0) >> i & 1) for out in outputs] for i in range(len(inputs))]
