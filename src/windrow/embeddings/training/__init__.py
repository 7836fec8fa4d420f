"""Training of word vectors: jobs, threads, rounds, what is reported.

What happens in ``Word2Vec.fit``, from the parameters to the number that changes, module by module::

    start         words and first vectors: of a text, a model to continue from, or vectors that are given
    making        tables, workers and jobs (options: what the parameters choose; block_size: centers per block)
    loop          epochs, callbacks, checkpoints, Ctrl-C; what is between two of these events is ``run.advance``
    run           jobs of 10,000 words with their learning rates, and the threads that take them
    hogwild       a worker trains on a job: it draws the chunk of words, then makes a pass for each output layer

    kernels.windows          the chunk: known words, sub-sampled, each with its window
    kernels.contexts         the pass, block by block (``train_blocks``): hidden rows are gathered, the output layer
                             learns from them, their gradients are scattered to the input vectors
    steps                    the output layer: negative_sampling, hierarchical_softmax, full_softmax
    numeric.row_scores       there ``score_rows`` and, where a row is updated at last, ``update_rows``

With ``kernel="pair"`` the pass is ``train_pairs`` in ``kernels.pairs``, whose ``update_pair`` updates a row. Where
words have several rows (sub-words), ``kernels.inputs`` makes their vectors before a block and spreads the changes after
it.

Instead of hogwild: ``rounds`` gives threads equal bits, ``replicas`` and ``replica`` train on the workers of a cluster,
which exchange rows (``exchanging``). ``hot_rows`` are copies of rows that all threads update. ``checkpoint`` is the
file of an interrupted training, ``state`` what a finished one leaves for the next, ``fasttext_state`` the same in
fastText's files.
"""
