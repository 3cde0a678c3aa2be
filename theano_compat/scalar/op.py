"""`ScalarOp`: an operation on single numbers, from which tensors, compiled loops and gradients follow.

An op says each thing once:

``nfunc_spec``
    name, number of inputs and number of outputs of its NumPy or SciPy function, or None;
``impl(*inputs)``
    the value in Python, for one set of numbers;
``output_types(types)``
    the rule for types, mostly one of `theano_compat.scalar.outputs`;
``c_expr(inputs, in_dtypes, out_dtype)``
    one C99 expression, and ``c_helpers`` the functions that it calls;
``L_op`` or ``grad``
    the derivative.

Values inside C expressions have the C type of `theano_compat.scalar.dtypes.C_NAMES`: float16 is computed as
``float``, bool is an integer 0 or 1, complex is C99 complex.
"""
from __future__ import annotations

from collections.abc import Sequence

from theano_compat import config
from theano_compat.gof import Apply, Op
from theano_compat.gof.utils import MethodNotDefined
from theano_compat.scalar import type as t
from theano_compat.scalar.variables import as_scalar


class ScalarOp(Op):
    """Base of all operations on single numbers.

    Parameters
    ----------
    output_types_preference : callable, optional
        Rule from input types to output types; default: the class's own.
    name : str, optional
        What the op prints as; default: the class name.

    Attributes
    ----------
    nin : int
        Number of inputs; -1 for any number.
    nout : int
        Number of outputs.
    commutative, associative : bool
        Algebraic facts that rewrites and reductions use.
    identity : number
        Neutral element, where there is one.
    nfunc_spec : tuple or None
        ``(NumPy or SciPy name, nin, nout)``.
    """

    nin = -1
    nout = 1
    nfunc_spec: tuple | None = None

    def __init__(self, output_types_preference=None, name=None):
        self.name = name
        if output_types_preference is not None:
            if not callable(output_types_preference):
                raise TypeError(
                    f"Expected a callable for the 'output_types_preference' argument to {type(self)}. "
                    f"(got: {output_types_preference})"
                )
            self.output_types_preference = output_types_preference

    def make_node(self, *inputs):
        """Apply the op to scalar variables or numbers.

        Raises
        ------
        TypeError
            Wrong number of inputs, or types without a rule.
        """
        if self.nin >= 0 and len(inputs) != self.nin:
            raise TypeError(
                f"Wrong number of inputs for {self}.make_node (got {len(inputs)}({inputs}), expected {self.nin})"
            )
        inputs = [as_scalar(x) for x in inputs]
        outputs = [type_() for type_ in self.output_types([x.type for x in inputs])]
        if len(outputs) != self.nout:
            raise TypeError(
                f"Not the right number of outputs produced for {self}({', '.join(map(str, inputs))}). "
                f"Expected {self.nout}, got {len(outputs)}."
            )
        return Apply(self, inputs, outputs)

    def output_types(self, types):
        """Give the output types for a list of input types."""
        rule = getattr(self, "output_types_preference", None)
        if rule is None:
            raise NotImplementedError(f"Cannot calculate the output types for {self}")
        found = rule(*types)
        if not isinstance(found, (list, tuple)) or not all(isinstance(x, t.Scalar) for x in found):
            raise TypeError(
                f"output_types_preference should return a list or a tuple of types of {self}, got {found}"
            )
        return found

    def perform(self, node, inputs, output_storage):
        """Compute one set of numbers with `impl`."""
        results = self.impl(*inputs)
        if self.nout == 1:
            results = (results,)
        elif len(results) != len(output_storage):
            raise ValueError(f"{self}: impl gave {len(results)} results for {len(output_storage)} outputs")
        for type_, storage, value in zip((o.type for o in node.outputs), output_storage, results):
            storage[0] = t._as_dtype(value, t.names.NUMPY_TYPES[type_.dtype])

    def impl(self, *inputs):
        """Give the value for one set of numbers; a tuple where the op has several outputs."""
        raise MethodNotDefined("impl", type(self), self.__class__.__name__)

    def grad(self, inputs, output_gradients):
        """Give the gradients with respect to the inputs, from those of the outputs."""
        if type(self).L_op is ScalarOp.L_op:
            raise MethodNotDefined("grad", type(self), self.__class__.__name__)
        return self.L_op(inputs, self.make_node(*inputs).outputs, output_gradients)

    def L_op(self, inputs, outputs, output_gradients):
        """As `grad`, with the outputs at hand."""
        return self.grad(inputs, output_gradients)

    def __eq__(self, other):
        return type(self) is type(other) and getattr(self, "output_types_preference", None) == getattr(
            other, "output_types_preference", None
        )

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        # Bound methods hash by their owner: for a rule that is one, the class says it all.
        rule = self.__dict__.get("output_types_preference")
        return hash((type(self), rule))

    def __str__(self):
        return getattr(self, "name", None) or type(self).__name__

    # C text

    def c_expr(self, inputs: Sequence[str], in_dtypes: Sequence[str], out_dtype: str) -> str:
        """Write the op as one C99 expression.

        Parameters
        ----------
        inputs : sequence of str
            C expressions of the inputs, each atomic or in parentheses.
        in_dtypes : sequence of str
            Their dtypes.
        out_dtype : str
            Dtype of the result.

        Raises
        ------
        MethodNotDefined
            There is none for these dtypes.
        """
        raise MethodNotDefined("c_expr", type(self), self.__class__.__name__)

    def c_helpers(self, in_dtypes: Sequence[str], out_dtype: str) -> tuple[str, ...]:
        """Give the texts of the static C functions that `c_expr` calls, in order of definition."""
        return ()

    def c_form(self) -> str | None:
        """Say which C text the op's class was written with: ``'expr'``, ``'code'`` or None.

        The most derived class decides, so that a user's subclass of one of our ops that only
        overrides ``c_code`` gets its own code.
        """
        for cls in type(self).__mro__:
            if cls is ScalarOp:
                return None
            if "c_expr" in cls.__dict__:
                return "expr"
            if "c_code" in cls.__dict__:
                return "code"
        return None

    def c_code(self, node, name, inputs, outputs, sub):
        """Write the assignment statement of `c_expr`, for use inside Theano's C templates."""
        if self.nout != 1:
            raise MethodNotDefined("c_code", type(self), self.__class__.__name__)
        dtypes = [x.type.dtype for x in node.inputs]
        return f"{outputs[0]} = {self.c_expr(list(inputs), dtypes, node.outputs[0].type.dtype)};"

    def c_support_code(self):
        """Give the helpers for the common float dtypes."""
        count = 1 if self.nin < 0 else self.nin
        texts: dict = {}
        for dtype in ("float32", "float64"):
            texts.update(dict.fromkeys(self.c_helpers((dtype,) * count, dtype)))
        return "\n".join(texts)

    def c_code_cache_version(self):
        """Version of the C text."""
        return (1,)

    def c_code_contiguous(self, node, name, inp, out, sub):
        """There is no whole-array C text; loops are made from `c_expr`."""
        raise MethodNotDefined("c_code_contiguous", type(self), self.__class__.__name__)

    def supports_c_code(self, inputs, outputs):
        """Tell whether the op has C text for variables of these types."""
        in_dtypes = [x.type.dtype for x in inputs]
        form = self.c_form()
        if form == "code":
            return True
        try:
            self.c_expr([f"i{k}" for k in range(len(in_dtypes))], in_dtypes, outputs[0].type.dtype)
        except (MethodNotDefined, NotImplementedError):
            return False
        return True


