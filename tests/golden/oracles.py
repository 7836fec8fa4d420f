"""The answers of golden files once more, from their arrays as other libraries read them, when they are written.

No reader of windrow is used: safetensors, NumPy and plain Python open the files, and the definitions in tests/naive
compute. What has no entry here is pinned by today's code alone.
"""

from __future__ import annotations

import json
import gzip
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from gensim.models.fasttext import ft_ngram_hashes
from numpy.typing import NDArray

import windrow
from tests.golden.probes import CONTEXT, SENTENCES, TAGGED, UNSEEN, Answers, digest
from tests.golden.recipes import CORPORA, COUNTS, SHORT, TEST, TRAIN
from tests.golden.unfinished import header_of
from tests.naive import arpa, classification, phrases, recurrent
from tests.naive.backoff import Backoff
from tests.naive.cache import cache_prob
from tests.naive.outputs import clustered_log_probs, path_log_prob, softmax_log_probs
from tests.naive.skips import SkipText, kept
from tests.naive.smoothing import METHODS
from tests.naive.tagging import spans_of
from tests.naive.tree import heapq_paths
from tests.naive.unbounded import Unbounded
from windrow.phrases import ENGLISH_CONNECTOR_WORDS

Arrays = dict[str, NDArray[Any]]
_UNK, _BOS, _EOS = 0, 1, 2
_LN_10 = np.log(10)


def check(path: Path, answers: Answers) -> bool:
    """Raise AssertionError where an oracle disagrees with the answers; whether there is an oracle for the file."""
    by_folder = {"corpora": _check_corpus, "counts": _check_counts, "arpa": _check_arpa, "buckets": _check_buckets}
    if path.parent.name in by_folder:
        by_folder[path.parent.name](path, answers)
        return True
    if path.parent.name == "training":
        _check_training(path, answers["stored"])
        return True
    if path.parent.name == "vectors" and not _is_own(path):
        _check_table(path, answers)
        return True
    if path.parent.name in ("logs", "checkpoints") or path.stem == "stupid-backoff":  # which ARPA files cannot hold
        return False
    kind = header_of(path)["kind"]
    if kind not in _ORACLES:
        return False
    _ORACLES[kind](path, answers)
    return True


def _is_own(path: Path) -> bool:
    """Whether it is a safetensors file: the length of the header, and the header."""
    return path.read_bytes()[8:10] == b'{"'


def _arrays(path: Path) -> Arrays:
    from safetensors.numpy import load_file

    return load_file(path)


def _words(arrays: Arrays, prefix: str = "") -> list[str]:
    data, offsets = arrays[f"{prefix}word_bytes"].tobytes(), arrays[f"{prefix}word_offsets"].tolist()
    return [data[start:stop].decode("utf-8", "surrogatepass") for start, stop in pairwise(offsets)]


def _close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


# --- vectors and corpora


def _check_vectors(path: Path, answers: Answers) -> None:
    arrays = _arrays(path)
    for name in ("vectors", "ngram_vectors"):  # which may be of fewer bytes
        if name in arrays:
            scales = arrays.get(f"{name}_scales", np.ones(len(arrays[name]), np.float32))
            arrays[name] = arrays[name].astype(np.float32) * scales[:, None]
    words, vectors = _words(arrays), arrays["vectors"]
    if "ngram_vectors" in arrays:
        asked = header_of(path)["config"]["subwords"]
        buckets = ft_ngram_hashes(UNSEEN, asked["min_n"], asked["max_n"], asked["buckets"])
        known, table = arrays["ngram_buckets"].tolist(), arrays["ngram_vectors"]
        unseen = sum(table[known.index(bucket)] for bucket in buckets if bucket in known) / len(buckets)
        _compare_vectors(words, vectors, answers, {UNSEEN: unseen})
    else:
        _compare_vectors(words, vectors, answers)


