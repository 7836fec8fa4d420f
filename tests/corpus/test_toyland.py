from __future__ import annotations

import json
import math
import tomllib
from collections import Counter
from itertools import combinations, product
from pathlib import Path
from random import Random
from statistics import fmean, stdev
from types import SimpleNamespace
from typing import Any

import pytest

from windrow.corpus.toyland import Grammar, Sentence, generate, toyland_grammar
from windrow.corpus.toyland import grammar as grammar_module
from windrow.corpus.toyland.grammar import Part, Template
from windrow.errors import DataError, OptionError

SAMPLE = Path(__file__).parents[2] / "corpora" / "toyland"
DATA = Path(grammar_module.__file__).parent

SMALL_LEXICON = {
    "shift": 2,
    "land": {"entities": {"name": "LOC"}, "table": "name dish\nutopia soup/pie/tart\nerewhon stew"},
    "firm": {"entities": {"name": "ORG"}, "table": "name\nacme_tools\nzeta"},
}


def small_grammar(*templates: str) -> Grammar:
    return Grammar(SMALL_LEXICON, {"topic": [{"name": "all", "weight": 1, "templates": "\n".join(templates)}]})


def naive_language(topic: str) -> tuple[dict[str, float], float]:
    """All sentences of a topic with their probabilities, by brute force from the data files; their sum."""
    lexicon, rules = (
        tomllib.loads((DATA / name).read_text(encoding="utf-8")) for name in ("lexicon.toml", "grammar.toml")
    )
    chosen = next(row for row in rules["topic"] if row["name"] == topic)
    topic_probability = chosen["weight"] / sum(row["weight"] for row in rules["topic"])
    rows = [line.split(maxsplit=1) for line in chosen["templates"].strip().splitlines()]
    language: Counter[str] = Counter()
    for weight, template in rows:
        words = [word.strip("[]") for word in template.split() if not word.startswith("[")]
        slots = [word[1:-1].split(".") for word in words if word.startswith("{")]
        variables = sorted({variable for variable, _ in slots})
        for choice in product(*(naive_entries(lexicon, variable) for variable in variables)):
            probability = topic_probability * float(weight) / sum(float(number) for number, _ in rows)
            entries = dict(zip(variables, choice, strict=True))
            for share, _ in choice:
                probability *= share
            cells = [entries[variable][1][form].split("/") for variable, form in slots]
            for fillers in product(*cells):
                filler = iter(fillers)
                text = " ".join(next(filler) if word.startswith("{") else word for word in words)
                language[text.replace("_", " ")] += probability / math.prod(map(len, cells))
    return dict(language), topic_probability


def naive_entries(lexicon: dict[str, Any], variable: str) -> list[tuple[float, dict[str, str]]]:
    header, *rows = (line.split() for line in lexicon[variable.partition("_")[0]]["table"].strip().splitlines())
    weights = [1 / (rank + lexicon["shift"]) for rank in range(1, len(rows) + 1)]
    return [
        (weight / sum(weights), dict(zip(header, row, strict=True))) for weight, row in zip(weights, rows, strict=True)
    ]


@pytest.fixture(scope="module")
def draws() -> list[Sentence]:
    return list(toyland_grammar().sentences(20_000, seed=77))


@pytest.mark.parametrize("topic", ["animals", "adjectives", "nouns"])
def test_probabilities_of_a_whole_topic_equal_brute_force_and_sum_to_the_topics_own(topic: str) -> None:
    language, topic_probability = naive_language(topic)
    grammar = toyland_grammar()
    ours = {text: 10 ** grammar.log10_prob(text.split()) for text in language}
    assert ours == pytest.approx(language, rel=1e-12)
    assert math.fsum(ours.values()) == pytest.approx(topic_probability, rel=1e-12)


def test_probabilities_of_a_small_language_sum_to_one() -> None:
    grammar = small_grammar("2 {firm.name} eats {land.dish}", "1 from {land.name} to {land_2.name}")
    firms, dishes, lands = ("acme tools", "zeta"), ("soup", "pie", "tart", "stew"), ("utopia", "erewhon")
    language = [f"{firm} eats {dish}" for firm in firms for dish in dishes]
    language += [f"from {start} to {end}" for start in lands for end in lands]
    assert math.fsum(10 ** grammar.log10_prob(text.split()) for text in language) == pytest.approx(1, rel=1e-12)


