"""Plants mistakes in package transfer, one at a time, and sees whether its tests find them (standard library only).

    python3 transfer/testdata/mutants.py [--write docs/mutants-transfer.md] [FIRST [LAST]]

The source tree is not touched: each mutant is compiled through the -overlay flag of go. Exit code 1 if one survives, or
if the text that it replaces is not found exactly once.
"""
import json, pathlib, subprocess, sys, tempfile

MUTANTS = [line.split("\t") for line in r"""
resolve	resolve.go	r.level = Conflict //	r.level = Exact //	contradicting facts are not seen
resolve	resolve.go	name == contradicts || birth == contradicts || sex == contradicts	name == contradicts || birth == contradicts	another sex is no conflict
resolve	resolve.go	case !different && linked(	case linked(	a link joins two lifelong numbers
resolve	resolve.go	if l.ApprovedBy == "" || !okA	if !okA	an unapproved link counts
resolve	resolve.go	case !different && facts:	case facts:	facts outweigh another lifelong number
resolve	resolve.go	&& (home || inPeriod || photo)	&& (home || inPeriod || photo || true)	R2 without a further fact
resolve	resolve.go	photo := distinct(p.PhotoComparedBy) >= 2	photo := len(p.PhotoComparedBy) >= 2	one officer compares twice
resolve	resolve.go	s.IDQuality == SelfStated || p.Respondent.IDQuality == SelfStated	p.Respondent.IDQuality == SelfStated	a self-stated question is exact
resolve	resolve.go	case a.Day.IsZero() || b.Day.IsZero():	case a.Day.IsZero() && b.Day.IsZero():	a year agrees with a day
resolve	resolve.go	case name == agrees || handle:	case name == agrees:	a phone alone is no lead
resolve	resolve.go	!x.From.After(y.To) && !y.From.After(x.To)	true	any period of a phone
resolve	resolve.go	identifier.TypeTaiwanResident}	identifier.TypeTaiwanResident, identifier.TypePassport}	passports are for life
remedy	remedy.go	s.end = served.AddMonths(12)	s.end = served.AddMonths(6)	not told: six months
remedy	remedy.go	case e.At.After(asOf):	case e.At.After(asOf.AddDays(1)):	events of tomorrow
remedy	remedy.go	e.FinalOn.IsZero() || e.FinalOn.After(asOf)	e.FinalOn.After(asOf)	a judgment that is not final has effect
remedy	remedy.go	if e.FinalOn.After(e.At) {	if false {	a judgment stands on the day it was given
remedy	remedy.go	e.At.AddDays(15)	e.At.AddDays(14)	14 days after review
remedy	remedy.go	s.reviewOpen, s.end = false, later(e.At, s.end)	s.reviewOpen, s.end = false, e.At	a withdrawn review shortens the period
remedy	remedy.go	s.reviewOpen, s.suitOpen, s.end = false, false, e.FinalOn	s.suitOpen, s.end = false, e.FinalOn	a judgment leaves the review open
remedy	remedy.go	case o != Dismissed:	default:	a dismissal settles the state
remedy	remedy.go	if o == Settled {	if false {	a settled withdrawal is final
remedy	remedy.go	if s.reviewOpen || s.suitOpen {	if s.suitOpen {	an open review has a final day
remedy	remedy.go	s.undated = true	s.undated = false	undated events are forgotten
dates	../schemas/identifier/date.go	return Date{year, month, min(d.Day, last)}	t := time.Date(year, month, d.Day, 0, 0, 0, 0, time.UTC); _ = last; return Date{t.Year(), t.Month(), t.Day()}	month ends as AddDate gives them
steps	examine.go	len(r.Kinds) > 0 && !slices	!slices	missing kinds exclude
steps	examine.go	return r.IssuerKind == OtherIssuer	return r.IssuerKind == OtherIssuer || r.IssuerKind == ""	a missing issuer kind excludes
steps	examine.go	return p.Announced.AddDays(60)	return p.Announced.AddDays(30)	30 days under the old rule
steps	examine.go	ahead := r.served.After(r.asOf)	ahead := !r.served.Before(r.asOf)	service today is of the future
steps	examine.go	|| r.Decided.After(r.asOf)	|| false	a decision of tomorrow
steps	examine.go	ahead = ahead && announced	ahead = ahead || announced	a missing mode excludes
steps	examine.go	r.served.IsZero() || r.ServiceMode == "" || !r.ServiceProof	r.served.IsZero() || r.ServiceMode == ""	no proof is needed
steps	examine.go	return r.actFrom.IsZero() || r.actTo.IsZero()	return r.actFrom.IsZero() && r.actTo.IsZero()	one day of the act is enough
steps	examine.go	(r.Cause == "UP02" || r.Cause == "UP08") && !r.Practised	r.Cause == "UP02" && !r.Practised	UP08 needs no practitioner
steps	examine.go	return r.IssuerKind != HealthAuthority	return r.IssuerKind != HealthAuthority && r.IssuerKind != TCMAuthority	TCM authorities count
steps	examine.go	return r.UsedInConviction	return false	a convicted penalty counts again
steps	examine.go	s == nil || s.By == "" ||	s == nil ||	a nameless suspension holds
steps	examine.go	s.Lifted.IsZero() || s.Lifted.After(asOf)	s.Lifted.IsZero() || !s.Lifted.Before(asOf)	suspended on the day of lifting
steps	examine.go	{Finding{Pending, ReasonStayed}, true,	{Finding{Pending, ReasonStayed}, false,	a stay releases nothing
steps	codes.go	|| q == AssistantPhysician || q == TCMSpecialist	|| q == TCMSpecialist	assistants are laymen
copies	decision.go	l.Version > b.Version || l	l.Version < b.Version || l	the oldest version
copies	decision.go	case origin == issuer[:4]+"00":	case false:	the city is no closer than a county
copies	decision.go	cmp.Compare(b.Version, a.Version)	cmp.Compare(a.Version, b.Version)	the lower version is kept
copies	decision.go	return c.Level.counts() && (	return (	a doubtful copy differs
copies	decision.go	c.Annulled && !d.Annulled || c.Stayed && !d.Stayed	c.Annulled && !d.Annulled	a stayed copy is no difference
copies	decision.go	case !passOver && d.differs():	case d.differs():	a differing copy releases nothing
copies	decision.go	f.Verdict == Pending && f.Reason != PriorConviction	f.Verdict == Pending	conviction goes before identity
overlap	decision.go	if d.Issuer == k.Issuer || d.ActPlace != "" && d	if d.Issuer == k.Issuer || d	two missing places are one
overlap	decision.go	f = Finding{Excluded, SameAct}	f = Finding{Pending, ParallelAct}	the same act waits
overlap	decision.go	if out[d] = f; f.Verdict == Counts {	if out[d] = f; true {	what is absorbed absorbs
overlap	decision.go	return !a.ActFrom.After(b.ActTo) && !b.ActFrom.After(a.ActTo)	return a.ActFrom.Before(b.ActTo) && b.ActFrom.Before(a.ActTo)	a shared day is no overlap
overlap	decision.go	if d == x || d.found	if d.found	nothing is ever released
overlap	decision.go	cmp.Or(compareDays(a.Served, b.Served), compareDays(a.Decided	cmp.Or(compareDays(a.Decided	order by decision
counts	count.go	return !d.Final.IsZero() && !d.Final.After(at) }	return !d.Final.After(at) }	an open remedy is final
counts	count.go	d.ActTo.After(out[0].Served)	d.ActTo.After(out[len(out)-1].Served)	warned by the last, not by the first
counts	count.go	len(out) == 0 || d.ActTo.After(out[0].Served)	true	no warning is needed
counts	count.go	at = a.NewAct.At	_ = a.NewAct.At	strict as of today
counts	count.go	n.EstablishedInCase || n	n	a case file confirms nothing
counts	count.go	distinct(n.Officers) >= 2	len(n.Officers) >= 2	one officer confirms twice
counts	count.go	n.At.After(kept[1].Served)	!n.At.Before(kept[1].Served)	again on the day of service
counts	count.go	&& n.Qualification.lacking() && n.At	&& n.At	again with a qualification
alerts	count.go	!d.Transferred && d.ActTo	d.ActTo	a transferred third penalty is missed
alerts	count.go	len(kept) > 2 && slices.ContainsFunc(kept[2:]	len(kept) > 1 && slices.ContainsFunc(kept[1:]	the second penalty is missed
alerts	count.go	n.confirmed() && !n.Qualification.physician()	n.confirmed()	a physician is a candidate
alerts	count.go	r.Alert == G3 || r.Alert == G3d ||	r.Alert == G3 ||	G3d is no candidate
alerts	count.go	case r.Basic >= 2 && r.Again && r.Strict >= 2:	case r.Basic >= 2 && r.Again && r.Strict >= 1:	strict 1 is G3
level 1	decision.go	most[a.Member] = max(most[a.Member], a.Countable)	most[a.Member] += a.Countable	two answers add up
decoder	format.go	p.NotTold = stated && !told	p.NotTold = !told || !stated	missing is not told
decoder	format.go	if p.ActTo.Before(p.ActFrom) {	if false {	an act may end before it begins
decoder	format.go	case n.At.After(asOf):	case false:	an act of tomorrow
decoder	decode.go	s = record.CivilDay(t)	s = record.CivilDay(t.Add(-8 * time.Hour))	the day at Greenwich
confirmed	confirm.go	c.By != "" && !c.At	!c.At	a nameless confirmation counts
confirmed	confirm.go	!c.At.IsZero() && !c.At.After	!c.At.After	a confirmation without a day counts
confirmed	confirm.go	!c.At.After(r.asOf)	!c.At.After(r.asOf.AddDays(1))	a confirmation of tomorrow
confirmed	confirm.go	r.Qualification == "" || r.Qualification == QualificationUnknown	r.Qualification == ""	an unknown qualification can be confirmed
confirmed	confirm.go	if r.Cause == "" {	if false {	a missing cause can be confirmed
confirmed	confirm.go	if r.IssuerKind == "" {	if false {	a missing issuer kind can be confirmed
confirmed	confirm.go	case ReasonSoleTrader, ReasonIllegal, PriorConviction:	case ReasonSoleTrader, ReasonIllegal, PriorConviction, ServiceUnproven:	a missing proof can be confirmed
confirmed	confirm.go	return c.Reason == reason && 	return 	a confirmation of another reason
confirmed	examine.go	 && !r.confirmed(s.Reason)		no confirmation is heard
facts	fact.go	later.Transferred && !ahead(later.TransferredAt, asOf)	later.Transferred	a transfer of tomorrow
facts	fact.go	!ahead(c.At, asOf) && distinct	distinct	a comparison of tomorrow
facts	fact.go	distinct(c.Officers) >= 2	len(c.Officers) >= 2	one officer under two spellings compares
links	share.go	o.Level == record.L3 && !slices.Contains(l.Agreed, factLink)	o.Level == record.L3	evidence of the origin is not applied at L3
links	share.go	Basic(s, []Penalty{p}, links, asOf)	Basic(s, []Penalty{p}, nil, asOf)	evidence of the origin is not applied at L1
links	share.go	ok && l.ApprovedBy != "" && 	ok && 	an unapproved link is followed
""".strip().split("\n")]


