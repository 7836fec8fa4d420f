"""N-gram models of unbounded order: contexts as long as the training text has them.

What happens in ``UnboundedNGramLM.fit``, module by module::

    suffix_array     a stream of ids -> its positions, sorted by the words that end there (kernels.sorting)
    discounting      counts of counts -> discounts, and the distribution of words without context (kernels.counting)
    index            text, sorted positions and the counts of frequent contexts, packed; their arrays in a file
    model            scores (kernels.scoring), counts, occurrences, distributions of next words

The text itself is the model: what follows a context is counted when it is asked for (``kernels.contexts``).
"""
