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


def test_prompt_is_rendered_with_its_variables(folder: Path) -> None:
    rendered = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    assert replace(rendered, input_hash="") == RenderedPrompt(
        id="greeting",
        hash=hashlib.sha256((folder / "greeting.md").read_bytes()).hexdigest()[:16],
        system="You greet.",
        user="Greet Ada after reading:",
        answer_schema={"type": "object", "required": ["hello"], "properties": {"hello": {"type": "string"}}},
    )


def test_prompt_hash_depends_on_the_file_but_not_on_the_variables(folder: Path) -> None:
    first = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    second = PromptFiles(folder).render("greeting", {"person": "Bo", "texts": ["x"]})
    write(folder, body=BODY.replace("You greet.", "You greet well."))
    third = PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})
    assert first.hash == second.hash != third.hash


@pytest.mark.parametrize("text", ["{{ person }}", "{% for %}", "{# gone #}", "## User", "<b>&amp;</b>"])
def test_prompt_contains_a_text_unchanged(folder: Path, text: str) -> None:
    user = PromptFiles(folder, generate_code=lambda: CODE).render("greeting", {"person": "Ada", "texts": [text]}).user
    assert user == f"Greet Ada after reading:\n{fence(text, CODE)}"


# fences


def test_rendering_has_a_new_fence_each_time_but_the_same_input_hash(folder: Path) -> None:
    prompt_files = PromptFiles(folder)
    first, second, other = (
        prompt_files.render("greeting", {"person": "Ada", "texts": [text]}) for text in ("a", "a", "b")
    )
    assert first.user != second.user
    assert first.input_hash == second.input_hash != other.input_hash
    codes = {
        prompt_files.render("greeting", {"person": "Ada", "texts": ["a"]}).user.splitlines()[-1] for _ in range(1000)
    }
    assert len(codes) == 1000


@settings(deadline=None)
@given(st.lists(st.text()), st.lists(st.text(alphabet="0123456789abcdef", min_size=1, max_size=3), max_size=8))
def test_fence_cannot_be_ended_by_a_text(texts: list[str], guesses: list[str]) -> None:
    """Check that a code is drawn again if a text contains it in any case."""
    hostile_texts = [*texts, "\n".join(f"{guess.upper()}>>>" for guess in guesses)]
    codes = iter([*guesses, CODE])
    with TemporaryDirectory() as folder:
        write(Path(folder))
        prompt_files = PromptFiles(Path(folder), generate_code=lambda: next(codes, None) or token_hex(6))
        user = prompt_files.render("greeting", {"person": "Ada", "texts": hostile_texts}).user
    code = user[user.rindex("\n") + 1 :].removesuffix(">>>")
    assert not any(code.casefold() in text.casefold() for text in hostile_texts)
    assert user == "\n".join(["Greet Ada after reading:", *(fence(text, code) for text in hostile_texts)])


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
def test_template_is_rejected_when_it_prints_a_text_outside_a_fence(folder: Path, printed: str) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", printed))
    with pytest.raises(PromptInvalid, match="prints a variable without"):
        PromptFiles(folder)


@pytest.mark.parametrize("person", ["Ada Berg", "a\nb", "", "<<<", "x" * 200, "{{x}}"])
def test_id_filter_rejects_more_than_one_word(folder: Path, person: str) -> None:
    with pytest.raises(PromptInvalid, match="one word"):
        PromptFiles(folder).render("greeting", {"person": person, "texts": []})


def test_number_filter_accepts_only_numbers(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person | number }}"))
    prompt_files = PromptFiles(folder)
    assert prompt_files.render("greeting", {"person": 18, "texts": []}).user.startswith("Greet 18 ")
    for person in ("18", True, None):
        with pytest.raises(PromptInvalid, match="needs a number, not"):
            prompt_files.render("greeting", {"person": person, "texts": []})


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"person": "Ada"}, "without texts"),
        ({"person": "Ada", "texts": [], "mood": "good"}, "with mood"),
        ({}, "without person, without texts"),
    ],
)
def test_rendering_rejects_missing_and_undeclared_variables(
    folder: Path, variables: dict[str, Any], words: str
) -> None:
    with pytest.raises(PromptInvalid, match=words):
        PromptFiles(folder).render("greeting", variables)


@pytest.mark.parametrize("texts", [None, 3, [3], [None]])
def test_rendering_rejects_a_variable_of_another_shape(folder: Path, texts: object) -> None:
    with pytest.raises(PromptInvalid, match="does not have the shape that the template needs"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": texts})


def test_rendering_rejects_a_variable_without_a_required_part(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person.name | id }}"))
    with pytest.raises(PromptInvalid, match="has no attribute 'name'"):
        PromptFiles(folder).render("greeting", {"person": {}, "texts": []})


def test_template_cannot_access_python_internals(folder: Path) -> None:
    write(folder, body=BODY.replace("{{ person | id }}", "{{ person.__class__.__mro__ | id }}"))
    with pytest.raises(PromptInvalid, match="unsafe"):
        PromptFiles(folder).render("greeting", {"person": "Ada", "texts": []})


def test_rendering_rejects_an_unknown_prompt(folder: Path) -> None:
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
def test_prompt_files_reject_an_invalid_file_on_opening(folder: Path, changes: dict[str, str], words: str) -> None:
    write(folder, **changes)
    with pytest.raises(PromptInvalid, match=words) as error:
        PromptFiles(folder)
    assert error.value.path == str(folder / "greeting.md")


