"""How fast is training with the exact softmax over 20,000 words, beside fastText's?

    python bench/softmax_speed.py
    python bench/softmax_speed.py --words 2000 --vocabulary 2000 --rounds 1

Every update goes over the whole vocabulary, so the text is short: its first words, and then every word of the
vocabulary that they lack, once. fastText has one word more than windrow, the end of a line. gensim and word2vec.c have
no exact softmax.
"""

from __future__ import annotations

from data import COMMON, MODES, TEXT
from harness import (
    Case,
    Measure,
    Side,
    add_text_options,
    argument_parser,
    data_folder,
    measure,
    prepare,
    script,
    session,
    write_result,
)
from peers import absence

MODELS = {"skipgram": "skipgram-ns", "cbow": "cbow-ns"}


def main() -> None:
    parser = argument_parser(__doc__, "softmax_speed")
    add_text_options(parser, words=20_000)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--vocabulary", type=int, default=20_000)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        lines, corpus = str(folder / "lines.txt"), str(folder / "text.corpus")
        text = prepare(
            "data:write_closed_text",
            source=str(data / TEXT),
            target=lines,
            words=arguments.words,
            vocabulary=arguments.vocabulary,
        )
        prepare("data:encode", lines=lines, corpus=corpus)
        cases = []
        for model in arguments.models:
            options = {**COMMON, **MODES[MODELS[model]], "loss": "softmax", "min_count": 1, "epochs": 1, "workers": 1}
            given = {"lines": lines, "options": options, "words": int(text["words"])}
            windrow = Side("windrow", "peers:train_windrow", {"corpus": corpus, "options": options})
            cases.append(
                Case(model, [windrow, Side("fasttext", "peers:train_fasttext", given, absent=absence("fasttext"))])
            )
        settings = {**COMMON, "min_count": 1, "words": int(text["words"]), "vocabulary": arguments.vocabulary}
        record = measure(
            "Training with the exact softmax: words a second",
            Measure("words_per_second", "words/s"),
            cases,
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
