"""Kernels of the corpus: from bytes of text to ids."""
