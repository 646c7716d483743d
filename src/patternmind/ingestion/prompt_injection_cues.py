"""Cues of text for a machine: orders in a dozen languages, markup, prompt frames, templates, formulas.

Each cue has lower-case fragments without which it cannot match, because a plain search is far faster than a pattern.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    pattern: re.Pattern[str]
    required_fragments: tuple[str, ...]

    def matches(self, text: str, folded: str) -> bool:
        """Return whether the cue is in a text; ``folded`` is the text in lower case."""
        return any(fragment in folded for fragment in self.required_fragments) and self.pattern.search(text) is not None


def _cue(fragments: str, *patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> Cue:
    return Cue(
        re.compile("|".join(patterns), flags), tuple(fragment.replace("_", " ") for fragment in fragments.split())
    )


_EARLIER_WORDS = r"(?:above|previous|prior|preceding|earlier|former|existing|other|system)"
_INSTRUCTION_WORDS = r"(?:instructions?|prompts?|rules?|orders?|directions?|messages?|context|texts?|guidelines?)"

ORDERS = (
    _cue(
        "ignore disregard forget override bypass",
        rf"\b(?:ignore|disregard|forget|override|bypass)\b.{{0,30}}\b{_EARLIER_WORDS}\b.{{0,20}}\b{_INSTRUCTION_WORDS}\b",
        r"\b(?:ignore|disregard|override) (?:all|your|these|the) (?:instructions|rules|guidelines|prompt)\b",
    ),
    _cue(
        "you_are_now you_are_no",
        r"\byou are (?:now|no longer) (?:an? |the |in )?(?:\w+ )?(?:ai|assistant|model|admin\w*|developer|dan"
        r"|\w*bot)\b",
    ),
    _cue(
        "system_ developer_",
        r"\b(?:system|developer) (?:prompt|override|instruction)s?\b|\b(?:system|developer) message\s*:",
    ),
    _cue(
        "_ai ai, ai: llm language_model chatbot assistant gpt",
        r"(?:^|[.!?\n:]\s*)(?:dear|attention|hey|hello|note to(?: the)?|to the|as an?) (?:ai|llm|language model|chatbot"
        r"|assistant|gpt)\b",
    ),
    _cue(
        "reveal print repeat output show leak",
        r"\b(?:reveal|print|repeat|output|show|leak) (?:me )?(?:the |your |all )*(?:system |hidden |secret |full )+"
        r"(?:prompt|instructions|api keys?|credentials|passwords?)\b",
    ),
    _cue(
        "respond answer reply output",
        r"\b(?:respond|answer|reply|output) (?:only )?with (?:the )?(?:exactly|json|only"
        r"|following (?:json|text|words))\b",
    ),
    _cue(
        "theme pattern draft case candidate summari drafting naming asked_to",
        r"\b(?:name|call) th(?:is|e) (?:theme|pattern)\b",
        r"\bmark (?:this|the|every|all) (?:draft|pattern|case|candidate)s? as (?:accepted|approved|reviewed)\b",
        r"\bwhen (?:you )?(?:summari[sz]\w*|are asked to|draft|name)\b.{0,40}\b(?:say|write|answer|include|add)\b",
    ),
    _cue(
        "ignorer", r"\bignorer (?:alle|de|tidligere|forrige|dine|all)\b.{0,40}\b(?:instruks|ordre|regl|beskjed|melding)"
    ),
    _cue(
        "ignorier vergiss missachte",
        r"\b(?:ignorier|vergiss|missachte)\w*\b.{0,30}\b(?:anweisung|befehl|regeln|vorgaben|instruktion)",
    ),
    _cue(
        "instruc instruç istruzion consigne órdenes ordres",
        r"\b(?:ignor(?:a|ad|ate|ez)|oublie[sz]?|olvid\w+|esque\w+|dimentic\w+)\b.{0,40}(?:instruc\w+|instruç\w+|istruzion\w+|consigne|órdenes|ordres)"
        r"|\bignore\b.{0,30}instruç",
    ),
    _cue(
        "instructies instruktioner instrukcj",
        r"\b(?:negeer|vergeet)\b.{0,30}\binstructies\b|\bglöm\b.{0,30}\binstruktioner\b|\bzignoruj\b.{0,30}\binstrukcj",
    ),
    _cue(
        "忽略 无视 無視 忘记 忘記 忘れ",
        r"(?:忽略|无视|無視|忘记|忘記).{0,12}(?:指令|指示|说明|說明|提示|规则|規則)|指示を(?:全て|すべて)?(?:無視|忘れ)",
    ),
    _cue("تجاهل انس اهمل", r"(?:تجاهل|انس|اهمل).{0,30}(?:التعليمات|الأوامر|تعليمات)"),
    _cue("игнориру забуд", r"(?:игнориру|забуд)\w+.{0,30}(?:инструкци|указани|правил)"),
    _cue("무시 잊", r"(?:이전|위의).{0,12}(?:지시|명령|지침).{0,8}(?:무시|잊)"),
    _cue("अनदेखा भूल", r"(?:पिछले|सभी).{0,20}निर्देश.{0,20}(?:अनदेखा|भूल)"),
    _cue("התעלם שכח", r"(?:התעלם|שכח).{0,30}הוראות"),
    _cue("talimat", r"(?:önceki|tüm).{0,20}talimat.{0,20}(?:yok say|unut)"),
)

MARKUP = _cue(
    "< ]( ][ ![ script: data: \x1b onerror onload onclick onmouse onfocus ontoggle",
    r"!\[[^\]\n]{0,200}\]\s?[(\[]|\]\(\s*(?:javascript|data|vbscript|file):",
    r"<(?:script|img|iframe|svg|object|embed|link|meta|style|form|a\s|base|video|audio|body|input|button|math|details)\b",
    r"\bon(?:error|load|click|mouseover|focus|toggle)\s*=|\b(?:javascript|vbscript):|\bdata:text/html|\x1b\]8;|\x1b\[",
)

FRAME = _cue(
    "< >>> inst] system assistant developer user instruction role \": ':",
    r"<\|[\w ]{2,20}\|>|\[/?INST\]|<</?SYS>>|</?s>\s",
    r"^#{1,4} ?(?:system|assistant|user|instructions?)\s*:?\s*$|^\s*(?:system|assistant|developer)\s*:\s",
    r"^\s*<{3,}\w*\s*$|^\s*\w*>{3,}\s*$|[\"']role[\"']\s*:\s*[\"'](?:system|assistant|user)",
    r"[\"'}\]]\s*,?\s*[\"'](?:name|gist|quotes|solution|case_id|claims|state|text)[\"']\s*:",
    r"</?(?:system|instructions?|prompt|assistant|data|document|case|untrusted)\b[^>]{0,40}>",
    flags=re.IGNORECASE | re.MULTILINE,
)

TEMPLATE = _cue(
    "{{ {% ${ <% #{",
    r"\{\{.{1,200}?\}\}|\{%.{1,200}?%\}|\$\{[^}\n]{1,200}\}|<%.{1,200}?%>|#\{[^}\n]{1,200}\}",
    flags=re.DOTALL,
)

FORMULA = re.compile(r"\s*(?:[=+\-@]\s*[A-Za-z][A-Za-z.]*\s*[(|]|=\s*\S+[+&!]\S)")
"""Matches at the beginning of a text: "=HYPERLINK(", "+cmd|", "@SUM("; not "- We waited (for hours)"."""