class UnaryScalarOp(ScalarOp):
    """Operation on one number."""

    nin = 1

    def c_code_contiguous_raw(self, dtype, n, i, o):
        """There is no vendor library call for whole arrays."""
        raise MethodNotDefined("c_code_contiguous_raw", type(self), self.__class__.__name__)


class BinaryScalarOp(ScalarOp):
    """Operation on two numbers."""

    nin = 2


class LogicalComparison(BinaryScalarOp):
    """Comparison of two numbers, giving bool."""

    nout = 1

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Older code chose int8 results here; bool is the only kind left.
        self.bool = True

    def output_types(self, *input_dtypes):
        """Give bool."""
        return [t.bool]

    def L_op(self, inputs, outputs, output_gradients):
        """Give zeros: the result is a step."""
        return [x.zeros_like().astype(config.floatX) for x in inputs]


class FixedLogicalComparison(UnaryScalarOp):
    """Test of one number, giving bool."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.bool = True

    def output_types(self, *input_dtypes):
        """Give bool."""
        return [t.bool]

    def L_op(self, inputs, outputs, output_gradients):
        """Give zero: the result is a step."""
        return [inputs[0].zeros_like().astype(config.floatX)]


def _bit_types(types):
    dtypes = {type_.dtype for type_ in types}
    if dtypes == {"bool"} or dtypes <= {x.dtype for x in t.integer_types}:
        return None
    raise TypeError(
        "input to a BitOp must have type (u)int8, (u)int16, (u)int32 or (u)int64 or be all bools not "
        + str(types[0])
    )


class UnaryBitOp(UnaryScalarOp):
    """Operation on the bits of one integer or bool."""

    def output_types(self, *input_types):
        """Give the input's type."""
        _bit_types(input_types[0])
        return upcast_types(input_types[0])

    def grad(self, inputs, output_gradients):
        """Give zero."""
        return [inputs[0].zeros_like().astype(config.floatX)]


class BinaryBitOp(BinaryScalarOp):
    """Operation on the bits of two integers or two bools."""

    def output_types(self, *input_types):
        """Give the inputs' common type."""
        _bit_types(input_types[0])
        return upcast_types(input_types[0])

    def grad(self, inputs, output_gradients):
        """Give zeros."""
        return [x.zeros_like().astype(config.floatX) for x in inputs]


def upcast_types(types):
    """Give the common type of a list of types, as a list of one."""
    return [t.get_scalar_type(t.Scalar.upcast(*types))]


class IntegerDivisionError(Exception):
    """Two integers were divided with ``/`` while the configuration forbids it."""


class ComplexError(NotImplementedError):
    """The operation does not exist for complex numbers."""
