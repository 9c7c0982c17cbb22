"""A second reading of the rule count-rule/1.0, made from its text and not from the Go code (standard library only).

    reference.py generate N SEED      writes N drawn questions, one a line
    reference.py answer < QUESTIONS   answers them as the rule says
    reference.py compare A B          compares two files of answers; exit code 1 if they differ
"""
import calendar, datetime as dt, json, random, re, sys, unicodedata

D = dt.date.fromisoformat
K = {"UP01", "UP02", "UP05", "UP06", "UP08", "UP10"}
N = {"IN01", "IN02", "IN03", "IN04"}
FOR_GOOD = {"revoked", "revoked_redo", "void", "withdrawn_by_issuer"}
QUALIFIED = {"qualified_registered", "qualified_unregistered", "assistant_physician", "tcm_specialist"}
LACKING = {"none", "forged", "revoked"}


def day(x):
    if not x:
        return None
    if len(x) > 10:
        t = dt.datetime.fromisoformat(x.upper().replace("Z", "+00:00"))
        return t.astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    return D(x)


def plus_months(d, n):
    y, m = divmod(d.month - 1 + n, 12)
    y += d.year
    return dt.date(y, m + 1, min(d.day, calendar.monthrange(y, m + 1)[1]))


# --- who is the same person (6.2, 3.1-3.5) ---

def squeeze(s):
    s = unicodedata.normalize("NFKC", s or "")
    return re.sub(r"[\s\u2010-\u2015\u2212-]", "", s).upper()


def mod11(body):
    w = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return "10X98765432"[sum(int(c) * k for c, k in zip(body, w)) % 11]


def resident(s, regions=None):
    if re.fullmatch(r"\d{15}", s):
        if s[12:] >= "996":
            return None
        s = s[:6] + "19" + s[6:]
        s += mod11(s)
    if not re.fullmatch(r"\d{17}[\dX]", s) or mod11(s[:17]) != s[17]:
        return None
    try:
        if dt.date(int(s[6:10]), int(s[10:12]), int(s[12:14])) < dt.date(1900, 1, 1):
            return None
    except ValueError:
        return None
    return s


def exact_key(kind, no, country):
    s = squeeze(no)
    if kind == "RIC":
        k = resident(s)
        ok = k and k[:2] in ("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71").split()
        return (kind, k) if ok else None
    if kind in ("HMR", "TWR"):
        k = resident(s) if len(s) == 18 else None
        return (kind, k) if k and k[:6] in ("810000", "820000", "830000") else None
    if kind == "HMP":
        return (kind, s[:9]) if re.fullmatch(r"[HM]\d{8}(\d\d)?", s) else None
    if kind == "TWP":
        return (kind, s[:8]) if re.fullmatch(r"\d{8}|\d{10}(\([A-Z0-9]\))?", s) else None
    if kind == "PPT":
        c = squeeze(country)
        if not re.fullmatch(r"[A-Z]{3}", c) or not re.fullmatch(r"[A-Z0-9]{5,9}", s):
            return None
        if c == "CHN" and not re.fullmatch(r"[EGDSPK][A-Z]?\d{7,8}", s):
            return None
        return (kind, c + s)
    if kind == "FPR":
        if re.fullmatch(r"[A-Z]{3}\d{12}", s):
            return (kind, s)
        return (kind, s) if re.fullmatch(r"9\d{16}[\dX]", s) and mod11(s[:17]) == s[17] else None
    return None


def keys(p):
    ks = {exact_key(p.get("id_type"), p.get("id_no"), p.get("id_country")), exact_key("RIC", p.get("id_no_old"), None)}
    return ks - {None}


def names(p):
    raw = [p.get("name")] + (p.get("name_variants") or [])
    return {re.sub(r"\s", "", unicodedata.normalize("NFKC", n)).upper() for n in raw if n and n.strip()}


