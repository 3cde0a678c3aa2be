"""The cache of compiled code: content-addressed, without locks, private, and never a reason to fail.

An entry is one file ``<folder>/<first two digits>/<key>.so`` whose key is a digest of the C text, the options, the compiler and the CPU. The
file ends with the digest of what stands before it, which is checked before it is loaded; loaders ignore what follows an ELF image. Beside them are notes, ``<key>.json``, with
text instead of code (see `theano_compat.codegen.recall`). A new entry is
written under another name in the same folder, flushed, and renamed over: readers see nothing or all of it. Whatever goes wrong with the folder (read-only, full,
owned by somebody else, open to others), the code is built in a temporary folder of the process instead.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from theano_compat import config
from theano_compat.codegen import toolchain

__all__ = ["Library", "build", "clear", "entries", "folder", "load", "read_note", "write_note"]

FORMAT = "tc1"
_MAGIC = b"theano_compat checksum sha256:\n"
_TRAILER = len(_MAGIC) + 32
_CODE, _NOTE = ".so", ".json"


class Library:
    """A loaded shared object; it is unloaded with the last reference.

    Attributes
    ----------
    path : str
        The file that was loaded (it may be gone by now).
    was_cached : bool
        Whether it was found, not compiled.
    key : str or None
        What `load` finds it by; None if it is not in the cache.
    """

    def __init__(self, path: str, was_cached: bool, key: str | None = None) -> None:
        self.path = path
        self.was_cached = was_cached
        self.key = key
        self._handle = ctypes.CDLL(path)
        self._finalizer = weakref.finalize(self, _unload, self._handle._handle)
        # At exit the process's memory goes anyway, and unloading then could pull code from under a running thread.
        self._finalizer.atexit = False

    def address(self, symbol: str) -> int:
        """Return the address of a function.

        Raises
        ------
        AttributeError
            If the library has no such symbol.
        """
        address = ctypes.cast(getattr(self._handle, symbol), ctypes.c_void_p).value
        assert address is not None
        return address

    def close(self) -> None:
        """Unload now; addresses got from it must not be used any more."""
        self._finalizer()


def _unload(handle: int) -> None:
    if sys.platform != "win32":
        import _ctypes

        _ctypes.dlclose(handle)


_loaded: weakref.WeakValueDictionary[str, Library] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def folder() -> Path:
    """Return the folder of the cache (flag ``compiledir``)."""
    return Path(config.compiledir) / FORMAT


def key_of(source: str, compiler: toolchain.Compiler, extra: tuple[str, ...]) -> str:
    """Return the key of a build."""
    parts = (FORMAT, source, compiler.identity, *compiler.options(extra), "cpu", toolchain.cpu_identity())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def build(source: str, *, extra_flags: tuple[str, ...] = (), include: Callable[[], Sequence[str]] = tuple) -> Library:
    """Return the compiled and loaded form of a C text, from the cache where it is there.

    Parameters
    ----------
    source : str
        One translation unit of C.
    extra_flags : tuple of str
        Further options of the compiler.
    include : callable, optional
        Gives folders of headers. It is asked only where there is something to compile, so the text itself must say which versions of them it wants.

    Raises
    ------
    CompileError
        If there is no compiler or it refuses the text.
    """
    compiler = toolchain.compiler()
    if compiler is None:
        raise toolchain.CompileError(toolchain.ADVICE)
    extra = tuple(extra_flags)
    key = key_of(source, compiler, extra)
    library = load(key)
    if library is not None:
        return library
    library = _compile(source, key, compiler, (*extra, *(f"-I{folder}" for folder in include())))
    with _lock:
        return _loaded.setdefault(key, library)


def load(key: str) -> Library | None:
    """Return the library with a key, None if it is not in the cache."""
    with _lock:
        library = _loaded.get(key)
    if library is None:
        library = _from_cache(key)
        if library is not None:
            with _lock:
                library = _loaded.setdefault(key, library)
    return library


def read_note(key: str) -> str | None:
    """Return the text of a note, None if there is none."""
    data = _read(_entry(key, _NOTE))
    return None if data is None else data.decode(errors="replace")


def write_note(key: str, text: str) -> None:
    """Put a note into the cache, or leave it where that cannot be."""
    target = _entry(key, _NOTE)
    try:
        unfinished = _new_file_for(target)
    except OSError:
        return
    try:
        unfinished.write_bytes(text.encode())
        _seal(unfinished)
        os.replace(unfinished, target)
    except OSError:
        pass
    finally:
        unfinished.unlink(missing_ok=True)


def _entry(key: str, suffix: str = _CODE) -> Path:
    return folder() / key[:2] / (key + suffix)


def is_private(path: Path) -> bool:
    """Tell whether a folder is a real folder of this user that nobody else may write to."""
    if os.name == "nt":
        return path.is_dir()
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _seal(path: Path) -> None:
    """Append the digest of a file to it and flush it to the disk."""
    data = path.read_bytes()
    with open(path, "ab") as file:
        file.write(_MAGIC + hashlib.sha256(data).digest())
        file.flush()
        os.fsync(file.fileno())


def _content(path: Path) -> bytes | None:
    """Return what an entry holds, None if it is not a regular file whose content is what was written."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        data = path.read_bytes()
    except OSError:
        return None
    body, trailer = data[:-_TRAILER], data[-_TRAILER:]
    return body if trailer == _MAGIC + hashlib.sha256(body).digest() else None


