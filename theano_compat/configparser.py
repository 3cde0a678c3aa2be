"""Where configuration values come from: ``THEANO_FLAGS``, ``.theanorc`` files, defaults and assignment.

A flag is a :class:`ConfigParam` registered under a dotted name by :func:`AddConfigVar`. The value of a
flag is looked up in this order: ``THEANO_FLAGS``, the files of ``THEANORC`` (later files win), the default.
It is stored as an ordinary instance attribute of ``config`` (or of the section object below it), so that reading
``config.floatX`` costs no more than any attribute. Defaults that are callables are computed at the first read.

The files read are those that ``THEANORC`` lists, else ``~/.theanorc``; a ``.theanorc`` in the working folder is never read.
"""

from __future__ import annotations

import configparser as _ini
import difflib
import functools
import hashlib
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: When this package began to be imported, in nanoseconds since 1970.
IMPORTED_AT = time.time_ns()
PY3 = True
string_types = (str,)


class TheanoConfigWarning(Warning):
    """Warning about the configuration of theano_compat."""

    @classmethod
    def warn(cls, message: str, stacklevel: int = 0) -> None:
        """Issue this warning at the caller's line."""
        warnings.warn(message, cls, stacklevel=stacklevel + 3)


class UnknownFlagError(AttributeError, AssertionError):
    """A flag that does not exist was read or changed.

    An ``AttributeError`` where Theano raised that one (reading), an ``AssertionError`` where it raised this (``change_flags``).
    """


def parse_config_string(config_string: str, issue_warnings: bool = True) -> dict[str, str]:
    """Parse the text of ``THEANO_FLAGS`` into a dictionary.

    Parameters
    ----------
    config_string : str
        ``name=value`` pairs separated by commas; blanks around them do not count; later pairs win.
    issue_warnings : bool
        Warn about entries without ``=``.
    """
    flags: dict[str, str] = {}
    for entry in config_string.split(","):
        entry = entry.strip()
        if not entry:
            continue
        name, equals, value = entry.partition("=")
        if equals:
            flags[name.strip()] = value.strip()
        elif issue_warnings:
            TheanoConfigWarning.warn(f"Config key '{entry}' has no value, ignoring it (write {entry}=VALUE)", stacklevel=1)
    return flags


THEANO_FLAGS = os.environ.get("THEANO_FLAGS", "")
THEANO_FLAGS_DICT = parse_config_string(THEANO_FLAGS, issue_warnings=True)


def config_files_from_theanorc() -> list[str]:
    """Return the paths of the configuration files, ``~`` and variables expanded."""
    default = os.path.join("~", ".theanorc")
    if sys.platform == "win32":
        default += os.pathsep + os.path.join("~", ".theanorc.txt")
    listed = os.environ.get("THEANORC", default)
    return [os.path.expandvars(os.path.expanduser(p)) for p in listed.split(os.pathsep) if p]


def _read_files(paths: list[str], interpolation) -> _ini.ConfigParser:
    # Old files say %(USER)s; a name that is no variable must not make the whole file unreadable.
    defaults = {} if interpolation is None else {k: v.replace("%", "%%") for k, v in os.environ.items() if k in ("USER", "HOME")}
    parser = _ini.ConfigParser(defaults, strict=False, interpolation=interpolation)
    for path in paths:
        try:
            parser.read(path, encoding="utf-8")
        except (_ini.Error, UnicodeDecodeError, OSError) as error:
            TheanoConfigWarning.warn(f"configuration file {path} cannot be read and is left out: {error}", stacklevel=1)
    return parser


config_files = config_files_from_theanorc()
theano_raw_cfg = _read_files(config_files, None)
theano_cfg = _read_files(config_files, _ini.BasicInterpolation()) if theano_raw_cfg.sections() else theano_raw_cfg


def fetch_val_for_key(key: str, delete_key: bool = False) -> str:
    """Return the text that the user gave for a flag.

    Raises
    ------
    KeyError
        If neither ``THEANO_FLAGS`` nor a configuration file sets it.
    """
    if key in THEANO_FLAGS_DICT:
        return THEANO_FLAGS_DICT.pop(key) if delete_key else THEANO_FLAGS_DICT[key]
    section, _, option = key.rpartition(".")
    section = section or "global"
    for parser in (theano_cfg, theano_raw_cfg):
        try:
            return parser.get(section, option).strip().strip("'\"")
        except _ini.InterpolationError:
            continue
        except (_ini.NoOptionError, _ini.NoSectionError):
            break
    raise KeyError(key)


