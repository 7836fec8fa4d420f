from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.tree import expected_length, fasttext_paths, heapq_paths
from windrow.outputs.tree import HuffmanTree, huffman_tree, lay_paths, match_nodes, tree_of_children

many_counts = st.lists(st.integers(1, 30), min_size=1, max_size=40)  # in any order, with many ties


def paths_of(tree: HuffmanTree) -> list[list[tuple[int, int]]]:
    """(inner node, code) from the root, a list a word."""
    places = list(zip(tree.nodes.tolist(), tree.codes.tolist(), strict=True))
    return [places[start:stop] for start, stop in pairwise(tree.starts)]


@settings(max_examples=100, deadline=None)
@given(many_counts)
def test_codes_are_optimal(counts):
    tree = huffman_tree(np.array(counts))

    assert int(np.diff(tree.starts) @ np.array(counts)) == expected_length(counts)


@settings(max_examples=100, deadline=None)
@given(many_counts)
def test_codes_are_prefix_free_and_complete(counts):
    codes = sorted("".join(str(code) for _, code in path) for path in paths_of(huffman_tree(np.array(counts))))

    assert not any(after.startswith(before) for before, after in pairwise(codes))
    assert sum(Fraction(1, 2 ** len(code)) for code in codes) == 1  # Kraft: no leaf is missing


@settings(max_examples=100, deadline=None)
@given(many_counts)
def test_paths_lead_through_one_tree(counts):
    """The same node and turn always lead to the same place, the root is the last node, each node has two children."""
    children: dict[tuple[int, int], object] = {}
    for word, path in enumerate(paths_of(huffman_tree(np.array(counts)))):
        places = [*(node for node, _ in path), f"word {word}"]
        assert places[0] == (len(counts) - 2 if len(counts) > 1 else "word 0")
        for (node, code), child in zip(path, places[1:], strict=True):
            assert children.setdefault((node, code), child) == child
    assert sorted(children) == [(node, code) for node in range(len(counts) - 1) for code in (0, 1)]
    assert len(set(children.values())) == len(children)


@pytest.mark.parametrize("counts", [[1, 1], [5], [8, 4, 2, 1, 1], [7] * 33], ids=str)
def test_trees_known_by_hand(counts):
    lengths = np.diff(huffman_tree(np.array(counts)).starts)

    expected = {2: [1, 1], 1: [0], 5: [1, 2, 3, 4, 4]}.get(len(counts))
    if expected is None:  # 33 equal words: 31 leaves at depth 5, and one of depth 5 split in two
        assert sorted(lengths.tolist()) == [5] * 31 + [6] * 2
    else:
        assert lengths.tolist() == expected


@settings(max_examples=200, deadline=None)
@given(many_counts)
def test_equal_counts_merge_in_the_order_of_pythons_heap(counts):
    assert paths_of(huffman_tree(np.array(counts))) == heapq_paths(counts)


@pytest.mark.parametrize("order", ["frequent first", "as they come"])
def test_large_trees_are_those_of_pythons_heap(order):
    """More words than the 2,500 from which CPython builds a heap in another order; counts above 32 bits."""
    generator = np.random.default_rng(5)
    counts = np.minimum(generator.zipf(1.2, 6000), 2**40)
    if order == "frequent first":
        counts = np.sort(counts)[::-1]
    assert counts.sum() > 2**33
    assert len(set(counts.tolist())) < 5000  # many ties

    kept = counts.copy()
    assert paths_of(huffman_tree(counts)) == heapq_paths(counts.tolist())
    np.testing.assert_array_equal(counts, kept)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tree_is_gensims(seed):
    """Word by word, ties included: the vectors of gensim's inner nodes can be compared with ours."""
    generator = np.random.default_rng(seed)
    words = [f"w{number}" for number in np.minimum(generator.geometric(0.01, 3000), 400)]
    model = Word2Vec(hs=1, negative=0, min_count=1)
    model.build_vocab([words])
    counts = np.array([model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key])
    assert len(counts) - len(set(counts.tolist())) > 100  # many ties

    for word, path in zip(model.wv.index_to_key, paths_of(huffman_tree(counts)), strict=True):
        assert [node for node, _ in path] == model.wv.get_vecattr(word, "point").tolist()
        assert [code for _, code in path] == model.wv.get_vecattr(word, "code").tolist()


