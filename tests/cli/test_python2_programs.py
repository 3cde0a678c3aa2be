"""Python 2 programs give the numbers, files and error lines that they gave then."""

import subprocess
import sys

import pytest
from test_old_programs import run, write

from theano_compat.cli import python2


def output(folder, text, status=0):
    done = run(write(folder, "program.py", text))
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines()


DIVISIONS = """
    import numpy as np, theano, theano.tensor as T
    i, m, x = T.lscalar('i'), T.imatrix('m'), T.dmatrix('x')
    def augmented(v):
        v /= 2
        return v
    for e in [i / 2, 7 / i, i / i, np.int64(7) / i, x.shape[0] / 2, m / 2, theano.shared(7) / 2, T.constant(7) / 2, augmented(i)]:
        print e.dtype,
    print (i / 2.).dtype, (x / 2).dtype
    print (m / 2).eval({m: [[5, -7]]}).tolist(), theano.function([x], x[:x.shape[0] / 2])(np.eye(4)).tolist()
"""


def test_symbolic_integers_divide_to_integers(tmp_path):
    lines = output(tmp_path, DIVISIONS)
    kinds = lines[0].split()
    assert kinds[:5] == ["int64"] * 5 and all(k.startswith("int") for k in kinds[5:9]) and kinds[9:] == ["float64"] * 2
    assert lines[1] == "[[2, -4]] [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]"


def test_symbolic_division_is_true_where_the_program_asks_for_it(tmp_path):
    text = "from __future__ import division\nimport theano.tensor as T\nprint 7 / 2, (T.lscalar() / 2).dtype\n"
    assert output(tmp_path, text) == ["3.5 float64"]


def test_classes_that_define_only_the_old_division_divide(tmp_path):
    text = """
        class Left(object):
            def __div__(self, other): return NotImplemented if other == 'no' else 'div %s' % other
        class Right(object):
            def __rdiv__(self, other): return 'rdiv'
        class Inside(Left):
            def __idiv__(self, other): return 'idiv %s' % other
        class Better(Left):
            def __rdiv__(self, other): return 'better'
        print Left() / 2
        print 2 / Right()
        print Left() / Better()
        a, b = Inside(), Left()
        a /= 3
        b /= 3
        print a
        print b
        try:
            Left() / 'no'
        except TypeError:
            print 'refused'
    """
    assert output(tmp_path, text) == ["div 2", "rdiv", "better", "idiv 3", "div 3", "refused"]


def test_division_in_place_changes_what_it_names_once(tmp_path):
    text = """
        import numpy as np
        class Box(object):
            pass
        box, calls = Box(), []
        def where():
            calls.append(1)
            return 1
        box.n = 7
        box.n /= 2
        numbers = [5, 7]
        numbers[where()] /= 2
        whole, real = np.array([5, 7, 9]), np.array([1., 2.])
        same, alike = whole, real
        whole /= 2
        real /= 2
        same[1:] /= 2
        print box.n, numbers, len(calls), same.tolist(), alike.tolist()
    """
    assert output(tmp_path, text) == ["3 [5, 3] 1 [2, 1, 2] [0.5, 1.0]"]


def test_lines_stay_the_programs_own_where_the_translation_has_more_or_fewer(tmp_path):
    text = '''
        import inspect, theano, theano.tensor as T; here = lambda: inspect.currentframe().f_back.f_lineno
        from urllib2 import urlopen, URLError
        class Twice(theano.Op):
            __props__ = ()
            def make_node(self, x): return theano.Apply(self, [x], [x.type()])
            def perform(self, node, (x,), (out,)):
                out[0] = x * 2
        print here(), 010
        def spread(a,
                   (b, c)):
            """Documented
            over two lines."""
            # and commented
            for k in (b,):
                print here(), 15
            return map(lambda (p, q): p + q, [(a, k)])
        print spread(1, (2, 3)), here(), 17
        x = T.dmatrix('x')
        y = x + 1
        print y.tag.trace[0][-1][1], 19
        def one((a, b)): return a, b, here()
        print one((1, 2)), 21
        print """two
        lines""", \\
            here()
        def last():
            raise RuntimeError, Twice
        last()
    '''
    done = run(write(tmp_path, "program.py", text))
    printed = done.stdout.splitlines()
    assert printed == ["8 8", "15 15", "[3] 17 17", "19 19", "(1, 2, 21) 21", "two", "lines 25"], done.stderr
    assert "line 28, in <module>\n    last()" in done.stderr and "line 27, in last\n    raise RuntimeError, Twice" in done.stderr


def test_modules_that_are_gone_serve_the_line_of_their_import(tmp_path):
    text = """
        import cPickle, zlib; print cPickle.loads(cPickle.dumps([1]))
        import time; import ConfigParser; c = ConfigParser.ConfigParser()
        def f():
            import Queue; return Queue.Queue().qsize()
        import urllib, urllib2
        from urllib2 import *
        print f(), urllib.quote('a b'), URLError is urllib2.URLError
    """
    assert output(tmp_path, text) == ["[1]", "0 a%20b True"]


@pytest.mark.parametrize(
    "text, line, kind",
    [
        ("print 'a'\nx = = 3\n", 2, "SyntaxError"),
        ("print 'a'\nif 1:\n        x = 1\n    y = 2\n", 4, "IndentationError"),
        ("print 'a'\nx = '''b\n", 2, "SyntaxError"),
        ("print(1\n", 1, "SyntaxError"),
    ],
)
def test_syntax_error_in_a_python2_program_is_reported_where_it_is(text, line, kind, tmp_path):
    done = run(write(tmp_path, "program.py", text))
    assert done.returncode == 1 and f'program.py", line {line}\n' in done.stderr and kind in done.stderr, done.stderr


