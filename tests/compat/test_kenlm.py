"""``windrow.compat.kenlm`` beside kenlm: the same scores, equal states where kenlm has such, scripts that run alike."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import warnings
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.lm.ngram.kernels.test_steps import with_zeros
from tests.lm.ngram.models import as_levels, random_model
from windrow import NGramLM
from windrow.compat import kenlm as ours
from windrow.errors import DataWarning, OptionError
from windrow.lm.ngram.arpa import write_arpa

kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
ODD = ["", " ", "\t w3\r\n", "w4\x0bw5\x0cw3", "w3\x1cw4", "w3\u00a0w4", "w3\u2003w4", "w3\0w4 w4", "\0 w4"]
ODD += ["<s> w3 w4", "w3 <s> w4 w3 w5", "w4 </s> w3", "w3 <unk> zebra w4", "w3 <UNK> w3", "é w3", "w3 " * 40]


def quiet() -> Any:
    config = kenlm.Config()
    config.show_progress, config.arpa_complain = False, kenlm.ARPALoadComplain.NONE
    return config


def both(path: Path) -> tuple[Any, Any]:
    return kenlm.Model(str(path), quiet()), ours.Model(str(path))


def random_file(seed: int, order: int, closed: bool, path: Path) -> Path:
    """An ARPA file of a random model with back-offs of 0 here and there; log10 p down to -20."""
    dice = np.random.default_rng(seed)
    naive = with_zeros(dice, random_model(dice, order, 9)[1])
    if not closed:  # an n-gram that others end with is left out, with all that it begins
        k, ends = order - 1, {gram[1:] for gram in naive.probs}
        lost = next(gram for gram in naive.probs if len(gram) == k and gram in ends)
        naive.probs = {gram: log10_prob for gram, log10_prob in naive.probs.items() if gram[:k] != lost}
    naive.backoffs = {gram: weight for gram, weight in naive.backoffs.items() if gram in naive.probs}
    naive.backoffs = {ngram: -abs(weight) for ngram, weight in naive.backoffs.items()}  # kenlm refuses log10 above 0
    write_arpa(as_levels(naive, 9), path)
    return path


def random_texts(seed: int, number: int) -> list[str]:
    dice = np.random.default_rng(seed)
    words = ["w3", "w4", "w5", "w6", "w8", "zebra", "</s>", "w7"]
    return [" ".join(dice.choice(words, dice.integers(0, 9))) for _ in range(number)]


@pytest.mark.parametrize(
    ("order", "closed"), [(2, True), (3, True), (4, True), (5, True), (3, False), (4, False), (5, False)]
)
@pytest.mark.parametrize("seed", range(4))
def test_scores_are_kenlms(seed: int, order: int, closed: bool, tmp_path: Path) -> None:
    theirs, mine = both(random_file(seed, order, closed, tmp_path / "m.arpa"))
    for text in [*ODD, *random_texts(seed, 30)]:
        for given in (text, text.encode()):
            for marks in ({}, {"bos": False}, {"eos": False}, {"bos": False, "eos": False}):
                np.testing.assert_allclose(mine.score(given, **marks), theirs.score(given, **marks), **CLOSE)
                scores, expected = (list(model.full_scores(given, **marks)) for model in (mine, theirs))
                np.testing.assert_allclose([one[0] for one in scores], [one[0] for one in expected], **CLOSE)
                assert [one[2] for one in scores] == [one[2] for one in expected]
                if closed:  # else kenlm adds the suffixes that are missing, and their lengths count
                    assert [one[1] for one in scores] == [one[1] for one in expected]
            np.testing.assert_allclose(mine.perplexity(given), theirs.perplexity(given), rtol=1e-4)


@pytest.mark.parametrize(
    ("order", "closed"), [(2, True), (3, True), (4, True), (5, True), (3, False), (4, False), (5, False)]
)
@pytest.mark.parametrize("seed", range(5))
def test_states_are_equal_where_kenlms_are(seed: int, order: int, closed: bool, tmp_path: Path) -> None:
    models = both(random_file(seed, order, closed, tmp_path / "m.arpa"))
    kept: list[list[Any]] = []
    for module, model in zip((kenlm, ours), models, strict=True):
        states = [module.State()]
        for text in random_texts(seed, 25):
            for begins in (True, False):
                state = module.State()
                (model.BeginSentenceWrite if begins else model.NullContextWrite)(state)
                for word in text.split():
                    after = module.State()
                    model.BaseScore(state, word, after)
                    state = after
                states.append(state)
        kept.append(states)
    equal = 0
    for (a, b), (c, d) in zip(combinations(kept[0], 2), combinations(kept[1], 2), strict=True):
        if closed:
            assert (a == b) == (c == d)
        assert a != b or c == d  # else states of kenlm also keep words of the suffixes that it adds
        assert (c != d) is not (c == d)
        assert (c < d) + (c == d) + (c > d) == 1
        assert c != d or hash(c) == hash(d)
        equal += a == b
    assert 0 < equal < len(kept[0]) ** 2 / 2
    assert len(set(kept[0])) - len(set(kept[1])) in range(1 if closed else 5)


@pytest.mark.parametrize("order", [2, 3])
def test_words_one_by_one(order: int, tmp_path: Path) -> None:
    theirs, mine = both(random_file(7, order, True, tmp_path / "m.arpa"))
    words = ["w3", "zebra", "<s>", "w4", "</s>", "w5", "", "two words", "<unk>", "w3\0", "w3"]
    their_state, my_state = kenlm.State(), ours.State()
    for word in words:
        their_next, my_next = kenlm.State(), ours.State()
        full, expected = (
            mine.BaseFullScore(my_state, word, my_next),
            theirs.BaseFullScore(their_state, word, their_next),
        )
        assert (full.log_prob, full.ngram_length, full.oov) == (
            pytest.approx(expected.log_prob, abs=1e-5),
            expected.ngram_length,
            expected.oov,
        )
        again = ours.State()
        assert mine.BaseScore(my_state, word, again) == full.log_prob
        assert again == my_next
        mine.BaseScore(my_state, word, my_state)  # the same state before and after
        assert my_state == my_next
        their_state = their_next
        assert (word in mine) == (word in theirs)
        assert (word.encode() in mine) == (word.encode() in theirs)
    assert mine.BaseScore(my_state, b"w3", ours.State()) == mine.BaseScore(my_state, "w3", ours.State())


def test_states_are_copied_and_kept(tmp_path: Path) -> None:
    model = ours.Model(random_file(1, 3, True, tmp_path / "m.arpa"))
    state = ours.State()
    model.BeginSentenceWrite(state)
    for twin in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        other = twin(state)
        assert (type(other), other, hash(other)) == (ours.State, state, hash(state))
        model.NullContextWrite(other)
        assert other == ours.State() != state
    assert state != "a state"
    again = pickle.loads(pickle.dumps(model))
    assert (again.path, again.score("w3 w4")) == (model.path, model.score("w3 w4"))


def test_every_file_that_windrow_writes(tmp_path: Path) -> None:
    trained = NGramLM(3, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran"])
    scores = []
    for name in ("m.arpa", "m.arpa.gz", "m.safetensors"):
        trained.save(tmp_path / name)
        model = ours.LanguageModel(str(tmp_path / name))
        assert (model.order, model.path, repr(model)) == (3, bytes(tmp_path / name), f"<Model from {name.encode()!r}>")
        scores.append(model.score("the dog sat"))
    np.testing.assert_allclose(scores, kenlm.Model(str(tmp_path / "m.arpa"), quiet()).score("the dog sat"), **CLOSE)


def test_one_gram_models_and_stupid_backoff_which_kenlm_refuses(tmp_path: Path) -> None:
    for options in ({"order": 1, "smoothing": "witten-bell"}, {"order": 3, "smoothing": "stupid-backoff"}):
        trained = NGramLM(**options).fit(["the cat sat", "the cat ran off"])  # type: ignore[arg-type]
        trained.save(tmp_path / "m.safetensors")
        model, state, total = ours.Model(str(tmp_path / "m.safetensors")), ours.State(), 0.0
        model.BeginSentenceWrite(state)
        for word in ("cat", "the", "cat", "off", "</s>"):
            total += model.BaseScore(state, word, state)
        assert total == pytest.approx(trained.log_prob("cat the cat off"), abs=1e-5)
        assert model.score("cat the cat off") == pytest.approx(total, abs=1e-5)
        assert (ours.State() == state) == (trained.start([]) == trained.start(trained.encode("cat the", bos=False)))


def test_probability_zero_is_a_number_as_in_kenlm(tmp_path: Path) -> None:
    path = tmp_path / "closed.arpa"
    path.write_text("\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n0\t<s>\t0\n-0.3\t</s>\n-99\ta\t-0.5\n-0.4\tb\n\n"
                    "\\2-grams:\n-0.2\t<s> a\n\n\\end\\\n")  # fmt: skip
    theirs, mine = both(path)
    for text in ("a", "b a", "zebra", "a zebra b", "b"):
        np.testing.assert_allclose(mine.score(text), theirs.score(text), **CLOSE)


SCRIPTS = {
    "sentences": """
