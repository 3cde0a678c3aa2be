"""Several op parameters bundled in one: ParamsType, a type whose values (Params) have named fields.

Examples
--------
An op declares ``params_type = ParamsType(axis=int_type, mode=EnumList("SAME", "VALID"))``, has attributes ``axis`` and ``mode``, and
its ``perform`` gets an object with these fields as its last argument; its C code gets a struct.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np

from theano_compat.gof.ctypes_enum import EnumType
from theano_compat.gof.type import Type
from theano_compat.gof.utils import MethodNotDefined, c_cpp_keywords


class Params(dict):
    """Values for the fields of a ParamsType, readable as attributes, immutable.

    Parameters
    ----------
    params_type : ParamsType
    kwargs : object
        A value for each of its fields.
    """

    def __init__(self, params_type: ParamsType, **kwargs):
        if not isinstance(params_type, ParamsType):
            raise TypeError("Params: 1st constructor argument should be a ParamsType.")
        for field in params_type.fields:
            if field not in kwargs:
                raise TypeError(f'Params: ParamsType attribute "{field}" not in Params args.')
        super().__init__(**kwargs)
        self.__dict__["__params_type__"] = params_type
        self.__dict__["__signatures__"] = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}:{type(self[name]).__name__}:{self[name]}" for name in sorted(self))
        return f"Params({shown})"

    def __getattr__(self, key):
        if key not in self:
            raise AttributeError(f'Params: attribute "{key}" does not exist.')
        return self[key]

    def _immutable(self, *args):
        raise NotImplementedError("Params is immutable")

    __setattr__ = __setitem__ = __delitem__ = _immutable

    def _signature(self) -> tuple:
        """Return a hashable object by which equal values are found."""
        if self.__dict__["__signatures__"] is None:
            params_type = self.__dict__["__params_type__"]
            signatures = []
            for field, field_type in zip(params_type.fields, params_type.types):
                constant = field_type.make_constant(self[field]) if _is_data(self[field]) else None
                signatures.append(self[field] if constant is None else constant.signature())
            self.__dict__["__signatures__"] = tuple(signatures)
        return self.__dict__["__signatures__"]

    def __hash__(self):
        return hash((type(self), self.__dict__["__params_type__"], self._signature()))

    def __eq__(self, other):
        return (
            type(self) is type(other)
            and self.__dict__["__params_type__"] == other.__dict__["__params_type__"]
            and self._signature() == other._signature()
        )

    def __ne__(self, other):
        return not self == other

    def __reduce__(self):
        return _rebuild_params, (self.__dict__["__params_type__"], dict(self))


def _rebuild_params(params_type, values):
    return Params(params_type, **values)


def _is_data(value) -> bool:
    return isinstance(value, (np.ndarray, np.generic))


class ParamsType(Type):
    """A type with named fields, each of a type of its own.

    Parameters
    ----------
    kwargs : Type
        The type of each field. Names are Python identifiers and no C++ keywords.

    Attributes
    ----------
    fields : tuple of str
        Sorted.
    types : tuple of Type
    length : int
    name : str
        Name of the C struct.
    """

    def __init__(self, **kwargs):
        if not kwargs:
            raise ValueError("Cannot create ParamsType from empty data.")
        for name, field_type in kwargs.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise AttributeError(f'ParamsType: attribute "{name}" should be a valid identifier.')
            if name in c_cpp_keywords:
                raise SyntaxError(
                    f'ParamsType: "{name}" is a potential C/C++ keyword and should not be used as attribute name.'
                )
            if not isinstance(field_type, Type):
                raise TypeError(
                    f'ParamsType: attribute "{name}" should inherit from Theano Type, got "{type(field_type).__name__}".'
                )
        self.fields = tuple(sorted(kwargs))
        self.types = tuple(kwargs[name] for name in self.fields)
        self.length = len(self.fields)
        self.name = self.generate_struct_name()
        self._enums = tuple(t for t in self.types if isinstance(t, EnumType))
        self._check_enums()

    def _check_enums(self) -> None:
        """Constants of all enum fields can be read from this type, so their names must differ."""
        constants = [name for enum in self._enums for name in enum]
        if len(set(constants)) != len(constants):
            raise AttributeError("ParamsType: found different enum types with common constants names.")
        aliases = [alias for enum in self._enums for alias in enum.aliases]
        if len(set(aliases)) != len(aliases):
            raise AttributeError("ParamsType: found different enum types with common constants aliases.")
        if set(aliases) & set(constants):
            raise AttributeError("ParamsType: found aliases that have same names as constants.")

    def __setstate__(self, state):
        self.__dict__.update(state)
        if "_enums" not in self.__dict__:
            self._enums = tuple(t for t in self.types if isinstance(t, EnumType))

    def __getattr__(self, key):
        if not key.startswith("_"):
            for enum in self._enums:
                if key in enum:
                    return enum[key]
        raise AttributeError(f"ParamsType has no attribute or enum constant {key!r}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}:{t}" for name, t in zip(self.fields, self.types))
        return f"ParamsType<{shown}>"

    __str__ = __repr__

    def __eq__(self, other):
        return type(self) is type(other) and self.fields == other.fields and self.types == other.types

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash((type(self), self.fields, self.types))

    def generate_struct_name(self) -> str:
        """Return a name for the C struct, which depends on the fields' names and types alone."""
        digests = [hashlib.sha256(",".join(names).encode()).hexdigest() for names in (self.fields, map(str, self.types))]
        return "_Params_" + "_".join(digests)

    def has_type(self, theano_type) -> bool:
        """Whether some field has this type."""
        return theano_type in self.types

    def get_type(self, field_name: str) -> Type:
        """Return the type of a field; ValueError where there is no such field."""
        return self.types[self.fields.index(field_name)]

    def get_field(self, theano_type) -> str:
        """Return the name of the first field of this type; ValueError where there is none."""
        return self.fields[self.types.index(theano_type)]

    def get_enum(self, key: str):
        """Return the value of a constant of the enum fields; KeyError where there is none."""
        return next((enum for enum in self._enums if key in enum), {})[key]

    def enum_from_alias(self, alias: str):
        """Return the value of the enum constant with this alias or name; KeyError where there is none."""
        for enum in self._enums:
            if enum.has_alias(alias):
                return enum.fromalias(alias)
        return self.get_enum(alias)

    def get_params(self, *objects, **kwargs) -> Params:
        """Return a Params with the fields read from the attributes of ``objects`` (the first that has one) and ``kwargs``.

        The values are filtered by the fields' types, with downcast allowed.
        """
        values = dict(kwargs)
        wanted = set(self.fields) - set(values)
        for source in objects:
            found = {name for name in wanted if hasattr(source, name)}
            values.update((name, getattr(source, name)) for name in found)
            wanted -= found
        filtered = {
            name: t.filter(values[name], strict=False, allow_downcast=True) for name, t in zip(self.fields, self.types)
        }
        return Params(self, **filtered)

    def extended(self, **kwargs) -> ParamsType:
        """Return a new type with these fields added or replaced."""
        return ParamsType(**{**dict(zip(self.fields, self.types)), **kwargs})

    def filter(self, data, strict=False, allow_downcast=None):
        if strict and not isinstance(data, Params):
            raise TypeError(f"{self}: strict mode: data should be an instance of Params.")
        filtered = {name: t.filter(getattr(data, name), strict, allow_downcast) for name, t in zip(self.fields, self.types)}
        return data if strict else Params(self, **filtered)

    def values_eq(self, a, b):
        return all(t.values_eq(getattr(a, name), getattr(b, name)) for name, t in zip(self.fields, self.types))

    def values_eq_approx(self, a, b):
        return all(t.values_eq_approx(getattr(a, name), getattr(b, name)) for name, t in zip(self.fields, self.types))

    # ------------------------------------------------------------------------------------------------ C code

    def _gather(self, method: str, *args) -> list:
        """Return what the method of each field's type gives, for those that have it."""
        found = []
        for t in self.types:
            try:
                try:
                    found.append(getattr(t, method)(*args))
                except TypeError:  # these methods may be defined without the compiler argument
                    found.append(getattr(t, method)())
            except MethodNotDefined:
                continue
        return found

    def _gather_lists(self, method: str, *args) -> list:
        return list(dict.fromkeys(item for items in self._gather(method, *args) for item in items))

    def c_compile_args(self, c_compiler=None):
        return self._gather_lists("c_compile_args", c_compiler)

    def c_no_compile_args(self, c_compiler=None):
        return self._gather_lists("c_no_compile_args", c_compiler)

    def c_headers(self, c_compiler=None):
        return self._gather_lists("c_headers", c_compiler)

    def c_libraries(self, c_compiler=None):
        return self._gather_lists("c_libraries", c_compiler)

    def c_header_dirs(self):
        return self._gather_lists("c_header_dirs")

    def c_lib_dirs(self):
        return self._gather_lists("c_lib_dirs")

    def c_init_code(self):
        return self._gather_lists("c_init_code")

    def c_support_code(self):
        support: list[str] = []
        for text in self._gather("c_support_code"):
            support.extend([text] if isinstance(text, str) else text)
        fail = {"fail": "{++this->failed; return;}"}
        pairs = list(zip(self.fields, self.types))
        declare = "\n".join(t.c_declare(name, fail) for name, t in pairs)
        init = "\n".join(t.c_init(name, fail) for name, t in pairs)
        cleanup = "\n".join(t.c_cleanup(name, fail) for name, t in pairs)
        extract = "\n".join(
            f"void extract_{name}(PyObject* py_{name}) {{ {t.c_extract(name, fail)} }}" for name, t in pairs
        )
        cases = "\n".join(f"case {i}: extract_{name}(object); break;" for i, name in enumerate(self.fields))
        guard = self.name.upper()
        support.append(f"""
        #ifndef {guard}
        #define {guard}
        struct {self.name} {{
            int failed;
            {declare}
            {self.name}() : failed(0) {{ {init} }}
            ~{self.name}() {{ cleanup(); }}
            void cleanup() {{ {cleanup} }}
            {extract}
            void extract(PyObject* object, int field) {{
                switch (field) {{
                    {cases}
                    default:
                        PyErr_Format(PyExc_TypeError, "ParamsType: no extraction defined for a field %d.", field);
                        ++failed;
                }}
            }}
            int errorOccurred() {{ return failed; }}
        }};
        #endif
        """)
        return support

    def c_code_cache_version(self):
        return ((3,), tuple(t.c_code_cache_version() for t in self.types))

    def c_declare(self, name, sub, check_input=True):
        return f"{self.name}* {name};"

    def c_init(self, name, sub):
        return f"{name} = NULL;"

    def c_cleanup(self, name, sub):
        return f"delete {name};\n{name} = NULL;"

    def c_extract(self, name, sub, check_input=True):
        fields = ", ".join(f'"{field}"' for field in self.fields)
        return f"""
        {name} = new {self.name};
        {{
            const char* fields[] = {{{fields}}};
            if (py_{name} == Py_None) {{
                PyErr_SetString(PyExc_ValueError, "ParamsType: expected an object, not None.");
                {sub["fail"]}
            }}
            for (int i = 0; i < {self.length}; ++i) {{
                PyObject* value = PyDict_GetItemString(py_{name}, fields[i]);
                if (value == NULL) {{
                    PyErr_Format(PyExc_TypeError, "ParamsType: missing expected attribute \\"%s\\" in object.", fields[i]);
                    {sub["fail"]}
                }}
                {name}->extract(value, i);
                if ({name}->errorOccurred()) {{
                    fprintf(stderr, "\\nParamsType: error when extracting value for attribute \\"%s\\".\\n", fields[i]);
                    {sub["fail"]}
                }}
            }}
        }}
        """