def is_whole(path: Path) -> bool:
    """Tell whether an entry is a regular file whose content is what was written."""
    return _content(path) is not None


def _read(path: Path) -> bytes | None:
    """Return what an entry holds, None if it is not to be trusted; one that is in use looks new once a day."""
    content = _content(path) if is_private(folder()) and is_private(path.parent) else None
    if content is not None:
        try:
            if time.time() - path.stat().st_mtime > 86400:
                os.utime(path)
        except OSError:
            pass
    return content


def _from_cache(key: str) -> Library | None:
    path = _entry(key)
    if _read(path) is None:
        return None
    try:
        return Library(os.fspath(path), was_cached=True, key=key)
    except OSError:
        return None


def _make_private_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    if not is_private(path):
        raise OSError(f"{path} is not a folder that only this user may write to")


def _new_file_for(target: Path) -> Path:
    """Make an empty file in the folder of an entry, to be renamed over it."""
    import tempfile  # here and below: nothing that a warm start need load

    _make_private_folder(folder())
    _make_private_folder(target.parent)
    descriptor, name = tempfile.mkstemp(prefix="tmp-", suffix=target.suffix, dir=target.parent)
    os.close(descriptor)
    return Path(name)


def _compile(source: str, key: str, compiler: toolchain.Compiler, extra: tuple[str, ...]) -> Library:
    target = _entry(key)
    try:
        unfinished = _new_file_for(target)
    except OSError as trouble:
        return _compile_privately(source, compiler, extra, trouble)
    try:
        compiler.build(source, os.fspath(unfinished), extra)
        try:
            _seal(unfinished)
            if target.is_dir():
                raise IsADirectoryError(target)
            os.replace(unfinished, target)
            return Library(os.fspath(target), was_cached=False, key=key)
        except OSError as trouble:
            return _compile_privately(source, compiler, extra, trouble)
    except toolchain.CompileError as trouble:
        # A full disk shows as a compiler that fails: try elsewhere before the text is blamed.
        return _compile_privately(source, compiler, extra, trouble)
    finally:
        unfinished.unlink(missing_ok=True)


_told = False


def _compile_privately(source: str, compiler: toolchain.Compiler, extra: tuple[str, ...], trouble: Exception) -> Library:
    """Build in a temporary folder that is removed as soon as the code is loaded."""
    import shutil
    import tempfile

    global _told
    scratch = tempfile.mkdtemp(prefix="theano_compat-")
    try:
        path = os.path.join(scratch, "private" + _CODE)
        compiler.build(source, path, extra)
        library = Library(path, was_cached=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=os.name == "nt")
    if not _told and config.cmodule.debug:
        print(f"theano_compat: the cache {folder()} cannot be used ({trouble}); compiled code is kept for this process only", file=sys.stderr)
        _told = True
    return library


def entries() -> Iterator[Path]:
    """Yield the files of the cache, unfinished ones of processes that died included."""
    if folder().is_dir():
        yield from sorted(path for suffix in (_CODE, _NOTE) for path in folder().glob("??/*" + suffix))


def clear(older_than: float = 0.0) -> int:
    """Remove entries that were not used for a number of seconds, and return how many.

    On systems where a loaded file may be removed (all but Windows) running programs are not disturbed.
    """
    removed, now = 0, time.time()
    for path in entries():
        try:
            if now - path.stat().st_mtime >= older_than:
                path.unlink()
                removed += 1
        except OSError:
            continue
    return removed
