"""Kernels of the entity tagger."""