class ConfigParam:
    """One flag: its default, its check and whether a program may assign it.

    Parameters
    ----------
    default : object or callable
        The value if the user gives none; a callable is called at the first read.
    filter : callable, optional
        Turns what was given into the value, raising ``ValueError`` where it cannot.
    allow_override : bool
        Whether assignment is allowed after the value was first read.
    """

    def __init__(self, default: Any, filter: Callable | None = None, allow_override: bool = True):
        self.default = default
        self.filter = filter
        self.allow_override = allow_override
        self.fullname = ""
        self.doc = ""
        self.in_c_key = True
        self.is_default = True

    def describe(self) -> str:
        """Say what may be given, for help texts."""
        return "any"

    def accept(self, value: Any) -> Any:
        """Return the checked value."""
        return value if self.filter is None else self.filter(value)

    # Flags were descriptors, and libraries that go through the list of them (PyMC3) call these two with no owner at all.

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Return the flag's value."""
        return get_flag(self.fullname)

    def __set__(self, owner: Any, value: Any) -> None:
        """Set the flag, as an assignment to ``config`` does."""
        section, last = _section_of(self.fullname, config)
        setattr(section, last, value)

    def _refuse(self, value: Any, wanted: str) -> None:
        raise ValueError(f'Invalid value ("{value}") for configuration variable "{self.fullname}". {wanted}')


