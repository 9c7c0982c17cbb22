#!/usr/bin/env python3
"""A second reading of the cross-region count: JSONL in, JSONL out.

Written from the text of the rule (domain.md 6.1-6.6, count-rule/1.0) and of
the format of `pilin count` alone, so that it can disagree with the product.
"""

import calendar
import datetime
import json
import re
import sys
import unicodedata

import persons
import reading

RULE = "count-rule/1.0"
CLASS_K = {"UP01", "UP02", "UP05", "UP06", "UP08", "UP10"}
CLASS_N = {"IN01", "IN02", "IN03", "IN04"}
QUALIFIED = {"qualified_registered", "qualified_unregistered", "assistant_physician", "tcm_specialist"}
UNQUALIFIED = {"none", "forged", "revoked"}
FOR_GOOD = {"revoked", "revoked_redo", "void", "withdrawn_by_issuer"}


def document(text):
    """A decision's number normalised by 3.11."""
    t = unicodedata.normalize("NFKC", text)
    t = "".join("-" if unicodedata.category(c) == "Pd" or c == "−" else c for c in t if not c.isspace())
    t = re.sub(r"[〔【\[(（［]", "〔", t)
    t = re.sub(r"[〕】\])）］]", "〕", t)
    t = re.sub(r"字?(〔[0-9]+〕)第?", r"\1", t)
    t = re.sub("号$", "", t)
    return re.sub(r"〕0+(?=[0-9])", "〕", t)


def issuer(p):
    return re.sub(r"\s", "", p["issuer_uscc"]).upper()


def distance(p):
    """How far the origin lies from the issuer's seat, step 1."""
    seat, origin = issuer(p)[2:8], p["origin"][:6]
    if origin == seat:
        return 0
    if origin == seat[:4] + "00":
        return 1
    if origin[:4] == seat[:4]:
        return 2
    return 3 if origin[:2] == seat[:2] else 4


def months(d, n):
    y, m = divmod(d.year * 12 + d.month - 1 + n, 12)
    return datetime.date(y, m + 1, min(d.day, calendar.monthrange(y, m + 1)[1]))


def service(p):
    return p["served_at"] if p["mode"] != "ANN" else announced(p)


def announced(p):
    if not p["announced_at"]:
        return None
    old = p["announced_at"] < datetime.date(2022, 1, 1)
    return p["announced_at"] + datetime.timedelta(days=60 if old else 30)


def remedies(p, as_of):
    """What the events in force at as_of make of a decision, 6.4:
    annulled, outcome, stayed, final (the day it became final, or None)."""
    events = []
    undated = any(not e["type"] or not e["at"] for e in p["events"])
    for e in p["events"]:
        on = e["at"]
        if not e["type"] or not on:
            continue
        if e["type"] == "judgment":
            if e["final_on"] is None:
                continue
            on = max(on, e["final_on"])
        if max(on, e["at"]) > as_of:
            continue
        rank = reading.OUTCOME_ORDER.index(e["outcome"]) if e["outcome"] else -1
        events.append((on, reading.EVENT_ORDER.index(e["type"]), rank, e))
    events.sort(key=lambda x: x[:3])
    served = service(p)
    final = months(served, 12 if p["untold"] else 6) if served else None
    annulled = stayed = review = suit = False
    outcome = None
    for on, _, _, e in events:
        t, o = e["type"], e["outcome"]
        if t in ("stayed", "stay_lifted"):
            stayed = t == "stayed"
        elif t == "withdrawn_by_issuer":
            annulled = True
        elif t == "review_applied":
            review = True
        elif t == "suit_filed":
            suit = True
        elif t == "review_decided":
            review = False
            # Also after a judgment: every later event moves the end (ADR 7).
            final = on + datetime.timedelta(days=15)
        elif t == "judgment":
            # That it closes a reconsideration too is a choice of ADR 7.
            suit, review, final = False, False, e["final_on"]
        else:
            if t == "review_withdrawn":
                review = False
            else:
                suit = False
            final = max(on, final) if final else on
        if o in FOR_GOOD:
            annulled = True
        elif o and o != "dismissed":
            outcome = o
    return {"annulled": annulled, "outcome": outcome, "stayed": stayed, "undated": undated,
            "final": None if review or suit else final}


