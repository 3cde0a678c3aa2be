"""Historical home of the C linkers: the same names, on top of the compiled engine (``theano_compat.codegen``).

``CLinker`` and ``OpWiseCLinker`` make functions of the engine; where thunks for single nodes are wanted (``OpWiseCLinker.make_all``,
``DualLinker``, ``Op.make_c_thunk``) each node is compiled by itself. The functions that write C text for a user's own ops
(``get_c_declare`` and its like) are here too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from theano_compat import config
from theano_compat.gof import link
from theano_compat.gof.compilelock import get_lock  # noqa: F401  (old code takes it from here)
from theano_compat.gof.graph import Constant
from theano_compat.gof.link import Container, Linker, LocalLinker, PerformLinker, raise_with_op
from theano_compat.gof.utils import MethodNotDefined

PY3 = True
string_types = (str,)

#: Theano called a C function here; the engine calls its own.
run_cthunk = None


def _engine(allow_gc=None, schedule=None):
    """Return a linker of the compiled engine."""
    from theano_compat.codegen.linker import CodegenLinker

    return CodegenLinker(allow_gc=allow_gc, schedule=schedule)


# ------------------------------------------------------------------------------------------------ single nodes

_being_built = threading.local()


def build_op_thunk(node, storage_map: dict, compute_map: dict, no_recycling: Sequence) -> Callable:
    """Return a thunk that runs one node by compiled code.

    Parameters
    ----------
    node : Apply
    storage_map, compute_map : dict
    no_recycling : sequence of Variable

    Raises
    ------
    NotImplementedError
        If there is no compiled code for the op.
    """
    if node in getattr(_being_built, "nodes", ()):
        raise NotImplementedError(f"{node.op} has neither a perform method nor code that the compiled engine can build")
    if not config.cxx:
        raise NotImplementedError("no compiler: config.cxx is empty")
    from theano_compat.gof.fg import FunctionGraph

    inputs = list(dict.fromkeys(var for var in node.inputs if not isinstance(var, Constant)))
    leaves = {var: var.type.make_variable(var.name) for var in inputs}
    copied = node.clone_with_new_inputs([leaves[v] if v in leaves else v.clone() for v in node.inputs])
    fgraph = FunctionGraph([leaves[v] for v in inputs], list(copied.outputs), clone=False)
    inputs_storage = [storage_map[v] for v in inputs]
    outputs_storage = [storage_map[v] for v in node.outputs]
    _being_built.nodes = {*getattr(_being_built, "nodes", ()), node, copied}
    try:
        run = _engine(allow_gc=False).accept(fgraph).make_thunk(inputs_storage, outputs_storage)[0]
    finally:
        _being_built.nodes -= {node, copied}
    flags = [compute_map[v] for v in node.outputs]

    def thunk():
        run()
        for flag in flags:
            flag[0] = True

    thunk.cthunk = run
    thunk.inputs = [storage_map[v] for v in node.inputs]
    thunk.outputs = outputs_storage
    thunk.lazy = False
    return thunk


# ------------------------------------------------------------------------------------------------------ linkers


class CLinker(Linker):
    """Compiles a whole graph; every node must have compiled code.

    Parameters
    ----------
    schedule : callable, optional
        From a FunctionGraph to its nodes in order.
    """

    def __init__(self, schedule: Callable | None = None):
        super().__init__(scheduler=schedule)
        self.fgraph = None

    def accept(self, fgraph, no_recycling=None, profile=None) -> CLinker:
        """Return a linker for ``fgraph``: this one, or, if it has one already, another."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(getattr(self, "_scheduler", None)).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        self.profile = profile
        self._function = None
        self.fetch_variables()
        return self

    def fetch_variables(self) -> None:
        """Fill ``inputs``, ``outputs``, ``variables``, ``orphans``, ``temps`` and ``node_order`` from the graph."""
        fgraph = self.fgraph
        self.inputs, self.outputs = fgraph.inputs, fgraph.outputs
        self.node_order = self.schedule(fgraph)
        self.variables = list(dict.fromkeys([*self.inputs, *(v for n in self.node_order for v in (*n.inputs, *n.outputs)), *self.outputs]))
        self.orphans = [v for v in self.variables if v.owner is None and v not in self.inputs]
        self.temps = [v for v in self.variables if v not in self.inputs and v not in self.orphans and v not in self.outputs]
        self.consts: list = []

    def make_thunk(self, input_storage=None, output_storage=None, storage_map=None, keep_lock=False):
        """Return a function that runs the graph, and the containers of inputs and outputs."""
        engine = _engine(schedule=getattr(self, "_scheduler", None)).accept(self.fgraph, self.no_recycling)
        made = engine.make_all(input_storage, output_storage, storage_map)
        self._function = made[0]
        return made[:3]

    def get_src_code(self) -> str:
        """Return the C file of the graph."""
        if self._function is None:
            self.make_thunk()
        program = getattr(self._function, "program", None)
        return "" if program is None else str(getattr(program, "source", program))

    code_gen = instantiate_code = lambda self, *args: self.get_src_code()

    def _gather(self, method: str, *args) -> list:
        """Return what a ``c_*`` method gives for each type and op in the graph, without repetitions."""
        found: list = []
        owners = [v.type for v in self.variables] + [node.op for node in self.node_order]
        for owner in dict.fromkeys(owners):
            try:
                try:
                    value = getattr(owner, method)(*args)
                except TypeError:  # the compiler argument is optional
                    value = getattr(owner, method)()
            except (MethodNotDefined, AttributeError):
                continue
            found.extend([value] if isinstance(value, str) else value)
        return list(dict.fromkeys(found))

    def c_compiler(self):
        """Return the class that stands for the compiler."""
        from theano_compat.gof.cmodule import GCC_compiler

        return GCC_compiler

    def support_code(self) -> list[str]:
        """Return the support code of types and ops."""
        return self._gather("c_support_code")

    def compile_args(self) -> list[str]:
        """Return the compiler arguments that types and ops ask for."""
        unwanted = self._gather("c_no_compile_args", self.c_compiler())
        return [arg for arg in self._gather("c_compile_args", self.c_compiler()) if arg not in unwanted]

    def headers(self) -> list[str]:
        """Return the headers that types and ops include."""
        return self._gather("c_headers", self.c_compiler())

    def header_dirs(self) -> list[str]:
        """Return the folders that they look for headers in."""
        return self._gather("c_header_dirs", self.c_compiler())

    def libraries(self) -> list[str]:
        """Return the libraries that they link."""
        return self._gather("c_libraries", self.c_compiler())

    def lib_dirs(self) -> list[str]:
        """Return the folders that they look for libraries in."""
        return self._gather("c_lib_dirs", self.c_compiler())

    def init_code(self) -> list[str]:
        """Return the statements that they run when the module is loaded."""
        return self._gather("c_init_code")

    def cmodule_key(self):
        """Return an object that is equal for graphs with equal code: the C text, and what goes to the compiler with it."""
        return self.cmodule_key_(self.fgraph, self.no_recycling, self.compile_args(), self.libraries(), self.header_dirs())

    def cmodule_key_(
        self, fgraph, no_recycling, compile_args=None, libraries=None, header_dirs=None, insert_config_hash=True, c_compiler=None
    ):
        """Return the key for the graph of this linker; see :meth:`cmodule_key`."""
        version = tuple(node.op.c_code_cache_version_apply(node) if hasattr(node.op, "c_code_cache_version_apply") else () for node in self.node_order)
        return version, (self.get_src_code(), tuple(compile_args or ()), tuple(libraries or ()), tuple(header_dirs or ()))


