"""``windrow demo``: vectors, a language model and a tagger, trained on the generated corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windrow.cli.groups import command
from windrow.cli.numbers import WholeNumber
from windrow.cli.options import check_parameters
from windrow.cli.paths import OutputVectors, words_written
from windrow.cli.saving import save_word_vectors
from windrow.cli.vector_files import VECTORS_OUTPUT
from windrow.errors import one_line

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.embeddings import WordVectors

_WORDS = ("kyosen", "queen", "stronger", "washed", "frog")


@command(example="windrow demo -o demo.safetensors")
@click.option(
    "-o", "--output", metavar="FILE", type=OutputVectors(words_written), help=f"Save the vectors, too. {VECTORS_OUTPUT}"
)
@click.option("--seed", default=1, type=WholeNumber(0), show_default=True, help="Seed of all random draws.")
def demo(output: Path | None, seed: int) -> None:
    """Train on a small generated corpus: word vectors, a language model, an entity tagger; takes seconds."""
    from windrow.corpus import Corpus
    from windrow.corpus.toyland import generate
    from windrow.embeddings import Word2Vec
    from windrow.embeddings.formats import check_target
    from windrow.files.tempfolder import temporary_folder
    from windrow.machine import available_cores

    if output is not None:
        check_target(output)
    model = Word2Vec(sg=1, min_count=1, epochs=15, alpha=0.05, seed=seed, workers=available_cores())
    check_parameters(model, {})
    with temporary_folder() as folder:
        toyland = folder / "toyland"
        generate(toyland)
        corpus = Corpus.build(toyland / "train.txt")
        click.echo(
            f"Toyland, a generated corpus: {corpus.tokens:,} words, {len(corpus):,} sentences, "
            f"{len(corpus.vocabulary):,} different words. Its first sentence:"
        )
        click.echo(f"    {' '.join(next(corpus.sentences()))}\n")
        click.echo("Training skip-gram with negative sampling (compiles its kernels on the first run) ...")
        model.fit(corpus)
        last = model.history_[-1]
        click.echo(
            f"    {model.epochs} passes in {last['seconds']:.1f} s ({last['per_second']:,.0f} words/s); loss per word "
            f"{model.history_[0]['loss']:.2f} at first, {last['loss']:.2f} at the end\n"
        )
        _show_neighbors(model.wv)
        _show_analogies(model.wv, toyland)
        _show_language_model(corpus, toyland, seed)
        _show_entities(toyland, seed)
    if output is not None:
        save_word_vectors(model.wv, output)
        told = one_line(f"The vectors are in {output}: try  windrow vectors similar {output} {_WORDS[0]}")
        click.echo(f"\n{told}")


def _show_neighbors(vectors: WordVectors) -> None:
    click.echo("The nearest words, by the cosine of their vectors:")
    for word in _WORDS:
        near = ", ".join(f"{other} {cosine:.2f}" for other, cosine in vectors.most_similar(word, topn=4))
        click.echo(f"    {word:<10} {near}")


def _show_analogies(vectors: WordVectors, toyland: Path) -> None:
    from windrow.evaluation import evaluate_analogies
    from windrow.evaluation.analogy import read_questions

    questions = read_questions(toyland / "analogies.txt")
    click.echo("\nAnalogies, answered by adding and subtracting vectors:")
    for section in questions[:6]:
        a, b, c, _ = section.questions[0]
        answer, _ = vectors.analogy(a, b, c, topn=1)[0]
        click.echo(f"    {a} is to {b} as {c} is to ... {answer}")
    result = evaluate_analogies(questions, vectors.index_to_key, vectors.vectors)
    click.echo(
        f"\nAll {result.overall.total:,} questions of {len(questions)} kinds: {result.accuracy:.1%} answered correctly"
    )


def _show_language_model(corpus: Corpus, toyland: Path, seed: int) -> None:
    from windrow.lm.ngram.model import NGramLM
    from windrow.numeric.compiling import working_time

    click.echo("\nA language model, order 6 with modified Kneser-Ney smoothing:")
    started = working_time()
    model = NGramLM(6, discount_fallback=True).fit(corpus)
    seconds = working_time() - started
    click.echo(f"    {sum(model.table_.sizes):,} n-grams in {seconds:.1f} s")
    truth = json.loads((toyland / "toyland.json").read_text())["test"]["perplexity"]
    perplexity = model.perplexity(toyland / "test.txt")
    click.echo(
        f"    perplexity of new text {perplexity:.2f}; the lowest possible, that of the grammar itself, is {truth:.2f}"
    )
    next_words = ", ".join(f"{word} {probability:.2f}" for word, probability in model.top_words("the queen", 3))
    click.echo(f"    after 'the queen' comes: {next_words}")
    for generation in model.generate(num_return_sequences=3, seed=seed):
        click.echo(f"    it says: {generation.text}")


def _show_entities(toyland: Path, seed: int) -> None:
    from windrow.tagging import WindowTagger
    from windrow.tagging.examples import read_examples

    click.echo("\nA tagger of entities, by a window of five word vectors:")
    tagger = WindowTagger(epochs=1, seed=seed).fit(str(toyland / "ner-train.conll"))
    result = tagger.evaluate(str(toyland / "ner-test.conll"))
    click.echo(f"    {result.overall.gold:,} entities of new text, found with an exact-span F1 of {result.f1:.3f}")
    for words, _ in list(read_examples(str(toyland / "ner-test.conll")))[:2]:
        tags = tagger.predict([words])[0]
        marked = (word if tag == "O" else f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))
        click.echo(f"    {' '.join(marked)}")
