"""The three symbols that every language model knows beside its words, their ids in files, and their other spellings.

Other programs write them otherwise: ``<UNK>`` the CMU toolkits and Sphinx, ``!!UNK`` and ``!NULL``, ``!ENTER`` and
``!EXIT`` HTK, ``[UNK]`` tokenizers of BERT, ``<bos>``, ``<sos>`` and ``<eos>`` toolkits of neural networks.
"""

UNK, BOS, EOS = 0, 1, 2  # a word that is not in the vocabulary, the beginning of a sentence, its end
SPECIALS = ("<unk>", "<s>", "</s>")  # in the order of their ids

UNKNOWN_IN_CAPITALS = "<UNK>"  # which KenLM takes for <unk> in any file
# In a text only those that are nothing else; "!NULL" may stand in a program.
IN_TEXTS = {
    **dict.fromkeys([UNKNOWN_IN_CAPITALS, "<Unk>", "[UNK]", "!!UNK"], UNK),
    **dict.fromkeys(["<S>", "<bos>", "<BOS>", "<sos>", "<SOS>"], BOS),
    **dict.fromkeys(["</S>", "<eos>", "<EOS>"], EOS),
}
IN_ARPA_FILES = IN_TEXTS | {
    "<oov>": UNK,
    "<OOV>": UNK,
    "<unknown>": UNK,
    "<UNKNOWN>": UNK,
    "!NULL": UNK,
    "!ENTER": BOS,
    "!EXIT": EOS,
    "SENT-START": BOS,
    "SENT-END": EOS,
}
