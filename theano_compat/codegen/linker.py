"""`CodegenLinker`: a FunctionGraph as compiled segments and Python islands."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from theano_compat import config
from theano_compat.codegen import build, pool, runtime
from theano_compat.codegen.toolchain import CompileError
from theano_compat.gof.graph import Variable
from theano_compat.gof.link import Container, LocalLinker, map_storage

if TYPE_CHECKING:
    from theano_compat.codegen.compiled import CompiledFunction
    from theano_compat.codegen.recall import Search

__all__ = ["CodegenLinker", "RefusedCode"]


class RefusedCode(RuntimeWarning):
    """The compiler refused the C text of a function."""


_warned_of_no_compiler = False


def _compiler_or_warning() -> bool:
    global _warned_of_no_compiler
    if build.compiler_available():
        return True
    if not _warned_of_no_compiler:
        _warned_of_no_compiler = True
        warnings.warn(
            "theano_compat found no C compiler: functions run through NumPy, which is slower. Install gcc or clang, or "
            "`pip install ziglang`; `python -m theano_compat doctor` shows what was looked for.",
            stacklevel=2,
        )
    return False


class CodegenLinker(LocalLinker):
    """Compile what can be compiled into one C file per function, run the rest in Python.

    Parameters
    ----------
    allow_gc : bool, optional
        Drop intermediate values after each call; default `config.allow_gc`.
    schedule : callable, optional
        Order of the nodes; the graph's own `toposort` where absent.
    """

    def __init__(self, allow_gc: bool | None = None, schedule: Callable | None = None, **ignored) -> None:
        if allow_gc is None:
            allow_gc = config.allow_gc
        super().__init__(allow_gc=allow_gc) if schedule is None else super().__init__(
            allow_gc=allow_gc, scheduler=schedule
        )
        self.fgraph = None
        self.no_recycling: list[Variable] = []
        self.profile = None

    @staticmethod
    def prepare() -> None:
        """Begin to build, in other threads, what all functions share: beside the rewriting of the first one, where nothing is in the cache yet."""
        runtime.start()
        pool.start()

    @staticmethod
    def search(inputs: list, outputs: list, mode, accept_inplace: bool) -> Search:
        """Look for a function among those that were compiled before."""
        from theano_compat.codegen.recall import Search

        return Search(inputs, outputs, mode, accept_inplace)

    def accept(self, fgraph, no_recycling=None, profile=None) -> CodegenLinker:
        """Take the graph to compile; a linker that has one already gives a fresh linker for the new one."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(allow_gc=self.allow_gc).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = list(no_recycling or [])
        self.profile = profile
        return self

    def accept_var_updates(self, updated_vars: dict) -> None:
        """Take the map from input variables to the outputs that update them; the function itself stores them."""
        self.updated_vars = updated_vars

    def make_all(self, input_storage=None, output_storage=None, storage_map=None):
        """Return the compiled function, containers of inputs and of outputs, thunks and nodes."""
        fgraph = self.fgraph
        self.prepare()
        input_storage, output_storage, storage_map = map_storage(
            fgraph, fgraph.toposort(), input_storage, output_storage, storage_map
        )
        try:
            fn = self._function(_compiler_or_warning(), storage_map, output_storage)
        except CompileError as error:
            # A fault of the engine, or of a user's own C text: the program goes on, and says so.
            warnings.warn(RefusedCode(f"this function runs through NumPy, more slowly: {error}"), stacklevel=2)
            fn = self._function(False, storage_map, output_storage)
        inputs = _containers(fgraph.inputs, input_storage)
        outputs = _containers(fgraph.outputs, output_storage, readonly=True)
        return fn, inputs, outputs, fn.thunks, fn.nodes

    def _function(self, compile: bool, storage_map: dict, output_storage: list) -> CompiledFunction:
        from theano_compat.codegen.compiled import CompiledFunction  # what lowers and prints: not needed for functions that are recalled
        from theano_compat.codegen.schedule import make_schedule

        schedule = make_schedule(self.fgraph, compile, node_by_node=self.profile is not None)
        return CompiledFunction(self, schedule, storage_map, output_storage)


def _containers(variables, storage, readonly: bool = False) -> list:
    return [Container(v, s, readonly=readonly) for v, s in zip(variables, storage)]
