"""Training an n-gram model: from a text, from more text added to it, or from counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.distributed.cluster import workers_of
from windrow.distributed.workers import Workers
from windrow.errors import OptionError
from windrow.files.tempfolder import temporary_files_in
from windrow.lm import storing
from windrow.lm.ngram import counts_text
from windrow.lm.ngram.adding import TextCounts, joined
from windrow.lm.ngram.compact_table import CompactTable
from windrow.lm.ngram.counting import check_size, count_ngrams
from windrow.lm.ngram.derived import DerivedLM
from windrow.lm.ngram.estimation import check_marks, check_order, counts_model, estimate
from windrow.lm.ngram.kept_counts import KeptCounts
from windrow.lm.ngram.levels import NGramCounts
from windrow.lm.ngram.lmplz import first_appearances
from windrow.lm.ngram.partition_estimation import can_estimate, estimate_partitions
from windrow.lm.ngram.partitions import CountedPartitions, start_counting
from windrow.lm.ngram.pruning import entropy_prune
from windrow.lm.ngram.table import NGramTable
from windrow.lm.ngram.words import mask_of
from windrow.lm.stream import Ids, lm_vocabulary, several_words, training_stream, word_mapping
from windrow.logger import logger
from windrow.machine import counting_memory

# Parameters that change how text is counted.
_OF_TEXT = ("min_count", "max_vocab", "lmplz_compat", "keep_counts", "memory")
_OF_ESTIMATE = (  # parameters that ``estimate`` has under the same names
    "smoothing",
    "prune",
    "open_vocabulary",
    "unk_mass",
    "interpolate_unigrams",
    "vocab_pad",
    "interpolate",
    "delta",
    "weights",
    "discounts",
    "discount_fallback",
    "fallback_discounts",
)


class TrainableLM(DerivedLM):
    """The part of ``NGramLM`` that trains; a subclass has the parameters, which its constructor stores."""

    order: int
    smoothing: str
    weights: Sequence[float] | None
    prune: Sequence[int]
    entropy_prune: float | None
    min_count: int
    max_vocab: int | None
    bos: bool
    skip_symbols: bool
    lmplz_compat: bool
    compact: bool
    keep_counts: bool
    memory: int | None
    _kept_counts: KeptCounts | None = None

    def fit(
        self,
        source: Any,
        *,
        field: str | None = None,
        heldout: Any = None,
        vocab: Iterable[str] | None = None,
        fixed_vocab: Iterable[str] | None = None,
        counts_out: str | os.PathLike[str] | None = None,
        ray: str | Workers | None = None,
        temp_dir: str | os.PathLike[str] | None = None,
        progress: OnProgress | bool | None = None,
    ) -> Self:
        """Count the n-grams of a text and estimate the model.

        When this fails, a model that was trained before stays as it was.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The training text.
        field : str, default None
            The column or field of the text, where ``source`` and ``heldout`` are tables or name files of records.
        heldout : Corpus, or what Corpus.build takes, default None
            Other text, to which the weights of jelinek-mercer are fitted; None: to the training text itself.
        vocab : iterable of str, default None
            Leave out n-grams with other words than these, as lmplz does with --limit_vocab_file; None: keep all.
        fixed_vocab : iterable of str, default None
            The words of the model, as of SRILM's -vocab: other words of the text become ``<unk>``, and words that the
            text does not have are unigrams, too, as probable as the smoothing makes a word that was not seen (with
            mle and stupid-backoff, 0). None: the words of the text.
        counts_out : str or path, default None
            A file to write the counts to, as text; ``.gz`` at the end compresses it. On a full disk
            training goes on without it, with a DataWarning.
        ray : str or RayCluster, default None
            Workers of a Ray cluster that count and estimate, to the same model: "local" starts some on this machine,
            "auto" or HOST:PORT names a cluster. None: this process.
        temp_dir : str or path, default None
            An existing folder for temporary files: of the text as ids, and of counts beyond ``memory``. They are gone
            when training ends. None: where the system has such files, which the environment variable TMPDIR says.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called with the name of a stage,
            and how much of it is done, 0 to 1.

        Returns
        -------
        NGramLM
            The model itself.

        Raises
        ------
        OptionError
            A parameter is out of range.
        DataError
            The text cannot be read, is too small for the order or the smoothing, or holds ``<s>`` or ``</s>``.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> model.vocabulary.words
        ['<unk>', '<s>', '</s>', 'off', 'ran', 'cat', 'the', 'dog', 'a', 'sat']
        >>> [word for word, probability in model.top_words("the cat", k=2)]
        ['ran', 'sat']
        """
        fixed = None if fixed_vocab is None else several_words("fixed_vocab", fixed_vocab)
        self._check_fit(heldout, fixed_vocab=fixed, vocab=vocab)
        if ray is not None and self.memory is not None:
            raise OptionError(f"memory = {self.memory} is for one process; of workers RayCluster's memory is the bound")
        check_progress(progress)
        with temporary_files_in(temp_dir):
            corpus = as_corpus(source, field, shows_bar=progress is True)
        check_size(corpus.tokens + (1 + self.eos) * len(corpus))
        vocabulary, mapping = self._vocabulary_of(corpus, fixed)
        stream = training_stream(corpus, mapping, eos=self.eos)
        first_seen = first_appearances(stream, len(vocabulary)) if self.lmplz_compat or self.keep_counts else None
        with ExitStack() as stack:
            stack.enter_context(temporary_files_in(temp_dir))
            show = stack.enter_context(stages_bar(progress))
            counts: NGramCounts | CountedPartitions
            if ray is None:
                counts = self._count(stream, vocabulary, show)
                check_order(counts)
            else:
                workers = stack.enter_context(workers_of(ray))
                counts = start_counting(stream, vocabulary, self.order, workers, bos=self.bos, progress=show)
            if counts_out is not None or self.keep_counts:
                counts = counts if isinstance(counts, NGramCounts) else counts.collect(show)
            kept = None
            if self.keep_counts:
                assert first_seen is not None and isinstance(counts, NGramCounts)
                text = TextCounts(counts, first_seen, stream.size)
                kept = KeptCounts.pack(text, heldout=heldout is not None, vocab=vocab is not None)
                counts, first_seen, _ = text.of_frequent_words(self.min_count, self.max_vocab)
            del stream
            if counts_out is not None:
                assert isinstance(counts, NGramCounts)
                counts_text.write_counts_beside(counts, counts_out)
            if heldout is not None:
                heldout = as_corpus(heldout, field, corpus.reader)
            self._estimate(counts, storing.provenance_of(corpus), heldout, vocab, first_seen, show)
            self._kept_counts = kept
        self.reader = corpus.reader
        logger.info("n-grams of the model, by order: %s", ", ".join(f"{size:,}" for size in self.table_.sizes))
        return self

    def _vocabulary_of(self, corpus: Corpus, fixed: Sequence[str] | None = None) -> tuple[Vocabulary, Ids]:
        """The words that are counted, and the id of each word of the corpus; all of them, where counts are kept."""
        min_count, max_vocab = (1, None) if self.keep_counts else (self.min_count, self.max_vocab)
        if self.keep_counts and fixed is not None:
            raise OptionError(
                "keep_counts = True keeps all words of the text, fixed_vocab only some; leave one of them out"
            )
        if self.keep_counts and corpus.tokens != int(corpus.vocabulary.counts.sum()):
            raise OptionError(
                f"keep_counts = True needs all words of the text, but {corpus.name} leaves some out; build it without "
                "min_count, max_vocab and vocabulary, which the model has, too"
            )
        return lm_vocabulary(corpus, min_count, max_vocab, skip_symbols=self.skip_symbols, fixed_vocab=fixed)

    def _count(self, stream: Ids, vocabulary: Vocabulary, progress: OnProgress | None) -> NGramCounts:
        budget = counting_memory() if self.memory is None else self.memory
        return count_ngrams(stream, vocabulary, self.order, bos=self.bos, memory_budget=budget, progress=progress)

    def add(
        self,
        source: Any,
        *,
        field: str | None = None,
        heldout: Any = None,
        vocab: Iterable[str] | None = None,
        progress: OnProgress | bool | None = None,
    ) -> Self:
        """Add text to a model that keeps its counts: it becomes the model of both texts.

        The result is, to the last bit, what ``fit`` makes of the first text and, after it, this one: with all
        parameters as they were, ids of words and rare words that are frequent now among it. When this fails, the model
        stays as it was.

        Parameters
        ----------
        source : Corpus, or what Corpus.build takes
            The new text. It is cut into words as the first one was.
        field : str, default None
            The column or field of the text, where ``source`` and ``heldout`` are tables or name files of records.
        heldout, vocab
            As of ``fit``; they are needed again where ``fit`` had them.
        progress : bool or callable, default None
            As of ``fit``.

        Returns
        -------
        NGramLM
            The model itself.

        Raises
        ------
        OptionError
            The model keeps no counts, or ``heldout`` or ``vocab`` is missing.
        DataError
            The text cannot be read, or the two are too long together.
        FormatError
            The counts in the model's file are damaged.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> first, second = ["the cat sat", "the cat ran"], ["a dog ran"]
        >>> model = NGramLM(2, "witten-bell", keep_counts=True).fit(first)
        >>> of_both = NGramLM(2, "witten-bell").fit(first + second)
        >>> model.add(second).log_prob("a dog ran") == of_both.log_prob("a dog ran")
        True
        """
        self._check_fit(heldout)
        kept = self._counts_kept("add text to it", heldout=heldout is not None, vocab=vocab is not None)
        check_progress(progress)
        corpus = as_corpus(source, field, self.reader, shows_bar=progress is True)
        vocabulary, mapping = self._vocabulary_of(corpus)
        stream = training_stream(corpus, mapping, eos=self.eos)
        with stages_bar(progress) as show:
            seen = first_appearances(stream, len(vocabulary))
            added = TextCounts(self._count(stream, vocabulary, show), seen, stream.size)
            text = joined(kept.unpack(), added)
            packed = KeptCounts.pack(text, heldout=heldout is not None, vocab=vocab is not None)
            counts, first_seen, _ = text.of_frequent_words(self.min_count, self.max_vocab)
            if heldout is not None:
                heldout = as_corpus(heldout, field, self.reader)
            self._estimate(counts, _with_text(self.provenance_, corpus), heldout, vocab, first_seen, show)
            self._kept_counts = packed
        return self

    def _counts_kept(self, purpose: str, **given: bool) -> KeptCounts:
        """The counts of the model; OptionError where it keeps none, or needs what was given to ``fit``, too."""
        table = self._fitted()
        if self._kept_counts is None:
            raise OptionError(f"{table.name} keeps no counts; to {purpose}, train it with keep_counts=True")
        for name in self._kept_counts.given():
            if not given.get(name):
                raise OptionError(f"{table.name} was trained with {name}; to {purpose}, give it again: {name}=...")
        return self._kept_counts

    def _estimated_again(self, prune: Sequence[int]) -> Self:
        kept = self._counts_kept("prune it by counts")
        other = type(self)(**{**self.get_params(), "prune": prune, "keep_counts": False, "compact": False})
        other.check_parameters()
        counts, first_seen, _ = kept.unpack().of_frequent_words(self.min_count, self.max_vocab)
        other._estimate(counts, self.provenance_, None, None, first_seen)
        other.reader = self.reader
        return other

    def fit_counts(
        self,
        counts: NGramCounts | str | os.PathLike[str],
        *,
        field: str | None = None,
        heldout: Any = None,
        vocab: Iterable[str] | None = None,
        temp_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Estimate the model from counts.

        Parameters
        ----------
        counts : NGramCounts, str or path
            Counts, which are used up, or a file of them, as ``counts_out`` of ``fit`` writes it. They may be of a
            higher order than the model.
        field, heldout, vocab, temp_dir
            As of ``fit``.

        Returns
        -------
        NGramLM
            The model itself.

        Raises
        ------
        OptionError
            A parameter is out of range or does not fit the counts; or is one that changes how text is counted:
            ``min_count``, ``max_vocab``, ``lmplz_compat``, ``keep_counts``, ``memory``.
        DataError
            The file cannot be read, or the counts are too few for the smoothing.
        FormatError
            The file is not one of counts.
        """
        self._check_fit(heldout)
        defaults = type(self)()
        for name in _OF_TEXT:
            if getattr(self, name) != getattr(defaults, name):
                raise OptionError(
                    f"{name} = {getattr(self, name)!r} changes how text is counted; it comes too late for counts"
                )
        if not isinstance(counts, NGramCounts):
            with temporary_files_in(temp_dir):
                counts = counts_text.read_counts(counts)
        if self.order > counts.order > 0:
            raise OptionError(f"order = {self.order}: the counts are of order {counts.order}; count again, or lower it")
        check_marks(counts, bos=self.bos, eos=self.eos)
        counts.levels = counts.levels[: self.order]
        counts.initial = None if counts.initial is None else counts.initial[: self.order]
        check_order(counts)
        self._estimate(counts, {}, None if heldout is None else as_corpus(heldout, field), vocab)
        self._kept_counts = None
        return self

    def _check_fit(self, heldout: Any, *, fixed_vocab: list[str] | None = None, vocab: Any = None) -> None:
        """Raise OptionError for a parameter out of range, or one that has no effect."""
        self.check_parameters()
        self.check_effects(fixed_vocab=fixed_vocab)
        if fixed_vocab is not None and vocab is not None:
            raise OptionError("vocab takes words away, and fixed_vocab keeps them all; leave one of them out")
        if vocab is not None and self.compact:
            raise OptionError("compact = True needs all n-grams of the text, and vocab takes some away; leave one out")
        if fixed_vocab is not None and next(iter(self.prune), 0):
            raise OptionError(
                f"prune = {tuple(self.prune)} takes words away, and fixed_vocab keeps them all; begin with 0"
            )
        if heldout is not None and (self.smoothing != "jelinek-mercer" or self.weights is not None):
            raise OptionError(
                "heldout is for smoothing 'jelinek-mercer' without weights, which are fitted; leave it out"
            )

    def _estimate(
        self,
        counts: NGramCounts | CountedPartitions,
        provenance: Mapping[str, Any],
        heldout: Corpus | None,
        vocab: Iterable[str] | None,
        first_seen: NDArray[np.int64] | None = None,
        progress: OnProgress | None = None,
    ) -> Self:
        chosen: dict[str, Any] = {
            "keep_words": None if vocab is None else mask_of(counts.vocabulary, vocab),
            **{name: getattr(self, name) for name in _OF_ESTIMATE},
        }
        if self.compact:
            return self._count_compactly(counts, provenance, first_seen, progress)
        if isinstance(counts, CountedPartitions) and can_estimate(self.smoothing, self.weights, first_seen):
            model = estimate_partitions(counts, **chosen, progress=progress)
        else:
            counts = counts if isinstance(counts, NGramCounts) else counts.collect(progress)
            held_out = None if heldout is None else self._count_heldout(heldout, counts.vocabulary)
            compat = first_seen if self.lmplz_compat else None
            model = estimate(counts, **chosen, heldout=held_out, lmplz_compat=compat)
        closed: bool | None = True  # in counts, every n-gram's suffix is counted, too
        if self.entropy_prune is not None:
            model, closed = entropy_prune(model, self.entropy_prune), None
        table = NGramTable.pack(model, quantize_bits=self.quantize_bits, suffix_closed=closed, consume=True)
        self._set(table, provenance)
        return self

    def _count_compactly(
        self,
        counts: NGramCounts | CountedPartitions,
        provenance: Mapping[str, Any],
        first_seen: NDArray[np.int64] | None,
        progress: OnProgress | None,
    ) -> Self:
        """``_estimate`` of a compact table, which has counts instead of probabilities."""
        counts = counts if isinstance(counts, NGramCounts) else counts.collect(progress)
        chosen = {name: getattr(self, name) for name in _OF_ESTIMATE if name != "prune"}
        compat = first_seen if self.lmplz_compat else None
        self._set(CompactTable.of_counts(*counts_model(counts, **chosen, lmplz_compat=compat)), provenance)
        return self

    def _count_heldout(self, corpus: Corpus, vocabulary: Vocabulary) -> NGramCounts:
        mapping = word_mapping(corpus, vocabulary, skip_symbols=self.skip_symbols)
        return count_ngrams(training_stream(corpus, mapping, eos=self.eos), vocabulary, self.order, bos=self.bos)


def _with_text(provenance: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """What is known of a text to which another one is added."""
    sizes = {"tokens": corpus.tokens, "sentences": len(corpus)}
    total = {name: provenance.get(name, 0) + size for name, size in sizes.items()}
    return {**provenance, **total, "added": [*provenance.get("added", []), corpus.fingerprint]}
