"""Kernels of word2vec: windows, contexts, the loops over center words, rows for threads."""
