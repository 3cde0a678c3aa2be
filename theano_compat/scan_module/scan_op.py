"""The op that stands for a loop."""

from __future__ import annotations

import copy
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from theano_compat import compile, config, gof, tensor
from theano_compat.gof import Apply, Constant, PureOp, Variable
from theano_compat.gof.graph import io_connection_pattern
from theano_compat.gof.op import ops_with_inner_function
from theano_compat.gradient import DisconnectedType
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.layout import Layout
from theano_compat.scan_module.misfit import misfit, upcast, wrong_rank
from theano_compat.scan_module.running import Runner
from theano_compat.tensor.type import TensorType

_logger = logging.getLogger("theano.scan_module.scan_op")

integer_types = (int,)
string_types = (str,)

__all__ = ["Scan", "profile_printer"]


def _type_of(broadcastable: Sequence[bool], dtype: str) -> TensorType:
    return TensorType(broadcastable=broadcastable, dtype=dtype)


def _group(kind: str, side: str) -> Callable:
    """A method that gives those of a list of arguments that are of one kind."""

    def method(self: Scan, arguments: Any) -> list:
        if isinstance(arguments, Apply):
            arguments = arguments.outputs if side == "outer_out" else arguments.inputs
        return list(arguments[getattr(self.layout, side)[kind]])

    method.__doc__ = f"Those of a list of {'node' if side.startswith('outer') else 'inner'} arguments that are of the kind ``{kind}``."
    return method


def _grouped_taps(kind: str, side: str) -> Callable:
    """A method that gives the arguments of one kind as a list for each state."""

    def method(self: Scan, arguments: Sequence) -> list[list]:
        layout = self.layout
        positions = layout.state_inner_inputs if side == "in" else layout.state_inner_outputs
        states = [k for k in range(layout.n_states) if layout.state_kind(k) == kind]
        return [[arguments[i] for i in positions(k)] for k in states]

    method.__doc__ = f"Those of a list of inner arguments that are of the kind ``{kind}``, as a list for each state."
    return method


