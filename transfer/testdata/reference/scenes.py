"""Scenes of several decisions that single changes seldom make. Each leaves the rest of the input as it is."""

import copy
import datetime

import remedy


def plus(day, n):
    return day + datetime.timedelta(days=n)


def another(case, p, name):
    """A copy of the decision as another member holds it."""
    c = copy.deepcopy(p)
    c["record_id"] = f"{name}{case.r.randint(0, 9999):04d}"
    case.penalties.append(c)
    return c


def annul(case, p):
    at = plus(case.as_of, case.r.choice([-1, 0, 1, -20]))
    p["remedy_events"] = [case.r.choice([
        {"type": "withdrawn_by_issuer", "at": at}, {"type": "stayed", "at": at},
        {"type": "review_decided", "at": at, "outcome": case.r.choice(["revoked", "revoked_redo", "void", "withdrawn_by_issuer"])},
        {"type": "judgment", "at": plus(at, -9), "outcome": "revoked", "final_on": at}])]


def farther_copies(case, p):
    """Members at every distance from the issuer hold copies that say different things; the issuer's own may hold none."""
    r = case.r
    seat = p["issuer_uscc"][2:8]
    origins = [seat, seat[:4] + "00", seat[:4] + "77", seat[:2] + "0000", "440300"]
    r.shuffle(origins)
    p["origin"] = origins[0] + "-01"
    for i, o in enumerate(origins[1:r.randint(2, 4)]):
        c = another(case, p, f"d{i}")
        c.update({"origin": o + "-01", "version": r.randint(1, 2), "qualification_at_act": r.choice(["none", "unknown", "trainee"]),
                  "cause_code": r.choice(["UP01", "UP03"])})


def differing_copy(case, p):
    """Another copy is annulled or stayed; perhaps the kept one is too, perhaps the other is no sure copy."""
    c = another(case, p, "e")
    c["origin"] = "440300-01"
    annul(case, c)
    k = case.r.randint(0, 3)
    if k == 0:
        p["remedy_events"] = [{"type": "stayed", "at": plus(case.as_of, -3)}]
    elif k == 1:
        c["respondent"] = case.cast.variation(c)
    if case.r.random() < 0.6:
        absorbed(case, p)


def absorbed(case, p):
    """Decisions whose acts touch the first one's; the second touches a third that the first does not reach."""
    if not p.get("act_from") or not p.get("act_to") or not p.get("served_at"):
        return
    end = p["act_to"]
    for i in range(case.r.randint(1, 2)):
        c = another(case, p, f"f{i}")
        c["remedy_events"] = []
        c["doc_no"] = f"{p['doc_no'][:2]}卫医罚〔{p['served_at'].year}〕8{case.r.randint(0, 999):03d}号"
        c["served_at"] = plus(p["served_at"], i + 1)
        c["act_from"], c["act_to"] = end, plus(end, 9)
        end = c["act_to"]
        if case.r.random() < 0.3:
            c.update({"origin": "320509-01", "issuer_uscc": "11320509MB0000006X"})
            c["act_place"] = case.r.choice([p.get("act_place"), "320509", None])
    if case.r.random() < 0.4:
        annul(case, p)


def third(case, p):
    """A later decision whose act ends on or beside the second service."""
    served = sorted(q["served_at"] for q in case.penalties if q.get("served_at"))
    if len(served) < 2 or not p.get("served_at"):
        return
    c = another(case, p, "g")
    c["doc_no"] = f"测金卫医罚〔{served[1].year}〕7{case.r.randint(0, 999):03d}号"
    c.update({"remedy_events": [], "act_to": plus(served[1], case.r.choice([0, 1, 1])), "act_from": plus(served[1], -case.r.choice([1, 2])),
              "served_at": plus(max(served), 1), "origin": "310116-01", "issuer_uscc": "11310116MB0000001X",
              "act_place": "310116", "transferred": case.r.choice([True, True, None])})


def remedies_in_court(case, p):
    """Outcomes that follow each other, and ends of periods on the day of reckoning."""
    r, served = case.r, p.get("served_at")
    if not served:
        return
    edge = case.near(case.r.choice([case.on, case.as_of]))
    first = plus(served, r.randint(1, 40))
    k = r.randint(0, 5)
    if k == 0:
        p["remedy_events"] = [
            {"type": "review_decided", "at": first, "outcome": r.choice(["settled", "illegal_not_revoked", "varied"])},
            {"type": "judgment", "at": plus(first, 30), "outcome": r.choice(["dismissed", "upheld"]), "final_on": plus(first, 45)}]
    elif k == 1:
        p["remedy_events"] = [{"type": "suit_filed", "at": first},
                              {"type": "judgment", "at": min(first, edge), "outcome": r.choice(remedy.OUTCOMES), "final_on": edge}]
    elif k == 2:
        p["remedy_events"] = [{"type": "suit_filed", "at": first}, {"type": "suit_withdrawn", "at": max(first, edge)}]
    elif k == 3:
        p["remedy_events"] = [{"type": "review_applied", "at": first},
                              {"type": "review_withdrawn", "at": max(first, edge), "outcome": r.choice([None, None, "settled"])}]
    elif k == 4:  # between the judgment and the day on which it is final something else comes into force
        p["remedy_events"] = [
            {"type": "judgment", "at": first, "outcome": r.choice(remedy.MILD), "final_on": plus(first, r.choice([15, 20]))},
            {"type": "review_decided", "at": plus(first, r.choice([0, 15, 20])), "outcome": r.choice(remedy.MILD)}]
    else:  # two of one type and day
        p["remedy_events"] = [{"type": "review_decided", "at": first, "outcome": o} for o in r.sample(remedy.MILD + ["dismissed"], 2)]
    r.shuffle(p["remedy_events"])


def modeless(case, p):
    """Nobody knows how it was served, and an announcement is entered too."""
    p.update({"service_mode": None, "served_at": case.near(case.as_of), "announced_at": plus(case.near(case.as_of), -30)})


def years_only(case, p):
    """No number, all facts fit, but the birth date is a year or the sex is not known."""
    who = p["respondent"] = copy.deepcopy(case.cast.base)
    who["id_no"] = None
    k = case.r.randint(0, 3)
    if k < 2:
        who["birth_date"] = f"{case.cast.birth:%Y}"
        if k == 1 and "birth_date" in case.cast.subject:
            case.cast.subject["birth_date"] = f"{case.cast.birth:%Y}"
    elif k == 2:
        who["sex"] = "9"


def two_numbers(case, p):
    """Two valid numbers of one lifelong family, which no link joins; or the link of a link."""
    other = case.cast.other()
    p["respondent"] = {**copy.deepcopy(case.cast.base), **other}
    mine = {"id_type": "RIC", "id_no": case.cast.no}
    if case.r.random() < 0.6:
        case.cast.links.append({"a": mine, "b": other, "approved_by": "测审核员-02"})
    else:
        step = {"id_type": "HMP", "id_no": "H00000007"}
        case.cast.links += [{"a": mine, "b": step, "approved_by": "测审核员-02"}, {"a": step, "b": other, "approved_by": "测审核员-02"}]


ALL = [farther_copies, farther_copies, differing_copy, differing_copy, absorbed, third, remedies_in_court, remedies_in_court, third,
       modeless, years_only, two_numbers]


def play(case):
    scene = case.r.choice(ALL)
    scene(case, case.r.choice(case.penalties))
