"""The library six, under the name of the copy that Theano carried."""

import sys

import six
from six import *  # noqa: F403
from six import moves

for _name in ("moves", "moves.urllib", "moves.urllib.parse", "moves.urllib.request", "moves.urllib.error"):
    _module = sys.modules.get(f"six.{_name}") or moves
    for _package in ("theano_compat.compat.six", "theano.compat.six"):
        sys.modules[f"{_package}.{_name}"] = _module
__path__ = list(six.__path__)  # a package, so that "from theano.compat.six.moves import range" is looked up
