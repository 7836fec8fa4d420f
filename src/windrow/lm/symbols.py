"""The three symbols that every language model knows beside its words, and their ids in every model file."""

UNK, BOS, EOS = 0, 1, 2  # a word that is not in the vocabulary, the beginning of a sentence, its end
SPECIALS = ("<unk>", "<s>", "</s>")  # in the order of their ids
