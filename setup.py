"""Installs theano_compat. All that tools need to know of it stands in pyproject.toml; this file is for ``python setup.py`` habits and old pips."""

from setuptools import setup

setup()
