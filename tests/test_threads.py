"""Whatever is trained may be asked by any number of threads at once: the answers are those of one thread, bit by bit.

The cases come from the registries: a kind of model, an output layer, a cell or a tokenizer that joins them is hammered,
too.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import windrow
from tests.hammer import THREADS, Question, frozen, hammer, together
from tests.lm.contract import MODELS, ToyLM
from tests.nn.training.estimators import ESTIMATORS
from tests.outputs.cases import random_block, random_layer
from tests.tagging.conftest import made_up
from windrow.classification.settings import LOSS_NAMES
from windrow.corpus import Corpus
from windrow.corpus.tokenizers import TOKENIZERS
from windrow.lm.base import LanguageModel
from windrow.models import MODEL_KINDS, model_class
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.numeric.threads import crew
from windrow.outputs import OUTPUT_LAYERS, output_layer
from windrow.outputs.quantized import QuantizedSoftmax
from windrow.sklearn import WEIGHTINGS, DocumentVectorizer
from windrow.tagging.tag_outputs import OUTPUTS

TIED = [name for name in OUTPUT_LAYERS if output_layer(name).can_tie]


def sentences(seed: int, number: int = 12, words: int = 9, kinds: int = 40) -> list[str]:
    """Sentences of one length, so that the arrays of all questions have the same shapes."""
    dice = np.random.default_rng(seed)
    return [" ".join(f"w{word}" for word in dice.zipf(1.3, words) % kinds) for _ in range(number)]


TRAIN = sentences(0, 60)
ROWS = np.random.default_rng(4).normal(size=(60, 5)).astype(np.float32)

# --- what is asked


def window(**options: Any) -> LanguageModel:
    return windrow.WindowLM(3, **{"embedding_size": 24, "hidden_size": 24, "epochs": 2, **options}).fit(TRAIN)


def recurrent(cell: str = "lstm", **options: Any) -> LanguageModel:
    sizes = {"embedding_size": 24, "hidden_size": 24, "batch_size": 4, "learning_rate": 0.02, "epochs": 2}
    return windrow.RecurrentLM(cell, **{**sizes, **options}).fit(TRAIN)


def tagger(output: str) -> windrow.WindowTagger:
    sizes = {"vector_size": 8, "hidden_size": 16, "feature_size": 4, "affixes": (2,), "epochs": 2, "batch_size": 4}
    return windrow.WindowTagger(**sizes, output_layer=output).fit(made_up(40, 1))


def vectors() -> windrow.WordVectors:
    table = np.random.default_rng(3).normal(size=(400, 16)).astype(np.float32)
    return windrow.WordVectors([f"w{word}" for word in range(400)], table)


def documents(weighting: str) -> DocumentVectorizer:
    return DocumentVectorizer(vectors(), weighting=weighting).fit(TRAIN)


def text_classifier(loss: str) -> windrow.TextClassifier:
    return windrow.TextClassifier(8, 2, loss=loss, epochs=2).fit(TRAIN, [f"label{len(set(text))}" for text in TRAIN])


def perceptron(kind: type[Any]) -> Any:
    return kind(hidden_layer_sizes=12, epochs=3, random_state=1).fit(ROWS, np.arange(60) % 3)


CASES: dict[str, Callable[[], Any]] = {
    **MODELS,
    "n-grams, compact": lambda: windrow.NGramLM(3, "witten-bell", compact=True).fit(TRAIN),
    **{f"window, {name}": partial(window, output_layer=name) for name in OUTPUT_LAYERS},
    **{f"recurrent, {name}": partial(recurrent, output_layer=name) for name in OUTPUT_LAYERS},
    **{f"recurrent, {cell}": partial(recurrent, cell) for cell in CELLS},
    "recurrent, two layers that forget": partial(recurrent, "gru", layers=2, state="reset"),
    **{f"window, {name}, 8 bits": partial(window, output_layer=name, quantize_bits=8) for name in TIED},
    **{f"recurrent, {name}, tied": partial(recurrent, output_layer=name, tied=True) for name in TIED},
    **{f"tagger, {name}": partial(tagger, name) for name in OUTPUTS},
    "vectors": vectors,
    **{f"documents, {name}": partial(documents, name) for name in WEIGHTINGS},
    "sentences": lambda: windrow.SentenceVectors(vectors(), weighting="sif").fit(TRAIN),
    **{f"text classifier, {loss}": partial(text_classifier, loss) for loss in LOSS_NAMES},
    "phrases": lambda: windrow.Phrases(min_count=1, threshold=0.5, connector_words=["w1"]).fit(TRAIN),
    "classifier": partial(perceptron, windrow.MLPClassifier),
    "regressor": partial(perceptron, windrow.MLPRegressor),
}


@cache
def made(name: str) -> Any:
    return CASES[name]()


def questions(model: Any) -> list[Question]:
    """One by one and many at once, each with inputs of its own."""
    match model:
        case LanguageModel():
            return list(of_language_model(model))
        case windrow.WindowTagger():
            return list(of_tagger(model))
        case windrow.WordVectors():
            return list(of_vectors(model))
        case windrow.TextClassifier():
            return [partial(model.top_labels, sentences(seed), 3) for seed in range(1, THREADS + 1)]
        case DocumentVectorizer() | windrow.SentenceVectors() | windrow.Phrases():
            return [partial(model.transform, sentences(seed)) for seed in range(1, THREADS + 1)]
    asked = [np.random.default_rng(seed).normal(size=(300, 5)).astype(np.float32) for seed in range(THREADS)]
    return [partial(model.predict, rows) for rows in asked]


def of_language_model(model: LanguageModel) -> Iterator[Question]:
    words = list(model.vocabulary.words[3:])
    for seed in range(1, 4):
        dice = np.random.default_rng(seed)
        texts = [dice.choice(words, 9).tolist() for _ in range(12)]
        stream = np.concatenate([model.encode(text, eos=True) for text in texts])
        yield partial(model.score_stream, stream)
        yield partial(model.log_probs, texts[:4])
        yield partial(model.word_scores, " ".join(texts[4]))
        yield partial(walked, model, stream[:8].tolist())
        yield partial(model.generate, texts[5][:2], max_new_tokens=4, seed=seed)
        yield partial(model.score_next_batch, [model.start()] * 2, stream[1:3])
    yield partial(model.top_words, texts[6], 5)
    yield partial(model.prob, words[0], texts[6])
    yield partial(model.generate, texts[7][:2], max_new_tokens=3, do_sample=False, num_beams=2)
    yield lambda: model.evaluate(texts[:2])
    if isinstance(model, windrow.RecurrentLM):  # a copy of it learns
        yield lambda: model.evaluate(texts[:2], dynamic_rate=0.1)


def walked(model: LanguageModel, ids: list[int]) -> list[Any]:
    """The distributions after each word, and the score of the next."""
    state, found = model.start(ids[:1]), list[Any]()
    for word in ids[1:]:
        found.append(model.distribution(state))
        score, state = model.score_next(state, word)
        found.append(score)
    return found


def of_tagger(model: windrow.WindowTagger) -> Iterator[Question]:
    for seed in range(1, THREADS + 1):
        gold = made_up(15, seed)
        texts = [[*tokens, f"unheard{seed}"] for tokens, *_ in gold]
        yield partial(model.predict, texts)
        yield partial(model.predict, texts[:1])
        yield partial(model.evaluate, gold)


def of_vectors(model: windrow.WordVectors) -> Iterator[Question]:
    for seed in range(THREADS):
        a, b, c, d = (f"w{seed * 40 + k}" for k in range(4))
        yield partial(model.most_similar, a)
        yield partial(model.most_similar, [a, b], [c])
        yield partial(model.most_similar_cosmul, [a, b], [c])
        yield partial(model.most_similar_batch, [a, b, c])
        yield partial(model.analogy, a, b, c)
        yield partial(model.similarity, a, d)
        yield partial(model.doesnt_match, [a, b, c, d])
        yield partial(model.get_mean_vector, [a, b, c])
        yield partial(model.evaluate_word_pairs, [(a, b, 1.0), (b, c, 2.0), (c, d, 0.5), (a, d, 3.0)])


# --- the tests


@pytest.mark.parametrize("name", CASES)
def test_threads_get_the_answers_of_one(name):
    model = made(name)
    asked_first = copy.deepcopy(model)  # what is made on first use is made by all threads at once
    expected = [frozen(ask()) for ask in questions(model)]

    hammer(questions(asked_first), expected)


def test_every_kind_of_model_is_hammered():
    assert {model_class(kind) for kind in MODEL_KINDS} <= {type(made(name)) for name in CASES}


@pytest.mark.parametrize("name", [*OUTPUT_LAYERS, "8 bits"])
def test_output_layers_are_asked_by_threads(name):
    """Long enough for several threads to be within one kernel, unlike the models above."""
    layer = random_layer("softmax" if name == "8 bits" else name, 700, 33, dtype=np.float32)
    layer = QuantizedSoftmax.of(layer) if name == "8 bits" else layer
    blocks = [random_block(layer, rows=2000, seed=seed) for seed in range(3)]
    asked: list[Question] = [partial(layer.target_log_probs, *block) for block in blocks]
    asked += [partial(layer.distribution, block.hidden[0]) for block in blocks]

    hammer(asked, [frozen(ask()) for ask in asked])


@pytest.mark.parametrize("streams", [1, 12])
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_layers_are_asked_by_threads(cell, streams):
    layer = RecurrentLayer(9, 20, cell, rng=1)

    def states(seed: int) -> tuple[Any, ...]:
        x = np.random.default_rng(seed).standard_normal((60, streams, 9)).astype(np.float32)
        with crew(2):  # of this thread alone
            hidden, last, _ = layer.forward(x, layer.zero_state(streams))
        return hidden, last

    asked = [partial(states, seed) for seed in range(THREADS)]
    hammer(asked, [frozen(ask()) for ask in asked], rounds=4)


@pytest.mark.parametrize("options", [{}, {"lowercase": True, "language": "tr", "normalize": "nfkc"}])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_texts_are_read_by_threads(tokenizer, options, tmp_path):
    corpus = Corpus.build([f"İzmir {text}, it's ﬁne" for text in TRAIN], tokenizer=tokenizer, **options)

    def build(number: int) -> tuple[Any, ...]:
        built = Corpus.build([f"İ{number} {text}!" for text in TRAIN], tokenizer=tokenizer, **options)
        return built.fingerprint, built.vocabulary.words

    def read(number: int) -> tuple[Any, ...]:
        tokens = corpus.reader.tokens(f"İ{number} {TRAIN[number]}!")
        return tokens, corpus.vocabulary.encode(tokens), corpus.vocabulary.get(tokens[-1]), list(corpus.sentences())

    asked = [*(partial(read, number) for number in range(THREADS)), *(partial(build, number) for number in range(2))]
    expected = [frozen(ask()) for ask in asked]
    corpus = Corpus.build([f"İzmir {text}, it's ﬁne" for text in TRAIN], tmp_path / "c", tokenizer=tokenizer, **options)

    hammer(asked, expected)


def word_vectors(**options: Any) -> np.ndarray:
    sizes = {"vector_size": 8, "min_count": 1, "workers": 1, "epochs": 2, "sample": 0}
    return windrow.Word2Vec(**{**sizes, **options}).fit(TRAIN).wv.vectors


def learned(name: str) -> Any:
    case = ESTIMATORS[name]()
    model = case.made(epochs=2)
    case.fit(model, valid=True)
    return case.answers(model)


TRAININGS: dict[str, Callable[[], Any]] = {
    **{name: partial(learned, name) for name in ESTIMATORS},
    "Word2Vec": word_vectors,
    "Word2Vec, two workers": partial(word_vectors, workers=2, deterministic=True),
    "NGramLM": lambda: windrow.NGramLM(3, "witten-bell").fit(TRAIN).log_probs(TRAIN[:5]),
    "MixtureLM": lambda: windrow.MixtureLM([ToyLM.random(1), ToyLM.random(2)]).fit(["a b c d", "d d a"]).weights_,
}


def test_models_are_trained_by_threads():
    """Each thread another model: the same as alone, also where one is asked while others are trained."""
    alone = [frozen(train()) for train in TRAININGS.values()]
    asked = made("recurrent, lstm")
    answers = [frozen(ask()) for ask in questions(asked)]

    def ask_all() -> Any:
        return tuple(frozen(ask()) for ask in questions(asked))

    *trained, found = together([*TRAININGS.values(), ask_all])

    assert found == tuple(answers)
    same = [frozen(one) == other for one, other in zip(trained, alone, strict=True)]
    assert dict(zip(TRAININGS, same, strict=True)) == dict.fromkeys(TRAININGS, True)


def test_answers_do_not_depend_on_what_other_threads_let_blas_do():
    """A product of this size has other last bits with two threads of BLAS than with one."""
    words = [f"w{number}" for number in range(5000)]
    model = windrow.WindowLM(2, 200, 200, epochs=1, output_layer="nce", noise_words=4).fit([" ".join(words)])
    model.network_.set_values(30 * model.network_.values())  # so that they do not vanish beside the biases

    def ask() -> Any:
        return frozen([model.next_word_distribution([words[7]]), model.score_stream(model.encode(words[:3]))])

    def ask_beside_a_training() -> Any:
        inside, asked = threading.Event(), threading.Event()

        def train() -> None:
            with crew(1):
                inside.set()
                asked.wait()

        trainer = threading.Thread(target=train)
        trainer.start()
        inside.wait()
        try:
            return ask()
        finally:
            asked.set()
            trainer.join()

    with threadpool_limits(2):
        assert ask() == ask_beside_a_training()
