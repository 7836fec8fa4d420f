"""Kernels of n-gram models: counting, estimation, packing, queries, ARPA text."""
