"""Numba and nothing else: pure functions over arrays and scalars. Nothing here imports anything of ours above it."""
