"""The commonest mistakes, and what is said about them, here and by a real Theano.

    python -m compat_tests.error_texts                 what theano_compat says
    python -m compat_tests.error_texts --python P      beside what the real Theano of interpreter P says

Each mistake is a small program; its last line raises. Compared are the type of the exception and the first line of its message (addresses and paths left out).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent

MISTAKES = {
    "shapes of an elementwise sum": "f = theano.function([x, y], x + y)\nf([1., 2.], [1., 2., 3.])",
    "shapes of a matrix product": "f = theano.function([m, n], T.dot(m, n))\nf([[1., 2.]], [[1., 2.]])",
    "shapes of a matrix-vector product": "f = theano.function([m, x], T.dot(m, x))\nf([[1., 2.]], [1., 2., 3.])",
    "shapes of a join": "f = theano.function([m, n], T.concatenate([m, n], axis=1))\nf([[1.]], [[1.], [2.]])",
    "reshape to another size": "f = theano.function([x], x.reshape((2, 3)))\nf([1., 2.])",
    "index out of bounds": "f = theano.function([x], x[5])\nf([1., 2.])",
    "index array out of bounds": "f = theano.function([x, v], x[v])\nf([1., 2.], [7])",
    "broadcast that was not declared": "f = theano.function([m, n], m + n)\nf([[1., 2.]], [[1., 2.], [3., 4.]])",
    "argument of the wrong rank": "f = theano.function([m], m * 2)\nf([1., 2.])",
    "argument of the wrong dtype": "f = theano.function([v], v * 2)\nf([1.5])",
    "float64 for float32": "a = T.fvector('a')\nf = theano.function([a], a * 2)\nf(numpy.array([0.1]))",
    "row that is no row": "r = T.drow('r')\nf = theano.function([r], r * 2)\nf([[1.], [2.]])",
    "too few arguments": "f = theano.function([x, y], x + y)\nf([1.])",
    "too many arguments": "f = theano.function([x], x)\nf([1.], [1.])",
    "unknown keyword": "f = theano.function([x], x * 2)\nf(z=[1.])",
    "missing input": "theano.function([x], x + y)",
    "unused input": "theano.function([x, y], x * 2)",
    "input given twice": "theano.function([x, x], x * 2)",
    "update of another type": "s = theano.shared(numpy.zeros(3))\ntheano.function([], [], updates=[(s, T.zeros((3, 3)))])",
    "update of what is not shared": "theano.function([x], x, updates=[(y, x)])",
    "two updates of one variable": "s = theano.shared(1.)\ntheano.function([], s, updates=[(s, s + 1), (s, s + 2)])",
    "gradient of a vector": "T.grad(x * 2, x)",
    "gradient of an integer": "i = T.lscalar('i')\nT.grad(i * 2, i)",
    "disconnected gradient": "T.grad(x.sum(), y)",
    "gradient by an integer": "T.grad((x * v).sum(), v)",
    "gradient without a rule": "class Double(theano.Op):\n    def make_node(self, a):\n        return theano.Apply(self, [a], [a.type()])\n    def perform(self, node, inputs, out):\n        out[0][0] = inputs[0] * 2\nT.grad(Double()(x).sum(), x)",
    "NaN under the guard": "from theano.compile.nanguardmode import NanGuardMode\nf = theano.function([x], T.log(x), mode=NanGuardMode())\nf([-1.])",
    "truth of a variable": "if x > 1:\n    pass",
    "iteration over a variable": "len(x)",
    "unknown method": "x.foo",
    "unknown dtype": "T.tensor('float63', (False,))",
    "dimshuffle that drops a dimension": "m.dimshuffle(0)",
    "sum over a missing axis": "m.sum(axis=2)",
    "too many indices": "x[1, 2]",
    "float index": "x[1.5]",
    "unknown flag": "theano.config.flotX",
    "bad flag": "theano.config.floatX = 'float63'",
    "unknown mode": "theano.function([x], x, mode='FAST')",
    "set_value of another rank": "s = theano.shared(numpy.zeros(3))\ns.set_value(numpy.zeros((3, 3)))",
    "no variable": "theano.function([3], x)",
    "no output variable": "theano.function([x], 'text')",
    "givens of another type": "theano.function([x], x, givens={x: m})",
    "shapes of conv2d": "a, b = T.dtensor4(), T.dtensor4()\nf = theano.function([a, b], T.nnet.conv2d(a, b))\nf(numpy.ones((1, 2, 5, 5)), numpy.ones((1, 3, 2, 2)))",
    "label out of range": "f = theano.function([m, v], T.nnet.categorical_crossentropy(T.nnet.softmax(m), v))\nf([[1., 2.]], [5])",
}
START = "import numpy\nimport theano\nimport theano.tensor as T\nx, y = T.dvector('x'), T.dvector('y')\nm, n = T.dmatrix('m'), T.dmatrix('n')\nv = T.lvector('v')\n"


def clean(text: str) -> str:
    """Take out what differs from run to run."""
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.sub(r'(File |name )?"[^"]*\.py:?\d*"', r'\1"…"', text)
    return text.replace("theano_compat.", "theano.")


def provoke() -> None:
    """Run every mistake and print type, message and whether the user's line is in it, as JSON."""
    import linecache

    results = {}
    for number, (name, program) in enumerate(MISTAKES.items()):
        text = START + program + "\n"
        filename = f"mistake{number}.py"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        try:
            exec(compile(text, filename, "exec"), {"__name__": "__main__"})
            results[name] = ("nothing was raised", "", False)
        except BaseException as error:
            message = str(error)
            results[name] = (type(error).__name__, message, filename in message)
    print(json.dumps(results))


