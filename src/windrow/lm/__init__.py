"""Language models."""

# Of the registry in cells.py, here for the command line, which offers them before it loads NumPy.
CELL_NAMES = ("elman", "elman-sigmoid", "elman-relu", "gru", "lstm")
STATE_NAMES = ("carry", "reset")  # what a recurrent model does with its state at the end of a sentence
