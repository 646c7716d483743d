"""What becomes of quotes when the text they stand in changes or goes: they move with it, or they are withdrawn.

A withdrawn quote keeps the id of its case, and reads "[withdrawn]" wherever a draft or a person's edit repeated it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    Quote,
)
from patternmind.drafting.stopwords import STOPWORDS
from patternmind.grounding import WITHDRAWN
from patternmind.publishing.confidential_phrases import (
    MIN_WORD_LETTERS,
    QUOTATION_PATTERN,
    WordRun,
    split_sentences,
    split_words,
    word_runs,
)

RewriteText = Callable[[str], str]
FieldValues = Mapping[str, str | tuple[str, ...]]

MIN_INLINE_CHARACTERS = 12
"""Characters below which a text is withdrawn only where it is the whole line: "twice" stands in half of all lines."""

PREREADING_PREFIX = "Pre-reading: "
"""Stands before the name of a theme in the name of a draft."""

USER_FIELDS = frozenset({"session", "date"})
"""Fields of a draft that a person filled in when asking for it."""


# Quotes --------------------------------------------------------------------------------------------------------------


def relocate_quote(quote: Quote, before: str, after: str) -> Quote | None:
    """The same words at their place in the field's new text; None where they are no longer said there.

    The two texts are laid side by side token by token: of two places with the same words the right one is taken.
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
    """Spans the texts share, in order: where in the one, where in the other, how many characters."""
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
    """How the words of a draft are told anew.

    ``requote`` gives a quote as it stands now, ``withdrawn`` where it stands no more; ``name`` is for what a theme is
    called, ``words`` for the machine's and ``own_words`` for people's; ``versions`` are new text versions by case id.
    """

    rewrite_quote: Callable[[Quote], Quote]
    rewrite_name: RewriteText
    rewrite_machine_text: RewriteText
    rewrite_user_text: RewriteText
    text_versions: Mapping[str, str]

    def rewrite(self, draft: Draft, log: Sequence[Decision]) -> tuple[Draft, tuple[Decision, ...]]:
        """The draft and its decisions; quotes that still stand, and the lines that are them, stay letter by letter."""
        quotes = {quote: self.rewrite_quote(quote) for claim in draft.claims for quote in claim.quotes}
        stands = frozenset(new.text for new in quotes.values() if new.text != WITHDRAWN)
        gone = {old.text for old, new in quotes.items() if new.text == WITHDRAWN != old.text}
        gone |= {claim.text for claim in draft.claims if _all_quotes_withdrawn(claim, quotes)} - {WITHDRAWN}
        renamed = self._theme_rename(draft)
        pen = _LineRewriter(gone=frozenset(gone - stands), stands=stands, theme_rename=renamed)
        told = replace(
            draft,
            name=draft.name.replace(*renamed) if renamed else draft.name,
            fields=pen.fields(draft.fields, self.rewrite_machine_text)
            | pen.fields(_user_fields(draft.fields), self.rewrite_user_text),
            claims=tuple(self._rewrite_claim(claim, quotes, pen) for claim in draft.claims),
            provenance=replace(draft.provenance, inputs=tuple(map(self._rewrite_input, draft.provenance.inputs))),
            flags=tuple(
                replace(one, text=pen.rewrite_line(one.text, self.rewrite_machine_text)) for one in draft.flags
            ),
        )
        return told, tuple(self._rewrite_decision(one, pen) for one in log)

    def _theme_rename(self, draft: Draft) -> tuple[str, str] | None:
        called = draft.name.removeprefix(PREREADING_PREFIX)
        name = self.rewrite_name(called)
        return (called, name) if called and name != called else None

    def _rewrite_claim(self, claim: Claim, quotes: Mapping[Quote, Quote], line_rewriter: "_LineRewriter") -> Claim:
        told = (
            WITHDRAWN
            if _all_quotes_withdrawn(claim, quotes)
            else line_rewriter.rewrite_line(claim.text, self.rewrite_machine_text)
        )
        return replace(claim, text=told, quotes=tuple(quotes[quote] for quote in claim.quotes))

    def _rewrite_input(self, name: str) -> str:
        case_id, _, version = name.partition("@")
        return f"{case_id}@{self.text_versions.get(case_id, version)}" if version else name

    def _rewrite_decision(self, decision: Decision, line_rewriter: "_LineRewriter") -> Decision:
        edits = dict(line_rewriter.fields(decision.edits, self.rewrite_user_text))
        if isinstance(called := decision.edits.get("name"), str):
            edits["name"] = self.rewrite_name(called)
        return replace(decision, edits=edits, note=line_rewriter.rewrite_line(decision.note, self.rewrite_user_text))


