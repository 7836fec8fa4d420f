"""What a section of analogies asks about, told by its name: the world, grammar, or unknown."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["semantic", "syntactic"]

# Google's questions (Mikolov et al. 2013) and Toyland's; BATS: the folders 1_Inflectional_morphology ...
# 4_Lexicographic_semantics, the files I01 to L10 (Gladkova et al. 2016); MSR: pairs of Penn tags such as JJ_JJR.
_SEMANTIC = re.compile(
    r"(capitals?|encyclopedic|lexicographic|semantics?|[el]\d\d)([^a-z].*)?"
    r"|currency|city-in-state|family|river-in-country|animal-young|profession-workplace"
)
_PENN_TAG = "(jj[rs]?|rb[rs]?|nn(s|p|ps|pos)?|vb[dgnpz]?)"
_SYNTACTIC = re.compile(
    rf"(gram(mar)?|inflectional|derivational|syntactic|[id]\d\d)([^a-z].*)?|{_PENN_TAG}_{_PENN_TAG}"
)


def kind_of(section: str) -> Kind | None:
    """Whether a section is about the world or about grammar; None for a name that does not tell.

    >>> kind_of("capital-world"), kind_of("Gram3-comparative"), kind_of("I01 [noun - plural]"), kind_of("ice_hockey")
    ('semantic', 'syntactic', 'syntactic', None)
    """
    name = re.sub(r"^\d_", "", section.strip().lower())
    if _SEMANTIC.fullmatch(name):
        return "semantic"
    return "syntactic" if _SYNTACTIC.fullmatch(name) else None
