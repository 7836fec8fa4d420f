"""Public word vectors by name: ``windrow.corpus.registry.fetch(NAME, FOLDER, registry=REGISTRY)`` downloads them."""

from pathlib import Path

REGISTRY = Path(__file__).with_name("registry.toml")
