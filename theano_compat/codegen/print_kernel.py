"""Loops as C functions: kernels.

Names in a kernel come from positions inside it, so that equal bodies give equal text and are emitted once.
A kernel has a variant for unit strides (with ``omp simd``), and one for any strides; a direct one has only that of its strides.
"""

from __future__ import annotations

import re

from theano_compat.codegen import build
from theano_compat.codegen.dtypes import COMPLEX, compute_type, itemsize, storage_type
from theano_compat.codegen.ir import Loop, Reducer, Store

__all__ = ["Kernel", "identity", "read_element", "write_element"]

_name = re.compile(r"\b(?:_v|_u|d|q)\d+\b")

_function = re.compile(r"\b(?!if\b|for\b|while\b|sizeof\b)[A-Za-z_]\w*\(")

_CHUNK = 128  # elements that a kernel collects on the stack

_LIMITS = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64"}


def identity(reducer: Reducer, dtype: str) -> str:
    """C literal of what a reduction starts from."""
    ctype = compute_type(dtype)
    kind = reducer.identity
    if kind in ("0", "1"):
        return f"(({ctype}){kind})"
    if kind == "ones":
        return "((uint8_t)1)" if dtype == "bool" else f"(({ctype})~(uint64_t)0)"
    low = kind == "lowest"
    if dtype.startswith("float"):
        return f"(({ctype}){'-' if low else ''}INFINITY)"
    if dtype == "bool":
        return f"((uint8_t){0 if low else 1})"
    if dtype.startswith("uint"):
        return f"(({ctype}){'0' if low else 'UINT' + dtype[4:] + '_MAX'})"
    return f"(({ctype}){_LIMITS[dtype]}_{'MIN' if low else 'MAX'})"


def read_element(pointer: str, dtype: str) -> str:
    """C expression of the element that a ``char *`` expression points to."""
    if dtype == "float16":
        return f"tc_h2f(*(const uint16_t *)({pointer}))"
    return f"*(const {storage_type(dtype)} *)({pointer})"


def write_element(pointer: str, dtype: str, value: str) -> str:
    """C statement that stores a value where a ``char *`` expression points to."""
    if dtype == "float16":
        return f"*(uint16_t *)({pointer}) = tc_f2h({value});"
    return f"*({storage_type(dtype)} *)({pointer}) = {value};"


def _combine(reducer: Reducer, dtype: str, a: str, b: str) -> str:
    text = reducer.combine.format(a=a, b=b)
    if reducer.nan_aware and dtype.startswith("float"):
        text = f"({b} != {b} ? {b} : {text})"
    return f"({storage_type(dtype)}){text}" if dtype not in ("float16", "float32", "float64", *COMPLEX) else text


class _Operand:
    """One pointer of a kernel: where it leads, how it walks."""

    def __init__(self, number: int, pointer: str, dtype: str, strides: tuple[str, ...], store: Store | None = None):
        self.number = number
        self.pointer = pointer
        self.dtype = dtype
        self.strides = strides
        self.store = store
        self.fixed = store is None and all(s == "0" for s in strides)
        self.row = not self.fixed and (not strides or strides[-1] == "0")


