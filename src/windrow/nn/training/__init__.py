"""Training by minibatches: the loop, and when it stops."""
