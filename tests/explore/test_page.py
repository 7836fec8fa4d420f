"""The explorer's page in Chromium: what people do, and what they must not be able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import windrow
from tests.explore.browser import chromium
from tests.explore.conftest import ODD_WORDS
from windrow.explore.opened import Opened

# Plotly tries whether an image can have an inline style; the page's policy forbids it, and nothing depends on it.
_KNOWN = "Applying inline style violates"
_PATIENCE = 60  # seconds, on a machine with much else to do


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page; afterwards, nothing must have gone wrong in it, and nothing asked for elsewhere."""
    tab = browser.new_page()
    tab.set_default_timeout(_PATIENCE * 1000)
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    tab.on("request", lambda one: one.url.startswith((address, "blob:", "data:")) or wrong.append(one.url))
    tab.on("response", lambda one: one.status >= 500 and wrong.append(f"{one.status} {one.url}"))
    tab.on("console", lambda one: "Security Policy" in one.text and _KNOWN not in one.text and wrong.append(one.text))
    tab.goto(address)
    tab.wait_for_selector("section")
    yield tab
    tab.close()
    assert not wrong


def panel(page: Any, name: str) -> Any:
    return page.get_by_role("region", name=name)


def send(section: Any, button: str, **fields: str) -> None:
    for name, value in fields.items():
        section.locator(f"[name={name}]").first.fill(value)
    section.get_by_role("button", name=button).click()


def names(section: Any) -> list[str]:
    """The first column of the tables that are shown, once there are some."""
    section.locator("tbody tr").first.wait_for()
    return section.locator("tbody th").all_inner_texts()


def until(page: Any, is_so: Callable[[], bool]) -> None:
    """Wait for something; Playwright's own way to wait for a value needs eval, which the page does not allow."""
    for _ in range(_PATIENCE * 20):
        if is_so():
            return
        page.wait_for_timeout(50)
    pytest.fail("it did not happen")


def choose(page: Any, model: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=f"{model}.safetensors").click()


def test_neighbors_of_words_of_all_scripts_and_signs(page: Any, files: dict[str, Path]) -> None:
    vectors, section = windrow.load(files["vectors"]), panel(page, "Neighbors")
    for word in ("w3", *ODD_WORDS):
        send(section, "Find", word=word, how_many="70")
        section.locator("caption", has_text=f"Nearest to {word}").wait_for()
        assert names(section) == [other for other, _ in vectors.most_similar(word, topn=70)]


def test_two_models_side_by_side(page: Any, files: dict[str, Path]) -> None:
    section = panel(page, "Neighbors")
    section.get_by_label("Beside").select_option("others.safetensors")
    send(section, "Find", word="w1", how_many="3")
    expected = [windrow.load(files[name]).most_similar("w1", topn=3) for name in ("vectors", "others")]
    assert names(section) == [word for found in expected for word, _ in found]


def test_an_analogy_by_keyboard_alone(page: Any, files: dict[str, Path]) -> None:
    section = panel(page, "Analogy")
    section.get_by_label("First word").focus()
    for word in ("w1", "w2", "w3"):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert names(section) == [word for word, _ in windrow.load(files["vectors"]).analogy("w1", "w2", "w3")]


def test_words_are_completed_while_they_are_typed(page: Any) -> None:
    section = panel(page, "Neighbors")
    section.get_by_label("Word", exact=True).press_sequentially("W5")
    options, expected = section.locator("datalist option"), ["w5", *(f"w5{digit}" for digit in range(10))]
    values = "options => options.map(option => option.value)"
    until(page, lambda: options.evaluate_all(values) == expected)  # the words for "W" may be there first


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"word": ""}, "type a word first"),
        ({"word": "nobody"}, "the word 'nobody' is not in the vocabulary"),
        ({"word": "x" * 10_000}, "at most 1,000 characters"),
        ({"word": "<img src=x onerror=alert(1)>"}, "the word '<img' is not in the vocabulary"),
        ({"word": "w1", "how_many": "0"}, "how many = 0 is out of range"),
        ({"word": "w1", "how_many": ""}, "how many = 0 is out of range"),
    ],
)
def test_what_cannot_be_answered_is_a_message_on_the_page(page: Any, fields: dict[str, str], message: str) -> None:
    section = panel(page, "Neighbors")
    send(section, "Find", **fields)
    section.get_by_role("alert").filter(has_text=message).wait_for()
    send(section, "Find", word="w1", how_many="3")
    assert len(names(section)) == 3  # it goes on, and the message is gone
    assert section.get_by_role("alert").inner_text() == ""


def test_a_map_is_drawn_searched_and_moved_by_keys(page: Any) -> None:
    section = panel(page, "Map")
    send(section, "Draw", top="72")
    section.get_by_role("status").filter(has_text="70 words drawn").wait_for()  # two of them say nothing
    section.get_by_label("with stop words").check()
    send(section, "Draw", top="72")
    section.get_by_role("status").filter(has_text="72 words drawn").wait_for()
    assert section.locator(".points path.point").count() == 72
    assert section.locator(".modebar-btn").count() == 4  # and none that sends it to another site
    for word in ODD_WORDS:
        section.locator("form.find [name=word]").fill(word)
        section.get_by_role("button", name="Show").click()
        section.get_by_role("status").filter(has_text=f"{word} is in the middle").wait_for()
        assert word in section.locator("text").all_text_contents()  # as it is, not as HTML
    view = "document.querySelector('.plot').layout.xaxis.range.join(' ')"
    before = page.evaluate(view)
    for key in ("ArrowLeft", "+"):
        section.locator(".plot").press(key)
        until(page, lambda before=before: page.evaluate(view) != before)
        before = page.evaluate(view)
    section.locator("form.find [name=word]").fill("nobody")
    section.get_by_role("button", name="Show").click()
    section.get_by_role("alert").filter(has_text="'nobody' is not on this map").wait_for()