def test_probability_by_hand() -> None:
    grammar = small_grammar("3 {land.name} has {land.dish}", "1 {firm.name} is in {land.name}")
    # Two entries with the weights 1/3 and 1/4; "pie" is one dish of three.
    assert grammar.log10_prob(["utopia", "has", "pie"]) == pytest.approx(math.log10(3 / 4 * 4 / 7 / 3), rel=1e-12)
    expected = math.log10(1 / 4 * 4 / 7 * 3 / 7)
    assert grammar.log10_prob(["acme", "tools", "is", "in", "erewhon"]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "halvik",
        "halvik is the capital of velmora",  # each half is right, the entries differ
        "halvik is the capital of nordia today",
        "halvik is the capital of",
        "is the capital of nordia",
        "the nun said that she had lost her throne",
        "shares of halcyon steel fell on monday",  # half of a name
    ],
)
def test_strings_outside_the_language_have_no_probability(text: str) -> None:
    assert toyland_grammar().log10_prob(text.split()) == -math.inf


def test_every_drawn_sentence_has_exactly_one_derivation_with_the_probability_of_its_draw(
    draws: list[Sentence],
) -> None:
    grammar = toyland_grammar()
    for sentence in draws[:3000]:
        assert [math.log10(p) for p in grammar.derivations(sentence.tokens)] == pytest.approx(
            [sentence.log10_prob], abs=1e-12
        )


def test_a_second_derivation_is_found_and_added() -> None:
    grammar = small_grammar("1 {land.name} eats {land.dish}", "1 utopia eats {land.dish}")
    assert len(grammar.derivations(["utopia", "eats", "pie"])) == 2
    assert 10 ** grammar.log10_prob(["utopia", "eats", "pie"]) == pytest.approx(4 / 7 / 3, rel=1e-12)


def token_patterns(grammar: Grammar, template: Template) -> list[list[set[str]]]:
    """The words that may stand at each position, for every way to choose the lengths of the phrases."""

    def fillers(part: Part) -> list[list[set[str]]]:
        if not part.variable:
            return [[{part.word}]]
        entries = grammar.classes[part.word_class].entries
        phrases = [phrase for entry in entries for phrase in entry.forms[part.form]]
        by_length = [[phrase for phrase in phrases if len(phrase) == n] for n in {len(p) for p in phrases}]
        return [[set(column) for column in zip(*same, strict=True)] for same in by_length]

    choices = product(*(fillers(part) for part in template.parts))
    return [[words for filler in choice for words in filler] for choice in choices]


def test_no_two_templates_share_a_sentence() -> None:
    grammar = toyland_grammar()
    patterns = [
        (number, pattern)
        for number, template in enumerate(grammar.templates)
        for pattern in token_patterns(grammar, template)
    ]
    for (number, pattern), (other_number, other) in combinations(patterns, 2):
        if len(pattern) == len(other):
            # Disjoint words at one position are enough; a template with itself would be two phrase lengths.
            disjoint = any(not words & other_words for words, other_words in zip(pattern, other, strict=True))
            assert disjoint, f"{grammar.templates[number].text} / {grammar.templates[other_number].text}"


def test_every_slot_tells_its_entry_and_its_word() -> None:
    grammar = toyland_grammar()

    def names_its_entry(part: Part) -> bool:
        entries = grammar.classes[part.word_class].entries
        phrases = [phrase for entry in entries for phrase in entry.forms[part.form]]
        return len(phrases) == len(set(phrases))

    for template in grammar.templates:
        # Then the token at a slot tells the entry and the choice among its words.
        assert all(names_its_entry(part) for part in template.parts if part.variable), template.text


def test_mean_log_probability_agrees_with_the_closed_form_entropy(draws: list[Sentence]) -> None:
    bits = [-sentence.log10_prob * math.log2(10) for sentence in draws]
    standard_error = stdev(bits) / math.sqrt(len(bits))
    assert abs(fmean(bits) - toyland_grammar().entropy()) < 4 * standard_error
    assert standard_error < 0.05  # or the line above would say little


def test_mean_length_agrees_with_the_closed_form(draws: list[Sentence]) -> None:
    lengths = [len(sentence.tokens) + 1 for sentence in draws]
    standard_error = stdev(lengths) / math.sqrt(len(lengths))
    assert abs(fmean(lengths) - toyland_grammar().expected_tokens()) < 4 * standard_error


