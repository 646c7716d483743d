"""Find keys, tokens and passwords: those that common services issue, and values after "password="."""

import re
from collections.abc import Iterator

from patternmind.ingestion.redaction.spans import Span

_ISSUED_KEY = re.compile(
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"  # AWS access key ids
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|gl(?:pat|dt|rt|cbt)-[\w-]{20,}"
    r"|xox[abeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}"  # Slack
    r"|[spr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}"  # Stripe
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"  # Google
    r"|sk-(?:proj-|svcacct-|admin-|ant-|or-)?[\w-]{20,}"  # OpenAI, Anthropic, OpenRouter
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|gsk_[A-Za-z0-9]{40,}|dop_v1_[0-9a-f]{64}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|(?:AC|SK)[0-9a-f]{32}"  # SendGrid, Shopify, Twilio
    r"|(?<![A-Za-z0-9])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}"  # JWT, signed or encrypted
    r"|dckr_pat_[\w-]{20,}|glsa_\w{32,}|AGE-SECRET-KEY-1[0-9A-Z]{50,}"
)
_PRIVATE_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[^\ue000])*-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:\s+[A-Za-z0-9+/=]{16,})*)"
)
"""Matches the whole block, or the remaining lines if its end is missing."""
_AUTHORIZATION_HEADER = re.compile(
    r"(?<!\w)(?:bearer|basic)\s+(?P<value>(?=[\w.~+/=-]*\d)[\w.~+/-]{16,}=*)", re.IGNORECASE
)
_ISSUED_KEY_HINTS = tuple(
    "AKIA ASIA ABIA ACCA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- xox xapp- k_live_"
    " k_test_ whsec_ AIza ya29. GOCSPX- sk- hf_ npm_ pypi- gsk_ dop_v1_ SG. shp AC SK eyJ dckr_pat_ glsa_"
    " AGE-SECRET-KEY-1".split()
)
"""Fragments that almost no text contains, and that are faster to search than patterns."""
_SECRET_WORDS = (
    *("password", "passwd", "passphrase", "passcode", "pass", "pwd", "pw", "secret", "token", "credential", "pin"),
    *("api", "access", "private", "auth", "account", "client", "shared", "signing", "encryption"),
    *("passwort", "kennwort", "passord", "lösenord", "wachtwoord", "adgangskode", "mot de passe", "contraseña"),
    *("senha", "hasło"),
)
_ASSIGNED_SECRET = re.compile(
    r"(?:pass(?:word|wd|phrase|code|wort|ord)?|pwd|pw|secret|token|credentials?|pin(?: code)?"
    r"|(?:api|access|secret|private|auth|account|client|shared|signing|encryption)[ _-]?(?:access[ _-]?)?(?:key"
    r"|token|secret)"
    r"|kennwort|lösenord|wachtwoord|adgangskode|mot de passe|contraseña|senha|hasło)"
    r"[\"']?(?P<by>[ \t]{0,2}(?:[:=]|:=|=>)[ \t]{0,2}|[ \t](?:is|was|ist|war|er|var)[ \t](?:now[ \t]|still[ \t])?)"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`<>\ue000\[\]]{4,200})",
    re.IGNORECASE,
)
_TRAILING_PUNCTUATION = ".,;:?)}"


def find_secrets(text: str) -> Iterator[Span]:
    """Find issued keys, private key blocks, bearer tokens and assigned secrets.

    A secret is assigned after a word such as "password". That word stays, so that the sentence still explains the
    problem.
    """
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY_BLOCK.finditer(text):
            yield (*match.span(), "[key]")
    if any(hint in text for hint in _ISSUED_KEY_HINTS):
        for match in _ISSUED_KEY.finditer(text):
            if not _is_inside_word(text, match.start()):
                yield (*match.span(), "[key]")
    lowered = text.lower()
    if "bearer" in lowered or "basic" in lowered:
        for match in _AUTHORIZATION_HEADER.finditer(text):
            yield (*match.span("value"), "[key]")
    yield from _find_assigned_secrets(text, lowered if len(lowered) == len(text) else text)


def _find_assigned_secrets(text: str, lowered: str) -> Iterator[Span]:
    for name in _SECRET_WORDS:
        start = lowered.find(name)
        while start >= 0:
            match = None if _is_inside_word(text, start) else _ASSIGNED_SECRET.match(text, start)
            value = match["value"].rstrip(_TRAILING_PUNCTUATION) if match else ""
            if match and _is_secret(value, is_assigned="=" in match["by"]):
                yield match.start("value"), match.start("value") + len(value), "[key]"
            start = lowered.find(name, start + len(name))


def _is_secret(value: str, *, is_assigned: bool) -> bool:
    """Return whether a value is a secret.

    After "=" any four characters are. After ":" or "is", the value must not look like a word of the sentence.
    """
    if len(value) < 4 or (value.isdecimal() and len(value) > 12):
        return False
    if is_assigned and not value.startswith(("$", "{", "%", "(")):
        return True
    kinds = (
        any(c.isalpha() for c in value),
        any(c.isdigit() for c in value),
        any(not c.isalnum() for c in value.strip("-/.,")),
    )
    mixed = any(c.islower() for c in value) and any(c.isupper() for c in value[1:])
    return value.isdecimal() or (sum(kinds) >= 2 and (kinds[1] or (kinds[2] and mixed)))


def _is_inside_word(text: str, start: int) -> bool:
    """Return whether a match begins inside a longer word; ``AWS_SECRET`` counts as two words."""
    return start > 0 and text[start - 1].isalnum()
