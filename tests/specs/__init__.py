"""Spec records: what each op computes, said once, and generic tests that hold every op to it.

How to add an op
----------------
Write (or extend) a module ``records_<topic>.py`` here with a list ``RECORDS`` of `OpSpec`; it is found by its
name. One record says how to build the op's output from symbolic inputs, gives a reference in NumPy or SciPy that does not
use the package, and lists the inputs to try as `Case` objects, which `cases` and `stretched` make by the dozen::

    RECORDS = [
        OpSpec(
            name="diff",
            build=lambda x: T.extra_ops.diff(x, axis=0),
            reference=lambda x: np.diff(x, axis=0),
            cases=cases([(5,), (4, 3), (1, 2)], dtypes=REAL),
        ),
    ]

Every test of ``test_specs.py`` then runs on it: values and dtypes by ``perform``, the compiled engine against ``perform``,
the gradient and the R-operator, the inferred shape, pickling, and for elementwise ops the in-place form.
Switch off what an op does not have: ``grad=False``, ``rop=False``, ``infer_shape=False``, ``compiled=False``; say why
in a comment. ``python -m tests.specs`` prints how many ops, dtypes and cases there are.
"""