class Scan(PureOp):
    """A loop: the step, as a graph, and how its inputs and outputs are tied to each other and to the node's.

    Parameters
    ----------
    inputs, outputs : list of Variable
        The step.
    info : dict
        The rest of the description: ``n_seqs``, ``n_mit_mot``, ``n_mit_mot_outs``, ``mit_mot_out_slices``,
        ``tap_array``, ``n_mit_sot``, ``n_sit_sot``, ``n_shared_outs``, ``n_nit_sot``, ``truncate_gradient``, ``name``,
        ``mode``, ``gpua``, ``as_while``, ``profile``, ``allow_gc``, ``strict``, ``destroy_map``; all are attributes too.
    typeConstructor : callable, optional
        Makes the types of the outputs from ``broadcastable`` and ``dtype``.

    Notes
    -----
    The order of arguments and the meaning of taps stand in :mod:`theano_compat.scan_module.layout`. The description is
    all there is to the op: how it is run, :class:`theano_compat.scan_module.running.Runner`, is separate.
    """

    #: whether the rewrite that saves memory has looked at the loop
    _scan_savemem_visited = False
    _row_shapes_function: Any = None

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable], info: dict, typeConstructor: Callable | None = None):
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.info = info
        self.truncate_gradient, self.name, self.mode = -1, None, None
        self.gpua = self.as_while = self.profile = self.strict = False
        self.allow_gc = config.scan.allow_gc
        self.__dict__.update(info)
        if not self.name:
            self.name = "scan_fn"
        self.layout = layout = Layout(info, len(self.inputs))
        self.n_outs = layout.n_states
        self.n_tap_outs = layout.n_mit_mot + layout.n_mit_sot
        self.n_other_ins = layout.n_others
        self.mintaps = layout.mintaps + [0] * layout.n_nit_sot
        self.seqs_arg_offset = 1 + self.n_seqs
        self.shared_arg_offset = self.seqs_arg_offset + layout.n_states
        self.nit_sot_arg_offset = self.shared_arg_offset + self.n_shared_outs
        self.typeConstructor = typeConstructor or _type_of
        self.output_types = self._types_of_outputs()
        mode = compile.mode.get_mode(self.mode)
        self.mode_instance = mode.clone(link_kwargs={"allow_gc": bool(self.allow_gc)}) if hasattr(mode, "clone") else mode
        if not info.get("destroy_map"):
            self.destroy_map = OrderedDict()
        self._refuse_missing_inputs()
        self._hash_inner_graph = self._structure_hash()
        self._function = self._rewritten_step = None

    def _types_of_outputs(self) -> list:
        types = []
        for k in range(self.layout.n_states + self.layout.n_nit_sot):
            inner = self.outputs[self.layout.inner_of_output(k)[0]].type
            types.append(self.typeConstructor(broadcastable=(False, *inner.broadcastable), dtype=inner.dtype))
        return types + [v.type for v in self.inner_shared_outs(self.outputs)]

    def _refuse_missing_inputs(self) -> None:
        own = set(self.inputs)
        for v in gof.graph.inputs(self.outputs, own):
            if v not in own and not isinstance(v, Constant):
                raise gof.MissingInputError(
                    f"ScanOp is missing an input: {v}. What a step reads has to be one of its inputs; with strict=True that "
                    "includes shared variables, which then have to be listed in non_sequences.", variable=v,
                )  # fmt: skip

    def validate_inner_graph(self) -> None:
        """Check that what a step returns for a state can be read by the next step.

        Raises
        ------
        TypeError
            The type of an inner output differs from that of the inner inputs of its state.
        """
        for k in range(self.layout.n_states):
            for i in self.layout.state_inner_inputs(k):
                for o in self.layout.state_inner_outputs(k):
                    have, want = self.outputs[o].type, self.inputs[i].type
                    if have != want:
                        raise TypeError(
                            f"Inconsistency in the inner graph of scan '{self.name}' : an input and an output are "
                            f"associated with the same recurrent state and should have the same type but have type "
                            f"'{want}' and '{have}' respectively."
                        )

    # ---- nodes ----------------------------------------------------------------------------------------

    def make_node(self, *inputs: Any) -> Apply:
        """Apply the loop to its number of steps, sequences, initial states, numbers of rows and other values.

        Raises
        ------
        AssertionError
            A wrong number of arguments, or of what is not a variable.
        ValueError
            A sequence, state or other argument does not fit what the step reads; or the step returns another dtype.
        """
        assert all(isinstance(i, Variable) for i in inputs), "the inputs of a scan have to be variables"
        layout = self.layout
        n_wanted = layout.outer_in["others"].stop
        assert len(inputs) == n_wanted, f"this scan takes {n_wanted} inputs, not {len(inputs)}"
        self._checked_row_counts(inputs)
        arguments = list(inputs)
        arguments[0] = tensor.as_tensor_variable(inputs[0])
        for position, inner in zip(range(*layout.outer_in["seqs"].indices(n_wanted)), self.inner_seqs(self.inputs)):
            arguments[position] = self._fitted(inputs[position], inner, position, "sequence", one_more=True)
        for k in range(layout.n_states):
            position = layout.state_outer_input(k)
            for i in layout.state_inner_inputs(k):
                arguments[position] = self._fitted(
                    arguments[position], self.inputs[i], position, "initial state (outputs_info in scan nomenclature)", one_more=True
                )
            for o in layout.state_inner_outputs(k):
                have, result = arguments[position].type, self.outputs[o]
                # Theano counts the arguments behind the number of steps.
                if have.dtype != result.type.dtype:
                    raise ValueError(upcast(inputs[position], position - 1, result))
                if have.ndim != result.type.ndim + 1:
                    raise ValueError(wrong_rank(inputs[position], position - 1, result))
        shared = zip(self.outer_shared(inputs), self.inner_shared(self.inputs), self.inner_shared_outs(self.outputs))
        for position, (outer, inner, out) in enumerate(shared, layout.outer_in["shared"].start):
            if hasattr(outer.type, "dtype") and outer.type.dtype != out.type.dtype:
                raise ValueError(upcast(outer, position - 1, out))
            arguments[position] = self._fitted(outer, inner, position, "shared variable")
        for position, inner in enumerate(self.inner_non_seqs(self.inputs), layout.outer_in["others"].start):
            arguments[position] = self._fitted(inputs[position], inner, position, "non-sequence")
        return Apply(self, arguments, [type_() for type_ in self.output_types])

    def _checked_row_counts(self, inputs: Sequence[Variable]) -> None:
        for outer in self.outer_nitsot(inputs):
            if outer.type.dtype not in tensor.integer_dtypes or outer.type.ndim != 0:
                raise ValueError(
                    f"For output {outer} you need to provide a scalar int with the number of rows to keep; it has dtype "
                    f"{outer.type.dtype} and {outer.type.ndim} dimension(s)."
                )

    def _fitted(self, outer: Variable, inner: Variable, position: int, what: str, one_more: bool = False) -> Variable:
        """An argument in the form that the step needs, or an error that names both."""
        want = inner.type
        if isinstance(want, TensorType) or hasattr(want, "broadcastable"):
            have = outer.type
            if not hasattr(have, "dtype") or have.dtype != want.dtype or have.ndim != want.ndim + one_more:
                raise ValueError(misfit(what, outer, position, inner, one_more))
            if one_more or have == want:
                return outer
        elif outer.type == want:
            return outer
        return want.filter_variable(outer)

    # ---- identity -------------------------------------------------------------------------------------

    def _structure_hash(self) -> int:
        """A hash of the step: the ops in order and which inputs they read."""
        number: dict[Variable, Any] = {v: i for i, v in enumerate(self.inputs)}
        total = 17
        for node in gof.graph.io_toposort(self.inputs, self.outputs):
            key = [node.op]
            for v in node.inputs:
                if v not in number:
                    number[v] = hash(v.signature()) if isinstance(v, Constant) else "leaf"
                key.append(number[v])
            value = hash(tuple(key))
            total = hash((total, value))
            for i, out in enumerate(node.outputs):
                number[out] = (value, i)
        return total

    def __eq__(self, other: Any) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or self._hash_inner_graph != other._hash_inner_graph:
            return False
        if self.info.get("truncate_gradient") != other.info.get("truncate_gradient"):
            return False
        if "destroy_map" in self.info or "destroy_map" in other.info:
            if dict(self.destroy_map) != dict(other.destroy_map):
                return False
        keys = ("n_seqs", "tap_array", "mit_mot_out_slices", "n_mit_mot", "n_mit_sot", "n_sit_sot", "n_shared_outs", "n_nit_sot",
                "as_while", "profile", "name", "mode", "gpua", "strict", "allow_gc")  # fmt: skip
        if any(self.info.get(key) != other.info.get(key) for key in keys):
            return False
        if [v.type for v in self.inputs] != [v.type for v in other.inputs]:
            return False
        return scan_utils.equal_computations(self.outputs, other.outputs, self.inputs, other.inputs)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self._hash_inner_graph, self.n_seqs, self.n_mit_mot, self.n_mit_sot, self.n_sit_sot, self.name))

    def __str__(self) -> str:
        loop = "do_while" if self.as_while else "for"
        where = "gpu" if self.gpua else "cpu"
        if not self.destroy_map:
            return f"{loop}{{{where},{self.name}}}"
        if sorted(self.destroy_map) == list(range(self.layout.n_states)):
            return f"{loop}all_inplace,{where},{self.name}}}"
        places = "".join(f"{k}," for k in self.destroy_map)
        return f"{loop}{{inplace{{{places}}},{where},{self.name}}}"

    def __getstate__(self) -> dict:
        # Compiled code stays behind.
        return {**self.__dict__, "_function": None, "_row_shapes_function": None, "_rewritten_step": None, "typeConstructor": None if self.typeConstructor is _type_of else self.typeConstructor}

    def _digest_state(self) -> tuple:
        # What follows from these is left out.
        kind = None if self.typeConstructor is _type_of else self.typeConstructor
        return self.inputs, self.outputs, self.info, self.mode_instance, self.destroy_map, self.allow_gc, self._scan_savemem_visited, kind

    def __setstate__(self, state: dict) -> None:
        if "typeConstructor" not in state:
            # Theano's pickle: it has other names for what follows from these.
            self.__init__(state["inputs"], state["outputs"], {**state["info"], "destroy_map": state.get("destroy_map")})  # type: ignore[misc]
            return
        self.__dict__.update(state)
        if self.typeConstructor is None:
            self.typeConstructor = _type_of
        self._hash_inner_graph = self._structure_hash()

    # ---- arguments by kind ----------------------------------------------------------------------------

    inner_seqs, outer_seqs = _group("seqs", "inner_in"), _group("seqs", "outer_in")
    inner_mitmot, inner_mitsot = _group("mit_mot", "inner_in"), _group("mit_sot", "inner_in")
    inner_mitmot_outs, inner_mitsot_outs = _group("mit_mot", "inner_out"), _group("mit_sot", "inner_out")
    outer_mitmot, outer_mitsot = _group("mit_mot", "outer_in"), _group("mit_sot", "outer_in")
    outer_mitmot_outs, outer_mitsot_outs = _group("mit_mot", "outer_out"), _group("mit_sot", "outer_out")
    inner_sitsot, inner_sitsot_outs = _group("sit_sot", "inner_in"), _group("sit_sot", "inner_out")
    outer_sitsot, outer_sitsot_outs = _group("sit_sot", "outer_in"), _group("sit_sot", "outer_out")
    inner_nitsot_outs = _group("nit_sot", "inner_out")
    outer_nitsot, outer_nitsot_outs = _group("nit_sot", "outer_in"), _group("nit_sot", "outer_out")
    inner_shared, inner_shared_outs = _group("shared", "inner_in"), _group("shared", "inner_out")
    outer_shared, outer_shared_outs = _group("shared", "outer_in"), _group("shared", "outer_out")
    inner_non_seqs, outer_non_seqs = _group("others", "inner_in"), _group("others", "outer_in")
    inner_mitmot_by_state = _grouped_taps("mit_mot", "in")
    inner_mitsot_by_state = _grouped_taps("mit_sot", "in")
    inner_mitmot_outs_by_state = _grouped_taps("mit_mot", "out")

    def mitmot_taps(self) -> list[list[int]]:
        """The taps read of each ``mit_mot`` state."""
        return self.tap_array[: self.n_mit_mot]

    def mitmot_out_taps(self) -> list[list[int]]:
        """The taps written of each ``mit_mot`` state."""
        return self.mit_mot_out_slices[: self.n_mit_mot]

    def mitsot_taps(self) -> list[list[int]]:
        """The taps of each ``mit_sot`` state."""
        return self.tap_array[self.n_mit_mot : self.n_mit_mot + self.n_mit_sot]

    @property
    def var_mappings(self) -> dict[str, dict[int, Any]]:
        """The same as :meth:`get_oinp_iinp_iout_oout_mappings`."""
        return self.layout.mappings()

    def get_oinp_iinp_iout_oout_mappings(self) -> dict[str, dict[int, Any]]:
        """Which inner and outer inputs and outputs belong together, as dictionaries between positions."""
        return self.layout.mappings()

    # ---- running --------------------------------------------------------------------------------------

    @property
    def fn(self) -> Any:
        """The compiled step."""
        if self._function is None:
            from theano_compat.scan_module.running import compile_step

            self._function = compile_step(self)
        return self._function

    @property
    def row_shapes(self) -> Any:
        """A compiled function of the inner inputs: the shapes of the rows of the outputs that are no states."""
        if self._row_shapes_function is None:
            from theano_compat.scan_module.running import compile_row_shapes

            self._row_shapes_function = compile_row_shapes(self)
        return self._row_shapes_function

    @property
    def step_graph(self) -> Any:
        """The graph of the step after rewriting by the scan's mode: a FunctionGraph of the inner inputs and outputs."""
        if self._rewritten_step is None:
            from theano_compat.scan_module.running import rewrite_step

            self._rewritten_step = rewrite_step(self)
        return self._rewritten_step.fgraph

    @property
    def shown_graph(self) -> tuple[list[Variable], list[Variable]]:
        """The inputs and outputs of the step to print: rewritten if a function was made with it, else as they were written."""
        maker = self._rewritten_step or getattr(self._function, "maker", None)
        return (self.inputs, self.outputs) if maker is None else (maker.fgraph.inputs, maker.fgraph.outputs)

    def make_thunk(self, node: Apply, storage_map: dict, compute_map: dict, no_recycling: Sequence, impl: str | None = None) -> Callable:
        """Return a function that runs the loop on the storage given; see :meth:`theano_compat.gof.PureOp.make_thunk`."""
        inputs = [storage_map[v] for v in node.inputs]
        outputs = [storage_map[v] for v in node.outputs]
        flags = [compute_map[v] for v in node.outputs]
        fresh = set(no_recycling) if not isinstance(no_recycling, bool) else set(node.outputs)
        reusable = [v not in fresh for v in node.outputs]
        runner = Runner(self)

        def rval() -> None:
            for cell, reuse in zip(outputs, reusable):
                if not reuse:
                    cell[0] = None
            runner(node, [cell[0] for cell in inputs], outputs)
            for flag in flags:
                flag[0] = True

        rval.inputs, rval.outputs, rval.lazy = inputs, outputs, False
        rval.perform = self.perform
        self.fn  # noqa: B018 - compiled now, not in the first call
        return rval

    def execute(self, node: Apply, args: Sequence, outs: Sequence[list]) -> None:
        """Run the loop; the same as :meth:`perform`."""
        self.perform(node, args, outs)

    def perform(self, node: Apply, inputs: Sequence, output_storage: Sequence[list], params: Any = None) -> None:
        """Run the loop on values."""
        Runner(self)(node, inputs, output_storage)

    # ---- shapes and derivatives -----------------------------------------------------------------------

    def infer_shape(self, node: Apply, input_shapes: Sequence) -> list:
        """The shapes of the outputs: those of the buffers, and of what a step returns, times the rows kept."""
        layout = self.layout
        shapes: list[Any] = [input_shapes[layout.state_outer_input(k)] for k in range(layout.n_states)]
        shapes = [tuple(shape) for shape in shapes]
        if layout.n_nit_sot:
            shapes += self._row_shapes(node, input_shapes)
        shapes += [input_shapes[layout.outer_in["shared"].start + i] for i in range(layout.n_shared)]
        if self.as_while:
            # How many rows there are is known after the loop.
            for k in range(layout.n_mit_mot, layout.n_states + layout.n_nit_sot):
                shapes[k] = (tensor.opt.Shape_i(0)(node.outputs[k]), *shapes[k][1:])
        return shapes

    def _row_shapes(self, node: Apply, input_shapes: Sequence) -> list[tuple]:
        """The shapes of the outputs that are no states."""
        layout = self.layout
        outer_of = layout.mappings()["outer_inp_from_inner_inp"]
        stacked = layout.inner_in["shared"].start
        inner_shapes = []
        for i in range(len(self.inputs)):
            shape = input_shapes[outer_of[i]]
            inner_shapes.append(tuple(shape[1:]) if i < stacked and shape is not None else shape)
        outs = self.inner_nitsot_outs(self.outputs)
        # What does not change from step to step has the same value outside.
        same = {self.inputs[i]: node.inputs[outer_of[i]] for i in range(*layout.inner_in["others"].indices(len(self.inputs)))}
        outside = [v for shape in inner_shapes if shape is not None for v in shape]
        validator = scan_utils.Validator(valid=outside, invalid=self.inputs, valid_equivalent=same)
        found = []
        inferred = scan_utils.infer_shape(outs=outs, inputs=self.inputs, input_shapes=inner_shapes)
        for k, (out, shape) in enumerate(zip(outs, inferred)):
            node_out = node.outputs[layout.n_states + k]
            dims = [node.inputs[layout.outer_in["nit_sot"].start + k]]
            for axis in range(out.ndim):
                usable = validator.check(shape[axis]) if isinstance(shape[axis], Variable) else None
                dims.append(usable[0] if usable else tensor.opt.Shape_i(axis + 1)(node_out))
            found.append(tuple(dims))
        return found

    def inner_connection(self) -> list[list[bool]]:
        """Whether an inner output depends, for differentiation, on an inner input: one row an input."""
        if "_inner_connection" not in self.__dict__:
            self._inner_connection = io_connection_pattern(self.inputs, self.outputs)
        return self._inner_connection

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Whether outputs depend, for differentiation, on inputs, over any number of steps: one row an input."""
        layout = self.layout
        inner = self.inner_connection()
        maps = layout.mappings()
        n_outs = layout.n_outer_outputs
        writes = [layout.inner_of_output(k) for k in range(n_outs)]
        direct = [[False] * n_outs for _ in node.inputs]
        for position, inner_ins in maps["inner_inp_from_outer_inp"].items():
            for k in range(n_outs):
                direct[position][k] = any(inner[i][o] for i in inner_ins for o in writes[k])
        sources = {k: layout.outer_inputs_of_output(k)[0] for k in range(n_outs) if layout.inner_inputs_of_output(k)}
        for k in range(layout.n_mit_mot):
            # Rows that no step writes are those that came in; of other states only rows that steps made are looked at.
            direct[sources[k]][k] = True
        # What reaches a state reaches all that reads the state.
        for position in range(1, len(node.inputs)):
            row = direct[position]
            pending = [k for k in range(n_outs) if row[k]]
            while pending:
                k = pending.pop()
                if k in sources:
                    for other, reached in enumerate(direct[sources[k]]):
                        if reached and not row[other]:
                            row[other] = True
                            pending.append(other)
        direct[0] = [False] * n_outs
        for position in range(*layout.outer_in["nit_sot"].indices(len(node.inputs))):
            direct[position] = [False] * n_outs
        return direct

    def L_op(self, inputs: Sequence, outs: Sequence, dC_douts: Sequence) -> list:
        """The gradients on the inputs, by a loop that runs backwards."""
        from theano_compat.scan_module.backward import gradients

        if all(isinstance(g.type, DisconnectedType) for g in dC_douts):
            return [DisconnectedType()() for _ in inputs]
        self.validate_inner_graph()
        return gradients(self, list(inputs), list(outs), list(dC_douts))

    def R_op(self, inputs: Sequence, eval_points: Sequence) -> list:
        """The directional derivatives of the outputs, by a loop that computes both."""
        from theano_compat.scan_module.forward import directional

        return directional(self, list(inputs), list(eval_points))

    def copy_with(self, **info: Any) -> Scan:
        """The same loop with some entries of its description changed."""
        new = Scan(self.inputs, self.outputs, OrderedDict(copy.copy(self.info), **info), self.typeConstructor)
        new._scan_savemem_visited = self._scan_savemem_visited
        return new


ops_with_inner_function[Scan] = "fn"


@compile.profiling.register_profiler_printer
def profile_printer(message: str, compile_time: float, fct_call_time: float, apply_time: dict, apply_cimpl: dict, outputs_size: dict, file: Any) -> None:
    """Print how the time of each scan splits into its steps and the loop around them."""
    rows = []
    for (_, node), seconds in ((key if isinstance(key, tuple) else (None, key), t) for key, t in apply_time.items()):
        if isinstance(getattr(node, "op", None), Scan) and seconds > 0:
            profile = getattr(node.op, "profile", None)
            inner = getattr(profile, "call_time", None) if profile and profile is not True else None
            rows.append((seconds, inner, node))
    if not rows:
        return
    print("Scan overhead:", file=file)
    print("<Scan op time(s)> <sub scan fct time(s)> <sub scan op time(s)> <sub scan fct time(% scan op time)> <node>", file=file)
    for seconds, inner, node in rows:
        inner_text = f"{inner:9.1e} {100 * inner / seconds:5.1f}%" if inner is not None else "(not profiled)"
        print(f"  {seconds:9.1e}s  {inner_text}  {node}", file=file)
