import hashlib
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.errors import PromptInvalid
from patternmind.llm import prompts
from patternmind.llm.gateway import InvalidAnswer, parse_answer
from patternmind.llm.prompts import PromptFiles, fence, packaged_prompts_dir
from patternmind.llm.schema_compatibility import find_widening
from patternmind.ports import RenderedPrompt

CODE = "0123456789ab"

HEADER = """\
id: greeting
purpose: Greets one person.
variables: [person, texts]
answer_schema: {type: object, required: [hello], properties: {hello: {type: string}}}"""

BODY = """\
## System

You greet.

## User

Greet {{ person | id }} after reading:
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
    rendered = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    assert replace(rendered, input_hash="") == RenderedPrompt(
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
    user = PromptFiles(folder, generate_code=lambda: CODE).render("greeting", {"person": "Ada", "texts": [text]}).user
    assert user == f"Greet Ada after reading:\n{fence(text, CODE)}"


# the fence


def test_every_rendering_has_a_fence_of_its_own_and_the_same_input_the_same_hash(folder: Path) -> None:
    book = PromptFiles(folder)
    first, second, other = (book.render("greeting", {"person": "Ada", "texts": [text]}) for text in ("a", "a", "b"))
    assert first.user != second.user
    assert first.input_hash == second.input_hash != other.input_hash
    codes = {book.render("greeting", {"person": "Ada", "texts": ["a"]}).user.splitlines()[-1] for _ in range(1000)}
    assert len(codes) == 1000


@settings(deadline=None)
@given(st.lists(st.text()), st.lists(st.text(alphabet="0123456789abcdef", min_size=1, max_size=3), max_size=8))
def test_nothing_in_a_text_can_end_its_fence(texts: list[str], guesses: list[str]) -> None:
    """Where the code that is drawn stands in any of the texts, in upper case too, another one is drawn."""
    said = [*texts, "\n".join(f"{guess.upper()}>>>" for guess in guesses)]
    codes = iter([*guesses, CODE])
    with TemporaryDirectory() as folder:
        write(Path(folder))
        book = PromptFiles(Path(folder), generate_code=lambda: next(codes, None) or token_hex(6))
        user = book.render("greeting", {"person": "Ada", "texts": said}).user
    code = user[user.rindex("\n") + 1 :].removesuffix(">>>")
    assert not any(code.casefold() in text.casefold() for text in said)
    assert user == "\n".join(["Greet Ada after reading:", *(fence(text, code) for text in said)])


@pytest.mark.parametrize(
    "printed",
    [
        "{{ person }}",
        "{{ person | upper }}",
        "{{ person | fenced | upper }}",
        "{{ person | fenced ~ person }}",
        "{{ person if person else person | fenced }}",
        "{% if person %}{{ person.name }}{% endif %}",
        "{% macro say(it) %}{{ it }}{% endmacro %}{{ say(person) | fenced }}",
    ],
)
def test_a_template_that_prints_a_text_outside_a_fence_is_refused(folder: Path, printed: str) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", printed))
    with pytest.raises(PromptInvalid, match="prints a variable without"):
        PromptFiles(folder)


@pytest.mark.parametrize("person", ["Ada Berg", "a\nb", "", "<<<", "x" * 200, "{{x}}"])
def test_what_is_printed_as_an_id_is_one_word(folder: Path, person: str) -> None:
    with pytest.raises(PromptInvalid, match="one word"):
        PromptFiles(folder).render("greeting", {"person": person, "texts": []})


def test_what_is_printed_as_a_number_is_one(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person | number }}"))
    book = PromptFiles(folder)
    assert book.render("greeting", {"person": 18, "texts": []}).user.startswith("Greet 18 ")
    for person in ("18", True, None):
        with pytest.raises(PromptInvalid, match="needs a number, not"):
            book.render("greeting", {"person": person, "texts": []})


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
    with pytest.raises(PromptInvalid, match="does not have the shape that the template needs"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": texts})


def test_a_missing_part_of_a_variable_is_refused(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person.name | id }}"))
    with pytest.raises(PromptInvalid, match="has no attribute 'name'"):
        PromptFiles(folder).render("greeting", {"person": {}, "texts": []})


def test_a_template_cannot_reach_into_python(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person.__class__.__mro__ | id }}"))
    with pytest.raises(PromptInvalid, match="unsafe"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})


def test_an_unknown_prompt_is_refused(folder: Path) -> None:
    with pytest.raises(PromptInvalid, match=r"farewell\.md: the prompt does not exist"):
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
        ({"header": HEADER.replace("required: [hello]", "required: hello")}, "not a JSON schema"),
        ({"header": "id: [greeting"}, "not valid YAML"),
        ({"header": "only words"}, "not of type 'object'"),
        ({"body": BODY.replace("## System", "## Systems")}, "front matter between"),
        ({"body": BODY.replace("## User", "## Users")}, "front matter between"),
        ({"body": f"Words before.\n{BODY}"}, "front matter between"),
        ({"body": f"{BODY}\n## User\nagain"}, "once each"),
        ({"body": BODY.replace("You greet.", "")}, "a part of it is empty"),
        ({"body": BODY.replace("{% endfor %}", "")}, "its template is not valid"),
        ({"body": BODY.replace("| fenced", "| unknown")}, "its template is not valid"),
        ({"header": HEADER.replace("[person, texts]", "[person, texts, code]")}, "no variable may be named"),
        ({"header": HEADER[: HEADER.index("answer_schema")]}, "has no answer_schema"),
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
    expected = PromptFiles(folder, generate_code=lambda: CODE).render("greeting", variables).user
    path = folder / "greeting.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert PromptFiles(folder, generate_code=lambda: CODE).render("greeting", variables).user == expected


def test_the_packaged_prompts_can_all_be_used() -> None:
    assert (packaged_prompts_dir() / "theme-name.md").is_file()
    PromptFiles(packaged_prompts_dir())


# an organisation's own


HELLO: dict[str, Any] = {"type": "string", "maxLength": 20}
OURS: dict[str, Any] = {"type": "object", "required": ["hello"], "properties": {"hello": HELLO}}


def override(folder: Path, **changes: str) -> Path:
    own = folder / "own"
    own.mkdir(exist_ok=True)
    write(own, **changes)
    return own


def test_a_prompt_of_an_organisations_own_takes_the_place_of_ours_and_of_no_other(folder: Path) -> None:
    write(folder, header=HEADER.replace("greeting", "farewell"), name="farewell.md")
    own = override(folder, body=BODY.replace("You greet.", "You greet as we do here."))
    ours, theirs = PromptFiles(folder), PromptFiles(folder, overrides=own)
    variables: dict[str, object] = {"person": "Ada", "texts": []}
    assert theirs.render("greeting", variables).system == "You greet as we do here."
    assert theirs.render("farewell", variables).system == "You greet."
    assert theirs.content_hash("greeting") != ours.content_hash("greeting")
    assert theirs.content_hash("farewell") == ours.content_hash("farewell")
    assert theirs.content_hash() != ours.content_hash()


def test_an_own_prompt_may_use_fewer_variables_and_take_our_answer_schema(folder: Path) -> None:
    header = "id: greeting\npurpose: Short.\nvariables: [person]"
    own = override(folder, header=header, body="## System\n\nGreet.\n\n## User\n\n{{ person | fenced }}")
    variables = {"person": "Ada", "texts": ["x"]}
    rendered = PromptFiles(folder, overrides=own, generate_code=lambda: CODE).render("greeting", variables)
    assert rendered.user == fence("Ada", CODE)
    assert rendered.answer_schema == PromptFiles(folder).render("greeting", variables).answer_schema


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"header": HEADER.replace("greeting", "welcome"), "name": "welcome.md"}, "no built-in prompt has this name"),
        ({"header": HEADER.replace("texts]", "texts, mood]")}, "has no variable mood; it can use person, texts"),
        ({"body": f"{BODY}{{{{ mood | fenced }}}}"}, "has no variable mood"),
        ({"header": HEADER.replace("[person, texts]", "[person]")}, "are used: with texts"),
        ({"header": HEADER.replace("required: [hello], ", "")}, "accepts more than the built-in one: .* require hello"),
        ({"body": BODY.replace("| fenced", "")}, "without"),
    ],
)
def test_an_own_prompt_that_does_not_fit_is_refused_at_once(folder: Path, changes: dict[str, str], words: str) -> None:
    own = override(folder, **changes)
    with pytest.raises(PromptInvalid, match=words) as refused:
        PromptFiles(folder, overrides=own)
    assert refused.value.path.startswith(str(own))
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"maxLength": 10}, None),
        ({"maxLength": 10, "minLength": 2, "pattern": "x"}, None),
        ({"maxLength": 30}, "maxLength of hello must be at most 20"),
        ({"maxLength": "20"}, "maxLength of hello must be at most 20"),
        ({"type": "null"}, '"type" of hello must be the same as in the built-in prompt'),
    ],
)
def test_an_answer_schema_may_be_narrower_and_never_wider(changed: dict[str, Any], problem: str | None) -> None:
    theirs = {**OURS, "properties": {"hello": {**HELLO, **changed}}}
    assert find_widening(theirs, OURS) == problem


@pytest.mark.parametrize(
    ("theirs", "problem"),
    [
        ({**OURS, "properties": {}}, "the answer lacks hello"),
        ({**OURS, "properties": {"hello": HELLO, "mood": {}}}, "the answer has no mood"),
        ({"type": "object", "properties": OURS["properties"]}, "the answer must require hello"),
        (
            {"required": ["hello"], "properties": OURS["properties"]},
            '"type" of the answer must be the same as in the built-in prompt',
        ),
    ],
)
def test_an_answer_schema_keeps_our_parts(theirs: dict[str, Any], problem: str) -> None:
    assert find_widening(theirs, OURS) == problem


def test_lists_and_choices_may_be_shorter() -> None:
    ours = {"type": "array", "maxItems": 3, "items": {"enum": ["a", "b", "c"]}}
    assert find_widening({**ours, "maxItems": 2, "items": {"enum": ["a"]}}, ours) is None
    assert find_widening({**ours, "items": {"enum": ["a", "d"]}}, ours) == "an entry of the answer must not be d"
    assert find_widening({**ours, "items": {}}, ours) is not None


def test_every_packaged_prompt_can_replace_itself() -> None:
    PromptFiles(packaged_prompts_dir(), overrides=packaged_prompts_dir())


def test_an_installed_package_brings_its_own_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "patternmind"
    monkeypatch.setattr(prompts, "__file__", str(package / "adapters" / "prompts.py"))
    with pytest.raises(PromptInvalid, match="install patternmind again"):
        packaged_prompts_dir()
    (package / "prompts").mkdir(parents=True)
    assert packaged_prompts_dir() == package / "prompts"


def theme_name_schema() -> dict[str, Any]:
    theme: dict[str, object] = {"keywords": [], "exemplars": []}
    variables: dict[str, object] = {"theme": theme, "siblings": [], "contrast": [], "refused": []}
    return dict(PromptFiles(packaged_prompts_dir()).render("theme-name", variables).answer_schema)


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "pallets on hold", "gist": "A pallet leaves.", "quotes": [{"case_id": "c1", "text": "no sign"}]}',
        '{"name": null, "gist": "", "quotes": []}',
    ],
)
def test_a_theme_has_a_name_with_quotes_or_none(content: str) -> None:
    assert not isinstance(parse_answer(content, theme_name_schema()), InvalidAnswer)


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
    unfit = parse_answer(content, theme_name_schema())
    assert isinstance(unfit, InvalidAnswer)
    assert unfit.rule.endswith(rule)
