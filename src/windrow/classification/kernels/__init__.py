"""The compiled loops of text classification."""
