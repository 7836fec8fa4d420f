"""NGramLM: its parameters, what it holds, its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Self

import numpy as np

from windrow.corpus.tokenizers import as_tokens
from windrow.errors import FormatError, OptionError, check_whole, shown, warn
from windrow.estimator import OldName, current_names, takes_old_names
from windrow.files.local import as_path, given_name, local_file
from windrow.files.model_file import StoredModel
from windrow.files.sniff import is_arpa, kind_of
from windrow.lm import storing
from windrow.lm.next_word import Tokens
from windrow.lm.ngram.arpa import read_arpa
from windrow.lm.ngram.kept_counts import KeptCounts
from windrow.lm.ngram.levels import BackoffModel
from windrow.lm.ngram.listing import NGram, as_ngrams
from windrow.lm.ngram.settings import NGRAM_LM
from windrow.lm.ngram.smoothing import Options
from windrow.lm.ngram.table import NGramTable
from windrow.lm.ngram.training import TrainableLM
from windrow.lm.symbols import BOS, EOS, SPECIALS


class NGramLM(TrainableLM):
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

    # --- n-grams

    def sizes(self) -> dict[str, object]:
        """``words``, and the n-grams of each length, ``1-grams`` with the special symbols; empty before ``fit``."""
        if not hasattr(self, "vocabulary"):
            return {}
        return self.vocabulary.sizes() | {f"{n}-grams": size for n, size in enumerate(self.table_.sizes, 1)}

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
