"""Text from a language model: greedy, drawn, or by beam search. Any model with next-word distributions will do.

The names of options are those of the library ``transformers``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

from windrow.corpus.tokenizers import as_tokens
from windrow.errors import MissingWordError, OptionError, check_callable
from windrow.generators import Seed, random_generator
from windrow.lm.decoding import DecodingOptions, Hypothesis, Streamer, beam_search, decode_word_by_word
from windrow.lm.next_word import NextWord, Tokens
from windrow.lm.stream import reserved_symbol
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK
from windrow.notebook import html_table


@dataclass(frozen=True)
class Generation:
    """A text that goes on from a prompt.

    Attributes
    ----------
    prompt : str
        The prompt as the model read it.
    tokens : list of str
        The words that follow it.
    log10_probs : list of float
        log10 of the probability that the model itself gives each token, without penalties or temperature; and that of
        ``</s>`` at the end where the text is finished.
    finished : bool
        Whether the text came to its end, ``</s>``, rather than to the limit of its length.
    unknown : list of str
        Words of the prompt that are not in the vocabulary, each once.
    text : str
        Prompt and tokens as a text: characters one after another, words with spaces between them (``TextReader.join``).

    Examples
    --------
    >>> from windrow import NGramLM
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
    >>> text = model.generate("the", do_sample=False, max_new_tokens=1)[0]
    >>> text.text, text.tokens, text.finished
    ('the cat', ['cat'], False)
    """

    prompt: str
    tokens: list[str]
    log10_probs: list[float]
    finished: bool
    unknown: list[str]
    text: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.text:
            object.__setattr__(self, "text", " ".join([self.prompt, *self.tokens] if self.prompt else self.tokens))

    @property
    def log10_prob(self) -> float:
        """log10 of the model's probability of all that follows the prompt."""
        return math.fsum(self.log10_probs)

    def _repr_html_(self) -> str:
        """The words with their probabilities, as a table for notebooks."""
        words = [*self.tokens, *[SPECIALS[EOS]] * (len(self.log10_probs) > len(self.tokens))]
        rows = ([word, 10.0**log10_prob] for word, log10_prob in zip(words, self.log10_probs, strict=False))
        return html_table(self.text, rows, ("word", "probability"), len(words))

    def to_json(self) -> dict[str, Any]:
        """The text and its probabilities as plain data, for ``json.dumps``.

        Returns
        -------
        dict
            The attributes, and ``text`` and ``log10_prob``.
        """
        return {
            "prompt": self.prompt,
            "text": self.text,
            "tokens": self.tokens,
            "log10_prob": self.log10_prob,
            "log10_probs": self.log10_probs,
            "finished": self.finished,
            "unknown": self.unknown,
        }


class BatchOptions(TypedDict, total=False):
    """The options of ``generate`` but for the seed, for type checkers; what each means is said there."""

    max_new_tokens: int
    do_sample: bool | None
    temperature: float
    top_k: int
    top_p: float
    num_beams: int
    length_penalty: float
    num_return_sequences: int
    repetition_penalty: float
    no_repeat_ngram_size: int
    allow_unknown: bool
    strict: bool
    streamer: Streamer | None


class GenerationOptions(BatchOptions, total=False):
    """All options of ``generate``."""

    seed: Seed


