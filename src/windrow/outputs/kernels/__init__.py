"""Kernels of the output layers: softmax, paths in a tree, noise words."""
