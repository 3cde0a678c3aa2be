"""Functions that were compiled before are found by their graph: it is neither rewritten nor printed as C again.

What a graph becomes depends on the graph itself (`theano_compat.gof.digest`), on how its inputs and outputs may be treated, on the mode, the flags, this package, NumPy, the C compiler and
the machine. A digest of all that is the key of a note in the cache (`theano_compat.codegen.cache`), which says where the machine code is and how to call it. The note is plain data,
and what it says is checked before anything is done with it.

There is a note only for a function that is one C segment. Everything that shows what the function was made of (its graph, the C text, the node that is to blame for an error) is made
by compiling it after all, when it is asked for: see `theano_compat.codegen.recalled`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from theano_compat import config
from theano_compat.codegen import build, cache, toolchain
from theano_compat.codegen.abi import ABI_VERSION, ArraySpec, Program, SegmentSpec
from theano_compat.codegen.blas_pointers import ROUTINES
from theano_compat.codegen.build import Loaded
from theano_compat.codegen.dtypes import is_supported
from theano_compat.codegen.wiring import Wiring
from theano_compat.compile.mode import Mode
from theano_compat.configparser import IMPORTED_AT, flags_of_compiled_code
from theano_compat.gof.digest import Description
from theano_compat.gof.graph import Constant
from theano_compat.gof.opt.base import Reports
from theano_compat.gof.optdb import DB, Query

__all__ = ["NotToBeRecalled", "Recipe", "Search", "describe", "find", "write"]

#: Constants that rewriting has made and the C reads from outside stand in the note, up to so many characters of them.
_MOST_CONSTANTS = 65536
_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Recipe:
    """How to make a function whose machine code is there.

    Attributes
    ----------
    spec : SegmentSpec
        Without the nodes and messages, which only errors need.
    wiring : Wiring
    constants : list of ndarray
        For the inputs of the segment that are no inputs of the function, in order.
    loaded : Loaded
    """

    spec: SegmentSpec
    wiring: Wiring
    constants: list
    loaded: Loaded


class Search:
    """A look for one function among those that were compiled before; the parameters are those of `describe`.

    Attributes
    ----------
    key : str or None
        The digest that its note is found by, None if it has to be compiled by all steps.
    recipe : Recipe or None
        What was found.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], mode: Any, accept_inplace: bool) -> None:
        self.key, self.recipe, self._constants = None, None, []
        try:
            described = describe(inputs, outputs, mode, accept_inplace)
            self.key, self._constants = described.digest(), described.constants
            self.recipe = find(self.key, len(inputs), len(outputs) + sum(spec.update is not None for spec in inputs), self._constants)
        except Exception as why:
            # Whatever it is, the function can be compiled.
            self._say(f"a function was not looked for: {why}" if self.key is None else f"the note {self.key} cannot be used: {why!r}")
        self._reports = Reports.count

    def remember(self, compiled: Any) -> None:
        """Write a note of the function compiled by all steps, for the next time, unless the user had to be told something about it."""
        if self.key is None or self.recipe is not None or self._reports != Reports.count:
            return
        try:
            write(self.key, compiled, self._constants)
        except Exception as why:
            self._say(f"no note was written of a function: {why}")

    @staticmethod
    def _say(text: str) -> None:
        if config.cmodule.debug:
            print(f"theano_compat: {text}", file=sys.stderr)


class NotToBeRecalled(Exception):
    """Raised where a function must be, or was, compiled by all steps; the text says why."""


# --- keys -------------------------------------------------------------------------------------------------