class OpWiseCLinker(LocalLinker):
    """Runs the compiled code of each op, or its ``perform`` where there is none.

    Parameters
    ----------
    fallback_on_perform : bool
        Use ``perform`` for ops without compiled code.
    allow_gc : bool, optional
        Drop values when they are not needed any more; default ``config.allow_gc``.
    nice_errors : bool
        Tell which node an exception comes from.
    schedule : callable, optional

    Notes
    -----
    A function is made by the engine, whole; :meth:`make_all` compiles each node by itself, for linkers that wrap this one.
    """

    __cache__: dict = {}

    def __init__(self, fallback_on_perform=True, allow_gc=None, nice_errors=True, schedule: Callable | None = None):
        super().__init__(allow_gc=allow_gc, scheduler=schedule)
        self.fgraph = None
        self.fallback_on_perform = fallback_on_perform
        self.nice_errors = nice_errors

    def accept(self, fgraph, no_recycling=None, profile=None) -> OpWiseCLinker:
        """Return a linker for ``fgraph``: this one, or, if it has one already, another like it."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(
                self.fallback_on_perform, self.allow_gc, self.nice_errors, getattr(self, "_scheduler", None)
            ).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        self.profile = profile
        return self

    def make_thunk(self, input_storage=None, output_storage=None, storage_map=None):
        engine = _engine(self.allow_gc, getattr(self, "_scheduler", None)).accept(self.fgraph, self.no_recycling, self.profile)
        return engine.make_thunk(input_storage=input_storage, output_storage=output_storage, storage_map=storage_map)

    def make_all(self, profiler=None, input_storage=None, output_storage=None, storage_map=None):
        fgraph = self.fgraph
        order = self.schedule(fgraph)
        input_storage, output_storage, storage_map = link.map_storage(
            fgraph, order, input_storage, output_storage, storage_map
        )
        compute_map = {var: [var.owner is None or var in fgraph.inputs] for var in storage_map}
        thunks = []
        for node in order:
            try:
                thunk = link.make_node_thunk(node, storage_map, compute_map, self.no_recycling, impl="c")
            except (NotImplementedError, MethodNotDefined):
                if not self.fallback_on_perform:
                    raise
                thunk = link.make_node_thunk(node, storage_map, compute_map, self.no_recycling, impl="py")
            thunk.inputs = [storage_map[v] for v in node.inputs]
            thunk.outputs = [storage_map[v] for v in node.outputs]
            thunks.append(thunk)
        cells = link.cells_to_clear(fgraph, order, storage_map) if self.allow_gc else None
        no_recycling = [storage_map[v] for v in self.no_recycling if v not in fgraph.inputs]
        f = link.streamline(fgraph, thunks, order, cells, no_recycling=no_recycling, nice_errors=self.nice_errors)
        f.allow_gc = self.allow_gc
        f.storage_map = storage_map
        return (
            f,
            [Container(v, cell) for v, cell in zip(fgraph.inputs, input_storage)],
            [Container(v, cell, readonly=True) for v, cell in zip(fgraph.outputs, output_storage)],
            thunks,
            order,
        )


def _default_checker(x, y) -> None:
    """Raise if two values differ."""
    if not np.array_equal(x[0], y[0], equal_nan=np.asarray(x[0]).dtype.kind in "fc"):
        raise Exception("Output mismatch.", {"performlinker": x[0], "clinker": y[0]})


class DualLinker(Linker):
    """Runs ``perform`` and compiled code of each node side by side and compares the results.

    Parameters
    ----------
    checker : callable
        Called with two cells; raises if what they hold differs.
    schedule : callable, optional
    """

    def __init__(self, checker: Callable = _default_checker, schedule: Callable | None = None):
        super().__init__(scheduler=schedule)
        self.fgraph = None
        self.checker = checker

    def accept(self, fgraph, no_recycling=None, profile=None) -> DualLinker:
        """Return a linker for ``fgraph``: this one, or, if it has one already, another like it."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(self.checker, getattr(self, "_scheduler", None)).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        return self

    def make_thunk(self, **kwargs):
        """Return a function that runs the graph, and the containers of inputs and outputs (those of ``perform``)."""
        schedule = getattr(self, "_scheduler", None)
        python = PerformLinker(allow_gc=False, schedule=schedule).accept(self.fgraph, no_recycling=self.no_recycling)
        _, inputs1, outputs1, thunks1, order = python.make_all(**kwargs)
        kwargs.pop("input_storage", None)
        kwargs.pop("storage_map", None)
        compiled = OpWiseCLinker(allow_gc=False, schedule=lambda fgraph: order).accept(self.fgraph, self.no_recycling)
        _, inputs2, _, thunks2, _ = compiled.make_all(**kwargs)
        checker = self.checker

        def f():
            for first, second in zip(inputs1, inputs2):
                # Each runs on its own: in-place ops must not see the other's work.
                second.storage[0] = np.copy(first.storage[0]) if isinstance(first.storage[0], np.ndarray) else first.storage[0]
            for thunk1, thunk2, node in zip(thunks1, thunks2, order):
                try:
                    thunk1()
                    thunk2()
                    for cell1, cell2 in zip(thunk1.outputs, thunk2.outputs):
                        checker(cell1, cell2)
                except Exception:
                    raise_with_op(node, thunk1)

        return f, inputs1, outputs1


