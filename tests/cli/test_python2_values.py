"""Python 2 programs print what Python 2.7.18 printed, with NumPy 1.13.3 where they import it.

Each expected line was printed by those.
"""

import contextlib
import io
import itertools
import re
import subprocess
import sys
import textwrap

import pytest
from test_old_programs import run, write

from theano_compat.cli import python2

PRINTED = [
    # rounding is away from zero, and gives floats
    ("print round(2.5), round(-0.5), round(0.49999999999999994), round(1234.5678, 2), round(3), round(0.285, 2), round(15, -1)", "3.0 -1.0 0.0 1234.57 3.0 0.28 20.0"),
    ("print round(-0.125, 2), round(2.675, 2), repr(round(1e22, 3)), round(5, -1), round(float('inf'))", "-0.13 2.67 1e+22 10.0 inf"),
    # what is not of one kind has an order
    ("print None < -1, float('-inf') > None, 3 < 'a', (1, 2) > 3, [] < (), {} < [], 'a' < {}, None >= None", "True True True True True True False True"),
    ("print sorted([3, 'a', None, 1.5]), max(1, None), min(x for x in ['b', 2]), max([(1, None), (1, 2)])", "[None, 1.5, 3, 'a'] 1 2 (1, 2)"),
    ("l = [(2, None), (1, 'a'), (2, 0)]\nl.sort()\nprint l, cmp(None, 1), cmp('a', 1), cmp([1, None], [1, 'b']), cmp((1, 2), (1, 2))", "[(1, 'a'), (2, None), (2, 0)] -1 1 -1 0"),
    ("class K(object): pass\nprint None < K(), 5 < K(), K() > 2.5", "True True True"),
    # classes with the protocols of then
    (
        """
        class C(object):
            def __init__(self, v): self.v = v
            def __cmp__(self, o): return cmp(self.v, o.v if isinstance(o, C) else o)
        print C(1) < C(2), C(1) == C(1), C(1) != C(2), 3 > C(2), [c.v for c in sorted([C(3), C(1)])], max(C(3), C(1)).v, C(2) in [1, 2], len(set([C(1), C(1)]))
        """,
        "True True True True [1, 3] 3 True 2",
    ),
    (
        """
        class Base(object):
            def __cmp__(self, o): return self.order(o)
            def order(self, o): return 0
        class Better(Base):
            def order(self, o): return 1
            def __eq__(self, o): return 'own'
        print Base() == Base(), Better() > Base(), Better() == 3, bool(hash(Better()))
        """,
        "True True own True",
    ),
    (
        """
        class S:
            def __init__(self): self.done = []
            def __len__(self): return 10
            def __getslice__(self, i, j): return 'slice', i, min(j, 99)
            def __setslice__(self, i, j, v): self.done.append((i, min(j, 99), v))
            def __delslice__(self, i, j): self.done.append((i, min(j, 99)))
            def __getitem__(self, k): return 'item', k
            def __nonzero__(self): return False
        s = S()
        s[1:2] = 5
        s[:] = 6
        del s[-3:]
        print s[1:2], s[:], s[-1:], s[3], s[1:5:2], s.done, bool(s)
        """,
        "('slice', 1, 2) ('slice', 0, 99) ('slice', 9, 99) ('item', 3) ('item', slice(1, 5, 2)) [(1, 2, 5), (0, 99, 6), (7, 99)] False",
    ),
    ("class U(object):\n    def __unicode__(self): return u'said'\nprint unicode(U()), unicode(3), unicode('abc', 'utf-8'), isinstance(u'a', unicode), isinstance('a', basestring)", "said 3 abc True True"),
    # strings
    ("print 'ab'.encode('hex'), '616263'.decode('hex'), 'YQ=='.decode('base64'), 'a'.encode('base64').strip(), 'abc'.encode('rot13'), 'a\\\\n'.decode('string_escape') == 'a\\n'", "6162 abc a YQ== nop True"),
    ("# coding: utf-8\nw = 'caf\\xc3\\xa9'.decode('utf-8')\nprint w.encode('utf-8'), len(w), u'café'.encode('ascii', 'ignore'), u'café'.encode('ascii', 'replace'), 'café'.decode('utf8') == w", "café 4 caf caf? True"),
    ("try:\n    u'\\xe9'.encode('ascii')\nexcept UnicodeEncodeError, e:\n    print 'refused', e.encoding", "refused ascii"),
    ("class A(object):\n    def encode(self, x, k=1): return x + k\n    def decode(self, x): return -x\n    translate = decode\nprint A().encode(3), A().encode(3, k=2), A().decode(4), A().translate(5)", "4 5 -4 -5"),
    ("import string\nprint 'he,llo!'.translate(None, string.punctuation), 'a,b'.translate({44: u'-'}) if 0 else 'a.b'.replace('.', '-')", "hello a-b"),
    # lists, not iterators
    ("print map(None, [1, 2], [3]), map(lambda a, b: (a, b), [1], [2, 3]), filter(str.isdigit, '1a2'), filter(None, (0, 1)), zip([1], [2])[0], map(len, ['ab'])[0]", "[(1, 3), (2, None)] [(1, 2), (None, 3)] 12 (1,) (1, 2) 2"),
    ("from itertools import izip, imap, count\nprint izip(count(), 'ab').next(), list(imap(str, [1])), reduce(lambda a, b: a * b, [2, 3]), range(3) + [4]", "(0, 'a') ['1'] 6 [0, 1, 2, 4]"),
    # parameters that are tuples
    ("print sorted([(1, 'b'), (1, 'a')], lambda (a, b), (c, d): cmp(a, c) or cmp(b, d)), map(lambda (i, (a, b)), k=2: i + a * b * k, [(1, (2, 3))])", "[(1, 'a'), (1, 'b')] [13]"),
    ("class P(object): k = 3\nf = lambda (k, p): p.k + k\ng = lambda *a: len(a)\ndef h((a, (b, c)), d=3): return a, b, c, d\nprint f((1, P())), g(1, 2), h((1, (2, 3))), (lambda (x): x)(5)", "4 2 (1, 2, 3, 3) 5"),
    # errors
    ("try:\n    raise ValueError, 'text'\nexcept ValueError, e:\n    print e.message, e[0], e, e.args\ntry:\n    raise IOError(2, 'gone')\nexcept (IOError, OSError), (number, text):\n    print number, text", "text text text ('text',)\n2 gone"),
    # text that is run
    ("ns = {}\nexec 'a = 7 / 2; print a, `a`' in ns\nprint ns['a'], eval('7 / 2'), eval('xrange(3)')[1], eval('x + 1', {'x': 1})\ndef f(y):\n    return eval('y / 2')\nprint f(5)", "3 3\n3 3 1 2\n2"),
    # numbers as text
    ("print 1 / 3., str(2 / 3.), '%s|%5s|%r' % (0.1 + 0.2, 1.0, 0.1 + 0.2), '{0} {1}'.format(1 / 3., 'a'), [1 / 3.]", "0.333333333333 0.666666666667 0.3|  1.0|0.30000000000000004 0.333333333333 a [0.3333333333333333]"),
    ("print 1e11, 123456789012.0, 1e16, -0.0, 1e-5, 12345678901.0, float('nan'), oct(8), 0755, oct(0), 10L", "1e+11 1.23456789012e+11 1e+16 -0.0 1e-05 12345678901.0 nan 010 493 0 10"),
    # random numbers
    ("import random\nrandom.seed(1)\nl = range(5)\nrandom.shuffle(l)\nprint l, random.choice(l), random.randint(1, 10), random.sample(l, 2), random.sample(xrange(1000), 6), random.Random(3).randrange(100), round(random.random(), 6)", "[1, 4, 2, 3, 0] 2 5 [3, 0] [93, 28, 835, 432, 762, 2] 23 0.445387"),
]


