"""Types for op parameters and opaque C values: CDataType, EnumType, EnumList, CEnumType."""

from __future__ import annotations

import re

from theano_compat.gof.graph import Constant
from theano_compat.gof.type import Type

_ENUM_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class CDataTypeConstant(Constant):
    """A constant of an opaque C type. Two are merged if their data is the same object."""

    def merge_signature(self):
        return (self.type, id(self.data))

    def signature(self):
        return (self.type, id(self.data))


class CDataType(Type):
    """An opaque C pointer, carried between ops in a capsule.

    Parameters
    ----------
    ctype : str
        The pointer type, ``"struct foo *"``.
    freefunc : str, optional
        C function ``void f(void *)`` that frees the value.
    headers, header_dirs, libraries, lib_dirs, compile_args : tuple of str
        What the compiler needs to know the type.
    extra_support_code : str
        C code for the top of the file.
    version : tuple, optional
        Version of that code.
    """

    __props__ = (
        "ctype",
        "freefunc",
        "headers",
        "header_dirs",
        "libraries",
        "lib_dirs",
        "extra_support_code",
        "compile_args",
        "version",
    )
    Constant = CDataTypeConstant

    def __init__(
        self,
        ctype,
        freefunc=None,
        headers=(),
        header_dirs=(),
        libraries=(),
        lib_dirs=(),
        compile_args=(),
        extra_support_code="",
        version=None,
    ):
        if not isinstance(ctype, str):
            raise TypeError(f"CDataType: ctype should be a string, got {type(ctype).__name__}")
        lists = dict(headers=headers, header_dirs=header_dirs, libraries=libraries, lib_dirs=lib_dirs, compile_args=compile_args)
        self.__dict__.update({name: tuple(items) for name, items in lists.items()})
        self.__dict__.update(ctype=ctype, freefunc=freefunc, extra_support_code=extra_support_code, version=version)

    def filter(self, data, strict=False, allow_downcast=None):
        # The only thing that can be checked from Python is that there is a capsule (or nothing yet).
        if data is not None and type(data).__name__ != "PyCapsule":
            raise TypeError("expected None or a PyCapsule")
        return data

    def make_value(self, ptr: int):
        """Return a capsule that holds the address ``ptr``, for use as a value of this type.

        Parameters
        ----------
        ptr : int
            Not 0. It is not freed when the capsule goes.
        """
        import ctypes

        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ptr, None, None)

    def c_declare(self, name, sub, check_input=True):
        return f"{self.ctype} {name};"

    def c_init(self, name, sub):
        return f"{name} = NULL;"

    def c_extract(self, name, sub, check_input=True):
        return f"""
        {name} = ({self.ctype})PyCapsule_GetPointer(py_{name}, NULL);
        if ({name} == NULL) {sub["fail"]}
        """

    def c_support_code(self):
        # The function that frees the pointer travels with the capsule, as its context.
        return f"""
        #ifndef THEANO_CAPSULE_FREE
        #define THEANO_CAPSULE_FREE
        static void theano_capsule_free(PyObject *capsule) {{
            void *context = PyCapsule_GetContext(capsule);
            if (context != NULL) ((void (*)(void *))context)(PyCapsule_GetPointer(capsule, NULL));
        }}
        #endif
        {self.extra_support_code}
        """

    def c_sync(self, name, sub):
        return f"""
        Py_XDECREF(py_{name});
        if ({name} == NULL) {{
            py_{name} = Py_None;
            Py_INCREF(py_{name});
        }} else {{
            py_{name} = PyCapsule_New((void *){name}, NULL, theano_capsule_free);
            if (py_{name} == NULL) {sub["fail"]}
            if (PyCapsule_SetContext(py_{name}, (void *){self.freefunc or "NULL"}) != 0) {sub["fail"]}
        }}
        """

    def c_cleanup(self, name, sub):
        # The capsule owns the pointer once there is one.
        return ""

    def c_headers(self):
        return list(self.headers)

    def c_header_dirs(self):
        return list(self.header_dirs)

    def c_libraries(self):
        return list(self.libraries)

    def c_lib_dirs(self):
        return list(self.lib_dirs)

    def c_compile_args(self):
        return list(self.compile_args)

    def c_code_cache_version(self):
        version = (4,)
        if self.version is not None:
            version += (self.version,)
        return version

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.ctype}}}"

    def __setstate__(self, state) -> None:
        self.__dict__.update(state)
        for name, default in (("headers", ()), ("version", None)):  # absent from old pickles
            if not hasattr(self, name):
                setattr(self, name, default)
        for name in ("header_dirs", "libraries", "lib_dirs", "compile_args"):
            if not hasattr(self, name):
                setattr(self, name, ())
        if not hasattr(self, "extra_support_code"):
            self.extra_support_code = ""