def suspended(p, as_of):
    s = p["suspended"]
    if not s["by"] or (s["at"] and s["at"] > as_of):
        return False
    return not (s["lifted"] and s["lifted"] <= as_of)


def verdict(p, copies, as_of, passed_over=False):
    """Steps 2 to 17 for the kept copy p; copies are the others of the decision."""
    r = p["state"]
    if p["kinds"] and not set(p["kinds"]) & reading.PENALTY_KINDS:
        return "E", "not_penalty"
    if r["annulled"] and not passed_over:
        return "E", "annulled"
    if p["respondent_kind"] == "organisation":
        return "E", "organisation"
    if p["cause"] in CLASS_N:
        return "E", "cause_n"
    if p["qualification"] in QUALIFIED:
        return "E", "qualified"
    if p["issuer_kind"] == "other":
        return "E", "issuer_kind"
    served = p["served"]
    ahead = served and served > as_of
    if not p["mode"] and p["announced_at"]:  # it may have been announced: nothing is excluded on a missing mode (ADR 7)
        ahead = ahead and announced(p) > as_of
    if p["decided_at"] > as_of or ahead:
        return "E", "service_future"
    if not passed_over:
        for c in copies:
            if c["level"] in ("R1", "R1L"):
                if c["state"]["annulled"] or (c["state"]["stayed"] and not r["stayed"]):
                    return "P", "copies_differ"
    if not served or not p["mode"] or not p["proof"]:
        return "P", "service_unproven"
    if not p["act_from"] or not p["act_to"]:
        return "P", "act_unknown"
    if not p["kinds"] or not p["respondent_kind"] or r["undated"]:
        return "P", "record_incomplete"
    if p["respondent_kind"] == "sole_trader":
        return "P", "sole_trader"
    if p["qualification"] not in UNQUALIFIED:
        return "P", "qualification_unclear"
    if p["cause"] not in CLASS_K:
        return "P", "cause_q"
    if p["cause"] in ("UP02", "UP08") and not p["practitioner"]:
        return "P", "practitioner_unclear"
    if not passed_over:
        if r["outcome"] in ("illegal_not_revoked", "settled"):
            return "P", r["outcome"]
        if r["stayed"]:
            return "P", "stayed"
        if suspended(p, as_of):
            return "P", "suspended"
    if p["issuer_kind"] != "health_authority":
        return "P", "issuer_unclear"
    if p["level"] in ("R2", "RX"):
        return "P", "identity_" + p["level"].lower()
    if p["used"]:
        return "P", "prior_conviction"
    return "C", "counted"


def order(p):
    return p["served"], p["decided_at"], issuer(p), document(p["doc_no"]), p["record_id"]


def overlap(counted):
    """The kept decisions in order of service, and the verdict of each absorbed one."""
    kept, fell = [], {}
    for p in sorted(counted, key=order):
        met = [k for k in kept if p["act_from"] <= k["act_to"] and k["act_from"] <= p["act_to"]]
        if any(issuer(k) == issuer(p) or (p["act_place"] and p["act_place"] == k["act_place"]) for k in met):
            fell[p["record_id"]] = ("E", "same_act")
        elif met:
            fell[p["record_id"]] = ("P", "parallel_act")
        else:
            kept.append(p)
    return kept, fell


def decisions(q):
    """The kept copy of every decision with its other copies, step 1, and the leads."""
    newest = {}
    for p in q["penalties"]:
        held = newest.get(p["record_id"])
        if held is None or p["version"] > held["version"]:
            newest[p["record_id"]] = p
    for p in newest.values():  # facts dated later do not exist yet, 6.1
        for k in ("act_from", "act_to"):
            p[k] = p[k] if p[k] and p[k] <= q["as_of"] else None
    groups, leads = {}, []
    for p in newest.values():
        p["level"] = persons.level(q["subject"], p["respondent"], p["photo"], q["links"], q["as_of"])
        if p["level"] in ("R3", None):
            leads += [p["record_id"]] if p["level"] else []
            continue
        p["state"], p["served"] = remedies(p, q["as_of"]), service(p)
        groups.setdefault((issuer(p), document(p["doc_no"])), []).append(p)
    merged = []
    for g in groups.values():
        g.sort(key=lambda p: (distance(p), -p["version"], p["record_id"]))
        merged.append((g[0], g[1:]))
    return merged, sorted(leads)


