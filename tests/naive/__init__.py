"""The slow, obvious twin of every kernel: nested loops over Python numbers and NumPy vectors, no Numba.

A twin is written from the definition, not from the kernel, and imports nothing of windrow.
"""
