"""Language models of neural networks: a fixed window of words, and a recurrent state."""
