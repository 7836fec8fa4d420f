"""What compresses a text, by the extension of the file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from importlib import import_module

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}
