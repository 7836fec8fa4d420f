"""Training of word vectors: jobs, their random draws, threads, rounds, what is reported."""
