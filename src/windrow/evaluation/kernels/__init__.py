"""Kernels of the evaluations."""
