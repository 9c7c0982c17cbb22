"""The synthetic persons of the generated inputs (domain.md 3, 6.2, 7.1)."""

import copy
import datetime

from persons import check_digit

PLACES = ["310116", "310117", "330482", "320623"]


def citizen(r, sex, birth):
    body = f"{r.choice(PLACES)}{birth:%Y%m%d}{90 + r.randint(0, 9)}{2 * r.randint(0, 4) + (sex == '1')}"
    return body + check_digit(body)


class Cast:
    """A subject, the same person as origins wrote him down, and others."""

    def __init__(self, r, as_of):
        self.r, self.links = r, []
        self.sex = r.choice("12")
        self.birth = datetime.date(r.randint(1900, 1909), r.randint(1, 12), r.randint(1, 28))
        self.no = citizen(r, self.sex, self.birth)
        self.home = r.choice(PLACES)
        self.base = {"name": "测样华", "name_variants": [], "id_type": "RIC", "id_no": self.no,
                     "id_quality": r.choice(["police_verified", "card_read", "seen", "unknown", None]),
                     "sex": self.sex, "birth_date": self.birth, "hukou_region": self.home,
                     "phones": [{"no": "15400000001", "from": "2020-01-01", "to": "2026-12-31"}]}
        k = r.random()
        if k > 0.8:
            self.document(r)
        self.subject = copy.deepcopy(self.base)
        k = r.random()
        if k < 0.1:
            self.subject["id_no"] = self.spelled(self.subject)
        elif k < 0.14:
            self.subject["id_quality"] = "self_stated"
        elif k < 0.18:
            self.subject["id_no"] = None
        elif k < 0.21:
            self.subject["id_no"] = self.mistyped(self.no)
            self.subject["id_type"] = "RIC"
        elif k < 0.25:
            self.temporary(r)
        elif k < 0.4:
            self.subject = {"id_type": self.base["id_type"], "id_no": self.base["id_no"]}
            if "id_country" in self.base:
                self.subject["id_country"] = self.base["id_country"]

    def document(self, r):
        kind, no = r.choice([("HMP", "H00000001"), ("TWP", "00000001"), ("PPT", "E99999999"), ("FPR", "931840190001019015"),
                             ("HMR", "810000190001019012"), ("TWR", "830000190001019032")])
        self.base.update({"id_type": kind, "id_no": no})
        if kind == "PPT":
            self.base["id_country"] = "CHN"
        if kind in ("FPR", "HMR", "TWR"):
            self.birth = datetime.date(1900, 1, 1)
            self.sex = "12"[(int(no[16]) + 1) % 2]
            self.base.update({"birth_date": self.birth, "sex": self.sex})

    def temporary(self, r):
        """The door shows another document; an evidence record may join the two."""
        self.subject.update({"id_type": "PPT", "id_no": "X0000001", "id_country": "XXA"})
        link = {"a": {"id_type": "PPT", "id_no": "X0000001", "id_country": "XXA"},
                "b": {k: self.base[k] for k in ("id_type", "id_no", "id_country") if k in self.base},
                "approved_by": r.choice(["测审核员-01", "测审核员-01", "测审核员-01", None])}
        if r.random() < 0.5:
            link["a"], link["b"] = link["b"], link["a"]
        self.links.append(link)

    def spelled(self, p):
        """One number as people type it."""
        r, no = self.r, p["id_no"]
        if not no:
            return no
        if p["id_type"] == "HMP":
            return r.choice(["H0000000102", "h00000001", "Ｈ00000001 "])
        if p["id_type"] == "TWP":
            return r.choice(["0000000102(B)", "00000001", "00000001 02"])
        if p["id_type"] != "RIC":
            return no.lower()
        if no[6:8] == "19" and r.random() < 0.4:
            return no[:6] + no[8:17]
        return r.choice([no.lower(), no[:6] + " " + no[6:14] + " " + no[14:], no.replace("X", "Ｘ"), no + "\u200b",
                         no.replace("X", "×"), no[:6] + "-" + no[6:]])

    def other(self):
        """A valid number of the same family, of nobody here."""
        return {"id_type": "RIC", "id_no": citizen(self.r, self.sex, self.birth)}

    def mistyped(self, no):
        if len(no) < 18:
            return "0" + no
        return self.r.choice([no[:17] + ("0" if no[17] != "0" else "1"), no.replace("0", "O", 1), no[:16] + "*" + no[17],
                              no.replace("1", "l", 1), no[:17]])

    def respondent(self):
        r = self.r
        p = copy.deepcopy(self.base)
        if r.random() < 0.25:
            p["id_no"] = self.spelled(p)
        if r.random() < 0.1:
            p["name"] = r.choice(["测样 华", "测样华 ", None])
        if r.random() < 0.1:
            p.update({"sex": r.choice([None, "0", "9"]), "birth_date": r.choice([None, f"{self.birth:%Y}", self.birth])})
        return p

    def variation(self, penalty):
        """The respondent of one decision, with one fact changed."""
        r, p = self.r, copy.deepcopy(self.base)
        other = datetime.date(1905, 5, 5)
        k = r.randint(0, 13)
        if k == 0:
            p["id_quality"] = "self_stated"
        elif k == 1:
            p["sex"] = "1" if self.sex == "2" else "2"
        elif k == 2:
            p["birth_date"] = r.choice([other, "1899", f"{self.birth:%Y}"])
        elif k == 3:
            p["name"] = "测另名"
        elif k == 4:
            p.update({"name": "测另名", "name_variants": ["测样华"]})
        elif k == 5:
            p["id_no"] = None
        elif k == 6:
            p.update({"id_no": None, "hukou_region": "330499"})
            penalty["photo_compared_by"] = r.choice([["99000000001", "99000000002"], ["99000000001"],
                                                     ["99000000001", "99000000001"], None])
            p["phones"] = r.choice([p["phones"], [], [{"no": "+86 154 0000 0001", "from": "2019-01-01", "to": "2020-01-01"}],
                                    [{"no": "15400000001", "from": "2019-01-01", "to": "2019-12-31"}]])
        elif k == 7:
            p.update({"id_no": None, "sex": r.choice(["0", None, self.sex]), "birth_date": r.choice([f"{self.birth:%Y}", self.birth])})
        elif k == 8:
            p.update(self.other())
        elif k == 9:
            p["id_no"] = self.mistyped(p["id_no"])
        elif k == 10:
            p.update({"id_type": "PPT", "id_no": r.choice(["E00000000", "X0000001"]), "id_country": r.choice(["CHN", "XXA", None])})
        elif k == 11:
            p = {}
        elif k == 12:
            p["id_no_old"] = self.no[:6] + self.no[8:17]
            p["id_no"] = r.choice([None, p["id_no"]])
        else:
            p = {"name": p["name"], "id_type": p["id_type"], "id_no": p["id_no"], "id_country": p.get("id_country")}
        return p
