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
from theano_compat.codegen.build import Loaded
from theano_compat.codegen.wiring import Wiring
from theano_compat.compile.mode import Mode
from theano_compat.configparser import flags_of_compiled_code
from theano_compat.gof.digest import Description, NotDigestible
from theano_compat.gof.graph import Constant
from theano_compat.gof.opt.base import Reports
from theano_compat.gof.optdb import DB, Query

__all__ = ["Recipe", "Search", "find", "key_of", "remember"]

#: Constants that the C reads from outside stand in the note, up to so many bytes of them.
_MOST_CONSTANTS = 65536
_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Recipe:
    """How to make a function whose machine code is there.

    Attributes
    ----------
    key : str
        The graph's.
    spec : SegmentSpec
        Without the nodes and messages, which only errors need.
    wiring : Wiring
    constants : list of ndarray
        For the inputs of the segment that are no inputs of the function, in order.
    loaded : Loaded
    """

    key: str
    spec: SegmentSpec
    wiring: Wiring
    constants: list
    loaded: Loaded


class Search:
    """A look for one function among those that were compiled before.

    Parameters
    ----------
    inputs : list of SymbolicInput
    outputs : list of SymbolicOutput
    mode : Mode
    accept_inplace : bool

    Attributes
    ----------
    key : str or None
        See `key_of`.
    recipe : Recipe or None
        What was found.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], mode: Any, accept_inplace: bool) -> None:
        self.key = key_of(inputs, outputs, mode, accept_inplace)
        self.recipe = None
        if self.key is not None:
            self.recipe = find(self.key, len(inputs), len(outputs) + sum(spec.update is not None for spec in inputs))
        self._reports = Reports.count

    def remember(self, compiled: Any) -> None:
        """Write a note of the function compiled by all steps, for the next time, unless the user had to be told something about it."""
        if self.key is not None and self.recipe is None and self._reports == Reports.count:
            remember(self.key, compiled)


# --- keys -------------------------------------------------------------------------------------------------


def _sources(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".h", ".c")):
                status = entry.stat()
                yield f"{entry.path} {status.st_size} {status.st_mtime_ns}"
            elif "." not in entry.name and entry.name not in ("__pycache__", "tests", "cli") and entry.is_dir():
                yield from _sources(entry.path)


@functools.lru_cache(maxsize=1)
def _versions() -> str | None:
    """Return what tells this package, as it stands on the disk, and its surroundings from others; None where there are no files to look at."""
    try:
        files = sorted(_sources(os.fspath(_FOLDER)))
    except OSError:
        return None
    machine = (sys.version, np.__version__, toolchain.cpu_identity(), toolchain.has_libmvec())
    return hashlib.sha256("\n".join([*map(str, machine), *files]).encode("utf-8", "surrogatepass")).hexdigest()


def key_of(inputs: Sequence[Any], outputs: Sequence[Any], mode: Any, accept_inplace: bool) -> str | None:
    """Return the key of a function.

    Parameters
    ----------
    inputs : list of SymbolicInput
    outputs : list of SymbolicOutput
    mode : Mode
    accept_inplace : bool

    Returns
    -------
    str or None
        None if the function has to be compiled by all steps: its mode has rewrites of the user's own or shows how it works, or its graph has ops that are not this package's.
    """
    from theano_compat.codegen.linker import CodegenLinker
    from theano_compat.compile.function_maker import std_fgraph

    query, linker, compiler = getattr(mode, "_optimizer", None), mode.linker, toolchain.compiler()
    as_shipped = type(mode) is Mode and type(linker) is CodegenLinker and "_scheduler" not in vars(linker) and isinstance(query, Query)
    if not as_shipped or DB.has_foreign or len(std_fgraph.features) != 1 or compiler is None:
        return None
    if not config.cmodule.recall or config.compute_test_value != "off" or config.compute_test_value_opt != "off":
        return None
    if config.optimizer_verbose or config.check_stack_trace != "off" or any(tag.startswith("Print") for tag in query.include):
        return None
    versions = _versions()
    if versions is None:
        return None
    updates = [spec.update for spec in inputs if spec.update is not None]
    described = Description()
    try:
        described.add(ABI_VERSION, versions, compiler.identity, flags_of_compiled_code(), query, accept_inplace)
        described.add([(spec.update is not None, spec.mutable, spec.implicit, getattr(spec, "borrow", None), getattr(spec, "shared", None)) for spec in inputs])
        described.add([spec.borrow for spec in outputs])
        described.add_graph([spec.variable for spec in inputs], [*(spec.variable for spec in outputs), *updates])
    except NotDigestible:
        return None
    return described.digest()


# --- notes ------------------------------------------------------------------------------------------------


def remember(key: str, compiled: Any) -> None:
    """Write the note of a function that has been compiled by all steps, if it is one that can be recalled.

    Parameters
    ----------
    key : str
        From `key_of`.
    compiled : CompiledFunction
    """
    wiring = compiled.wiring()
    if wiring is None or compiled.loaded.library.key is None:
        return
    variables = compiled.schedule.steps[0].inputs
    constants = [v for v, i in zip(variables, wiring.sources) if i is None]
    if not all(isinstance(v, Constant) for v in constants) or sum(v.data.nbytes for v in constants) > _MOST_CONSTANTS:
        return
    spec = compiled.program.segments[0]
    note = {
        "library": compiled.loaded.library.key,
        "externals": list(compiled.program.externals),
        "blas_integer_bits": _bits(compiled.program.externals),
        "symbol": spec.symbol,
        "inputs": [_written_spec(s) for s in spec.inputs],
        "outputs": [_written_spec(s) for s in spec.outputs],
        "written": list(spec.written),
        "n_slots": spec.n_slots,
        "sources": wiring.sources,
        "results": wiring.results,
        "constants": [[v.data.dtype.str, list(v.data.shape), base64.b64encode(v.data.tobytes()).decode()] for v in constants],
    }
    cache.write_note(key, json.dumps(note))


def find(key: str, n_inputs: int, n_outputs: int) -> Recipe | None:
    """Return what the note with a key says of a function with so many inputs and outputs, updates counted; None if there is none, or its machine code is gone."""
    text = cache.read_note(key)
    if text is None:
        return None
    try:
        note = json.loads(text)
        library = cache.load(str(note["library"]))
        externals = tuple(map(str, note["externals"]))
        if library is None or note["blas_integer_bits"] != _bits(externals):
            return None
        inputs, outputs = (list(map(_read_spec, note[side])) for side in ("inputs", "outputs"))
        spec = SegmentSpec(str(note["symbol"]), inputs, outputs, tuple(map(int, note["written"])), int(note["n_slots"]))
        constants = [_read_constant(*stored) for stored in note["constants"]]
        wiring = Wiring([None if i is None else int(i) for i in note["sources"]], list(map(int, note["results"])))
        given = [i for i in wiring.sources if i is not None]
        fits = (
            len(wiring.sources) == len(inputs) == len(given) + len(constants)
            and _are_below(n_inputs, given)
            and _are_below(len(outputs), wiring.results)
            and _are_below(len(inputs), spec.written)
            and len(wiring.results) == n_outputs
            and 0 <= spec.n_slots < 2**20
        )
        if not fits:
            return None
        return Recipe(key, spec, wiring, constants, Loaded(Program("", [spec], externals), library))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # what is not there or does not fit is compiled


def _are_below(limit: int, numbers: Sequence[int]) -> bool:
    return all(0 <= number < limit for number in numbers)


def _bits(externals: Sequence[str]) -> int:
    """Return the size of the integers that the outside routines take, 0 if there are none."""
    return build.blas_integer_bits() if externals else 0


def _written_spec(spec: ArraySpec) -> list:
    return [spec.dtype, list(map(int, spec.broadcastable)), int(spec.scalar)]


def _read_spec(stored: Sequence) -> ArraySpec:
    dtype, broadcastable, scalar = stored
    return ArraySpec(np.dtype(dtype).name, len(broadcastable), tuple(map(bool, broadcastable)), bool(scalar))


def _read_constant(dtype: str, shape: Sequence[int], data: str) -> np.ndarray:
    return np.frombuffer(bytearray(base64.b64decode(data)), dtype).reshape(shape)