def _check_training(path: Path, stored: dict[str, Any]) -> None:
    arrays = _arrays(path)
    _compare_vectors(_words(arrays), arrays["vectors"], {"stored": stored["vectors"], "computed": {}})
    assert stored["vectors"]["counts"] == arrays["counts"].tolist()
    if "own_vectors" in arrays:
        asked, row_of = header_of(path)["config"]["subwords"], arrays["ngram_buckets"].tolist().index
        for word, own, vector in zip(_words(arrays), arrays["own_vectors"], arrays["vectors"], strict=True):
            buckets = ft_ngram_hashes(word, asked["min_n"], asked["max_n"], asked["buckets"])
            _close(np.mean([own, *(arrays["ngram_vectors"][row_of(bucket)] for bucket in buckets)], axis=0), vector)
    tables = {name.removeprefix("output_"): table for name, table in arrays.items() if name.startswith("output_")}
    assert stored["tables"] == {name: [*table.shape, digest(table)] for name, table in tables.items()}
    assert set(tables) == set(
        (stored["parameters"]["loss"] or ("hs" if stored["parameters"]["hs"] else "ns")).split("+")
    )
    assert windrow.load(path).provenance == stored["vectors"]["provenance"]


def _compare_vectors(
    words: list[str], vectors: NDArray[Any], answers: Answers, unseen: Mapping[str, NDArray[Any]] = MappingProxyType({})
) -> None:
    stored = answers["stored"]
    assert stored["words"] == [len(words), digest(words), *words[:8]]
    assert stored["vectors"] == digest(vectors)
    units = vectors.astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    for word, neighbours in answers["computed"].items():
        asked = unseen[word].astype(np.float64) if word in unseen else units[words.index(word)]
        cosines = units @ asked / np.linalg.norm(asked)
        others = [place for place in np.argsort(-cosines, kind="stable") if words[place] != word]
        _close([number for _, number in neighbours], cosines[others[:3]])


def _check_table(path: Path, answers: Answers) -> None:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    extension = path.name.split(".")[1]
    if extension == "npy":
        words = path.with_suffix(".words.txt").read_text("utf-8").splitlines()
        _compare_vectors(words, np.load(path), answers)
        return
    words, rows = [], []
    if extension in ("txt", "vec", "bin"):
        header, _, data = data.partition(b"\n")
        size = int(header.split()[1])
    if extension == "bin":
        while data:
            word, _, data = data.partition(b" ")
            words.append(word.strip(b"\n").decode())
            rows.append(np.frombuffer(data[: 4 * size], "<f4"))
            data = data[4 * size :].lstrip(b"\n")
    else:
        for line in data.decode().splitlines():
            word, *numbers = line.split("\t" if extension == "tsv" else " ")
            words.append(word)
            rows.append(np.array([np.float32(number) for number in numbers]))
    _compare_vectors(words, np.array(rows), answers)


def _check_corpus(path: Path, answers: Answers) -> None:
    ids, starts = np.fromfile(path / "ids.bin", "<i4"), np.fromfile(path / "starts.bin", "<i8")
    words = _words(_arrays(path / "vocabulary.safetensors"))
    sentences = [[words[i] for i in ids[start:stop] if i >= 0] for start, stop in pairwise(starts)]
    stored = answers["stored"]
    assert stored["starts"] == starts.tolist()
    assert stored["sentences"] == [len(sentences), sentences[0], sentences[-1]]
    source, options = CORPORA[path.name]
    if "tokenizer" not in options:
        files = source if isinstance(source, list) else [source]
        text = [line.split() for file in files for line in file.read_text("utf-8").splitlines()]
        unknown = "<unk>" in options.get("specials", ())
        known = [[w if w in words else "<unk>" for w in line if unknown or w in words] for line in text]
        assert sentences == known


# --- n-grams


