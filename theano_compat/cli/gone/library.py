"""Names of Python 2's library that are gone, and where what they named is now."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

from theano_compat.cli.gone.advice import gone

_COLLECTIONS_ABC = (
    "Awaitable Coroutine AsyncIterable AsyncIterator Hashable Iterable Iterator Generator Reversible Sized Container Callable Collection Set MutableSet Mapping MutableMapping MappingView "
    "KeysView ItemsView ValuesView Sequence MutableSequence ByteString"
).split()


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


def _reading_fp(name):
    import configparser

    today = getattr(configparser, name.removeprefix("Safe"))
    return type(name, (today,), {"readfp": lambda self, file, filename=None: self.read_file(file, filename)})


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "collections": {name: f"collections.abc:{name}" for name in _COLLECTIONS_ABC},
    "inspect": {"getargspec": lambda: _getargspec, "formatargspec": lambda: _formatargspec},
    "time": {"clock": "time:process_time"},
    "string": {
        "letters": "string:ascii_letters", "lowercase": "string:ascii_lowercase", "uppercase": "string:ascii_uppercase",
        "maketrans": "builtins:str.maketrans", "atoi": "builtins:int", "atol": "builtins:int", "atof": "builtins:float", "translate": "theano_compat.cli.classic.strings:classic_translate",
        **{name: (lambda name=name: lambda s, *args: getattr(s, name)(*args)) for name in "split strip lower upper replace find lstrip rstrip count zfill ljust rjust center capitalize swapcase index rindex rfind rsplit expandtabs".split()},
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
    "operator": {"div": "theano_compat.cli.classic.division:classic_division", "idiv": "theano_compat.cli.classic.division:classic_division_in_place", "isCallable": "builtins:callable", "sequenceIncludes": "operator:contains", "isSequenceType": lambda: lambda x: hasattr(x, "__getitem__")},
    "platform": {"linux_distribution": lambda: lambda *a, **k: ("", "", ""), "dist": lambda: lambda *a, **k: ("", "", "")},
    "cgi": {"escape": "html:escape"},
    "base64": {"encodestring": "base64:encodebytes", "decodestring": "base64:decodebytes"},
    "threading": {"_sleep": "time:sleep"},
}  # fmt: skip

MODULES: dict[str, Any] = {
    "cPickle": "pickle",
    "Queue": "queue",
    "ConfigParser": ("configparser", {name: (lambda name=name: _reading_fp(name)) for name in ("ConfigParser", "SafeConfigParser", "RawConfigParser")}),
    "StringIO": {"StringIO": "theano_compat.cli.classic.files:ClassicStringIO"},
    "cStringIO": dict.fromkeys(("StringIO", "InputType", "OutputType"), "theano_compat.cli.classic.files:ClassicStringIO"),
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
    "md5": dict.fromkeys(("new", "md5"), "theano_compat.cli.classic.modules:md5"),
    "sha": dict.fromkeys(("new", "sha"), "theano_compat.cli.classic.modules:sha1"),
    "future_builtins": {name: f"builtins:{name}" for name in ("ascii", "filter", "hex", "map", "oct", "zip")},
    "urlparse": "urllib.parse",
    "urllib2": {
        **{n: f"urllib.request:{n}" for n in (
            "urlopen Request build_opener install_opener OpenerDirector BaseHandler HTTPDefaultErrorHandler HTTPRedirectHandler HTTPErrorProcessor HTTPHandler HTTPSHandler FileHandler FTPHandler "
            "HTTPCookieProcessor ProxyHandler UnknownHandler HTTPPasswordMgr HTTPPasswordMgrWithDefaultRealm AbstractBasicAuthHandler HTTPBasicAuthHandler ProxyBasicAuthHandler HTTPDigestAuthHandler"
        ).split()},
        "URLError": "urllib.error:URLError", "HTTPError": "urllib.error:HTTPError", "quote": "urllib.parse:quote", "unquote": "urllib.parse:unquote",
    },
    "imp": {"load_source": lambda: _load_source, "reload": "importlib:reload", "find_module": lambda: gone("imp.find_module", "use importlib.util.find_spec"), "new_module": "types:ModuleType"},
}  # fmt: skip
