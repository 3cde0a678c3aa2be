"""Runs one case under one framework in this process and prints its times as JSON (see run.py)."""

import argparse
import json
import sys
import time


def make_data(dtype, batch):
    """Return the arrays that all frameworks get: real-looking digits, labels, initial parameters."""
    import numpy as np

    rng = np.random.RandomState(0)

    def uniform(*shape):
        fan = int(np.prod(shape[1:])) if len(shape) == 4 else sum(shape)
        return rng.uniform(-1, 1, shape).astype(dtype) * np.asarray(np.sqrt(3.0 / fan), dtype)

    ink = rng.rand(batch, 784)
    data = {"x": np.where(ink > 0.8, ink, 0).astype(dtype), "y": rng.randint(0, 10, batch).astype("int32")}
    data.update(W1=uniform(784, 500), b1=np.zeros(500, dtype), W2=uniform(500, 10), b2=np.zeros(10, dtype))
    data.update(K1=uniform(20, 1, 5, 5), c1=np.zeros(20, dtype), K2=uniform(50, 20, 5, 5), c2=np.zeros(50, dtype))
    data.update(W3=uniform(800, 500), b3=np.zeros(500, dtype), W4=uniform(500, 10), b4=np.zeros(10, dtype))
    data.update(u=rng.randn(100000).astype(dtype), v=rng.randn(100000).astype(dtype), m=rng.randn(256, 1000).astype(dtype))
    return data


def load(framework):
    """Import a framework and return its cases."""
    if framework == "theano_compat":
        import theano_compat as theano

        from models_theano import cases

        return cases(theano)
    if framework == "theano":
        import theano

        from models_theano import cases

        return cases(theano)
    if framework == "jax":
        from models_jax import cases

        return cases()
    from models_torch import cases

    return cases()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("framework")
    parser.add_argument("case")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to repeat the call")
    args = parser.parse_args()
    clock, cpu = time.perf_counter, time.process_time
    start = clock()
    import numpy as np

    numpy_s = clock() - start
    cases = load(args.framework)
    import_s = clock() - start
    data = make_data(args.dtype, args.batch)
    start, build_cpu = clock(), cpu()
    call, arguments = cases[args.case](data)
    build_s = clock() - start
    start = clock()
    result = np.asarray(call(*arguments))
    first_s = clock() - start
    cpu_s = cpu() - build_cpu
    for _ in range(3):
        result = np.asarray(call(*arguments))
    times, until = [], clock() + args.seconds
    inner = 200 if args.case == "x + 1" else 1
    while clock() < until or len(times) < 5:
        start = clock()
        for _ in range(inner):
            call(*arguments)
        times.append((clock() - start) / inner)
    times.sort()
    print(json.dumps({
        "numpy_import_s": numpy_s, "import_s": import_s, "build_s": build_s, "first_call_s": first_s, "compile_cpu_s": cpu_s,
        "step_s": times[len(times) // 2], "best_s": times[0], "calls": len(times) * inner, "result": float(np.sum(result, dtype="float64")),
    }))  # fmt: skip
    sys.stdout.flush()


if __name__ == "__main__":
    main()