def test_entropy_and_perplexity_by_hand() -> None:
    # Two equally likely templates of which one is fixed, the other has two even dishes: 1 + 0.5 bits.
    lexicon = {"shift": 0, "land": {"table": "name dish\nutopia soup/pie"}}
    topic = {"name": "all", "weight": 1, "templates": "1 nothing\n1 hot {land.dish} here"}
    grammar = Grammar(lexicon, {"topic": [topic]})
    assert grammar.entropy() == pytest.approx(1.5, rel=1e-12)
    assert grammar.expected_tokens() == pytest.approx((2 + 4) / 2, rel=1e-12)
    assert grammar.perplexity() == pytest.approx(2**0.5, rel=1e-12)


def test_frequencies_of_entries_follow_the_lexicon(draws: list[Sentence]) -> None:
    grammar = toyland_grammar()
    currencies = [entry.forms["currency"][0][0] for entry in grammar.classes["country"].entries]
    counts = Counter(token for sentence in draws for token in sentence.tokens)
    total = sum(counts[word] for word in currencies)
    for word, entry in zip(currencies, grammar.classes["country"].entries, strict=True):
        standard_error = math.sqrt(total * entry.probability * (1 - entry.probability))
        assert abs(counts[word] - total * entry.probability) < 4.5 * standard_error, word


