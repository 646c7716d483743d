"""Score a sentence as remedy or problem by its own words: mood, tense and vocabulary."""

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
"""An imperative: an everyday verb at the beginning, such as "Ask before the truck leaves"."""

SUBJECTLESS_STEP = re.compile(
    r"^(?!(?:during|according|following|regarding|concerning|including|nothing|something|everything|anything|morning"
    r"|evening|being|having|missing|failing|indeed|speed)\b)\w{2,}(?:ing|ed)\b",
    re.IGNORECASE,
)
"""A note of a step, without a subject: "Opening every box", "Called every site"."""

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
"""Opening with a reference, which is more common in a story than in a rule."""


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
"""Words that a cue needs: a search only in sentences with one of them is three times as fast."""


def remedy_log_odds(sentence: str) -> float:
    """Return the log-odds that a sentence describes a remedy rather than the problem.

    The weights were set by hand near the coefficients of a logistic regression on the lessons corpus; its two halves
    give the same signs. docs/decisions/0009-lenses.md has the accuracy on other texts.
    """
    words = frozenset(WORD.findall(sentence.casefold().replace("’", "'")))

    def has_cue(cue: re.Pattern[str]) -> bool:
        return not words.isdisjoint(CUE_WORDS[cue]) and cue.search(sentence) is not None

    is_imperative = IMPERATIVE.search(sentence) is not None
    is_obligation, is_recommendation = has_cue(OBLIGATION_CUE), has_cue(RECOMMENDATION_CUE)
    log_odds = 2.3 * is_imperative + 2.0 * is_obligation + 1.2 * is_recommendation
    if not is_imperative:
        log_odds += 0.7 * (SUBJECTLESS_STEP.search(sentence) is not None)
    if not (is_imperative or is_obligation or is_recommendation):
        log_odds -= 0.4 * (not words.isdisjoint(FAILURE_WORDS))
    if has_cue(UNSOLVED_CUE):
        log_odds -= 0.7
    else:
        log_odds += 0.7 * has_cue(REMEDY_CUE) + 0.3 * (not words.isdisjoint(MODAL_VERBS))
    return log_odds + _narrative_log_odds(sentence, words, is_imperative=is_imperative)


def _narrative_log_odds(sentence: str, words: frozenset[str], *, is_imperative: bool) -> float:
    """Return the log-odds for signs of a story (tense, dates, figures) or of a question."""
    log_odds = -0.7 * (DATE_REFERENCE.search(sentence) is not None) - 0.4 * (
        DETERMINER_OPENING.search(sentence) is not None
    )
    log_odds -= 0.6 * any(char.isdigit() for char in sentence) + 1.0 * sentence.endswith("?")
    if not words.isdisjoint(PAST_AUXILIARIES):
        return log_odds - 1.2
    return log_odds - 0.3 * (not is_imperative and PAST_TENSE.search(sentence) is not None)


ABSENCE_WORDS = frozenset(
    "no not never nobody nothing none without neither nor can't don't doesn't won't isn't aren't haven't hasn't too"
    " only again instead twice dead empty stopped lack lacks lacked lacking inadequate insufficient incorrect"
    " incorrectly improper improperly poor poorly hazard risk".split()
)
"""Words for a lack or a defect that do not name a failure."""


GOOD_OUTCOME = re.compile(
    r"\b(success|successes|successful|successfully|no (one|personnel) (was|were) (hurt|injured)"
    r"|no (\w+ )?(injur(y|ies)|damage|harm|loss|impact))\b",
    re.IGNORECASE,
)
"""Success, or no harm: such a sentence describes no problem, whatever else it negates."""


def mentions_failure(sentence: str) -> bool:
    return not FAILURE_WORDS.isdisjoint(WORD.findall(sentence.casefold().replace("’", "'")))


def is_narrative(sentence: str) -> bool:
    """Return whether a sentence describes a past event rather than a general rule."""
    words = WORD.findall(sentence.casefold().replace("’", "'"))
    has_narrative_word = not (PAST_AUXILIARIES.isdisjoint(words) and PERSONAL_PRONOUNS.isdisjoint(words))
    return has_narrative_word or PAST_TENSE.search(sentence) is not None or DATE_REFERENCE.search(sentence) is not None


def mentions_problem(sentence: str) -> bool:
    """Return whether the sentence has a word for a failure or a lack."""
    if GOOD_OUTCOME.search(sentence):
        return False
    words = WORD.findall(sentence.casefold().replace("’", "'"))
    return not (FAILURE_WORDS.isdisjoint(words) and ABSENCE_WORDS.isdisjoint(words))
