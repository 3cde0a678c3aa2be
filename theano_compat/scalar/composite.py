"""`Composite`: several scalar ops as one, which is what elementwise fusion makes.

A composite is kept flat: composites inside it are taken apart, equal nodes are merged, and the remaining
nodes stand in evaluation order (`Composite.steps`), one statement each for whoever compiles or runs them.
"""
from __future__ import annotations

from dataclasses import dataclass

from theano_compat.gof import Apply, FunctionGraph
from theano_compat.gof.graph import io_toposort
from theano_compat.scalar import type as t
from theano_compat.scalar.casting import Cast, convert_to_float32
from theano_compat.scalar.op import ScalarOp
from theano_compat.scalar.variables import ScalarConstant, as_scalar

#: Longest text of one value in the printed name; beyond it the arguments are left out.
MAX_NAME = 5000

_INFIX = {"Add": "+", "Mul": "*", "Sub": "-", "TrueDiv": "/", "IntDiv": "//", "Pow": "**", "Mod": "%"}


@dataclass(frozen=True)
class Step:
    """One inner node of a composite.

    Attributes
    ----------
    node : Apply
        The node itself, over `Composite.inputs`.
    op : ScalarOp
    arguments : tuple of int
        Slots that it reads. Slots are numbered: inputs first, then constants, then results.
    results : tuple of int
        Slots that it writes.
    """

    node: Apply
    op: ScalarOp
    arguments: tuple
    results: tuple


def _flatten(inputs, outputs):
    """Copy the graph between `inputs` and `outputs`, with composites taken apart and equal nodes merged.

    Returns
    -------
    (list of variable, list of variable)
        New inputs and outputs.
    """
    new_inputs = [x.type(x.name) for x in inputs]
    merged: dict = {}

    def rebuild(graph_inputs, graph_outputs, image):
        """Copy one level; composites push their own level, so depth costs no recursion."""
        levels = [(iter(io_toposort(graph_inputs, graph_outputs)), image, None)]
        while levels:
            nodes, image, owner = levels[-1]
            node = next(nodes, None)
            if node is None:
                levels.pop()
                if owner is not None:
                    outer_node, outer_image = owner
                    for out, inner in zip(outer_node.outputs, outer_node.op.outputs):
                        outer_image[out] = lookup(image, inner)
                continue
            arguments = [lookup(image, x) for x in node.inputs]
            if isinstance(node.op, Composite):
                inner = dict(zip(node.op.inputs, arguments))
                levels.append((iter(io_toposort(node.op.inputs, node.op.outputs)), inner, (node, image)))
                continue
            key = (node.op, tuple(arguments))
            copy = merged.get(key)
            if copy is None:
                copy = merged[key] = node.op.make_node(*arguments)
            for out, new in zip(node.outputs, copy.outputs):
                image[out] = new

    constants: dict = {}

    def lookup(image, variable):
        found = image.get(variable)
        if found is None:
            if not isinstance(variable, ScalarConstant):
                from theano_compat.gof.fg import MissingInputError

                raise MissingInputError(
                    f"A Composite uses the variable {variable}, which is not one of its inputs {inputs}."
                )
            signature = variable.signature()
            found = constants.setdefault(signature, variable.clone())
        return found

    image = dict(zip(inputs, new_inputs))
    rebuild(inputs, outputs, image)
    return new_inputs, [lookup(image, x) for x in outputs]