def level(s, pen, links, as_of):
    r = pen.get("respondent") or {}
    ks, kr = keys(s), keys(r)
    ns, nr = names(s), names(r)
    bs, br = s.get("birth_date") or "", r.get("birth_date") or ""
    xs, xr = s.get("sex"), r.get("sex")
    known_sex = xs in ("1", "2") and xr in ("1", "2")
    contradiction = (ns and nr and not ns & nr) or (known_sex and xs != xr) or \
        (bs and br and (bs[:4] != br[:4] or (len(bs) == 10 and len(br) == 10 and bs != br)))
    capped = "self_stated" in (s.get("id_quality"), r.get("id_quality"))
    if ks & kr:
        if contradiction:
            return "RX"
        return "R2" if capped else "R1"
    phones_equal = phone_in_period = False
    for a in s.get("phones") or []:
        for b in r.get("phones") or []:
            a0, a1, b0, b1 = day(a.get("from")), day(a.get("to")), day(b.get("from")), day(b.get("to"))
            if (a0 and a0 > as_of) or (b0 and b0 > as_of):
                continue
            if re.fullmatch(r"1[3-9]\d{9}", squeeze(a.get("no"))) and squeeze(a.get("no")) == squeeze(b.get("no")):
                phones_equal = True
                lo, hi = dt.date.min, dt.date.max
                if max(a0 or lo, b0 or lo) <= min(a1 or hi, b1 or hi):
                    phone_in_period = True
    r3 = "R3" if ns & nr or phones_equal else None
    lifelong = ("RIC", "HMP", "TWP", "HMR", "TWR")
    if {f for f, _ in ks if f in lifelong} & {f for f, _ in kr}:
        return r3
    for l in links:
        if l.get("approved_by"):
            a, b = ({exact_key(l[e].get("id_type"), l[e].get("id_no"), l[e].get("id_country"))} - {None} for e in "ab")
            if (a & ks and b & kr) or (b & ks and a & kr):
                return "R2" if capped else "R1L"
    officers = {squeeze(o) for o in pen.get("photo_compared_by") or [] if o}
    home = s.get("hukou_region") and s.get("hukou_region") == r.get("hukou_region")
    if ns & nr and len(bs) == 10 and bs == br and known_sex and xs == xr and (home or phone_in_period or len(officers) >= 2):
        return "R2"
    return r3


# --- remedies (6.4) ---

TYPES = "stayed stay_lifted review_applied review_decided review_withdrawn suit_filed judgment suit_withdrawn withdrawn_by_issuer".split()
OUTCOMES = "settled dismissed upheld varied illegal_not_revoked withdrawn_by_issuer revoked revoked_redo void".split()


def remedies(pen, served, as_of):
    seq, undated = [], False
    for e in pen.get("remedy_events") or []:
        if not e:
            continue
        if not e.get("type") or not e.get("at"):
            undated = True
            continue
        when, final = day(e["at"]), day(e.get("final_on"))
        if when > as_of:
            continue
        if e["type"] == "judgment":
            if not final or final > as_of:
                continue
            when = max(when, final)
        o = e.get("outcome")
        seq.append((when, TYPES.index(e["type"]), OUTCOMES.index(o) if o else -1, e["type"], o, final))
    holds, gone, stay = None, False, False
    open_review = open_suit = False
    end = plus_months(served, 12 if pen.get("remedy_told") is False else 6) if served else None
    for when, _, _, typ, o, final in sorted(seq, key=lambda x: x[:3] + (x[5] or dt.date.min,)):
        out = None
        if typ == "stayed":
            stay = True
        elif typ == "stay_lifted":
            stay = False
        elif typ == "review_applied":
            open_review = True
        elif typ == "suit_filed":
            open_suit = True
        elif typ == "review_decided":
            open_review, end, out = False, when + dt.timedelta(15), o
        elif typ == "judgment":
            open_review, open_suit, end, out = False, False, final, o
        elif typ == "withdrawn_by_issuer":
            gone = True
        else:
            if typ == "review_withdrawn":
                open_review = False
            else:
                open_suit = False
            end = max(end, when) if end else when
            out = "settled" if o == "settled" else None
        if out in FOR_GOOD:
            gone = True
        elif out and out != "dismissed":
            holds = out
    return dict(holds=holds, gone=gone, stay=stay, final=None if open_review or open_suit else end, undated=undated)


# --- verdict (6.3) ---

def service_day(pen):
    if pen.get("service_mode") == "ANN":
        a = day(pen.get("announced_at"))
        return a and a + dt.timedelta(60 if a < dt.date(2022, 1, 1) else 30)
    return day(pen.get("served_at"))


def known(d, as_of):
    return d if d and d <= as_of else None


