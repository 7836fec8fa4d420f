"""Back-off n-gram models.

What happens in ``NGramLM.fit``, module by module::

    counting     a stream of ids -> levels of counts (merging: if they do not fit in memory; counts_text: as text)
    estimation   counts -> levels of probabilities, by a rule of smoothing (lmplz: a slip to repeat on demand; unigrams:
                 which words get what is left over)
    pruning      leaves out n-grams that matter little (backing_off: probabilities of n-grams not stored, new weights)
    packing      levels -> packed trie (record_layout: bits of its records; codebooks: numbers as codes)
    table        scores streams (kernels.query) or one word after another (kernels.walk); distributions of next words

``mixing`` makes one model of several. ``levels`` shows how n-grams are kept in sorted arrays, ``kernels.packed_trie``
how they are packed. ``arpa`` reads and writes the text format that all programs for n-gram models share; ``words``
looks words up in text.
"""

# Of the registry in smoothing.py, here for the command line, which offers them before it loads NumPy.
SMOOTHING_NAMES = (
    "modified-kneser-ney",
    "kneser-ney",
    "witten-bell",
    "absolute",
    "katz",
    "jelinek-mercer",
    "add-delta",
    "mle",
    "stupid-backoff",
)
