"""Remedy events in the orders of life, and in every other order."""

import datetime

OUTCOMES = ["upheld", "varied", "revoked", "revoked_redo", "illegal_not_revoked", "void", "withdrawn_by_issuer",
            "dismissed", "settled"]
MILD = ["upheld", "upheld", "varied", "dismissed", "settled", "illegal_not_revoked"]
COURSES = [
    ["review_applied"], ["review_applied", "review_decided"], ["review_applied", "review_decided", "suit_filed"],
    ["review_applied", "review_decided", "suit_filed", "judgment"], ["review_applied", "review_withdrawn"],
    ["suit_filed"], ["suit_filed", "judgment"], ["suit_filed", "suit_withdrawn"],
    ["review_applied", "review_decided", "suit_filed", "suit_withdrawn"],
    ["withdrawn_by_issuer"], ["stayed"], ["stayed", "stay_lifted"], ["stayed", "stay_lifted", "stayed"],
    ["suit_filed", "judgment", "judgment"], ["review_applied", "review_decided", "review_decided"],
    ["review_applied", "stayed", "review_decided", "stay_lifted"],
]
TYPES = ["stayed", "stay_lifted", "review_applied", "review_decided", "review_withdrawn", "suit_filed", "judgment",
         "suit_withdrawn", "withdrawn_by_issuer"]


def events(r, served, on, as_of):
    course = list(r.choice(COURSES))
    wild = r.random() < 0.15
    if wild:  # any events in any order
        course = [r.choice(TYPES) for _ in range(r.randint(1, 4))]
    out, day = [], served + datetime.timedelta(days=r.randint(1, 60))
    for t in course:
        e = {"type": t, "at": day}
        if t in ("review_decided", "judgment"):
            e["outcome"] = r.choice(MILD if r.random() < 0.7 else OUTCOMES)
        if t == "review_decided" and r.random() < 0.5:
            e["at"] = on + datetime.timedelta(days=-15 + r.choice([-1, 0, 1]))
        if t == "judgment":
            e["final_on"] = r.choice([None, e["at"], e["at"] + datetime.timedelta(days=15),
                                      max(e["at"], on + datetime.timedelta(days=r.choice([-1, 0, 1])))])
        if t in ("review_withdrawn", "suit_withdrawn") and r.random() < 0.3:
            e["outcome"] = "settled"
        if r.random() < 0.15:
            e["at"] = as_of + datetime.timedelta(days=r.choice([-1, 0, 1]))
            if e.get("final_on") and e["final_on"] < e["at"]:
                e["final_on"] = e["at"]
        out.append(e)
        day = e["at"] + datetime.timedelta(days=r.choice([0, 0, 1, 10, 60]))
    r.shuffle(out)
    return out
