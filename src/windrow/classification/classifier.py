"""TextClassifier: the linear classifier of averaged vectors of fastText's supervised mode."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from windrow.bars import check_progress, training_bar
from windrow.classification.epochs import train_epochs
from windrow.classification.fasttext_model import read_classifier
from windrow.classification.features import Features, Ngrams, Texts
from windrow.classification.kernels.rows import Rows
from windrow.classification.losses import loss_of, probabilities_of
from windrow.classification.settings import BUCKETS, OF_READER, TEXT_CLASSIFIER
from windrow.classification.shrinking import longest_rows, rounded, with_rows
from windrow.classification.stored_parts import label_kind, pack, unpack, unpack_fasttext
from windrow.classification.texts import Labelled, class_rows, find_classes, read_labelled, read_texts
from windrow.classification.training import Learning
from windrow.corpus import TextReader
from windrow.corpus.folding import check_folding
from windrow.embeddings.given_vectors import Given, check_given, open_given, take_given
from windrow.errors import NotFittedError, OptionError, check_range, check_whole
from windrow.estimator import Estimator
from windrow.evaluation.labels import LabelResult, evaluate_labels
from windrow.files import model_file
from windrow.files.kinds import refuse_folder
from windrow.files.local import as_path, local_file
from windrow.files.sniff import kind_of
from windrow.nn.training.fitting import all_or_nothing
from windrow.nn.training.report import Callback, facts_of
from windrow.numeric.blas import set_product
from windrow.numeric.threads import crew
from windrow.outputs.quantized import BITS

KIND = "text-classifier"
_NOT_STORED = ("vectors", "callbacks", *OF_READER)
_TEXTS_AT_A_TIME = 4096
_SCORES_AT_A_TIME = 1 << 18  # of a block of texts that are asked, so that they stay in the cache

Result = TypeVar("Result")


class TextClassifier(Estimator):
    """Tells which labels a text has, by the mean of the vectors of its words and n-grams.

    Training is fastText's of ``supervised``, with the same hashes of n-grams, but for three things: texts come in a new
    order in each epoch, the rate falls from text to text, and an n-gram that training has not seen counts nothing.

    Parameters
    ----------
    vector_size : int in [1, 100000], default 100
        Dimensions of the vectors of words, n-grams and classes. 10 to 50 are often enough, and faster.
    word_ngrams : int in [1, 100], default 1
        Words in the longest n-gram of words that is a feature; 1: words alone. 2 where the order of words matters.
    min_n : int in [0, 100], default 0
        Characters in the shortest n-gram of characters that is a feature, the boundaries of a word included. Only
        with max_n.
    max_n : int in [0, 100], default 0
        Characters in the longest n-gram of characters that is a feature; 0: there are none. With min_n 2 or 3, up
        to 5 or 6, spelling variants and unknown words are known by their parts.
    buckets : int in [1, 100000000], default 2000000
        How many different hashes n-grams of words and characters have. Only those that occur take memory.
    min_count : int >= 1, default 1
        Words that occur less often have no vector of their own.
    vectors : WordVectors or path or None, default None
        Word vectors to begin with, or a file; all their words are known. None: random ones. Of much text of the
        same kind, where few texts have labels. They must have vector_size dimensions.
    loss : {"softmax", "hs", "ns", "ova"}, default "softmax"
        What is minimized. softmax: over all classes; hs: over a Huffman tree of them; ns: a class against a few
        drawn ones; ova: yes or no for each class. hs and ns for thousands of classes; ova where a text has several.
    negative : int in [1, 1000000], default 5
        Classes drawn for each text. Only with loss "ns".
    learning_rate : float > 0, default 0.1
        Size of the steps at the start; it falls in a line to 0. 0.5 or 1 for few or short texts.
    epochs : int in [1, 1000000], default 5
        Passes over the texts. 25 for a few thousand texts.
    cutoff : int >= 1 or None, default None
        After training keep only so many words and n-grams, those with the longest vectors. None: all. A tenth of
        them loses little.
    retrain : bool, default False
        Train what the cut-off has kept as many epochs again. Only with cutoff. It may be better or worse.
    quantize_bits : int 8 or None, default None
        8 rounds the vectors of the trained model, whose file is about a third as large. None: 32 bits.
    label_prefix : str, default "__label__"
        How labels begin that stand among the words of a text.
    tokenizer : str or callable, default "whitespace"
        What cuts text into words: whitespace, word, char, or a function from a str to a list.
    lowercase : bool, default False
        Whether text is lower-cased first; labels are not.
    language : str or None, default None
        Whose lower case, a code of ISO 639-1: in Turkish (tr, az) I becomes dotless i. Only with lowercase. None:
        the usual lower case.
    normalize : {"nfc", "nfkc"} or None, default None
        Unicode normalization, before all else: nfc gives each letter with accents one form, nfkc also makes
        ligatures and full-width letters plain ones. None: the text as it is.
    seed : int >= 0, default 1
        Seed of all random draws; equal seeds give equal models with one worker.
    workers : int in [1, 1024], default 1
        Threads, which update the same vectors without locks.
    callbacks : sequence of callable, default ()
        Functions of a Report, called after each epoch; training ends when one returns a true value.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The labels, sorted, in the order of ``predict_proba``.
    class_counts_ : ndarray of shape (classes,)
        How many texts of the training have each label.
    features_ : Features
        The words and n-grams that have vectors.
    vectors_ : ndarray of shape (features, vector_size)
        The vectors of the features, those of words first.
    output_vectors_ : ndarray of shape (classes, vector_size)
        The vectors of the classes; with loss "hs" of the inner nodes of their tree, (classes - 1, vector_size).
    given_words_ : int
        How many words of the texts began with a vector of ``vectors``.
    history_ : list of dict
        One dict per epoch: loss, learning rate, texts, seconds.

    References
    ----------
    Joulin et al. 2017, "Bag of tricks for efficient text classification".

    Examples
    --------
    >>> from windrow import TextClassifier
    >>> texts, labels = ["good film", "great film", "bad film", "awful film"] * 9, ["good", "good", "bad", "bad"] * 9
    >>> model = TextClassifier(vector_size=8, learning_rate=0.5, epochs=20).fit(texts, labels)
    >>> model.predict(["a great plot", "an awful plot"]).tolist()
    ['good', 'bad']
    """

    settings = TEXT_CLASSIFIER
    vector_size: int
    word_ngrams: int
    min_n: int
    max_n: int
    buckets: int
    min_count: int
    vectors: Given | None
    loss: str
    negative: int
    learning_rate: float
    epochs: int
    cutoff: int | None
    retrain: bool
    quantize_bits: int | None
    label_prefix: str
    tokenizer: str | Callable[[str], list[str]]
    lowercase: bool
    language: str | None
    normalize: str | None
    seed: int
    workers: int
    callbacks: Sequence[Callback]

    classes_: NDArray[Any]
    class_counts_: NDArray[np.int64]
    reader: TextReader
    features_: Features
    vectors_: NDArray[np.float32]
    output_vectors_: NDArray[np.float32]
    history_: list[dict[str, Any]]
    given_words_ = 0

    def __init__(
        self,
        vector_size: int = 100,
        word_ngrams: int = 1,
        min_n: int = 0,
        max_n: int = 0,
        buckets: int = 2_000_000,
        min_count: int = 1,
        *,
        vectors: Given | None = None,
        loss: str = "softmax",
        negative: int = 5,
        learning_rate: float = 0.1,
        epochs: int = 5,
        cutoff: int | None = None,
        retrain: bool = False,
        quantize_bits: int | None = None,
        label_prefix: str = "__label__",
        tokenizer: str | Callable[[str], list[str]] = "whitespace",
        lowercase: bool = False,
        language: str | None = None,
        normalize: str | None = None,
        seed: int = 1,
        workers: int = 1,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self._store(locals())

    # --- training

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work."""
        super().check_parameters()
        check_given(self.vectors)
        if self.max_n and self.min_n > self.max_n:
            raise OptionError(f"min_n = {self.min_n} is above max_n = {self.max_n}")
        if not self.label_prefix or self.label_prefix.split() != [self.label_prefix]:
            raise OptionError(f"label_prefix = {self.label_prefix!r} must be a word")
        check_folding(self.lowercase, self.language, self.normalize)

    def check_effects(self, **arguments: Any) -> None:
        """As ``Estimator.check_effects``; buckets are for n-grams of either kind."""
        super().check_effects(**arguments)
        values = {**vars(self), **arguments}
        if values["buckets"] != BUCKETS and values["word_ngrams"] == 1 and not values["max_n"]:
            raise OptionError(
                f"buckets = {values['buckets']} is for n-grams; try word_ngrams = 2 or max_n = 6, or leave it out"
            )

    def new_reader(self) -> TextReader:
        """How texts are cut into words in a training."""
        return TextReader(**{name: getattr(self, name) for name in OF_READER})

    def fit(self, X: Any, y: Any = None, *, progress: Callback | bool | None = None) -> Self:  # noqa: N803
        """Train on texts X, each a str or a list of tokens, and y: a label for each, or a list of labels.

        Without y, X is one or more files, or a list, of lines whose labels stand among the words, each after
        ``label_prefix``. ``callbacks`` get a Report after each epoch; ``progress``: True for a bar, or a function that
        gets a Report several times a second. Raises OptionError for a parameter out of range, DataError for texts that
        cannot be used, DivergedError when training runs away. A classifier that was trained before stays as it was when
        this fails.
        """
        with all_or_nothing(self, "history_"):
            self.check_parameters()
            self.check_effects()
            check_progress(progress)
            self.reader = self.new_reader()
            labelled = read_labelled(X, y, self.reader, self.label_prefix)
            self.classes_ = find_classes(labelled.labels)
            given = None if self.vectors is None else open_given(self.vectors, self.vector_size, "vector_size")
            self.history_, self.given_words_ = [], 0
            learned = Features.learn(labelled.texts, self._ngrams(), self.min_count)
            self.features_ = learned if given is None else learned.with_words(given.index_to_key)
            learning = self._start(self.features_.read(labelled.texts), class_rows(labelled.labels, self.classes_))
            if given is not None:
                own = range(len(learned.words))
                self.given_words_ = take_given(learning.vectors, self.features_.words, given, own, self.vectors)
            with training_bar(progress, "texts") as bar:
                train_epochs(self, learning, bar)
            if self.cutoff is not None and self.cutoff < len(self.features_):
                self._cut(self.cutoff)
                if self.retrain:
                    learning = self._start(self.features_.read(labelled.texts), learning.labels)
                    learning.go_on_from(self.vectors_, self.output_vectors_)
                    with training_bar(progress, "texts") as bar:
                        train_epochs(self, learning, bar, after=len(self.history_))
            if self.quantize_bits is not None:
                self._round()
        return self

    def _cut(self, number: int) -> None:
        rows = longest_rows(self.features_, self.vectors_, number)
        self.features_, self.vectors_ = with_rows(self.features_, rows), self.vectors_[rows]

    def _round(self) -> None:
        self.vectors_, self.output_vectors_ = rounded(self.vectors_), rounded(self.output_vectors_)

    def sizes(self) -> dict[str, object]:
        """``labels``, ``words``, and ``features``: words and their n-grams; empty before ``fit``."""
        if not hasattr(self, "history_"):
            return {}
        return {"labels": len(self.classes_), "words": len(self.features_.words), "features": len(self.features_)}

    def _facts(self) -> dict[str, object]:
        return {**self.sizes(), **facts_of(getattr(self, "history_", ()))}

    def _ngrams(self) -> Ngrams:
        return Ngrams(self.word_ngrams, self.min_n, self.max_n, self.buckets)

    def _start(self, texts: Texts, labels: Rows) -> Learning:
        self.class_counts_ = np.bincount(labels.ids, minlength=len(self.classes_))
        self._use_tree(None)
        shape = len(self.features_), len(self.classes_) - (self.loss == "hs"), self.vector_size
        return Learning(texts, labels, self._loss, shape, self.seed)

    def _use_tree(self, children: NDArray[np.int32] | None) -> None:
        """Set up the loss; ``children`` of the nodes of its tree where that is not the one of ``huffman_tree``."""
        self._children = children
        self._loss = loss_of(self.loss, self.class_counts_, self.negative, children)

    # --- what is learned

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable label of each text, (texts,)."""
        numbers = self._of_blocks(X, lambda block: block.argmax(axis=1))
        return self.classes_[np.concatenate(numbers)] if numbers else self.classes_[:0]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """The probability of each label, (texts, classes) in the order of ``classes_``.

        Rows sum to 1 with the losses softmax and hs; ns and ova answer a question for each label by itself.
        """
        blocks = self._of_blocks(X, lambda block: block)
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.classes_)), np.float32)

    def top_labels(self, X: Any, k: int = 1, threshold: float = 0.0) -> list[list[tuple[Any, float]]]:  # noqa: N803
        """Up to ``k`` labels of each text, those of a probability of at least ``threshold``, the likeliest first."""
        check_whole("k", k, 1)
        check_range("threshold", threshold, 0, 1)
        names = self.classes_.tolist()

        def best(block: NDArray[np.float32]) -> list[list[tuple[Any, float]]]:
            numbers = block.argmax(axis=1)[:, None] if k == 1 else np.argsort(-block, axis=1, kind="stable")[:, :k]
            pairs = zip(numbers.tolist(), np.take_along_axis(block, numbers, 1).tolist(), strict=True)
            return [[(names[n], p) for n, p in zip(*pair, strict=True) if p >= threshold] for pair in pairs]

        return [found for of_block in self._of_blocks(X, best) for found in of_block]

    def score(self, X: Any, y: Any = None) -> float:  # noqa: N803
        """The share of texts whose predicted label is among those of y; without y X is as for ``fit``."""
        labelled = self.labeled(X, y)
        predicted = self.predict(labelled.texts).tolist()
        of_texts = labelled.labels.to_lists()
        return sum(one in labels for one, labels in zip(predicted, of_texts, strict=True)) / len(predicted)

    def evaluate(self, X: Any, y: Any = None, k: int = 1) -> LabelResult:  # noqa: N803
        """Accuracy, and precision and recall of the ``k`` likeliest labels of texts, given as for ``fit``."""
        labelled = self.labeled(X, y)
        predicted = self.top_labels(labelled.texts, k)
        return evaluate_labels(labelled.labels.to_lists(), ([label for label, _ in one] for one in predicted))

    def labeled(self, X: Any, y: Any = None) -> Labelled:  # noqa: N803
        """Texts and labels, given as for ``fit``, read once so that they can be judged several times."""
        self._fitted()
        return read_labelled(X, y, self._reader(), self.label_prefix)

    def true_and_predicted(self, X: Any, y: Any = None) -> tuple[list[Any], list[Any]]:  # noqa: N803
        """A true label of each text that has one, and its likeliest label, as ``plot_confusion`` draws them.

        Texts are given as for ``fit``. Of several true labels that counts which was predicted, else the first.
        """
        labelled = self.labeled(X, y)
        predicted = self.predict(labelled.texts).tolist()
        pairs = zip(labelled.labels.to_lists(), predicted, strict=True)
        judged = [(found if found in true else true[0], found) for true, found in pairs if true]
        return [true for true, _ in judged], [found for _, found in judged]

    _estimator_type = "classifier"  # where scikit-learn before 1.6 asks

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        of_texts = InputTags(one_d_array=True, two_d_array=False, string=True)
        return Tags("classifier", TargetTags(required=False), None, ClassifierTags(), input_tags=of_texts)

    def _reader(self) -> TextReader:
        """How texts are cut into words, as in training; a tokenizer that a file only names is the one set since."""
        is_set = self.reader.asks and self.tokenizer != "whitespace"
        return self.reader.changed(tokenizer=self.tokenizer) if is_set else self.reader

    def _fitted(self) -> None:
        if not hasattr(self, "history_"):
            raise NotFittedError("this TextClassifier is not trained yet; call fit first")

    def _of_blocks(self, X: Any, use: Callable[[NDArray[np.float32]], Result]) -> list[Result]:  # noqa: N803
        """What ``use`` makes of the probabilities of each few texts, (texts, classes)."""
        self._fitted()
        texts = self.features_.read(read_texts(X, self._reader()))
        at_a_time = max(min(_TEXTS_AT_A_TIME, _SCORES_AT_A_TIME // len(self.classes_)), 16)
        with crew():
            return [use(self._probabilities(hidden)) for hidden in texts.mean_vectors(self.vectors_, at_a_time)]

    def _probabilities(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.empty((len(hidden), len(self.output_vectors_)), np.float32)
        set_product(scores, hidden, self.output_vectors_.T)
        return probabilities_of(self.loss, scores, self._loss, len(self.classes_))

    # --- smaller

    def shrunk(self, cutoff: int) -> Self:
        """The model with the ``cutoff`` words and n-grams that have the longest vectors."""
        check_whole("cutoff", cutoff, 1)
        self._fitted()
        other = copy(self)
        other.cutoff = cutoff
        other._cut(cutoff)
        return other

    def quantized(self, bits: int = BITS) -> Self:
        """The model with vectors of 8 bits, and a scale for each; its file is about a third as large."""
        self._fitted()
        other = copy(self)
        other.quantize_bits = bits
        other.check_parameters()
        other._round()
        return other

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; DataError when it cannot be written."""
        self._fitted()
        parameters = {name: value for name, value in self.get_params().items() if name not in _NOT_STORED}
        config = {"parameters": parameters, "labels": label_kind(self.classes_), "history": self.history_}
        model_file.save(path, KIND, pack(self), config, self.reader.stored())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote, or a classifier of fastText: a ``.bin``, or a quantized ``.ftz``.

        FormatError for a file that is damaged or of another kind.
        """
        with local_file(as_path(path)) as file, model_file.parts_of(path):
            refuse_folder(file, KIND)
            model: Self
            if kind_of(file) == "fasttext":
                model = unpack_fasttext(cls, read_classifier(file), file)
            else:
                model = unpack(cls, model_file.load(file, KIND), file)
        return model