def _check_counts(path: Path, answers: Answers) -> None:
    """The lines of the file, and the n-grams of the text; answers follow from them as for any other n-gram model."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found, begins = {}, set()
    for line in data.decode().splitlines():
        gram, count, *mark = line.split("\t")
        found[gram] = int(count)
        if mark:
            assert mark == ["^"]
            begins.add(gram)
    order, is_marked = COUNTS[path.name]["order"], COUNTS[path.name].get("bos", True)
    expected, beginnings = Counter({"<unk>": 0, "<s>": 0}), set()
    for line in SHORT.read_text("utf-8").splitlines():
        symbols = [*["<s>"] * is_marked, *line.split(), "</s>"]
        for length in range(1, order + 1):
            starts = range(1 if is_marked and length == 1 else 0, len(symbols) - length + 1)
            expected.update(" ".join(symbols[start : start + length]) for start in starts)
            beginnings |= set() if is_marked else {" ".join(symbols[:length])}
    assert found == expected
    assert begins == beginnings
    assert answers["stored"]["words"][0] == sum(" " not in gram for gram in found)


def _check_buckets(path: Path, answers: Answers) -> None:
    """A perplexity is in the first bucket whose cutoff it does not exceed."""
    content, stored = json.loads(path.read_text("utf-8")), answers["stored"]
    assert [content["buckets"], content["cutoffs"], content["model"]] == [stored[k] for k in ("names", "cutoffs", "model")]
    for perplexity, name in zip([0, 29.5, 30, 30.5, 100.5, 101, 1e9], stored["of_perplexities"], strict=False):
        above = sum(perplexity > cutoff for cutoff in content["cutoffs"])
        assert content["buckets"][above] == name
    assert stored["of_perplexities"][-1] is None


def _check_arpa(path: Path, answers: Answers) -> None:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    _compare_backoff(*arpa.read(text.decode()), answers)


def _check_ngram(path: Path, answers: Answers) -> None:
    """The packed table is windrow's alone; but the same model as an ARPA file can be read by anybody."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.arpa")
        windrow.load(path).save(copy)
        _compare_backoff(*arpa.read(copy.read_text("utf-8")), answers)
    if "after_adding" in answers["computed"]:
        parameters = {**answers["stored"]["parameters"], "keep_counts": False}
        both = windrow.NGramLM(**parameters).fit([SHORT, TEST])
        _close(answers["computed"]["after_adding"], [both.log_prob(sentence) for sentence in SENTENCES])


def _compare_backoff(words: list[str], model: Backoff, answers: Answers) -> None:
    stored, parameters = answers["stored"], answers["stored"]["parameters"]
    assert stored["words"] == [len(words), digest(words), *words[3:8]]
    ends = [_EOS] if parameters["eos"] else []
    texts = [list(text.replace(" ", "▁")) if "▁" in words else text.split() for text in SENTENCES]  # characters, words
    sentences = [[words.index(word) if word in words else _UNK for word in text] for text in texts]
    scores = [sum(model.score([_BOS, *ids, *ends])[0]) for ids in sentences]
    _close(answers["computed"]["log10_probs"], scores)


# --- language models whose distributions follow from their arrays


def _check_distributions(path: Path, answers: Answers) -> None:
    header, arrays = header_of(path), _arrays(path)
    scores = []
    for sentence in SENTENCES:
        words, rows = _distributions(header["kind"], arrays, header["config"], sentence.split())
        targets = [*sentence.split(), "</s>"][: None if _predicts_end(header["config"]) else -1]
        ids = [words.index(word) if word in words else _UNK for word in targets]
        scores.append(sum(row[target] for row, target in zip(rows, ids, strict=False)) / _LN_10)
    _close(answers["computed"]["log10_probs"], scores)
    words, rows = _distributions(header["kind"], arrays, header["config"], CONTEXT.split())
    found = answers["computed"]["next"]
    _close(list(found.values()), [np.exp(rows[-1][words.index(word)]) for word in found])


def _predicts_end(config: dict[str, Any]) -> bool:
    return bool(config.get("predicts_end", True))