def test_files_take_text_and_bytes_however_they_were_opened(tmp_path):
    text = """
        import cPickle, csv, os, StringIO, cStringIO
        import numpy as np
        value = {'a': [1, 2], 'b': np.arange(300)}
        for mode in ('w', 'wb', 'w+', 'w+b'):
            with open('value.pkl', mode) as f:
                cPickle.dump(value, f, -1)
            print cPickle.load(open('value.pkl'))['b'].sum(), cPickle.load(file('value.pkl', 'rb'))['a']
            f = open('array.npy', mode); np.save(f, np.arange(5.)); f.close()
            print np.load('array.npy').tolist()
            f = open('mixed.txt', mode); f.write('first\\n'); f.write(b'second\\n'); f.writelines(['third\\n', b'fourth']); f.close()
            print open('mixed.txt').read().split(), open('mixed.txt', 'rU').readline()[:5]
        with open('table.csv', 'wb') as f:
            csv.writer(f).writerow([1, 'two'])
        print repr(open('table.csv', 'rb').read()), list(csv.reader(open('table.csv', 'rb'))), list(csv.DictReader(open('table.csv')))
        log = open('log.txt', 'w', 0)
        print >>log, 'at once'
        print open('log.txt').read().strip()
        for kind in (StringIO.StringIO, cStringIO.StringIO):
            f = kind()
            cPickle.dump(value, f)
            f.seek(0)
            print cPickle.load(f)['a'],
            f = kind()
            f.write('text')
            print f.getvalue(), [line for line in kind('a\\nb')], np.loadtxt(kind('1 2')).tolist()
    """
    each = ["44850 [1, 2]", "[0.0, 1.0, 2.0, 3.0, 4.0]", "['first', 'second', 'third', 'fourth'] first"]
    assert output(tmp_path, text) == each * 4 + ["'1,two\\r\\n' [['1', 'two']] []", "at once"] + ["[1, 2] text ['a\\n', 'b'] [1.0, 2.0]"] * 2


@pytest.mark.parametrize(
    "text, printed",
    [
        ('print ("cost %d") % (7 / 2)', "cost 3"),
        ("import numpy\nprint (numpy.arange(3) / 2).dtype.kind, 7 / 2", "i 3"),
        ('b = 7 / 2\nprint ("a"), b', "a 3"),
        ("print (7 / 2) == 3", "True"),
        ("print (1)\nprint\nprint (7 / 2)", "1\n\n3"),
        ("import sys\nprint >>sys.stdout, 7 / 2", "3"),
        ("for k, v in {'a': 7}.iteritems(): print(v / 2)", "3"),
        ("if {7: 1}.has_key(7): print(7 / 2)", "3"),
        ("import cPickle\nprint(7 / 2)", "3"),
        ("from StringIO import StringIO\nprint(7 / 2)", "3"),
        ("from __future__ import print_function\nimport Queue, sys\nprint(7 / 2, 1, file=sys.stdout)", "3 1"),
        ("#!/usr/bin/env python2\nprint(7 / 2)", "3"),
    ],
)
def test_python2_programs_that_parse_today_are_known_as_such(text, printed, tmp_path):
    assert "\n".join(output(tmp_path, text)) == printed


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle",
        "try:\n    import queue\nexcept ImportError:\n    import Queue as queue",
        "import sys\nif sys.version_info[0] == 2:\n    import cPickle",
        "import six\nif six.PY2:\n    import ConfigParser",
        "import six\nfor k, v in six.iteritems({}): pass",
        "from six.moves import cPickle, xrange",
        "d = {}\nitems = d.iteritems() if hasattr(d, 'iteritems') else d.items()",
        "import pandas as pd\nframe = pd.DataFrame()\nfor name, column in frame.iteritems(): pass",
        "class Table:\n    def has_key(self, key): return key in self\nTable().has_key(1)",
        "from __future__ import print_function\nprint('a'), 1",
        "import cPickle\nprint(f'{1}')",
        "import cPickle\nprint(1, end='')",
        "import cPickle\ndef f(x: int): return x",
        "#!/usr/bin/env python3\nimport cPickle",
        "log = [print(1), 2]\nprint('a %d' % 2)",
    ],
)
def test_python3_programs_and_those_for_both_are_left_alone(text):
    assert not python2.is_python2(text + "\nprint(7 / 2)\n")


def test_options_say_which_python_a_program_is(tmp_path):
    script = write(tmp_path, "program.py", "import sys\nprint(7 / 2)\nprint(sys.argv[1:])\n")
    assert run(script).stdout == "3.5\n[]\n"
    for option, printed in (("--python2", "3\n['a']\n"), ("--python3", "3.5\n['a']\n")):
        done = subprocess.run([sys.executable, "-m", "theano_compat", option, str(script), "a"], capture_output=True, text=True)
        assert done.stdout == printed, done.stderr
    wrong = write(tmp_path, "wrong.py", "print(1)\nx = = 3\n")
    done = subprocess.run([sys.executable, "-m", "theano_compat", "--python2", str(wrong)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(f'  File "{wrong}", line 2\n    x = = 3\n'), done.stderr
    unclear = write(tmp_path, "gone.py", "import cPickle\nprint(7 / 2)\n")
    done = subprocess.run([sys.executable, "-m", "theano_compat", "--python3", str(unclear)], capture_output=True, text=True)
    assert done.stdout == "3.5\n", done.stderr
