"""The prompt book: one Markdown file a prompt, checked when it is opened, rendered with exactly its variables."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from patternmind.errors import PromptInvalid
from patternmind.ports import RenderedPrompt

HEADER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "purpose", "variables", "answer_schema"],
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

PARTS = re.compile(
    r"\A---\n(?P<header>.*?)\n---\n\s*^## System\n(?P<system>.*?)^## User\n(?P<user>.*)\Z", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    path: Path
    id: str
    hash: str
    variables: frozenset[str]
    answer_schema: Mapping[str, Any]
    system: Template
    user: Template


class PromptFiles:
    """``PromptBook`` over the ``*.md`` files of a folder, all of them checked at once."""

    def __init__(self, directory: Path) -> None:
        """
        Raises:
            PromptInvalid: a file cannot be used, or there is none.
        """
        environment = _environment()
        self._directory = directory
        self._prompts = {path.stem: _read_prompt(path, environment) for path in sorted(directory.glob("*.md"))}
        if not self._prompts:
            raise PromptInvalid(directory, "there is no prompt file (*.md) in this folder")

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """The prompt, ready to send.

        Raises:
            PromptInvalid: no such prompt, or the variables are not exactly the ones it declares.
        """
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            raise PromptInvalid(self._directory / f"{prompt_id}.md", "there is no such prompt")
        _check_same(prompt.path, declared=prompt.variables, given=variables.keys(), verb="were given")
        return RenderedPrompt(
            id=prompt.id,
            hash=prompt.hash,
            system=_fill_in(prompt.path, prompt.system, variables),
            user=_fill_in(prompt.path, prompt.user, variables),
            answer_schema=prompt.answer_schema,
        )


def packaged_prompts() -> Path:
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


def fence(text: str) -> str:
    """The text between two lines of its own, so that nothing in it can pass for the end of it.

    The code on those lines is derived from the whole text, and derived again while the text contains it: always the
    same for the same text, so that answers can be cached, and not to be guessed from within.
    """
    code, plain = "", text.casefold()
    n_tries = 0
    while not code or code in plain:
        key = f"patternmind fence {n_tries}".encode()
        code = hashlib.blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=6).hexdigest()
        n_tries += 1
    return f"<<<{code}\n{text}\n{code}>>>"


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is no HTML; texts are fenced instead
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fenced"] = fence
    return environment


def _read_prompt(path: Path, environment: SandboxedEnvironment) -> _Prompt:
    try:
        content = path.read_bytes()
        parts = PARTS.match(content.decode("utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise PromptInvalid(path, f"it cannot be read ({type(error).__name__})") from error
    if parts is None:
        raise PromptInvalid(path, 'it must be front matter between "---" lines, then "## System" and "## User"')
    header = _read_header(path, parts["header"])
    prompt = _Prompt(
        path=path,
        id=header["id"],
        hash=hashlib.sha256(content).hexdigest()[:16],
        variables=frozenset(header["variables"]),
        answer_schema=header["answer_schema"],
        system=_compile(path, parts["system"], environment),
        user=_compile(path, parts["user"], environment),
    )
    used = meta.find_undeclared_variables(environment.parse(parts["system"] + parts["user"]))
    _check_same(path, declared=prompt.variables, given=used, verb="are used")
    return prompt


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
    try:
        Draft202012Validator.check_schema(valid["answer_schema"])
    except SchemaError as error:
        raise PromptInvalid(path, f"its answer_schema is no JSON schema: {error.message}") from error
    return valid


def _compile(path: Path, text: str, environment: SandboxedEnvironment) -> Template:
    if not text.strip():
        raise PromptInvalid(path, "a part of it is empty")
    if re.search(r"^## (System|User)$", text, re.MULTILINE):
        raise PromptInvalid(path, '"## System" and "## User" must stand in it once each')
    try:
        return environment.from_string(text.strip())
    except TemplateError as error:
        raise PromptInvalid(path, f"its template is not valid: {error.message}") from error


def _check_same(path: Path, *, declared: frozenset[str], given: Any, verb: str) -> None:
    """Raise where the variables are not exactly the declared ones."""
    missing, extra = sorted(declared - set(given)), sorted(set(given) - declared)
    if missing or extra:
        names = ", ".join(["without " + name for name in missing] + ["with " + name for name in extra])
        raise PromptInvalid(path, f"not exactly its declared variables {verb}: {names}")


def _fill_in(path: Path, template: Template, variables: Mapping[str, object]) -> str:
    try:
        return template.render(variables).strip()
    except (TemplateError, TypeError, AttributeError) as error:  # none of these quotes a value
        raise PromptInvalid(path, f"a variable has not the shape that the template needs: {error}") from error
