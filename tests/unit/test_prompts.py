import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.adapters import prompts
from patternmind.adapters.gateway import Unfit, read_answer
from patternmind.adapters.prompts import PromptFiles, fence, packaged_prompts
from patternmind.errors import PromptInvalid
from patternmind.ports import RenderedPrompt

HEADER = """\
id: greeting
purpose: Greets one person.
variables: [person, texts]
answer_schema: {type: object, required: [hello], properties: {hello: {type: string}}}"""

BODY = """\
## System

You greet.

## User

Greet {{ person }} after reading:
{% for text in texts %}
{{ text | fenced }}
{% endfor %}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, *, header: str = HEADER, body: str = BODY, name: str = "greeting.md") -> Path:
    path = folder / name
    path.write_text(f"---\n{header}\n---\n{body}\n", encoding="utf-8")
    return path


def test_a_prompt_is_rendered_with_its_variables(folder: Path) -> None:
    assert PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []}) == RenderedPrompt(
        id="greeting",
        hash=hashlib.sha256((folder / "greeting.md").read_bytes()).hexdigest()[:16],
        system="You greet.",
        user="Greet Ada after reading:",
        answer_schema={"type": "object", "required": ["hello"], "properties": {"hello": {"type": "string"}}},
    )


def test_the_hash_names_the_file_and_not_the_variables(folder: Path) -> None:
    first = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    second = PromptFiles(folder).render("greeting", {"person": "Bo", "texts": ["x"]})
    write(folder, body=BODY.replace("You greet.", "You greet well."))
    third = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    assert first.hash == second.hash != third.hash


@pytest.mark.parametrize("text", ["{{ person }}", "{% for %}", "{# gone #}", "## User", "<b>&amp;</b>"])
def test_a_text_is_data_and_stays_as_it_is(folder: Path, text: str) -> None:
    user = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": [text]}).user
    assert user == f"Greet Ada after reading:\n{fence(text)}"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"person": "Ada"}, "without texts"),
        ({"person": "Ada", "texts": [], "mood": "good"}, "with mood"),
        ({}, "without person, without texts"),
    ],
)
def test_other_variables_than_the_declared_are_refused(folder: Path, variables: dict[str, Any], words: str) -> None:
    with pytest.raises(PromptInvalid, match=words):
        PromptFiles(folder).render("greeting", variables)


@pytest.mark.parametrize("texts", [None, 3, [3], [None]])
def test_a_variable_of_another_shape_is_refused(folder: Path, texts: object) -> None:
    with pytest.raises(PromptInvalid, match="not the shape that the template needs"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": texts})


def test_a_missing_part_of_a_variable_is_refused(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person }}", "{{ person.name }}"))
    with pytest.raises(PromptInvalid, match="has no attribute 'name'"):
        PromptFiles(folder).render("greeting", {"person": {}, "texts": []})


def test_a_template_cannot_reach_into_python(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person }}", "{{ person.__class__.__mro__ }}"))
    with pytest.raises(PromptInvalid, match="unsafe"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})


def test_an_unknown_prompt_is_refused(folder: Path) -> None:
    with pytest.raises(PromptInvalid, match=r"farewell\.md: there is no such prompt"):
        PromptFiles(folder).render("farewell", {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"header": HEADER.replace("id: greeting", "id: welcome")}, "not the name of the file"),
        ({"header": HEADER.replace("purpose: Greets one person.\n", "")}, "'purpose' is a required property"),
        ({"header": f"{HEADER}\nmodel: large"}, "'model' was unexpected"),
        ({"header": HEADER.replace("[person, texts]", "[person, person, texts]")}, "non-unique"),
        ({"header": HEADER.replace("[person, texts]", "[person]")}, "are used: with texts"),
        ({"header": HEADER.replace("[person, texts]", "[person, texts, mood]")}, "are used: without mood"),
        ({"header": HEADER.replace("{type: object", "{type: array")}, "'object' was expected"),
        ({"header": HEADER.replace("required: [hello]", "required: hello")}, "no JSON schema"),
        ({"header": "id: [greeting"}, "not valid YAML"),
        ({"header": "only words"}, "not of type 'object'"),
        ({"body": BODY.replace("## System", "## Systems")}, "front matter between"),
        ({"body": BODY.replace("## User", "## Users")}, "front matter between"),
        ({"body": f"Words before.\n{BODY}"}, "front matter between"),
        ({"body": f"{BODY}\n## User\nagain"}, "once each"),
        ({"body": BODY.replace("You greet.", "")}, "a part of it is empty"),
        ({"body": BODY.replace("{% endfor %}", "")}, "its template is not valid"),
        ({"body": BODY.replace("| fenced", "| unknown")}, "its template is not valid"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_when_the_book_is_opened(
    folder: Path, changes: dict[str, str], words: str
) -> None:
    write(folder, **changes)
    with pytest.raises(PromptInvalid, match=words) as refused:
        PromptFiles(folder)
    assert refused.value.path == str(folder / "greeting.md")


def test_a_file_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "greeting.md").write_bytes(b"\xff\xfe---")
    with pytest.raises(PromptInvalid, match="cannot be read"):
        PromptFiles(folder)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_prompts_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PromptInvalid, match="no prompt file"):
        PromptFiles(tmp_path / name)


def test_line_ends_do_not_change_what_is_rendered(folder: Path) -> None:
    variables = {"person": "Ada", "texts": ["a\r\nb"]}
    expected = PromptFiles(folder).render("greeting", variables).user
    path = folder / "greeting.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert PromptFiles(folder).render("greeting", variables).user == expected


@given(st.text())
def test_nothing_in_a_text_can_end_its_fence(text: str) -> None:
    opening, rest = fence(text).split("\n", 1)
    inside, closing = rest.rsplit("\n", 1)
    code = opening.removeprefix("<<<")
    assert inside == text
    assert closing == f"{code}>>>"
    assert code not in text.casefold()
    assert fence(text) == fence(text)


def test_texts_that_differ_have_fences_that_differ() -> None:
    lines = {fence(f"text {n}").split("\n")[0] for n in range(1000)}
    assert len(lines) == 1000


def test_the_packaged_prompts_can_all_be_used() -> None:
    assert (packaged_prompts() / "theme-name.md").is_file()
    PromptFiles(packaged_prompts())


def test_an_installed_package_brings_its_own_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "patternmind"
    monkeypatch.setattr(prompts, "__file__", str(package / "adapters" / "prompts.py"))
    with pytest.raises(PromptInvalid, match="install patternmind again"):
        packaged_prompts()
    (package / "prompts").mkdir(parents=True)
    assert packaged_prompts() == package / "prompts"


def theme_name_schema() -> dict[str, Any]:
    variables: dict[str, object] = {"theme": {"keywords": [], "exemplars": []}, "siblings": [], "contrast": []}
    return dict(PromptFiles(packaged_prompts()).render("theme-name", variables).answer_schema)


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "pallets on hold", "gist": "A pallet leaves.", "quotes": [{"case_id": "c1", "text": "no sign"}]}',
        '{"name": null, "gist": "", "quotes": []}',
    ],
)
def test_a_theme_has_a_name_with_quotes_or_none(content: str) -> None:
    assert not isinstance(read_answer(content, theme_name_schema()), Unfit)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ('{"name": "one two three four five six seven", "gist": "g", "quotes": []}', "properties/name/pattern"),
        ('{"name": "", "gist": "g", "quotes": []}', "properties/name/pattern"),
        ('{"name": "pallets", "gist": "g", "quotes": []}', "then/properties/quotes/minItems"),
        (
            '{"name": "pallets", "gist": "", "quotes": [{"case_id": "c", "text": "t"}]}',
            "then/properties/gist/minLength",
        ),
        ('{"name": "pallets", "gist": "g"}', "required"),
    ],
)
def test_a_theme_name_without_support_does_not_fit(content: str, rule: str) -> None:
    unfit = read_answer(content, theme_name_schema())
    assert isinstance(unfit, Unfit)
    assert unfit.rule.endswith(rule)
