"""Modes: how a function is rewritten (a query on :data:`optdb`) and how it is run (a linker).

A linker or a set of rewrites can be given by name. The names of the linkers that run compiled code are resolved
when they are first used, so that reading this module loads neither the engine nor any op.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from theano_compat import config, gof
from theano_compat.configparser import string_types
from theano_compat.gof import optdb as _databases
from theano_compat.gof.opt import MergeOptimizer, NavigatorOptimizer, Optimizer

__all__ = [
    "AddDestroyHandler", "AddFeatureOptimizer", "FAST_COMPILE", "FAST_RUN", "Mode", "PrintCurrentFunctionGraph",
    "get_default_mode", "get_mode", "optdb", "predefined_linkers", "predefined_modes", "predefined_optimizers",
    "register_linker", "register_mode", "register_optimizer",
]

_logger = logging.getLogger("theano.compile.mode")


# ---------------------------------------------------------------------------------------------------------
# linkers by name
# ---------------------------------------------------------------------------------------------------------


def _perform_linker() -> Any:
    from theano_compat.gof.link import PerformLinker

    return PerformLinker()


def _python_vm(allow_gc: bool | None = None) -> Any:
    from theano_compat.gof.vm import VM_Linker

    return VM_Linker(allow_gc=allow_gc, use_cloop=False, c_thunks=False)


def _compiled(allow_gc: bool | None = None) -> Any:
    from theano_compat.codegen.linker import CodegenLinker

    return CodegenLinker(allow_gc=allow_gc)


class _LinkerTable(dict):
    """Name to linker; a value may be a recipe, which is replaced by its linker when it is first read."""

    def __getitem__(self, name: Any) -> Any:
        value = dict.__getitem__(self, name)
        if isinstance(value, _Recipe):
            value = self[name] = value.build()
        return value

    def get(self, name: Any, default: Any = None) -> Any:
        return self[name] if name in self else default

    def values(self) -> list[Any]:  # type: ignore[override]
        return [self[name] for name in self]

    def items(self) -> list[tuple[Any, Any]]:  # type: ignore[override]
        return [(name, self[name]) for name in self]


class _Recipe:
    """How to make a linker later."""

    def __init__(self, make: Callable[..., Any], **options: Any):
        self.make, self.options = make, options

    def build(self) -> Any:
        return self.make(**self.options)


predefined_linkers: dict[str, Any] = _LinkerTable(
    {
        "py": _Recipe(_perform_linker),
        "c": _Recipe(_compiled),
        "c|py": _Recipe(_compiled),
        "c|py_nogc": _Recipe(_compiled, allow_gc=False),
        "vm": _Recipe(_python_vm),
        "cvm": _Recipe(_compiled),
        "vm_nogc": _Recipe(_python_vm, allow_gc=False),
        "cvm_nogc": _Recipe(_compiled, allow_gc=False),
    }
)


def register_linker(name: str, linker: Any) -> None:
    """Let `linker` be given as `name` to :class:`Mode`.

    Raises
    ------
    ValueError
        The name is taken.
    """
    if name in predefined_linkers:
        raise ValueError(f"Linker name already taken: {name}")
    predefined_linkers[name] = linker


# ---------------------------------------------------------------------------------------------------------
# rewrites by name
# ---------------------------------------------------------------------------------------------------------

# Tags that no predefined query takes. Rewrites that need a C++ compiler of Theano's kind do not exist here.
exclude: list[str] = []


def _query(name: str, *include: str, **options: Any) -> _databases.Query:
    query = _databases.Query(include=list(include), exclude=[*exclude, *options.pop("without", ())], **options)
    query.name = name
    return query


OPT_NONE = _query("OPT_NONE")
OPT_MERGE = _query("OPT_MERGE", "merge")
OPT_FAST_RUN = _query("OPT_FAST_RUN", "fast_run")
OPT_FAST_RUN_STABLE = _query("OPT_FAST_RUN_STABLE", "fast_run", require=["stable"])
OPT_FAST_COMPILE = _query("OPT_FAST_COMPILE", "fast_compile", "fast_compile_gpu")
OPT_STABILIZE = _query("OPT_STABILIZE", "fast_run", position_cutoff=1.5000001)
OPT_O2 = _query("OPT_O2", "fast_compile", "fast_compile_gpu", "fusion")
OPT_O3 = _query("OPT_O3", "fast_run", without=["inplace"])
OPT_UNSAFE = _query("OPT_UNSAFE", "fast_run", "unsafe", without=["inplace"])

predefined_optimizers: dict[str | None, Any] = {
    None: OPT_NONE,
    "None": OPT_NONE,
    "merge": OPT_MERGE,
    "o4": OPT_FAST_RUN,
    "o3": OPT_O3,
    "o2": OPT_O2,
    "o1": OPT_FAST_COMPILE,
    "unsafe": OPT_UNSAFE,
    "fast_compile": OPT_FAST_COMPILE,
    "fast_run": OPT_FAST_RUN,
    "fast_run_stable": OPT_FAST_RUN_STABLE,
    "stabilize": OPT_STABILIZE,
}


def register_optimizer(name: str, opt: Any) -> None:
    """Let `opt`, a query or an optimizer, be given as `name` to :class:`Mode`.

    Raises
    ------
    ValueError
        The name is taken.
    """
    if name in predefined_optimizers:
        raise ValueError(f"Optimizer name already taken: {name}")
    predefined_optimizers[name] = opt


class AddDestroyHandler(Optimizer):
    """Attach the destroy handler: from here on rewrites may put operations in place, under its supervision."""

    def apply(self, fgraph: Any) -> None:
        from theano_compat.compile.function_module import Supervisor

        if not any(isinstance(feature, Supervisor) for feature in fgraph._features):
            destroyers = getattr(fgraph, "destroyers", lambda _: ())
            fgraph.attach_feature(Supervisor([i for i in fgraph.inputs if not destroyers(i)]))

    def add_requirements(self, fgraph: Any) -> None:
        super().add_requirements(fgraph)
        fgraph.attach_feature(gof.DestroyHandler())


class AddFeatureOptimizer(Optimizer):
    """Attach one feature to every graph that is rewritten.

    Parameters
    ----------
    feature : gof.toolbox.Feature
        What is attached.
    """

    def __init__(self, feature: Any):
        self.feature = feature

    def apply(self, fgraph: Any) -> None:
        """Change nothing: the work is done in :meth:`add_requirements`."""

    def add_requirements(self, fgraph: Any) -> None:
        super().add_requirements(fgraph)
        fgraph.attach_feature(self.feature)


class PrintCurrentFunctionGraph(Optimizer):
    """Print the graph as it stands at this point of the rewriting.

    Parameters
    ----------
    header : str
        Line printed before the graph.
    """

    def __init__(self, header: str):
        self.header = header

    def apply(self, fgraph: Any) -> None:
        from theano_compat.printing import debugprint

        print("PrintCurrentFunctionGraph:", self.header)
        debugprint(fgraph.outputs)


# The database of all rewrites, in the order of their positions. The entries whose contents belong to other
# modules are put here empty, so that the skeleton can be read in one place; those modules fill them.
class MainDatabase(_databases.SequenceDB):
    """The database of all rewrites, which reads the modules that hold them when it is first queried.

    Importing the package thus does not pay for rewrites; a module that is imported for its ops registers its rewrites at that time, as ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unread: list[str] = []

    def read_before_use(self, modules: list[str]) -> None:
        """Name modules to import, in this order, before the first query."""
        self._unread.extend(modules)

    def _read(self) -> None:
        # Taken off first: the modules look into the database themselves.
        while self._unread:
            importlib.import_module(self._unread.pop(0))

    def __getitem__(self, name: str) -> Any:
        # The modules look up the parts that they fill while they are read, so a look-up that succeeds reads nothing.
        try:
            return super().__getitem__(name)
        except KeyError:
            self._read()
            return super().__getitem__(name)

    def query(self, *tags: Any, **kwtags: Any) -> Any:
        self._read()
        return super().query(*tags, **kwtags)


