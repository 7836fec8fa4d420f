"""What happens to a cluster changes nothing of a result."""

from __future__ import annotations

import pytest

from windrow import Corpus
from windrow.corpus import shards
from windrow.errors import DataError, OptionError

from ..corpus.test_numbering import contents
from . import parts


def test_a_node_that_is_killed_at_work(ray_nodes, one_more_node, tmp_path, monkeypatch):
    """What it did is done again by others, and the corpus is the same."""
    monkeypatch.setattr(shards, "CHUNK_BYTES", 1)
    text = tmp_path / "text.txt"
    text.write_text("".join(f"line {n}\n" for n in range(400)))
    nodes = [one_more_node()]

    def kill(read_bytes: int, _: int | None) -> None:
        if nodes:
            ray_nodes.remove(nodes.pop())
        reached.append(read_bytes)

    reached: list[int] = []
    workers = ray_nodes.workers()
    slowly = "tests.distributed.parts:slowly"

    built = Corpus.build(text, tokenizer=slowly, ray=workers, progress=kill)

    assert contents(built) == contents(Corpus.build(text, tokenizer=slowly))
    assert len(reached) > 4
    assert reached[-1] == text.stat().st_size


def test_results_of_a_node_that_is_gone(ray_nodes, one_more_node):
    """They lay in its memory, and are computed again."""
    node = one_more_node()
    with ray_nodes.workers() as workers:
        handles = workers.map(parts.many_numbers, [(n,) for n in range(9)])
        ray_nodes.remove(node)
        assert [workers.get(handle)[-1] for handle in handles] == list(range(9))


def test_more_results_than_the_object_stores_hold(ray_nodes):
    """They spill to the disk: 320 MB in stores of 160."""
    with ray_nodes.workers() as workers:
        handles = workers.map(parts.many_numbers, [(n,) for n in range(40)])
        assert [workers.get(handle)[-1] for handle in handles] == list(range(40))
        assert workers.usage.moved_bytes == 40 << 23


def test_a_node_that_joins_late(ray_nodes, one_more_node):
    with ray_nodes.workers() as workers:
        results = workers.stream(parts.process_of, ((n, 0.3) for n in range(40)))
        begun = [next(results)]
        one_more_node()
        done = begun + list(results)

    assert [n for n, _ in done] == list(range(40))
    assert len(workers.usage.cpu_seconds) == 3
    assert len({process for _, process in done}) >= 3


def test_the_first_error_in_order_is_told(ray_nodes):
    """Not that of the part that fails first."""
    with ray_nodes.workers() as workers:
        results = workers.stream(parts.refused, ((n,) for n in range(9)))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(DataError, match="2 is bad; try another"):
            next(results)
        assert next(workers.stream(parts.process_of, [(3, 0)]))[0] == 3


def test_errors_of_whoever_is_told(ray_nodes):
    """They stay as they are, beside Ray's own, which become a line."""

    def told(_: int) -> None:
        raise OptionError("rate = 2 is out of range")

    with ray_nodes.workers() as workers, pytest.raises(OptionError, match=r"^rate = 2 is out of range$"):
        workers.map(parts.process_of, [(1, 0)], on_done=told)
