"""Find national identity, tax and insurance numbers.

Check digits, dates and context words distinguish them from part numbers. A format that fewer than about one in a
hundred random numbers pass (two check digits, or one and a date) counts anywhere. A format that more of them pass, or
that has no check, counts only after a word that names it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from patternmind.ingestion.redaction.identifiers import luhn
from patternmind.ingestion.redaction.spans import Span

Check = Callable[[str], bool]
"""Check of a number's letters and digits, in upper case and without separators."""


@dataclass(frozen=True, slots=True)
class _IdFormat:
    """A country's number format. ``context`` matches the words it needs before it, if any."""

    country: str
    pattern: re.Pattern[str]
    check: Check
    context: re.Pattern[str] | None = None


def _id_format(country: str, pattern: str, check: Check, context: str = "") -> _IdFormat:
    """Compile a format. No letter or digit may follow the pattern; ``context`` may precede it by 24 characters."""
    words = re.compile(rf"(?<![^\W_])(?:{context})(?![^\W_])[^\n]{{0,24}}$", re.IGNORECASE) if context else None
    return _IdFormat(country, re.compile(rf"(?:{pattern})(?![^\W_]|[-/.]\d)", re.IGNORECASE), check, words)


# Checks --------------------------------------------------------------------------------------------------------------


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_date(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def _is_ssn(digits: str) -> bool:
    """Exclude area 000 and 666, group 00 and serial 0000 (SSA); areas from 900 are tax numbers."""
    return digits[:3] not in {"000", "666"} and digits[3:5] != "00" and digits[5:] != "0000"


def _is_nino(code: str) -> bool:
    """Exclude prefixes that are not used (HM Revenue and Customs, NIM39110)."""
    return code[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_nhs(digits: str) -> bool:
    check = 11 - _weighted(digits[:9], tuple(range(10, 1, -1))) % 11
    return check != 10 and check % 11 == int(digits[9])


def _is_fnr(digits: str) -> bool:
    """Check two sums modulo 11 (Skatteetaten).

    D-numbers add 40 to the day; other numbers add 40, 65 or 80 to the month.
    """
    day, month = int(digits[:2]) % 40, int(digits[2:4])
    months = (month, month - 40, month - 65, month - 80)
    first = _weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return any(_is_date(day, candidate) for candidate in months) and first == 0 and second == 0


def _is_personnummer(digits: str) -> bool:
    """Check Luhn over the last ten digits (Skatteverket); coordination numbers add 60 to the day."""
    digits = digits[-10:]
    return _is_date(int(digits[4:6]) % 60, int(digits[2:4])) and luhn(digits)


def _is_cpr(digits: str) -> bool:
    return _is_date(int(digits[:2]) % 60, int(digits[2:4]))


def _is_old_cpr(digits: str) -> bool:
    """Check modulo 11 (CPR-kontoret), which numbers issued since 2007 need not pass."""
    return _is_cpr(digits) and _weighted(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _is_hetu(code: str) -> bool:
    """Check the last character: nine digits modulo 31 (Digital and Population Data Services Agency)."""
    digits = code[:6] + code[-4:-1]
    return _is_date(int(code[:2]), int(code[2:4])) and code[-1] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31]


def _is_kennitala(digits: str) -> bool:
    ends = digits[9] in "09" and _is_date(int(digits[:2]), int(digits[2:4]))
    return ends and _weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _is_steuer_id(digits: str) -> bool:
    """Check ISO 7064 MOD 11,10 (Bundeszentralamt für Steuern).

    Of the first ten digits, exactly one digit occurs two or three times.
    """
    repeated = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if digits[0] == "0" or repeated[-1] not in {2, 3} or repeated[-2] != 1:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def _is_rvnr(code: str) -> bool:
    """Check cross sums of weighted digits: area, date of birth, letter, serial (Deutsche Rentenversicherung)."""
    digits = f"{code[:8]}{ord(code[8]) - 64:02d}{code[9:11]}"
    products = (int(d) * w for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return _is_date(int(code[2:4]), int(code[4:6])) and sum(p // 10 + p % 10 for p in products) % 10 == int(code[11])


def _is_nir(code: str) -> bool:
    """Check the key, 97 less the number modulo 97 (INSEE); Corsica's 2A and 2B are 19 and 18."""
    number = code[:13].replace("2A", "19").replace("2B", "18")
    if not number.isdigit() or not (1 <= int(code[3:5]) <= 12 or 20 <= int(code[3:5]) <= 42 or int(code[3:5]) >= 50):
        return False
    return 97 - int(number) % 97 == int(code[13:])


def _is_bsn(digits: str) -> bool:
    return digits != "000000000" and (_weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) - int(digits[8])) % 11 == 0


def _is_rrn(digits: str) -> bool:
    """Check the key, 97 less the first nine digits modulo 97 (Rijksregister).

    For people born from 2000 on, a 2 precedes the digits.
    """
    keys = {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}
    return int(digits[2:4]) % 20 <= 12 and int(digits[4:6]) <= 31 and int(digits[9:]) in keys


def _is_dni(code: str) -> bool:
    """Check the letter: the number modulo 23 (Ministerio del Interior).

    The X, Y and Z of foreigners count as 0, 1 and 2.
    """
    number = code[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return code[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


_CF_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def _is_codice_fiscale(code: str) -> bool:
    """Check the last letter: values by odd and even position, modulo 26 (Agenzia delle Entrate)."""
    values = [int(c) if c.isdigit() else ord(c) - 65 for c in code[:15]]
    total = sum(_CF_ODD[value] if i % 2 == 0 else value for i, value in enumerate(values))
    return code[15] == chr(65 + total % 26)


def _is_pesel(digits: str) -> bool:
    date = _is_date(int(digits[4:6]), int(digits[2:4]) % 20)
    return date and _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _is_ahv(digits: str) -> bool:
    return (10 - _weighted(digits[:12], (1, 3) * 6) % 10) % 10 == int(digits[12])


def _is_svnr(digits: str) -> bool:
    """Check serial, check digit and date of birth (Österreichische Sozialversicherung)."""
    check = _weighted(digits[:3] + digits[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    return _is_date(int(digits[4:6]), int(digits[6:8])) and check == int(digits[3])


def _is_nif(digits: str) -> bool:
    check = 11 - _weighted(digits[:8], tuple(range(9, 1, -1))) % 11
    return (check if check < 10 else 0) == int(digits[8])


def _is_rodne_cislo(digits: str) -> bool:
    return int(digits[2:4]) % 50 % 20 in range(1, 13) and 1 <= int(digits[4:6]) <= 31 and int(digits) % 11 == 0


def _is_pps(code: str) -> bool:
    total = _weighted(code[:7], (8, 7, 6, 5, 4, 3, 2)) + (9 * (ord(code[8]) - 64) if len(code) == 9 else 0)
    return code[7] == "WABCDEFGHIJKLMNOPQRSTUV"[total % 23]


def _is_isikukood(digits: str) -> bool:
    """Check modulo 11 (Estonia and Lithuania), with other weights if the first give 10."""
    rest = _weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    rest = rest if rest < 10 else _weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11
    return digits[0] in "123456" and _is_date(int(digits[5:7]), int(digits[3:5])) and rest % 10 == int(digits[10])


def _is_cpf(digits: str) -> bool:
    first = _weighted(digits[:9], tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(digits[:10], tuple(range(11, 1, -1))) * 10 % 11 % 10
    return len(set(digits)) > 1 and digits[9:] == f"{first}{second}"


def _is_tfn(digits: str) -> bool:
    return _weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


_VERHOEFF_D = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
               "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
_VERHOEFF_P = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def _is_aadhaar(digits: str) -> bool:
    """Check Verhoeff's dihedral sum (UIDAI)."""
    check = 0
    for i, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[i % 8][int(digit)])])
    return digits[0] not in "01" and check == 0


def _has_digit(code: str) -> bool:
    return any(c.isdigit() for c in code)


# Formats -------------------------------------------------------------------------------------------------------------

_SSN = r"ssn|ss#|social[ -]security|itin|tax(?:payer)?[ -]id(?:entification)?|tin"
_NINO = r"nino|(?:ni|national insurance)(?: number| no\.?)?"
_BSN = r"bsn|burgerservicenummer|sofi(?:nummer)?"
_BIRTH = r"cpr|personnummer|person(?:al)?[ -]?(?:number|no|nr|id)|pnr|fødselsnummer|födelsenummer|identity number"
_PPS = r"ppsn?|personal public service(?: number)?"
_PASSPORT = r"passports?|reisepass|pasaporte|passeport|paspoort|passnummer"
_LICENCE = r"driv(?:er|ing)(?:[’']?s)?[’']?[ -]licen[cs]e|führerschein(?:nummer)?|førerkort"
_ANY_ID = (
    r"(?:social|national) (?:security|insurance|identity|id)(?: number| no\.?| nr)?|national id|identity card|id card"
    r"|personal code"
)

_ID_FORMATS = (
    _id_format("US", r"\d{3}-\d\d-\d{4}", _is_ssn),
    _id_format("US", r"\d{3}[ .]?\d\d[ .]?\d{4}", _is_ssn, _SSN),
    _id_format("GB", r"(?-i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D])", _is_nino),
    _id_format("GB", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d\d[ -]?\d\d[ -]?\d\d[ -]?[A-D]?",
          _is_nino, _NINO),
    _id_format("GB", r"\d{3}[ -]?\d{3}[ -]?\d{4}", _is_nhs, "nhs"),
    _id_format("NO", r"\d{6}[ -]?\d{5}|\d{6} \d{3} \d\d", _is_fnr),
    _id_format("SE", r"(?:19|20)?\d{6}[-+]\d{4}", _is_personnummer),
    _id_format("SE", r"(?:19|20)?\d{6}[-+ ]?\d{4}", _is_personnummer, _BIRTH),
    _id_format("DK", r"\d{6}-\d{4}", _is_old_cpr),
    _id_format("DK", r"\d{6}[- ]?\d{4}", _is_cpr, _BIRTH),
    _id_format("FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", _is_hetu),
    _id_format("IS", r"\d{6}-?\d{4}", _is_kennitala),
    _id_format("DE", r"\d\d ?\d{3} ?\d{3} ?\d{3}", _is_steuer_id),
    _id_format("DE", r"\d\d ?\d{6} ?[A-Z] ?\d{3}|\d\d ?\d{6} ?[A-Z] ?\d\d ?\d", _is_rvnr),
    _id_format("FR", r"[1-478] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", _is_nir),
    _id_format("NL", r"\d{9}|\d{4}[ .]\d\d[ .]\d{3}|\d{3}[ .]\d{3}[ .]\d{3}", _is_bsn, _BSN),
    _id_format("BE", r"\d\d\.?\d\d\.?\d\d[- ]?\d{3}[. ]?\d\d", _is_rrn),
    _id_format("ES", r"(?:\d{8}|[XYZ][ -]?\d{7}|\d\d\.\d{3}\.\d{3})[ -]?[A-Z]", _is_dni),
    _id_format("IT", r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _is_codice_fiscale),
    _id_format("IT", r"[A-Z]{3} [A-Z]{3} [0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2} [A-Z][0-9LMNP-V]{3}[A-Z]",
          _is_codice_fiscale),
    _id_format("PL", r"\d{11}", _is_pesel, "pesel"),
    _id_format("CH", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", _is_ahv),
    _id_format("AT", r"\d{4}[ -]?\d{6}", _is_svnr),
    _id_format("PT", r"\d{3} ?\d{3} ?\d{3}", _is_nif, "nif|contribuinte"),
    _id_format("CZ", r"\d{6}/\d{4}", _is_rodne_cislo),
    _id_format("IE", r"\d{7}[A-W][A-IW]?", _is_pps, _PPS),
    _id_format("EE", r"[1-6]\d{10}", _is_isikukood),
    _id_format("BR", r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", _is_cpf),
    _id_format("CA", r"\d{3}[ -]?\d{3}[ -]?\d{3}", luhn, "sin|social insurance(?: number)?|nas"),
    _id_format("AU", r"\d{3} ?\d{3} ?\d{3}", _is_tfn, "tfn|tax file(?: number)?"),
    _id_format("IN", r"\d{4}[ -]?\d{4}[ -]?\d{4}", _is_aadhaar, "aadhaa?r|uidai?"),
    _id_format("IN", r"(?-i:[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z])", _has_digit),
    _id_format("*", r"(?=(?:[A-Z]*\d){3})[A-Z0-9]{6,12}", _has_digit, _PASSPORT),
    _id_format("*", r"(?=[A-Z0-9-]*\d{4})[A-Z0-9](?:-?[A-Z0-9]){5,17}", _has_digit, _LICENCE),
    _id_format("*", r"\d{3,4}[ -]?\d{2,4}[ -]?\d{2,5}|\d{8,13}", _has_digit, _ANY_ID),
)  # fmt: skip

_ANY_FORMAT = re.compile("|".join(f"(?:{id_format.pattern.pattern})" for id_format in _ID_FORMATS), re.IGNORECASE)
# Possible starts of all formats: at most six letters before the first digit.
_CANDIDATE_START = re.compile(
    r"(?<![^\W_])(?<!\d[.,/-])"
    r"(?=(?:[A-Za-z]{0,6}\d|[A-Za-z]-\d|[A-Za-z]{2} \d|[A-Za-z]{3} [A-Za-z]{3} \d)[A-Za-z0-9 .+/-]{4})"
)
_HAS_DIGITS = re.compile(r"\d[A-Za-z0-9 .+/-]{2,12}\d")


def find_national_ids(text: str) -> Iterator[Span]:
    """Find numbers of all countries, since a network's members come from several."""
    if not _HAS_DIGITS.search(text):
        return
    position = 0
    for candidate in _CANDIDATE_START.finditer(text):
        start = candidate.start()
        if start >= position and _ANY_FORMAT.match(text, start) and (end := _longest_match_end(text, start)):
            yield start, end, "[id]"
            position = end


def _longest_match_end(text: str, start: int) -> int:
    """Return the end of the longest number that begins at ``start``, or 0."""
    before = text[max(0, start - 60) : start]
    ends = [0]
    for id_format in _ID_FORMATS:
        if (match := id_format.pattern.match(text, start)) and (
            id_format.context is None or id_format.context.search(before)
        ):
            code = "".join(c for c in match[0].upper() if c.isalnum())
            if id_format.check(code):
                ends.append(match.end())
    return max(ends)
