"""Reading of the input of `pilin count`: what is refused, and what is missing.

Absent, null and empty are one thing, missing (domain.md 6.1). A value that is
none is refused with a JSON pointer and never guessed.
"""

import datetime
import re

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
CHINA = datetime.timezone(datetime.timedelta(hours=8))

ID_TYPES = set("RIC PPT HMP TWP HMR TWR FPR MIL HKB UNK".split())
QUALITIES = set("police_verified card_read seen self_stated unknown".split())
SEXES = set("0129")
ISSUERS = set("health_authority tcm_authority cdc_authority town_or_street general_enforcement_bureau other".split())
RESPONDENTS = set("person sole_trader organisation".split())
QUALIFICATIONS = set(
    "none forged revoked qualified_registered qualified_unregistered assistant_physician tcm_specialist "
    "village_doctor tcm_apprentice foreign_only trainee unknown".split())
PENALTY_KINDS = set("P1 P2a P2b P2c P3 P4 P5 P6".split())
KINDS = PENALTY_KINDS | set("CORRECT BAN STOP REGISTER OPINION NONE".split())
MODES = set("DIR LEFT MAIL ENTR ELEC ANN".split())
# The order of events of one day, 6.4.
EVENT_ORDER = ("stayed stay_lifted review_applied review_decided review_withdrawn "
               "suit_filed judgment suit_withdrawn withdrawn_by_issuer").split()
# The order of two events of one day and type by outcome, 6.4.
OUTCOME_ORDER = "settled dismissed upheld varied illegal_not_revoked withdrawn_by_issuer revoked revoked_redo void".split()


class Refused(Exception):
    def __init__(self, pointer, message):
        super().__init__(message)
        self.pointer = pointer
        self.message = message


def missing(v):
    return v is None or v == "" or v == [] or v == {}


def get(o, key):
    v = o.get(key)
    return None if missing(v) else v


def need(o, key, at):
    v = get(o, key)
    if v is None:
        raise Refused(f"{at}/{key}", "required")
    return v


def day(v, at):
    """The calendar day at +08:00 of a date or an RFC 3339 timestamp."""
    if v is None:
        return None
    if not isinstance(v, str):
        raise Refused(at, "not a date")
    try:
        if DAY.fullmatch(v):
            return datetime.date.fromisoformat(v)
        if STAMP.fullmatch(v):
            t = datetime.datetime.fromisoformat(v.upper().replace("Z", "+00:00"))
            return t.astimezone(CHINA).date()
    except (ValueError, OverflowError):
        pass
    raise Refused(at, "not a date")


def day_of(o, key, at):
    return day(get(o, key), f"{at}/{key}")


def code(o, key, allowed, at):
    v = get(o, key)
    if v is not None and v not in allowed:
        raise Refused(f"{at}/{key}", "not of the code list")
    return v


def whole(v, at, least=0):
    if isinstance(v, bool) or not isinstance(v, int) or v < least:
        raise Refused(at, "not a whole number")
    return v


def form(v, pattern, at):
    if v is not None and not re.fullmatch(pattern, v, re.ASCII):
        raise Refused(at, "not of its form")
    return v


def text(o, key, at):
    v = get(o, key)
    if v is not None and not isinstance(v, str):
        raise Refused(f"{at}/{key}", "not a text")
    return v if v is None or v.strip() else None


def flag(o, key, at):
    v = get(o, key)
    if v is not None and not isinstance(v, bool):
        raise Refused(f"{at}/{key}", "neither true nor false")
    return v


def listed(o, key, at):
    v = get(o, key)
    if v is None:
        return []
    if not isinstance(v, list):
        raise Refused(f"{at}/{key}", "not a list")
    return v if key in ("remedy_events", "penalties", "links", "l1_answers") else [x for x in v if not missing(x)]


def person(o, at):
    o = o or {}
    birth = get(o, "birth_date")
    if birth is not None and not re.fullmatch(r"[0-9]{4}", birth):
        birth = day(birth, f"{at}/birth_date").isoformat()
    return {
        "name": text(o, "name", at), "name_variants": listed(o, "name_variants", at),
        "id_type": code(o, "id_type", ID_TYPES, at), "id_no": get(o, "id_no"),
        "id_country": get(o, "id_country"), "id_no_old": get(o, "id_no_old"),
        "id_quality": code(o, "id_quality", QUALITIES, at), "sex": code(o, "sex", SEXES, at),
        "birth": birth, "hukou": get(o, "hukou_region"),
        "phones": [{"no": get(p, "no"), "from": day_of(p, "from", f"{at}/phones/{i}"),
                    "to": day_of(p, "to", f"{at}/phones/{i}")}
                   for i, p in enumerate(listed(o, "phones", at))],
    }


