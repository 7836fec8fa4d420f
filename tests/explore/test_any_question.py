"""Whatever the page, or another program, asks: an answer, or a message in one line, and never a fault of the server."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="the extra `explore` is not installed")

from tests.explore.conftest import ODD_WORDS, Answered, InProcess
from tests.test_golden import GOLDEN
from windrow.explore.curves import curves_of
from windrow.explore.guard import MOST_BYTES
from windrow.explore.opened import Opened
from windrow.explore.server import application

TOKEN, PORT = "a-token", 8123
HOST = f"127.0.0.1:{PORT}"
OTHER_MODELS = ("window", "recurrent", "mixture", "cache")  # of language, from the golden files
# The models by their place: vectors, vectors, n-grams, a tagger, a classifier, and the others.
OF_VECTORS = ("complete", "neighbors", "analogy", "map", "analogies", "similarity")
OF_LANGUAGE = ("surprise", "next", "generate")
ANSWERED = [
    *((0, question) for question in OF_VECTORS),
    *((model, question) for model in (2, 5, 6, 7, 8) for question in OF_LANGUAGE),
    *((3, "tag"), (4, "labels")),
]
NOT_ANSWERED = [(0, "nothing"), (0, "tag"), (2, "map"), (9, "map"), (-1, "map"), (10**20, "map")]
WORDS = ["w1", "w2 w3", " w4 ", *ODD_WORDS]
SENTENCES = ["the cat sat", "w1", "good", " ".join(ODD_WORDS)]
TEXTS = [
    *("", " \t\n", "nobody", "x" * 1_001, "x" * 10_000, "the " * 2_500, "x" * 20_001, "<s> a </s>", "$x$", "%s {0} \\"),
    *("<script>alert(1)</script>", "a\0b", "\ud800", "\x1b[31m\u2028\u202e", "\r\n", *WORDS, *SENTENCES),
]
NUMBERS = [0, 1, 2, 3, -1, 60, 5_000, 2**31, 2**63, -(10**30), 10**400, 0.5, 1.0, -0.0, 1e308, math.nan, math.inf]
OTHERS = [None, True, False, [], ["w1"], {}, {"word": "w1"}, "3", "pca", "som"]
# What each field is meant to hold; a question may have others, and anything in them.
FIELDS: dict[str, list[Any]] = {
    **dict.fromkeys(("word", "a", "b", "c"), WORDS),
    **dict.fromkeys(("text", "prompt"), SENTENCES),
    **{
        "how_many": [1, 3],
        "count": [1, 3],
        "most_words": [1, 3],
        "top": [2, 60, 5_000],
        "seed": [0, 1],
        "top_k": [0, 5],
        "temperature": [0.5, 1.0],
        "top_p": [0.5, 1.0],
    },
    **{"method": ["pca"], "all_words": [True, False]},
}
ANY = st.sampled_from([*TEXTS, *NUMBERS, *OTHERS])
MEANT = {name: st.sampled_from(values) for name, values in FIELDS.items()}
ASKED = st.tuples(
    st.fixed_dictionaries({}, optional=MEANT) | st.fixed_dictionaries(MEANT),
    st.dictionaries(st.sampled_from([*FIELDS, "words", "", "__class__"]), ANY, max_size=2),
).map(lambda parts: parts[0] | parts[1])
BODIES = ASKED.map(lambda fields: json.dumps(fields).encode()) | st.sampled_from(
    [b"", b"{", b"[]", b"5", b'"word"', b"null", b"\xff\xfe", b"[" * 50_000, b'{"word": ' + b"9" * 5_000 + b"}"]
)


@pytest.fixture(scope="module")
def client(opened: dict[str, Opened]) -> InProcess:
    golden = (next((GOLDEN / "0.1.0-checksums" / kind).glob("*.safetensors")) for kind in OTHER_MODELS)
    return InProcess(application([*opened.values(), *(Opened.of(str(path)) for path in golden)], TOKEN, PORT))


def strict(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def content(answered: Answered) -> Any:
    """The JSON of an answer, which has what all answers have."""
    assert answered.headers["content-type"] == "application/json"
    assert "default-src 'none'" in answered.headers["content-security-policy"]
    return json.loads(answered.body, parse_constant=strict)


def ask(client: InProcess, path: str, body: bytes, **headers: str) -> Answered:
    return client.request("POST", path, body, {"host": HOST, "content-length": str(len(body)), **headers})


@settings(max_examples=150, deadline=None)
@example(asked=(2, "surprise"), body=b'{"text": "\\ud800"}')
@example(asked=(2, "next"), body=b"[" * 50_000)
@given(asked=st.sampled_from([*ANSWERED, *ANSWERED, *NOT_ANSWERED]), body=BODIES)
def test_any_question_is_answered_or_refused_in_one_line(
    asked: tuple[int, str], body: bytes, client: InProcess
) -> None:
    answered = ask(client, f"/{TOKEN}/ask/{asked[0]}/{asked[1]}", body)
    found = content(answered)
    assert answered.status in ((404,) if asked in NOT_ANSWERED else (200, 400))
    if answered.status == 200:
        assert "error" not in found
    else:
        assert [*found] == ["error"]
        assert 0 < len(found["error"]) < 3_000
        assert found["error"].isprintable(), "one line, without controls"


@settings(deadline=None)
@given(
    body=BODIES,
    host=st.sampled_from([HOST, f"localhost:{PORT}", "127.0.0.1", "evil.example", "", f"evil.example:{PORT}"]),
    token=st.sampled_from([TOKEN, TOKEN[:-1], f"{TOKEN}x", "", "%C3%A9", "..", f"x/../{TOKEN}"]),
    origin=st.sampled_from([None, f"http://{HOST}", "http://evil.example", "null"]),
)
def test_only_the_page_itself_is_answered(
    body: bytes, host: str, token: str, origin: str | None, client: InProcess
) -> None:
    headers = {} if origin is None else {"origin": origin}
    answered = ask(client, f"/{token}/ask/0/neighbors", body, **{**headers, "host": host})
    found = content(answered)
    if host not in (HOST, f"localhost:{PORT}"):
        assert answered.status == 421
    elif origin not in (None, f"http://{HOST}") or token != TOKEN:
        assert answered.status == 403
    else:
        assert answered.status in (200, 400)
    assert (answered.status == 200) == ("neighbors" in found)
    assert (answered.status == 200) == ("error" not in found)


@pytest.mark.parametrize("length", ["", "-1", "1e3", "\xb2", str(MOST_BYTES + 1), "9" * 5_000])
def test_a_question_of_no_length_or_too_much_is_refused(length: str, client: InProcess) -> None:
    answered = ask(client, f"/{TOKEN}/ask/0/neighbors", b"{}", **{"content-length": length})
    assert answered.status in (411, 413)
    assert content(answered)["error"]


def test_numbers_that_json_lacks_are_null(opened: dict[str, Opened]) -> None:
    history = [{"loss": math.nan, "score": math.inf}, {"loss": 2.0, "score": -math.inf}]
    diverged = replace(opened["ngrams"], history=history, curves=curves_of(history))
    shown = InProcess(application([diverged], TOKEN, PORT)).request("GET", f"/{TOKEN}/models", b"", {"host": HOST})
    assert content(shown)["models"][0]["history"] == [{"loss": None, "score": None}, {"loss": 2.0, "score": None}]
