#!/usr/bin/env python3
"""Seeded hard inputs for the cross-region count: generate.py N SEED > inputs.

Every person, number and decision is synthetic (domain.md 7.1). Days are laid
on and beside the edges of the rule: end of service, end of the remedy period,
the shared day of two acts, month ends, the 29th of February, +08:00 midnight.
"""

import calendar
import copy
import datetime
import json
import random
import sys

import broken
import remedy
import scenes
from people import Cast

OFFICES = [  # member code, USCC of its commission, short name
    ("310116-01", "11310116MB0000001X", "测金"), ("310117-01", "11310117MB0000002X", "测松"),
    ("330482-01", "11330482MB0000003X", "测平"), ("330400-01", "11330400MB0000004X", "测嘉"),
    ("330421-01", "11330421MB0000005X", "测善"), ("320509-01", "11320509MB0000006X", "测吴")]
ELSEWHERE = ["310000-01", "330411-01", "330000-01", "440300-01"]
OTHER_ISSUERS = ["tcm_authority", "cdc_authority", "town_or_street", "general_enforcement_bureau", "other", None]
UNCLEAR = ["village_doctor", "tcm_apprentice", "foreign_only", "trainee", "unknown", None]
QUALIFIED = ["qualified_registered", "qualified_unregistered", "assistant_physician", "tcm_specialist"]
CAUSES = ["UP01", "UP05", "UP06", "UP10", "UP02", "UP08", "UP03", "UP04", "UP07", "UP09", "UP11", "UP12",
          "IN01", "IN02", "IN03", "IN04", "ZZ99", "XX77", None]
ANCHORS = ["2024-02-29", "2024-08-31", "2025-02-28", "2025-08-31", "2025-12-31", "2026-01-01", "2026-03-13",
           "2026-02-28", "2026-04-30", "2022-01-30", "2022-03-02", "2028-02-29"]


def plus(day, n):
    return day + datetime.timedelta(days=n)


def months(day, n):
    y, m = divmod(day.year * 12 + day.month - 1 + n, 12)
    return datetime.date(y, m + 1, min(day.day, calendar.monthrange(y, m + 1)[1]))