optdb = MainDatabase()
local_useless = _databases.LocalGroupDB(apply_all_opts=True, profile=True)

_SKELETON: tuple[tuple[str, Any, float, tuple[str, ...]], ...] = (
    ("merge1", MergeOptimizer(), 0, ("fast_run", "fast_compile", "merge")),
    # What is useless goes before canonicalization, so that the shape feature sees a smaller graph.
    (
        "useless",
        _databases.TopoDB(local_useless, failure_callback=NavigatorOptimizer.warn_inplace),
        0.6,
        ("fast_run", "fast_compile"),
    ),
    ("merge1.1", MergeOptimizer(), 0.65, ("fast_run", "fast_compile", "merge")),
    ("canonicalize", _databases.EquilibriumDB(ignore_newtrees=False), 1, ("fast_run", "fast_compile", "canonicalize_db")),
    ("merge1.2", MergeOptimizer(), 1.2, ("fast_run", "fast_compile", "merge")),
    ("Print1.21", PrintCurrentFunctionGraph("Post-canonicalize"), 1.21, ()),
    ("stabilize", _databases.EquilibriumDB(), 1.5, ("fast_run",)),
    ("Print1.51", PrintCurrentFunctionGraph("Post-stabilize"), 1.51, ()),
    ("specialize", _databases.EquilibriumDB(), 2, ("fast_run", "fast_compile_gpu")),
    # Forms that only helped the earlier rewrites are undone.
    ("uncanonicalize", _databases.EquilibriumDB(), 3, ("fast_run",)),
    # Forms that pay off only on the device that was chosen: they come after the transfer to it.
    ("specialize_device", _databases.EquilibriumDB(), 48.6, ("fast_compile", "fast_run")),
    ("merge2", MergeOptimizer(), 49, ("fast_run", "merge")),
    ("add_destroy_handler", AddDestroyHandler(), 49.5, ("fast_run", "inplace")),
    ("merge3", MergeOptimizer(), 100, ("fast_run", "merge")),
)