def _distributions(
    kind: str, arrays: Arrays, config: dict[str, Any], sentence: list[str]
) -> tuple[list[str], NDArray[Any]]:
    """The words, and the natural logarithms of their probabilities after each beginning: (symbols + 1, words)."""
    if kind == "mixture-lm":
        return _mixed(arrays, config, sentence)
    words = _words(arrays)
    ids = [_BOS, *(words.index(word) if word in words else _UNK for word in sentence)]
    if kind == "ngram-lm":
        assert config["parameters"]["order"] == 1
        log_probs = arrays["unigrams"][:, 0].copy().view(np.float32) * _LN_10
        log_probs[_BOS] = -np.inf
        return words, np.tile(log_probs, (len(ids), 1))
    if kind == "class-lm":
        return words, _class_rows(arrays, config, ids)
    if kind == "skip-ngram-lm":
        return words, _skip_rows(config, words, ids)
    if kind == "unbounded-ngram-lm":
        return words, _unbounded_rows(arrays, config["index"], ids, len(words))
    if kind == "cache-lm":
        return words, np.log([_cached(config, ids[1 : place + 1], len(words)) for place in range(len(ids))])
    rows = _recurrent_rows(arrays, config, ids) if kind == "rnn-lm" else _window_rows(arrays, config, ids)
    return words, np.array([_head(arrays, config)(row) for row in rows])


def _skip_rows(config: dict[str, Any], words: list[str], ids: list[int]) -> NDArray[Any]:
    """From the training text: the arrays are those of n-grams."""
    places, parameters = config["places"], config["parameters"]
    lines = SHORT.read_text("utf-8").splitlines()
    sentences = [[words.index(word) if word in words else _UNK for word in line.split()] for line in lines]
    text = SkipText(sentences, len(places) + 1, len(words), places=places)
    options = {"fallback": True} if parameters["discount_fallback"] else {}
    naive = METHODS[parameters["smoothing"]](text, **options)
    contexts = [kept(ids[1:end], places) for end in range(1, len(ids) + 1)]
    with np.errstate(divide="ignore"):
        return np.log([[naive.prob(word, context) for word in range(len(words))] for context in contexts])


def _class_rows(arrays: Arrays, config: dict[str, Any], ids: list[int]) -> NDArray[Any]:
    """Unigrams of classes, and the share of each word in its class."""
    assert config["parameters"]["order"] == 1
    classes, counts = arrays["classes"], arrays["counts"]
    of_classes = arrays["ngrams.unigrams"][:, 0].copy().view(np.float32) * _LN_10
    totals = np.bincount(classes, counts)[classes]
    log_probs = of_classes[classes] + np.log(np.where(totals, counts / np.maximum(totals, 1), 1))
    log_probs[_BOS] = -np.inf
    return np.tile(log_probs, (len(ids), 1))


def _unbounded_rows(arrays: Arrays, sizes: dict[str, int], ids: list[int], words: int) -> NDArray[Any]:
    """By the definition, from the text that the file holds."""
    bits = np.unpackbits(arrays["text"], bitorder="little")[: sizes["size"] * sizes["word_bits"]]
    text = bits.reshape(-1, sizes["word_bits"]) @ (1 << np.arange(sizes["word_bits"]))
    sentences = [part[1:-1].tolist() for part in np.split(text, np.flatnonzero(text == _BOS))[1:]]
    naive = Unbounded(sentences, words, arrays["discounts"].tolist())
    with np.errstate(divide="ignore"):
        return np.log([[naive.prob(tuple(ids[:end]), word) for word in range(words)] for end in range(1, len(ids) + 1)])


def _mixed(arrays: Arrays, config: dict[str, Any], sentence: list[str]) -> tuple[list[str], NDArray[Any]]:
    parts, words = [], []
    for number, part in enumerate(config["models"]):
        prefix = f"{number}."
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        own_words, rows = _distributions(part["kind"], own, part["config"], sentence)
        words = words or own_words
        parts.append(rows[:, [own_words.index(word) for word in words]])
    probs = np.maximum(np.exp(parts), 1e-300)  # (models, symbols + 1, words)
    if config["method"] == "linear":
        return words, np.log(np.tensordot(config["weights"], probs, 1))
    products = np.exp(np.tensordot(config["weights"], np.log(probs), 1))
    return words, np.log(products / products.sum(axis=1, keepdims=True))