class EnumType(Type, dict):
    """Named constants as a type of op parameters: a dictionary from names to values, readable as attributes too.

    Parameters
    ----------
    ctype : str, keyword
        C type of a value, default ``double``.
    cname : str, keyword
        A name for it that is an identifier, if ``ctype`` is not one.
    kwargs
        ``NAME=value`` or ``NAME=(alias, value)``. Names have capitals, digits and underscores only, values are numbers.

    Notes
    -----
    Values given for the parameter may be constant values, names or aliases.
    """

    def __init__(self, **kwargs):
        self._set("ctype", self._checked_type(kwargs.pop("ctype", "double")))
        self._set("cname", self._checked_cname(kwargs.pop("cname", self.ctype.replace(" ", "_"))))
        constants, aliases = {}, {}
        for name, value in kwargs.items():
            if isinstance(value, tuple):
                if len(value) != 2:
                    raise TypeError(
                        f"{type(self).__name__}: when using a tuple to define a constant, your tuple should contain 2 "
                        "values: constant alias followed by constant value."
                    )
                alias, value = value
                self._check_alias(alias, name, aliases)
                aliases[alias] = name
            self._check_name(name)
            if isinstance(value, bool):
                value = int(value)
            if not isinstance(value, (int, float)):
                raise TypeError(
                    f'{type(self).__name__}: constant "{name}": expected integer or floating value, got '
                    f'"{type(value).__name__}".'
                )
            constants[name] = value
        self._finish(constants, aliases)

    def _set(self, name, value) -> None:
        self.__dict__[name] = value

    def _finish(self, constants: dict, aliases: dict) -> None:
        clash = [alias for alias in aliases if alias in constants]
        if clash:
            raise TypeError(f"{type(self).__name__}: some aliases have same names as constants: {', '.join(clash)}.")
        self._set("aliases", aliases)
        dict.__init__(self, constants)

    def _checked_type(self, ctype):
        if not isinstance(ctype, str):
            raise TypeError(f'{type(self).__name__}: ctype should be a string, got "{type(ctype).__name__}".')
        return ctype

    def _checked_cname(self, cname):
        if not isinstance(cname, str):
            raise TypeError(f'{type(self).__name__}: cname should be a string, got "{type(cname).__name__}".')
        return cname

    def _check_name(self, name) -> None:
        if not _ENUM_NAME.fullmatch(name):
            raise AttributeError(
                f'{type(self).__name__}: invalid enum name: "{name}". Only capital letters, underscores and digits are allowed.'
            )

    def _check_alias(self, alias, name, aliases) -> None:
        if not isinstance(alias, str):
            raise TypeError(f'{type(self).__name__}: constant alias should be a string, got "{alias}".')
        if alias == name:
            raise TypeError(
                f"{type(self).__name__}: it's useless to create an alias with the same name as its associated constant."
            )
        if alias in aliases:
            raise TypeError(f'{type(self).__name__}: consant alias "{alias}" already used.')

    def fromalias(self, alias: str):
        """Return the value of the constant with this alias or name; KeyError where there is none."""
        return self[self.aliases.get(alias, alias)]

    def has_alias(self, alias: str) -> bool:
        """Whether there is a constant with this alias."""
        return alias in self.aliases

    def get_aliases(self) -> tuple:
        """Return the aliases, sorted."""
        return tuple(sorted(self.aliases))

    def __repr__(self) -> str:
        alias_of = {name: f"({alias})" for alias, name in self.aliases.items()}
        shown = ", ".join(f"{name}{alias_of.get(name, '')}:{self[name]}" for name in sorted(self))
        return f"{type(self).__name__}<{self.ctype}>({shown})"

    __str__ = __repr__

    def __getattr__(self, key):
        if key in self:
            return self[key]
        raise AttributeError(f"{type(self).__name__} has no constant or attribute {key!r}")

    def __setattr__(self, key, value):
        if key in self:
            raise NotImplementedError("constant values are immutable.")
        Type.__setattr__(self, key, value)

    def __setitem__(self, key, value):
        raise NotImplementedError("constant values are immutable.")

    def __delitem__(self, key):
        raise NotImplementedError("constant values are immutable.")

    def __reduce__(self):
        return _rebuild_enum, (type(self), dict(self), dict(self.__dict__))

    def __reduce_ex__(self, protocol):
        return self.__reduce__()

    def __hash__(self):
        return hash((type(self), self.ctype, tuple(sorted(self.items())), tuple(sorted(self.aliases.items()))))

    def __eq__(self, other):
        return (
            type(self) is type(other)
            and self.ctype == other.ctype
            and dict.__eq__(self, other)
            and self.aliases == other.aliases
        )

    def __ne__(self, other):
        return not self == other

    def filter(self, data, strict=False, allow_downcast=None):
        if isinstance(data, str):
            return self[self.aliases.get(data, data)]
        if strict and not isinstance(data, (int, float)):
            raise TypeError(f"{self} expects a number, got {data!r}")
        if data not in self.values():
            raise AssertionError(f"{data!r} is not a value of {self}")
        return data

    def values_eq(self, a, b):
        return a == b

    def values_eq_approx(self, a, b):
        import numpy as np

        from theano_compat.tensor.type import values_eq_approx

        return a == b or bool(values_eq_approx(np.asarray(a), np.asarray(b)))

    def c_to_string(self) -> str:
        """Return a C function, under ``DEBUG``, that writes the name of a value to a buffer."""
        cases = "\n".join(f'case {name}: sprintf(out, "{name}"); break;' for name in sorted(self))
        return f"""
        #ifdef DEBUG
        int theano_enum_to_string_{self.cname}({self.ctype} in, char* out) {{
            switch ((long)in) {{
                {cases}
                default: PyErr_SetString(PyExc_ValueError, "{type(self).__name__}:  unknown enum value."); return -1;
            }}
            return 0;
        }}
        #endif
        """

    def c_support_code(self):
        defines = "\n".join(f"#define {name} {self[name]}" for name in sorted(self))
        return f"{defines}\n{self.c_to_string()}"

    def c_declare(self, name, sub, check_input=True):
        return f"{self.ctype} {name};"

    def c_init(self, name, sub):
        return f"{name} = ({self.ctype})0;"

    def c_cleanup(self, name, sub):
        return ""

    def c_extract(self, name, sub, check_input=True):
        return f"""
        {name} = PyLong_Check(py_{name}) ? ({self.ctype})PyLong_AsLong(py_{name}) : ({self.ctype})PyFloat_AsDouble(py_{name});
        if (PyErr_Occurred()) {{ {sub["fail"]} }}
        """

    def c_code_cache_version(self):
        return (2, self.ctype, self.cname, tuple(sorted(self.items())))


