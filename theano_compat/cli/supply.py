"""Names that programs of 2010-2017 use and that today's Python, NumPy and SciPy no longer have.

:func:`install` makes them available in this process, which runs an old program; a plain ``import theano_compat`` never does.
Nothing is set before it is asked for: a gone attribute is served by the module's ``__getattr__``, a gone module by an import hook, and each use
is noted, so that :func:`report` can say in one line what was supplied.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any

used: dict[str, None] = {}


def note(name: str) -> None:
    """Remember that a name was supplied."""
    used.setdefault(name)


def report() -> str:
    """Return the line that lists what was supplied, "" if nothing was."""
    return f"theano_compat: supplied for this program: {', '.join(used)}" if used else ""


# --- where the replacements come from: "module:attribute", or a function that makes it ----------------------------------

_BUILTIN_TYPES = {"float": float, "int": int, "bool": bool, "object": object, "str": str, "complex": complex, "long": int, "unicode": str}

_NUMPY: dict[str, Any] = {
    **{name: (lambda t=t: t) for name, t in _BUILTIN_TYPES.items()},
    "float_": "numpy:float64",
    "complex_": "numpy:complex128",
    "unicode_": "numpy:str_",
    "string_": "numpy:bytes_",
    "typeDict": "numpy:sctypeDict",
    "Inf": "numpy:inf",
    "Infinity": "numpy:inf",
    "infty": "numpy:inf",
    "PINF": "numpy:inf",
    "NINF": lambda: -float("inf"),
    "NaN": "numpy:nan",
    "NAN": "numpy:nan",
    "PZERO": lambda: 0.0,
    "NZERO": lambda: -0.0,
    "product": "numpy:prod",
    "cumproduct": "numpy:cumprod",
    "sometrue": "numpy:any",
    "alltrue": "numpy:all",
    "rank": "numpy:ndim",
    "row_stack": "numpy:vstack",
    "in1d": "numpy:isin",
    "trapz": "numpy:trapezoid",
    "round_": "numpy:round",
    "asscalar": lambda: lambda a: a.item(),
    "msort": lambda: lambda a: importlib.import_module("numpy").sort(a, axis=0),
    "find_common_type": lambda: lambda arrays, scalars: importlib.import_module("numpy").result_type(*arrays, *scalars),
    "cast": lambda: _NumpyCast(),
    "mat": "numpy:asmatrix",
    "asfarray": lambda: _asfarray,
    "source": lambda: importlib.import_module("inspect").getsource,
    "fastCopyAndTranspose": lambda: lambda a: a.T.copy(),
    "deprecate": lambda: lambda *args, **kwargs: args[0] if args and callable(args[0]) else (lambda f: f),
    "byte_bounds": "numpy.lib.array_utils:byte_bounds",
    "issubsctype": "numpy:issubdtype",
    "maximum_sctype": lambda: _maximum_sctype,
    "obj2sctype": lambda: lambda rep, default=None: importlib.import_module("numpy").dtype(rep).type,
}


class _NumpyCast(dict):
    """``numpy.cast[dtype](x)``."""

    def __missing__(self, dtype):
        import numpy

        return lambda x: numpy.asarray(x).astype(dtype)


def _asfarray(a, dtype=None):
    import numpy

    kind = numpy.dtype(dtype if dtype is not None else float)
    return numpy.asarray(a, dtype=kind if kind.kind in "fc" else float)


def _maximum_sctype(t):
    import numpy

    return {"i": numpy.int64, "u": numpy.uint64, "f": numpy.longdouble, "c": numpy.clongdouble}.get(numpy.dtype(t).kind, numpy.dtype(t).type)


def _numpy_random_integers(low, high=None, size=None):
    import numpy

    return numpy.random.randint(1, low + 1, size) if high is None else numpy.random.randint(low, high + 1, size)


def _from_numpy(*names: str) -> dict[str, Any]:
    return {name: f"numpy:{name}" for name in names}


_SCIPY = {
    **_from_numpy(
        "array", "asarray", "zeros", "ones", "empty", "eye", "identity", "arange", "linspace", "logspace", "dot", "exp", "log10", "sin", "cos", "tan", "mean", "median",
        "std", "var", "sum", "prod", "cumsum", "cumprod", "max", "min", "argmax", "argmin", "argsort", "sort", "where", "nonzero", "concatenate", "vstack", "hstack", "reshape", "transpose",
        "pi", "inf", "nan", "isnan", "isinf", "floor", "ceil", "sign", "absolute", "abs", "maximum", "minimum", "float32", "float64", "int32", "int64", "uint8", "polyfit", "polyval", "outer", "cov",
        "corrcoef", "diag", "tile", "repeat", "unique", "meshgrid", "histogram", "interp", "ndarray", "newaxis", "allclose", "random", "loadtxt", "savetxt", "tanh", "power", "clip", "real", "imag", "conj", "angle", "rot90", "ravel",
    ),
    "rand": "numpy.random:rand",
    "randn": "numpy.random:randn",
    "log": "numpy.lib.scimath:log",
    "sqrt": "numpy.lib.scimath:sqrt",
    "factorial": "scipy.special:factorial",
    "comb": "scipy.special:comb",
}  # fmt: skip

_COLLECTIONS_ABC = (
    "Awaitable Coroutine AsyncIterable AsyncIterator Hashable Iterable Iterator Generator Reversible Sized Container Callable Collection Set MutableSet Mapping MutableMapping MappingView "
    "KeysView ItemsView ValuesView Sequence MutableSequence ByteString"
).split()

#: module -> attribute -> where it is now
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "numpy": _NUMPY,
    "numpy.testing": {
        "dec": lambda: _test_decorators(),
        "rand": "numpy.random:rand",
        "Tester": lambda: _Tester,
    },
    "numpy.random": {"random_integers": lambda: _numpy_random_integers},
    "scipy": _SCIPY,
    "scipy.signal": {
        **{w: f"scipy.signal.windows:{w}" for w in "hann hamming blackman bartlett gaussian kaiser boxcar triang parzen bohman nuttall flattop tukey general_gaussian chebwin".split()},
        "hanning": "scipy.signal.windows:hann",
    },
    "scipy.integrate": {"simps": "scipy.integrate:simpson", "trapz": "scipy.integrate:trapezoid", "cumtrapz": "scipy.integrate:cumulative_trapezoid"},
    "scipy.linalg": {"pinv2": "scipy.linalg:pinv"},
    "scipy.sparse": {"base": lambda: importlib.import_module("scipy.sparse")},
    "scipy.special": {"errprint": lambda: lambda *a: 0, "sph_harm": lambda: _sph_harm},
    "scipy.stats": {"chisqprob": "scipy.stats:chi2.sf", "itemfreq": lambda: _itemfreq, "ss": lambda: lambda a, axis=0: (importlib.import_module("numpy").asarray(a) ** 2).sum(axis)},
    "collections": {name: f"collections.abc:{name}" for name in _COLLECTIONS_ABC},
    "inspect": {"getargspec": lambda: _getargspec, "formatargspec": lambda: _formatargspec},
    "time": {"clock": "time:process_time"},
    "string": {
        "letters": "string:ascii_letters", "lowercase": "string:ascii_lowercase", "uppercase": "string:ascii_uppercase",
        "maketrans": "builtins:str.maketrans", "atoi": "builtins:int", "atof": "builtins:float",
        **{name: (lambda name=name: lambda s, *args: getattr(s, name)(*args)) for name in "split strip lower upper replace find lstrip rstrip count zfill ljust rjust".split()},
        "join": lambda: lambda words, sep=" ": sep.join(words), "joinfields": lambda: lambda words, sep=" ": sep.join(words),
    },
    "sys": {"maxint": "sys:maxsize", "setdefaultencoding": lambda: lambda name: None, "exc_clear": lambda: lambda: None, "setcheckinterval": lambda: lambda n: None},
    "os": {"getcwdu": "os:getcwd", "errno": lambda: importlib.import_module("errno")},
    "itertools": {"izip": "builtins:zip", "imap": "builtins:map", "ifilter": "builtins:filter", "izip_longest": "itertools:zip_longest", "ifilterfalse": "itertools:filterfalse"},
    "urllib": {
        **{n: f"urllib.request:{n}" for n in ("urlretrieve", "urlopen", "URLopener", "FancyURLopener", "urlcleanup", "pathname2url", "url2pathname", "getproxies")},
        **{n: f"urllib.parse:{n}" for n in ("quote", "quote_plus", "unquote", "unquote_plus", "urlencode")},
        "ContentTooShortError": "urllib.error:ContentTooShortError",
    },
    "types": {
        **{f"{n}Type": (lambda t=t: t) for n, t in {"List": list, "Dict": dict, "Tuple": tuple, "String": str, "Unicode": str, "Int": int, "Long": int, "Float": float, "Boolean": bool, "None": type(None), "Object": object, "Type": type, "Complex": complex, "Slice": slice, "File": object}.items()},
        "StringTypes": lambda: (str,), "ClassType": lambda: type, "InstanceType": lambda: object, "UnboundMethodType": "types:FunctionType",
    },
    "fractions": {"gcd": "math:gcd"},
    "operator": {"div": "theano_compat.cli.division:classic_division", "idiv": "theano_compat.cli.division:classic_division_in_place", "isCallable": "builtins:callable", "sequenceIncludes": "operator:contains", "isSequenceType": lambda: lambda x: hasattr(x, "__getitem__")},
    "platform": {"linux_distribution": lambda: lambda *a, **k: ("", "", ""), "dist": lambda: lambda *a, **k: ("", "", "")},
    "cgi": {"escape": "html:escape"},
    "base64": {"encodestring": "base64:encodebytes", "decodestring": "base64:decodebytes"},
    "threading": {"_sleep": "time:sleep"},
    "matplotlib.mlab": {"normpdf": "scipy.stats:norm.pdf", "PCA": lambda: _gone("matplotlib.mlab.PCA", "use sklearn.decomposition.PCA")},
    "sklearn.externals": {"joblib": lambda: importlib.import_module("joblib"), "six": lambda: importlib.import_module("six")},
}  # fmt: skip

#: module that is gone -> module of today, or a table of attributes
MODULES: dict[str, Any] = {
    "cPickle": "pickle",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "StringIO": {"StringIO": "theano_compat.cli.files:ClassicStringIO"},
    "cStringIO": dict.fromkeys(("StringIO", "InputType", "OutputType"), "theano_compat.cli.files:ClassicStringIO"),
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "thread": "_thread",
    "HTMLParser": "html.parser",
    "htmlentitydefs": "html.entities",
    "httplib": "http.client",
    "cookielib": "http.cookiejar",
    "Cookie": "http.cookies",
    "xmlrpclib": "xmlrpc.client",
    "SimpleHTTPServer": "http.server",
    "BaseHTTPServer": "http.server",
    "SocketServer": "socketserver",
    "Tkinter": "tkinter",
    "tkFileDialog": "tkinter.filedialog",
    "tkMessageBox": "tkinter.messagebox",
    "commands": {"getoutput": "subprocess:getoutput", "getstatusoutput": "subprocess:getstatusoutput"},
    "UserDict": {"UserDict": "collections:UserDict", "IterableUserDict": "collections:UserDict", "DictMixin": "collections.abc:MutableMapping"},
    "UserList": {"UserList": "collections:UserList"},
    "UserString": {"UserString": "collections:UserString"},
    "repr": "reprlib",
    "anydbm": "dbm",
    "whichdb": {"whichdb": "dbm:whichdb"},
    "dumbdbm": "dbm.dumb",
    "gdbm": "dbm.gnu",
    "dummy_thread": "_thread",
    "robotparser": "urllib.robotparser",
    "SimpleXMLRPCServer": "xmlrpc.server",
    "CGIHTTPServer": "http.server",
    "tkFont": "tkinter.font",
    "tkSimpleDialog": "tkinter.simpledialog",
    "tkColorChooser": "tkinter.colorchooser",
    "ScrolledText": "tkinter.scrolledtext",
    "ttk": "tkinter.ttk",
    "sets": {"Set": "builtins:set", "ImmutableSet": "builtins:frozenset"},
    "md5": {"new": "hashlib:md5", "md5": "hashlib:md5"},
    "sha": {"new": "hashlib:sha1", "sha": "hashlib:sha1"},
    "urlparse": "urllib.parse",
    "urllib2": {
        **{n: f"urllib.request:{n}" for n in (
            "urlopen Request build_opener install_opener OpenerDirector BaseHandler HTTPDefaultErrorHandler HTTPRedirectHandler HTTPErrorProcessor HTTPHandler HTTPSHandler FileHandler FTPHandler "
            "HTTPCookieProcessor ProxyHandler UnknownHandler HTTPPasswordMgr HTTPPasswordMgrWithDefaultRealm AbstractBasicAuthHandler HTTPBasicAuthHandler ProxyBasicAuthHandler HTTPDigestAuthHandler"
        ).split()},
        "URLError": "urllib.error:URLError", "HTTPError": "urllib.error:HTTPError", "quote": "urllib.parse:quote", "unquote": "urllib.parse:unquote",
    },
    "imp": {"load_source": lambda: _load_source, "reload": "importlib:reload", "find_module": lambda: _gone("imp.find_module", "use importlib.util.find_spec"), "new_module": "types:ModuleType"},
    "scipy.misc": {
        **{n: (lambda n=n: getattr(importlib.import_module("theano_compat.cli.images"), n)) for n in ("imread", "imsave", "imresize", "imrotate", "imshow", "toimage", "fromimage", "bytescale")},
        "logsumexp": "scipy.special:logsumexp", "factorial": "scipy.special:factorial", "factorial2": "scipy.special:factorial2", "comb": "scipy.special:comb",
        "face": "scipy.datasets:face", "ascent": "scipy.datasets:ascent", "lena": "scipy.datasets:ascent", "derivative": lambda: _derivative, "central_diff_weights": lambda: _gone("scipy.misc.central_diff_weights", "use findiff"),
    },
    "scipy.misc.pilutil": "scipy.misc",
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.externals": {"joblib": lambda: importlib.import_module("joblib"), "six": lambda: importlib.import_module("six")},
    "sklearn.externals.joblib": "joblib",
    "sklearn.datasets.base": "sklearn.datasets",
    "numpy.core.umath_tests": {"inner1d": lambda: lambda a, b: (importlib.import_module("numpy").asarray(a) * b).sum(-1)},
}  # fmt: skip

ATTRIBUTES["scipy.misc"] = MODULES["scipy.misc"]  # some SciPy releases have it, empty

#: Python 2 builtins.
_BUILTINS: dict[str, Callable[[], Any]] = {
    "xrange": lambda: range,
    "unicode": lambda: str,
    "basestring": lambda: str,
    "long": lambda: int,
    "unichr": lambda: chr,
    "raw_input": lambda: input,
    "reduce": lambda: importlib.import_module("functools").reduce,
    "reload": lambda: importlib.reload,
    "intern": lambda: sys.intern,
    "file": lambda: resolve("theano_compat.cli.files:classic_open"),
    "cmp": lambda: lambda a, b: (a > b) - (a < b),
    "apply": lambda: lambda f, args=(), kwargs=None: f(*args, **(kwargs or {})),
    "execfile": lambda: _execfile,
    "buffer": lambda: memoryview,
}

# --- replacements that need some lines -----------------------------------------------------------------------------


def _gone(name, advice):
    raise AttributeError(f"{name} no longer exists; {advice}")


def _execfile(path, globals=None, locals=None):
    from theano_compat.cli import python2

    frame = sys._getframe(1)
    namespace = frame.f_globals if globals is None else globals
    code, entries = python2.compile_program(python2.read_source(path), path)
    namespace.update(entries)
    exec(code, namespace, locals if locals is not None else (frame.f_locals if globals is None else namespace))


def _getargspec(function):
    import collections
    import inspect

    spec = inspect.getfullargspec(function)
    return collections.namedtuple("ArgSpec", "args varargs keywords defaults")(spec.args, spec.varargs, spec.varkw, spec.defaults)


def _formatargspec(args, varargs=None, varkw=None, defaults=None, *rest):
    defaults = defaults or ()
    first = len(args) - len(defaults)
    words = [a if i < first else f"{a}={defaults[i - first]!r}" for i, a in enumerate(args)]
    return f"({', '.join(words + ([f'*{varargs}'] if varargs else []) + ([f'**{varkw}'] if varkw else []))})"


def _load_source(name, path, file=None):
    from theano_compat.cli import python2

    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    code, entries = python2.compile_program(python2.read_source(path), path)
    module.__dict__.update(entries)
    exec(code, module.__dict__)
    return module


def _derivative(func, x0, dx=1.0, n=1, args=(), order=3):
    if n not in (1, 2) or order != 3:
        _gone("scipy.misc.derivative beyond the three-point formulas", "use numdifftools")
    ahead, behind = func(x0 + dx, *args), func(x0 - dx, *args)
    return (ahead - behind) / (2 * dx) if n == 1 else (ahead - 2 * func(x0, *args) + behind) / dx**2


def _itemfreq(a):
    import numpy

    return numpy.array(numpy.unique(a, return_counts=True)).T


class _Tester:
    """Libraries make one when they are imported (``test = Tester().test``); there is nothing behind it that could run."""

    def __init__(self, *args, **kwargs):
        pass

    def test(self, *args, **kwargs):
        _gone("numpy.testing.Tester", "use pytest")

    bench = test


def _test_decorators():
    import unittest

    def skipif(condition, msg=None):
        return lambda f: unittest.skipIf(condition() if callable(condition) else condition, msg or "skipped")(f)

    return types.SimpleNamespace(slow=lambda f: f, skipif=skipif, knownfailureif=skipif, setastest=lambda tf=True: lambda f: f, deprecated=lambda conditional=True: lambda f: f)


def _sph_harm(m, n, theta, phi):
    from scipy import special

    return special.sph_harm_y(n, m, phi, theta)


# --- how they are served --------------------------------------------------------------------------------------------


def resolve(place: Any) -> Any:
    """Return what ``"module:attribute.path"`` names, or what a function makes."""
    if callable(place):
        return place()
    module, _, path = place.partition(":")
    value = importlib.import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return value


def _serve(module: types.ModuleType, table: dict[str, Any]) -> None:
    """Let a module answer for the names in a table, after its own ones."""
    own = module.__dict__.get("__getattr__")
    label = module.__name__

    def __getattr__(name):
        if name in table:
            value = resolve(table[name])
            note(f"{label}.{name}")
            module.__dict__[name] = value
            return value
        if own is not None:
            return own(name)
        raise AttributeError(f"module {label!r} has no attribute {name!r}")

    # Where the module still has a name, Python finds it before it asks __getattr__.
    module.__dict__["__getattr__"] = __getattr__


class _GoneModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last finder in line: serves modules that nobody else has."""

    def find_spec(self, fullname, path=None, target=None):
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in MODULES else None

    def create_module(self, spec):
        content = MODULES[spec.name]
        if isinstance(content, str):
            today = importlib.import_module(content)
            # A module object of its own: attributes that are added here must not land in today's module.
            module = types.ModuleType(spec.name, f"{content} under its old name")
            module.__dict__.update({k: v for k, v in today.__dict__.items() if not k.startswith("__") or k == "__all__"})
        else:
            module = types.ModuleType(spec.name, "supplied by theano_compat")
            _serve(module, content)
            if all(isinstance(place, str) for place in content.values()):
                module.__all__ = list(content)
        if spec.name == "cPickle":
            module.load, module.loads = _latin1_load, _latin1_loads
        note(spec.name)
        return module

    def exec_module(self, module):
        pass