def test_a_map_by_tsne_begins_with_principal_components(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda one: one.url.endswith("/map") and asked.append(one.post_data_json["method"]))
    section = panel(page, "Map")
    section.get_by_label("Method").select_option("tsne")
    send(section, "Draw", top="72")
    section.get_by_role("status").filter(has_text="70 words drawn, t-SNE").wait_for()
    assert section.locator(".points path.point").count() == 70
    assert list(dict.fromkeys(asked)) == ["pca", "tsne"]


def test_scores_with_their_questions(page: Any) -> None:
    section = panel(page, "Analogies")
    section.get_by_role("button").click()
    assert names(section) == ["numbers"]
    section.get_by_text("The questions").click()
    section.get_by_text("numbers").last.click()
    assert sorted(text[2:] for text in section.locator("li").all_inner_texts()) == [
        "w1 is to w2 as w3 is to w4", "w5 is to w6 as w7 is to w8"]  # fmt: skip
    section = panel(page, "Similarity")
    section.get_by_role("button").click()
    section.get_by_text("The pairs").click()
    assert names(section) == ["w1, w2", "w3, w4", "w5, w6"]


def test_a_language_model(page: Any, files: dict[str, Path]) -> None:
    model = windrow.load(files["ngrams"])
    choose(page, "ngrams")
    section = panel(page, "Surprise")
    send(section, "Score", text="the <i>cat</i> sat")
    section.locator(".scored").first.wait_for()
    assert section.locator(".scored bdi").all_inner_texts() == ["the", "<i>cat</i>", "sat", "</s>"]
    assert section.locator(".scored.unknown").count() == 1
    heat = "words => words.map(word => parseInt(word.style.getPropertyValue('--heat')))"
    found = section.locator(".scored").evaluate_all(heat)
    bits = [float(text) for text in section.locator(".scored small").all_inner_texts()]
    assert sorted(range(4), key=found.__getitem__) == sorted(range(4), key=bits.__getitem__)

    section = panel(page, "Next word")
    send(section, "Predict", text="the cat")
    assert names(section) == [word for word, _ in model.top_words("the cat", 15)]

    section = panel(page, "Generate")
    section.get_by_label("Temperature").press("ArrowRight")
    assert section.locator("output").first.inner_text() == "1.05"
    send(section, "Generate", prompt="the", count="2", seed="5")
    section.locator("li").first.wait_for()
    texts = model.generate("the", max_new_tokens=30, temperature=1.05, num_return_sequences=2, seed=5)
    assert section.locator("li bdi").all_inner_texts() == [text.text for text in texts]


def test_a_tagger_and_a_classifier(page: Any, opened: dict[str, Opened]) -> None:
    from windrow.explore.asked import Asked

    choose(page, "tagger")
    send(panel(page, "Entities"), "Tag", text="we wait in Rome")
    panel(page, "Entities").locator(".tagged").wait_for()
    parts = opened["tagger"].answers["tag"](Asked({"text": "we wait in Rome"}))["parts"]
    found = panel(page, "Entities").locator("mark").all_inner_texts()
    assert found == [f"{' '.join(part['tokens'])} {part['type']}" for part in parts if part["type"]]

    choose(page, "classifier")
    send(panel(page, "Labels"), "Classify", text="good")
    assert names(panel(page, "Labels"))[0] == "plus"


def test_each_column_of_a_training_has_a_curve(page: Any, opened: dict[str, Opened]) -> None:
    choose(page, "tagger")
    figures = panel(page, "About this model").locator("figure")
    labels = [curve["label"] for curve in opened["tagger"].curves]
    assert figures.locator("figcaption").all_inner_texts() == labels
    for number in range(len(labels)):
        figures.nth(number).locator(".scatterlayer .point").last.wait_for()
        assert figures.nth(number).locator(".scatterlayer .point").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen_and_colors_have_contrast(
    scheme: str, width: int, browser: Any, address: str
) -> None:
    tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    tab.goto(address)
    tab.wait_for_selector("section")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    color = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    shades = {name: luminance(tab.evaluate(color, f"--{name}")) for name in ("card", "ink", "soft", "wrong", "accent")}
    for name in ("ink", "soft", "wrong", "accent"):  # WCAG 2.2, success criterion 1.4.3
        low, high = sorted((shades[name], shades["card"]))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name
    tab.close()


def luminance(color: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_field_and_button_has_a_name(page: Any, files: dict[str, Path]) -> None:
    unnamed = """elements => elements.filter(element => element.labels?.[0]?.innerText.trim() === "" &&
        !element.ariaLabel || !element.labels?.length && !element.innerText.trim()).map(element => element.outerHTML)"""
    for model in files:
        choose(page, model)
        assert page.locator("section").first.locator("input, select, textarea, button").count() > 1
        assert page.locator("section input, section select, section textarea, button").evaluate_all(unnamed) == []
