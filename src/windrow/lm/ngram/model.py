"""NGramLM: count, smooth, prune, pack; then score, predict, save."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.bars import OnProgress, check_progress, stages_bar
from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.opening import as_corpus
from windrow.corpus.tokenizers import as_tokens
from windrow.distributed.cluster import workers_of
from windrow.distributed.workers import Workers
from windrow.errors import FormatError, OptionError, check_whole, shown, warn
from windrow.estimator import OldName, current_names, takes_old_names
from windrow.files.local import as_path, given_name, local_file
from windrow.files.model_file import StoredModel
from windrow.files.sniff import is_arpa, kind_of
from windrow.files.tempfolder import temporary_files_in
from windrow.lm import storing
from windrow.lm.next_word import Tokens
from windrow.lm.ngram import counts_text
from windrow.lm.ngram.adding import TextCounts, joined
from windrow.lm.ngram.arpa import read_arpa
from windrow.lm.ngram.counting import check_size, count_ngrams
from windrow.lm.ngram.derived import DerivedLM
from windrow.lm.ngram.estimation import check_marks, check_order, estimate
from windrow.lm.ngram.kept_counts import KeptCounts
from windrow.lm.ngram.levels import BackoffModel, NGramCounts
from windrow.lm.ngram.listing import NGram, as_ngrams
from windrow.lm.ngram.lmplz import first_appearances
from windrow.lm.ngram.partition_estimation import can_estimate, estimate_partitions
from windrow.lm.ngram.partitions import CountedPartitions, start_counting
from windrow.lm.ngram.pruning import entropy_prune
from windrow.lm.ngram.settings import NGRAM_LM
from windrow.lm.ngram.smoothing import Options
from windrow.lm.ngram.table import NGramTable
from windrow.lm.ngram.words import mask_of
from windrow.lm.stream import Ids, lm_vocabulary, several_words, training_stream, word_mapping
from windrow.lm.symbols import BOS, EOS, SPECIALS
from windrow.logger import logger
from windrow.machine import counting_memory

_OF_TEXT = (
    "min_count",
    "max_vocab",
    "lmplz_compat",
    "keep_counts",
    "memory",
)  # parameters that change how text is counted
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


class NGramLM(DerivedLM):
    """A back-off n-gram model: p(word | the ``order`` - 1 words before it).

    Parameters
    ----------
    order : int in [1, 100], default 5
        Words in the longest n-gram. 3 for a small text; above 5 little is gained.
    smoothing : str, default "modified-kneser-ney"
        How probability is reserved for n-grams that were not seen. One of modified-kneser-ney, kneser-ney,
        witten-bell, absolute, katz, jelinek-mercer, add-delta, mle, stupid-backoff. witten-bell works on any text,
        however small.
    interpolate : bool, default True
        Whether shorter contexts count for every n-gram, or only for those not seen.
    delta : float > 0, default 1.0
        Number that is added to every count. Only with smoothing "add-delta".
    weights : sequence of float in [0, 1] or None, default None
        Interpolation weights, one per order. None: fitted by EM, to held-out text if it is given to fit. Only with
        smoothing "jelinek-mercer".
    discounts : sequence of sequences of float or None, default None
        What is subtracted from the counts 1, 2, ... of each order, the last for all above; None in place of an
        order's lets it be estimated. None: estimated. Only with smoothing "modified-kneser-ney" or "kneser-ney" or
        "absolute" or "katz".
    discount_fallback : bool, default False
        Take the discounts 0.5, 1, 1.5 where a text is too small to estimate them. Only with smoothing
        "modified-kneser-ney" or "kneser-ney" or "absolute" or "katz". Small or artificial text is refused
        otherwise.
    fallback_discounts : sequence of float >= 0 or None, default None
        Discounts of the counts 1, 2, ... that discount_fallback takes, the last for all above. None: 0.5, 1, 1.5,
        or 0.5 where the smoothing has one discount. Only with smoothing "modified-kneser-ney" or "kneser-ney" or
        "absolute" or "katz" and with discount_fallback.
    prune : sequence of int >= 0, default ()
        Drop n-grams that occur at most this often: one count per order, none below the one before, the last for all
        above; such as 0,0,1. For smaller models.
    entropy_prune : float >= 0 or None, default None
        Drop n-grams without which the perplexity grows by less than this fraction. None: keep all. 1e-8 to 1e-6 are
        usual.
    min_count : int >= 1, default 1
        Words that occur less often become <unk>. Only without fixed_vocab.
    max_vocab : int >= 4 or None, default None
        Keep only this many words, <unk>, <s> and </s> among them; the others become <unk>. None: all. Only without
        fixed_vocab.
    open_vocabulary : bool, default True
        Whether unknown words have a probability.
    unk_mass : float in (0, 1) or None, default None
        The probability of <unk> without context. None: as the smoothing leaves it. Only with open_vocabulary True.
    interpolate_unigrams : bool, default True
        Whether every word gets an equal part of what the unigrams leave over, or only <unk> and words that the text
        does not have. Only with smoothing "modified-kneser-ney" or "kneser-ney" or "absolute" or "katz" or
        "witten-bell" and with open_vocabulary True. False makes <unk> far more probable, as lmplz does with
        --interpolate_unigrams 0.
    vocab_pad : int >= 0, default 0
        Number of words among which the unigrams divide what they leave over, if it is greater than that of the
        vocabulary. Only with smoothing "modified-kneser-ney" or "kneser-ney" or "witten-bell" or "absolute" or
        "katz" or "jelinek-mercer" or "add-delta" and with interpolate_unigrams True and with open_vocabulary True
        and without unk_mass. To compare perplexities of models with different vocabularies.
    bos : bool, default True
        Whether to mark where sentences begin.
    eos : bool, default True
        Whether to mark, and predict, where sentences end.
    skip_symbols : bool, default False
        Leave out <s> and </s> where they occur in the text. They are refused otherwise.
    lmplz_compat : bool, default False
        Compute counts of counts as KenLM's lmplz does, including its slip. Only with smoothing
        "modified-kneser-ney" or "kneser-ney". To compare models with lmplz's: their log10 probabilities may be up
        to 1e-3 apart otherwise.
    quantize_bits : int in [2, 8] or None, default None
        Round probabilities and back-off weights to this many bits. None: 32 bits. 8 makes the model about half the
        size.
    keep_counts : bool, default False
        Keep the counts of the text with the model, to add more text later. They take four to six bytes per n-gram,
        of all words of the text, and of those that are pruned, too.
    memory : int >= 1048576 or None, default None
        Bytes of memory beyond which counting goes over files. None: most of what is free.

    Attributes
    ----------
    table_ : NGramTable
        The packed n-grams with their probabilities and back-off weights.
    vocabulary : Vocabulary
        The words, with <unk>, <s> and </s> in front.
    provenance_ : dict
        What is known of the training text.

    References
    ----------
    Chen & Goodman 1999, "An empirical study of smoothing techniques for language modeling"; as lmplz computes it,
    Heafield et al. 2013, "Scalable modified Kneser-Ney language model estimation".

    Examples
    --------
    >>> from windrow import NGramLM
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran", "a dog ran"])
    >>> round(model.log_prob("the cat ran"), 3)  # log10, of the end of the sentence, too
    -1.102
    >>> model.top_words("the", 1)[0][0]
    'cat'
    """

    kind = "ngram-lm"
    settings = NGRAM_LM
    quantise_bits = OldName("quantize_bits")
    _kept_counts: KeptCounts | None = None

    @takes_old_names
    def __init__(
        self,
        order: int = 5,
        smoothing: str = "modified-kneser-ney",
        *,
        interpolate: bool = True,
        delta: float = 1.0,
        weights: Sequence[float] | None = None,
        discounts: Sequence[Sequence[float]] | None = None,
        discount_fallback: bool = False,
        fallback_discounts: Sequence[float] | None = None,
        prune: Sequence[int] = (),
        entropy_prune: float | None = None,
        min_count: int = 1,
        max_vocab: int | None = None,
        open_vocabulary: bool = True,
        unk_mass: float | None = None,
        interpolate_unigrams: bool = True,
        vocab_pad: int = 0,
        bos: bool = True,
        eos: bool = True,
        skip_symbols: bool = False,
        lmplz_compat: bool = False,
        quantize_bits: int | None = None,
        keep_counts: bool = False,
        memory: int | None = None,
    ) -> None:
        self.order = order
        self.smoothing = smoothing
        self.interpolate = interpolate
        self.delta = delta
        self.weights = weights
        self.discounts = discounts
        self.discount_fallback = discount_fallback
        self.fallback_discounts = fallback_discounts
        self.prune = prune
        self.entropy_prune = entropy_prune
        self.min_count = min_count
        self.max_vocab = max_vocab
        self.open_vocabulary = open_vocabulary
        self.unk_mass = unk_mass
        self.interpolate_unigrams = interpolate_unigrams
        self.vocab_pad = vocab_pad
        self.bos = bos
        self.eos = eos
        self.skip_symbols = skip_symbols
        self.lmplz_compat = lmplz_compat
        self.quantize_bits = quantize_bits
        self.keep_counts = keep_counts
        self.memory = memory

    # --- training

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
        other = type(self)(**{**self.get_params(), "prune": prune, "keep_counts": False})
        other.check_parameters()
        counts, first_seen, _ = kept.unpack().of_frequent_words(self.min_count, self.max_vocab)
        other._estimate(counts, self.provenance_, None, None, first_seen)
        other.reader = self.reader
        return other

    def sizes(self) -> dict[str, object]:
        """``words``, and the n-grams of each length, ``1-grams`` with the special symbols; empty before ``fit``."""
        if not hasattr(self, "vocabulary"):
            return {}
        return self.vocabulary.sizes() | {f"{n}-grams": size for n, size in enumerate(self.table_.sizes, 1)}

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

    def check_parameters(self) -> None:
        """As ``Estimator.check_parameters``; also that there are as many weights and discounts as orders."""
        super().check_parameters()
        Options(weights=self.weights, discounts=self.discounts, fallback_discounts=self.fallback_discounts).check(
            self.order
        )

    def check_effects(self, **arguments: Any) -> None:
        """As ``Estimator.check_effects``; where all discounts are given, there is none to fall back from."""
        super().check_effects(**arguments)
        given = self.discounts
        if self.discount_fallback and given is not None and all(one is not None for one in given):
            raise OptionError("discount_fallback = True has no effect with discounts of all orders; leave it out")

    def _check_fit(self, heldout: Any, *, fixed_vocab: list[str] | None = None, vocab: Any = None) -> None:
        """Raise OptionError for a parameter out of range, or one that has no effect."""
        self.check_parameters()
        self.check_effects(fixed_vocab=fixed_vocab)
        if fixed_vocab is not None and vocab is not None:
            raise OptionError("vocab takes words away, and fixed_vocab keeps them all; leave one of them out")
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

    def _count_heldout(self, corpus: Corpus, vocabulary: Vocabulary) -> NGramCounts:
        mapping = word_mapping(corpus, vocabulary, skip_symbols=self.skip_symbols)
        return count_ngrams(training_stream(corpus, mapping, eos=self.eos), vocabulary, self.order, bos=self.bos)

    # --- n-grams

    def ngrams(self, order: int | None = None, prefix: Tokens = ()) -> Iterator[NGram]:
        """The n-grams that the model holds, with their numbers, one after the other in little memory.

        Parameters
        ----------
        order : int, at least 1, or None, default None
            How many words they have; None: of all orders, the lowest first.
        prefix : str or sequence of str, default empty
            Only those that begin with these words; a string is read as the training text was. The first word may be
            ``<s>``.

        Returns
        -------
        iterator of NGram
            Of one order sorted by the ids of their words, as in ARPA files.

        Raises
        ------
        OptionError
            ``order`` is out of range, or less than the words of ``prefix``.
        MissingWordError
            A word of ``prefix`` is not in the vocabulary.
        FormatError
            The file of the model is damaged.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> [(" ".join(words), round(log10_prob, 2)) for words, log10_prob, _ in model.ngrams(prefix="the")]
        [('the', -0.72), ('the cat', -0.14)]
        """
        orders, ids = self.orders_and_ids(order, prefix)
        blocks = chain.from_iterable(self.table_.ngrams(k, ids) for k in orders)
        return chain.from_iterable(as_ngrams(rows, self.vocabulary) for rows in blocks)

    def orders_and_ids(self, order: int | None = None, prefix: Tokens = ()) -> tuple[range, list[int]]:
        """Which orders ``ngrams`` lists, and the ids of its prefix; errors as there."""
        words = self._words_of_prefix(prefix)
        most = self._fitted().order
        orders = range(max(1, len(words)), most + 1)
        if order is not None:
            order = check_whole("order", order, 1, most)
            orders = range(order, order + 1)
        if len(words) > orders.stop - 1:
            most = orders.stop - 1
            raise OptionError(
                f"prefix = {shown(prefix)} holds {len(words)} words, more than n-grams of order {most} have; give fewer"
            )
        return orders, list(map(self.vocabulary.id_of, words))

    def _words_of_prefix(self, prefix: Tokens) -> list[str]:
        if not isinstance(prefix, str):
            return as_tokens(prefix, "prefix")
        mark, _, rest = prefix.partition(" ")
        return [mark, *self.reader.words_of(rest)] if mark == SPECIALS[BOS] else self.reader.words_of(prefix)

    # --- files

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.load``; also opens ARPA files of any program, whatever they are called."""
        with local_file(as_path(path)) as file:
            kind = kind_of(file)
            if kind == "arpa" or (kind == "unknown" and is_arpa(path)):
                name = given_name(file)
                loaded = cls.from_backoff(read_arpa(file, lambda said: warn(said.replace(str(file), name))))
                loaded.table_.name = name
                return loaded
            return super().load(file)

    @classmethod
    def from_backoff(cls, model: BackoffModel, *, quantize_bits: int | None = None) -> Self:
        """A model from the probabilities and back-off weights of ``model``, which is used up."""
        predicts_end = bool(np.isfinite(model.levels[0].log10_probs[EOS]))
        loaded = cls(model.order, eos=predicts_end, quantize_bits=quantize_bits)
        loaded._set(NGramTable.pack(model, quantize_bits=quantize_bits, consume=True), {})
        return loaded

    def to_stored(self) -> StoredModel:
        """As ``LanguageModel.to_stored``."""
        table = self._fitted()
        parameters = {name: storing.plain(value) for name, value in self.get_params().items()}
        config = {"parameters": parameters, "table": table.config()}
        arrays = {**table.arrays(), **storing.pack_vocabulary(table.vocabulary)}
        if self._kept_counts is not None:
            config["counts"] = self._kept_counts.config
            arrays |= self._kept_counts.arrays
        return StoredModel(self.kind, config, dict(self.provenance_), arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel, path: str | os.PathLike[str]) -> Self:
        """As ``LanguageModel.from_stored``."""
        cls.check_kind(stored, path)
        vocabulary = storing.unpack_vocabulary(stored, path)
        try:
            parameters = current_names(cls, stored.config["parameters"])
            loaded = cls(**{name: storing.from_plain(value) for name, value in parameters.items()})
            loaded.check_parameters()
            table_config = stored.config["table"]
        except (KeyError, TypeError, OptionError) as error:
            raise FormatError(f"{path}: the parameters of the n-gram model are damaged ({error})") from error
        loaded._set(NGramTable.from_arrays(stored.arrays, table_config, vocabulary, path), stored.provenance)
        loaded._kept_counts = KeptCounts.stored(stored.arrays, stored.config, path)
        return loaded


def _with_text(provenance: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """What is known of a text to which another one is added."""
    sizes = {"tokens": corpus.tokens, "sentences": len(corpus)}
    total = {name: provenance.get(name, 0) + size for name, size in sizes.items()}
    return {**provenance, **total, "added": [*provenance.get("added", []), corpus.fingerprint]}