class _ServeAttributes(importlib.abc.MetaPathFinder):
    """First finder in line: after a module of ATTRIBUTES was loaded, lets it answer for the gone names."""

    def __init__(self):
        self.active: set[str] = set()

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in ATTRIBUTES or fullname in self.active:
            return None
        self.active.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.active.discard(fullname)
        if spec is None or spec.loader is None:
            return None
        spec.loader = _After(spec.loader, ATTRIBUTES[fullname])
        return spec


class _After(importlib.abc.Loader):
    """A loader that serves a table once the real loader is done."""

    def __init__(self, loader, table):
        self.loader, self.table = loader, table

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        _serve(module, self.table)


def _binary(file):
    """Return the binary file under a text file: Python 2 programs opened pickles as text."""
    return getattr(file, "buffer", file)


def _latin1_load(file, **kwargs):
    kwargs.setdefault("encoding", "latin1")
    return _real_load(_binary(file), **kwargs)


def _latin1_loads(data, **kwargs):
    kwargs.setdefault("encoding", "latin1")
    return _real_loads(data.encode("latin1") if isinstance(data, str) else data, **kwargs)


def _supply_pickle() -> None:
    """Let pickles of Python 2 load: their byte strings (NumPy data among them) are Latin-1."""
    global _real_load, _real_loads
    import pickle

    if pickle.load is not _latin1_load:
        _real_load, _real_loads = pickle.load, pickle.loads
        pickle.load, pickle.loads = _latin1_load, _latin1_loads


def _supply_csv() -> None:
    """Let tables be read from files opened as binary, as Python 2's had to be."""
    import csv

    today = csv.reader

    def reader(lines, *args, **kwargs):
        return today((str(line, "utf-8", "surrogateescape") if isinstance(line, bytes) else line for line in lines), *args, **kwargs)

    csv.reader = reader


def builtins_for(names) -> dict[str, Any]:
    """Return Python 2's builtins among some names, for the namespace of the program that uses them.

    They do not go into ``builtins``: libraries look there to find out which Python they run on.
    """
    wanted = [name for name in names if name in _BUILTINS and not hasattr(builtins, name)]
    for name in wanted:
        note(name)
    return {name: _BUILTINS[name]() for name in wanted}


def install() -> None:
    """Supply the gone names to this process."""
    if any(isinstance(f, _GoneModules) for f in sys.meta_path):
        return
    for name, table in ATTRIBUTES.items():
        if name in sys.modules:
            _serve(sys.modules[name], table)
    sys.meta_path.insert(0, _ServeAttributes())
    sys.meta_path.append(_GoneModules())
    _supply_pickle()
    _supply_csv()