for _name, _entry, _position, _tags in _SKELETON:
    optdb.register(_name, _entry, _position, *_tags)

# Equal nodes that canonicalization has made are merged while it runs, since rewrites look at how many clients there are.
optdb["canonicalize"].register("merge", MergeOptimizer(), "fast_run", "fast_compile", cleanup=True)

if config.check_stack_trace in ("raise", "warn", "log"):
    from theano_compat.gof.opt import CheckStackTraceOptimization as _CheckStackTrace

    optdb.register("CheckStackTrace", _CheckStackTrace(), -1, "fast_run", "fast_compile")
elif config.check_stack_trace == "off":
    from theano_compat.gof.opt import CheckStackTraceOptimization as _CheckStackTrace

    optdb.register("CheckStackTrace", _CheckStackTrace(), -1)


# ---------------------------------------------------------------------------------------------------------
# modes
# ---------------------------------------------------------------------------------------------------------


class Mode:
    """How a function is rewritten and how it is run.

    Parameters
    ----------
    linker : Linker or str, optional
        What turns the rewritten graph into something callable; ``config.linker`` when not given.
    optimizer : Optimizer, Query or str
        The rewrites; ``'default'`` stands for ``config.optimizer``.

    Notes
    -----
    ``including``, ``excluding`` and ``requiring`` return a new mode whose query takes more, fewer, or only those
    rewrites that carry the tags given.
    """

    def __init__(self, linker: Any = None, optimizer: Any = "default"):
        if linker is None:
            linker = config.linker
        if isinstance(optimizer, string_types) and optimizer == "default":
            optimizer = config.optimizer
        self.__setstate__((linker, optimizer))
        # Running totals that the profiles report.
        self.call_time = 0
        self.fn_time = 0

    def __getstate__(self) -> tuple[Any, Any]:
        return (self.provided_linker, self.provided_optimizer)

    def _digest_state(self) -> tuple[Any, Any]:
        # not the names that they were given by, under which others may have been registered since
        return (self.linker, self._optimizer)

    def __setstate__(self, state: tuple[Any, Any]) -> None:
        linker, optimizer = state
        self.provided_linker = linker
        self.provided_optimizer = optimizer
        linker, optimizer = self.get_linker_optimizer(linker, optimizer)
        self.linker = linker
        self._optimizer = optimizer
        self.call_time = 0
        self.fn_time = 0

    def __str__(self) -> str:
        return f"{type(self).__name__}(linker = {self.provided_linker}, optimizer = {self.provided_optimizer})"

    def get_linker_optimizer(self, linker: Any, optimizer: Any) -> tuple[Any, Any]:
        """Resolve names to the objects that they stand for.

        Returns
        -------
        tuple
            The linker and the optimizer or query.
        """
        if linker is None or isinstance(linker, string_types):
            linker = predefined_linkers[linker]
        if optimizer is None or isinstance(optimizer, string_types):
            optimizer = predefined_optimizers[optimizer]
        return linker, optimizer

    @property
    def optimizer(self) -> Any:
        """The optimizer to apply; a query is put to :data:`optdb` at each reading."""
        if isinstance(self._optimizer, _databases.Query):
            return optdb.query(self._optimizer)
        return self._optimizer

    def _resolved(self) -> tuple[Any, Any]:
        return self.get_linker_optimizer(self.provided_linker, self.provided_optimizer)

    def _with_query(self, method: str, arguments: tuple[Any, ...]) -> Mode:
        _, query = self._resolved()
        return self.clone(optimizer=getattr(query, method)(*arguments))

    def including(self, *tags: str) -> Mode:
        """A mode that also takes the rewrites with any of `tags`."""
        return self._with_query("including", tags)

    def excluding(self, *tags: str) -> Mode:
        """A mode without the rewrites that have any of `tags`."""
        return self._with_query("excluding", tags)

    def requiring(self, *tags: str) -> Mode:
        """A mode with only those of its rewrites that have all of `tags`."""
        return self._with_query("requiring", tags)

    def register(self, *optimizations: tuple[Any, float]) -> Mode:
        """A mode with further rewrites that stand in no database.

        Parameters
        ----------
        *optimizations : tuple of (Optimizer, float)
            Each rewrite with its position.
        """
        return self._with_query("register", optimizations)

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> Mode:
        """A copy with a copy of the linker.

        Parameters
        ----------
        link_kwargs : dict, optional
            Passed to the linker's ``clone`` (``allow_gc``).
        optimizer : Optimizer, Query or str
            Replaces the rewrites unless it is the empty string.
        """
        if isinstance(optimizer, string_types) and optimizer == "":
            optimizer = self.provided_optimizer
        new_linker = self.linker.clone(**(link_kwargs or {}))
        return type(self)(linker=new_linker, optimizer=optimizer)


