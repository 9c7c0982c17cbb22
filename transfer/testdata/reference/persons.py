"""Same person: the resolution levels of domain.md 6.2, numbers by 3.1-3.5."""

import datetime
import re
import unicodedata

LIFELONG = {"RIC", "HMP", "TWP", "HMR", "TWR"}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Regions the generator draws from; the full historical union is the product's.
REGIONS = set("310116 310117 310118 320509 320623 330402 330411 330421 330482".split())


def norm(text):
    text = unicodedata.normalize("NFKC", str(text)).upper()
    return "".join(c for c in text
                   if not c.isspace() and unicodedata.category(c) not in ("Pd", "Cf"))


def check_digit(body):
    return "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS)) % 11]


def real_day(text):
    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])) >= datetime.date(1900, 1, 1)
    except ValueError:
        return False


def citizen(no):
    """18-digit number when valid (3.1, 3.2), else None."""
    if re.fullmatch(r"[0-9]{15}", no):
        if no[12:] >= "996":
            return None  # perhaps a person born before 1900, so that 19 is a guess (3.2, [K]; ADR 7)
        no = no[:6] + "19" + no[6:]
        no += check_digit(no)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", no) or check_digit(no[:17]) != no[17]:
        return None
    return no if real_day(no[6:14]) else None


def number(kind, raw, country=None):
    """What an exact comparison reads of a document: (family, key), or None
    when the number is missing, suspect or invalid."""
    if not raw:
        return None
    no = norm(raw)
    if kind == "RIC":
        no = citizen(no)
        return ("RIC", no) if no and no[:6] in REGIONS else None
    if kind in ("HMR", "TWR"):
        no = citizen(no) if len(no) == 18 else None
        places = ("830000",) if kind == "TWR" else ("810000", "820000")
        return (kind, no) if no and no[:6] in places else None
    if kind == "HMP":
        return ("HMP", no[:9]) if re.fullmatch(r"[HM][0-9]{8}([0-9]{2})?", no) else None
    if kind == "TWP":
        return ("TWP", no[:8]) if re.fullmatch(r"[0-9]{8}([0-9]{2}(\([A-Z0-9]\))?)?", no) else None
    if kind == "PPT":
        if not country or not re.fullmatch(r"[A-Z0-9]{5,9}", no):
            return None
        return ("PPT", norm(country) + " " + no)
    if kind == "FPR":
        if re.fullmatch(r"[A-Z]{3}[0-9]{12}", no):
            return ("FPR", no)
        if re.fullmatch(r"9[0-9]{16}[0-9X]", no) and check_digit(no[:17]) == no[17] and real_day(no[6:14]):
            return ("FPR", no)
    return None


def numbers(p):
    found = {number(p["id_type"], p["id_no"], p["id_country"]), number("RIC", p["id_no_old"])}
    return found - {None}


def fold(name):
    # 6.2 also knows simplified and traditional forms as variants (ADR 7). There is no table of them here, and
    # the generator writes none.
    name = unicodedata.normalize("NFKC", name).upper()
    return re.sub("[•．.‧・]", "·", re.sub(r"\s", "", name))


def same_name(a, b):
    """True, False, or None when either has no name."""
    one = {fold(n) for n in [a["name"], *a["name_variants"]] if n}
    two = {fold(n) for n in [b["name"], *b["name_variants"]] if n}
    return bool(one & two) if one and two else None


def same_sex(a, b):
    if a["sex"] in ("1", "2") and b["sex"] in ("1", "2"):
        return a["sex"] == b["sex"]
    return None


def same_birth(a, b):
    if not a["birth"] or not b["birth"]:
        return None
    n = min(len(a["birth"]), len(b["birth"]))
    return a["birth"][:n] == b["birth"][:n]


def phone(no):
    return re.sub(r"^(\+86|0086)", "", norm(no)) if no else None


def same_phone(a, b, as_of):
    """Whether a number is of both, and whether in periods that share a day; an open end is open."""
    equal = False
    for x in a["phones"]:
        for y in b["phones"]:
            later = any(d and d > as_of for d in (x["from"], y["from"]))
            if x["no"] and phone(x["no"]) == phone(y["no"]) and not later:
                equal = True
                starts = [d for d in (x["from"], y["from"]) if d]
                ends = [d for d in (x["to"], y["to"]) if d]
                if not starts or not ends or max(starts) <= min(ends):
                    return True, True
    return equal, False


def level(subject, respondent, photo, links, as_of):
    """R1, R1L, R2, R3 or RX of a subject and a respondent; None for somebody else."""
    mine, theirs = numbers(subject), numbers(respondent)
    agree = (same_sex(subject, respondent), same_birth(subject, respondent), same_name(subject, respondent))
    capped = "self_stated" in (subject["id_quality"], respondent["id_quality"])
    if mine & theirs:
        if False in agree:
            return "RX"
        return "R2" if capped else "R1"
    handle, in_period = same_phone(subject, respondent, as_of)
    lead = "R3" if agree[2] or handle else None
    if any(f in LIFELONG and f == g for f, _ in mine for g, _ in theirs):
        return lead
    for a, b in links:
        a, b = numbers(a), numbers(b)
        if (mine & a and theirs & b) or (mine & b and theirs & a):
            return "R2" if capped else "R1L"
    full = len(subject["birth"] or "") == 10 and len(respondent["birth"] or "") == 10
    if full and agree == (True, True, True):
        home = subject["hukou"] and subject["hukou"] == respondent["hukou"]
        if home or photo or in_period:
            return "R2"
    return lead