def judge(c, copies, over):
    """Steps 2 to 17 for the kept copy; over = with 3, 13 and copies_differ passed over."""
    p, as_of, rem, sd = c["pen"], c["as_of"], c["rem"], c["served"]
    kinds, q, cause = [k for k in p.get("kinds") or [] if k], p.get("qualification_at_act"), p.get("cause_code")
    if kinds and not any(re.match("P[1-6]", k) for k in kinds):
        return "E", "not_penalty"
    if rem["gone"] and not over:
        return "E", "annulled"
    if p.get("respondent_kind") == "organisation":
        return "E", "organisation"
    if cause in N:
        return "E", "cause_n"
    if q in QUALIFIED:
        return "E", "qualified"
    if p.get("issuer_kind") == "other":
        return "E", "issuer_kind"
    late = bool(sd and sd > as_of)
    if not p.get("service_mode") and p.get("announced_at"):
        late = late and service_day({"service_mode": "ANN", "announced_at": p["announced_at"]}) > as_of
    if late or day(p["decided_at"]) > as_of:
        return "E", "service_future"
    if not over:
        for o in copies:
            if o["level"] in ("R1", "R1L") and ((o["rem"]["gone"] and not rem["gone"]) or (o["rem"]["stay"] and not rem["stay"])):
                return "P", "copies_differ"
    if not sd or not p.get("service_mode") or not p.get("service_proof"):
        return "P", "service_unproven"
    if not c["from"] or not c["to"]:
        return "P", "act_unknown"
    if not kinds or not p.get("respondent_kind") or rem["undated"]:
        return "P", "record_incomplete"
    if p["respondent_kind"] == "sole_trader":
        return "P", "sole_trader"
    if q not in LACKING:
        return "P", "qualification_unclear"
    if cause not in K:
        return "P", "cause_q"
    if cause in ("UP02", "UP08") and p.get("practitioner_is_respondent") is not True:
        return "P", "practitioner_unclear"
    if not over:
        if rem["holds"] == "illegal_not_revoked":
            return "P", "illegal_not_revoked"
        if rem["holds"] == "settled":
            return "P", "settled"
        if rem["stay"]:
            return "P", "stayed"
        s = p.get("suspended") or {}
        if s.get("by"):
            at, lifted = day(s.get("at")), day(s.get("lifted_at"))
            if (not at or at <= as_of) and not (lifted and lifted <= as_of):
                return "P", "suspended"
    if p.get("issuer_kind") != "health_authority":
        return "P", "issuer_unclear"
    if c["level"] in ("R2", "RX"):
        return "P", "identity_" + c["level"].lower()
    if p.get("used_in_conviction"):
        return "P", "prior_conviction"
    return "C", "counted"


def docno(s):
    s = re.sub(r"\s", "", unicodedata.normalize("NFKC", s)).upper()
    s = re.sub(r"[\u2010-\u2015\u2212\uFE58\uFE63]", "-", s)
    s = re.sub(r"[〔【\[(]", "〔", s)
    s = re.sub(r"[〕】\])]", "〕", s)
    s = re.sub(r"字(?=〔\d+〕)", "", s)
    s = re.sub(r"(?<=〕)第", "", s)
    s = re.sub(r"号$", "", s)
    return re.sub(r"(〔\d+〕)0+(?=\d)", r"\1", s)


def near(origin, issuer):
    o, i = origin[:6], issuer[2:8]
    if o == i:
        return 0
    if o == i[:4] + "00":
        return 1
    return 2 if o[:4] == i[:4] else 3 if o[:2] == i[:2] else 4


def absorb(cs):
    """Verdicts of the overlap for decisions of class C, in its order."""
    kept, out = [], {}
    for c in sorted(cs, key=lambda c: c["order"]):
        meets = [k for k in kept if c["from"] <= k["to"] and k["from"] <= c["to"]]
        place = lambda x: x["pen"].get("act_place")
        if any(k["issuer"] == c["issuer"] or (place(c) and place(k) == place(c)) for k in meets):
            out[c["id"]] = ("E", "same_act")
        elif meets:
            out[c["id"]] = ("P", "parallel_act")
        else:
            out[c["id"]] = ("C", "counted")
            kept.append(c)
    return out


