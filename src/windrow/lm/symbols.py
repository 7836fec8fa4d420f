"""The three symbols that every language model knows beside its words, their ids in files, and their other spellings.

Other programs write them otherwise: ``<UNK>`` the CMU toolkits and Sphinx, ``!!UNK`` and ``!NULL``, ``!ENTER`` and
``!EXIT`` HTK, ``[UNK]`` tokenizers of BERT.
"""

UNK, BOS, EOS = 0, 1, 2  # a word that is not in the vocabulary, the beginning of a sentence, its end
SPECIALS = ("<unk>", "<s>", "</s>")  # in the order of their ids

UNKNOWN_IN_CAPITALS = "<UNK>"  # which KenLM takes for <unk> in any file
# In a text only those that are nothing else; "!NULL" may stand in a program.
IN_TEXTS = {UNKNOWN_IN_CAPITALS: UNK, "<Unk>": UNK, "[UNK]": UNK, "!!UNK": UNK, "<S>": BOS, "</S>": EOS}
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
