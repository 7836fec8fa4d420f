"""ARPA files of back-off models: text that all programs for n-gram models read and write.

After ``\\data\\`` and the number of n-grams of each order come the orders, one n-gram per line: its log10 probability,
a tab, its words, and where longer n-grams begin with it a tab and its log10 back-off weight. ``\\end\\`` ends the file.
"""

from windrow.lm.ngram.arpa.read import read_arpa
from windrow.lm.ngram.arpa.write import lines_of, write_arpa

__all__ = ["lines_of", "read_arpa", "write_arpa"]