class Case:
    """One input under construction."""

    def __init__(self, rng, n):
        self.r, self.n, self.serial = rng, n, 0
        self.as_of = datetime.date.fromisoformat(rng.choice(ANCHORS))
        if rng.random() < 0.3:
            self.as_of = plus(self.as_of, rng.randint(-40, 40))
        self.on = self.as_of if rng.random() < 0.6 else plus(self.as_of, -rng.choice([1, 2, 15, 30, 200]))
        self.cast = Cast(rng, self.as_of)
        self.penalties = []
        self.doc = {"id": n, "subject": self.cast.subject, "penalties": self.penalties, "as_of": self.as_of,
                    "answered": 7, "total": 7}

    def near(self, day):
        return plus(day, self.r.choice([-1, 0, 0, 1]))

    def service_day(self):
        """A day of service beside an edge of the rule."""
        r = self.r.random()
        if r < 0.3:
            return self.near(months(self.on, -6))
        if r < 0.4:
            return self.near(months(self.on, -12))
        if r < 0.5:
            return self.near(self.on)
        if r < 0.56:
            return self.near(self.as_of)
        if r < 0.7:
            return plus(datetime.date.fromisoformat(self.r.choice(ANCHORS[:8])), -366)
        return plus(self.as_of, -self.r.randint(1, 900))

    def penalty(self):
        r = self.r
        self.serial += 1
        code, uscc, short = r.choice(OFFICES)
        served = self.service_day()
        last = plus(served, -r.choice([20, 30, 50, 90]))
        first = plus(last, -r.choice([0, 0, 0, 1, 5, 40]))
        p = {"record_id": f"r{r.randint(0, 9999):04d}-{self.serial}", "origin": code, "version": 1,
             "doc_no": f"{short}卫医罚〔{served.year}〕9{r.randint(0, 99):03d}号", "issuer_uscc": uscc,
             "issuer_kind": "health_authority", "respondent_kind": "person",
             "respondent": self.cast.respondent(), "practitioner_is_respondent": True,
             "cause_code": r.choice(["UP01", "UP01", "UP02"]), "act_from": first, "act_to": last,
             "act_place": code[:6], "qualification_at_act": r.choice(["none", "none", "forged", "revoked"]),
             "kinds": r.choice([["P2a"], ["P2a", "P2b", "BAN"], ["P1"]]), "decided_at": plus(served, -r.randint(0, 7)),
             "served_at": served, "service_mode": r.choice(["DIR", "MAIL", "LEFT"]), "service_proof": True,
             "remedy_told": True, "remedy_events": []}
        if self.penalties and r.random() < 0.35:
            self.touch(p, r.choice(self.penalties))
        self.penalties.append(p)
        return p

    def touch(self, p, other):
        """The act shares, or just misses, a day with another; or follows its warning."""
        if not other.get("act_from") or not other.get("act_to"):
            return
        k = self.r.randint(0, 3)
        if k == 0:
            p["act_from"] = self.near(other["act_to"])
            p["act_to"] = plus(p["act_from"], self.r.randint(0, 30))
        elif k == 1:
            p["act_to"] = self.near(other["act_from"])
            p["act_from"] = plus(p["act_to"], -self.r.randint(0, 30))
        elif k == 2 and other.get("served_at"):
            p["act_to"] = self.near(other["served_at"])
            p["act_from"] = plus(p["act_to"], -self.r.randint(0, 60))
        else:
            p["act_from"], p["act_to"] = plus(other["act_from"], -3), plus(other["act_to"], 3)
        p["act_place"] = self.r.choice([p["act_place"], other.get("act_place"), None])

    # Changes to one decision. Each is one sentence of 6.1-6.3.

    def change(self, p):
        r = self.r
        k = r.randint(0, 21)
        if k == 0:
            p["kinds"] = r.choice([["BAN"], ["CORRECT", "STOP"], ["NONE"], ["OPINION", "REGISTER"], [], None, ["P6", "BAN"]])
        elif k == 1:
            p["respondent_kind"] = r.choice(["organisation", "sole_trader", "sole_trader", None])
        elif k == 2:
            p["cause_code"] = r.choice(CAUSES)
            p["practitioner_is_respondent"] = r.choice([True, True, False, None])
        elif k == 3:
            p["qualification_at_act"] = r.choice(QUALIFIED + UNCLEAR)
        elif k == 4:
            p["issuer_kind"] = r.choice(OTHER_ISSUERS)
        elif k == 5:
            p["service_mode"] = "ANN"
            edge = r.choice([self.on, self.as_of, months(self.on, -6), datetime.date(2022, 3, 1), datetime.date(2022, 1, 30)])
            p["announced_at"] = self.near(plus(edge, r.choice([-30, -60])))
            p["decided_at"] = plus(p["announced_at"], -3)
            if r.random() < 0.3:
                p["served_at"] = None
            if r.random() < 0.1:
                p["announced_at"] = None
        elif k == 6:
            p[r.choice(["served_at", "service_mode", "service_proof", "act_from", "act_to", "act_place",
                        "qualification_at_act", "issuer_kind", "cause_code", "remedy_told"])] = r.choice([None, ""])
        elif k == 7:
            p["service_proof"] = r.choice([False, "blob-1", None])
        elif k == 8:
            p["served_at"] = self.near(self.as_of)
            p["decided_at"] = self.near(self.as_of)
        elif k == 9:
            p["remedy_told"] = False
            if r.random() < 0.6:
                p["served_at"] = self.near(months(self.on, -12))
        elif k == 10:
            p["used_in_conviction"] = r.choice([True, True, False])
        elif k == 11:
            p["transferred"] = True
        elif k == 12:
            at = self.near(self.as_of) if r.random() < 0.5 else plus(self.as_of, -30)
            p["suspended"] = {"at": at, "by": r.choice(["测审核员-01", "测审核员-01", None]),
                              "lifted_at": r.choice([None, None, plus(at, 1), self.near(self.as_of)])}
            if p["suspended"]["lifted_at"] and p["suspended"]["lifted_at"] < at:
                p["suspended"]["lifted_at"] = at
        elif k == 13:
            p["objections"] = [self.near(self.as_of) for _ in range(r.randint(1, 3))]
        elif k == 14:
            p["respondent"] = self.cast.variation(p)
        elif k == 15:
            p["act_place"] = r.choice(["310116", "330482", None])
        elif k == 16:
            p["origin"] = r.choice(ELSEWHERE)
        elif k == 17:
            p["transferred"] = False
            p["act_to"] = self.near(p["served_at"]) if p.get("served_at") else p["act_to"]
            if p["act_from"] and p["act_to"] and p["act_from"] > p["act_to"]:
                p["act_from"] = p["act_to"]
        else:
            p["remedy_events"] = remedy.events(r, p.get("served_at") or self.as_of, self.on, self.as_of)

    # Other records of the same decision.

    def copy_of(self, p):
        r = self.r
        c = copy.deepcopy(p)
        k = r.random()
        if k < 0.2:  # an identical duplicate
            return c
        if k < 0.5:  # an older or a newer version of the same record
            c["version"] = p["version"] + r.choice([-1, 1, 1]) if p["version"] > 1 else 2
            self.change(c)
            return c
        c["record_id"] = f"c{r.randint(0, 9999):04d}-{len(self.penalties)}"
        c["origin"] = r.choice([o[0] for o in OFFICES] + ELSEWHERE)
        c["version"] = r.randint(1, 3)
        c["doc_no"] = self.respell(p["doc_no"])
        if r.random() < 0.3:
            c["issuer_uscc"] = r.choice([p["issuer_uscc"].lower(), " " + p["issuer_uscc"][:8] + " " + p["issuer_uscc"][8:]])
        if r.random() < 0.8:
            self.change(c)
        return c

    def respell(self, no):
        r = self.r
        for a, b in r.sample([("〔", "【"), ("〔", "("), ("〔", "（"), ("〔", "[") , ("9", "００９"), ("9", "９"), ("号", ""),
                              ("罚", "罚字"), ("〕", "〕第"), ("〕", "〕 "), ("号", "-1号"), ("号", "－1号"), ("号", "—2号")],
                             r.randint(0, 3)):
            if a == "9":
                head, tail = no.split("〕") if "〕" in no else (None, None)
                if head:
                    no = head + "〕" + tail.replace("9", b, 1)
            elif a == "〔":
                no = no.replace("〔", b).replace("〕", {"【": "】", "(": ")", "（": "）", "[": "]"}[b])
            else:
                no = no.replace(a, b, 1)
        return no

    def act(self):
        r = self.r
        a = {"at": self.on, "place": "310116", "treating_confirmed": True,
             "officers": ["99000000001", "99000000002"], "qualification_at_act": "none"}
        k = r.randint(0, 11)
        if k == 0:
            a["treating_confirmed"] = False
        elif k == 1:
            a["officers"] = r.choice([["99000000001"], ["99000000001", "99000000001"], [], None])
            a["officers_typed"] = ["99000000003"]
        elif k == 2:
            a.update({"established_in_case": True, "treating_confirmed": r.choice([True, False]), "officers": None})
        elif k in (3, 4):
            a["qualification_at_act"] = r.choice(QUALIFIED + UNCLEAR + ["forged", "revoked"])
        elif k in (5, 6):
            del a["at"]
            a["from"], a["to"] = plus(self.on, -r.randint(0, 200)), self.on
        return a

    def finish(self):
        r = self.r
        for _ in range(r.choice([1, 2, 2, 2, 3, 3, 4])):
            p = self.penalty()
            for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
                self.change(p)
        for p in list(self.penalties):
            if r.random() < 0.2:
                self.penalties.append(self.copy_of(p))
        for _ in range(r.choice([0, 1, 1, 2])):
            scenes.play(self)
        self.straighten()
        r.shuffle(self.penalties)
        if r.random() < 0.8:
            self.doc["new_act"] = self.act()
        elif r.random() < 0.5:
            self.doc["new_act"] = None
        if r.random() < 0.15:
            self.doc["l1_answers"] = [{"member": "330482-01", "countable": r.randint(0, 3)}]
        if r.random() < 0.2:
            self.doc["answered"] = r.choice([0, 6])
        self.doc["links"] = self.cast.links
        if r.random() < 0.06:
            broken.spoil(r, self.doc, plus)
        return written(self.doc, r)

    def straighten(self):
        for p in self.penalties:
            a, b = p.get("act_from"), p.get("act_to")
            if a and b and a > b:
                p["act_from"], p["act_to"] = b, a
        seen = {}
        for p in self.penalties:  # one version of one record has one content
            first = seen.setdefault((p["record_id"], p["version"]), p)
            if first is not p:
                p.clear()
                p.update(copy.deepcopy(first))


def written(v, r):
    """Days as text: most plain, some as a timestamp of that day at +08:00."""
    if isinstance(v, dict):
        return {k: written(x, r) for k, x in v.items()}
    if isinstance(v, list):
        return [written(x, r) for x in v]
    if not isinstance(v, datetime.date):
        return v
    if r.random() < 0.9:
        return v.isoformat()
    return r.choice([f"{plus(v, -1)}T16:00:00Z", f"{v}T15:59:59Z", f"{v}T00:00:00+08:00", f"{v}T23:59:59.5+08:00",
                     f"{plus(v, -1)}T11:00:00-05:00"])


def main():
    number, seed = int(sys.argv[1]), int(sys.argv[2])
    for n in range(number):
        rng = random.Random(seed * 1000003 + n)
        print(json.dumps(Case(rng, n).finish(), ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