class HideC:
    """Base class for ops that hide the C code that they inherit: only ``perform`` is used."""

    def _hidden(*args):
        raise MethodNotDefined()

    c_code = c_code_cleanup = _hidden
    c_headers = c_header_dirs = c_libraries = c_lib_dirs = _hidden
    c_support_code = c_support_code_apply = c_support_code_struct = _hidden
    c_compile_args = c_no_compile_args = _hidden
    c_init_code = c_init_code_apply = c_init_code_struct = c_cleanup_code_struct = _hidden

    def c_code_cache_version(self):
        return ()

    def c_code_cache_version_apply(self, node):
        return self.c_code_cache_version()


# -------------------------------------------------------------------------- pieces of C text for ops with c_code


class CodeBlock:
    """A piece of a C function: declarations, statements, and the clean-up that a failure jumps to.

    Parameters
    ----------
    declare, behavior, cleanup : str
    sub : dict
        ``sub['id']`` numbers the block: its label is ``__label_<id>``.
    """

    def __init__(self, declare: str, behavior: str, cleanup: str, sub: dict):
        self.declare = declare
        self.behavior = f"{{\n{behavior}"
        # The double keeps the label legal where nothing follows it.
        self.cleanup = f"__label_{sub['id']}:\n{cleanup}\ndouble __DUMMY_{sub['id']};\n}}\n"