class Kernel:
    """Prints one `Loop`: its function text, and the statement that runs it."""

    def __init__(self, loop: Loop, ctypes: dict[str, str]):
        keep = [i for i, extent in enumerate(loop.domain) if extent != "1"]
        self.domain = [loop.domain[i] for i in keep]
        self.loop = loop
        self.rename: dict[str, str] = {}
        self.operands: list[_Operand] = []
        self.loads: list[tuple[str, _Operand]] = []
        for load in loop.loads:
            strides = tuple(load.strides[i] for i in keep)
            operand = self._operand(load.view.pointer, load.view.dtype, strides)
            self.rename[load.name] = f"x{operand.number}"
            self.loads.append((f"x{operand.number}", operand))
        for k, statement in enumerate(loop.body):
            self.rename[statement.name] = f"v{k}"
        texts = [s.expr for s in loop.body] + [s.value for s in loop.stores]
        for name in dict.fromkeys(n for text in texts for n in _name.findall(text)):
            if name not in self.rename:
                ctype = ctypes[name]
                operand = self._operand(f"(char *)&{name}", ctype, ("0",) * len(keep))
                self.rename[name] = f"x{operand.number}"
                self.loads.append((f"x{operand.number}", operand))
        self.stores = [
            self._operand(s.view.pointer, s.view.dtype, tuple(s.strides[i] for i in keep), s) for s in loop.stores
        ]

    def _operand(self, pointer, dtype, strides, store=None) -> _Operand:
        operand = _Operand(len(self.operands), pointer, dtype, strides, store)
        self.operands.append(operand)
        return operand

    def _expr(self, text: str) -> str:
        return _name.sub(lambda m: self.rename.get(m.group(), m.group()), text)

    def _fetch(self, name: str, operand: _Operand, pointer: str) -> str:
        dtype = operand.dtype
        if "_" in dtype or dtype in ("float", "double"):  # a C type: a name of the segment, lent by address
            return f"const {dtype} {name} = *(const {dtype} *)({pointer});"
        return f"const {compute_type(dtype)} {name} = {read_element(pointer, dtype)};"

    def _body(self, indent: str) -> list[str]:
        lines = []
        for statement in self.loop.body:
            name, expr = self.rename[statement.name], self._expr(statement.expr)
            if statement.block:
                lines.append(f"{indent}{statement.ctype} {name};" + (f" {expr}" if expr else ""))
            else:
                lines.append(f"{indent}const {statement.ctype} {name} = {expr};")
        return lines

    def function(self) -> str:
        """Text of the kernel with the name left as ``@``."""
        lines = ["static void @(int64_t n1, int64_t n0, char *const *p, const int64_t *s1, const int64_t *s0)", "{"]
        lines += [
            "    " + self._fetch(name, operand, f"p[{operand.number}]")
            for name, operand in self.loads
            if operand.fixed
        ]
        walking = [o for o in self.operands if not o.fixed]
        reducing = [o for o in walking if o.store is not None and o.store.reducer is not None]
        variants = [{o.number: (0 if o.row else itemsize(o.dtype)) for o in walking}]
        partly = [o for o in reducing if any(s != "0" for s in o.strides)]
        if partly and len(self.domain) > 1:
            # the other choice of inner dimension: where a partial reduction is the row and the rest is not
            other = {
                o.number: (0 if (o in reducing and not o.row) else itemsize(o.dtype))
                for o in walking
            }
            if other != variants[0]:
                variants.append(other)
        opened = False
        for variant in variants:
            tests = " && ".join(f"s0[{n}] == {size}" for n, size in variant.items()) or "1"
            lines.append(f"    {'} else ' if opened else ''}if ({tests}) {{")
            opened = True
            lines += self._unit(walking, variant)
        lines.append("    } else {")
        lines += self._any(walking)
        lines.append("    }")
        lines.append("}")
        return "\n".join(lines)

    def direct(self) -> str:
        """Text of the kernel for strides that are known, with the name left as ``@``."""
        walking = [o for o in self.operands if not o.fixed]
        outer = self._outer_strides()
        arguments = ["int64_t n1", "int64_t n0", *(f"char *p{o.number}" for o in self.operands), *(f"int64_t w{n}" for n in outer)]
        lines = [f"static void @({', '.join(arguments)})", "{"]
        lines.append(f"    char *const p[] = {{{', '.join(f'p{o.number}' for o in self.operands)}}};")
        lines.append(f"    const int64_t s1[] = {{{', '.join(f'w{o.number}' if o.number in outer else '0' for o in self.operands)}}};")
        lines += ["    " + self._fetch(name, operand, f"p[{operand.number}]") for name, operand in self.loads if operand.fixed]
        lines += self._unit(walking, {o.number: (0 if o.row else itemsize(o.dtype)) for o in walking})
        return "\n".join([*lines, "}"])

    def _outer_strides(self) -> dict[int, str]:
        """Strides of the outer one of two dimensions, by operand, where they are not 0."""
        return {o.number: o.strides[0] for o in self.operands if len(self.domain) == 2 and o.strides[0] != "0"}

    def run_directly(self, name: str) -> list[str]:
        """Statement of the segment that runs the kernel for known strides."""
        extents = ["1", "1", *self.domain][-2:]
        return [f"{name}({', '.join([*extents, *(o.pointer for o in self.operands), *self._outer_strides().values()])});"]

    def _unit(self, walking: list[_Operand], variant: dict[int, int]) -> list[str]:
        i2, i3 = "        ", "            "
        lines = [f"{i2}for (int64_t i = 0; i < n1; i++) {{"]
        for o in walking:
            qualifier = "" if o.store else "const "
            lines.append(
                f"{i3}{qualifier}{storage_type(o.dtype)} *q{o.number} = ({qualifier}{storage_type(o.dtype)} *)"
                f"(p[{o.number}] + i * s1[{o.number}]);"
            )
        clauses, epilogue, inner = [], [], []
        for name, o in self.loads:
            if not o.fixed:
                if variant[o.number] == 0:
                    lines.append(i3 + self._fetch(name, o, f"q{o.number}"))
                else:
                    inner.append(f"{i3}    " + self._fetch(name, o, f"q{o.number} + j"))
        inner += self._body(i3 + "    ")
        simd = not any(o.dtype in COMPLEX for o in self.operands) and not any(s.block for s in self.loop.body)
        for o in self.stores:
            value, reducer = self._expr(o.store.value), o.store.reducer
            ctype, n = compute_type(o.dtype), o.number
            inside = o in walking and variant[n] != 0
            if reducer is None:
                pointer = f"q{n} + j" if inside else f"q{n}"
                inner.append(f"{i3}    {write_element(pointer, o.dtype, value)}")
                if not inside:
                    simd = False
            elif inside:
                inner.append(
                    f"{i3}    {write_element(f'q{n} + j', o.dtype, _combine(reducer, o.dtype, f'q{n}[j]', value))}"
                )
            else:
                lines.append(f"{i3}{ctype} r{n} = {identity(reducer, o.dtype)};")
                nan = reducer.nan_aware and o.dtype.startswith("float")
                inner.append(f"{i3}    r{n} = {reducer.combine.format(a=f'r{n}', b=value)};")
                clauses.append(f"reduction({reducer.clause}:r{n})")
                result = f"r{n}"
                if nan:
                    lines.append(f"{i3}int m{n} = 0;")
                    inner.append(f"{i3}    m{n} |= ({value} != {value});")
                    clauses.append(f"reduction(|:m{n})")
                    result = f"l{n}"
                    epilogue.append(f"{i3}const {ctype} l{n} = m{n} ? ({ctype})NAN : r{n};")
                epilogue.append(
                    f"{i3}{write_element(f'q{n}', o.dtype, _combine(reducer, o.dtype, f'q{n}[0]', result))}"
                )
        if simd:
            lines.append(f"{i3}#pragma omp simd {' '.join(clauses)}".rstrip())
        lines.append(f"{i3}for (int64_t j = 0; j < n0; j++) {{")
        lines += inner
        lines.append(f"{i3}}}")
        lines += epilogue
        lines.append(f"{i2}}}")
        return lines

    def _any(self, walking: list[_Operand]) -> list[str]:
        if self._is_costly():
            return self._any_by_chunks(walking)
        i2, i3, i4 = "        ", "            ", "                "
        lines = [f"{i2}for (int64_t i = 0; i < n1; i++)", f"{i3}for (int64_t j = 0; j < n0; j++) {{"]
        for o in walking:
            lines.append(f"{i4}char *a{o.number} = p[{o.number}] + i * s1[{o.number}] + j * s0[{o.number}];")
        lines += [i4 + self._fetch(name, o, f"a{o.number}") for name, o in self.loads if not o.fixed]
        lines += self._body(i4)
        for o in self.stores:
            lines.append(i4 + self._put(o, walking, f"a{o.number}", self._expr(o.store.value)))
        lines.append(f"{i3}}}")
        return lines

    def _put(self, o: _Operand, walking: list[_Operand], pointer: str, value: str) -> str:
        """Statement that stores or accumulates a value through any pointer."""
        pointer = pointer if o in walking else f"p[{o.number}]"
        if o.store.reducer is not None:
            value = _combine(o.store.reducer, o.dtype, f"({read_element(pointer, o.dtype)})", value)
        return write_element(pointer, o.dtype, value)

    def _any_by_chunks(self, walking: list[_Operand]) -> list[str]:
        """Costly bodies over any strides: elements are collected, computed side by side, and put in place."""
        i3, i4, i5 = "            ", "                ", "                    "
        moving = [(name, o) for name, o in self.loads if not o.fixed]
        lines = [
            "        for (int64_t i = 0; i < n1; i++)",
            f"{i3}for (int64_t at = 0; at < n0; at += {_CHUNK}) {{",
            f"{i4}const int64_t n = n0 - at < {_CHUNK} ? n0 - at : {_CHUNK};",
        ]
        for _, o in moving:
            lines += [
                f"{i4}{compute_type(o.dtype)} t{o.number}[{_CHUNK}];",
                f"{i4}for (int64_t j = 0; j < n; j++)",
                f"{i5}t{o.number}[j] = "
                + read_element(f"p[{o.number}] + i * s1[{o.number}] + (at + j) * s0[{o.number}]", o.dtype)
                + ";",
            ]
        lines += [f"{i4}{compute_type(o.dtype)} t{o.number}[{_CHUNK}];" for o in self.stores]
        lines += [f"{i4}#pragma omp simd", f"{i4}for (int64_t j = 0; j < n; j++) {{"]
        lines += [f"{i5}const {compute_type(o.dtype)} {name} = t{o.number}[j];" for name, o in moving]
        lines += self._body(i5)
        lines += [f"{i5}t{o.number}[j] = {self._expr(o.store.value)};" for o in self.stores]
        lines.append(f"{i4}}}")
        for o in self.stores:
            pointer = f"p[{o.number}] + i * s1[{o.number}] + (at + j) * s0[{o.number}]"
            if o.store.reducer is not None and o in walking:
                place, total = f"p[{o.number}] + i * s1[{o.number}]", f"r{o.number}"
                step = _combine(o.store.reducer, o.dtype, total, f"t{o.number}[j]")
                lines += [
                    f"{i4}if (s0[{o.number}] == 0) {{",
                    f"{i5}{compute_type(o.dtype)} {total} = {read_element(place, o.dtype)};",
                    f"{i5}for (int64_t j = 0; j < n; j++)",
                    f"{i5}    {total} = {step};",
                    i5 + write_element(place, o.dtype, total),
                    f"{i4}}} else",
                ]
            lines += [f"{i4}for (int64_t j = 0; j < n; j++)", i5 + self._put(o, walking, pointer, f"t{o.number}[j]")]
        lines.append(f"{i3}}}")
        return lines

    def _is_costly(self) -> bool:
        """Tell whether the body calls functions that have vector variants: then collecting the operands pays."""
        if any(s.block for s in self.loop.body) or any(o.dtype in COMPLEX for o in self.operands):
            return False
        return any(build.calls_vector_function(s.expr) for s in self.loop.body)

    def _part(self, o: _Operand) -> str:
        """C name of what joins partial results of an operand, or that it is only read or only stored."""
        if o.store is None:
            return "NULL"
        return "TC_STORED" if o.store.reducer is None else f"tc_part_{o.store.reducer.name}_{o.dtype}"

    def parts(self) -> list[str]:
        """Texts of the functions that join partial results."""
        texts = []
        for o in self.stores:
            if o.store.reducer is not None:
                start = write_element("to", o.dtype, identity(o.store.reducer, o.dtype))
                joined = write_element("to", o.dtype, _combine(o.store.reducer, o.dtype, "a", "b"))
                read = [f"    const {compute_type(o.dtype)} {v} = {read_element(place, o.dtype)};" for v, place in (("a", "to"), ("b", "partial"))]
                lines = [f"static int64_t {self._part(o)}(char *to, const char *partial)", "{"]
                lines += [f"    if (to == NULL)\n        return sizeof({storage_type(o.dtype)});"]
                lines += [f"    if (partial == NULL) {{\n        {start}\n        return 0;\n    }}", *read, f"    {joined}", "    return 0;", "}"]
                texts.append("\n".join(lines))
        return texts

    def _cost(self) -> float:
        """Estimate of the nanoseconds of one point, as measured: memory, arithmetic, functions with and without vector variants."""
        cost = 0.015 * sum(itemsize(o.dtype) for o in self.operands if not o.fixed)
        size = max(itemsize(o.dtype) for o in self.stores)
        for statement in self.loop.body:
            functions = len(_function.findall(statement.expr))
            cost += 0.02 + (0.15 * size if build.calls_vector_function(statement.expr) else 10) * functions
        return cost

    def run(self, name: str) -> list[str]:
        """Statement of the segment that runs the kernel."""
        nd, nop = len(self.domain), len(self.operands)
        if nop > 64:
            raise ValueError("a kernel has more than 64 operands")
        pointers = ", ".join(o.pointer for o in self.operands)
        if nd == 0:
            zeros = ", ".join("0" for _ in range(nop))
            return [
                "{",
                f"    char *p[] = {{{pointers}}};",
                f"    const int64_t s[] = {{{zeros}}};",
                f"    {name}(1, 1, p, s, s);",
                "}",
            ]
        strides = ", ".join(o.strides[d] for d in range(nd) for o in self.operands)
        return [
            "{",
            f"    int64_t e[] = {{{', '.join(self.domain)}}};",
            f"    int64_t s[] = {{{strides}}};",
            f"    char *p[] = {{{pointers}}};",
            f"    static tc_part *const parts[] = {{{', '.join(self._part(o) for o in self.operands)}}};",
            f"    tc_nest({name}, {nd}, {nop}, e, s, p, parts, {self._cost():.2f});",
            "}",
        ]
