"""N-grams counted and estimated by the workers of a cluster are those of one process, bit for bit."""

from __future__ import annotations

import pytest

from windrow import NGramLM

TEXT = [" ".join(f"w{(7 * line + word * word) % 97}" for word in range(line % 23 + 1)) for line in range(3000)]


@pytest.fixture(scope="module")
def alone():
    return NGramLM(4, prune=(0, 0, 1), discount_fallback=True).fit(TEXT)


def trained(ray, progress=None):
    return NGramLM(4, prune=(0, 0, 1), discount_fallback=True).fit(TEXT, ray=ray, progress=progress)


def bits(model):
    return {name: array.tobytes() for name, array in model.table_.arrays().items()}


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_workers(ray_nodes, alone, count):
    workers = ray_nodes.workers(workers=count)
    assert bits(trained(workers)) == bits(alone)
    assert workers.usage.parts > 20


@pytest.mark.parametrize("stage", ["counting", "estimating"])
def test_a_node_that_is_killed_at_work(ray_nodes, one_more_node, alone, stage):
    """In the middle of either stage: what the node did and held is made again."""
    node = [one_more_node()]

    def kill(told, done):
        if node and told == stage and done >= 0.4:
            ray_nodes.remove(node.pop())

    assert bits(trained(ray_nodes.workers(), kill)) == bits(alone)
    assert not node