class EnumStr(ConfigParam):
    """A flag whose value is one of some words; the first is the default."""

    def __init__(self, default: Any, *options: str, **kwargs: Any):
        self.all = ((default,) if not callable(default) else ()) + options
        super().__init__(default, None, kwargs.pop("allow_override", True))
        if kwargs:
            raise TypeError(f"EnumStr got unexpected keyword arguments {sorted(kwargs)}")
        for option in self.all:
            if not isinstance(option, str):
                raise ValueError("Valid values for an EnumStr parameter should be strings", option, self.all)

    def describe(self) -> str:
        return " | ".join(self.all)

    def accept(self, value: Any) -> str:
        if value in self.all:
            return value
        near = difflib.get_close_matches(str(value), self.all, 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        self._refuse(value, f"Valid options are {self.all}{hint}")
        raise AssertionError("unreachable")

    def __str__(self) -> str:
        return f"{self.fullname} ({self.all}) "


class TypedParam(ConfigParam):
    """A flag of a given type; ``mytype`` converts the text."""

    def __init__(self, default: Any, mytype: Callable, is_valid: Callable | None = None, allow_override: bool = True):
        self.mytype = mytype
        self.is_valid = is_valid
        super().__init__(default, None, allow_override)

    def describe(self) -> str:
        return {"booltype": "True | False"}.get(self.mytype.__name__, self.mytype.__name__)

    def accept(self, value: Any) -> Any:
        try:
            converted = self.mytype(value)
        except ValueError as error:
            raise ValueError(f'{error} for configuration variable "{self.fullname}"') from None
        if self.is_valid is not None and not self.is_valid(converted):
            self._refuse(value, f"Wanted: {self.describe()}")
        return converted

    def __str__(self) -> str:
        return f"{self.fullname} ({self.mytype}) "


def StrParam(default, is_valid=None, allow_override: bool = True) -> TypedParam:
    """A flag that holds text."""
    return TypedParam(default, str, is_valid, allow_override)


def IntParam(default, is_valid=None, allow_override: bool = True) -> TypedParam:
    """A flag that holds an integer."""
    return TypedParam(default, int, is_valid, allow_override)


def FloatParam(default, is_valid=None, allow_override: bool = True) -> TypedParam:
    """A flag that holds a floating-point number."""
    return TypedParam(default, float, is_valid, allow_override)


_TRUE = ("1", "True", "true", True, 1)
_FALSE = ("0", "False", "false", False, 0)


def BoolParam(default, is_valid=None, allow_override: bool = True) -> TypedParam:
    """A flag that is on or off: ``True``/``true``/``1`` or ``False``/``false``/``0``."""

    def booltype(value):
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise ValueError(f"Invalid value ({value}): wanted True or False")

    return TypedParam(default, booltype, is_valid, allow_override)


class TheanoConfigParser:
    """The object behind ``theano.config`` and each of its sections (``config.scan``, ``config.dnn.conv``)."""

    def __init__(self, prefix: str = ""):
        self.__dict__.update(_prefix=prefix, _params={})

    def __getattr__(self, name: str) -> Any:
        # Reached only while the value is not yet an instance attribute: lazy defaults, and names that do not exist.
        if name.startswith("__"):
            raise AttributeError(name)
        param = self._params.get(name)
        if param is None:
            message = f"'TheanoConfigParser' object has no attribute '{name}'"
            raise UnknownFlagError(message + _closest(self._prefix + name))
        value = param.accept(param.default())
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        param = self._params.get(name)
        if param is None:
            if isinstance(self.__dict__.get(name), TheanoConfigParser):
                raise UnknownFlagError(f"config.{self._prefix}{name} is a section, it cannot be assigned" + _closest(self._prefix + name))
            # Theano let programs hang values of their own on config; a near miss is a typing error worth a word.
            hint = _closest(self._prefix + name)
            if hint:
                TheanoConfigWarning.warn(f"theano.config has no flag '{self._prefix}{name}'; the assignment has no effect{hint}")
            self.__dict__[name] = value
            return
        if not param.allow_override:
            raise Exception(
                f"Can't change the value of this config parameter after initialization! ({param.fullname}: set it in THEANO_FLAGS or .theanorc)"
            )
        self.__dict__[name] = param.accept(value)
        param.is_default = False

    @property
    def change_flags(self) -> type:
        """`change_flags`, for ``with theano.config.change_flags(floatX="float32"):``."""
        return change_flags

    def __dir__(self):
        return sorted({*self._params, *(k for k in self.__dict__ if not k.startswith("_"))})

    def __str__(self) -> str:
        return "\n".join(
            f"{p} \n    Doc:  {p.doc}\n    Value:  {get_flag(p.fullname)}\n" for p in _config_var_list if p.fullname.startswith(self._prefix)
        )


config = TheanoConfigParser()
_config_var_list: list[ConfigParam] = []
_by_name: dict[str, ConfigParam] = {}


def _closest(name: str) -> str:
    near = difflib.get_close_matches(name, _by_name, 3, 0.75)
    return f". Closest flags: {', '.join(near)}" if near else ""


def _section_of(name: str, root: TheanoConfigParser, create: bool = False) -> tuple[TheanoConfigParser, str]:
    *sections, last = name.split(".")
    node = root
    for section in sections:
        below = node.__dict__.get(section)
        if not isinstance(below, TheanoConfigParser):
            if not create or below is not None:
                raise UnknownFlagError(f"There is no flag '{name}'" + _closest(name))
            below = node.__dict__[section] = TheanoConfigParser(f"{node._prefix}{section}.")
        node = below
    return node, last


def AddConfigVar(name: str, doc: str, configparam: ConfigParam, root: TheanoConfigParser = config, in_c_key: bool = True) -> None:
    """Add a flag to ``theano.config``.

    Parameters
    ----------
    name : str
        Dotted name: ``"mylib.verbose"`` is read as ``config.mylib.verbose``.
    doc : str
        What the flag does.
    configparam : ConfigParam
        One of ``BoolParam(...)``, ``IntParam(...)``, ``FloatParam(...)``, ``StrParam(...)``, ``EnumStr(...)``.
    in_c_key : bool
        Whether the value may change compiled code.

    Raises
    ------
    AttributeError
        If the name is taken.
    ValueError
        If the user set the flag to something that is not valid.
    """
    section, last = _section_of(name, root, create=True)
    if last in section._params or last in section.__dict__:
        raise AttributeError("This name is already taken", name)
    configparam.fullname, configparam.doc, configparam.in_c_key = name, doc, in_c_key
    section._params[last] = configparam
    _config_var_list.append(configparam)
    _by_name[name] = configparam
    try:
        text = fetch_val_for_key(name, delete_key=True)
    except KeyError:
        if not callable(configparam.default):
            section.__dict__[last] = configparam.accept(configparam.default)
    else:
        configparam.is_default = False
        section.__dict__[last] = configparam.accept(text)


def get_flag(name: str) -> Any:
    """Return the value of a flag by its dotted name."""
    section, last = _section_of(name, config)
    return getattr(section, last)


def unknown_flags() -> list[str]:
    """Return the names in ``THEANO_FLAGS`` that are no flags: those that no flag has taken."""
    return list(THEANO_FLAGS_DICT)


def warn_unknown_flags() -> None:
    """Warn of names in ``THEANO_FLAGS`` that look like mistyped flags (others may belong to a library that adds them later)."""
    for name in unknown_flags():
        hint = _closest(name)
        if hint:
            TheanoConfigWarning.warn(f"THEANO_FLAGS sets '{name}', which is no flag{hint}", stacklevel=2)


def get_config_hash() -> str:
    """Return a digest of the flags that may change compiled code."""
    items = sorted((p.fullname, str(get_flag(p.fullname))) for p in _config_var_list if p.in_c_key)
    return hashlib.sha256(repr(items).encode()).hexdigest()


def flags_of_compiled_code() -> dict[str, Any]:
    """Return the flags that may change compiled code, without those that are left to what is computed from the machine and the others."""
    return {p.fullname: get_flag(p.fullname) for p in _config_var_list if p.in_c_key and not (p.is_default and callable(p.default))}


class change_flags:
    """Change flags for a while: a context manager and a decorator.

    Parameters
    ----------
    args : dict or sequence of pairs
        Dotted names and values, ``change_flags({"scan.debug": True})``.
    **kwargs
        The same, for names without a dot.

    Examples
    --------
    >>> from theano_compat import config, change_flags
    >>> with change_flags(floatX="float32"):
    ...     print(config.floatX)
    float32
    """

    def __init__(self, args=(), **kwargs: Any):
        self.changes = {**dict(args), **kwargs}
        self._targets = []
        for name in self.changes:
            section, last = _section_of(name, config)
            if last not in section._params:
                raise UnknownFlagError(f"There is no flag '{name}'" + _closest(name))
            self._targets.append((section, last, name))
        self._saved: list[dict] = []

    def __enter__(self):
        saved: list[tuple] = []
        self._saved.append(saved)
        try:
            for section, last, name in self._targets:
                old = getattr(section, last)
                setattr(section, last, self.changes[name])
                saved.append((section, last, old))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for section, last, old in reversed(self._saved.pop()):
            section.__dict__[last] = old

    def __call__(self, function):
        @functools.wraps(function)
        def under_flags(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return under_flags


def home() -> Path:
    """Return the user's home folder, the current one if there is none."""
    try:
        return Path.home()
    except RuntimeError:
        return Path.cwd()
