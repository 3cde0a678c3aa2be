"""Ops: what can be applied to variables, its value, its gradient, and the thunks that run it."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from theano_compat import config
from theano_compat.gof import graph, utils
from theano_compat.gof.ctype_api import CLinkerObject, CLinkerOp  # noqa: F401
from theano_compat.gof.utils import MethodNotDefined

PY3 = True
_logger = logging.getLogger("theano_compat.gof.op")

#: Maps the class of each op with an inner function to the name of the attribute that holds that.
ops_with_inner_function: dict[type, str] = {}


def _compute_test_value(node) -> None:
    """Run ``node`` on the test values of its inputs, as ``config.compute_test_value`` says."""
    mode = config.compute_test_value
    storage_map: dict = {}
    compute_map: dict = {}
    for i, var in enumerate(node.inputs):
        try:
            storage_map[var] = [PureOp._get_test_value(var)]
            compute_map[var] = [True]
        except AttributeError:
            # Nothing to compute with: the mode tells how bad that is.
            where = utils.get_variable_trace_string(var)
            message = f"Cannot compute test value: input {i} ({var}) of Op {node} missing default value. {where}"
            if mode == "warn":
                warnings.warn(f"Warning, {message}", stacklevel=3)
            elif mode == "raise":
                raise ValueError(message) from None
            elif mode == "pdb":
                import pdb

                pdb.post_mortem(sys.exc_info()[2])
            elif mode != "ignore":
                raise ValueError(f"{mode} is invalid for option config.compute_Test_value") from None
            return
    if all(hasattr(out.tag, "test_value") for out in node.outputs):
        return
    for out in node.outputs:
        storage_map[out] = [None]
        compute_map[out] = [False]
    thunk = node.op.make_thunk(node, storage_map, compute_map, no_recycling=[])
    thunk.inputs = [storage_map[var] for var in node.inputs]
    thunk.outputs = [storage_map[var] for var in node.outputs]
    try:
        needed = thunk()
        if needed:
            raise ValueError(f"{node.op} asks for more inputs than there are: {needed}")
    except Exception:
        from theano_compat.gof.link import raise_with_op

        raise_with_op(node, thunk, storage_map=storage_map)
    for out in node.outputs:
        if not compute_map[out][0]:
            raise ValueError(f"the test value of {out} was not computed by {node.op}")
        out.tag.test_value = storage_map[out][0]


class PureOp:
    """The Python side of an op.

    A subclass defines :meth:`make_node` (or ``itypes`` and ``otypes``) and :meth:`perform`, and may define
    ``grad(inputs, output_grads)`` or :meth:`L_op`, :meth:`R_op`, ``infer_shape(node, input_shapes)``, ``connection_pattern(node)``.

    Attributes
    ----------
    default_output : int, optional
        The output that ``__call__`` returns; None: all.
    view_map : dict
        Maps an output's index to the list with the index of the input that it may be a view of.
    destroy_map : dict
        Maps an output's index to the list of indices of inputs that are overwritten for it.
    """

    default_output: int | None = None

    def make_node(self, *inputs) -> graph.Apply:
        """Return the Apply node of this op on ``inputs``."""
        raise MethodNotDefined("make_node", type(self), self.__class__.__name__)

    @classmethod
    def _get_test_value(cls, v):
        """Return the test value of a variable, converted to its type.

        Raises
        ------
        AttributeError
            If it has none.
        """
        if isinstance(v, graph.Constant):
            return v.value
        get_value = getattr(v, "get_value", None)
        if get_value is not None and hasattr(v, "container"):  # a shared variable
            return get_value(borrow=True, return_internal_type=True)
        if isinstance(v, graph.Variable) and hasattr(v.tag, "test_value"):
            try:
                return v.type.filter(v.tag.test_value)
            except Exception as e:
                # Say which variable it is before what the type objects to.
                where = utils.get_variable_trace_string(v)
                text = (
                    "For compute_test_value, one input test value does not have the requested type.\n"
                    f"{where}\nThe error when converting the test value to that variable type:"
                )
                e.args = (text, *[str(arg) for arg in e.args])
                e.args = ("\n".join(e.args),)
                raise
        raise AttributeError(f"{v} has no test value {utils.get_variable_trace_string(v)}")

    def __call__(self, *inputs, **kwargs):
        """Apply the op and return its output or outputs.

        Parameters
        ----------
        inputs : Variable or what the op's ``make_node`` converts
        return_list : bool
            Return a list even of one output.
        kwargs : object
            For ``make_node``.
        """
        return_list = kwargs.pop("return_list", False)
        node = self.make_node(*inputs, **kwargs)
        outputs = node.outputs
        if not getattr(outputs[0].tag if outputs else node.tag, "trace", None):
            for out in outputs:
                utils.add_tag_trace(out)
        if config.compute_test_value != "off":
            _compute_test_value(node)
        if self.default_output is not None:
            chosen = outputs[self.default_output]
            return [chosen] if return_list else chosen
        if return_list:
            return list(outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def __ne__(self, other) -> bool:
        return not (self == other)

    add_tag_trace = staticmethod(utils.add_tag_trace)

    def L_op(self, inputs: Sequence, outputs: Sequence, output_grads: Sequence) -> list:
        """Return the gradients on the inputs, given the outputs themselves and the gradients on them.

        By default it calls ``grad(inputs, output_grads)``.
        """
        return self.grad(inputs, output_grads)

    def R_op(self, inputs: Sequence, eval_points: Sequence) -> list:
        """Return the Jacobian times ``eval_points``, for each output."""
        raise NotImplementedError(
            f"{self} of class {self.__class__.__name__} does not implement R_op. If this is a theano op, write to the "
            "theano-dev mailing list for assistance. If it is your own op, implement the R_op method."
        )

    def perform(self, node, inputs: Sequence, output_storage: Sequence[list], params=None) -> None:
        """Compute the outputs.

        Parameters
        ----------
        node : Apply
        inputs : sequence of values
        output_storage : sequence of lists of one element
            To be filled; an element holds None or the value of an earlier call, which may be re-used.
        params : object, optional
            The op's parameters, if it has a ``params_type``.
        """
        raise MethodNotDefined("perform", type(self), self.__class__.__name__, "Did you used Theano flags mode=FAST_COMPILE? You can use optimizer=fast_compile instead.")

    def do_constant_folding(self, node) -> bool:
        """Whether a node of this op on constants may be computed once and for all."""
        return True


class Op(utils.object2, PureOp, CLinkerOp):
    """Base class of all ops.

    Notes
    -----
    ``__props__`` gives equality, hash and string. With ``itypes`` and ``otypes`` (lists of types) :meth:`make_node` is
    there too. ``infer_shape`` and ``grad`` are optional, as are the ``c_*`` methods.
    """

    def make_node(self, *inputs) -> graph.Apply:
        if not hasattr(self, "itypes") or not hasattr(self, "otypes"):
            raise NotImplementedError("You can either define itypes and otypes,             or implement make_node")
        from theano_compat.tensor import as_tensor_variable

        if len(inputs) != len(self.itypes):
            raise ValueError(
                f"We expected {len(self.itypes)} inputs but got {len(inputs)}.\n"
                f"Op: {self}; inputs: {list(inputs)}"
            )
        variables = [inp if isinstance(inp, graph.Variable) else as_tensor_variable(inp) for inp in inputs]
        wrong = [i for i, (wanted, var) in enumerate(zip(self.itypes, variables)) if not _accepts(wanted, var)]
        if wrong:
            given = [var.type for var in variables]
            raise TypeError(
                f"We expected inputs of types '{self.itypes}' but got types '{given}' \n"
                f"Op: {self}; input {wrong[0]}, {variables[wrong[0]]}, does not fit"
            )
        return graph.Apply(self, variables, [otype() for otype in self.otypes])

    def get_params(self, node):
        """Return the value of the op's parameters for ``node``.

        By default it is made from the op's attributes, where ``params_type`` is a ParamsType.
        """
        from theano_compat.gof.params_type import ParamsType

        params_type = getattr(self, "params_type", None)
        if isinstance(params_type, ParamsType):
            # Each field is an attribute of the op with its name.
            missing = [field for field in params_type.fields if not hasattr(self, field)]
            if missing:
                raise AttributeError(
                    f"{type(self).__name__}: missing attributes {', '.join(missing)} to build its parameters ({params_type})"
                )
            return params_type.get_params(self)
        raise MethodNotDefined("get_params")

    def prepare_node(self, node, storage_map, compute_map, impl: str | None) -> None:
        """Do what must be done once before a thunk for ``node`` is made; ``impl`` is ``'c'``, ``'py'`` or None."""

    def make_c_thunk(self, node, storage_map, compute_map, no_recycling):
        """Return a thunk that runs the op's own C code.

        Raises
        ------
        NotImplementedError
            If there is no C code, or no way to build it.
        """
        from theano_compat.gof.cc import build_op_thunk

        return build_op_thunk(node, storage_map, compute_map, no_recycling)

    def make_py_thunk(self, node, storage_map, compute_map, no_recycling, debug: bool = False):
        """Return a thunk that runs ``perform`` (or ``debug_perform``) on the storage of ``storage_map``."""
        if not debug and _is_undefined(self, "perform", PureOp) and not _is_undefined(self, "c_code", CLinkerOp):
            name = self.__class__.__name__
            raise MethodNotDefined("perform", type(self), name, _C_ONLY.format(op=self, name=name, node=node))
        inputs = [storage_map[var] for var in node.inputs]
        outputs = [storage_map[var] for var in node.outputs]
        perform = node.op.debug_perform if debug else node.op.perform
        flags = [compute_map[var] for var in node.outputs]
        params = node.run_params()
        # The type turns what get_params gave, an alias of an enum constant for instance, into its value.
        extra = () if params is graph.NoParams else (node.params_type.filter(params),)

        def rval():
            result = perform(node, [cell[0] for cell in inputs], outputs, *extra)
            for flag in flags:
                flag[0] = True
            return result

        rval.inputs = inputs
        rval.outputs = outputs
        rval.perform = perform
        rval.lazy = False
        return rval

    def make_thunk(self, node, storage_map, compute_map, no_recycling, impl: str | None = None) -> Callable:
        """Return a function of no arguments that runs ``node`` on the storage given.

        Parameters
        ----------
        node : Apply
        storage_map : dict
            Maps each variable to the list of one element with its value.
        compute_map : dict
            Maps each variable to a list of one bool: whether it has been computed.
        no_recycling : list of Variable
            Outputs whose old values must not be re-used.
        impl : {'c', 'py', None}
            Which code to run; None: ``perform`` where there is one, else the op's C code.

        Notes
        -----
        A thunk whose attribute ``lazy`` is true returns the list of the indices of the inputs that it still needs, or a
        false value once it has computed its outputs.
        """
        has_perform = not _is_undefined(self, "perform", PureOp)
        if impl == "c" or (impl is None and not has_perform):
            self.prepare_node(node, storage_map=storage_map, compute_map=compute_map, impl="c")
            try:
                return self.make_c_thunk(node, storage_map, compute_map, no_recycling)
            except (NotImplementedError, MethodNotDefined):
                if impl == "c":
                    raise
        self.prepare_node(node, storage_map=storage_map, compute_map=compute_map, impl="py")
        return self.make_py_thunk(node, storage_map, compute_map, no_recycling)


_C_ONLY = (
    "Op {op} has C code (c_code) and no perform method, and ops with C code only are not supported in theano_compat yet: it is needed for {node}. "
    "Write {name}.perform(self, node, inputs, output_storage), which computes the outputs with NumPy and stores them in output_storage[i][0]."
)


def _is_undefined(op, method: str, base: type) -> bool:
    """Whether an op has its method from ``base``, that is, none of its own."""
    found = getattr(op, method, None)
    return getattr(found, "__func__", found) is getattr(base, method)


def _accepts(wanted, var) -> bool:
    return wanted == var.type or getattr(wanted, "is_super", lambda other: False)(var.type)


# ---------------------------------------------------------------------------------------------------- test values


def get_test_value(v):
    """Return the test value of a variable, or of a value taken as a constant.

    Raises
    ------
    AttributeError
        If there is none.
    """
    if not isinstance(v, graph.Variable):
        from theano_compat.tensor import as_tensor_variable

        v = as_tensor_variable(v)
    return PureOp._get_test_value(v)


def missing_test_message(msg: str) -> None:
    """Raise, warn or keep silent about a missing test value, as ``config.compute_test_value`` says."""
    action = config.compute_test_value
    if action == "raise":
        raise AttributeError(msg)
    if action == "warn":
        warnings.warn(msg, stacklevel=2)


def debug_error_message(msg: str) -> None:
    """Raise or warn that something is wrong with the test values, as ``config.compute_test_value`` says."""
    action = config.compute_test_value
    if action in ("raise", "ignore"):
        raise ValueError(msg)
    if action == "warn":
        warnings.warn(msg, stacklevel=2)


def debug_assert(condition, msg: str | None = None) -> None:
    """Call :func:`debug_error_message` if ``condition``, about test values, does not hold."""
    if not condition:
        debug_error_message("debug_assert failed" if msg is None else msg)


def get_debug_values(*args) -> list:
    """Return a list with the test values of ``args``, or an empty one where any is missing.

    Written for ``for x_val, y_val in get_debug_values(x, y): ...``: the body runs once or not at all.
    """
    if config.compute_test_value == "off":
        return []
    values: list[Any] = []
    for i, arg in enumerate(args):
        try:
            values.append(get_test_value(arg))
        except AttributeError:
            named = f"('{arg.name}')" if getattr(arg, "name", None) is not None else ""
            missing_test_message(f"Argument {i}{named} has no test value")
            return []
    return values if len(values) == 1 else [tuple(values)]


def simple_meth(tag):
    """Return a method that raises MethodNotDefined for the c_* method of this name, unless the op says otherwise."""

    def method(self):
        raise MethodNotDefined(f"c_{tag}", type(self), self.__class__.__name__)

    method.__name__ = f"c_{tag}"
    return method


def apply_meth(tag):
    """Return a method that gives the section ``tag`` of a COp's C file for one node."""

    def method(self, node, name):
        code = getattr(self, "code_sections", {}).get(tag)
        if code is None:
            raise MethodNotDefined(f"c_{tag}", type(self), self.__class__.__name__)
        define, undef = self.get_c_macros(node, name)
        return "\n".join(["", define, code, undef])

    method.__name__ = f"c_{tag}"
    return method


__all__ = [
    "CLinkerObject", "CLinkerOp", "PureOp", "Op", "OpenMPOp", "COp", "ExternalCOp", "ops_with_inner_function",
    "get_test_value", "missing_test_message", "debug_error_message", "debug_assert", "get_debug_values",
    "simple_meth", "apply_meth", "copy",
]  # fmt: skip

from theano_compat.gof.cop import COp, ExternalCOp, OpenMPOp  # noqa: E402
