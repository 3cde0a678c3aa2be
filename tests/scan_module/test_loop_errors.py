"""What a compiled loop says about bad input: the same kind of exception as the loop in Python, in words that name what is wrong."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.ifelse import ifelse

MODES = ["FAST_RUN", theano.Mode("cvm", "fast_compile"), "FAST_COMPILE"]
COMPILED = MODES[:2]
x, A, n = T.dvector("x"), T.dmatrix("A"), T.lscalar("n")


def rows_of(*arguments, **named):
    return theano.scan(*arguments, **named)[0]


#: name -> (the result, values of x, A and n, the exception, its text in compiled loops)
CASES = {
    "a sequence that is too short": (
        lambda: rows_of(lambda r, b: r + b, sequences=x, outputs_info=np.float64(0), n_steps=n),
        ([1.0, 2.0], [[0.0]], 3), ValueError, r"Sequence is shorter then the required number of steps .* 3, .*, 2 rows"),
    "a negative number of steps": (
        lambda: rows_of(lambda x: x * 2, non_sequences=x, n_steps=n), ([1.0], [[0.0]], -2), (IndexError, ValueError),
        "negative number of step -2|negative dimensions"),
    "a negative number of steps of a state": (lambda: rows_of(lambda b: b * 2, outputs_info=x, n_steps=n), ([1.0], [[0.0]], -2), ValueError, "negative dimensions"),
    "an initial state of another length": (
        lambda: rows_of(lambda r, b: r + b, sequences=A, outputs_info=x), ([1.0, 2.0], np.ones((2, 3)), 0), ValueError, "mis-match.*3.*2"),
    "an initial state that does not fit a product": (
        lambda: rows_of(lambda b, A: T.dot(A, b), outputs_info=x, non_sequences=A, n_steps=3), ([1.0, 2.0], np.ones((3, 3)), 0), ValueError, "Shape mismatch"),
    "a state that grows": (
        lambda: rows_of(lambda b: T.concatenate([b, b[:1]]), outputs_info=x, n_steps=3), ([1.0, 2.0], [[0.0]], 0), ValueError,
        "could not broadcast input array: a result of a step, .* has extent 3 in dimension 0, its rows have 2"),
    "a state that shrinks": (
        lambda: rows_of(lambda b: T.tanh(b[1:]), outputs_info=x, n_steps=3), ([1.0, 2.0, 3.0], [[0.0]], 0), ValueError, "has extent 2 in dimension 0, its rows have 3"),
    "a state whose length is the number of the step": (
        lambda: rows_of(lambda t, b: T.exp(T.ones((t + 1,), "float64")) * b.sum(), sequences=T.arange(n), outputs_info=x),
        ([1.0], [[0.0]], 4), ValueError, "has extent 2 in dimension 0, its rows have 1"),
    "a state of one element that is broadcast": (
        lambda: rows_of(lambda r, b: r + b, sequences=A, outputs_info=x), ([1.0], np.ones((2, 3)), 0), ValueError, "mis-match.*3.*1"),
    "an index beyond the end": (
        lambda: rows_of(lambda t, x: x[t] * 2, sequences=T.arange(n), non_sequences=x), ([1.0, 2.0], [[0.0]], 3), IndexError, "index 2 is out of bounds"),
    "an index beyond the end of a state": (
        lambda: rows_of(lambda t, b: T.set_subtensor(b[t], 0.0), sequences=T.arange(n), outputs_info=x), ([1.0, 2.0], [[0.0]], 3), IndexError, "index 2 is out of bounds"),
    "indices beyond the end": (
        lambda: rows_of(lambda t, x: x[T.stack([t, t + 1])], sequences=T.arange(n), non_sequences=x), ([1.0, 2.0], [[0.0]], 3), IndexError, "index 2 is out of bounds"),
    "extents of a step that differ": (
        lambda: rows_of(lambda t, x: T.dot(T.exp(x[:t]), T.exp(x[:t])) + T.sum(T.exp(x[:t]) * x[t:]), sequences=T.arange(n), non_sequences=x),
        (np.ones(999), [[0.0]], 2), ValueError, "mis-match.*0.*999"),
    "a branch of another shape": (
        lambda: rows_of(lambda t, b: ifelse(T.gt(t, 1), b[1:], b * 2), sequences=T.arange(n), outputs_info=x),
        ([1.0, 2.0, 3.0], [[0.0]], 3), ValueError, "has extent 2 in dimension 0, its rows have 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_words_and_does_no_harm(name):
    build, values, error, text = CASES[name]
    for mode in MODES:
        f = theano.function([x, A, n], build(), mode=mode, on_unused_input="ignore")
        compiled = "steps in C" in f.explain()
        for _ in range(2):
            with pytest.raises(error, match=text if compiled else None):
                f(*values)


def test_the_error_of_a_step_names_the_node_and_its_line():
    f = theano.function([x, n], rows_of(lambda t, x: x[t] * 2, sequences=T.arange(n), non_sequences=x))
    with pytest.raises(IndexError) as caught:
        f([1.0], 2)
    assert "Apply node that caused the error: Subtensor{int64}" in str(caught.value)
    assert "test_loop_errors.py" in str(caught.value)
