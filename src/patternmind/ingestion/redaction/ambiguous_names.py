"""Names that are also words, and a check whether one refers to a person."""

import re

_NAME_AND_WORD_LIST = """
aas abbot amber angel april arch archer armour art ash aspen august aurora autumn bach bacon baker bakke bakken bakker
ball band banks barber bark barn barrow base basil bass batch bauer baum bay beach beacon bean beard beck becker beer
bell belt bench bent berg berge berger berry best bill binder birch bird bishop bjorn black blade blanc blanche blanco
blank block bloom blue blume blunt boer bold bond bone bones bonny boot booth border bos boss boulanger bow bowl
bowman box brace branch brand brass braun brewer brick bridge bridges bright brit broad brook brooks broom brown buck
buckle bud bueno bull bullet bunny burden burn burns burr busch bush butcher butler cable calvo campos cannon card
carol carpenter carter carver case cash castle celeste chambers chance chandler charity chart chase cherry child chip
christian chuck church claire clay clear clement cliff close cloud coal coffin coin collar collier comfort constable
constance consuelo cook cooper cope coral corn costa cotton couch counter court coward craft crane crisp crook cross
crow cruise cruz crystal cutler cutter dag dahl dahle daisy dal dale dance darling dawn day deal dean dear deer dekker
delgado destiny diamond dick dijk diver dock doctor dodge dolly don dot dove downs drake draper draw drew driver drum
duck duke dull dusty dyer eagle earl early east easter ebony echo elder else engel english ernst esperanza eve even
fair faith fall farm farmer fast feather felicity fender fern fiddler field fields fig file finch finder finger fink
fischer fish fisher flag flash fleet fletcher flint flood flora flores flower flowers fontaine foot ford foreman
forest forge fort forward foster fountain fowler fox frame frank freedom freeman freitag french friend frost fry fuchs
fuller gale gamble game gardener garland garner gate gates gauge gay gene gentry ginger glass glen glover gold golden
good goodman gore grace graf grand grant grass grave graves gray green greenwood grey gro groot gross ground grove
groves guerra guest guide guy hage hahn hale hall ham hammer hand handler hansa happy harbour hardy hare harmony harp
harper harrow harry hart harvest hatch haug haugen haven hawk hay hazard hazel head heard heath heather heaven hedge
helm herald hering herring hide high hill hills holder holiday hollow holly holm honey honor hood hook hooper hope
horn horse house humble hunt hunter iglesias inch iris iron irons ivy jack jade jasmine jay jean jersey jet jewel
joiner jolly jong journey joy judge june jung junior justice kaiser keen keep kettle key king kit kitchen kite klein
knight koch kok kong kraft kuhn kuiper ladder lake lamb lance lane lang lark last laurel law laws leach leader leaf
lean ledger lemon leon lever liberty lie light lily lime lin linde line lines little liv live lock locker lodge loft
long loop lord love lovely lover low lower luck lucky lund luz mace magnolia mai major maker mann manor maple marble
march marchand marina mariner mark market marks marsh marshal marvel mason mass master masters match maverick max may
meadow meadows mean meek mei melody mercado mercer merchant mercy merit merry messenger meyer middle miles miller
mills min mina miner minor mint misty moe moen money monk montag moody moon moor moreau moreno morning moss mountain
mouse mulder nail needle ness nest new newman nick nightingale noble noir noon norm north nova oak oats ocean odd
offer olive opal orange otter oven pack packer page painter palace palm palmer pansy paris park parker parks parrot
parson parsons partridge pastor pat path patience patty pawn paz peace peach peacock peak pearl peck peel peer peers
peg pen penny pepper per perch petal petit pfeil phoenix pick pickles pie pierce pierre pigeon pike pilgrim pilot pine
pink piper pit pitch place plain plank plant player plum plumber pole pond pool poor pope poppy porter post pot potter
potts pound power powers press price priest prime prince prior proctor profit prophet proud prudence pump queen quick
quill rabbit race rack rain rains ram ramp randi ranger rank raven ray read reader rebel record red reed reeves reich
reign reine rest reyes rice rich richter rider ridge ring rios ripple ritter river rivers roach road rob robin rocha
rock rocket rocks rod roller roman root roper rosa rose roth rough round rover rowan royal rubio ruby rudder rule rune
rush rust rusty sack sage said sailor saint sale sales sally salmon salt salter sand sande sander sands sandy santos
savage savior sawyer scales schipper schneider scholar school schwarz scout sea seal seaman search seat seidel self
sellers senior serenity sergeant serrano shade shadow shaft share shark sharp sheep sheet shell shelly shepherd shield
shields ship shore short shot shoulder sierra silver simple singer single siri skill skills skinner skip sky slack
slate sleeper small smart smit smith snow sol sole soledad sommer song sonntag sonny soul south southern spade spark
sparks sparrow speaker spear speed spice spicer spike spinner spring square squire squires stable stables staff stage
stamp stamps stand staple staples star stark start steel steele stein sterling stern stew steward stick stig still
stock stocks stone storey storm story stout strand strange stream street string stringer strong stua stubbs sturm sue
sugar summer sunde sunny swallow swan sweet swift sword tab tailor tall tally tanner tasker taylor teal tempest temple
terry tester thatcher thick thorn tide tile timber tinker toll tone tool tor tore torres towel tower towers town
trader train trainer traveller treasure tree trench trigger trim trinity trip trout troy true trump trust trygg tuck
tucker turf turner twist usher vale valley van vang vault verity vicar victor victory vik villa vine vines violet
visser vogel vold vos wade wager wagner wagon wake walker wall want ward ware warner warren washer waste watcher water
waters watts way weaver web webb weber wedge weed week weeks wei weir weiss welder wells welsh werk west wheat wheel
wheeler whistler white wick wide widow wild will willow wind winder window winner winter winters wire wise wit wolf
wonder wood woods woody wool word work worker works world worth wren wright yard year years yellow york young youngman
zen zimmermann zwart
"""
_ROLE_LIST = """
accounting admin administration administrator agent analyst assembly assistant audit author branch building central
cleaning client colleague communication company compliance consultant controlling coordinator crew customer customers
data delivery department dept designer desk developer development digital director employee engineer engineering
everyone external facilitator facilities facility factory finance floor general group helpdesk human information
intern internal inventory lead legal local location logistics main maintenance manager marketing member night nobody
office operation operations operator owner packing participant partner planning plant procurement product production
products project projects purchasing quality receiving reception region research resources room safety sales security
service services several shift shipping site somebody someone staff student supervisor supplier support teacher team
teams technician technology testing training transport unit unknown user users various vendor volunteer warehouse
"""
"""Words that people enter as names: a submitter may be "night shift", but texts about shifts stay as they are."""
AMBIGUOUS_NAMES = frozenset((*_NAME_AND_WORD_LIST.split(), *_ROLE_LIST.split()))
"""Names that are also words. Alone they count as a name only if the text allows no other reading."""
_MONTHS = frozenset({"april", "may", "june", "august"})
_BEFORE_MONTH = re.compile(
    r"(?:\d(?:st|nd|rd|th)?\.?|\b(?:in|since|until|till?|by|of|during|last|next|early|late|mid|end|from|to|this|before"
    r"|after|every|between|through|and|or|on))[\s\-–]+$",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…\n\r|>])[\s\"'“”‘’«»(*_#•\-–—]*$")
