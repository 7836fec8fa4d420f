"""A trained tagger: its network, the tags that this gives words, how good these are, and the model file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, Self

import numpy as np

from windrow.errors import DataError, FormatError, NotFittedError, WindrowError
from windrow.estimator import current_names
from windrow.evaluation.spans import SpanResult, evaluate_spans, spans_of
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.nn.parameters import Array
from windrow.nn.training.checkpoint import with_new_names
from windrow.nn.training.continuing import ContinuingEstimator
from windrow.nn.training.report import facts_of
from windrow.numeric.threads import one_blas_thread
from windrow.tagging.columns import Columns
from windrow.tagging.examples import Example, Source, blocks, name_of, read_examples, types_of
from windrow.tagging.lexicon import Lexicon, Reading
from windrow.tagging.long_sentences import decode_long, tag_names
from windrow.tagging.network import TagNetwork, WordLookUp
from windrow.tagging.schemes import convert, possible_transitions, tags_for, tags_of
from windrow.tagging.stored_parts import check_learned, fill_network, pack_network, unpack_lexicon, unpack_word_vectors
from windrow.tagging.tag_outputs import OUTPUTS, initial_transitions
from windrow.tagging.windows import windows_of

_BLOCK_TOKENS = 4096  # tagged at a time
_LONG_SENTENCE = 1 << 15  # tokens, above which memory would grow with the sentence
KIND = "window-tagger"
_LEARNED = ("types_", "scheme_", "history_")
_TRAINED_WORDS = "trained_words"  # in files, of how many words the vectors learn
_NOT_STORED = ("vectors", "callbacks", "schedule")  # the first is in the word table, the others are for training


class TrainedTagger(ContinuingEstimator):
    """What ``WindowTagger`` is once ``fit`` has trained it, or ``load`` has read it."""

    # Parameters, which the constructor of WindowTagger sets.
    hidden_size: int
    activation: str
    output_layer: str
    scheme: str
    types: Sequence[str] | None
    lowercase: bool
    fold_digits: bool
    affixes: Sequence[int]
    feature_size: int
    window: int
    dropout: float
    seed: int

    scheme_: str
    types_: list[str]
    tags_: list[str]
    lexicon_: Lexicon
    network_: TagNetwork

    def _build(self, lexicon: Lexicon, words: WordLookUp, rng: np.random.Generator) -> None:
        """The network for ``types_``, untrained except for the given word vectors."""
        self.lexicon_ = lexicon
        self.tags_ = tags_for(self.types_, self.scheme)
        transitions = initial_transitions(self.tags_, possible_transitions(self.types_, self.scheme))
        self.network_ = TagNetwork(
            words,
            lexicon.feature_rows,
            lexicon.reading.slots,
            OUTPUTS[self.output_layer](transitions.astype(np.float32)),
            feature_size=self.feature_size,
            window=self.window,
            hidden_size=self.hidden_size,
            activation=self.activation,
            dropout=self.dropout,
            rng=rng,
        )

    def _trained_parameters(self) -> list[Array]:
        network = self.network_
        return [network.words.all_vectors(), network.features.vectors.value, network.parameters.dense_values]

    # --- tagging

    def predict(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence, a sequence of tokens, in the scheme of the training file."""
        return list(self.iter_predict(sentences))

    def iter_predict(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """``predict`` sentence by sentence; a few thousand tokens are read ahead."""
        if not hasattr(self, "network_"):
            raise NotFittedError("this WindowTagger is not trained yet; call fit first")
        for block in blocks(sentences, _BLOCK_TOKENS):
            if len(block[-1]) > _LONG_SENTENCE:  # it is the last: with it the block is full
                if block[:-1]:
                    yield from self._tag_block(block[:-1])
                yield self._tag_long(block[-1])
            else:
                yield from self._tag_block(block)

    def _tag_block(self, block: Sequence[Sequence[str]]) -> Iterator[list[str]]:
        windows = windows_of(block, self.lexicon_, self.network_.hidden.window)
        with one_blas_thread():
            numbers = self.network_.decode(windows).tolist()
        names = [self.tags_[number] for number in numbers]  # in ``scheme``; users get ``scheme_``
        for start, stop in pairwise(windows.starts.tolist()):
            yield convert(names[start:stop], self.scheme_)

    def _tag_long(self, tokens: Sequence[str]) -> list[str]:
        with one_blas_thread():
            path = decode_long(self.network_, self.lexicon_, tokens)
        return tag_names(path, self.tags_, self.scheme_)

    def evaluate(self, source: Source, *, token_column: int | None = None, tag_column: int = -1) -> SpanResult:
        """Exact-span precision, recall and F1 on sentences, pairs (tokens, tags) or a CoNLL file.

        ``token_column`` and ``tag_column`` name columns of the file, as in ``read_conll``. Entities of a type that
        training had not (see ``types_``) count as missed. Raises DataError where there are no entities, or none of a
        type that training had, FormatError for a malformed file.
        """
        return self._judge(self._gold(source, Columns(token_column, tag_column)))

    def true_and_predicted(
        self, source: Source, *, token_column: int | None = None, tag_column: int = -1
    ) -> tuple[list[str], list[str]]:
        """The true and the predicted tag of each token, in the scheme of training, as ``plot_confusion`` draws them.

        Sentences are given, and refused, as in ``evaluate``.
        """
        gold = self._gold(source, Columns(token_column, tag_column))
        predicted = self.iter_predict(tokens for tokens, _ in gold)
        return [tag for _, tags in gold for tag in convert(tags, self.scheme_)], list(chain.from_iterable(predicted))

    def _judge(self, gold: list[Example]) -> SpanResult:
        return evaluate_spans((tags for _, tags in gold), self.iter_predict(tokens for tokens, _ in gold))

    def _gold(self, source: Source, columns: Columns) -> list[Example]:
        """Sentences to judge by, with the entities that count."""
        gold = read_examples(source, columns)
        found = types_of(gold)
        if not found:
            raise DataError(f"{name_of(source)} holds no entities to judge by: every tag is O")
        if found.isdisjoint(self.types_):
            raise DataError(
                f"{name_of(source)} has entities of the types {', '.join(sorted(found))}, none of which the tagger has "
                f"learned; it knows {', '.join(self.types_)}"
            )
        return [(tokens, self._kept(tags)) for tokens, tags in gold]

    def _kept(self, tags: Sequence[str]) -> Sequence[str]:
        """Tags without the entities of other types than ``types``."""
        if self.types is None:
            return tags
        return tags_of([span for span in spans_of(tags) if span.type in self.types], len(tags), self.scheme_)

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; DataError when it cannot be written."""
        stored = self.to_stored()
        model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what ``save`` wrote; FormatError for a file that is damaged or of another kind."""
        stored = model_file.load(path, KIND)
        with model_file.parts_of(path):
            return cls.from_stored(stored, path)

    def to_stored(self) -> StoredModel:
        """What a model file holds of the tagger; NotFittedError before ``fit``."""
        if not hasattr(self, "network_"):
            raise NotFittedError("this WindowTagger is not trained yet; call fit first")
        parameters = {name: plain(value) for name, value in self.get_params().items() if name not in _NOT_STORED}
        state, provenance, arrays = self._packed()
        learned = {**{name: getattr(self, name) for name in _LEARNED}, _TRAINED_WORDS: self.network_.words.trained}
        arrays = {**pack_network(self.network_, self.lexicon_), **arrays}
        return StoredModel(KIND, {"parameters": parameters, **learned, **state}, provenance, arrays)

    def sizes(self) -> dict[str, object]:
        """How many ``words``, ``types`` of entities and ``tags`` the model knows; empty before ``fit``."""
        if not hasattr(self, "history_"):
            return {}
        return {"words": len(self.lexicon_.words), "types": len(self.types_), "tags": len(self.tags_)}

    def _facts(self) -> dict[str, object]:
        if not hasattr(self, "history_"):
            return {}
        return {**self.sizes(), "types": ", ".join(self.types_), **facts_of(self.history_)}

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """The inverse of ``to_stored``; FormatError names ``path`` when parts are missing, or do not fit each other."""
        try:
            tagger = cls(**current_names(cls, stored.config["parameters"]))
            tagger.check_parameters()
            for name in _LEARNED:
                setattr(tagger, name, stored.config[name])
            tagger.history_ = [with_new_names(row) for row in tagger.history_]
            check_learned(tagger.types_, tagger.scheme_, path)
            reading = Reading(tagger.lowercase, tagger.fold_digits, tuple(tagger.affixes))
            lexicon = unpack_lexicon(stored.arrays, reading, path)
            table = unpack_word_vectors(stored.arrays, list(lexicon.words), stored.config.get(_TRAINED_WORDS), path)
            tagger._build(lexicon, table, np.random.default_rng(tagger.seed))
            tagger._unpack(stored, path)
        except (KeyError, TypeError, AttributeError, WindrowError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{path}: the tagger's header is damaged ({' '.join(str(error).split())})") from error
        fill_network(tagger.network_, stored.arrays, path)
        return tagger


def plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple | list) else value
