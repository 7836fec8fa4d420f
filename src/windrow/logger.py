"""The logger of the package: ``logging.getLogger("windrow")``, silent until the user gives it a handler or a level.

INFO says what a training is about to do, each epoch, and that kernels are being compiled; DEBUG says what comes
more often. What is wrong is a warning or an error, never a line of the log.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("windrow")
logger.addHandler(logging.NullHandler())