def printed_by(text):
    """Run a Python 2 program in this process and return what it prints."""
    text = textwrap.dedent(text).lstrip("\n")
    code, entries = python2.compile_program(text, "<program>", old=True)
    namespace = {"__name__": "__main__", **entries}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, namespace)
    return out.getvalue().rstrip("\n")


@pytest.mark.parametrize("text, printed", PRINTED, ids=[re.sub(r"\W+", " ", text).strip()[:40] for text, _ in PRINTED])
def test_python2_program_prints_what_python2_printed(text, printed, monkeypatch):
    for name, today in (("izip", zip), ("imap", map)):  # as supply.py serves them
        monkeypatch.setattr(itertools, name, today, raising=False)
    assert printed_by(text) == printed



def output(folder, text, status=0):
    done = run(write(folder, "program.py", text))
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines()


def test_arrays_and_numbers_of_numpy_print_as_in_numpy_1_13(tmp_path):
    text = """
        import numpy as np
        print [np.float64(1), np.float32(2.5), np.int64(3)], np.array([1., 2.]), [np.mean([1, 2])], `np.array([-1., .5])`
        print repr(np.array([True, False])), np.float64(1) / 3, repr(np.float64(0.1)), np.array([0.1, 1e-10]), np.array(1.5), '%s' % np.float32(.1)
    """
    assert output(tmp_path, text) == [
        "[1.0, 2.5, 3] [ 1.  2.] [1.5] array([-1. ,  0.5])",
        "array([ True, False], dtype=bool) 0.333333333333 0.10000000000000001 [  1.00000000e-01   1.00000000e-10] 1.5 0.1",
    ]


