"""Check the wording of every text that a person reads. ``make check`` runs it; with findings it exits with 1.

The rules are data: tools/wording.toml. Checked are Markdown without code, templates, scripts, and in Python docstrings,
comments, names of tests and, below src, string literals that are sentences.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))
BANNED = [(re.compile(pattern, re.IGNORECASE), better) for pattern, better in RULES["banned"].items()]
ALLOWED = re.compile("|".join(RULES["allowed"]), re.IGNORECASE)
HEADLESS = re.compile(RULES["docstrings"]["headless"])
TEST_START = re.compile(RULES["tests"]["banned_start"])
MAX_SUMMARY_WORDS = RULES["docstrings"]["max_summary_words"]
Text = tuple[int, str]
Finding = tuple[Path, int, str]


def markdown_texts(source: str) -> Iterator[Text]:
    """Yield each line outside code blocks, without inline code and link targets."""
    in_code = False
    for number, line in enumerate(source.splitlines(), 1):
        in_code ^= line.lstrip().startswith("```")
        if not in_code:
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def python_texts(source: str, *, with_messages: bool) -> Iterator[Text]:
    tree = ast.parse(source)
    documented = set(docstrings(tree))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_sentence = re.search(r"[a-z] [a-z]", node.value) and not re.search(r"\\[wbds]|\(\?|\[\^", node.value)
            if node in documented or (with_messages and is_sentence):
                yield from ((node.lineno + offset, line) for offset, line in enumerate(node.value.splitlines()))


def python_findings(path: Path, source: str) -> Iterator[Finding]:
    """Yield docstring summaries and test names that break the rules of form."""
    for constant in docstrings(ast.parse(source)):
        summary = re.split(r"(?<=[.:;])\s", str(constant.value).strip())[0]
        if HEADLESS.match(summary):
            yield path, constant.lineno, f"docstring without a head: {summary[:60]!r}; start with a verb or a noun"
        if len(summary.split()) > MAX_SUMMARY_WORDS:
            yield path, constant.lineno, f"summary of {len(summary.split())} words (at most {MAX_SUMMARY_WORDS})"
    for match in re.finditer(r"def (test_\w+)", source) if "tests" in path.parts else ():
        name, line = match[1], source.count("\n", 0, match.start()) + 1
        if TEST_START.match(name):
            yield path, line, f"{name}: name the unit first"
        yield from banned_findings(path, [(line, name.replace("_", " "))])


def banned_findings(path: Path, texts: list[Text]) -> Iterator[Finding]:
    for line, text in texts:
        for pattern, better in BANNED:
            for match in pattern.finditer(ALLOWED.sub("", text)):
                yield path, line, f"{match[0]!r}: {better}"


def findings(path: Path) -> Iterator[Finding]:
    relative, source = path.relative_to(ROOT), path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        texts = python_texts(source, with_messages=relative.parts[0] == "src")
        yield from python_findings(relative, source)
    else:
        texts = markdown_texts(source) if path.suffix == ".md" else enumerate(source.splitlines(), 1)
    yield from banned_findings(relative, list(texts))


def main() -> int:
    roots = [ROOT / name for name in sys.argv[1:] or RULES["checked"]]
    files = [file for root in roots for file in ([root] if root.is_file() else sorted(root.rglob("*")))]
    skipped = tuple(RULES["skipped"])
    checked = [p for p in files if p.suffix in RULES["suffixes"] and not str(p.relative_to(ROOT)).startswith(skipped)]
    all_findings = [finding for file in checked for finding in findings(file)]
    for path, line, message in all_findings:
        sys.stdout.write(f"{path}:{line}: {message}\n")
    sys.stdout.write(f"wording: {len(all_findings)} findings in {len(checked)} files\n")
    return min(len(all_findings), 1)


if __name__ == "__main__":
    raise SystemExit(main())