def _rebuild_enum(cls, constants, attributes):
    enum = cls.__new__(cls)
    enum.__dict__.update(attributes)
    dict.__init__(enum, constants)
    return enum


class EnumList(EnumType):
    """Constants numbered 0, 1, 2, … in the order given.

    Parameters
    ----------
    args : str or tuple of str
        ``NAME`` or ``(NAME, alias)``.
    ctype : str, keyword
        Default ``int``.
    cname : str, keyword
    """

    def __init__(self, *args, **kwargs):
        self._set("ctype", self._checked_type(kwargs.pop("ctype", "int")))
        self._set("cname", self._checked_cname(kwargs.pop("cname", self.ctype.replace(" ", "_"))))
        for unknown in kwargs:
            raise AttributeError(f'{type(self).__name__}: invalid enum name: "{unknown}". Only capital letters, underscores and digits are allowed.')
        constants, aliases = {}, {}
        for arg in args:
            alias = None
            if isinstance(arg, tuple):
                if len(arg) != 2:
                    raise TypeError(
                        f"{type(self).__name__}: when using a tuple to define a constant, your tuple should contain 2 "
                        "values: constant name followed by constant alias."
                    )
                arg, alias = arg
            if not isinstance(arg, str):
                raise TypeError(f'{type(self).__name__}: constant name should be a string, got "{arg}".')
            self._check_name(arg)
            if arg in constants:
                raise TypeError(f'{type(self).__name__}: constant name already used ("{arg}").')
            if alias is not None:
                self._check_alias(alias, arg, aliases)
                aliases[alias] = arg
            constants[arg] = len(constants)
        self._finish(constants, aliases)


class CEnumType(EnumList):
    """Constants whose values are those that C headers give to the names; Python has a number for each."""

    def c_support_code(self):
        return self.c_to_string()

    def c_extract(self, name, sub, check_input=True):
        # The first name of two with one value wins, as there is one number for each name.
        cases = "\n".join(f"case {self[key]}: {name} = {key}; break;" for key in sorted(self))
        return f"""
        switch (PyLong_AsLong(py_{name})) {{
            {cases}
            default:
                PyErr_SetString(PyExc_ValueError, "{type(self).__name__}: invalid value to map to C constants.");
                {{{sub["fail"]}}}
        }}
        """

    def c_code_cache_version(self):
        return (1, *super().c_code_cache_version())