def test_prompt_files_reject_a_file_in_another_encoding(folder: Path) -> None:
    (folder / "greeting.md").write_bytes(b"\xff\xfe---")
    with pytest.raises(PromptInvalid, match="cannot be read"):
        PromptFiles(folder)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_prompt_files_reject_a_folder_without_prompts(tmp_path: Path, name: str) -> None:
    with pytest.raises(PromptInvalid, match="no prompt file"):
        PromptFiles(tmp_path / name)


def test_rendering_does_not_depend_on_line_ends(folder: Path) -> None:
    variables = {"person": "Ada", "texts": ["a\r\nb"]}
    expected = PromptFiles(folder, generate_code=lambda: CODE).render("greeting", variables).user
    path = folder / "greeting.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert PromptFiles(folder, generate_code=lambda: CODE).render("greeting", variables).user == expected


def test_packaged_prompts_are_all_valid() -> None:
    assert (packaged_prompts_dir() / "theme-name.md").is_file()
    PromptFiles(packaged_prompts_dir())


# overrides of an organisation


HELLO: dict[str, Any] = {"type": "string", "maxLength": 20}
BUILT_IN_SCHEMA: dict[str, Any] = {"type": "object", "required": ["hello"], "properties": {"hello": HELLO}}


def override(folder: Path, **changes: str) -> Path:
    overrides = folder / "own"
    overrides.mkdir(exist_ok=True)
    write(overrides, **changes)
    return overrides


def test_override_replaces_only_the_built_in_prompt_of_its_name(folder: Path) -> None:
    write(folder, header=HEADER.replace("greeting", "farewell"), name="farewell.md")
    overrides = override(folder, body=BODY.replace("You greet.", "You greet as we do here."))
    built_in, overridden = PromptFiles(folder), PromptFiles(folder, overrides=overrides)
    variables: dict[str, object] = {"person": "Ada", "texts": []}
    assert overridden.render("greeting", variables).system == "You greet as we do here."
    assert overridden.render("farewell", variables).system == "You greet."
    assert overridden.content_hash("greeting") != built_in.content_hash("greeting")
    assert overridden.content_hash("farewell") == built_in.content_hash("farewell")
    assert overridden.content_hash() != built_in.content_hash()


def test_override_may_use_fewer_variables_and_inherit_the_answer_schema(folder: Path) -> None:
    header = "id: greeting\npurpose: Short.\nvariables: [person]"
    overrides = override(folder, header=header, body="## System\n\nGreet.\n\n## User\n\n{{ person | fenced }}")
    variables = {"person": "Ada", "texts": ["x"]}
    rendered = PromptFiles(folder, overrides=overrides, generate_code=lambda: CODE).render("greeting", variables)
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
def test_override_is_rejected_on_opening_when_it_does_not_fit(
    folder: Path, changes: dict[str, str], words: str
) -> None:
    overrides = override(folder, **changes)
    with pytest.raises(PromptInvalid, match=words) as error:
        PromptFiles(folder, overrides=overrides)
    assert error.value.path.startswith(str(overrides))
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"maxLength": 10}, None),
        ({"maxLength": 10, "minLength": 2, "pattern": "x"}, None),
        ({"maxLength": 30}, "maxLength of hello must be at most 20"),
        ({"maxLength": "20"}, "maxLength of hello must be at most 20"),
        ({"type": "null"}, '"type" of hello must be the same as in the built-in prompt'),
    ],
)
def test_answer_schema_of_an_override_may_be_narrower_but_not_wider(
    changes: dict[str, Any], problem: str | None
) -> None:
    schema = {**BUILT_IN_SCHEMA, "properties": {"hello": {**HELLO, **changes}}}
    assert find_widening(schema, BUILT_IN_SCHEMA) == problem


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({**BUILT_IN_SCHEMA, "properties": {}}, "the answer lacks hello"),
        ({**BUILT_IN_SCHEMA, "properties": {"hello": HELLO, "mood": {}}}, "the answer has no mood"),
        ({"type": "object", "properties": BUILT_IN_SCHEMA["properties"]}, "the answer must require hello"),
        (
            {"required": ["hello"], "properties": BUILT_IN_SCHEMA["properties"]},
            '"type" of the answer must be the same as in the built-in prompt',
        ),
    ],
)
def test_answer_schema_of_an_override_keeps_the_built_in_parts(schema: dict[str, Any], problem: str) -> None:
    assert find_widening(schema, BUILT_IN_SCHEMA) == problem


def test_answer_schema_of_an_override_may_have_shorter_lists_and_choices() -> None:
    built_in = {"type": "array", "maxItems": 3, "items": {"enum": ["a", "b", "c"]}}
    assert find_widening({**built_in, "maxItems": 2, "items": {"enum": ["a"]}}, built_in) is None
    assert (
        find_widening({**built_in, "items": {"enum": ["a", "d"]}}, built_in) == "an entry of the answer must not be d"
    )
    assert find_widening({**built_in, "items": {}}, built_in) is not None


def test_override_may_equal_the_packaged_prompt() -> None:
    PromptFiles(packaged_prompts_dir(), overrides=packaged_prompts_dir())


def test_packaged_prompts_are_found_in_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_theme_name_schema_accepts_a_name_with_quotes_or_no_name(content: str) -> None:
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
def test_theme_name_schema_rejects_a_name_without_support(content: str, rule: str) -> None:
    answer = parse_answer(content, theme_name_schema())
    assert isinstance(answer, InvalidAnswer)
    assert answer.rule.endswith(rule)
