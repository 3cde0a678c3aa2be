"""Old programs run unchanged: Python 2, gone names, notebooks, error traces."""

import json
import os
import subprocess
import sys
import textwrap

import pytest


def run(path, *args, **kwargs):
    return subprocess.run([sys.executable, "-m", "theano_compat", str(path), *args], capture_output=True, text=True, cwd=path.parent, **kwargs)


def write(folder, name, text):
    path = folder / name
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path


def test_python2_syntax_builtins_and_division(tmp_path):
    script = write(
        tmp_path,
        "old.py",
        """
        import sys, helper
        print "args", sys.argv[1:]
        for key, value in {'a': 1}.iteritems():
            print key, value, 7 / 2, 7 / 2., cmp(1, 2)
        n = 5
        n /= 2
        print n, list(xrange(n)), helper.half(9)
        print >>sys.stderr, "to stderr"
        try:
            raise ValueError, "old raise"
        except ValueError, error:
            print error
        """,
    )
    write(tmp_path, "helper.py", "def half(n):\n    print 'in helper'\n    return n / 2\n")
    done = run(script, "x", "y")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == "args ['x', 'y'] a 1 3 3.5 -1 in helper 2 [0, 1] 4 old raise".split()
    assert "to stderr" in done.stderr
    assert "supplied for this program: Python 3 syntax" in done.stderr


def test_future_division_is_honoured(tmp_path):
    script = write(tmp_path, "d.py", "from __future__ import division\nprint 7 / 2\n")
    assert run(script).stdout == "3.5\n"


def test_python3_program_is_left_alone(tmp_path):
    script = write(tmp_path, "new.py", "print(7 / 2, [x for x in map(str, range(2))])\n")
    done = run(script)
    assert done.stdout == "3.5 ['0', '1']\n" and done.stderr == ""


def test_gone_names_are_supplied_and_listed(tmp_path):
    script = write(
        tmp_path,
        "names.py",
        """
        from __future__ import print_function
        import cPickle, collections, inspect, time, urllib
        import numpy as np
        from collections import Mapping
        from numpy.linalg.linalg import LinAlgError
        from scipy.misc import logsumexp
        print(np.linalg.linalg.LinAlgError is LinAlgError is np.linalg.LinAlgError)
        print(np.float(2), np.int is int, np.object is object, np.product([2, 3]), np.MAXDIMS in (32, 64))
        print(isinstance({}, Mapping), inspect.getargspec(lambda a, b=1: 0).args, urllib.quote("a b"))
        print(cPickle.loads(cPickle.dumps({"a": 1}, 2)), round(float(logsumexp([0.0, 0.0])), 6), time.clock() > 0)
        """,
    )
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True", "2.0 True True 6 True", "True ['a', 'b'] a%20b", "{'a': 1} 0.693147 True"]
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("theano_compat: supplied")]
    for name in ("cPickle", "collections.Mapping", "scipy.misc", "numpy.float", "inspect.getargspec", "urllib.quote", "time.clock"):
        assert name in line


def test_plain_import_supplies_nothing():
    code = "import theano_compat, numpy, collections; print(hasattr(collections, 'Mapping'), hasattr(numpy, 'asscalar'))"
    out = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert out.stdout.split()[0] == "False", out.stderr


def test_python2_pickle_with_latin1_strings_loads(tmp_path):
    # protocol 2 with a byte string holding 0xff, as Python 2 wrote NumPy data
    (tmp_path / "old.pkl").write_bytes(b"\x80\x02U\x02a\xffq\x01.")
    script = write(tmp_path, "load.py", "import pickle\nprint(repr(pickle.load(open('old.pkl', 'rb'))))\n")
    assert run(script).stdout == "'a\xff'\n"


def test_error_shows_only_the_users_lines(tmp_path):
    script = write(tmp_path, "bad.py", "print 'start'\n\n\ndef f():\n    return 1 / 0\n\n\nf()\n")
    done = run(script)
    assert done.returncode == 1
    assert 'line 8, in <module>\n    f()' in done.stderr and "line 5, in f" in done.stderr
    assert "theano_compat/cli" not in done.stderr


def test_neither_python_gives_todays_syntax_error(tmp_path):
    done = run(write(tmp_path, "no.py", "x = = 3\n"))
    assert done.returncode == 1 and "SyntaxError" in done.stderr and "line 1" in done.stderr