_PERSON_VERBS = (
    "had did said told went came got made took found thought wrote saw knew kept sent gave left built brought ran put"
    " can could would will should must might is was has does says wants needs thinks works asks tells goes knows gets"
    " comes takes makes writes calls sees uses keeps sends fixes finds suggests reports means also never always then"
)
_PERSON_ACTS = re.compile(
    rf"['’]s\b|,? (?:and|og|och|und|en|&) [^\W\d_a-zß-ÿ]|\s+(?:{_PERSON_VERBS.replace(' ', '|')}|from|[a-z]{{2,}}ed)\b"
    r"|: ?[\"“„«‘']|: (?:I|I'm|I’m|[Ww]e|[Yy]es|[Nn]o|[Oo]k|[Tt]hanks|[Hh]i)\b"
)
_TITLED = re.compile(
    r"\b(?:mrs?|ms|miss|mx|dr|prof|professor|herr|frau|fru|hr|sir|madam|monsieur|madame|señora?)\.?\s+$", re.IGNORECASE
)

_INTRODUCED = re.compile(
    r"(?:\b(?:name is|named|called|I am|I[’']m|hi|hello|hey|dear|thanks|regards)|\b(?:user|name|by|contact|cc):),?\s+$",
    re.IGNORECASE,
)


def refers_to_person(text: str, key: str, start: int, end: int) -> bool:
    """Return whether a name that is also a word refers to a person here."""
    before, after = text[max(0, start - 40) : start], text[end : end + 40]
    if _TITLED.search(before) or _INTRODUCED.search(before):
        return True
    if text[start:end].isupper():
        return False
    if key in _MONTHS and (_BEFORE_MONTH.search(before) or re.match(r"[\s,]+\d", after)):
        return False
    return _SENTENCE_START.search(before) is None or _PERSON_ACTS.match(after) is not None