def answer(q):
    as_of, s = day(q["as_of"]), q.get("subject") or {}
    newest = {}
    for p in q.get("penalties") or []:
        old = newest.get(p["record_id"])
        if not old or (p.get("version") or 1) > (old.get("version") or 1):
            newest[p["record_id"]] = p
    groups = {}
    for p in newest.values():
        lv = level(s, p, q.get("links") or [], as_of)
        if lv in (None, "R3"):
            continue
        sd = service_day(p)
        c = dict(pen=p, id=p["record_id"], level=lv, as_of=as_of, served=sd, rem=remedies(p, sd, as_of), issuer=squeeze(p["issuer_uscc"]),
                 doc=docno(p["doc_no"]))
        c["from"], c["to"] = known(day(p.get("act_from")), as_of), known(day(p.get("act_to")), as_of)
        c["order"] = (sd or dt.date.min, day(p["decided_at"]), c["issuer"], c["doc"])
        groups.setdefault((c["issuer"], c["doc"]), []).append(c)
    decisions, verdict, over = [], {}, {}
    for g in groups.values():
        g.sort(key=lambda c: (near(c["pen"]["origin"], c["issuer"]), -(c["pen"].get("version") or 1), c["id"]))
        decisions.append(g[0])
        verdict[g[0]["id"]], over[g[0]["id"]] = judge(g[0], g[1:], False), judge(g[0], g[1:], True)
    counting = [c for c in decisions if verdict[c["id"]][0] == "C"]
    after = absorb(counting)
    released = []
    for x in decisions:
        if verdict[x["id"]][0] != "C" and over[x["id"]][0] == "C":
            with_x = absorb(counting + [x])
            released += [[c["id"], x["id"]] for c in counting if after[c["id"]][0] == "C" and with_x[c["id"]][0] != "C"]
    verdict.update(after)
    kept = sorted((c for c in counting if after[c["id"]][0] == "C"), key=lambda c: c["order"])
    units = {}
    for a in q.get("l1_answers") or []:
        units[a["member"]] = max(units.get(a["member"], 0), a.get("countable") or 0)
    for m, n in units.items():
        for i in range(n):
            verdict["%s#%d" % (m, i + 1)] = ("P", "l1_answer")
    n = q.get("new_act") or None
    at = day(n.get("at") or n.get("to")) if n else as_of
    final = [c for c in kept if c["rem"]["final"] and c["rem"]["final"] <= at]
    strict = sum(1 for i, c in enumerate(final) if i == 0 or c["to"] > final[0]["served"])
    basic, pending = len(kept), sum(1 for v in verdict.values() if v[0] == "P")
    confirmed = bool(n and (n.get("established_in_case") or (n.get("treating_confirmed") and len({squeeze(o) for o in n.get("officers") or [] if o}) >= 2)))
    again = basic >= 2 and confirmed and n.get("qualification_at_act") in LACKING and at > kept[1]["served"]
    if basic >= 2:
        alert = ("G3" if strict >= 2 else "G3d") if again else "G2"
    elif basic + pending >= 2:
        alert = "GP"
    else:
        alert = "G1" if basic else "GP0" if pending else "G0"
    candidate = alert in ("G3", "G3d") or (alert == "GP" and confirmed and n.get("qualification_at_act") not in QUALIFIED)
    also = []
    if any(not c["pen"].get("transferred") and c["to"] > kept[1]["served"] for c in kept[2:]):
        also, alert = [alert], "G4"
    return dict(basic=basic, strict=strict, pending=pending, again=again, alert=alert, also=also, candidate=candidate, incomplete=q["answered"] < q["total"],
                released=sorted(released), verdicts={k: list(v) for k, v in sorted(verdict.items())})


# --- drawn questions ---

ME = {"name": "测甲一", "id_type": "RIC", "id_no": "320623190001159016", "id_quality": "card_read", "sex": "1", "birth_date": "1900-01-15", "hukou_region": "320623"}
ISSUERS = ["113304820000900264", "113304210000900696", "11330400000090050U", "113101170000900343", "11310116000090018Y"]
ORIGINS = ["330482-01", "330421-01", "330400-01", "310117-01", "310116-01", "330000-01"]


