"""Pages about models of every kind: they say what is true, and nothing in a model becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.report.pages import Page
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.lm.cache import CacheLM
from windrow.models import MODEL_KINDS
from windrow.report.page import page_of

HOSTILE = ("<script>alert(1)</script>", "</style></svg>", "\"'&lt;", "$x$", "\u202egnp", "http://x.y/z.js")
LINES = [line for word in ("cat", *HOSTILE) for line in (f"the {word} sat on a mat", f"a {word} ran off", word)] * 3
TAGGED = [([word, "met", "Ann"], ["B-<b>", "O", "B-PER"]) for word in ("Rome", *HOSTILE)] * 4
LABELLED = [f"__label__{label} {line}" for label in ("<i>", "b&c") for line in LINES[:9]]
SMALL: dict[str, Any] = {"embedding_size": 4, "hidden_size": 4, "epochs": 2}


def ngrams(**options: Any) -> windrow.NGramLM:
    return windrow.NGramLM(2, "witten-bell", **options).fit(LINES)


def cache() -> CacheLM:
    return CacheLM(ngrams().vocabulary, size=9)


def word2vec() -> windrow.Word2Vec:
    return windrow.Word2Vec(vector_size=4, min_count=1, epochs=3, workers=1, sample=0).fit(LINES)


MODELS = {
    "word-vectors": lambda: word2vec().wv,
    "window-tagger": lambda: windrow.WindowTagger(vector_size=4, hidden_size=4, epochs=2, min_count=1).fit(
        TAGGED, valid=TAGGED
    ),
    "text-classifier": lambda: windrow.TextClassifier(vector_size=4, epochs=2).fit(LABELLED),
    "ngram-lm": ngrams,
    "class-lm": lambda: windrow.ClassLM(3, 2).fit(LINES),
    "skip-ngram-lm": lambda: windrow.SkipNGramLM(smoothing="witten-bell").fit(LINES),
    "unbounded-ngram-lm": lambda: windrow.UnboundedNGramLM(discount_fallback=True).fit(LINES),
    "window-lm": lambda: windrow.WindowLM(order=2, **SMALL).fit(LINES, valid=LINES),
    "rnn-lm": lambda: windrow.RecurrentLM(**SMALL).fit(LINES),
    "mixture-lm": lambda: windrow.MixtureLM([ngrams(), ngrams()]).fit(LINES),
    "cache-lm": cache,
}
HELD_BACK: dict[str, Any] = {
    **dict.fromkeys(("ngram-lm", "unbounded-ngram-lm", "class-lm", "skip-ngram-lm"), LINES),
    **dict.fromkeys(("window-lm", "rnn-lm", "mixture-lm"), LINES),
    "window-tagger": TAGGED,
    "text-classifier": LABELLED,
}


def test_every_kind_of_model_has_a_page() -> None:
    assert set(MODELS) == set(MODEL_KINDS) - {"phrases"}


@pytest.mark.parametrize("kind", MODELS)
def test_a_page_is_sound_whatever_words_a_model_has(kind: str, tmp_path: Path) -> None:
    model, valid = MODELS[kind](), HELD_BACK.get(kind)
    pages = [tmp_path / "of-model.html", tmp_path / "of-file.html"]
    file = tmp_path / "<b>&'.safetensors"
    model.save(file)
    windrow.write_report(model, pages[0], valid=valid)
    windrow.write_report(file, pages[1], valid=valid)
    of_model, of_file = (Page(page.read_text("utf-8")) for page in pages)
    assert "Report on <b>&'.safetensors" in of_file.texts
    shown = of_file.text
    for heading in ("How it was made", "Samples" if kind != "window-tagger" else "Settings", "The file"):
        assert heading in of_file.texts
    assert ("On text held back" in of_file.texts) == (valid is not None)
    assert any(word in shown for word in ("<script>", "<b>", "<i>")) or kind == "cache-lm"
    assert of_file.fact("size") == f"{file.stat().st_size:,} bytes"
    if kind not in ("word-vectors", "mixture-lm"):  # whose files have no history, and weights that were fitted
        told = [
            page.text.partition("The file")[0].partition("Text and words")[2].strip() for page in (of_model, of_file)
        ]
        assert told[0] == told[1]


def test_the_code_trains_the_model_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("SOURCE").write_text("\n".join(LINES))
    corpus = windrow.Corpus.build("SOURCE", lowercase=True)
    windrow.Word2Vec(vector_size=4, min_count=1, epochs=3, workers=1, seed=3).fit(corpus).wv.save("v.x")
    windrow.NGramLM(3, "witten-bell", prune=(0, 0, 1)).fit(corpus).save("n.x")
    windrow.WindowLM(order=2, output_layer="hierarchical", **SMALL).fit(corpus).save("w.x")
    for name in ("v.x", "n.x", "w.x"):
        before = windrow.load(name)
        windrow.write_report(name, "page.html")
        Path(name).unlink()
        exec(Page(Path("page.html").read_text()).code["in Python"], {})
        after = windrow.load(name)
        if name == "v.x":
            np.testing.assert_array_equal(after.vectors, before.vectors)
            assert after.provenance == before.provenance
        else:
            assert after.perplexity(LINES) == before.perplexity(LINES)


def test_scores_and_confusion_are_those_of_the_model() -> None:
    tagger = MODELS["window-tagger"]()
    page = Page(page_of(tagger, None, valid=TAGGED))
    true, predicted = tagger.true_and_predicted(TAGGED)
    labels = sorted({*true, *predicted})
    (head,) = [place for place, row in enumerate(page.cells) if row == ["", *labels]]
    found = {
        (row[0], label): int(count or 0)
        for row in page.cells[head + 1 : head + 1 + len(labels)]
        for label, count in zip(labels, row[1:], strict=True)
    }
    pairs = list(zip(true, predicted, strict=True))
    assert found == {(a, b): pairs.count((a, b)) for a in labels for b in labels}
    assert page.fact("f1") == f"{tagger.evaluate(TAGGED).f1:.4g}"


def test_text_held_back_is_read_once() -> None:
    """As it comes from an iterator, or through a pipe."""
    for kind, valid in (("window-tagger", TAGGED), ("text-classifier", LABELLED)):
        model = MODELS[kind]()
        assert Page(page_of(model, None, valid=iter(valid))).cells == Page(page_of(model, None, valid=valid)).cells
    model = ngrams()
    assert Page(page_of(model, None, valid=LINES)).fact("perplexity") == f"{model.perplexity(LINES):.4g}"


def rows(*numbers: tuple[str, int, float]) -> list[dict[str, Any]]:
    return [
        {"event": event, "epoch": 1, "examples": n, "loss": loss, "learning_rate": 0.1, "seconds": n / 50}
        for event, n, loss in numbers
    ]


def test_curves_say_what_they_show(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    told = rows(("progress", 50, 9.0), ("epoch", 100, 7.0), ("progress", 150, 5.0), ("epoch", 200, 4.0))
    log.write_text("".join(f"{json.dumps(row)}\n" for row in told))
    of_rows, of_log = (Page(page_of(ngrams(), None, log=one)) for one in (told, log))
    assert of_rows.labels == of_log.labels == [
        "loss by epoch, nats per word: from 7 after 100 words to 4 after 200 words",
        "loss since the epoch began, nats per word: from 9 after 50 words to 4 after 200 words",
        "learning rate: from 0.1 after 50 words to 0.1 after 200 words",
        "words per second: from 50 after 50 words to 50 after 200 words",
    ]  # fmt: skip
    assert of_log.fact("seconds of training") == "4.0"
    assert ["1", "100", "7", "0.1"] in of_log.cells
    big = [{**row, "examples": 400 * row["examples"]} for row in told]
    assert Page(page_of(ngrams(), None, log=big)).labels[0].endswith("to 4 after 80,000 words")
    scored = [{**row, "score": 8.0 - n, "measure": "</text><script>"} for n, row in enumerate(told[1::2])]
    page = Page(page_of(ngrams(), None, log=scored))
    assert "</text><script>, held-out data: from 8 after 100 words to 7 after 200 words" in page.labels
    norms = [{**row, "epoch": n, "gradient_norms": {"<script>": 1.0, "b": 0.1}} for n, row in enumerate(told[1::2], 1)]
    log.write_text("".join(f"{json.dumps(row)}\n" for row in norms))
    assert Page(page_of(ngrams(), None, log=log)).labels[-1] == "after the last epoch: <script> 1, b 0.1"
    assert not Page(page_of(ngrams(), None, log=told[:1])).labels  # one point is no curve


def test_no_line_joins_two_epochs() -> None:
    told = rows(("progress", 50, 9.0), ("epoch", 100, 7.0), ("progress", 150, 5.0), ("epoch", 200, 4.0))
    html = page_of(ngrams(), None, log=told)
    chart = html.partition('aria-label="loss since')[2].partition("</svg>")[0]
    lines = re.findall(r'<path d="([^"]*)" clip-path[^>]*var\(--c0\)', chart)
    assert [path.count("L") for path in lines] == [1, 1]


def test_epochs_that_were_reported_once_have_no_chart_of_what_is_within() -> None:
    once = rows(("epoch", 100, 7.0), ("epoch", 200, 4.0))
    at_its_end = rows(("progress", 100, 7.0), ("epoch", 100, 7.0))
    assert Page(page_of(ngrams(), None, log=at_its_end)).labels == []
    assert not [label for label in Page(page_of(ngrams(), None, log=once)).labels if "since" in label]
    mixed = rows(("progress", 50, 9.0), ("epoch", 100, 7.0), ("epoch", 200, 4.0))
    chart = page_of(ngrams(), None, log=mixed).partition('aria-label="loss since')[2].partition("</svg>")[0]
    assert "<use " in chart  # the second epoch is one dot, since of a single point there is no line


def test_colors_are_those_of_the_reader() -> None:
    model = word2vec()
    html = page_of(model, None)
    assert page_of(model, None) == html  # the same each time
    assert "prefers-color-scheme: dark" in html
    svg = html.partition("<svg")[2]
    assert not re.findall(r"#[0-9a-f]{6}\b", svg, re.IGNORECASE)
    used = set(re.findall(r"var\((--\w+)", html))
    assert used - {"--share"} <= set(re.findall(r"(--\w+):", html))


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    page, model = tmp_path / "page.html", ngrams()
    for kind, error in ((windrow.WindowTagger(), NotFittedError), (windrow.TextClassifier(), NotFittedError),
                        (windrow.Word2Vec(), NotFittedError), (windrow.NGramLM(), NotFittedError),
                        (windrow.WindowLM(), NotFittedError), (windrow.RecurrentLM(), NotFittedError),
                        (windrow.Phrases(), OptionError), (3, OptionError)):  # fmt: skip
        with pytest.raises(error):
            windrow.write_report(kind, page)
    for name, error in ((tmp_path / "page.pdf", OptionError), (tmp_path / "no" / "page.html", DataError)):
        with pytest.raises(error):
            windrow.write_report(model, name)
    with pytest.raises(OptionError, match="not for word vectors"):
        windrow.write_report(word2vec(), page, valid=LINES)
    with pytest.raises(FormatError, match='the log: "loss" must be a number'):
        windrow.write_report(model, page, log=[{**rows(("epoch", 1, 1.0))[0], "loss": "<b>"}])
    with pytest.raises(DataError, match=r"cannot read .*none"):
        windrow.write_report(tmp_path / "none", page)
    assert not page.exists()
