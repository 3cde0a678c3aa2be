"""Strings as Python 2 had them, for translated programs.

There is one kind of string, text. It stands for Python 2's ``unicode`` and for its byte strings: those are read from and written to files as UTF-8, so ``encode`` and ``decode`` with an
encoding of characters give text, and what cannot be said in the encoding is refused, replaced or left out as the program asks.
"""

from __future__ import annotations

import ast
import codecs

from theano_compat.cli.classic.methods import MethodCalls

_BYTES_TO_BYTES = frozenset("hex hex_codec base64 base64_codec zlib zlib_codec zip bz2 bz2_codec quopri quopri_codec uu uu_codec".split())
_ESCAPES = {"string_escape": "unicode_escape", "string-escape": "unicode_escape"}
_TEXT_TO_TEXT = frozenset({"rot13", "rot_13", "rot-13"})


def as_bytes(data):
    """Return the bytes that a text stands for: Latin-1 where it is (literals with ``\\xff``, pickles of Python 2), else UTF-8; anything else as it is."""
    if not isinstance(data, str):
        return data
    try:
        return data.encode("latin-1")
    except UnicodeEncodeError:
        return data.encode("utf-8", "surrogateescape")


def classic_decode(owner, *args, **kwargs):
    """Call ``owner.decode(encoding, errors)``; a text decodes to text."""
    if not isinstance(owner, (str, bytes)):
        return owner.decode(*args, **kwargs)
    return _decode(owner, *args, **kwargs)


def _decode(data, encoding="ascii", errors="strict"):
    kind = encoding.lower()
    if kind in _TEXT_TO_TEXT:
        return codecs.decode(data, kind)
    if kind in _BYTES_TO_BYTES:
        return codecs.decode(as_bytes(data), kind).decode("latin-1")
    raw = as_bytes(data)
    if isinstance(data, str) and codecs.lookup(_ESCAPES.get(kind, kind)).name == "utf-8":
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return data if _is_clean(data) else raw.decode("utf-8", errors)  # it was decoded when it was read
    return raw.decode(_ESCAPES.get(kind, kind), errors)


def _is_clean(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def classic_encode(owner, *args, **kwargs):
    """Call ``owner.encode(encoding, errors)``; a text encodes to text, in which only what the encoding cannot say has changed."""
    if not isinstance(owner, (str, bytes)):
        return owner.encode(*args, **kwargs)
    return _encode(owner, *args, **kwargs)


def _encode(data, encoding="ascii", errors="strict"):
    kind = encoding.lower()
    if kind in _TEXT_TO_TEXT:
        return codecs.encode(data, kind)
    if kind in _BYTES_TO_BYTES:
        return codecs.encode(as_bytes(data), kind).decode("latin-1")
    if isinstance(data, bytes):
        return data
    if kind in _ESCAPES or kind in ("unicode_escape", "raw_unicode_escape"):
        return data.encode(_ESCAPES.get(kind, kind)).decode("latin-1")
    name = codecs.lookup(kind).name
    if name == "utf-8":
        return data
    return data.encode(name, errors).decode(name)


def classic_unicode(value="", encoding=None, errors="strict") -> str:
    """Return Python 2's ``unicode(value, encoding, errors)``."""
    if isinstance(value, (bytes, bytearray)) or (isinstance(value, str) and encoding is not None):
        return _decode(value, encoding or "ascii", errors)
    said = getattr(type(value), "__unicode__", None)
    return str(value) if said is None else said(value)


def classic_translate(owner, *args, **kwargs):
    """Call ``owner.translate(table, deletechars)``."""
    if not isinstance(owner, str) or kwargs:
        return owner.translate(*args, **kwargs)
    return _translate(owner, *args)


def _translate(text, table=None, delete=""):
    kept = text.translate(dict.fromkeys(map(ord, delete))) if delete else text
    return kept if table is None else kept.translate(table)


ENTRIES = {
    "__classic_decode__": classic_decode,
    "__classic_encode__": classic_encode,
    "__classic_translate__": classic_translate,
    "__classic_unicode__": classic_unicode,
}


class ClassicStrings(MethodCalls):
    """Compiles calls of ``x.decode``, ``x.encode``, ``x.translate`` and ``unicode`` into calls of the functions in ENTRIES; elsewhere ``unicode`` is ``str``."""

    METHODS = {name: f"__classic_{name}__" for name in ("decode", "encode", "translate")}

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id == "unicode":
            node.func = ast.copy_location(ast.Name("__classic_unicode__", ast.Load()), node.func)
        return super().visit_Call(node)

    def visit_Name(self, node):
        if node.id == "unicode" and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Name("str", ast.Load()), node)
        return node