def ask(python: str = sys.executable, real: bool = False) -> dict[str, list]:
    """Return name -> [type, message, whether the user's line is shown] from an interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    if real:
        environment["THEANO_FLAGS"] = f"blas.ldflags=,base_compiledir={tempfile.gettempdir()}/theano_real"
        code = "import sys; sys.path.insert(0, %r); import runpy; runpy.run_path(%r)['provoke']()" % (str(HERE), str(HERE / "error_texts.py"))
    else:
        code = "from theano_compat import alias; alias.install(); from compat_tests.error_texts import provoke; provoke()"
    done = subprocess.run([python, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment, cwd=HERE.parent if not real else tempfile.gettempdir())
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def first_line(message: str) -> str:
    """Return the first line of a message, cleaned."""
    return clean(message.strip().split("\n")[0].strip())


LEDGER = HERE / "ledgers" / "error_texts.json"
#: where our first line is other than Theano's, and why
OWN_WORDS = {
    "shapes of a matrix product": "Theano's words depend on its BLAS; these are its C code's for Dot",
    "shapes of a matrix-vector product": "likewise",
    "shapes of a join": "names the input that does not fit; NumPy's words differ between releases",
    "reshape to another size": "the wanted shape is summed up by its number of elements",
    "index out of bounds": "says which index, axis and size",
    "disconnected gradient": "the reason comes first, the user's line below it",
    "dimshuffle that drops a dimension": "the broadcast pattern is a tuple",
    "float index": "no boolean masks are promised where a float is given",
    "unknown flag": "an AttributeError too; names the closest flag",
    "bad flag": "names the closest value",
}


def main() -> None:
    """Print the texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="interpreter with a real Theano")
    parser.add_argument("--update", action="store_true", help="write what the real Theano says to the ledger")
    parser.add_argument("--whole", action="store_true", help="print whole messages")
    args = parser.parse_args()
    ours = ask()
    theirs = ask(args.python, real=True) if args.python else {}
    same = shown = 0
    for name, (kind, message, line) in ours.items():
        text = message if args.whole else first_line(message)
        print(f"{name}\n    ours:   {kind}: {text[:1500]}{'   [names the line]' if line else ''}")
        if theirs:
            their_kind, their_message, their_line = theirs[name]
            print(f"    Theano: {their_kind}: {(their_message if args.whole else first_line(their_message))[:1500]}{'   [names the line]' if their_line else ''}")
            same += (kind, first_line(message)) == (their_kind, first_line(their_message))
            shown += kind == their_kind
    if theirs and args.update:
        LEDGER.write_text(json.dumps({name: [kind, first_line(message)] for name, (kind, message, _) in theirs.items()}, indent=1) + "\n")
    print(f"{len(ours)} mistakes" + (f": {shown} of the same type, {same} with the same first line" if theirs else ""))


if __name__ == "__main__":
    main()
