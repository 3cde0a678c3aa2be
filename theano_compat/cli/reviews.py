"""``python -m theano_compat data reviews``: make the file of rated sentences that the example ``gru_sentiment.py`` reads.

The sentences are 10605 snippets of film reviews, each rated from -4 to 4 by some twenty people (Hutto and Gilbert, *VADER*, ICWSM 2014). The source
distribution of the package vaderSentiment (MIT) carries them; the installed package does not, so pip fetches the distribution.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "vaderSentiment", "3.3.2"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "hutto_ICWSM_2014.tar.gz"
TABLE = "movieReviewSnippets_GroundTruth.txt"

Rated = list[tuple[float, str]]


def fetch() -> bytes:
    """Return the source distribution, fetched by pip.

    Raises
    ------
    OSError
        If pip cannot fetch it.
    ValueError
        If it is not the file that is expected.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE, "-d", scratch, f"{PACKAGE}=={VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True)
        archives = list(Path(scratch).glob("*.tar.gz"))
        if not archives:
            raise OSError(f"pip could not fetch {PACKAGE} {VERSION} (give its source distribution with --archive): {done.stderr.strip()[-500:]}")
        content = archives[0].read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ValueError(f"what pip fetched as {PACKAGE} {VERSION} has sha256 {hashlib.sha256(content).hexdigest()}, expected {SHA256}")
    return content


def _member(archive: bytes, name: str) -> bytes:
    """Return the one file of a gzipped tar whose path ends with a name."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        found = next((m for m in tar.getmembers() if m.isfile() and m.name.split("/")[-1] == name), None)
        if found is None:
            raise ValueError(f"the archive has no {name}: wanted is the source distribution of {PACKAGE} {VERSION}, or {INNER} out of it")
        return tar.extractfile(found).read()


def from_archive(content: bytes) -> Rated:
    """Return ratings and sentences from the source distribution, or from the archive within it that has the ratings.

    Raises
    ------
    ValueError
        If it is another archive or a line of the table is not number, rating, sentence.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            nested = any(m.name.endswith(INNER) for m in tar.getmembers())
    except tarfile.TarError as error:
        raise ValueError(f"this is no gzipped tar archive: {error}") from error
    table = _member(_member(content, INNER) if nested else content, TABLE).decode("utf-8")
    rated = []
    for number, line in enumerate(table.splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise ValueError(f"line {number} of {TABLE} has {len(fields)} fields where 3 are wanted: {line[:60]!r}")
        rated.append((float(fields[1]), " ".join(fields[2].split())))
    return rated


def write(rated: Rated, out: Path) -> None:
    """Write one sentence a line: the rating, a tab, the sentence, in UTF-8."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(out.name + ".part")
    unfinished.write_text("".join(f"{rating!r}\t{sentence}\n" for rating, sentence in rated), encoding="utf-8", newline="\n")
    unfinished.replace(out)