def strictly(kept, on):
    final = [p for p in kept if p["state"]["final"] and p["state"]["final"] <= on]
    return [p for i, p in enumerate(final) if i == 0 or p["act_to"] > final[0]["served"]]


def alert(basic, strict, pending, again, untransferred):
    codes = ["G4"] if untransferred else []
    if basic >= 2:
        codes.append("G2" if not again else "G3" if strict >= 2 else "G3d")
    elif basic + pending >= 2:
        codes.append("GP")
    elif basic == 1:
        codes.append("G1")
    else:
        codes.append("GP0" if pending else "G0")
    return codes


def count(q):
    as_of, act = q["as_of"], q["act"]
    merged, leads = decisions(q)
    verdicts, counted, falls = {}, [], []
    for p, copies in merged:
        v = verdict(p, copies, as_of)
        verdicts[p["record_id"]] = v
        if v[0] == "C":
            counted.append(p)
        elif verdict(p, copies, as_of, True)[0] == "C":
            falls.append(p)
    kept, fell = overlap(counted)
    verdicts.update(fell)
    released = []
    for x in falls:
        would = {p["record_id"] for p in overlap(counted + [x])[0]}
        released += [{"decision": p["record_id"], "by": x["record_id"]} for p in kept if p["record_id"] not in would]
    on = act["at"] if act else as_of
    strict = strictly(kept, on)
    lines = [line(p, copies, verdicts[p["record_id"]], strict, as_of) for p, copies in merged]
    for member, n in q["l1"]:
        lines += [{"decision": f"{member}#{i}", "verdict": "P", "reason": "l1_answer"} for i in range(1, n + 1)]
    basic, pending = len(kept), sum(l["verdict"] == "P" for l in lines)
    confirmed = act is not None and act["confirmed"]
    again = (basic >= 2 and confirmed and act["at"] > kept[1]["served"] and act["qualification"] in UNQUALIFIED)
    untransferred = any(not p["transferred"] and p["act_to"] > kept[1]["served"] for p in kept[2:])
    codes = alert(basic, len(strict), pending, again, untransferred)
    candidate = bool({"G3", "G3d"} & set(codes)) or (
        codes[0] == "GP" and confirmed and act["qualification"] not in QUALIFIED)
    return {"basic": basic, "strict": len(strict), "pending": pending, "potential": basic + pending, "again": again,
            "alert": codes[0], "also": codes[1:], "candidate": candidate,
            "incomplete": q["answered"] < q["total"], "leads": leads, "rule": RULE,
            "released": sorted(released, key=lambda r: (r["decision"], r["by"])),
            "verdicts": sorted(lines, key=lambda l: l["decision"])}


def line(p, copies, v, strict, as_of):
    out = {"decision": p["record_id"], "verdict": v[0], "reason": v[1], "level": p["level"],
           "doc": document(p["doc_no"]), "merged": sorted(c["record_id"] for c in copies),
           "served_at": p["served"] and p["served"].isoformat(),
           "flags": ["objection"] if any(d and d <= as_of for d in p["objections"]) else []}
    if v[0] == "C":
        final = p["state"]["final"]
        out["final_at"] = final and final.isoformat()
        out["strict"] = any(s is p for s in strict)
    return out


def answer(text):
    o = json.loads(text)
    out = {"id": o["id"]} if "id" in o else {}
    try:
        out.update(count(reading.question(o)))
    except reading.Refused as e:
        out["error"] = {"pointer": e.pointer, "message": e.message}
    return out


def main():
    refused = False
    for text in sys.stdin:
        if text.strip():
            out = answer(text)
            refused = refused or "error" in out
            print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
