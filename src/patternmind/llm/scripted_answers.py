"""Answer every prompt by a fixed rule from its own text, for tests and demos.

The answers only quote the cases, so they pass every check. They are not used to measure quality.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from patternmind.domain.case_fields import SentenceRole, field_named
from patternmind.llm.scripted_model import Script, ScriptedModel
from patternmind.ports import RenderedPrompt

FENCED_PATTERN = re.compile(r"<<<(\w+)\n(.*?)\n\1>>>", re.DOTALL)
CASE_PATTERN = re.compile(
    r"case ([\w.:@+-]+?)(?: \([^)]*\)|, [\w ]+)?(?:, sentence by sentence)?:\n\n<<<(\w+)\n(.*?)\n\2>>>",
    re.IGNORECASE | re.DOTALL,
)
PART_PATTERN = re.compile(r'part "(\w+)":\n\n<<<(\w+)\n(.*?)\n\2>>>', re.DOTALL)
FACET_PATTERN = re.compile(r'^(q\d+) ([a-z ]+?): (.*) "(.*)"$', re.MULTILINE)
SENTENCE_PATTERN = re.compile(r"^(s\d+) (.*)$", re.MULTILINE)

FACET_KIND_BY_ROLE: Mapping[SentenceRole, str] = {
    SentenceRole.CONTEXT: "context",
    SentenceRole.TRIED: "tried",
    SentenceRole.OUTCOME: "outcome",
    SentenceRole.HELPED: "helped",
}

PATTERN_LISTS = (
    "patlet",
    "context",
    "problem",
    "forces",
    "therefore",
    "steps",
    "signs_it_applies",
    "do_not_use_when",
    "consequences",
    "counter_evidence",
)

MAX_SENTENCE_CHARACTERS = 240


def answer_theme_name(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return the first unrefused keyword and the first sentence of the first case."""
    terms = FENCED_PATTERN.findall(prompt.user)[0][1].split(", ")
    cases = [(case_id, text) for case_id, _, text in CASE_PATTERN.findall(prompt.user)]
    n_refused = prompt.user.count("could not stand")
    case_id, text = cases[0]
    gist = first_sentence(text)
    return {"name": terms[n_refused % len(terms)], "gist": gist, "quotes": [{"case_id": case_id, "text": gist}]}


def answer_case_facets(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return one facet per part, with a kind by the role of the part's field."""
    parts = [(field, text) for field, _, text in PART_PATTERN.findall(prompt.user)]
    facets = [
        {
            "kind": FACET_KIND_BY_ROLE.get(field_named(field).role, "problem"),
            "text": first_sentence(text),
            "quote": first_sentence(text),
        }
        for field, text in parts
        if text.strip()
    ]
    return {"facets": facets[:16], "instructions": False}


def answer_candidate_pattern(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return the facets by kind, as a pattern if two cases say what helped."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for id, kind, text, _ in FACET_PATTERN.findall(prompt.user):
        by_kind.setdefault(kind, []).append({"text": text, "facets": [id]})
    helped, problem = by_kind.get("helped", []), by_kind.get("problem", [])
    empty: dict[str, Any] = {name: [] for name in PATTERN_LISTS}
    if len(helped) < 2 or not problem:
        reason = "fewer than two cases say what helped"
        return {**empty, "pattern": False, "reason": reason, "name": "", "problem": problem[:2]}
    therefore = {"text": f"Therefore: {helped[0]['text']}", "facets": helped[0]["facets"]}
    return {
        **empty,
        "pattern": True,
        "reason": "",
        "name": " ".join(helped[0]["text"].split()[:3]),
        "context": by_kind.get("context", [])[:2],
        "problem": problem[:2],
        "therefore": [therefore],
        "steps": helped[1:4],
        "consequences": by_kind.get("outcome", [])[:4],
        "counter_evidence": by_kind.get("did not help", [])[:4],
    }


def answer_weak_support(_: RenderedPrompt) -> dict[str, Any]:
    return {"weak": []}


def answer_prereading(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return sentences of the other cases as voices, and questions about the case's own."""
    cases = [SENTENCE_PATTERN.findall(text) for _, _, text in CASE_PATTERN.findall(prompt.user)]
    own, others = cases[0], [sentence for case in cases[1:] for sentence in case]
    return {
        "leave_with": [{"text": f"We will leave with an answer to this: {own[0][1]}"[:320], "sentences": [own[0][0]]}],
        "voices": [id for id, _ in others[:3]],
        "helped": [_verbatim_item(sentence) for sentence in others[3:6]],
        "disagreement": [],
        "questions": [{"text": f"What is behind this: {text}"[:320], "sentences": [id]} for id, text in own[:3]],
    }


def answer_session_recap(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return the first sentences of the notes, one per bullet."""
    notes = SENTENCE_PATTERN.findall(FENCED_PATTERN.findall(prompt.user)[0][1])
    bullets = ("case", "pattern", "decision", "next_use", "open_question")
    return {name: [_verbatim_item(sentence) for sentence in notes[n : n + 1]] for n, name in enumerate(bullets)}


def answer_theme_change(prompt: RenderedPrompt) -> dict[str, Any]:
    """Return the first sentence of the first new case."""
    newer = [text for case, _, text in CASE_PATTERN.findall(prompt.user) if f"Case {case}, new:" in prompt.user]
    sentences = SENTENCE_PATTERN.findall(newer[0]) if newer else []
    return {"note": [_verbatim_item(sentences[0])] if sentences else []}


def first_sentence(text: str) -> str:
    """Return the text up to the first full stop, verbatim."""
    end = re.search(r"[.!?](?=\s|$)", text)
    return (
        text[: end.end() if end else None].split("\n", maxsplit=1)[0][:MAX_SENTENCE_CHARACTERS].strip()
        or text.strip()[:MAX_SENTENCE_CHARACTERS]
    )


def _verbatim_item(sentence: tuple[str, str]) -> dict[str, Any]:
    return {"text": sentence[1][:280], "sentences": [sentence[0]]}


ANSWER_RULES: Mapping[str, Callable[[RenderedPrompt], dict[str, Any]]] = {
    "theme-name": answer_theme_name,
    "case-facets": answer_case_facets,
    "candidate-pattern": answer_candidate_pattern,
    "weak-support": answer_weak_support,
    "pre-reading": answer_prereading,
    "session-recap": answer_session_recap,
    "theme-change": answer_theme_change,
}


def rule_based_model(**scripts: Script) -> ScriptedModel:
    """Return a model that answers every prompt by rule.

    Args:
        scripts: Scripts by task, with _ for -, that replace the rule of the task.
    """
    return ScriptedModel({**ANSWER_RULES, **{task.replace("_", "-"): script for task, script in scripts.items()}})
