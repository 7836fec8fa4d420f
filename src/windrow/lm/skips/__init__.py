"""Skip n-gram models: n-grams of words that need not stand side by side.

What happens in ``SkipNGramLM.fit``, module by module::

    windows     a stream of ids -> for each word, the words at chosen places before it
    counting    windows -> the counts that ``ngram.estimation`` takes
    model       scores: each window is looked up as an n-gram
"""
