from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.corpus import Corpus, Vocabulary
from windrow.errors import FormatError, MissingWordError, OptionError
from windrow.files import model_file

counted_words = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 5), min_size=1)


def from_dict(counts: dict[str, int], **options) -> Vocabulary:
    return Vocabulary.from_counts(list(counts), list(counts.values()), **options)


@pytest.mark.parametrize("min_count", [1, 3])
def test_order_is_gensims_among_many_ties(min_count):
    random = Random(4)
    sentences = [[f"w{random.randrange(400)}" for _ in range(9)] for _ in range(150)]
    gensim = Word2Vec(min_count=min_count)
    gensim.build_vocab(sentences)
    counts = Counter(word for sentence in sentences for word in sentence)

    vocabulary = from_dict(counts, min_count=min_count)

    assert max(Counter(counts.values()).values()) > 50  # many ties indeed
    assert vocabulary.words == gensim.wv.index_to_key
    assert vocabulary.counts.tolist() == [gensim.wv.get_vecattr(w, "count") for w in gensim.wv.index_to_key]


@settings(max_examples=60)
@given(counted_words, st.integers(1, 6), st.one_of(st.none(), st.integers(1, 12)))
def test_prefix_size_counts_the_frequent_words(counts, min_count, max_size):
    vocabulary = from_dict(counts)
    frequent = sum(count >= min_count for count in counts.values())

    size = vocabulary.prefix_size(min_count, max_size)

    assert size == (frequent if max_size is None else min(frequent, max_size))
    assert vocabulary.head(size).words == from_dict(counts, min_count=min_count, max_size=max_size).words


@settings(max_examples=30)
@given(counted_words)
def test_counts_of_words_are_those_of_the_text(counts):
    vocabulary = from_dict(counts, specials=("<unk>",))

    assert {word: vocabulary.count_of(word) for word in vocabulary} == {"<unk>": 0, **counts}
    assert vocabulary.count_of("unheard") == 0


def test_specials_come_first_and_survive_every_limit():
    vocabulary = from_dict({"a": 1, "b": 3, "c": 2}, min_count=2, specials=("<s>", "<unk>"))

    assert vocabulary.words == ["<s>", "<unk>", "b", "c"]
    assert vocabulary.specials == ("<s>", "<unk>")
    assert vocabulary.prefix_size(100) == 2
    assert vocabulary.prefix_size(3) == 3
    assert vocabulary.prefix_size(1, max_size=3) == 3


@settings(max_examples=60)
@given(counted_words, st.integers(1, 5), st.sampled_from([(), ("<unk>",), ("c", "<s>", "a")]), st.integers(4, 12))
def test_renumbering_tells_the_id_of_each_word(counts, min_count, specials, max_size):
    vocabulary, new_ids = Vocabulary.renumbering(
        list(counts), list(counts.values()), min_count=min_count, max_size=max_size, specials=specials
    )

    assert new_ids.tolist() == [vocabulary.get(word) for word in counts]


def test_unknown_words_are_counted_under_unk():
    vocabulary = from_dict({"a": 1, "<unk>": 4, "b": 3, "c": 2}, specials=("<unk>",))

    assert vocabulary.counts.tolist() == [4, 3, 2, 1]
    assert vocabulary.head(2).counts.tolist() == [4 + 2 + 1, 3]
    assert vocabulary.counts.tolist() == [4, 3, 2, 1]  # the whole is untouched
    assert vocabulary.unknown_id == 0
    assert from_dict({"a": 1}).unknown_id == -1


def test_lookup():
    vocabulary = from_dict({"queen": 1, "king": 2})

    assert len(vocabulary) == 2
    assert list(vocabulary) == ["king", "queen"]
    assert "king" in vocabulary
    assert "kin" not in vocabulary
    assert [vocabulary.id_of("queen"), vocabulary.get("queen"), vocabulary.get("jack")] == [1, 1, -1]
    assert vocabulary.get("jack", default=7) == 7
    with pytest.raises(MissingWordError, match=r"'quen'.*did you mean 'queen'"):
        vocabulary.id_of("quen")


@settings(max_examples=60)
@given(counted_words, st.lists(st.sampled_from("abcdefghijxyz")), st.booleans())
def test_decode_inverts_encode_for_known_words(counts, tokens, with_unk):
    vocabulary = from_dict(counts, specials=("<unk>",) if with_unk else ())

    ids = vocabulary.encode(tokens)

    assert ids.dtype == np.int32
    assert len(ids) == len(tokens)
    unknown = ["<unk>"] if with_unk else []
    assert vocabulary.decode(ids) == [part for token in tokens for part in ([token] if token in counts else unknown)]


@pytest.mark.parametrize("ids", [[2], [-2], np.array([0, 2], np.int32)])
def test_decode_refuses_ids_out_of_range(ids):
    with pytest.raises(OptionError, match="from -1 to 1"):
        from_dict({"a": 1, "b": 1}).decode(ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_count": 0}, "min_count = 0"),
        ({"max_size": 0}, "max_size = 0"),
        ({"max_size": 1, "specials": ("<s>",)}, r"max_size = 1 .*\[2"),
        ({"specials": ("a b",)}, "specials"),
        ({"specials": ("",)}, "specials"),
        ({"specials": "<s>"}, "specials"),
        ({"specials": (3,)}, "specials"),
        ({"specials": ("<s>", "\ud800")}, "specials"),
        ({"specials": ("<s>", "<s>")}, "twice"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(OptionError, match=message):
        from_dict({"a": 1}, **options)


@settings(max_examples=40)
@given(st.dictionaries(st.text(min_size=1).filter(lambda w: w.split() == [w]), st.integers(1, 9)))
def test_file_round_trip(tmp_path_factory, counts):
    vocabulary = from_dict(counts, specials=("<s>",))
    path = tmp_path_factory.getbasetemp() / "vocabulary.safetensors"

    vocabulary.save(path)
    read = Vocabulary.load(path)

    assert (read.words, read.counts.tolist()) == (vocabulary.words, vocabulary.counts.tolist())
    assert read.specials == ("<s>",)


@pytest.mark.parametrize(
    ("words", "counts", "specials"), [(["a", "b"], [1], []), (["a"], [[1]], []), (["a"], [1], ["<s>"]), (["a"], [1], 3)]
)
def test_a_file_that_does_not_add_up_is_refused(tmp_path, words, counts, specials):
    path = tmp_path / "v.safetensors"
    arrays = {**model_file.pack_words(words), "counts": np.array(counts, np.int64)}
    model_file.save(path, "vocabulary", arrays, {"specials": specials})

    with pytest.raises(FormatError, match=r"do not agree|counts of words are int64"):
        Vocabulary.load(path)


def test_a_string_is_not_several_words():
    with pytest.raises(OptionError, match=r"not a string.*text\.split\(\)"):
        Corpus.build(["the owl"]).vocabulary.encode("the owl")


@pytest.mark.parametrize(
    "counts", [np.array([-1, 2]), np.array([2**62, 2**62]), np.array([1.0, 2.0]), np.array([1, 2], np.uint64)]
)
def test_counts_that_cannot_be_added_are_refused(tmp_path, counts):
    path = tmp_path / "v.safetensors"
    model_file.save(path, "vocabulary", {**model_file.pack_words(["a", "b"]), "counts": counts}, {"specials": []})

    with pytest.raises(FormatError, match=r"v\.safetensors: .*counts"):
        Vocabulary.load(path)