def test_numbers_of_numpy_print_without_their_type_in_python3_programs_and_arrays_as_today(tmp_path):
    text = "import numpy as np\nprint([np.float64(1), np.int32(2)], np.array([1., 2.]), [np.mean([1, 2])])\n"
    assert output(tmp_path, text) == ["[1.0, 2] [1. 2.] [1.5]"]


RAGGED = """
    import numpy as np
    a = np.array([[1, 2], [3]])
    print(a.shape, a.dtype, a[0], np.asarray([[[1, 2], [3]], [[1], [2, 3]]]).shape, np.array([np.zeros(2), np.zeros(3)]).shape, np.array([[1, 2], 3])[1])
    for wrong in ({'dtype': float}, {'dtype': 'int32'}):
        try:
            np.array([[1, 2], [3]], **wrong)
        except ValueError:
            print('refused')
    np.save('ragged.npy', [[1, 2], [3]])
    np.savez('ragged.npz', a=[[1, 2], [3]])
    print(np.load('ragged.npy')[1], np.load('ragged.npz')['a'][1])
    import library
    print(library.make())
"""


@pytest.mark.parametrize("first", ["import cPickle", "import pickle"], ids=["Python 2", "Python 3"])
def test_sequences_of_different_lengths_make_arrays_of_objects_for_the_program_alone(first, tmp_path):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "library.py").write_text("import numpy\ndef make():\n    try: return numpy.array([[1], [2, 3]])\n    except ValueError: return 'as today'\n")
    path = f"import sys\n    sys.path.insert(0, {str(packages)!r})"
    printed = output(tmp_path, f"    {first}\n    {path}" + RAGGED)
    if first == "import cPickle":
        assert printed[0] == "((2,), dtype('O'), [1, 2], (2, 2), (2,), 3)"
    else:
        assert printed[0] == "(2,) object [1, 2] (2, 2) (2,) 3"
    assert printed[1:3] == ["refused", "refused"] and re.sub(r"[(),]", "", printed[3]) == "[3] [3]" and printed[4] == "as today"


def test_arrays_of_objects_that_python2_pickled_load(tmp_path):
    # numpy.save of numpy.array(['caf\xe9', [1, 2]], dtype=object) in Python 2.7 with NumPy 1.13
    header = b"\x93NUMPY\x01\x00F\x00{'descr': '|O', 'fortran_order': False, 'shape': (2,), }             \n"
    pickled = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03(K\x01K\x02\x85cnumpy\ndtype\nq\x04U\x02O8K\x00K\x01\x87Rq\x05"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]q\x06(U\x04caf\xe9q\x07]q\x08(K\x01K\x02eetb."
    )
    (tmp_path / "old.npy").write_bytes(header + pickled)
    assert output(tmp_path, "import numpy as np\na = np.load('old.npy')\nprint a[1], a[0] == 'caf\\xe9', a.shape\n") == ["[1, 2] True (2,)"]


def test_methods_that_arrays_lost_work_in_both_pythons(tmp_path):
    text = """
        import numpy as np
        a = np.arange(3, dtype='uint8')
        b = np.zeros((2, 2))
        b.itemset(3, 5)
        b.itemset((0, 1), 4)
        print(len(a.tostring()), a.ptp(), b.tolist(), a.astype('<i2').newbyteorder()[1], np.fromstring(a.tostring(), dtype='uint8').tolist())
    """
    expected = "3 2 [[0.0, 4.0], [0.0, 5.0]] 256 [0, 1, 2]"
    assert output(tmp_path, text) == [expected]
    assert output(tmp_path, text.replace("print(", "print (").replace("import numpy", "import cPickle, numpy")) == [
        "(3, 2, [[0.0, 4.0], [0.0, 5.0]], 256, [0, 1, 2])"
    ]


def test_arrays_without_dimensions_have_12_digits(tmp_path):
    text = """
        import numpy as np
        a = np.array(1 / 3.)
        print a, np.array(2.), np.array(1 / 3., 'float32'), [a], a.tolist(), np.array(3), np.array([1 / 3.])
        print str(a), '%s' % a, '%s %r %.3f' % (a, a, a), '{} {:.2f}'.format(a, a), '%(x)s' % {'x': a}, 'cost %f' % a, a + 1
    """
    third = "0.333333333333"
    assert output(tmp_path, text) == [
        f"{third} 2.0 0.333333343267 [array(0.3333333333333333)] 0.333333333333 3 [ 0.33333333]",
        f"{third} {third} 0.3333333333333333 array(0.3333333333333333) 0.333 {third} 0.33 {third} cost 0.333333 1.33333333333",
    ]