class Draw(random.Random):
    def rare(self, usual, *others, p=0.12):
        return self.choice(others) if self.random() < p else usual

    def day(self, lo="2023-06-01", span=900):
        return (D(lo) + dt.timedelta(self.randrange(span))).isoformat()

    def person(self):
        p = dict(ME)
        p["id_no"] = self.rare(p["id_no"], "320623000115901", "330482190102209028", "320623190001159017", "３２０６２３１９０００１１５９０１６", "", None)
        if self.random() < 0.1:
            p["id_type"], p["id_no"] = self.choice([("HMP", "H90000001"), ("HMP", "H9000000103"), ("HMP", "H90000002"), ("PPT", "E99999999"), ("PPT", "E99999998"),
                ("TWP", "00000001"), ("TWP", "0000000102(B)"), ("HMR", "810000190001019012"), ("MIL", "12345678"), (None, ME["id_no"]), ("UNK", "")])
            p["id_country"] = self.rare("CHN", None, p=0.3)
        p["id_no_old"] = self.rare(None, "320623000115901", p=0.05)
        p["id_quality"] = self.rare("seen", "self_stated", "unknown", None, "police_verified")
        p["name"] = self.rare(p["name"], "测乙二", "测 甲一", None, p=0.1)
        p["name_variants"] = self.rare([], ["测甲一"], ["测小一"], p=0.2)
        p["sex"] = self.rare("1", "2", "0", "9", None, p=0.08)
        p["birth_date"] = self.rare(p["birth_date"], "1900", "1901", "1900-01-16", None, p=0.08)
        p["hukou_region"] = self.rare(p["hukou_region"], "330482", None)
        if self.random() < 0.2:
            p["phones"] = [{"no": self.choice(["15400000001", "154 0000 0001", "15400000002"]), "from": self.rare(None, self.day(), p=0.5), "to": None}]
            if self.random() < 0.5:
                p["phones"][0]["to"] = (D(p["phones"][0]["from"] or "2024-01-01") + dt.timedelta(200)).isoformat()
        return p

    def events(self):
        out = []
        for _ in range(self.rare(0, 1, 2, 3, 4, p=0.45)):
            t = self.choice(TYPES)
            e = {"type": t, "at": self.day("2024-01-01", 800)}
            if t in ("review_decided", "judgment"):
                e["outcome"] = self.choice(OUTCOMES)
            elif t.endswith("withdrawn"):
                e["outcome"] = self.rare(None, "settled", p=0.3)
            if t == "judgment":
                e["final_on"] = self.rare((D(e["at"]) + dt.timedelta(self.randrange(60))).isoformat(), None, p=0.3)
            if self.random() < 0.03:
                e["at"] = None
            out.append(e)
        return out

    def penalty(self, i):
        issuer = self.choice(ISSUERS)
        decided = D(self.day())
        act_to = decided - dt.timedelta(self.randrange(60))
        served = decided + dt.timedelta(self.randrange(20))
        if self.random() < 0.1:
            served = served.replace(day=1) + dt.timedelta(30)  # month ends
        iso = lambda d: d.isoformat() + self.rare("", "T16:30:00Z", "T00:00:00+08:00", p=0.04)
        number = self.randrange(1, 6)
        p = {"record_id": "r%d" % self.rare(i, 0, 1, p=0.1), "origin": self.choice(ORIGINS), "version": self.rare(1, 2, None, p=0.2),
             "doc_no": self.rare("测卫医罚〔2025〕%d号" % number, "测卫医罚字(2025)第00%d号" % number, "测卫医罚〔2025〕%d-1" % number, "测卫%d号" % number, p=0.3),
             "issuer_uscc": self.rare(issuer, issuer[:8] + " " + issuer[8:].lower()), "issuer_kind": self.rare("health_authority", "town_or_street", "other", None, "cdc_authority"),
             "respondent_kind": self.rare("person", "sole_trader", "organisation", None, p=0.08), "respondent": self.person(),
             "practitioner_is_respondent": self.rare(True, False, None), "cause_code": self.rare("UP01", "UP02", "UP08", "UP05", "UP03", "IN02", "XX", None, p=0.25),
             "act_from": iso(act_to - dt.timedelta(self.rare(0, self.randrange(120), p=0.6))), "act_to": iso(act_to),
             "act_place": self.rare(issuer[2:8], "330482", "310116", None, p=0.25),
             "qualification_at_act": self.rare("none", "forged", "revoked", "qualified_unregistered", "tcm_specialist", "village_doctor", "unknown", None, p=0.15),
             "kinds": self.rare(["P2a"], ["BAN"], ["CORRECT", "P1"], [], None, p=0.1), "decided_at": decided.isoformat(), "served_at": iso(served),
             "service_mode": self.rare("DIR", "MAIL", "ANN", None, p=0.15), "announced_at": self.rare(None, served.isoformat(), "2021-12-20", p=0.3),
             "service_proof": self.rare(True, False, "00ff", None, p=0.1), "remedy_told": self.rare(True, False, None, p=0.2), "used_in_conviction": self.rare(False, True, p=0.06),
             "transferred": self.rare(False, True, p=0.2), "remedy_events": self.events(), "objections": self.rare([], [self.day()], p=0.1),
             "photo_compared_by": self.rare([], ["1000001", "1000002"], ["1000001", "1000001"], p=0.15)}
        for name in ("act_from", "act_to", "served_at"):
            if self.random() < 0.03:
                p[name] = None
        if p["act_from"] and p["act_to"] and day(p["act_from"]) > day(p["act_to"]):
            p["act_from"] = p["act_to"]
        if self.random() < 0.1:
            p["suspended"] = {"at": self.rare(self.day(), None), "by": self.rare("法制-01", None), "lifted_at": self.rare(None, self.day("2025-06-01", 300), p=0.4)}
        return p

    def question(self, i):
        as_of = D(self.day("2025-03-01", 500))
        q = {"id": i, "subject": self.person(), "penalties": [self.penalty(k) for k in range(self.choice([1, 2, 2, 3, 3, 4, 5, 6, 8]))], "as_of": as_of.isoformat(),
             "answered": self.rare(7, 6), "total": 7}
        if self.random() < 0.5:  # half of the questions are about a subject of whom nothing is doubtful
            q["subject"] = dict(ME)
        if self.random() < 0.3:  # and some about records of which little is
            for p in q["penalties"]:
                p["respondent"] = dict(ME)
                p.update(service_mode="DIR", service_proof=True, kinds=["P2a"], respondent_kind="person", issuer_kind="health_authority", cause_code="UP01", qualification_at_act="none")
        if self.random() < 0.1:
            q["links"] = [{"a": {"id_type": "RIC", "id_no": ME["id_no"]}, "b": {"id_type": self.choice(["HMP", "PPT"]), "id_no": self.choice(["H90000001", "E99999999"]), "id_country": "CHN"},
                           "approved_by": self.rare("法制-01", None, p=0.3)}]
        if self.random() < 0.1:
            q["l1_answers"] = [{"member": "330424-01", "countable": self.randrange(4)}]
        if self.random() < 0.75:
            at = (as_of - dt.timedelta(self.rare(0, self.randrange(300), p=0.5))).isoformat()
            q["new_act"] = {"place": "310116", "treating_confirmed": self.rare(True, False), "officers": self.rare(["1000001", "1000002"], ["1000001"], ["1000001", " 1000001"], p=0.15),
                            "established_in_case": self.rare(False, True, p=0.1), "qualification_at_act": self.rare("none", "forged", "qualified_registered", "trainee", None, p=0.2)}
            q["new_act"].update({"at": at} if self.random() < 0.7 else {"from": (D(at) - dt.timedelta(9)).isoformat(), "to": at})
        return q


