"""Load prompts from Markdown files, validate them, and render them with their declared variables."""

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
        "answer_schema": {"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}},
    },
}
"""Schema of the front matter; ``answer_schema`` is a JSON schema (2020-12) of an object."""

PROMPT_FILE_PATTERN = re.compile(
    r"\A---\n(?P<header>.*?)\n---\n\s*^## System\n(?P<system>.*?)^## User\n(?P<user>.*)\Z", re.DOTALL | re.MULTILINE
)

FENCE_CODE_VARIABLE = "code"
"""Name of the fence code, available to templates in addition to their variables."""

SAFE_FILTERS = ("fenced", "id", "number")
"""Filters that may print a variable; a member's text thus never appears unfenced."""

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
    """Return twelve random hex digits that no author of a case can guess."""
    return token_hex(6)


class PromptFiles:
    """``PromptTemplates`` from the ``*.md`` files of a folder; all files are validated at once."""

    def __init__(
        self, directory: Path, *, overrides: Path | None = None, generate_code: Callable[[], str] = generate_fence_code
    ) -> None:
        """Load and validate all prompts.

        Args:
            overrides: Folder with an organisation's own prompts, each named like the built-in prompt that it replaces.
                A prompt may use fewer variables, and its answers must also fit the built-in schema.
            generate_code: Returns a new code for the fences of each prompt; random except in tests.

        Raises:
            PromptInvalid: A file is invalid, or the folder has no prompt.
        """
        environment = _environment()
        self._directory = directory
        self._generate_code = generate_code
        self._prompts = {path.stem: _read_prompt(path, environment) for path in _list_prompt_files(directory)}
        for prompt in self._prompts.values():
            if prompt.answer_schema is None:
                raise PromptInvalid(prompt.path, "its front matter has no answer_schema")
            _check_variables(prompt.path, declared=prompt.variables, actual=prompt.used_variables, verb="are used")
        for path in _list_prompt_files(overrides) if overrides else []:
            self._prompts[path.stem] = _apply_override(self._prompts, _read_prompt(path, environment))

    def content_hash(self, *prompt_ids: str) -> str:
        """Return a common hash of these prompts, or of all prompts without an argument."""
        hashes = {id: prompt.hash for id, prompt in self._prompts.items() if id in prompt_ids or not prompt_ids}
        return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()[:16]

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """Render a prompt with a new fence code; equal variables give the same ``input_hash``.

        Raises:
            PromptInvalid: The prompt does not exist, or the variables differ from the declared ones.
        """
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            raise PromptInvalid(self._directory / f"{prompt_id}.md", "the prompt does not exist")
        _check_variables(prompt.path, declared=prompt.variables, actual=variables.keys(), verb="were passed")
        serialized = json.dumps(dict(variables), ensure_ascii=False, sort_keys=True, default=str)
        values = {name: variables[name] for name in prompt.used_variables} | {
            FENCE_CODE_VARIABLE: self._unused_code(serialized)
        }
        return RenderedPrompt(
            id=prompt.id,
            hash=prompt.hash,
            system=_render_template(prompt.path, prompt.system, values),
            user=_render_template(prompt.path, prompt.user, values),
            answer_schema=prompt.answer_schema or {},
            input_hash=hashlib.sha256(serialized.encode(errors="surrogatepass")).hexdigest(),
        )

    def _unused_code(self, text: str) -> str:
        """Return a code that does not occur in the text."""
        folded, code = text.casefold(), self._generate_code()
        while code.casefold() in folded:
            code = self._generate_code()
        return code


def packaged_prompts_dir() -> Path:
    """Return the folder of the built-in prompts, in the package or the repository.

    Raises:
        PromptInvalid: Neither folder exists.
    """
    here = Path(__file__).resolve()
    package, repository = here.parents[1], here.parents[3]
    if (package / "prompts").is_dir():
        return package / "prompts"
    if (repository / "pyproject.toml").is_file() and (repository / "prompts").is_dir():
        return repository / "prompts"
    raise PromptInvalid(package / "prompts", "the folder is missing from this installation; install patternmind again")


def fence(text: str, code: str) -> str:
    """Put the text between two lines with a code, which the text cannot imitate."""
    return f"<<<{code}\n{text}\n{code}>>>"


@pass_context
def _fenced_filter(context: Context, text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"only a text can be fenced, not {type(text).__name__}")
    return fence(text, cast("str", context[FENCE_CODE_VARIABLE]))


def _id_filter(value: object) -> str:
    text = str(value)
    if PRINTABLE_ID.fullmatch(text) is None:
        raise TypeError("an id must be one word of letters, digits and . : @ + _ -")
    return text


def _number_filter(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"the filter number needs a number, not {type(value).__name__}")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is not HTML; texts are fenced instead
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = cast("dict[str, Any]", environment.filters)
    filters |= {"fenced": _fenced_filter, "id": _id_filter, "number": _number_filter}
    return environment


def _list_prompt_files(directory: Path) -> list[Path]:
    paths = sorted(directory.glob("*.md"))
    if not paths:
        raise PromptInvalid(directory, "this folder has no prompt file (*.md)")
    return paths


def _apply_override(packaged: Mapping[str, _Prompt], override: _Prompt) -> _Prompt:
    """Return the override with the variables of the built-in prompt that it replaces."""
    builtin = packaged.get(override.id)
    if builtin is None:
        raise PromptInvalid(
            override.path, f"no built-in prompt has this name; the built-in prompts are {', '.join(packaged)}"
        )
    unknown = sorted((override.variables | override.used_variables) - builtin.variables)
    if unknown:
        available = ", ".join(sorted(builtin.variables))
        raise PromptInvalid(override.path, f"it has no variable {', '.join(unknown)}; it can use {available}")
    _check_variables(override.path, declared=override.variables, actual=override.used_variables, verb="are used")
    if override.answer_schema is not None and (
        problem := find_widening(override.answer_schema, builtin.answer_schema or {})
    ):
        raise PromptInvalid(override.path, f"its answer_schema accepts more than the built-in one: {problem}")
    return replace(override, variables=builtin.variables, answer_schema=override.answer_schema or builtin.answer_schema)


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
        raise PromptInvalid(path, f'no variable may be named "{FENCE_CODE_VARIABLE}": it is the code of the fences')
    try:
        Draft202012Validator.check_schema(valid.get("answer_schema", {}))
    except SchemaError as error:
        raise PromptInvalid(path, f"its answer_schema is not a JSON schema: {error.message}") from error
    return valid


def _compile_template(path: Path, text: str, environment: SandboxedEnvironment) -> Template:
    if not text.strip():
        raise PromptInvalid(path, "a part of it is empty")
    if re.search(r"^## (System|User)$", text, re.MULTILINE):
        raise PromptInvalid(path, 'it must contain "## System" and "## User" once each')
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
    """Raise ``PromptInvalid`` unless the variables are exactly the declared ones."""
    missing, extra = sorted(declared - set(actual)), sorted(set(actual) - declared)
    if missing or extra:
        names = ", ".join(["without " + name for name in missing] + ["with " + name for name in extra])
        raise PromptInvalid(path, f"the declared variables differ from those that {verb}: {names}")


def _render_template(path: Path, template: Template, variables: Mapping[str, object]) -> str:
    try:
        return template.render(variables).strip()
    except (TemplateError, TypeError, AttributeError) as error:  # none of these quotes a value
        raise PromptInvalid(path, f"a variable does not have the shape that the template needs: {error}") from error
