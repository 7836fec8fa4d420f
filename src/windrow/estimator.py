"""What every estimator shares: parameters that the constructor stores, as scikit-learn reads and clones them."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any, Self

from windrow.errors import OptionError


class Estimator:
    """Parameters by name. The constructor of a subclass only stores its arguments, each under its own name."""

    def _store(self, arguments: Mapping[str, Any]) -> None:
        """Store the constructor's arguments (its ``locals()``) under their names."""
        for name in signature(type(self)).parameters:
            setattr(self, name, arguments[name])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All constructor parameters by name."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name; OptionError for an unknown one."""
        for name, value in params.items():
            if name not in signature(type(self)).parameters:
                raise OptionError(f"{type(self).__name__} has no parameter {name!r}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: parameter.default for name, parameter in signature(type(self)).parameters.items()}
        shown = {name: repr(value) for name, value in self.get_params().items()}  # arrays cannot be compared as a whole
        changed = (f"{name}={value}" for name, value in shown.items() if value != repr(defaults[name]))
        return f"{type(self).__name__}({', '.join(changed)})"