def run(root, mutant):
    subject, name, old, new, what = mutant
    path = (root / "transfer" / name).resolve()
    text = path.read_text()
    if text.count(old) != 1:
        return "not found exactly once (%d)" % text.count(old)
    with tempfile.TemporaryDirectory() as d:
        changed, overlay = pathlib.Path(d) / "mutant.go", pathlib.Path(d) / "overlay.json"
        changed.write_text(text.replace(old, new))
        overlay.write_text(json.dumps({"Replace": {str(path): str(changed)}}))
        p = subprocess.run(["go", "test", "-overlay", str(overlay), "-failfast", "-skip", "TestLong", "-timeout", "5m", "./transfer"], cwd=root, capture_output=True, text=True)
    if "[build failed]" in p.stdout + p.stderr or "[setup failed]" in p.stdout + p.stderr:
        return "does not compile"
    if p.returncode == 0:
        return "survived"
    failed = [l.split()[2] for l in p.stdout.splitlines() if l.startswith("--- FAIL:")]
    return "killed by " + (failed[0] if failed else "a crash")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    args, out = sys.argv[1:], None
    if args[:1] == ["--write"]:
        out, args = args[1], args[2:]
    first, last = int(args[0]) if args else 1, int(args[1]) if len(args) > 1 else len(MUTANTS)
    rows, alive = [], 0
    for i, m in list(enumerate(MUTANTS, 1))[first - 1:last]:
        result = run(root, m)
        alive += not result.startswith("killed")
        rows.append("| %d | %s | %s | %s |" % (i, m[0], m[4], result))
        print(rows[-1], flush=True)
    print("%d mutants, %d not killed" % (len(rows), alive))
    if out:
        text = ["# Planted mistakes in the count", "", "`python3 transfer/testdata/mutants.py --write docs/mutants-transfer.md` plants each of these mistakes in package `transfer`, runs its tests without the long ones, and writes",
                "this page. %d mistakes, %d not found." % (len(rows), alive), "", "| No. | Part | Mistake | Result |", "| --- | --- | --- | --- |"] + rows
        (root / out).write_text("\n".join(text) + "\n")
    sys.exit(alive > 0)


if __name__ == "__main__":
    main()
