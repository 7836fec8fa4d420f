"""What callbacks get to see of a training of word vectors: the Report of every training.

Examples are raw words; the loss is the mean per trained center word, over this epoch so far.
"""

from __future__ import annotations

from windrow.nn.training.report import Callback, Report

Progress = Report

__all__ = ["Callback", "Progress"]