def failure_code(sub: dict, use_goto: bool = True) -> str:
    """Return the statements for ``%(fail)s`` in a function: note which block failed, and jump to its clean-up (or return)."""
    leave = f"goto __label_{sub['id']};" if use_goto else "return;"
    return f"""{{
        {sub["failure_var"]} = {sub["id"]};
        if (!PyErr_Occurred()) {{
            PyErr_SetString(PyExc_RuntimeError, "Unexpected error in an Op's C code. No Python exception was set.");
        }}
        {leave}}}"""


def failure_code_init(sub: dict) -> str:
    """Return the statements for ``%(fail)s`` in a constructor: return the number of the block that failed."""
    return f"""{{
        if (!PyErr_Occurred()) {{
            PyErr_SetString(PyExc_RuntimeError, "Unexpected error in an Op's C code. No Python exception was set.");
        }}
        return {sub["id"]};
        }}"""


def code_gen(blocks: Sequence[CodeBlock]) -> str:
    """Nest blocks: declarations and statements in order, clean-ups in the opposite order."""
    opening = "".join(block.declare + block.behavior for block in blocks)
    return opening + "".join(block.cleanup for block in reversed(blocks))


def get_nothing(r, name, sub) -> str:
    """Return no code."""
    return ""


def _checks_input(r) -> bool:
    """Whether some user of a variable wants its value checked."""
    users = getattr(r, "clients", None) or ()
    return any(node == "output" or getattr(node.op, "check_input", config.check_input) for node, _ in users) or not users


def get_c_declare(r, name, sub) -> str:
    """Return the declaration of a variable, with that of the ``PyObject*`` it is read from."""
    return f"{r.type.c_declare(name, sub, _checks_input(r))}\nPyObject* py_{name};"


def get_c_init(r, name, sub) -> str:
    """Return the statements that begin with no value: ``py_<name>`` is None."""
    return f"py_{name} = Py_None;\n{{Py_XINCREF(py_{name});}}\n{r.type.c_init(name, sub)}"


def _fetch(name) -> str:
    return f"py_{name} = PyList_GET_ITEM(storage_{name}, 0);\n{{Py_XINCREF(py_{name});}}\n"


def get_c_extract(r, name, sub) -> str:
    """Return the statements that read an input from its cell."""
    return _fetch(name) + r.type.c_extract(name, sub, _checks_input(r))


def get_c_extract_out(r, name, sub) -> str:
    """Return the statements that read the old value of an output from its cell."""
    return _fetch(name) + r.type.c_extract_out(name, sub, _checks_input(r))


def get_c_cleanup(r, name, sub) -> str:
    """Return the statements that release a variable."""
    return f"{r.type.c_cleanup(name, sub)}\n{{Py_XDECREF(py_{name});}}"


def get_c_sync(r, name, sub) -> str:
    """Return the statements that write a variable to its cell, unless something failed before."""
    return f"""
    if (!{sub["failure_var"]}) {{
      {r.type.c_sync(name, sub)}
      PyObject* old = PyList_GET_ITEM(storage_{name}, 0);
      {{Py_XINCREF(py_{name});}}
      PyList_SET_ITEM(storage_{name}, 0, py_{name});
      {{Py_XDECREF(old);}}
    }}
    """


def apply_policy(policy, r, name, sub) -> str:
    """Return what a policy, a function or a nested list of functions of ``(r, name, sub)``, writes for a variable."""
    if isinstance(policy, (list, tuple)):
        return "".join(apply_policy(each, r, name, sub) for each in policy)
    return policy(r, name, sub)


def struct_variable_codeblocks(variable, policies, id: int, symbol_table: dict, sub: dict) -> tuple[CodeBlock, CodeBlock]:
    """Return the blocks of a variable for the constructor and for the run, and enter its C name in ``symbol_table``.

    Parameters
    ----------
    variable : Variable
    policies : pair of triples
        ``(declare, init, cleanup)`` for the constructor, ``(declare, behavior, cleanup)`` for the run.
    id : int
        Number of the first block; the second has the next one.
    symbol_table : dict
    sub : dict
    """
    name = f"V{id}"
    symbol_table[variable] = name
    blocks = []
    for offset, policy in enumerate(policies):
        own = {**sub, "id": id + offset, "name": name}
        own["fail"] = failure_code_init(own) if offset == 0 else failure_code(own)
        own.update(stor_ptr=f"storage_{name}", py_ptr=f"py_{name}")
        blocks.append(CodeBlock(*(apply_policy(part, variable, name, own) for part in policy), own))
    return blocks[0], blocks[1]


def get_module_cache(init_args=None):
    """Return the store of compiled modules."""
    from theano_compat.gof.cmodule import get_module_cache as get

    return get(config.compiledir, init_args=init_args)


def get_persistent_module_cache():
    """Return the store of compiled modules; the same as :func:`get_module_cache`."""
    return get_module_cache()
