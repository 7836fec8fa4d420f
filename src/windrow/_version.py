"""The version of windrow: read from here by the package, the build and the files that windrow writes."""

__version__ = "0.1.0"
