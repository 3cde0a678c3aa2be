"""Pickles of models: arrays as ``.npy`` files inside a zip archive, and pickles without the traces of creation."""

from __future__ import annotations

import pickle
import shutil
import tempfile
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np

from theano_compat import config  # noqa: F401
from theano_compat.compile.sharedvalue import SharedVariable

__all__ = [
    "CompatUnpickler", "PersistentGpuArrayID", "PersistentNdarrayID", "PersistentNdarrayLoad",
    "PersistentSharedVariableID", "StripPickler", "dump", "load", "zipadd",
]

DEFAULT_PROTOCOL = pickle.DEFAULT_PROTOCOL
HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
PY3 = True
string_types = (str,)
# Pickling does not recurse over graphs, so that no limit has to be raised.
min_recursion = 3000


class StripPickler(pickle.Pickler):
    """A pickler that leaves out where variables and nodes were made.

    Parameters
    ----------
    file : file object
        Where the pickle goes.
    protocol : int
        As for :class:`pickle.Pickler`.
    extra_tag_to_remove : str or list of str, optional
        Further attributes of ``tag`` to leave out.
    """

    def __init__(self, file: Any, protocol: int = 0, extra_tag_to_remove: Any = None):
        super().__init__(file, protocol=protocol)
        extra = [extra_tag_to_remove] if isinstance(extra_tag_to_remove, str) else list(extra_tag_to_remove or ())
        self.tag_to_remove = ["trace", "test_value", *extra]

    def dump(self, obj: Any) -> None:
        """Write the pickle of `obj`."""
        removed = self._strip(obj)
        try:
            super().dump(obj)
        finally:
            for tag, name, value in removed:
                setattr(tag, name, value)

    def save(self, obj: Any) -> None:
        """Write the pickle of `obj`, under the name that subclasses of the Python pickler know."""
        self.dump(obj)

    def _strip(self, obj: Any) -> list[tuple[Any, str, Any]]:
        """Take the attributes off all tags in `obj`; what was taken."""
        removed = []
        for tag in _tags_in(obj):
            for name in self.tag_to_remove:
                if name in tag.__dict__:
                    removed.append((tag, name, tag.__dict__.pop(name)))
        return removed


def _tags_in(obj: Any) -> list[Any]:
    """The tags of all variables and nodes that can be reached from `obj` through containers and graphs."""
    from theano_compat.gof import Apply, Variable

    tags, seen, stack = [], set(), [obj]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, dict):
            stack.extend(current.keys())
            stack.extend(current.values())
        elif isinstance(current, (list, tuple, set, frozenset)):
            stack.extend(current)
        elif isinstance(current, Variable):
            tags.append(current.tag)
            stack.append(current.owner)
        elif isinstance(current, Apply):
            tags.append(current.tag)
            stack.extend(current.inputs)
            stack.extend(current.outputs)
        elif hasattr(current, "__dict__") and type(current).__module__.partition(".")[0] in ("theano_compat", "__main__"):
            stack.extend(current.__dict__.values())
    return tags


