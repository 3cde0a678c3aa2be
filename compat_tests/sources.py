"""Fetches the original sources that the compatibility tests run; nothing of them is kept in the repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

#: package -> (version, sha256 of the source distribution on PyPI)
DISTRIBUTIONS = {"Theano": ("1.0.5", "6e9439dd53ba995fcae27bf20626074bfc2fff446899dc5c53cb28c1f9202e89")}


def cache_folder() -> Path:
    """Return where fetched sources are kept: ``THEANO_COMPAT_SOURCES``, else a folder in the user's cache."""
    given = os.environ.get("THEANO_COMPAT_SOURCES")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "theano_compat" / "sources"


def fetch(package: str = "Theano") -> Path:
    """Return the folder of a package's unpacked source distribution, fetched by pip if it is not there yet.

    Raises
    ------
    RuntimeError
        If it cannot be fetched, or is not the file that is expected.
    """
    version, expected = DISTRIBUTIONS[package]
    folder = cache_folder()
    unpacked = folder / f"{package}-{version}"
    if unpacked.is_dir():
        return unpacked
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", scratch, f"{package}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True)
        archives = list(Path(scratch).glob("*.tar.gz"))
        if not archives:
            raise RuntimeError(f"pip could not fetch {package} {version}: {done.stderr.strip()[-1000:]}")
        digest = hashlib.sha256(archives[0].read_bytes()).hexdigest()
        if digest != expected:
            raise RuntimeError(f"{archives[0].name} has sha256 {digest}, expected {expected}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(scratch, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(scratch)
        try:
            (Path(scratch) / f"{package}-{version}").rename(unpacked)
        except OSError:
            if not unpacked.is_dir():  # another process was faster
                raise
    return unpacked
