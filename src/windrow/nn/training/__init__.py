"""Training by minibatches: the loop of all networks, its reports, when it stops, and its checkpoints."""
