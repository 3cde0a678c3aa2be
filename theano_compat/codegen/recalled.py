"""`RecalledFunction`: what a call runs where the machine code was found by the function's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano_compat.codegen import runtime
from theano_compat.codegen.errors import SegmentError
from theano_compat.codegen.wiring import SegmentStep, Wiring
from theano_compat.compile.sharedvalue import call_lock

if TYPE_CHECKING:
    from theano_compat.codegen.compiled import CompiledFunction
    from theano_compat.codegen.recall import Recipe

__all__ = ["RecalledFunction"]

#: What is asked of the function compiled after all; no other name makes that.
_OF_THE_WHOLE = frozenset(
    "call_counts call_times clear clear_all compute_map explain fgraph file loaded nodes program schedule storage_map thunks time_thunks update_profile "
    "variable_offset variable_shape variable_strides".split()
)
_lock = call_lock()


class RecalledFunction:
    """Runs a function that was not compiled, only found; what else is to be known of it is asked of the function compiled after all (`whole`).

    Parameters
    ----------
    maker : FunctionMaker
        Gives the linker of the rewritten graph when it is asked for it.
    recipe : Recipe
    input_storage : list of list
        The cells of the function's inputs.
    allow_gc : bool
        Whether results are dropped after each call.

    Attributes
    ----------
    output_storage : list of list
        The cells of its outputs.
    """

    need_update_inputs = True

    def __init__(self, maker: Any, recipe: Recipe, input_storage: list[list], allow_gc: bool) -> None:
        self.maker = maker
        self.recipe = recipe
        self.input_storage = input_storage
        self.allow_gc = allow_gc
        self.position_of_error: int | None = None
        self._whole: CompiledFunction | None = None
        constants = iter(recipe.constants)
        results: list[list] = [[None] for _ in recipe.spec.outputs]
        self.output_storage = [results[k] for k in recipe.wiring.results]
        self._step = SegmentStep(
            recipe.spec,
            runtime.segment_call(recipe.spec, recipe.loaded.segments[0], recipe.loaded),
            [[next(constants)] if i is None else input_storage[i] for i in recipe.wiring.sources],
            results,
        )

    def __call__(self, output_subset=None, n_calls: int | None = None) -> None:
        """Run the segment on the values in storage, `n_calls` times; results are left in the output storage."""
        self.position_of_error = None
        for _ in range(n_calls or 1):
            try:
                self._step()
            except Exception as error:
                if hasattr(error, "__from_signal__"):
                    raise  # no node is to blame
                self._explain(error)

    @property
    def whole(self) -> CompiledFunction:
        """The function compiled by all steps, on the same storage."""
        with _lock:
            if self._whole is None:
                self._whole = self.maker.link(self.input_storage, self.output_storage)[0]
            return self._whole

    def __getattr__(self, name: str) -> Any:
        if name not in _OF_THE_WHOLE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.whole, name)

    def _explain(self, error: Exception) -> None:
        """Raise the user's error for one of the segment."""
        whole = self.whole
        self.position_of_error = 0
        if isinstance(error, SegmentError):
            self.explain_record(self._step, error.record)
        else:
            whole.explain_failure(0)

    def explain_record(self, step: SegmentStep, record: list[int]) -> None:
        """Raise the user's error for a failed segment's record."""
        whole = self.whole
        own = whole.only_segment()
        if own is not None and whole.loaded.path == self.recipe.loaded.path:
            whole.explain_record(own, record)
        # Compiled after all it became something else, whose nodes have other numbers: it may say what is wrong.
        whole()
        raise RuntimeError(f"The function failed with code {record[:2]}, but not after it was compiled anew. Please report this; the flag cmodule.recall=False may help.")

    def only_segment(self) -> SegmentStep:
        """Return the segment that is the whole function."""
        return self._step

    def wiring(self) -> Wiring:
        """Return how the function's inputs and outputs are tied to the segment's."""
        return self.recipe.wiring

    def make_fast_call(self, function):
        """Return the short way through a call of `function`, None where there is none."""
        from theano_compat.codegen.fastcall import make_fast_call

        return make_fast_call(self, function)

    def free(self) -> None:
        """Give scratch memory and results back."""
        for cell in self._step.outputs:
            cell[0] = None
        self._step.call.release()
        if self._whole is not None:
            self._whole.free()
