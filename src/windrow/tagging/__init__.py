"""Entities: CoNLL files, tagging schemes, and the word-window tagger.

What happens in ``WindowTagger.predict``, module by module::

    texts, examples    sentences: of lines or column files, and in blocks of some thousand tokens
    trained            ``iter_predict``, and what else a trained tagger does; ``tagger`` is how it is trained
    windows            a block as numbers: the distinct tokens (lexicon), and where they stand
    network            scores of tags: word and feature vectors, the hidden layer over the window
    tag_outputs        scores -> tags, by ``decode`` of the output: the best path, or each token by itself
    kernels.viterbi    ``best_paths``: the comparison of scores that decides
    schemes            from the tags of the network to those of the training file

``long_sentences`` does the same piece by piece. ``training`` has the batches that a tagger learns from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
    from windrow.tagging.conll import TaggedSentence, read_conll, split_by_document, write_conll
    from windrow.tagging.schemes import SCHEMES, convert, detect_scheme
    from windrow.tagging.tagger import WindowTagger

__all__ = [
    "WindowTagger",
    "TaggedSentence",
    "read_conll",
    "split_by_document",
    "write_conll",
    "SCHEMES",
    "convert",
    "detect_scheme",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "WindowTagger": "windrow.tagging.tagger",
        **dict.fromkeys(("TaggedSentence", "read_conll", "split_by_document", "write_conll"), "windrow.tagging.conll"),
        **dict.fromkeys(("SCHEMES", "convert", "detect_scheme"), "windrow.tagging.schemes"),
    },
)
