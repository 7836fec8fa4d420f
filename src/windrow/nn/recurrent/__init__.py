"""Recurrent cells and layers with truncated backpropagation through time."""
