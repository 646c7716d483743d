"""What in a sentence's own words speaks for a remedy or for a problem: its mood, its tense, the words for each."""

import re

OBLIGATION_CUE = re.compile(r"\b(should|must|shall|ought to|needs? to|ha(s|ve) to)\b", re.IGNORECASE)
RECOMMENDATION_CUE = re.compile(
    r"\b(recommend(s|ed|ations?)?|advis(e|ed|able)|best practices?|lessons?|learn(ed|t)|always|never again|next time"
    r"|(is|are|was|were|be|it['’]s) (\w+ )?(essential|important|critical|necessary|imperative|vital|crucial|best|better"
    r"|prudent|worth|mandatory)|be sure|make sure|in (the )?future|from now on)\b",
    re.IGNORECASE,
)
REMEDY_CUE = re.compile(
    r"\b(since then|from then on|solved|fixed|resolved|corrected( by)?|(that|this|it) (helped|worked|works|holds)"
    r"|now we|we now|we (agreed|decided|will)|instead( of)?|work-?around|so that|in order to|helps|tried"
    r"|to (prevent|avoid|ensure|reduce|minimi[sz]e|improve))\b",
    re.IGNORECASE,
)
UNSOLVED_CUE = re.compile(
    r"\b(not|never|nobody|cannot|\w+n['’]t)( \w+){0,2} (solved?|fix(ed)?|resolved?|corrected)\b", re.IGNORECASE
)

IMPERATIVE_VERBS = (
    "add adjust agree allow analy[sz]e apply arrange ask assess assign assume assure attach automate avoid be"
    " begin book budget build call change check choose clarify clean collect communicate compare conduct"
    " confirm connect consider consult contact continue coordinate copy create define demand design designate"
    " determine develop discuss do document educate emphasi[sz]e employ encourage enforce ensure establish"
    " evaluate examine exercise explain find fit fix follow get give have hold identify implement improve"
    " include incorporate increase inform inspect install insure integrate investigate invite involve isolate"
    " issue keep label learn let leave limit listen look maintain make manage measure minimi[sz]e modify"
    " monitor move note obtain open optimi[sz]e order pay perform place plan practi[cs]e prepare prevent print"
    " prohibit promote protect provide publish put read reassess recogni[sz]e record reduce remember remind"
    " remove replace report require research reserve restrict retain review revise run schedule seek select"
    " send separate set share show simplify specify stagger standardi[sz]e start stay stop store streamline"
    " strengthen strive structure submit supply switch take talk teach tell test track train treat try"
    " understand update upgrade use utili[sz]e validate verify wait warn watch wear work write"
)
IMPERATIVE_PREFIX = (
    r"(?:(?:please|also|then|first|finally|instead|therefore"
    r"|(?:to|if|for|where|when|prior to|before|after|in|on|during) [^,]{1,70}),? )?"
    r"(?:always |never |do not |don['’]t |carefully |clearly |properly |only )?"
)
IMPERATIVE = re.compile(
    rf"^{IMPERATIVE_PREFIX}(?:{'|'.join(IMPERATIVE_VERBS.split())})\b(?!\s*(?:of|is|was|were|are|has|had)\b)",
    re.IGNORECASE,
)
"""An imperative: everyday verbs in their plain form at the beginning, "Ask before the truck leaves"."""

SUBJECTLESS_STEP = re.compile(
    r"^(?!(?:during|according|following|regarding|concerning|including|nothing|something|everything|anything|morning"
    r"|evening|being|having|missing|failing|indeed|speed)\b)\w{2,}(?:ing|ed)\b",
    re.IGNORECASE,
)
"""A step without its subject, as people jot down what they tried: "Opening every box", "Asked for a list"."""

MODAL_VERBS = frozenset("can may might could will would".split())
PAST_AUXILIARIES = frozenset("was were had wasn't weren't hadn't".split())
PAST_TENSE = re.compile(
    r"\b(did|went|came|became|began|found|showed|occurred|happened|led|took|gave|made|told|said|saw|sent|got"
    r"|(?<!be )(?<!is )(?<!are )\w{3,}ed)\b",
    re.IGNORECASE,
)
FAILURE_WORDS = frozenset(
    "fail fails failed failure failures failing error errors fault faults broke broken leak leaks leaked leakage damage"
    " damaged problem problems incident incidents accident accidents mishap anomaly anomalies anomalous delay delays"
    " delayed late lost missing missed wrong unable cannot couldn't didn't wasn't crash crashed outage complain"
    " complains complained complaint complaints unexpected unexpectedly discovered noticed stuck confused confusing"
    " confusion nobody".split()
)
DATE_REFERENCE = re.compile(
    r"\b(on|in|during|since|at|by) (the )?(early |late |mid-?)?(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may \d|june?"
    r"|july?|aug(ust)?|sep(t|tember)?|oct(ober)?|nov(ember)?|dec(ember)?|(mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|19\d\d|20\d\d)\b|\b(yesterday|last (week|month|year|night))\b",
    re.IGNORECASE,
)
DETERMINER_OPENING = re.compile(r"^(the|this|these|that|those|it|an?|there)\b", re.IGNORECASE)
"""A sentence that goes on about a certain thing is more often part of a story than of a rule."""


PERSONAL_PRONOUNS = frozenset("i my me mine i'm i've i'd i'll he she his her him".split())

WORD = re.compile(r"\w+(?:'\w+)?")

CUE_WORDS = {
    OBLIGATION_CUE: frozenset("should must shall ought need needs has have".split()),
    RECOMMENDATION_CUE: frozenset(
        "recommend recommends recommended recommendation recommendations advise advised advisable best lesson lessons"
        " learned learnt always never next is are was were be it's sure in from".split()
    ),
    REMEDY_CUE: frozenset(
        "since from solved fixed resolved corrected that this it now we instead work workaround so in helps tried"
        " to".split()
    ),
    UNSOLVED_CUE: frozenset("solve solved fix fixed resolve resolved corrected".split()),
}
"""A pattern is looked for only where one of its words is: three times as fast over a network."""


def remedy_log_odds(sentence: str) -> float:
    """Log-odds that a sentence tells of a remedy rather than of the problem, by its own words.

    The weights were set by hand near the coefficients of a logistic regression on the lessons corpus, whose two halves
    give the same signs; what that is worth on texts that had no part in it is in docs/decisions/0009-lenses.md.
    """
    words = frozenset(WORD.findall(sentence.casefold().replace("’", "'")))

    def says(cue: re.Pattern[str]) -> bool:
        return not words.isdisjoint(CUE_WORDS[cue]) and cue.search(sentence) is not None

    ordered = IMPERATIVE.search(sentence) is not None
    advised, valued = says(OBLIGATION_CUE), says(RECOMMENDATION_CUE)
    found = 2.3 * ordered + 2.0 * advised + 1.2 * valued
    if not ordered:
        found += 0.7 * (SUBJECTLESS_STEP.search(sentence) is not None)
    if not (ordered or advised or valued):
        found -= 0.4 * (not words.isdisjoint(FAILURE_WORDS))
    if says(UNSOLVED_CUE):
        found -= 0.7
    else:
        found += 0.7 * says(REMEDY_CUE) + 0.3 * (not words.isdisjoint(MODAL_VERBS))
    return found + _narrative_log_odds(sentence, words, is_imperative=ordered)


def _narrative_log_odds(sentence: str, words: frozenset[str], *, is_imperative: bool) -> float:
    """Tense, dates and figures of a story; a question asks for help."""
    told = -0.7 * (DATE_REFERENCE.search(sentence) is not None) - 0.4 * (
        DETERMINER_OPENING.search(sentence) is not None
    )
    told -= 0.6 * any(char.isdigit() for char in sentence) + 1.0 * sentence.endswith("?")
    if not words.isdisjoint(PAST_AUXILIARIES):
        return told - 1.2
    return told - 0.3 * (not is_imperative and PAST_TENSE.search(sentence) is not None)


ABSENCE_WORDS = frozenset(
    "no not never nobody nothing none without neither nor can't don't doesn't won't isn't aren't haven't hasn't too"
    " only again instead twice dead empty stopped lack lacks lacked lacking inadequate insufficient incorrect"
    " incorrectly improper improperly poor poorly hazard risk".split()
)
"""Words that say what is absent or amiss without naming a failure."""


GOOD_OUTCOME = re.compile(
    r"\b(success|successes|successful|successfully|no (one|personnel) (was|were) (hurt|injured)"
    r"|no (\w+ )?(injur(y|ies)|damage|harm|loss|impact))\b",
    re.IGNORECASE,
)
"""What went well, or did no harm: such a sentence is no problem, whatever else it denies."""


def mentions_failure(sentence: str) -> bool:
    return not FAILURE_WORDS.isdisjoint(WORD.findall(sentence.casefold().replace("’", "'")))


def is_narrative(sentence: str) -> bool:
    """Whether a sentence tells what once was, to whom, or when, rather than what is so whenever it comes up."""
    words = WORD.findall(sentence.casefold().replace("’", "'"))
    told = not (PAST_AUXILIARIES.isdisjoint(words) and PERSONAL_PRONOUNS.isdisjoint(words))
    return told or PAST_TENSE.search(sentence) is not None or DATE_REFERENCE.search(sentence) is not None


def mentions_problem(sentence: str) -> bool:
    """Whether something fails, lacks or is amiss, by the sentence's words."""
    if GOOD_OUTCOME.search(sentence):
        return False
    words = WORD.findall(sentence.casefold().replace("’", "'"))
    return not (FAILURE_WORDS.isdisjoint(words) and ABSENCE_WORDS.isdisjoint(words))


__all__ = ["UNSOLVED_CUE", "is_narrative", "mentions_failure", "mentions_problem", "remedy_log_odds"]