def generate(
    model: NextWord,
    prompt: Tokens = "",
    *,
    max_new_tokens: int = 50,
    do_sample: bool | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    num_return_sequences: int = 1,
    repetition_penalty: float = 1.0,
    no_repeat_ngram_size: int = 0,
    seed: Seed = None,
    allow_unknown: bool = False,
    strict: bool = False,
    streamer: Streamer | None = None,
) -> list[Generation]:
    """Texts that begin like a sentence, go on from ``prompt``, and end at ``</s>`` or after ``max_new_tokens`` words.

    A text also ends, unfinished, where every word has probability 0.

    Parameters
    ----------
    model : NextWord
        Any model with next-word distributions, such as every ``LanguageModel``.
    prompt : str or sequence of str, default empty
        The beginning of the sentence; a string is cut into words (or characters) as the training text was.
    max_new_tokens : int from 1 to 1000000, default 50
        The most words after the prompt. All texts together may have 10 million, since they are held in memory.
    do_sample : bool or None, default None
        True: draw each word; False: take the likeliest. None: draw, unless ``num_beams`` is above 1.
    temperature : float above 0, default 1.0
        Below 1, likely words are drawn more often than the model says; above 1, less often.
    top_k : int, at least 0, default 0
        Draw from the k likeliest words only; 0, or as many as there are: from all. Low values avoid odd words.
    top_p : float from 0 to 1, default 1.0
        Draw from the fewest likeliest words that together have this probability. As ``top_k``, but with more words
        where the model is less sure.
    num_beams : int from 1 to 1000, default 1
        Above 1: beam search for the likeliest texts, with this many beams. More find better texts; the time of each
        word and the memory grow with them.
    length_penalty : float from -10 to 10, default 1.0
        Beam search ranks texts by log-probability / length ** ``length_penalty``: 0 prefers the likeliest, a higher
        value longer ones.
    num_return_sequences : int from 1 to 100000, default 1
        How many texts; at most ``num_beams`` unless words are drawn.
    repetition_penalty : float above 0, default 1.0
        Multiplies the log-probability of words that the text holds already. Raise it, for example to 1.2, where texts
        repeat themselves.
    no_repeat_ngram_size : int, at least 0, default 0
        No sequence of this many words appears twice; 0: it may.
    seed : int, at least 0, or numpy.random.Generator or None, default None
        The same number gives the same texts, and the first texts do not depend on ``num_return_sequences``. None: other
        texts each time.
    allow_unknown : bool, default False
        Let ``<unk>`` appear in texts.
    strict : bool, default False
        Refuse a prompt with words that are not in the vocabulary, which are read as ``<unk>`` otherwise.
    streamer : callable or None, default None
        Called with each word as soon as it is chosen, where one text is asked for and no beams.

    Returns
    -------
    list of Generation
        The texts; those of beam search are sorted, the best first.

    Raises
    ------
    OptionError
        For an option out of range, or two that exclude each other.
    MissingWordError
        With ``strict``, for a word of the prompt that is not in the vocabulary.
    DataError
        For ``<s>`` or ``</s>`` in the prompt.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.lm.generation import generate
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
    >>> [text.text for text in generate(model, "the", num_beams=3, num_return_sequences=2)]
    ['the cat ran off', 'the cat sat']
    """
    options = DecodingOptions(
        max_new_tokens=max_new_tokens,
        do_sample=num_beams == 1 if do_sample is None else do_sample,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        num_beams=num_beams,
        length_penalty=length_penalty,
        num_return_sequences=num_return_sequences,
        repetition_penalty=repetition_penalty,
        no_repeat_ngram_size=no_repeat_ngram_size,
        never=_never(model, allow_unknown),
    ).with_plain_numbers()
    options.check()
    check_callable("streamer", streamer)
    if streamer is not None and (num_beams > 1 or num_return_sequences > 1):
        raise OptionError("a streamer follows one text as it grows; use num_beams = 1 and num_return_sequences = 1")
    rng = random_generator(seed)
    words = _words_of(model, prompt)
    for symbol in SPECIALS[BOS:]:
        if symbol in words:
            raise reserved_symbol(symbol, "the prompt")
    ids = model.encode(words, bos=True)
    unknown = unknown_words(model, words)
    if strict and unknown:
        raise MissingWordError(unknown[0], model.vocabulary.words[len(SPECIALS) :])
    first = Hypothesis(model.start(ids), tuple(ids.tolist()))
    if num_beams > 1:
        found = beam_search(model, first, options)[: options.num_return_sequences]
    else:
        # Each text has random numbers of its own, so that the first do not depend on how many are asked for.
        own = (rng.spawn(1)[0] for _ in range(options.num_return_sequences))
        found = [decode_word_by_word(model, first, options, one, streamer) for one in own]
    return [_generation(hypothesis, words, unknown, model) for hypothesis in found]


def generate_batch(
    model: NextWord, prompts: Iterable[Tokens], *, seed: Seed = None, **options: Unpack[BatchOptions]
) -> list[list[Generation]]:
    """``generate`` for each of several prompts.

    Parameters
    ----------
    model : NextWord
        Any model with next-word distributions.
    prompts : iterable of str or of sequences of str
        Each as ``prompt`` of ``generate``.
    seed : int, numpy.random.Generator or None, default None
        As of ``generate``; the first texts do not depend on how many prompts follow.
    **options
        The other options of ``generate``.

    Returns
    -------
    list of list of Generation
        The texts of each prompt.

    Raises
    ------
    OptionError, MissingWordError, DataError
        As ``generate``.

    Examples
    --------
    >>> from windrow import NGramLM
    >>> from windrow.lm.generation import generate_batch
    >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "a dog ran off"])
    >>> [texts[0].text for texts in generate_batch(model, ["the", "a"], do_sample=False)]
    ['the cat sat', 'a dog ran off']
    """
    rng = random_generator(seed)
    return [generate(model, prompt, seed=rng, **options) for prompt in prompts]


def _never(model: NextWord, allow_unknown: bool) -> list[int]:
    """The ids of symbols that do not appear in texts."""
    return [BOS, *([] if allow_unknown else [UNK]), *([] if model.predicts_end else [EOS])]


def unknown_words(model: NextWord, prompt: Tokens) -> list[str]:
    """The words of a prompt that are read as ``<unk>``, each once."""
    words = _words_of(model, prompt)
    ids = model.encode(words, bos=True)[1:].tolist()
    unknown = (word for word, word_id in zip(words, ids, strict=True) if word_id == UNK and word != SPECIALS[UNK])
    return list(dict.fromkeys(unknown))


def _words_of(model: NextWord, prompt: Tokens) -> list[str]:
    return model.reader.words_of(prompt) if isinstance(prompt, str) else as_tokens(prompt, "the prompt")


def _generation(found: Hypothesis, words: Sequence[str], unknown: list[str], model: NextWord) -> Generation:
    tokens = [model.vocabulary.words[word] for word in found.ids[1 + len(words) :]]
    prompt, text = model.reader.join(words), model.reader.join([*words, *tokens])
    return Generation(prompt, tokens, list(found.log10_probs), found.finished, list(unknown), text)