import kenlm

model = kenlm.LanguageModel("m.arpa")
print(model.order, "-gram model")
for sentence in ("w3 w4 w5", "w4 zebra", ""):
    print(sentence, f"{model.score(sentence, bos=True, eos=True):.3f} {model.perplexity(sentence):.3g}")
    words = ["<s>", *sentence.split(), "</s>"]
    for i, (prob, length, oov) in enumerate(model.full_scores(sentence)):
        print(f"{prob:.3f} {length}: {' '.join(words[max(0, i + 2 - length):i + 2])}", "OOV" * oov)
""",
    "word by word": """
import kenlm

model = kenlm.Model("m.arpa")
state, out_state = kenlm.State(), kenlm.State()
model.BeginSentenceWrite(state)
total = 0.0
for word in "w3 w4 w3 zebra </s>".split():
    total += model.BaseScore(state, word, out_state)
    state, out_state = out_state, state
print(f"{total:.3f} {abs(total - model.score('w3 w4 w3 zebra')) < 1e-4}")
print([word for word in ("w3", "zebra") if word not in model])
""",
    "beam search with recombination": """
import math

import kenlm

config = kenlm.Config()
config.load_method = kenlm.LoadMethod.LAZY
model = kenlm.Model("m.arpa", config)
start = kenlm.State()
model.BeginSentenceWrite(start)
beam = {start: (0.0, [])}
for choices in (["w3", "w4"], ["w5", "zebra", "w3"], ["w8", "w4"], ["w3"], ["</s>"]):
    following = {}
    for state, (score, words) in beam.items():
        for word in choices:
            after = kenlm.State()
            total = score + model.BaseScore(state, word, after)
            if total > following.get(after, (-math.inf, None))[0]:
                following[after] = (total, [*words, word])
    beam = dict(sorted(following.items(), key=lambda entry: -entry[1][0])[:4])
    print(len(following), len(beam))