def event(o, at):
    e = {"type": code(o, "type", EVENT_ORDER, at), "at": day_of(o, "at", at),
         "outcome": code(o, "outcome", OUTCOME_ORDER, at), "final_on": day_of(o, "final_on", at)}
    if e["type"] not in ("review_decided", "judgment") and e["outcome"] != "settled":
        e["outcome"] = None  # the format gives no other event an outcome
    if e["type"] in ("review_decided", "judgment") and e["outcome"] is None:
        raise Refused(f"{at}/outcome", "required")
    return e


def penalty(o, at):
    p = {k: text(o, k, at) for k in ("record_id", "origin", "doc_no", "issuer_uscc", "decided_at")}
    for k, v in p.items():
        if v is None:
            raise Refused(f"{at}/{k}", "required")
    form(p["origin"], r"\d{6}-\d{2}", f"{at}/origin")
    p["decided_at"] = day(p["decided_at"], f"{at}/decided_at")
    version = get(o, "version")
    p["version"] = 1 if version is None else whole(version, f"{at}/version", version)
    p["issuer_kind"] = code(o, "issuer_kind", ISSUERS, at)
    p["respondent_kind"] = code(o, "respondent_kind", RESPONDENTS, at)
    p["respondent"] = person(get(o, "respondent"), f"{at}/respondent")
    p["practitioner"] = flag(o, "practitioner_is_respondent", at) is True
    p["cause"] = get(o, "cause_code")
    p["act_from"], p["act_to"] = day_of(o, "act_from", at), day_of(o, "act_to", at)
    if p["act_from"] and p["act_to"] and p["act_to"] < p["act_from"]:
        raise Refused(f"{at}/act_to", "before act_from")
    p["act_place"] = form(get(o, "act_place"), r"\d{6}", f"{at}/act_place")
    p["qualification"] = code(o, "qualification_at_act", QUALIFICATIONS, at)
    p["kinds"] = listed(o, "kinds", at)
    for i, k in enumerate(p["kinds"]):
        if k not in KINDS:
            raise Refused(f"{at}/kinds/{i}", "not of the code list")
    p["served_at"], p["announced_at"] = day_of(o, "served_at", at), day_of(o, "announced_at", at)
    p["mode"] = code(o, "service_mode", MODES, at)
    p["proof"] = get(o, "service_proof") not in (None, False)
    p["untold"] = flag(o, "remedy_told", at) is False
    p["used"] = flag(o, "used_in_conviction", at) is True
    p["transferred"] = flag(o, "transferred", at) is True
    s = get(o, "suspended") or {}
    p["suspended"] = {"by": get(s, "by"), "at": day_of(s, "at", f"{at}/suspended"),
                      "lifted": day_of(s, "lifted_at", f"{at}/suspended")}
    p["objections"] = [day(d, f"{at}/objections/{i}") for i, d in enumerate(listed(o, "objections", at))]
    p["photo"] = len({v for v in listed(o, "photo_compared_by", at) if v}) >= 2
    p["events"] = [event(e, f"{at}/remedy_events/{i}") for i, e in enumerate(listed(o, "remedy_events", at)) if not missing(e)]
    return p


def new_act(o, as_of):
    if o is None:
        return None
    at = "/new_act"
    first, last = day_of(o, "from", at), day_of(o, "to", at)
    if first and last and last < first:
        raise Refused(f"{at}/to", "before from")
    on = day_of(o, "at", at) or last
    if on and ((last and last != on) or (first and first > on)):
        raise Refused(f"{at}/at", "not the last day of the act")
    if on is None:
        raise Refused(f"{at}/at", "an act without a day")
    if on > as_of:
        raise Refused(f"{at}/at", "after as_of")
    officers = {v for v in listed(o, "officers", at) if v}
    signed = o.get("treating_confirmed") is True and len(officers) >= 2
    return {"at": on, "confirmed": signed or o.get("established_in_case") is True,
            "qualification": code(o, "qualification_at_act", QUALIFICATIONS, at)}


def most(answers):
    """A member answers once; of two answers the larger number is taken (ADR 7)."""
    best = {}
    for member, n in answers:
        best[member] = max(n, best.get(member, 0))
    return sorted(best.items())


def question(o):
    as_of = day(need(o, "as_of", ""), "/as_of")
    answered = whole(need(o, "answered", ""), "/answered")
    total = whole(need(o, "total", ""), "/total")
    if answered > total:
        raise Refused("/answered", "more than total")
    return {
        "as_of": as_of, "answered": answered, "total": total,
        "subject": person(get(o, "subject"), "/subject"),
        "penalties": [penalty(p, f"/penalties/{i}") for i, p in enumerate(listed(o, "penalties", ""))],
        "links": [(person(l.get("a"), f"/links/{i}/a"), person(l.get("b"), f"/links/{i}/b"))
                  for i, l in enumerate(listed(o, "links", "")) if get(l, "approved_by")],
        "l1": most((get(a, "member") or "", whole(a.get("countable") or 0, f"/l1_answers/{i}/countable"))
               for i, a in enumerate(listed(o, "l1_answers", ""))),
        "act": new_act(get(o, "new_act"), as_of),
    }
