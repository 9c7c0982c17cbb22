"""Inputs that must be refused with a pointer, and some that must not."""


def spoil(r, doc, plus):
    p = r.choice(doc["penalties"])
    k = r.randint(0, 17)
    if k == 0:
        doc[r.choice(["as_of", "answered", "total"])] = None
    elif k == 1:
        del doc[r.choice(["as_of", "answered", "total"])]
    elif k == 2:
        p[r.choice(["record_id", "origin", "doc_no", "issuer_uscc", "decided_at"])] = r.choice([None, ""])
    elif k == 3:
        p[r.choice(["decided_at", "served_at", "announced_at", "act_from", "act_to"])] = r.choice(
            ["2025-02-29", "2025-13-01", "2025-1-1", "20250101", "yesterday", "2025-01-01T25:00:00Z", "2025-01-01T10:00:00"])
    elif k == 4:
        p[r.choice(["issuer_kind", "respondent_kind", "qualification_at_act", "service_mode"])] = "nonsense"
    elif k == 5:
        p["kinds"] = ["P2a", "P9"]
    elif k == 6:
        p["origin"] = r.choice(["310116", "310116-1", "31011-01", "310116_01", "31011a-01"])
    elif k == 7:
        p["act_place"] = r.choice(["31011", "3101166", "31011x"])
    elif k == 8 and p.get("act_from"):
        p["act_to"] = plus(p["act_from"], -1)
    elif k == 9:
        doc["new_act"] = {"place": "310116", "treating_confirmed": True}
    elif k == 10:
        doc["new_act"] = {"at": plus(doc["as_of"], 1), "place": "310116"}
    elif k == 11:
        doc["answered"] = doc["total"] + 1
    elif k == 12:
        p["remedy_events"] = [{"type": r.choice(["review_decided", "judgment"]), "at": "2025-01-01", "outcome": r.choice([None, ""])}]
    elif k == 13:
        p["remedy_events"] = [{"type": r.choice(["appeal", "stayed"]), "at": "2025-01-01", "outcome": "nonsense"}]
    elif k == 14:
        p["remedy_events"] = [{"type": "stayed", "at": "2025-02-30"}]
    elif k == 15:
        p.setdefault("respondent", {})[r.choice(["sex", "id_type", "id_quality", "birth_date"])] = "nonsense"
    elif k == 16:
        doc["new_act"] = {"from": doc["as_of"], "to": plus(doc["as_of"], -1)}
    else:
        p["objections"] = ["2025-02-30"]
