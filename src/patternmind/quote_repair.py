"""Move or withdraw quotes when their source text changes or is removed.

A withdrawn quote keeps the id of its case. It reads "[withdrawn]" in each draft and edit that repeated it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from patternmind.domain.draft_fields import WITHDRAWN, DraftFields, FieldValue, map_lines
from patternmind.domain.drafts import Claim, Decision, Draft, Quote, parse_case_input
from patternmind.drafting.stopwords import STOPWORDS
from patternmind.publishing.confidential_phrases import (
    MIN_WORD_LETTERS,
    QUOTATION_PATTERN,
    WordRun,
    split_sentences,
    split_words,
    word_runs,
)

RewriteText = Callable[[str], str]

MIN_INLINE_CHARACTERS = 12
"""Minimum length of a text that is withdrawn within a line; half of all lines contain "twice".

A shorter text is withdrawn only if it is the whole line.
"""

PREREADING_PREFIX = "Pre-reading: "
"""Prefix of a theme's name in the name of a draft."""

USER_FIELDS = frozenset({"session", "date"})
"""Fields of a draft that the requesting person filled in."""


# Quotes --------------------------------------------------------------------------------------------------------------


def relocate_quote(quote: Quote, before: str, after: str) -> Quote | None:
    """Return the quote at its position in the field's new text; ``None`` if the text no longer contains it.

    The texts are aligned token by token, so that the right one of two equal passages is selected.
    """
    if before[quote.start : quote.end] == quote.text:
        for old, new, length in _common_spans(before, after):
            if old <= quote.start and quote.end <= old + length:
                return _quote_at(quote, quote.start - old + new)
    if after.count(quote.text) == 1:
        return _quote_at(quote, after.index(quote.text))
    return None


def _quote_at(quote: Quote, start: int) -> Quote:
    return replace(quote, start=start, end=start + len(quote.text))


@lru_cache(maxsize=64)  # a case is quoted many times
def _common_spans(before: str, after: str) -> tuple[tuple[int, int, int], ...]:
    """Return the common spans in order, as (start before, start after, number of characters)."""
    old, new = re.findall(r"\s+|\S+\s*", before), re.findall(r"\s+|\S+\s*", after)
    starts = [_token_starts(old), _token_starts(new)]
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return tuple((starts[0][a], starts[1][b], starts[0][a + n] - starts[0][a]) for a, b, n in blocks if n)


def _token_starts(tokens: Sequence[str]) -> list[int]:
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return starts


def withdraw_quote(quote: Quote) -> Quote:
    return replace(quote, start=0, end=0, text=WITHDRAWN)


# Drafts --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRewriter:
    """Callbacks that rewrite the text of a draft.

    Attributes:
        rewrite_quote: Returns the quote as it is now, or a withdrawn one.
        rewrite_name: Rewrites the name of a theme.
        rewrite_machine_text: Rewrites generated text.
        rewrite_user_text: Rewrites text that a person wrote.
        text_versions: New text versions by case id.
    """

    rewrite_quote: Callable[[Quote], Quote]
    rewrite_name: RewriteText
    rewrite_machine_text: RewriteText
    rewrite_user_text: RewriteText
    text_versions: Mapping[str, str]

    def rewrite(self, draft: Draft, log: Sequence[Decision]) -> tuple[Draft, tuple[Decision, ...]]:
        """Rewrite a draft and its decisions; valid quotes, and lines equal to them, stay unchanged."""
        quotes = {quote: self.rewrite_quote(quote) for claim in draft.claims for quote in claim.quotes}
        unchanged = frozenset(new.text for new in quotes.values() if new.text != WITHDRAWN)
        removed = {old.text for old, new in quotes.items() if new.text == WITHDRAWN != old.text}
        removed |= {claim.text for claim in draft.claims if _all_quotes_withdrawn(claim, quotes)} - {WITHDRAWN}
        theme_rename = self._theme_rename(draft)
        line_rewriter = _LineRewriter(
            removed=frozenset(removed - unchanged), unchanged=unchanged, theme_rename=theme_rename
        )
        rewritten = replace(
            draft,
            name=draft.name.replace(*theme_rename) if theme_rename else draft.name,
            fields=line_rewriter.rewrite_fields(draft.fields, self.rewrite_machine_text)
            | line_rewriter.rewrite_fields(_user_fields(draft.fields), self.rewrite_user_text),
            claims=tuple(self._rewrite_claim(claim, quotes, line_rewriter) for claim in draft.claims),
            provenance=replace(draft.provenance, inputs=tuple(map(self._rewrite_input, draft.provenance.inputs))),
            flags=tuple(
                replace(flag, text=line_rewriter.rewrite_line(flag.text, self.rewrite_machine_text))
                for flag in draft.flags
            ),
        )
        return rewritten, tuple(self._rewrite_decision(decision, line_rewriter) for decision in log)

    def _theme_rename(self, draft: Draft) -> tuple[str, str] | None:
        old_name = draft.name.removeprefix(PREREADING_PREFIX)
        new_name = self.rewrite_name(old_name)
        return (old_name, new_name) if old_name and new_name != old_name else None

    def _rewrite_claim(self, claim: Claim, quotes: Mapping[Quote, Quote], line_rewriter: "_LineRewriter") -> Claim:
        text = (
            WITHDRAWN
            if _all_quotes_withdrawn(claim, quotes)
            else line_rewriter.rewrite_line(claim.text, self.rewrite_machine_text)
        )
        return replace(claim, text=text, quotes=tuple(quotes[quote] for quote in claim.quotes))

    def _rewrite_input(self, name: str) -> str:
        case_id, version = parse_case_input(name)
        return f"{case_id}@{self.text_versions.get(case_id, version)}" if version else name

    def _rewrite_decision(self, decision: Decision, line_rewriter: "_LineRewriter") -> Decision:
        edits = dict(line_rewriter.rewrite_fields(decision.edits, self.rewrite_user_text))
        if isinstance(name := decision.edits.get("name"), str):
            edits["name"] = self.rewrite_name(name)
        return replace(decision, edits=edits, note=line_rewriter.rewrite_line(decision.note, self.rewrite_user_text))


