"""Training by minibatches: the one loop, its reports, when it stops, and its checkpoints."""
