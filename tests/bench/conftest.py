"""The benchmarks need a Unix: their locks and their peak memory come from fcntl and wait4."""

from __future__ import annotations

import sys

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []
