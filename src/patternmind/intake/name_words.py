"""Names that are also words, and when such a word is somebody."""

import re

_WORD_LIST = """
amber angel april art august autumn basil bill brook buck bud bunny chance chip chuck clay cliff crystal daisy dale
dawn destiny dick dot drew duke earl eve faith fern flora frank gene ginger grace grant guy harmony haven hazel heath
heather holly hope hunter iris ivy jack jade jay jewel joy june junior justice lance laurel lily lucky major mark
mason may melody mercy miles misty olive opal page pat patience patty pearl peg penny per piper queen rain ray red
reed rich river rob robin rock rod rose royal ruby rusty sage sandy scout serenity sierra sky skip star sterling stone
storm sue summer sunny van victor violet wade ward warren will willow woody wren
archer baker ball banks barber barrow bass beach bean bell best bird bishop black bloom bond booth brand bridge
bridges brooks brown bush butler carpenter carter case chambers church close cook cooper crane cross day dean drake
english farmer field fields finch fish fisher flower flowers ford forest foster fox freeman french frost fuller
gardener gates gold golden good gray green grey hall hand hardy hart hay head hill hills holder hood hook house hunt
key king knight lake lamb lane law leach lean little lock long love low mace marsh mass mean mills mint moon moor moss
nail new noble north park parker parks peace peak pike place plumber pool pope porter post potter power powers price
prince quick read reader rice ring rivers rush sawyer sharp shepherd short silver singer skinner small smart smith
snow south spear speed spring stock strong swan swift tanner taylor temple thorn tower towers trainer turner walker
wall waters wells west wheeler white wild winter winters wise wolf wood woods word worth wright young
bach bakke bauer berg bjorn dag dahl dal fischer gross gro haug holm jung klein koch kong kaiser lang lund mann meyer
moen richter rune schneider sol stein stern stig strand sunde tor trygg tore vik vos weber
"""
NAME_WORDS = frozenset(_WORD_LIST.split())
"""Names that are also words. Alone they are taken for a name only where the text lets no other reading stand."""
_MONTHS = frozenset({"april", "may", "june", "august"})
_BEFORE_MONTH = re.compile(
    r"(?:\d(?:st|nd|rd|th)?\.?|\b(?:in|since|until|till?|by|of|during|last|next|early|late|mid|end|from|to|this|before"
    r"|after|every|between|through|and|or|on))[\s\-–]+$",
    re.IGNORECASE,
)
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?:;…\n\r|>])[\s\"'“”‘’«»(*_#•\-–—]*$")
_VERBS = (
    "had did said told went came got made took found thought wrote saw knew kept sent gave left built brought ran put"
    " can could would will should must might is was has does says wants needs thinks works asks tells goes knows gets"
    " comes takes makes writes calls sees uses keeps sends fixes finds suggests reports means also never always then"
)
_SOMEBODY_ACTS = re.compile(
    rf"['’]s\b|,? (?:and|og|och|und|en|&) [^\W\d_a-zß-ÿ]|\s+(?:{_VERBS.replace(' ', '|')}|from|[a-z]{{2,}}ed)\b"
)


def is_somebody(text: str, key: str, start: int, end: int) -> bool:
    """Whether a name that is also a word stands for a person here."""
    before, after = text[max(0, start - 40) : start], text[end : end + 40]
    if text[start:end].isupper():
        return False
    if key in _MONTHS and (_BEFORE_MONTH.search(before) or re.match(r"[\s,]+\d", after)):
        return False
    return _SENTENCE_BEGINS.search(before) is None or _SOMEBODY_ACTS.match(after) is not None
