"""Workers as those of a cluster are: what they are given and give back are copies that nobody may write."""

from __future__ import annotations

import pickle
from typing import Any

from windrow.distributed import InProcess


def sent(value: Any) -> Any:
    """A copy as it arrives in another process, its arrays read-only."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(buffer.raw()) for buffer in buffers])


class Elsewhere(InProcess):
    """Workers of this process that seem to be those of another one."""

    def put(self, value: Any) -> Any:
        return sent(value)

    def map(self, function: Any, parts: Any, **options: Any) -> list[Any]:
        arrived = (tuple(map(sent, part)) for part in parts)
        return sent(super().map(function, arrived, **options))