def _user_fields(fields: DraftFields) -> DraftFields:
    return {name: value for name, value in fields.items() if name in USER_FIELDS}


def _all_quotes_withdrawn(claim: Claim, quotes: Mapping[Quote, Quote]) -> bool:
    return bool(claim.quotes) and all(quotes[quote].text == WITHDRAWN for quote in claim.quotes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LineRewriter:
    """Rewrites lines: withdraws ``removed`` texts, skips ``unchanged`` ones, and applies a rename (old, new)."""

    removed: frozenset[str]
    unchanged: frozenset[str]
    theme_rename: tuple[str, str] | None

    def rewrite_fields(self, fields: DraftFields, rewrite: RewriteText) -> dict[str, FieldValue]:
        return map_lines(fields, lambda line: self.rewrite_line(line, rewrite))

    def rewrite_line(self, line: str, rewrite: RewriteText) -> str:
        if line in self.unchanged:
            return line
        if line in self.removed:
            return WITHDRAWN
        for text in sorted(self.removed, key=len, reverse=True):
            if len(text) >= MIN_INLINE_CHARACTERS:
                line = line.replace(text, WITHDRAWN)
        return rewrite(line.replace(*self.theme_rename) if self.theme_rename else line)


# Terms of a single case ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UniqueTerms:
    """Words and word runs that occur in a single case, so that they identify it."""

    words: frozenset[str]
    word_sequences: frozenset[WordRun]

    @classmethod
    def from_texts(cls, removed: Iterable[str], others: Iterable[str]) -> "UniqueTerms":
        words: set[str] = set()
        runs: set[WordRun] = set()
        for text in removed:
            words |= {word for word in split_words(text) if _is_identifying(word)}
            runs |= word_runs(text)
        for text in others:
            words -= set(split_words(text))
            runs -= word_runs(text)
        return cls(frozenset(words), frozenset(runs))

    def occur_in(self, phrase: str) -> bool:
        return not self.words.isdisjoint(split_words(phrase))

    def withdraw_from_name(self, name: str) -> str:
        """Remove the key phrases with such a word; return "[withdrawn]" if no phrase remains."""
        phrases = [phrase for phrase in name.split(", ") if not self.occur_in(phrase)]
        return ", ".join(phrases) if phrases or not name else WITHDRAWN

    def withdraw_sentences(self, text: str) -> str:
        """Withdraw sentences with such a word run, and quoted phrases with such a word."""
        remaining = "".join(
            WITHDRAWN + _trailing_space(part) if self._shares_sequence(part) else part for part in split_sentences(text)
        )
        return QUOTATION_PATTERN.sub(lambda match: f"“{WITHDRAWN}”" if self.occur_in(match[0]) else match[0], remaining)

    def withdraw_terms(self, text: str) -> str:
        """Withdraw such sentences and quoted key phrases, and each remaining such word."""
        return re.sub(
            r"\w+",
            lambda match: WITHDRAWN if match[0].casefold() in self.words else match[0],
            self.withdraw_sentences(text),
        )

    def _shares_sequence(self, sentence: str) -> bool:
        return not self.word_sequences.isdisjoint(word_runs(sentence))


def _is_identifying(word: str) -> bool:
    return any(char.isdigit() for char in word) or (len(word) >= MIN_WORD_LETTERS and word not in STOPWORDS)


def _trailing_space(part: str) -> str:
    return part[len(part.rstrip()) :]


__all__ = ["PREREADING_PREFIX", "QUOTATION_PATTERN", "DraftRewriter", "UniqueTerms", "relocate_quote", "withdraw_quote"]
