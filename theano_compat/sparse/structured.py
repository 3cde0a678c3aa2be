"""Functions of the stored elements alone; what is not stored stays zero."""

from __future__ import annotations

import functools

from theano_compat import scalar, tensor
from theano_compat.sparse.csm import CSM, csm_properties
from theano_compat.sparse.variables import as_sparse_variable


def structured_monoid(tensor_op):
    """Decorator: let a function apply `tensor_op` to the stored elements of its first argument.

    Parameters
    ----------
    tensor_op : callable
        Takes the vector of stored elements and the further arguments, scalars.
    """

    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args):
            x = as_sparse_variable(args[0])
            assert x.format in ("csr", "csc")
            others = [scalar.as_scalar(argument) for argument in args[1:]]
            data, indices, indptr, shape = csm_properties(x)
            return CSM(x.format)(tensor_op(data, *others), indices, indptr, shape)

        return wrapper

    return decorator


def _sigmoid(x):
    return tensor.nnet.sigmoid(x)


#: name here -> (op on the stored elements, arguments, what the elements of the result are)
_FUNCTIONS = {
    "structured_sigmoid": (_sigmoid, "x", "sigmoids of those of x"),
    "structured_exp": (tensor.exp, "x", "exponentials of those of x"),
    "structured_log": (tensor.log, "x", "logarithms of those of x"),
    "structured_pow": (tensor.pow, "x, y", "powers with exponent y of those of x"),
    "structured_minimum": (tensor.minimum, "x, y", "the smaller of those of x and the scalar y"),
    "structured_maximum": (tensor.maximum, "x, y", "the larger of those of x and the scalar y"),
    "structured_add": (tensor.add, "x, y", "those of x plus the scalar y"),
    **{
        name: (getattr(tensor, op), "x", f"{op} of those of x")
        for name, op in {
            "sin": "sin", "arcsin": "arcsin", "tan": "tan", "arctan": "arctan", "sinh": "sinh", "arcsinh": "arcsinh",
            "tanh": "tanh", "arctanh": "arctanh", "rint": "round_half_to_even", "sgn": "sgn", "ceil": "ceil",
            "floor": "floor", "log1p": "log1p", "expm1": "expm1", "deg2rad": "deg2rad", "rad2deg": "rad2deg",
            "trunc": "trunc", "sqr": "sqr", "sqrt": "sqrt", "conj": "conj",
        }.items()
    },
}  # fmt: skip


def _function(name: str, op, arguments: str, result: str):
    def function(*args): ...

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The sparse matrix ({arguments}) whose stored elements are {result}.

    Parameters
    ----------
    x : SparseVariable
        A csr or csc matrix.
    """
    return structured_monoid(op)(function)


for _name, (_op, _arguments, _result) in _FUNCTIONS.items():
    globals()[_name] = _function(_name, _op, _arguments, _result)

__all__ = ["structured_monoid", *_FUNCTIONS]