class CompatUnpickler(pickle.Unpickler):
    """Reads pickles that Python 2 wrote: byte strings become text by latin-1.

    Parameters
    ----------
    file : file object
        The pickle.
    """

    def __init__(self, file: Any, **kwargs: Any):
        kwargs.setdefault("encoding", "latin1")
        super().__init__(file, **kwargs)

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that a pickle names; ``theano`` means this package."""
        if module == "theano" or module.startswith("theano."):
            module = "theano_compat" + module[len("theano") :]
        return super().find_class(module, name)


class PersistentNdarrayID:
    """Puts arrays into a zip archive of their own.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
        The archive.
    """

    def __init__(self, zip_file: zipfile.ZipFile):
        self.zip_file = zip_file
        self.count = 0
        self.seen: dict[int, str] = {}
        # Keeps what was written alive, so that ids stay unique.
        self._kept: list[Any] = []

    def _resolve_name(self, obj: Any) -> str:
        """The name of the next array."""
        name = f"array_{self.count}"
        self.count += 1
        return name

    def __call__(self, obj: Any) -> str | None:
        """The identifier under which `obj` is stored; None if it belongs into the pickle itself."""
        if type(obj) is not np.ndarray or obj.dtype.hasobject:
            return None
        if id(obj) not in self.seen:
            name = self._resolve_name(obj)
            zipadd(lambda file: np.lib.format.write_array(file, np.asarray(obj), allow_pickle=False), self.zip_file, name)
            self.seen[id(obj)] = f"ndarray.{name}"
            self._kept.append(obj)
        return self.seen[id(obj)]


class PersistentGpuArrayID(PersistentNdarrayID):
    """The same for arrays on a GPU, which are stored from host memory."""

    def __call__(self, obj: Any) -> str | None:
        if type(obj).__name__ == "GpuArray":
            if id(obj) not in self.seen:
                name = self._resolve_name(obj)
                zipadd(
                    lambda file: np.lib.format.write_array(file, np.asarray(obj), allow_pickle=False), self.zip_file, name
                )
                self.seen[id(obj)] = f"gpuarray.{name}"
                self._kept.append(obj)
            return self.seen[id(obj)]
        return super().__call__(obj)


class PersistentSharedVariableID(PersistentGpuArrayID):
    """Names the stored arrays after the shared variables that they belong to.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
        The archive.
    allow_unnamed : bool
        Accept shared variables without a name.
    allow_duplicates : bool
        Accept several with one name; they are numbered.
    """

    def __init__(self, zip_file: zipfile.ZipFile, allow_unnamed: bool = True, allow_duplicates: bool = True):
        super().__init__(zip_file)
        self.allow_unnamed, self.allow_duplicates = allow_unnamed, allow_duplicates
        self.name_counter: dict[str, int] = defaultdict(int)
        self.ndarray_names: dict[int, str] = {}

    def _resolve_name(self, obj: Any) -> str:
        name = self.ndarray_names.get(id(obj))
        if name is None:
            return super()._resolve_name(obj)
        count = self.name_counter[name]
        self.name_counter[name] += 1
        if not count:
            return name
        if not self.allow_duplicates:
            raise ValueError(f"multiple shared variables with the name `{name}` found")
        return f"{name}_{count + 1}"

    def __call__(self, obj: Any) -> str | None:
        if isinstance(obj, SharedVariable):
            if obj.name:
                if obj.name == "pkl":
                    raise ValueError("can't pickle shared variable with name `pkl`")
                self.ndarray_names[id(obj.container.storage[0])] = obj.name
            elif not self.allow_unnamed:
                raise ValueError(f"unnamed shared variable, {obj}")
        return super().__call__(obj)


class PersistentNdarrayLoad:
    """Reads the arrays that the classes above have stored.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
        The archive.
    """

    def __init__(self, zip_file: zipfile.ZipFile):
        self.zip_file = zip_file
        self.cache: dict[str, Any] = {}

    def __call__(self, persid: str) -> Any:
        """The array with this identifier; one from a GPU comes back in host memory."""
        _, _, name = persid.partition(".")
        if name not in self.cache:
            with self.zip_file.open(name) as file:
                self.cache[name] = np.lib.format.read_array(file, allow_pickle=False)
        return self.cache[name]


class _Pickler(pickle.Pickler):
    def __init__(self, file: Any, protocol: int, persistent_id: Callable[[Any], Any]):
        super().__init__(file, protocol=protocol)
        self._identify = persistent_id

    def persistent_id(self, obj: Any) -> Any:
        return self._identify(obj)


class _Unpickler(CompatUnpickler):
    def __init__(self, file: Any, persistent_load: Callable[[Any], Any]):
        super().__init__(file)
        self._load_array = persistent_load

    def persistent_load(self, pid: Any) -> Any:
        return self._load_array(pid)


def dump(
    obj: Any, file_handler: Any, protocol: int = DEFAULT_PROTOCOL, persistent_id: Any = PersistentSharedVariableID
) -> None:
    """Write an object into a zip archive: the pickle as ``pkl``, each array as a ``.npy`` file.

    Parameters
    ----------
    obj : object
        What to store.
    file_handler : file object
        Opened for binary writing.
    protocol : int
        Of the pickle.
    persistent_id : class
        Names the arrays.
    """
    with closing(zipfile.ZipFile(file_handler, "w", zipfile.ZIP_DEFLATED, allowZip64=True)) as zip_file:

        def write(file: Any) -> None:
            _Pickler(file, protocol, persistent_id(zip_file)).dump(obj)

        zipadd(write, zip_file, "pkl")


def load(f: Any, persistent_load: Any = PersistentNdarrayLoad) -> Any:
    """Read what :func:`dump` has written.

    Parameters
    ----------
    f : file object or str
        The archive.
    persistent_load : class
        Reads the arrays.
    """
    if isinstance(f, string_types):
        warnings.warn("theano.misc.pkl_utils.load now takes a file object; this will be an error in the future.", stacklevel=2)
        with open(f, "rb") as file:
            return load(file, persistent_load)
    with closing(zipfile.ZipFile(f, "r")) as zip_file, zip_file.open("pkl") as file:
        return _Unpickler(file, persistent_load(zip_file)).load()


def zipadd(func: Callable[[Any], None], zip_file: zipfile.ZipFile, name: str) -> None:
    """Add to an archive what ``func(file)`` writes.

    Parameters
    ----------
    func : callable
        Takes an open file.
    zip_file : zipfile.ZipFile
        The archive.
    name : str
        The name in it.
    """
    # A file on disk, since the writer may seek, and arrays may be large.
    with tempfile.TemporaryFile("w+b") as spool:
        func(spool)
        spool.seek(0)
        with zip_file.open(name, "w", force_zip64=True) as target:
            shutil.copyfileobj(spool, target)


def load_reduce(self: Any) -> None:
    """What the historic unpickler did at each reconstructed object; :class:`CompatUnpickler` needs no such step."""
    raise NotImplementedError("CompatUnpickler reads old pickles without this step")


