"""Arithmetic that every subject shares: the kernel decorator, vectors of 16 numbers, products, tables, threads."""