def _sources(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield path, size, and times of the last changes of the content and of the entry, of all files whose content goes into compiled code."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".h", ".c")):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            elif "." not in entry.name and entry.name not in ("__pycache__", "tests", "cli") and entry.is_dir():
                yield from _sources(entry.path)


def _look_at_sources() -> str:
    """Return a digest of sizes and times of this package's files."""
    files = sorted(_sources(os.fspath(_FOLDER)))
    if not files or max(max(mtime, ctime) for _, _, mtime, ctime in files) > IMPORTED_AT:
        raise NotToBeRecalled("files of the package have changed since it was imported")
    return hashlib.sha256(repr([file[:3] for file in files]).encode("utf-8", "surrogatepass")).hexdigest()


_sources_at_first = functools.lru_cache(maxsize=1)(_look_at_sources)


def _check(mode: Any) -> None:
    """Raise `NotToBeRecalled` for a mode with which, or under flags under which, a function has to be compiled before the user's eyes."""
    from theano_compat.codegen.linker import CodegenLinker
    from theano_compat.compile.function_maker import std_fgraph

    query = getattr(mode, "_optimizer", None)
    reasons = {
        "the flag cmodule.recall": not config.cmodule.recall,
        "its mode": type(mode) is not Mode or not isinstance(query, Query) or any(tag.startswith("Print") for tag in query.include),
        "its linker": type(mode.linker) is not CodegenLinker or "_scheduler" in vars(mode.linker),
        "rewrites that were registered from outside": bool(DB.foreign) or len(std_fgraph.features) != 1,
        "test values": config.compute_test_value != "off" or config.compute_test_value_opt != "off",
        "a flag that shows how it is rewritten": config.optimizer_verbose or config.profile_optimizer or config.check_stack_trace != "off" or config.warn_float64 != "ignore",
        "there is no compiler": toolchain.compiler() is None,
    }
    for reason, holds in reasons.items():
        if holds:
            raise NotToBeRecalled(reason)


def describe(inputs: Sequence[Any], outputs: Sequence[Any], mode: Any, accept_inplace: bool) -> Description:
    """Return the description of a function, whose digest is its key.

    Parameters
    ----------
    inputs : list of SymbolicInput
    outputs : list of SymbolicOutput
    mode : Mode
    accept_inplace : bool

    Raises
    ------
    NotToBeRecalled
        Its mode has rewrites of the user's own, or shows how it works.
    NotDigestible
        Its graph has ops that are not this package's, or that do more than to compute.
    """
    _check(mode)
    updates = [spec.update for spec in inputs if spec.update is not None]
    described = Description()
    described.add(ABI_VERSION, _sources_at_first(), sys.version, np.__version__)
    described.add(toolchain.compiler().identity, toolchain.cpu_identity(), toolchain.has_libmvec())
    described.add(flags_of_compiled_code(), mode._optimizer, accept_inplace)
    described.add([(spec.update is not None, spec.mutable, spec.implicit, getattr(spec, "borrow", None), getattr(spec, "shared", None)) for spec in inputs])
    described.add([spec.borrow for spec in outputs])
    described.add_graph([spec.variable for spec in inputs], [*(spec.variable for spec in outputs), *updates])
    return described


# --- notes ------------------------------------------------------------------------------------------------


def write(key: str, compiled: Any, of_graph: Sequence[Constant]) -> None:
    """Write the note of a function that has been compiled by all steps.

    Parameters
    ----------
    key : str
    compiled : CompiledFunction
    of_graph : list of Constant
        Those of the graph. What the C reads of them is their own memory, as long as the function lives: their values are not in the note.

    Raises
    ------
    NotToBeRecalled
        It is more than one segment, has large constants, or its machine code is not in the cache.
    """
    wiring = compiled.wiring()
    if wiring is None:
        raise NotToBeRecalled("it is not one segment")
    if compiled.loaded.library.key is None:
        raise NotToBeRecalled("its machine code is not in the cache")
    if _look_at_sources() != _sources_at_first():
        raise NotToBeRecalled("files of the package have changed")
    variables = compiled.schedule.steps[0].inputs
    number = {id(v.data): k for k, v in enumerate(of_graph)}
    constants = [_written_constant(v.data, number, of_graph) for v, i in zip(variables, wiring.sources) if i is None]
    if sum(len(stored["bytes"]) for stored in constants if "bytes" in stored) > _MOST_CONSTANTS:
        raise NotToBeRecalled("it has large constants")
    spec = compiled.program.segments[0]
    note = {
        "library": compiled.loaded.library.key,
        "externals": list(compiled.program.externals),
        "blas_integer_bits": _blas_integer_bits(compiled.program.externals),
        "symbol": spec.symbol,
        "inputs": [_written_spec(s) for s in spec.inputs],
        "outputs": [_written_spec(s) for s in spec.outputs],
        "written": list(spec.written),
        "n_slots": spec.n_slots,
        "sources": wiring.sources,
        "results": wiring.results,
        "constants": constants,
    }
    cache.write_note(key, json.dumps(note))


def find(key: str, n_inputs: int, n_outputs: int, of_graph: Sequence[Constant]) -> Recipe | None:
    """Return what the note with a key says of a function with so many inputs and outputs, updates counted, and these constants.

    None if there is no note, or its machine code is gone. A note that makes no sense raises whatever comes of it.
    """
    text = cache.read_note(key)
    if text is None:
        return None
    note = json.loads(text)
    library = cache.load(str(note["library"]))
    externals = tuple(map(str, note["externals"]))
    if library is None or note["blas_integer_bits"] != _blas_integer_bits(externals):
        return None
    inputs, outputs = (list(map(_read_spec, note[side])) for side in ("inputs", "outputs"))
    spec = SegmentSpec(str(note["symbol"]), inputs, outputs, tuple(map(int, note["written"])), int(note["n_slots"]))
    constants = [_read_constant(stored, of_graph) for stored in note["constants"]]
    wiring = Wiring([None if i is None else int(i) for i in note["sources"]], list(map(int, note["results"])))
    given = [i for i in wiring.sources if i is not None]
    fits = (
        len(wiring.sources) == len(inputs) == len(given) + len(constants)
        and _are_below(n_inputs, given)
        and _are_below(len(outputs), wiring.results)
        and _are_below(len(inputs), spec.written)
        and len(wiring.results) == n_outputs
        and 0 <= spec.n_slots < 2**20
        and spec.symbol.startswith("tc_segment_")
    )
    if not fits:
        raise ValueError("its numbers do not fit together")
    return Recipe(spec, wiring, constants, Loaded(Program("", [spec], externals), library))


def _are_below(limit: int, numbers: Sequence[int]) -> bool:
    return all(0 <= number < limit for number in numbers)


def _blas_integer_bits(externals: Sequence[str]) -> int:
    """Return the size of the integers that the BLAS takes, 0 if no routine of it is called."""
    return build.blas_integer_bits() if set(externals) & set(ROUTINES) else 0


def _written_spec(spec: ArraySpec) -> list:
    return [spec.dtype, list(map(int, spec.broadcastable)), int(spec.scalar)]


def _read_spec(stored: Sequence) -> ArraySpec:
    dtype, broadcastable, scalar = stored
    if not is_supported(dtype):
        raise ValueError(f"dtype {dtype}")
    return ArraySpec(dtype, len(broadcastable), tuple(map(bool, broadcastable)), bool(scalar))


def _written_constant(data: Any, number: dict[int, int], of_graph: Sequence[Constant]) -> dict[str, Any]:
    """Return which of the graph's constants a constant of the segment is, or is a view of, or else its value."""
    if id(data) in number:
        return {"number": number[id(data)]}
    data = np.asarray(data)
    layout = {"dtype": data.dtype.str, "shape": list(data.shape)}
    for k, constant in enumerate(of_graph if data.base is not None else ()):
        whole = constant.data
        if isinstance(whole, np.ndarray) and np.may_share_memory(data, whole):
            if not whole.flags.c_contiguous:
                raise NotToBeRecalled("it has a view of a constant that is not contiguous")
            return {"number": k, "offset": data.ctypes.data - whole.ctypes.data, "strides": list(data.strides), **layout}
    return {"bytes": base64.b64encode(data.tobytes()).decode(), **layout}


def _read_constant(stored: dict[str, Any], of_graph: Sequence[Constant]) -> Any:
    if "bytes" in stored:
        return np.frombuffer(bytearray(base64.b64decode(stored["bytes"])), stored["dtype"]).reshape(stored["shape"])
    whole = of_graph[stored["number"]].data
    if "offset" not in stored:
        return whole
    return np.ndarray(stored["shape"], stored["dtype"], whole, stored["offset"], stored["strides"])
