"""The old name of ``windrow.files.model_file``."""

from __future__ import annotations

from windrow._renamed import warn_renamed
from windrow.files.model_file import *  # noqa: F403

warn_renamed("windrow.storage")
