"""The C side of types and ops: methods that C code generation for a user's own ops asks for.

The compiled engine lowers the package's own ops and types by itself; these methods serve types and ops that bring
their C code along.
"""

from __future__ import annotations

from typing import Any

from theano_compat.gof.utils import MethodNotDefined, object2


def _undefined(what: str, self) -> MethodNotDefined:
    return MethodNotDefined(what, type(self), self.__class__.__name__)


class CLinkerObject:
    """What a type or op may add to the C file and to the compiler's command line.

    Every method may be left undefined (it raises MethodNotDefined). Those of types and of some ops take the
    compiler class as an optional argument.
    """

    def c_headers(self) -> list[str]:
        """Return the names of the header files to include, with quotes or brackets where they matter."""
        raise _undefined("c_headers", self)

    def c_header_dirs(self) -> list[str]:
        """Return the folders to look for headers in."""
        raise _undefined("c_header_dirs", self)

    def c_libraries(self) -> list[str]:
        """Return the names of the libraries to link."""
        raise _undefined("c_libraries", self)

    def c_lib_dirs(self) -> list[str]:
        """Return the folders to look for libraries in."""
        raise _undefined("c_lib_dirs", self)

    def c_support_code(self) -> str:
        """Return code for the top of the file, once for all uses of the op or type."""
        raise _undefined("c_support_code", self)

    def c_compile_args(self) -> list[str]:
        """Return further arguments for the compiler."""
        raise _undefined("c_compile_args", self)

    def c_no_compile_args(self) -> list[str]:
        """Return the compiler arguments that must not be used."""
        raise _undefined("c_no_compile_args", self)

    def c_init_code(self) -> list[str]:
        """Return statements that run once when the module is loaded."""
        raise _undefined("c_init_code", self)

    def c_code_cache_version(self) -> tuple:
        """Return the version of the C code; ``()`` means that it must not be cached."""
        return ()


class CLinkerOp(CLinkerObject):
    """The C code of an op.

    In all methods ``name`` is a string unique to the use, ``inputs`` and ``outputs`` are the C names of the variables,
    and ``sub`` holds further substitutions, ``sub['fail']`` among them.
    """

    def c_code(self, node, name, inputs, outputs, sub) -> str:
        """Return the C statements that compute the outputs from the inputs."""
        raise _undefined("c_code", self)

    def c_code_cache_version_apply(self, node) -> tuple:
        """Return the version of the C code for this node."""
        return self.c_code_cache_version()

    def c_code_cleanup(self, node, name, inputs, outputs, sub) -> str:
        """Return statements that run after ``c_code``, be it successful or not."""
        raise _undefined("c_code_cleanup", self)

    def c_support_code_apply(self, node, name) -> str:
        """Return code for the top of the file, once for this node."""
        raise _undefined("c_support_code_apply", self)

    def c_support_code_struct(self, node, name) -> str:
        """Return declarations for the struct of this node's state."""
        raise _undefined("c_support_code_struct", self)

    def c_init_code_apply(self, node, name) -> str:
        """Return statements that run once for this node when the module is loaded."""
        raise _undefined("c_init_code_apply", self)

    def c_init_code_struct(self, node, name, sub) -> str:
        """Return statements that set up this node's state."""
        raise _undefined("c_init_code_struct", self)

    def c_cleanup_code_struct(self, node, name) -> str:
        """Return statements that tear down this node's state."""
        raise _undefined("c_cleanup_code_struct", self)


class CLinkerType(CLinkerObject):
    """The C representation of a type's values."""

    def c_is_simple(self) -> bool:
        """Whether values are plain C scalars or structs, without reference counts."""
        return False

    def c_literal(self, data) -> str:
        """Return ``data`` as a C literal."""
        raise _undefined("c_literal", self)

    def c_declare(self, name, sub, check_input=True) -> str:
        """Return the declaration of the C variables that hold a value."""
        raise _undefined("c_declare", self)

    def c_init(self, name, sub) -> str:
        """Return statements that set the declared variables to a defined state."""
        raise _undefined("c_init", self)

    def c_extract(self, name, sub, check_input=True) -> str:
        """Return statements that read the value from ``PyObject* py_<name>``."""
        raise _undefined("c_extract", self)

    def c_extract_out(self, name, sub, check_input=True) -> str:
        """Return statements that read an output's old value, which may be None."""
        return f"""
        if (py_{name} == Py_None) {{
            {self.c_init(name, sub)}
        }} else {{
            {self.c_extract(name, sub, check_input)}
        }}
        """

    def c_sync(self, name, sub) -> str:
        """Return statements that write the value back to ``py_<name>``."""
        raise _undefined("c_sync", self)

    def c_cleanup(self, name, sub) -> str:
        """Return statements that release what the declared variables hold."""
        raise _undefined("c_cleanup", self)

    def c_element_type(self) -> Any:
        """Return the C type of an element, where values are arrays."""
        return None

    def c_code_cache_version(self) -> tuple:
        return ()


__all__ = ["CLinkerObject", "CLinkerOp", "CLinkerType", "object2"]