class Composite(ScalarOp):
    """Op that computes a graph of scalar ops.

    Parameters
    ----------
    inputs : list of ScalarVariable
    outputs : list of ScalarVariable
        Computed from `inputs` and constants only; none of them may be an input itself (wrap it in `identity`).

    Attributes
    ----------
    inputs, outputs : list of ScalarVariable
        The op's own copies.
    steps : tuple of Step
        Inner nodes in evaluation order.
    constants : tuple of ScalarConstant
        They fill the slots after the inputs.
    """

    def __init__(self, inputs, outputs):
        self.name = None
        if any(x in outputs for x in inputs):
            raise AssertionError("An output of a Composite is one of its inputs: use identity.")
        self.inputs, self.outputs = _flatten(list(inputs), list(outputs))
        self.inputs_type = tuple(x.type for x in self.inputs)
        self.outputs_type = tuple(x.type for x in self.outputs)
        self.nin, self.nout = len(self.inputs), len(self.outputs)
        self._lay_out()

    def _lay_out(self):
        """Number the slots and list the steps."""
        slots = {x: i for i, x in enumerate(self.inputs)}
        order = io_toposort(self.inputs, self.outputs)
        constants = []
        used = [x for node in order for x in node.inputs] + self.outputs
        for x in used:
            if x.owner is None and x not in slots:
                slots[x] = len(slots)
                constants.append(x)
        steps = []
        for node in order:
            for out in node.outputs:
                slots[out] = len(slots)
            steps.append(
                Step(node, node.op, tuple(slots[x] for x in node.inputs), tuple(slots[x] for x in node.outputs))
            )
        self.constants = tuple(constants)
        self.steps = tuple(steps)
        self.output_slots = tuple(slots[x] for x in self.outputs)
        self._signature = (
            self.inputs_type,
            tuple(c.signature() for c in constants),
            tuple((step.op, step.arguments) for step in steps),
            self.output_slots,
        )
        self._hash = hash((type(self), self._signature))
        self._text = None
        self._fgraph = None

    @property
    def fgraph(self):
        """The inner graph as a `FunctionGraph` over copies of `inputs` and `outputs`."""
        if self._fgraph is None:
            self.init_fgraph()
        return self._fgraph

    def init_fgraph(self):
        """Build `fgraph`."""
        self._fgraph = FunctionGraph(self.inputs, self.outputs, clone=True)

    def init_name(self):
        """Give the printed form, computing it on first use."""
        if self.name:
            return self.name
        if self._text is None:
            self._text = "Composite{%s}" % ", ".join(self._printed_outputs())
        return self._text

    def _printed_outputs(self):
        texts = [f"i{i}" for i in range(self.nin)] + [str(c) for c in self.constants]
        for step in self.steps:
            arguments = [texts[i] for i in step.arguments]
            symbol = _INFIX.get(type(step.op).__name__)
            if sum(map(len, arguments)) > MAX_NAME:
                text = f"{step.op}(...)"
            elif symbol:
                text = "(%s)" % f" {symbol} ".join(arguments)
            elif type(step.op).__name__ == "Neg":
                text = f"(-{arguments[0]})"
            else:
                text = f"{step.op}({', '.join(arguments)})"
            texts += [text] if len(step.results) == 1 else [f"{text}.{i}" for i in range(len(step.results))]
        return [texts[i] for i in self.output_slots]

    def __str__(self):
        return self.init_name()

    def __eq__(self, other):
        return self is other or (
            type(self) is type(other) and self._hash == other._hash and self._signature == other._signature
        )

    def __hash__(self):
        return self._hash

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k in ("inputs", "outputs", "output_types_preference")}

    def __setstate__(self, state):
        Composite.__init__(self, state["inputs"], state["outputs"])
        if "output_types_preference" in state:
            self.output_types_preference = state["output_types_preference"]

    def output_types(self, input_types):
        """Give the types of the outputs.

        Raises
        ------
        TypeError
            The input types are not those that the composite was made for.
        """
        if tuple(input_types) != self.inputs_type:
            raise TypeError(
                f"Wrong types for Composite. Expected {self.inputs_type}, got {tuple(input_types)}."
            )
        return self.outputs_type

    def make_node(self, *inputs):
        """Apply the op; for inputs of other types, a composite of the same ops for those types."""
        inputs = [as_scalar(x) for x in inputs]
        if tuple(x.type for x in inputs) == self.inputs_type:
            return super().make_node(*inputs)
        if len(inputs) != self.nin:
            return super().make_node(*inputs)
        fresh = [x.type() for x in inputs]
        return ScalarOp.make_node(Composite(fresh, self.apply_inner(fresh)), *inputs)

    def apply_inner(self, inputs):
        """Apply the inner ops to other scalar variables; give the outputs."""
        values = list(inputs) + list(self.constants)
        for step in self.steps:
            values += step.op.make_node(*[values[i] for i in step.arguments]).outputs
        return [values[i] for i in self.output_slots]

    def make_new_inplace(self, output_types_preference=None, name=None):
        """Give the same composite with another output rule and name."""
        new_op = Composite(self.inputs, self.outputs)
        ScalarOp.__init__(new_op, output_types_preference, name)
        return new_op

    def clone_float32(self):
        """Give the composite with all float16 values widened to float32."""
        fresh = [t.float32() if x.type == t.float16 else x.type() for x in self.inputs]
        values = fresh + [_widened(c) for c in self.constants]
        for step in self.steps:
            op = step.op
            if isinstance(op, Cast):
                op = op.clone_float32()
            values += op.make_node(*[values[i] for i in step.arguments]).outputs
        outputs = [values[i] for i in self.output_slots]
        from theano_compat.scalar.choice import identity

        return Composite(fresh, [identity(x) if x in fresh else x for x in outputs])

    def init_py_impls(self):
        """Give one Python function per output, each computing the whole composite."""

        def pick(i):
            return lambda inputs: self._run(inputs)[i]

        return [pick(i) for i in range(self.nout)]

    def _run(self, inputs):
        """Evaluate on one set of numbers, in the inner dtypes."""
        values = list(inputs) + [c.data for c in self.constants]
        for step in self.steps:
            found = step.op.impl(*[values[i] for i in step.arguments])
            for out, value in zip(step.node.outputs, (found,) if step.op.nout == 1 else found):
                values.append(t._as_dtype(value, t.names.NUMPY_TYPES[out.type.dtype]))
        return [values[i] for i in self.output_slots]

    def impl(self, *inputs):
        """Evaluate; a tuple where there are several outputs."""
        found = self._run(inputs)
        return found[0] if self.nout == 1 else tuple(found)

    def L_op(self, inputs, outputs, output_grads):
        """Apply the chain rule to the inner ops."""
        from theano_compat.gradient import DisconnectedType
        from theano_compat.scalar.arithmetic import add

        values = list(inputs) + list(self.constants)
        for step in self.steps:
            values += step.op.make_node(*[values[i] for i in step.arguments]).outputs
        gradients: dict = {}

        def send(slot, gradient):
            if not isinstance(gradient.type, DisconnectedType):
                gradients.setdefault(slot, []).append(gradient)

        def total(slot):
            parts = gradients.get(slot)
            return None if not parts else parts[0] if len(parts) == 1 else add(*parts)

        for slot, gradient in zip(self.output_slots, output_grads):
            send(slot, gradient)
        for step in reversed(self.steps):
            found = [total(slot) for slot in step.results]
            if all(g is None for g in found):
                continue
            outs = [values[i] for i in step.results]
            found = [out.zeros_like() if g is None else g for g, out in zip(found, outs)]
            args = [values[i] for i in step.arguments]
            for slot, gradient in zip(step.arguments, step.op.L_op(args, outs, found)):
                send(slot, gradient)
        return [DisconnectedType()() if total(i) is None else total(i) for i in range(self.nin)]

    def grad(self, inputs, output_grads):
        """As `L_op`."""
        return self.L_op(inputs, None, output_grads)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write the one inner op's expression; more need statements, see `c_code` and `steps`."""
        if self.nout != 1 or len(self.steps) != 1:
            return super().c_expr(inputs, in_dtypes, out_dtype)
        step = self.steps[0]
        texts = list(inputs) + [c.type.c_literal(c.data) for c in self.constants]
        return step.op.c_expr(
            [texts[i] for i in step.arguments], [x.type.dtype for x in step.node.inputs], out_dtype
        )

    def c_helpers(self, in_dtypes, out_dtype):
        """The helpers of all inner ops."""
        texts: dict = {}
        for step in self.steps:
            dtypes = [x.type.dtype for x in step.node.inputs]
            texts.update(dict.fromkeys(step.op.c_helpers(dtypes, step.node.outputs[0].type.dtype)))
        return tuple(texts)

    def c_code(self, node, nodename, inames, onames, sub):
        """Write one statement per inner op, in a block."""
        names = list(inames) + [c.type.c_literal(c.data) for c in self.constants]
        lines = []
        for number, step in enumerate(self.steps):
            found = [f"{nodename}_t{slot}" for slot in step.results]
            for name, out in zip(found, step.node.outputs):
                lines.append(f"{t.names.C_NAMES[out.type.dtype][0]} {name};")
            lines.append(
                step.op.c_code(step.node, f"{nodename}_n{number}", [names[i] for i in step.arguments], found, sub)
            )
            names += found
        lines += [f"{name} = {names[slot]};" for name, slot in zip(onames, self.output_slots)]
        return "{\n" + "\n".join(lines) + "\n}"

    def init_c_code(self):
        """Nothing to prepare: the text is written when it is asked for."""
        return None

    def c_support_code(self):
        """Give the inner ops' support code."""
        return "\n".join(dict.fromkeys(step.op.c_support_code() for step in self.steps))

    def c_support_code_apply(self, node, name):
        """Nothing is needed per node."""
        return ""

    def c_code_cache_version(self):
        """Versions of the inner ops' text."""
        return (1, *(step.op.c_code_cache_version() for step in self.steps))

    def prepare_node(self, node, storage_map, compute_map, impl):
        """Let the inner ops prepare themselves."""
        for step in self.steps:
            step.op.prepare_node(step.node, None, None, impl)