# FAST_COMPILE never builds C; FAST_RUN takes the linker of the configuration.
def _fast_compile() -> Mode:
    return Mode(_python_vm(), "fast_compile")


class _LazyFastRun(Mode):
    """The mode ``FAST_RUN``: the linker that the configuration names is looked up when it is first needed."""

    def __setstate__(self, state: tuple[Any, Any]) -> None:
        self.provided_linker, self.provided_optimizer = state
        self.call_time = 0
        self.fn_time = 0
        self._resolution: tuple[Any, Any] | None = None

    def _get(self) -> tuple[Any, Any]:
        if self._resolution is None:
            self._resolution = self._resolved()
        return self._resolution

    @property
    def linker(self) -> Any:  # type: ignore[override]
        return self._get()[0]

    @property
    def _optimizer(self) -> Any:  # type: ignore[override]
        return self._get()[1]

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> Mode:
        if isinstance(optimizer, string_types) and optimizer == "":
            optimizer = self.provided_optimizer
        return Mode(linker=self.linker.clone(**(link_kwargs or {})), optimizer=optimizer)

    def __str__(self) -> str:
        return f"Mode(linker = {self.provided_linker}, optimizer = {self.provided_optimizer})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Mode, (self.provided_linker, self.provided_optimizer)


FAST_COMPILE = _fast_compile()
FAST_RUN: Mode = _LazyFastRun(None, "fast_run")

