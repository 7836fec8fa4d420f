"""Kernels of n-gram models of unbounded order: sorting the contexts of a text, and looking them up."""