def _cached(config: dict[str, Any], before: list[int], words: int) -> list[float]:
    """Of the symbols that may come; a vanishing number for the others."""
    left_out = {_BOS} if _predicts_end(config) else {_BOS, _EOS}
    options = {"order": config.get("order", 1), "decay": config.get("decay", 0.0), "symbols": words - len(left_out)}
    memory = before[-config["size"] :]
    return [
        1e-300 if word in left_out else cache_prob(memory, word, pseudo_count=config["pseudo_count"], **options)
        for word in range(words)
    ]


def _window_rows(arrays: Arrays, config: dict[str, Any], ids: list[int]) -> list[NDArray[Any]]:
    rows, length = [], config["order"] - 1
    for place in range(len(ids)):
        context = ([_BOS] * length + ids[1 : place + 1])[-length:]
        x = np.concatenate([arrays["embeddings.vectors"][word] for word in context]).astype(np.float64)
        h = np.tanh(x @ arrays["hidden.weights"] + arrays["hidden.biases"])
        rows.append(np.concatenate([h, x]) if config["direct"] else h)
    return rows


def _recurrent_rows(arrays: Arrays, config: dict[str, Any], ids: list[int]) -> list[NDArray[Any]]:
    x = arrays["embeddings.vectors"][ids][:, None].astype(np.float64)
    states = 2 if config["cell"] == "lstm" else 1
    for number in range(config["layers"]):
        prefix = f"layer{number}."
        parameters = {n.removeprefix(prefix): a.astype(np.float64) for n, a in arrays.items() if n.startswith(prefix)}
        begins, state = np.zeros(x.shape[:2], bool), np.zeros((states, 1, config["hidden_size"]))
        x, _ = recurrent.run(config["cell"], parameters, x, state, begins)
    return list(x[:, 0])


def _head(arrays: Arrays, config: dict[str, Any]) -> Callable[[NDArray[Any]], list[float]]:
    if "output.codes" in arrays:
        weights = arrays["output.codes"].astype(np.float64) * arrays["output.scales"][:, None]
        return lambda row: softmax_log_probs(row, weights, arrays["output.biases"])
    if _layer(config) in ("softmax", "nce"):
        weights = arrays["embeddings.vectors" if config["tied"] else "output.weights"].astype(np.float64)
        return lambda row: softmax_log_probs(row, weights, arrays["output.biases"].reshape(-1))
    counts = arrays["counts"].copy()
    counts[[_UNK, _EOS]] = np.maximum(counts[[_UNK, _EOS]], 1)
    counts[_BOS] = 0
    if _layer(config) == "hierarchical":
        paths = heapq_paths(counts.tolist())
        return lambda row: [path_log_prob(row, arrays["output.nodes"], path) for path in paths]
    return lambda row: _by_id(counts, clustered_log_probs(row, *_clusters(arrays)))


def _layer(parameters: dict[str, Any]) -> str:
    """The output layer, which files before 0.2 call ``output``."""
    return str(parameters.get("output_layer") or parameters["output"])


def _clusters(arrays: Arrays) -> tuple[Any, list[Any]]:
    numbers = range(1, sum(name.endswith("_biases") for name in arrays))
    clusters = [
        tuple(arrays.get(f"output.cluster{number}_{part}") for part in ("projection", "weights", "biases"))
        for number in numbers
    ]
    return (arrays["output.root_weights"], arrays["output.root_biases"]), clusters


def _by_id(counts: NDArray[Any], by_rank: list[float]) -> list[float]:
    order = np.argsort(-counts, kind="stable")
    log_probs = np.empty(len(counts))
    log_probs[order] = by_rank
    return log_probs.tolist()


# --- taggers


