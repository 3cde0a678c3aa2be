"""Strings lose their ``u``; the name ``unicode`` stays, for ``classic/strings.py``."""

from fissix.fixes import fix_unicode


class FixUnicode(fix_unicode.FixUnicode):
    """The translator's fixer, for literals alone."""

    PATTERN = "STRING"