for score, words in beam.values():
    print(f"{score:.3f}", *words)
""",
}


def printed(script: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(script, {})
    return shown.getvalue()


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_one_import_changed(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_file(3, 3, True, tmp_path / "m.arpa")
    monkeypatch.chdir(tmp_path)
    changed = script.replace("import kenlm", "from windrow.compat import kenlm")
    shown = printed(changed)
    assert shown
    assert shown == printed(script)


def test_every_name_is_there() -> None:
    for name in set(dir(kenlm)) - {"os"}:
        if not name.startswith("__"):
            theirs, mine = getattr(kenlm, name), getattr(ours, name)
            missing = {one for one in set(dir(theirs)) - set(dir(mine)) if not one.startswith("__")}
            assert missing <= {"path"}  # which is set when a model is made
    for name in ("LoadMethod", "ARPALoadComplain"):
        for constant, value in vars(getattr(kenlm, name)).items():
            assert not constant.isupper() or getattr(getattr(ours, name), constant) == value
    for name in ("load_method", "arpa_complain", "show_progress"):
        assert getattr(ours.Config(), name) == getattr(kenlm.Config(), name)
    made = [module.FullScoreReturn(-1.5, 2, True) for module in (kenlm, ours)]
    assert repr(made[0]) == repr(made[1])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "kenlm.bin").write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0" + bytes(99))
    (tmp_path / "text").write_text("just text\n")
    windrow.WordVectors(["a", "b"], np.eye(2, dtype=np.float32)).save(tmp_path / "vectors.safetensors")
    for name, said in {
        "kenlm.bin": "is a binary of KenLM; give the ARPA file",
        "text": "is text, not an n-gram language model",
        "vectors.safetensors": "holds word vectors",
        "missing.arpa": "No such file",
        ".": "is a folder",
    }.items():
        with pytest.raises(OSError, match=said) as caught:
            ours.Model(str(tmp_path / name))
        assert isinstance(caught.value, windrow.WindrowError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: model.score(3), "text must be str or bytes, not int"),
        (lambda model: list(model.full_scores(["a"])), "text must be str or bytes, not list"),
        (lambda model: model.perplexity(None), "text must be str or bytes, not NoneType"),
        (lambda model: 3 in model, "text must be str or bytes, not int"),
        (lambda model: model.BaseScore(ours.State(), 3, ours.State()), "text must be str or bytes, not int"),
        (lambda model: model.BaseScore(3, "w3", ours.State()), "a State is needed, not int"),
        (lambda model: model.BaseScore(ours.State(), "w3", None), "a State is needed, not NoneType"),
        (lambda model: model.BaseFullScore(None, "w3", ours.State()), "a State is needed, not NoneType"),
        (lambda model: model.BeginSentenceWrite(None), "a State is needed, not NoneType"),
        (lambda model: model.NullContextWrite(3), "a State is needed, not int"),
        (lambda model: ours.Model(3), "path must be str or bytes, not int"),
        (lambda model: ours.Model(model.path, 3), "config must be a Config, not int"),
    ],
)
def test_other_types_are_refused(ask: Any, said: str, tmp_path: Path) -> None:
    model = ours.Model(str(random_file(1, 3, True, tmp_path / "m.arpa")))
    with pytest.raises(TypeError, match=said) as caught:
        ask(model)
    assert isinstance(caught.value, OptionError)


def test_the_state_of_another_model_is_refused(tmp_path: Path) -> None:
    one, other = (ours.Model(str(random_file(1, order, True, tmp_path / f"{order}.arpa"))) for order in (2, 4))
    state = ours.State()
    one.BeginSentenceWrite(state)
    for ask in (other.BaseScore, other.BaseFullScore):
        with pytest.raises(OptionError, match="the state is not of this model; begin with"):
            ask(state, "w3", ours.State())


def test_flaws_of_a_file_are_told_or_not(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    path.write_text(
        "\\data\\\nngram 1=2\nngram 2=1\n\n\\1-grams:\n-1\t<unk>\n-1\ta\t0\n\n\\2-grams:\n-1\ta a\n\n\\end\\\n"
    )
    with pytest.warns(DataWarning, match="<s>"):
        ours.Model(str(path))
    config = ours.Config()
    config.arpa_complain = ours.ARPALoadComplain.NONE
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ours.Model(str(path), config).order == 2
