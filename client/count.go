package client

// Count is the cross-region count of an answer (docs/design/count.md, ADR 8). It names candidates; people decide.
type Count struct {
	Lines        []Text     `json:"lines"` // three: who answered, counted penalties with the alert, what to do now
	Rule         string     `json:"rule"`
	Basic        int        `json:"basic"`
	Strict       int        `json:"strict"`
	Pending      int        `json:"pending"`
	Potential    int        `json:"potential"`
	Again        bool       `json:"again"`
	Alert        string     `json:"alert"` // G0 GP0 G1 GP G2 G3d G3 G4
	Also         []string   `json:"also"`  // beside G4
	Candidate    bool       `json:"candidate"`
	Incomplete   bool       `json:"incomplete"` // the numbers are minimums
	Answered     int        `json:"answered"`
	Total        int        `json:"total"`
	Excluded     int        `json:"excluded"`
	FirstOffence First      `json:"first_offence"`
	Decisions    []Decision `json:"decisions"` // with Ask.Why
}

// Text is a text in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// First answers whether this is the first offence anywhere (首违不罚).
type First struct {
	Answer    string   `json:"answer"` // yes, no, unknown
	Decisions []string `json:"decisions"`
	Text      Text     `json:"text"`
}

// Decision is one decision with its verdict.
type Decision struct {
	Decision string   `json:"decision"`
	Verdict  string   `json:"verdict"` // C counts, P a reviewer decides, E excluded
	Reason   string   `json:"reason"`
	Level    string   `json:"level"`
	Doc      string   `json:"doc"`
	Served   string   `json:"served_at"`
	Final    string   `json:"final_at"`
	Strict   bool     `json:"strict"`
	Merged   []string `json:"merged"`
	Released []string `json:"released_by"`
}
