"""Fixers of our own for the translator (fissix), in place of its fixers of the same names."""
