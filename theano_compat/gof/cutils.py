"""Historical: Theano built a small C extension here. The engine needs none, so there is nothing to build."""

from __future__ import annotations

import os

from theano_compat import config

PY3 = True
location = os.path.join(config.compiledir, "cutils_ext")


def compile_cutils() -> None:
    """Do nothing."""