def test_exit_status_and_missing_file(tmp_path):
    assert run(write(tmp_path, "e.py", "import sys\nsys.exit(7)\n")).returncode == 7
    done = run(tmp_path / "none.py")
    assert done.returncode == 2 and "no such file" in done.stderr


def notebook(folder, *cells):
    path = folder / "book.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": c.splitlines(True)} for c in cells], "metadata": {}, "nbformat": 4}))
    return path


def test_notebook_cells_magics_and_last_values(tmp_path):
    book = notebook(tmp_path, "%matplotlib inline\nimport numpy as np\nx = np.arange(3)", "%%time\nprint 'py2', 3 / 2\nx.sum()", "!echo shell\nx;", "x.sum()?\n%timeit x")
    done = run(book)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == ["py2 1", "3", "shell"]


def test_notebook_saves_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    book = notebook(tmp_path, "import matplotlib.pyplot as plt", "plt.plot([1, 2])\nplt.show()")
    done = run(book)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "book_cell2.png").read_bytes()[:4] == b"\x89PNG"


def test_error_in_a_notebook_names_the_cell(tmp_path):
    done = run(notebook(tmp_path, "a = 1", "\nundefined_name"))
    assert done.returncode == 1 and "book.ipynb cell 2" in done.stderr and "line 2" in done.stderr


def test_flags_reach_the_program(tmp_path):
    script = write(tmp_path, "flags.py", "from theano_compat import config\nprint(config.floatX)\n")
    out = subprocess.run([sys.executable, "-m", "theano_compat", "--flags=floatX=float32", str(script)], capture_output=True, text=True)
    assert out.stdout == "float32\n", out.stderr


def test_sorts_with_and_without_a_comparing_function(tmp_path):
    # numpy.sort and tensor.sort are no sorts of lists, whatever a translator thinks of their first argument
    script = write(
        tmp_path,
        "sorts.py",
        """
        import numpy as np
        import theano.tensor as T
        m = T.dmatrix('m')
        down = lambda a, b: cmp(b, a)
        print np.sort(np.array([3, 1, 2])).tolist(), T.sort(m, 0).eval({m: [[2.], [1.]]}).tolist()
        a = np.array([[2, 1]]); a.sort(1); print a.tolist()
        l = [1, 3, 2]; l.sort(down); print l
        l.sort(); print l
        l.sort(cmp=down, key=lambda v: -v); print l
        print sorted(l, down), sorted(l, cmp=down, reverse=True), sorted(l, key=lambda v: -v), sorted(l)
        """,
    )
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[1, 2, 3] [[1.0], [2.0]]", "[[1, 2]]", "[3, 2, 1]", "[1, 2, 3]", "[1, 2, 3]", "[3, 2, 1] [1, 2, 3] [3, 2, 1] [1, 2, 3]"]


def test_translation_keeps_line_numbers(tmp_path):
    script = write(tmp_path, "lines.py", "import operator\nprint reduce(lambda a, b: a + b, [1, 2])\nprint operator.isCallable(len), intern('a')\n1 / 0\n")
    done = run(script)
    assert done.stdout.split() == ["3", "True", "a"], done.stderr
    assert 'line 4, in <module>\n    1 / 0' in done.stderr


def test_traces_of_variables_leave_the_runner_out(tmp_path):
    script = write(tmp_path, "trace.py", "import theano.tensor as T\nx = T.dvector('x')\ny = x + 1\nprint([f[1:3] for f in y.tag.trace[0]])\n")
    done = run(script)
    assert done.stdout == "[(3, '<module>')]\n", done.stderr


def test_names_are_supplied_to_libraries_on_pythonpath(tmp_path):
    package = tmp_path / "libraries" / "scipy"
    (package / "signal").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "signal" / "__init__.py").write_text("")
    (package / "signal" / "windows.py").write_text("def gaussian(n, std):\n    return n\n")
    script = write(tmp_path, "names.py", "from scipy.signal import gaussian\nprint(gaussian(3, 1))\n")
    done = run(script, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "libraries"), *sys.path])})
    assert done.stdout == "3\n", done.stderr


def test_numpy_tester_can_be_made_but_not_run(tmp_path):
    script = write(
        tmp_path,
        "tester.py",
        """
        from numpy.testing import Tester
        test = Tester().test
        try:
            test()
        except AttributeError as error:
            print(error)
        """,
    )
    assert run(script).stdout == "numpy.testing.Tester no longer exists; use pytest\n"
