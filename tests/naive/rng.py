"""Random number generators as Python integers: endless streams of draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_WORD = 2**64


def split_mix(state: int) -> Iterator[int]:
    """64 bits a draw: a counter in steps of the golden ratio, each value mixed (Steele, Lea & Flood 2014)."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % _WORD
        bits = state
        bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % _WORD
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % _WORD
        yield bits ^ bits >> 31


def linear_congruential(state: int) -> Iterator[int]:
    """The upper 32 of word2vec's 48 bits, the seed's own first: gensim looks before it steps."""
    while True:
        yield state // 2**16
        state = (state * 25214903917 + 11) % 2**48


def high_half(bits: Iterator[int]) -> Iterator[int]:
    """The upper 32 of 64 bits."""
    return (draw // 2**32 for draw in bits)


def below(draw: int, bound: int) -> int:
    """32 random bits as a fraction of 2**32, times the bound."""
    return draw * bound // 2**32


def scale_draws(draws: Sequence[int], most: int) -> list[int]:
    """Whole numbers from 1 to ``most``, one for each draw of 32 bits."""
    return [1 + below(draw, most) for draw in draws]
