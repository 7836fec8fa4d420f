"""The endings of files of word vectors, each the name of a format, and their types of numbers, for help texts."""

from __future__ import annotations

# Whether .gz may follow the ending of a file that is written. In the order in which messages list them.
ENDINGS = {
    "safetensors": False,
    "txt": True,
    "vec": True,
    "bin": True,
    "glove": True,
    "tsv": True,
    "npy": False,
    "fasttext": True,
    "parquet": False,
    "arrow": False,
    "jsonl": True,
    "model2vec": False,  # a folder
}

DTYPES = ("float32", "float16", "int8")  # of numbers in files


def endings_told() -> str:
    """All of them, as a sentence lists them."""
    packed = " ".join(f".{name}" for name, may_be_packed in ENDINGS.items() if may_be_packed)
    return f"{' '.join(f'.{name}' for name in ENDINGS)}; .gz may follow {packed}"
