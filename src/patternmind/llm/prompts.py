"""The prompt book: one Markdown file a prompt, checked when it is opened, rendered with exactly its variables."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from patternmind.errors import PromptInvalid
from patternmind.llm.schema_compatibility import find_widening
from patternmind.ports import RenderedPrompt

HEADER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "purpose", "variables"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "purpose": {"type": "string", "minLength": 1},
        "variables": {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        },
        "answer_schema": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"const": "object"}},
        },
    },
}
"""What the front matter holds: ``answer_schema`` is a JSON schema (2020-12) of an object."""

PROMPT_FILE_PATTERN = re.compile(
    r"\A---\n(?P<header>.*?)\n---\n\s*^## System\n(?P<system>.*?)^## User\n(?P<user>.*)\Z", re.DOTALL | re.MULTILINE
)

FENCE_CODE_VARIABLE = "code"
"""The one name a template knows beside its variables: the code of this prompt's fences."""

SAFE_FILTERS = ("fenced", "id", "number")
"""What may print a variable: nothing that a member wrote can stand in a prompt outside its fence."""

PRINTABLE_ID = re.compile(r"[A-Za-z0-9][\w.:@+-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    path: Path
    id: str
    hash: str
    variables: frozenset[str]
    used_variables: frozenset[str]
    answer_schema: Mapping[str, Any] | None
    system: Template
    user: Template


def generate_fence_code() -> str:
    """Twelve hex digits that nobody who writes a case can guess."""
    return token_hex(6)


class PromptFiles:
    """``PromptBook`` over the ``*.md`` files of a folder, all of them checked at once."""

    def __init__(
        self, directory: Path, *, overrides: Path | None = None, draw: Callable[[], str] = generate_fence_code
    ) -> None:
        """
        Args:
            overrides: a folder with prompts of an organisation's own, each under the name of the one it replaces. It
                may use fewer of its variables, and its answers must fit ours too.
            draw: gives the code of a prompt's fences, another one every time it is asked; at random but for a test.

        Raises:
            PromptInvalid: a file cannot be used, or there is none.
        """
        environment = _environment()
        self._directory = directory
        self._generate_code = draw
        self._prompts = {path.stem: _read_prompt(path, environment) for path in _list_prompt_files(directory)}
        for prompt in self._prompts.values():
            if prompt.answer_schema is None:
                raise PromptInvalid(prompt.path, "its front matter has no answer_schema")
            _check_variables(prompt.path, declared=prompt.variables, actual=prompt.used_variables, verb="are used")
        for path in _list_prompt_files(overrides) if overrides else []:
            self._prompts[path.stem] = _apply_override(self._prompts, _read_prompt(path, environment))

    def content_hash(self, *prompt_ids: str) -> str:
        """Names the content of these prompts together; of all, where none is named."""
        said = {id: prompt.hash for id, prompt in self._prompts.items() if id in prompt_ids or not prompt_ids}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """The prompt, ready to send. The same variables give the same ``input_hash``, and each time another fence.

        Raises:
            PromptInvalid: no such prompt, or the variables are not exactly the ones it declares.
        """
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            raise PromptInvalid(self._directory / f"{prompt_id}.md", "there is no such prompt")
        _check_variables(prompt.path, declared=prompt.variables, actual=variables.keys(), verb="were given")
        shown = json.dumps(dict(variables), ensure_ascii=False, sort_keys=True, default=str)
        values = {name: variables[name] for name in prompt.used_variables} | {
            FENCE_CODE_VARIABLE: self._unused_code(shown)
        }
        return RenderedPrompt(
            id=prompt.id,
            hash=prompt.hash,
            system=_render_template(prompt.path, prompt.system, values),
            user=_render_template(prompt.path, prompt.user, values),
            answer_schema=prompt.answer_schema or {},
            input_hash=hashlib.sha256(shown.encode(errors="surrogatepass")).hexdigest(),
        )

    def _unused_code(self, text: str) -> str:
        """A code that stands nowhere in what is shown."""
        plain, code = text.casefold(), self._generate_code()
        while code.casefold() in plain:
            code = self._generate_code()
        return code


def packaged_prompts_dir() -> Path:
    """The folder of the prompts that belong to this version: in the installed package, else in the repository.

    Raises:
        PromptInvalid: neither is there.
    """
    here = Path(__file__).resolve()
    package, repository = here.parents[1], here.parents[3]
    if (package / "prompts").is_dir():
        return package / "prompts"
    if (repository / "pyproject.toml").is_file() and (repository / "prompts").is_dir():
        return repository / "prompts"
    raise PromptInvalid(package / "prompts", "the folder is missing from this installation; install patternmind again")


def fence(text: str, code: str) -> str:
    """The text between two lines of its own, so that nothing in it can pass for the end of it."""
    return f"<<<{code}\n{text}\n{code}>>>"


@pass_context
def _fenced_filter(context: Context, text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"only a text can be fenced, not {type(text).__name__}")
    return fence(text, cast("str", context[FENCE_CODE_VARIABLE]))


def _id_filter(value: object) -> str:
    text = str(value)
    if PRINTABLE_ID.fullmatch(text) is None:
        raise TypeError("what is printed as an id must be one word of letters, digits and . : @ + _ -")
    return text


def _number_filter(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"what is printed as a number must be one, not {type(value).__name__}")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is no HTML; texts are fenced instead
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = cast("dict[str, Any]", environment.filters)
    filters |= {"fenced": _fenced_filter, "id": _id_filter, "number": _number_filter}
    return environment


def _list_prompt_files(directory: Path) -> list[Path]:
    paths = sorted(directory.glob("*.md"))
    if not paths:
        raise PromptInvalid(directory, "there is no prompt file (*.md) in this folder")
    return paths


def _apply_override(packaged: Mapping[str, _Prompt], override: _Prompt) -> _Prompt:
    """Their prompt, where ours can be left to it."""
    ours = packaged.get(override.id)
    if ours is None:
        raise PromptInvalid(
            override.path, f"there is no prompt of that name to replace; there are {', '.join(packaged)}"
        )
    unknown = sorted((override.variables | override.used_variables) - ours.variables)
    if unknown:
        known = ", ".join(sorted(ours.variables))
        raise PromptInvalid(override.path, f"it has no variable {', '.join(unknown)}; it can use {known}")
    _check_variables(override.path, declared=override.variables, actual=override.used_variables, verb="are used")
    if override.answer_schema is not None and (
        problem := find_widening(override.answer_schema, ours.answer_schema or {})
    ):
        raise PromptInvalid(override.path, f"its answer_schema lets through what ours does not: {problem}")
    return replace(override, variables=ours.variables, answer_schema=override.answer_schema or ours.answer_schema)


def _read_prompt(path: Path, environment: SandboxedEnvironment) -> _Prompt:
    try:
        content = path.read_bytes()
        parts = PROMPT_FILE_PATTERN.match(content.decode("utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise PromptInvalid(path, f"it cannot be read ({type(error).__name__})") from error
    if parts is None:
        raise PromptInvalid(path, 'it must be front matter between "---" lines, then "## System" and "## User"')
    header = _read_header(path, parts["header"])
    system, user = (_compile_template(path, parts[part], environment) for part in ("system", "user"))
    used = meta.find_undeclared_variables(environment.parse(parts["system"] + parts["user"]))
    return _Prompt(
        path=path,
        id=header["id"],
        hash=hashlib.sha256(content).hexdigest()[:16],
        variables=frozenset(header["variables"]),
        used_variables=frozenset(used - {FENCE_CODE_VARIABLE}),
        answer_schema=header.get("answer_schema"),
        system=system,
        user=user,
    )


def _read_header(path: Path, text: str) -> dict[str, Any]:
    try:
        header: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PromptInvalid(path, "its front matter is not valid YAML") from error
    validator = cast("Any", Draft202012Validator)(HEADER_SCHEMA)
    problem: Any = next(validator.iter_errors(header), None)
    if problem is not None:
        raise PromptInvalid(path, f"its front matter at {problem.json_path}: {problem.message}")
    valid = cast("dict[str, Any]", header)
    if valid["id"] != path.stem:
        raise PromptInvalid(path, f'its id is "{valid["id"]}", not the name of the file')
    if FENCE_CODE_VARIABLE in valid["variables"]:
        raise PromptInvalid(path, f'no variable may be called "{FENCE_CODE_VARIABLE}": it is the code of the fences')
    try:
        Draft202012Validator.check_schema(valid.get("answer_schema", {}))
    except SchemaError as error:
        raise PromptInvalid(path, f"its answer_schema is no JSON schema: {error.message}") from error
    return valid


def _compile_template(path: Path, text: str, environment: SandboxedEnvironment) -> Template:
    if not text.strip():
        raise PromptInvalid(path, "a part of it is empty")
    if re.search(r"^## (System|User)$", text, re.MULTILINE):
        raise PromptInvalid(path, '"## System" and "## User" must stand in it once each')
    try:
        template = environment.from_string(text.strip())
        tree = environment.parse(text)
    except TemplateError as error:
        raise PromptInvalid(path, f"its template is not valid: {error.message}") from error
    if any(not _is_safe_node(node) for output in tree.find_all(nodes.Output) for node in output.nodes):
        raise PromptInvalid(path, 'it prints a variable without "| fenced" (or "| id", "| number")')
    return template


def _is_safe_node(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name in SAFE_FILTERS
    return isinstance(node, nodes.TemplateData) or (isinstance(node, nodes.Name) and node.name == FENCE_CODE_VARIABLE)


def _check_variables(path: Path, *, declared: frozenset[str], actual: Any, verb: str) -> None:
    """Raise where the variables are not exactly the declared ones."""
    missing, extra = sorted(declared - set(actual)), sorted(set(actual) - declared)
    if missing or extra:
        names = ", ".join(["without " + name for name in missing] + ["with " + name for name in extra])
        raise PromptInvalid(path, f"not exactly its declared variables {verb}: {names}")


def _render_template(path: Path, template: Template, variables: Mapping[str, object]) -> str:
    try:
        return template.render(variables).strip()
    except (TemplateError, TypeError, AttributeError) as error:  # none of these quotes a value
        raise PromptInvalid(path, f"a variable has not the shape that the template needs: {error}") from error