def main():
    if sys.argv[1] == "generate":
        draw = Draw(int(sys.argv[3]))
        for i in range(int(sys.argv[2])):
            q = draw.question(i)
            seen = set()
            # Two contents of one version are no question of the rule.
            q["penalties"] = [p for p in q["penalties"] if not ((p["record_id"], p["version"] or 1) in seen or seen.add((p["record_id"], p["version"] or 1)))]
            print(json.dumps(q, ensure_ascii=False))
    elif sys.argv[1] == "answer":
        for line in sys.stdin:
            q = json.loads(line)
            print(json.dumps(dict(answer(q), id=q["id"])))
    else:
        from collections import Counter
        alerts, reasons, levels, differ, n = Counter(), Counter(), Counter(), 0, 0
        for a, b in zip(open(sys.argv[2]), open(sys.argv[3]), strict=True):
            a, b = json.loads(a), json.loads(b)
            n += 1
            if "error" not in a:
                a["verdicts"] = {v["decision"]: [v["verdict"], v["reason"]] for v in a["verdicts"]}
                a["released"] = sorted([r["decision"], r["by"]] for r in a["released"])
            for name in b:
                if a.get(name) != b[name]:
                    differ += 1
                    if differ <= 20:
                        print("line %d, id %s: %s is %s, the reference says %s" % (n, b["id"], name, a.get(name), b[name]))
            alerts[b["alert"]] += 1
            reasons.update(v[1] for v in b["verdicts"].values())
            reasons["released"] += len(b["released"])
        print(n, "questions;", dict(alerts), dict(reasons))
        if differ:
            print(differ, "differences")
            sys.exit(1)


if __name__ == "__main__":
    main()