predefined_modes: dict[str, Any] = {"FAST_COMPILE": FAST_COMPILE, "FAST_RUN": FAST_RUN}

# Modes whose classes live above this module; they are made when first asked for.
_MODE_CLASSES: dict[str, tuple[str, str]] = {
    "DebugMode": ("theano_compat.compile.debugmode", "DebugMode"),
    "DEBUG_MODE": ("theano_compat.compile.debugmode", "DebugMode"),
    "NanGuardMode": ("theano_compat.compile.nanguardmode", "NanGuardMode"),
    **dict.fromkeys(("ProfileMode", "PROFILE_MODE"), ("theano_compat.compile.profilemode", "ProfileMode")),
}

# The mode made from the configuration, kept as long as the flags that it was made from stay the same.
instantiated_default_mode: Mode | None = None
_default_mode_key: tuple[Any, ...] | None = None


def _flag_tags() -> Iterator[tuple[str, list[str]]]:
    for method, flag in (
        ("including", "optimizer_including"),
        ("excluding", "optimizer_excluding"),
        ("requiring", "optimizer_requiring"),
    ):
        text = getattr(config, flag, "")
        if text:
            yield method, text.split(":")


def _with_flag_tags(mode: Mode) -> Mode:
    for method, tags in _flag_tags():
        mode = getattr(mode, method)(*tags)
    return mode


def _default_mode() -> Mode:
    global instantiated_default_mode, _default_mode_key
    name = config.mode
    key = (name, config.linker, config.optimizer, repr(list(_flag_tags())))
    if instantiated_default_mode is not None and (_default_mode_key is None or key == _default_mode_key):
        return instantiated_default_mode
    if name == "Mode":
        mode = Mode(linker=config.linker, optimizer=config.optimizer)
    elif name in _MODE_CLASSES:
        mode = _special_mode(name, optimizer=config.optimizer)
    else:
        mode = predefined_modes[name]
    instantiated_default_mode, _default_mode_key = _with_flag_tags(mode), key
    return instantiated_default_mode


def _special_mode(name: str, **options: Any) -> Mode:
    import importlib

    module, attribute = _MODE_CLASSES[name]
    return getattr(importlib.import_module(module), attribute)(**options)


def get_mode(orig_string: Any) -> Any:
    """The mode with this name.

    Parameters
    ----------
    orig_string : str, Mode or None
        A name; ``None`` stands for ``config.mode``. Anything else is returned as it is.

    Raises
    ------
    Exception
        No mode has this name.
    """
    if orig_string is None:
        name = config.mode
    elif isinstance(orig_string, string_types):
        name = orig_string
    else:
        return orig_string
    if name in ("Mode", "DebugMode", "NanGuardMode") or orig_string is None:
        if name == config.mode or orig_string is None:
            if name not in predefined_modes and name not in _MODE_CLASSES and name != "Mode":
                raise Exception(f"No predefined mode exist for string: {name}")
            return _default_mode()
        if name == "Mode":
            return _with_flag_tags(Mode(linker=config.linker, optimizer=config.optimizer))
        return _with_flag_tags(_special_mode(name, optimizer=config.optimizer))
    if name in predefined_modes:
        return _with_flag_tags(predefined_modes[name])
    if name in _MODE_CLASSES:
        predefined_modes[name] = _special_mode(name, optimizer="fast_run")
        return _with_flag_tags(predefined_modes[name])
    raise Exception(f"No predefined mode exist for string: {name}")


def get_default_mode() -> Mode:
    """The mode that ``config.mode`` names."""
    return get_mode(None)


def register_mode(name: str, mode: Mode) -> None:
    """Let `mode` be given as `name` to :func:`theano.function`.

    Raises
    ------
    ValueError
        The name is taken.
    """
    if name in predefined_modes:
        raise ValueError(f"Mode name already taken: {name}")
    predefined_modes[name] = mode