def _check_classifier(path: Path, answers: Answers) -> None:
    """Features by fastText's definition, the mean of their vectors, and a loss's own way to probabilities."""
    arrays, config = _arrays(path), header_of(path)["config"]
    p, words, seen = config["parameters"], _words(arrays), arrays["seen_buckets"].tolist()
    for name in ("vectors", "output_vectors") if p.get("quantize_bits") else ():
        arrays[name] = arrays[name] * arrays[f"{name}_scales"][:, None]
    row_of: dict[Any, int] = {word: row for row, word in enumerate(words)}
    row_of |= {bucket: row for row, bucket in enumerate(seen, len(words))}
    for text, found in zip(SENTENCES, answers["computed"]["probabilities"], strict=True):
        sizes = p["word_ngrams"], p["min_n"], p["max_n"], p["buckets"]
        keys = classification.features(text.split(), words, *sizes)
        hidden = arrays["vectors"][[row_of[key] for key in keys if key in row_of]].mean(axis=0).astype(np.float64)
        scores = arrays["output_vectors"] @ hidden
        if p["loss"] == "softmax":
            expected = np.exp(scores) / np.exp(scores).sum()
        elif p["loss"] == "hs":
            paths = heapq_paths(arrays["class_counts"].tolist()) if "tree" not in arrays else _paths(arrays["tree"])
            sides = [[1 / (1 + np.exp(scores[n] * (1 - 2 * code))) for n, code in path] for path in paths]
            expected = [np.prod(side) for side in sides]
        else:
            expected = 1 / (1 + np.exp(-scores))
        _close(found, expected)


def _paths(children: Any) -> list[list[tuple[int, int]]]:
    """The inner nodes on the way to each word, from the root, and the side that is taken at each."""
    words = len(children) + 1
    found: dict[int, list[tuple[int, int]]] = {2 * words - 2: []}
    for node in range(words - 2, -1, -1):
        for side, child in enumerate(children[node].tolist()):
            found[child] = [*found[words + node], (node, side)]
    return [found[word] for word in range(words)]


def _check_tagger(path: Path, answers: Answers) -> None:
    arrays, config, tags = _arrays(path), header_of(path)["config"], answers["stored"]["tags"]
    parameters = config["parameters"]
    for sentence, found in zip(TAGGED, answers["computed"]["tags"], strict=True):
        scores = _tag_scores(arrays, parameters, sentence.split())
        if _layer(parameters) == "logistic":
            best = [int(row.argmax()) + 1 if row.max() > 0 else 0 for row in scores]
        elif _layer(parameters) == "crf":
            best = _best_path(scores, arrays["output.transitions"])
        else:
            best = scores.argmax(axis=1).tolist()
        named = [tags[number] for number in best]
        if _layer(parameters) != "softmax" or _is_sound(
            named, parameters["scheme"] == "iobes"
        ):  # windrow looks for the best path that is sound
            assert _spans(found.split()) == _spans(named), (path, sentence, found, named)


def _spans(tags: list[str]) -> list[tuple[str, int, int]]:
    return spans_of([tag.replace("L-", "E-").replace("U-", "S-") for tag in tags])


def _is_sound(tags: list[str], is_iobes: bool) -> bool:
    """Whether every I- and E- tag goes on with an entity, and every B- and I- tag of IOBES is followed by one."""
    pairs = pairwise(["O", *tags, "O"])
    return all(
        (tag[0] not in "IE" or (before[0] in "BI" and before[2:] == tag[2:]))
        and (not is_iobes or before[0] not in "BI" or tag[0] in "IE")
        for before, tag in pairs
    )


def _best_path(scores: NDArray[Any], transitions: NDArray[Any]) -> list[int]:
    """The tags of the highest sum of scores and transitions; the last two rows begin and end a sentence."""
    tags = scores.shape[1]
    totals, paths = scores[0] + transitions[tags], [[tag] for tag in range(tags)]
    for row in scores[1:]:
        through = totals[:, None] + transitions[:tags]
        paths = [[*paths[int(through[:, tag].argmax())], tag] for tag in range(tags)]
        totals = through.max(axis=0) + row
    return paths[int((totals + transitions[tags + 1]).argmax())]