def test_histograms_are_normed(tmp_path):
    text = """
        import numpy as np
        from numpy import histogram
        a = np.array([1., 2., 2., 4.])
        print np.histogram(a, bins=2, normed=True)[0].tolist(), histogram(a, 2, normed=False)[0].tolist(), np.histogram2d(a, a, 1, normed=1)[0].tolist()
    """
    assert output(tmp_path, text) == ["[0.5, 0.16666666666666666] [3, 1] [[0.1111111111111111]]"]


def test_what_a_program_reads_as_bytes_is_a_string_to_it(tmp_path):
    text = """
        import base64, gzip, hashlib, json, re, struct, subprocess, zipfile, zlib
        import numpy as np
        f = gzip.open('z.gz', 'wb'); f.write('a b\\nc d\\n'); f.close()
        print [l.split(' ') for l in gzip.open('z.gz')], gzip.open('z.gz').read().split('\\n'), gzip.GzipFile('z.gz').readline().strip() == 'a b'
        f = open('b.bin', 'wb'); f.write(struct.pack('>II', 2049, 7)); f.write('key value'); f.close()
        f = open('b.bin', 'rb')
        head, rest = struct.unpack('>II', f.read(8)), f.read()
        print head, rest, {'key': 1}[rest.split(' ')[0]], rest[0] + rest[-1], rest + '!', 'x' + rest, '%s|%r' % (rest, rest), rest in ('key value',), 'val' in rest
        print len(open('b.bin', 'rb').read()), ord(open('b.bin', 'rb').read()[2]), np.frombuffer(open('b.bin', 'rb').read(8), '>i4').tolist()
        print re.findall(r'\\w+', rest), json.loads(open('j.json', 'rb').read())['a'], rest.startswith(('x', 'key')), [c for c in rest][:2], rest.upper()
        print subprocess.Popen(['echo', 'a b'], stdout=subprocess.PIPE).communicate()[0].split(' '), subprocess.check_output(['echo', 'c']).strip() == 'c'
        print [line.strip() for line in subprocess.Popen('echo d; echo e', shell=True, stdout=subprocess.PIPE).stdout]
        m = hashlib.md5('ab'); m.update('c')
        print m.hexdigest(), hashlib.sha1('abc').hexdigest()[:8], zlib.crc32('abc'), base64.b64encode('abc'), zlib.decompress(zlib.compress('abc' * 9)) == 'abc' * 9
    """
    (tmp_path / "j.json").write_text('{"a": 1}')
    assert output(tmp_path, text) == [
        "[['a', 'b\\n'], ['c', 'd\\n']] ['a b', 'c d', ''] True",
        "(2049, 7) key value 1 ke key value! xkey value key value|'key value' True True",
        "17 8 [2049, 7]",
        "['key', 'value'] 1 True ['k', 'e'] KEY VALUE",
        "['a', 'b\\n'] True",
        "['d', 'e']",
        "900150983cd24fb0d6963f7d28e17f72 a9993e36 891568578 YWJj True",
    ]


def test_text_and_bytes_that_are_no_utf8_are_printed_as_they_were_read(tmp_path):
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "utf8.txt").write_bytes("fluß\n".encode())
    text = """
        import codecs, sys
        line = open('latin1.txt').readline()
        sys.stdout.write(line)
        print line.decode('latin1').strip(), len(line.decode('latin1').strip()), repr(line.decode('utf8', 'ignore').strip()), unicode(open('utf8.txt').read(), 'utf8').strip()
        print open('utf8.txt', 'rb').read().decode('utf-8').strip(), [w.encode('utf8') for w in open('utf8.txt').read().decode('utf8').split()][0]
        out = open('out.txt', 'w'); out.write(line); out.close()
        sys.stdout.flush()
        sys.stdout = codecs.getwriter('utf8')(sys.stdout)
        print u'gro\\xdf'
    """
    script = write(tmp_path, "program.py", text)
    done = subprocess.run([sys.executable, "-m", "theano_compat", str(script)], capture_output=True, cwd=tmp_path)
    assert done.stdout.splitlines() == [b"caf\xe9", "café 4 'caf' fluß".encode(), "fluß fluß".encode(), "groß".encode()], done.stderr
    assert (tmp_path / "out.txt").read_bytes() == b"caf\xe9\n"


def test_all_of_numpy_leaves_builtins_alone_and_holds_the_names_of_then(tmp_path):
    text = """
        from numpy import *
        print max(3, 5), min(2, 1), round(2.5), abs(-1), pow(2, 3), bool is type(True), product([2, 3]), Inf, sum([[1, 2]], axis=0), array([[1], [2, 3]]).dtype, float is type(1.)
        import numpy as np
        print np.math.factorial(3), np.max([1, 3]), np.product([2, 2])
    """
    assert output(tmp_path, text) == ["5 1 3.0 1 8 True 6 inf [1 2] object True", "6 3 4"]