def _user_fields(fields: FieldValues) -> FieldValues:
    return {name: value for name, value in fields.items() if name in USER_FIELDS}


def _all_quotes_withdrawn(claim: Claim, quotes: Mapping[Quote, Quote]) -> bool:
    return bool(claim.quotes) and all(quotes[quote].text == WITHDRAWN for quote in claim.quotes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LineRewriter:
    """Writes lines anew: ``gone`` is blanked, ``stands`` is left, ``renamed`` is a theme's name and what it is now."""

    gone: frozenset[str]
    stands: frozenset[str]
    theme_rename: tuple[str, str] | None

    def fields(self, fields: FieldValues, rewrite: RewriteText) -> dict[str, str | tuple[str, ...]]:
        return {
            name: self.rewrite_line(value, rewrite)
            if isinstance(value, str)
            else tuple(self.rewrite_line(line, rewrite) for line in value)
            for name, value in fields.items()
        }

    def rewrite_line(self, line: str, rewrite: RewriteText) -> str:
        if line in self.stands:
            return line
        if line in self.gone:
            return WITHDRAWN
        for text in sorted((one for one in self.gone if len(one) >= MIN_INLINE_CHARACTERS), key=len, reverse=True):
            line = line.replace(text, WITHDRAWN)
        return rewrite(line.replace(*self.theme_rename) if self.theme_rename else line)


# What only one case says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UniqueTerms:
    """Words, and runs of words, that one case says and no other: where they stand, it is spoken of."""

    words: frozenset[str]
    word_sequences: frozenset[WordRun]

    @classmethod
    def from_texts(cls, gone: Iterable[str], others: Iterable[str]) -> "UniqueTerms":
        words: set[str] = set()
        runs: set[WordRun] = set()
        for text in gone:
            words |= {word for word in split_words(text) if _is_identifying(word)}
            runs |= word_runs(text)
        for text in others:
            words -= set(split_words(text))
            runs -= word_runs(text)
        return cls(frozenset(words), frozenset(runs))

    def occur_in(self, phrase: str) -> bool:
        return not self.words.isdisjoint(split_words(phrase))

    def withdraw_from_name(self, name: str) -> str:
        """A name made of key phrases without those that hold such a word; "[withdrawn]" where none is left."""
        kept = [phrase for phrase in name.split(", ") if not self.occur_in(phrase)]
        return ", ".join(kept) if kept or not name else WITHDRAWN

    def withdraw_sentences(self, text: str) -> str:
        """The text without its sentences that share a run, and without the key phrases quoted in it."""
        told = "".join(
            WITHDRAWN + _trailing_space(part) if self._shares_sequence(part) else part for part in split_sentences(text)
        )
        return QUOTATION_PATTERN.sub(lambda found: found[0] if not self.occur_in(found[0]) else f"“{WITHDRAWN}”", told)

    def withdraw_terms(self, text: str) -> str:
        """The same, and without every single such word."""
        return re.sub(
            r"\w+",
            lambda found: WITHDRAWN if found[0].casefold() in self.words else found[0],
            self.withdraw_sentences(text),
        )

    def _shares_sequence(self, sentence: str) -> bool:
        return not self.word_sequences.isdisjoint(word_runs(sentence))


def _is_identifying(word: str) -> bool:
    return any(char.isdigit() for char in word) or (len(word) >= MIN_WORD_LETTERS and word not in STOPWORDS)


def _trailing_space(part: str) -> str:
    return part[len(part.rstrip()) :]


__all__ = ["PREREADING_PREFIX", "QUOTATION_PATTERN", "DraftRewriter", "UniqueTerms", "relocate_quote", "withdraw_quote"]