def test_entity_tags_of_names_with_several_tokens() -> None:
    grammar = small_grammar("1 the [ORG bank of {land.name}] owns {firm.name} {firm_2.name} in {land.name}")
    tags = {tuple(s.tokens): " ".join(s.tags) for s in grammar.sentences(100, seed=5)}
    assert tags["the", "bank", "of", "utopia", "owns", "zeta", "acme", "tools", "in", "utopia"] == (
        "O B-ORG I-ORG I-ORG O B-ORG B-ORG I-ORG O B-LOC"
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("1 in {land.nmae}", "{land.nmae}; forms are name, dish"),
        ("1 in {planet.name}", "{planet.name}; classes are land, firm"),
        ("1 in {land name}", "{land name}"),
        ("1 in {land.name", "cannot be read from '{land.name' on"),
    ],
)
def test_a_broken_template_is_named(template: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        small_grammar(template)
    assert message in str(caught.value)


def test_a_lexicon_line_with_a_missing_column_is_named() -> None:
    lexicon = {"shift": 0, "land": {"table": "name dish\nutopia soup\nerewhon"}}
    with pytest.raises(DataError, match="land has 2 columns, but 1 in the line 'erewhon'"):
        Grammar(lexicon, {"topic": []})


def test_a_folder_without_a_grammar_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lexicon\.toml"):
        Grammar.load(tmp_path)
    (tmp_path / "lexicon.toml").write_text("shift = = 1")
    with pytest.raises(DataError, match="not valid TOML"):
        Grammar.load(tmp_path)


def test_the_committed_sample_is_what_the_generator_makes(tmp_path: Path) -> None:
    generate(tmp_path)
    committed, made = ({path.name for path in folder.iterdir()} for folder in (SAMPLE, tmp_path))
    assert committed == made
    for name in made:
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 2_000_000


def test_sizes_and_seeds(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        generate(tmp_path / name, sentences=200, seed=seed)
    lines = {path.name: path.read_text(encoding="utf-8").splitlines() for path in (tmp_path / "one").iterdir()}
    assert [len(lines[f"{split}.txt"]) for split in ("train", "valid", "test")] == [200, 10, 10]
    assert [lines[f"ner-{split}.conll"].count("") for split in ("train", "valid", "test")] == [20, 2, 2]
    for name, text in lines.items():
        assert (tmp_path / "again" / name).read_text(encoding="utf-8").splitlines() == text
        assert (tmp_path / "other" / name).read_text(encoding="utf-8").splitlines() != text
    assert lines["train.txt"][:10] != lines["valid.txt"] != lines["test.txt"]  # streams of their own


@pytest.mark.parametrize("wrong", [{"sentences": 0}, {"seed": -1}])
def test_options_out_of_range(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        generate(tmp_path, **wrong)


def test_test_log_probabilities_are_those_of_the_parser() -> None:
    grammar = toyland_grammar()
    sentences = [line.split() for line in (SAMPLE / "test.txt").read_text(encoding="utf-8").splitlines()]
    stored = [float(line) for line in (SAMPLE / "test.log10prob").read_text(encoding="utf-8").splitlines()]
    assert [grammar.log10_prob(tokens) for tokens in sentences] == pytest.approx(stored, abs=1e-6)
    summary = json.loads((SAMPLE / "toyland.json").read_text(encoding="utf-8"))
    tokens = sum(len(sentence) + 1 for sentence in sentences)
    assert summary["test"]["perplexity"] == pytest.approx(10 ** (-sum(stored) / tokens), abs=1e-4)
    assert summary["perplexity"] == pytest.approx(grammar.perplexity(), abs=1e-6)


def test_types_and_known_words() -> None:
    splits = {
        name: set((SAMPLE / f"{name}.txt").read_text(encoding="utf-8").split()) for name in ("train", "valid", "test")
    }
    assert 500 <= len(splits["train"]) <= 2000
    assert splits["valid"] | splits["test"] <= splits["train"]  # nothing is out of vocabulary
    assert all(word == word.lower() for word in splits["train"])


def test_analogies_follow_the_lexicon_and_their_answers_are_unique() -> None:
    grammar = toyland_grammar()
    sections: dict[str, list[list[str]]] = {}
    for line in (SAMPLE / "analogies.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(": "):
            questions = sections.setdefault(line[2:], [])
        else:
            questions.append(line.split())
    assert list(sections) == list(grammar.analogies) and len(sections) >= 10
    for section, (first, second) in grammar.analogies.items():
        (class_name, form), (other_class, other_form) = first.split("."), second.split(".")
        assert class_name == other_class
        partner = {e.forms[form][0][0]: e.forms[other_form][0][0] for e in grammar.classes[class_name].entries}
        assert len(set(partner.values())) == len(partner)
        assert 100 <= len(sections[section]) == len(set(map(tuple, sections[section])))
        for a, b, c, d in sections[section]:
            assert a != c and partner[a] == b and partner[c] == d


def test_similarity_scores_say_what_two_words_share() -> None:
    homes: dict[str, list[tuple[str, int, str]]] = {}
    for name, word_class in toyland_grammar().classes.items():
        for index, entry in enumerate(word_class.entries):
            for form, phrases in entry.forms.items():
                for word in {word for phrase in phrases for word in phrase}:
                    homes.setdefault(word, []).append((name, index, form))
    rows = [line.split("\t") for line in (SAMPLE / "similarity.tsv").read_text(encoding="utf-8").splitlines()]
    assert Counter(score for _, _, score in rows) == dict.fromkeys("9630", 100)
    for first, second, score in rows:
        (home,), (other,) = homes[first], homes[second]
        same_class, same_entry = home[0] == other[0], home[:2] == other[:2]
        same_form = same_class and home[2] == other[2]
        expected = "9" if same_entry else "6" if same_form else "3" if same_class else "0"
        assert score == expected and first != second


def test_entity_files_are_well_formed_and_capitalised() -> None:
    types: Counter[str] = Counter()
    for split in ("train", "valid", "test"):
        previous = "O"
        for line in (SAMPLE / f"ner-{split}.conll").read_text(encoding="utf-8").splitlines():
            if not line:
                previous = "O"
                continue
            token, tag = line.split(" ")
            if tag.startswith("I-"):
                assert previous[1:] == tag[1:], line
            if tag.startswith("B-"):
                types[tag[2:]] += 1
                assert token[0].isupper(), line
            previous = tag
    assert set(types) == {"PER", "ORG", "LOC", "MISC"} and min(types.values()) > 100


def test_drawing_uses_only_the_stable_part_of_random() -> None:
    only_random: Any = SimpleNamespace(random=Random(9).random)
    grammar = toyland_grammar()
    assert [grammar.draw(only_random) for _ in range(50)] == list(grammar.sentences(50, seed=9))


def test_skip_gram_solves_the_analogies() -> None:
    """The claim of the sample's README, by the reference implementation and with fewer epochs."""
    gensim_models = pytest.importorskip("gensim.models", reason="gensim is not installed")
    corpus = [line.split() for line in (SAMPLE / "train.txt").read_text(encoding="utf-8").splitlines()]
    model = gensim_models.Word2Vec(
        corpus,
        sg=1,
        negative=5,
        vector_size=50,
        window=5,
        alpha=0.05,
        epochs=11,
        min_count=1,
        workers=1,
        seed=1,
    )
    accuracy, _ = model.wv.evaluate_word_analogies(str(SAMPLE / "analogies.txt"))
    assert accuracy > 0.95