@settings(max_examples=200, deadline=None)
@given(many_counts, st.randoms(use_true_random=False))
def test_equal_counts_merge_in_the_order_of_fasttext(counts, random):
    counts.sort(reverse=True)
    assert paths_of(huffman_tree(np.array(counts), "fasttext")) == fasttext_paths(counts)

    random.shuffle(counts)  # words in any order have the tree of their order by counts
    order = np.argsort(-np.array(counts), kind="stable").tolist()
    expected = fasttext_paths([counts[word] for word in order])
    found = paths_of(huffman_tree(np.array(counts), "fasttext"))
    assert [found[word] for word in order] == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("words", [1, 2, 40])
def test_paths_as_kernels_take_them(words, dtype):
    tree = huffman_tree(np.random.default_rng(words).integers(1, 99, words))

    paths = lay_paths(tree, 48, dtype)

    turns = len(tree.nodes)
    assert paths.nodes[:turns].tolist() == tree.nodes.tolist()
    assert paths.signs[:turns].tolist() == [1 if code == 0 else -1 for code in tree.codes]
    assert len(paths.nodes) == len(paths.signs) == turns + 16
    assert paths.signs.dtype == dtype
    assert (paths.width % 16, paths.stride) == (0, 48)
    assert 0 <= paths.width - np.diff(tree.starts).max() < 16


def sides_of(tree: HuffmanTree) -> dict[int, tuple[frozenset[int], frozenset[int]]]:
    """The words to the left and to the right of each inner node."""
    found: dict[int, tuple[set[int], set[int]]] = {}
    for word, path in enumerate(paths_of(tree)):
        for node, code in path:
            found.setdefault(node, (set(), set()))[code].add(word)
    return {node: (frozenset(left), frozenset(right)) for node, (left, right) in found.items()}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nodes_match_where_they_divide_the_same_words(data):
    old_counts = data.draw(many_counts)
    more = data.draw(st.lists(st.integers(0, 3), min_size=len(old_counts), max_size=len(old_counts)))
    new_counts = [a + b for a, b in zip(old_counts, more, strict=True)] + data.draw(st.lists(st.integers(1, 9)))
    old, new = huffman_tree(np.array(old_counts)), huffman_tree(np.array(new_counts))
    known = frozenset(range(len(old_counts)))

    expected = set()
    for new_node, (left, right) in sides_of(new).items():
        for old_node, sides in sides_of(old).items():
            if sides == (left & known, right & known):
                expected.add((old_node, new_node, 1))
            if sides == (right & known, left & known):
                expected.add((old_node, new_node, -1))
    found = match_nodes(old, new)
    assert set(map(tuple, found.tolist())) == expected
    assert len(found) == len(expected)
    assert old_counts != new_counts or len(found) == len(old_counts) - 1


@settings(max_examples=50, deadline=None)
@given(many_counts.filter(lambda counts: len(counts) > 1))
def test_a_tree_is_made_again_from_the_children_of_its_nodes(counts):
    tree, words = huffman_tree(np.array(counts)), len(counts)
    children = np.zeros((words - 1, 2), np.int32)
    for word, path in enumerate(paths_of(tree)):
        for (node, code), below in zip(path, [*(words + node for node, _ in path[1:]), word], strict=True):
            children[node, code] = below

    again = tree_of_children(children)

    assert all(np.array_equal(one, other) for one, other in zip(tree, again, strict=True))


@pytest.mark.parametrize(
    ("children", "message"),
    [
        ([[0, 1], [2, 2]], "no parent, or two"),
        ([[0, 1], [2, 9]], "no parent, or two"),
        ([[0, 1], [-1, 3]], "no parent, or two"),
        ([[0, 3], [1, 2]], "above its parent"),
        ([[0, 1], *([n + 1, 201 + n - 1] for n in range(1, 200))], "200 nodes deep"),
    ],
    ids=range(5),
)
def test_what_is_no_tree_is_refused(children, message):
    with pytest.raises(ValueError, match=message):
        tree_of_children(np.array(children))