def _tag_scores(arrays: Arrays, parameters: dict[str, Any], tokens: list[str]) -> NDArray[Any]:
    vectors, features = arrays["words.vectors"], arrays["features.vectors"]
    names, slots = _words(arrays, "features."), 1 + 2 * len(parameters["affixes"])
    rows = []
    for token in tokens:
        numbers = [names.index(name) + 2 if name in names else 1 for name in _features(token, parameters)]
        rows.append(
            np.concatenate([vectors[_word_of(token, _words(arrays, "words."), parameters)], *features[numbers]])
        )
    half, width = parameters["window"] // 2, parameters["hidden_size"]
    first, last = (np.concatenate([vectors[mark], *[features[0]] * slots]) for mark in (_BOS, _EOS))
    padded = [first] * half + rows + [last] * half
    activation = {"relu": lambda sums: np.maximum(sums, 0), "tanh": np.tanh}[parameters["activation"]]
    scores = []
    for place in range(len(tokens)):
        sums = arrays["hidden.biases"].astype(np.float64)
        for offset in range(parameters["window"]):
            sums = sums + padded[place + offset] @ arrays["hidden.weights"][:, offset * width : (offset + 1) * width]
        scores.append(activation(sums) @ arrays["scores.weights"] + arrays["scores.biases"])
    return np.array(scores)


def _word_of(token: str, words: list[str], parameters: dict[str, Any]) -> int:
    lower = token.lower() if parameters["lowercase"] else token
    folded = "".join("0" if c.isdigit() and parameters["fold_digits"] else c for c in lower)
    return next((words.index(form) for form in (token, lower, folded) if form in words), _UNK)


def _features(token: str, parameters: dict[str, Any]) -> list[str]:
    classes = ["d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in token]
    shape = "".join(c for place, c in enumerate(classes) if classes[max(0, place - 2) : place] != [c, c])
    lower, features = token.lower() if parameters["lowercase"] else token, [f"shape={shape}"]
    for size in parameters["affixes"]:
        features += [f"{size}-={lower[:size]}", f"-{size}={lower[-size:]}"] if len(lower) >= size else ["", ""]
    return features


# --- phrases


def _check_phrases(path: Path, answers: Answers) -> None:
    """The phrases of the file are those of the definition, pass by pass, and joined they give the text."""
    arrays, parameters = _arrays(path), answers["stored"]["parameters"]
    words = _words(arrays)
    parts, ends = arrays["parts"].tolist(), arrays["phrase_offsets"].tolist()
    kept = [tuple(words[part] for part in parts[first:last]) for first, last in pairwise(ends)]
    connectors = parameters["connector_words"]
    connectors = ENGLISH_CONNECTOR_WORDS if connectors == "english" else connectors
    score = {"default": phrases.default_score, "npmi": phrases.npmi_score}[parameters["scoring"]]
    sentences = [line.split() for line in TRAIN.read_text("utf-8").splitlines()]
    for first, last in pairwise(arrays["pass_offsets"].tolist()):
        found = phrases.find(sentences, score, parameters["min_count"], parameters["threshold"], connectors)
        best = sorted(found, key=lambda phrase: (-found[phrase], phrase))[: parameters["max_phrases"]]
        assert sorted(kept[first:last]) == sorted(best)
        _close(arrays["scores"][first:last], [found[phrase] for phrase in kept[first:last]])
        sentences = [phrases.join(line, set(best), connectors, parameters["delimiter"]) for line in sentences]
    assert answers["stored"]["joined"] == digest([word for sentence in sentences for word in sentence])


_ORACLES: dict[str, Callable[[Path, Answers], None]] = {
    "word-vectors": _check_vectors,
    "ngram-lm": _check_ngram,
    "class-lm": _check_distributions,
    "skip-ngram-lm": _check_distributions,
    "unbounded-ngram-lm": _check_distributions,
    "window-lm": _check_distributions,
    "rnn-lm": _check_distributions,
    "cache-lm": _check_distributions,
    "mixture-lm": _check_distributions,
    "window-tagger": _check_tagger,
    "phrases": _check_phrases,
    "text-classifier": _check_classifier,
}