def _widened(constant):
    """Give a float16 constant as float32, any other as it is."""
    if constant.type != t.float16:
        return constant
    return ScalarConstant(t.float32, t.names.NUMPY_TYPES["float32"](constant.data))


def handle_cast(node, mapping):
    """Give the node's cast with float16 widened to float32, applied to the mapped inputs."""
    inputs = [mapping[x] for x in node.inputs]
    op = convert_to_float32 if node.op.o_type == t.float16 else node.op
    return op(*inputs, return_list=True)


def handle_composite(node, mapping):
    """Give the node's composite with float16 widened to float32, applied to the mapped inputs."""
    return node.op.clone_float32()(*[mapping[x] for x in node.inputs], return_list=True)


class Compositef32:
    """Rewriter of scalar graphs: float16 becomes float32 throughout.

    Attributes
    ----------
    special : dict
        Op class to function ``(node, mapping) -> outputs`` for ops that need more than new inputs.
    """

    special = {Cast: handle_cast, Composite: handle_composite}

    def apply(self, fgraph):
        """Give ``(inputs, outputs)`` of the widened copy of `fgraph`."""
        mapping = {}
        for x in fgraph.inputs:
            mapping[x] = t.float32(x.name) if x.type == t.float16 else x.type(x.name)
        for node in fgraph.toposort():
            for x in node.inputs:
                if x not in mapping:
                    mapping[x] = _widened(x)
            handler = self.special.get(type(node.op))
            if handler is not None:
                outputs = handler(node, mapping)
            else:
                outputs = node.op.make_node(*[mapping[x] for x in node.inputs]).outputs
            mapping.update(zip(node.outputs, outputs))
        return [mapping[x] for x in fgraph.inputs], [mapping[x] for x in fgraph.outputs]


composite_f32 = Compositef32()
