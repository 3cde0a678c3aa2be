"""Tools for testing one's own ops; the package's own tests are in the repository's folder ``tests``."""
