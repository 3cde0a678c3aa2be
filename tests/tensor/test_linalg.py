"""Linear algebra and Fourier transforms against NumPy and SciPy."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.tensor_tools import PLAIN, check, evaluate
from theano_compat.gradient import verify_grad
from theano_compat.tensor import fft, nlinalg, slinalg

scipy_linalg = pytest.importorskip("scipy.linalg")

RNG = np.random.RandomState(3)
A = RNG.uniform(-1, 1, (4, 4)) + 3 * np.eye(4)
TALL = RNG.uniform(-1, 1, (5, 3))
SYMMETRIC = A + A.T
POSITIVE = A @ A.T + np.eye(4)
V, B = RNG.uniform(-1, 1, 4), RNG.uniform(-1, 1, (4, 2))

CASES = {
    "inverse": (nlinalg.matrix_inverse, np.linalg.inv, A),
    "pinv of a square": (nlinalg.pinv, np.linalg.pinv, A),
    "pinv of a tall one": (nlinalg.pinv, np.linalg.pinv, TALL),
    "pinv of a wide one": (nlinalg.pinv, np.linalg.pinv, TALL.T),
    "det": (nlinalg.det, np.linalg.det, A),
    "trace": (nlinalg.trace, np.trace, A),
    "diag of a vector": (nlinalg.diag, np.diag, V),
    "diag of a matrix": (nlinalg.diag, np.diag, A),
    "matrix_dot": (lambda x, y: nlinalg.matrix_dot(x, x, y), lambda x, y: x @ x @ y, A, V),
    "matrix_power": (lambda x: nlinalg.matrix_power(x, 5), lambda x: np.linalg.matrix_power(x, 5), A),
    "matrix_power 0": (lambda x: nlinalg.matrix_power(x, 0), lambda x: np.eye(4), A),
    "matrix_power -2": (lambda x: nlinalg.matrix_power(x, -2), lambda x: np.linalg.matrix_power(x, -2), A),
    "eigenvalues": (lambda x: nlinalg.eigh(x)[0], np.linalg.eigvalsh, SYMMETRIC),
    "eigenvalues from the upper triangle": (lambda x: nlinalg.eigh(x, "U")[0], lambda x: np.linalg.eigvalsh(x, "U"), SYMMETRIC),
    "eigenvectors": (lambda x: abs(nlinalg.eigh(x)[1]), lambda x: abs(np.linalg.eigh(x)[1]), SYMMETRIC),
    "function of a symmetric matrix": (
        lambda x: (lambda w, v: T.dot(v * T.exp(w / 4), v.T))(*nlinalg.eigh(x)),
        lambda x: (lambda w, v: v * np.exp(w / 4) @ v.T)(*np.linalg.eigh(x)), SYMMETRIC),
    "qr": (lambda x: nlinalg.qr(x)[0], lambda x: np.linalg.qr(x)[0], TALL),
    "qr r": (lambda x: nlinalg.qr(x, "r"), lambda x: np.linalg.qr(x, "r"), TALL),
    "qr complete": (lambda x: nlinalg.qr(x, "complete")[1], lambda x: np.linalg.qr(x, "complete")[1], TALL),
    "svd": (lambda x: nlinalg.svd(x)[2], lambda x: np.linalg.svd(x)[2], TALL),
    "svd values": (lambda x: nlinalg.svd(x, compute_uv=False), lambda x: np.linalg.svd(x)[1], TALL),
    "svd reduced": (lambda x: nlinalg.svd(x, 0)[0], lambda x: np.linalg.svd(x, False)[0], TALL),
    "lstsq": (lambda x, y: nlinalg.lstsq()(x, y, -1)[0], lambda x, y: np.linalg.lstsq(x, y, -1)[0], TALL, RNG.uniform(size=5)),
    "lstsq of several": (lambda x, y: nlinalg.lstsq()(x, y, -1)[0], lambda x, y: np.linalg.lstsq(x, y, -1)[0], TALL, TALL[:, :2]),
    "tensorinv": (lambda x: nlinalg.tensorinv(x, 1), lambda x: np.linalg.tensorinv(x, 1), RNG.uniform(size=(6, 2, 3))),
    "tensorsolve": (nlinalg.tensorsolve, np.linalg.tensorsolve, RNG.uniform(size=(2, 3, 6)), TALL[:2]),
    **{f"{o} norm of a vector": (lambda x, o=o: nlinalg.norm(x, o), lambda x, n=n: np.linalg.norm(x, n), V)
       for o, n in ((None, None), (2, 2), (3, 3), ("inf", np.inf), ("-inf", -np.inf), (1, 1), (np.inf, np.inf))},
    **{f"{o} norm of a matrix": (lambda x, o=o: nlinalg.norm(x, o), lambda x, n=n: np.linalg.norm(x, n), A)
       for o, n in ((None, None), ("fro", "fro"), (1, 1), (-1, -1), ("inf", np.inf), ("-inf", -np.inf))},
    "2-norm of a matrix": (lambda x: nlinalg.norm(x, 2), lambda x: np.linalg.norm(x, 2), A),
    "0 norm counts": (lambda x: nlinalg.norm(x, 0), lambda x: np.array(4), V),
    "cholesky": (slinalg.cholesky, np.linalg.cholesky, POSITIVE),
    "cholesky upper": (slinalg.Cholesky(lower=False), lambda x: np.linalg.cholesky(x).T, POSITIVE),
    "solve": (slinalg.solve, np.linalg.solve, A, V),
    "solve several": (slinalg.solve, np.linalg.solve, A, B),
    "solve lower": (slinalg.solve_lower_triangular, lambda a, b: np.linalg.solve(np.tril(a), b), A, B),
    "solve upper": (slinalg.solve_upper_triangular, lambda a, b: np.linalg.solve(np.triu(a), b), A, V),
    "kron": (slinalg.kron, np.kron, TALL, A),
    "kron of vector and matrix": (slinalg.kron, lambda a, b: np.einsum("i,jk->jik", a, b).ravel(), V, TALL),
    "kron of more dimensions": (
        slinalg.kron,
        lambda a, b: np.einsum("ij,klm->ikjlm", a, b).reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1], -1), TALL, A.reshape(2, 2, 4)),
    "expm": (slinalg.expm, scipy_linalg.expm, A / 4),
    "eigvalsh": (lambda a, b: slinalg.eigvalsh(a, b), scipy_linalg.eigvalsh, SYMMETRIC, POSITIVE),
    "eigvalsh upper": (lambda a, b: slinalg.eigvalsh(a, b, lower=False), scipy_linalg.eigvalsh, SYMMETRIC, POSITIVE),
    "eigvalsh of one": (lambda a: slinalg.eigvalsh(a, None), np.linalg.eigvalsh, SYMMETRIC),
    "rfft": (fft.rfft, lambda x: np.stack([np.fft.rfft(x).real, np.fft.rfft(x).imag], -1), B.T),
    "rfft of two dimensions": (
        lambda x: fft.rfft(x, norm="ortho"),
        lambda x: (lambda f: np.stack([f.real, f.imag], -1))(np.fft.rfftn(x, axes=(1, 2), norm="ortho")), RNG.uniform(size=(2, 3, 5))),
    "irfft": (fft.irfft, lambda x: np.fft.irfft(x[..., 0] + 1j * x[..., 1]), RNG.uniform(size=(2, 4, 2))),
    "irfft odd": (lambda x: fft.irfft(x, is_odd=True, norm="no_norm"),
                  lambda x: 7 * np.fft.irfft(x[..., 0] + 1j * x[..., 1], n=7), RNG.uniform(size=(2, 4, 2))),
}  # fmt: skip
NO_GRADIENT = ("qr", "svd", "lstsq", "tensorinv", "tensorsolve", "0 norm", "2-norm", "eigenvectors")


@pytest.mark.parametrize("case", CASES, ids=lambda v: None if callable(v) and not isinstance(v, type) else str(v))
def test_agrees_with_numpy(case):
    build, reference, *arrays = CASES[case]
    check(build, reference, *arrays, grad=[] if case.startswith(NO_GRADIENT) else None)


def test_eig():
    x = T.dmatrix()
    w, v = evaluate(list(nlinalg.eig(x)), {x: SYMMETRIC})
    np.testing.assert_allclose(SYMMETRIC @ v, v * w, atol=1e-10)
    with pytest.raises(ValueError, match="complex eigenvalues"):
        evaluate(list(nlinalg.eig(x)), {x: np.array([[0.0, 1.0], [-1.0, 0.0]])})


def test_gradient_of_the_eigenvectors():
    def alignment(x):
        # no sign or scale of the vectors enters
        w, v = nlinalg.eigh(x)
        return T.sqr(v[0]) * w

    verify_grad(alignment, [SYMMETRIC], rng=np.random.RandomState(0), mode=PLAIN, no_debug_ref=False)


def test_cholesky_of_what_is_not_positive():
    x = T.dmatrix()
    with pytest.raises(np.linalg.LinAlgError):
        evaluate(slinalg.cholesky(x), {x: -np.eye(2)})
    softly = slinalg.Cholesky(on_error="nan")(x)
    assert np.isnan(evaluate(softly, {x: -np.eye(2)})).all()
    gradient = theano_compat.grad(softly.sum(), x)
    assert np.isnan(evaluate(gradient, {x: -np.eye(2)})).all()
    assert np.isfinite(evaluate(gradient, {x: np.eye(2)})).all()
    with pytest.raises(ValueError, match="on_error"):
        slinalg.Cholesky(on_error="ignore")


@pytest.mark.parametrize("lower", [True, False])
def test_the_two_gradients_of_cholesky_agree(lower):
    x, dz = T.dmatrix(), T.dmatrix()
    factor = slinalg.Cholesky(lower=lower)(x)
    weights = (np.tril if lower else np.triu)(RNG.uniform(size=(4, 4)))
    symbolic = theano_compat.grad((factor * dz).sum(), x)
    single = slinalg.CholeskyGrad(lower)(x, factor, dz)
    a, b = evaluate([symbolic, single], {x: POSITIVE, dz: weights})
    np.testing.assert_allclose(a, b)


def test_symmetric_solve():
    a, b = T.dmatrix(), T.dvector()
    np.testing.assert_allclose(evaluate(slinalg.solve_symmetric(a, b), {a: SYMMETRIC, b: V}), np.linalg.solve(SYMMETRIC, V))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_dtypes(dtype):
    x = T.matrix(dtype=dtype)
    want = "float32" if dtype == "float32" else "float64"
    value = (np.eye(2) * 2).astype(dtype)
    for build in (
        nlinalg.matrix_inverse, nlinalg.det, slinalg.cholesky, slinalg.expm, lambda x: slinalg.solve(x, x),
        lambda x: nlinalg.svd(x)[0], lambda x: nlinalg.qr(x)[1], lambda x: nlinalg.eigh(x)[0],
    ):  # fmt: skip
        out = build(x)
        assert out.dtype == want
        assert evaluate(out, {x: value}).dtype == want


def test_r_operator_of_the_inverse():
    x, d = T.dmatrix(), T.dmatrix()
    pushed = theano_compat.gradient.Rop(nlinalg.matrix_inverse(x), x, d)
    direction, inverse = RNG.uniform(size=(4, 4)), np.linalg.inv(A)
    np.testing.assert_allclose(evaluate(pushed, {x: A, d: direction}), -inverse @ direction @ inverse)


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda: nlinalg.diag(T.dtensor3()), TypeError, "diag requires vector or matrix"),
        (lambda: nlinalg.norm(T.dtensor3(), 2), NotImplementedError, "ndim > 2"),
        (lambda: nlinalg.norm(T.dmatrix(), 7), ValueError, "0"),
        (lambda: slinalg.kron(T.dvector(), T.dvector()), TypeError, "must sum to 3 or more"),
        (lambda: slinalg.Solve("round"), ValueError, "Invalid matrix structure"),
        (lambda: fft.rfft(T.dvector()), TypeError, "must have dimension > 2"),
        (lambda: fft.irfft(T.dmatrix()), TypeError, "must have dimension >= 3"),
        (lambda: fft.rfft(T.dmatrix(), norm="foo"), ValueError, "Invalid value foo for norm"),
        (lambda: fft.irfft(T.dtensor3(), is_odd=2), ValueError, "must be True or False"),
        (lambda: fft.rfft_op(T.dmatrix(), T.dvector()), TypeError, "must be of type integer"),
    ],
    ids=lambda v: "case" if callable(v) and not isinstance(v, type) else str(v),
)
def test_wrong_arguments(build, error, text):
    with pytest.raises(error, match=text):
        build()


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda x: nlinalg.qr(x)[0], "QRFull{mode='reduced'}"), (lambda x: nlinalg.svd(x)[0], "SVD{full_matrices=1, compute_uv=1}"),
        (lambda x: nlinalg.eigh(x)[0], "Eigh{UPLO='L'}"), (slinalg.cholesky, "Cholesky{lower=True, destructive=False, on_error='raise'}"),
        (lambda x: slinalg.solve(x, x), "Solve{A_structure='general', lower=False, overwrite_A=False, overwrite_b=False}"),
        (nlinalg.det, "Det"), (nlinalg.matrix_inverse, "MatrixInverse"), (nlinalg.pinv, "MatrixPinv"), (slinalg.expm, "Expm"),
    ],
)  # fmt: skip
def test_printed_names(build, text):
    assert str(build(T.dmatrix()).owner.op) == text
