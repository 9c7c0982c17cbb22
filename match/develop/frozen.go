package develop

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/pilinhub/pilin/match"
)

// frozenText has a line for every version of the engine: the version, what was asked, what was answered.
//
//go:embed frozen.txt
var frozenText string

// Frozen is what one version of the engine answers, as SHA-256. Answers are kept beside the version that gave them, so no
// two engines that answer otherwise may bear one version.
type Frozen struct{ Version, Asked, Answered string }

// FrozenNow asks this engine: 1,900 questions over 2,000 entries.
func FrozenNow() Frozen {
	sample := Sample(1, 2000)
	lines := make([]match.RegistryLine, len(sample))
	asked, answered := sha256.New(), sha256.New()
	for i := range sample {
		l := &sample[i].Line
		lines[i] = *l
		says(asked, l.ID, l.Member, l.Type, l.Name, strings.Join(l.Aliases, "|"), string(l.Sex), l.Birth, l.IDNo, strings.Join(l.Phones, "|"), l.Plate, l.Address, l.Org)
	}
	ev := match.NewEvaluation(lines)
	for _, q := range Queries(1, sample, 0.5) {
		says(asked, q.QID, q.Name, string(q.Sex), q.Birth, q.IDNo, q.Phone, q.Plate, q.Address, q.Org)
		says(answered, q.QID)
		for _, r := range ev.Answer(q.QueryLine).Results {
			says(answered, r.ID, r.Outcome, r.Score)
			for _, e := range r.Lines {
				says(answered, e.Code, e.Bits)
			}
		}
	}
	return Frozen{match.EngineVersion, hex.EncodeToString(asked.Sum(nil)), hex.EncodeToString(answered.Sum(nil))}
}

func says(w io.Writer, values ...any) {
	for _, v := range values {
		fmt.Fprintf(w, "%v\x1f", v)
	}
	fmt.Fprint(w, "\x1e")
}

// ParseFrozen reads a file of versions.
func ParseFrozen(text string) ([]Frozen, error) {
	var out []Frozen
	for l := range strings.Lines(text) {
		switch f := strings.Fields(l); {
		case len(f) == 0 || f[0][0] == '#':
		case len(f) == 3:
			out = append(out, Frozen{f[0], f[1], f[2]})
		default:
			return nil, fmt.Errorf("frozen versions: %q is no line of version, asked and answered", strings.TrimSpace(l))
		}
	}
	return out, nil
}

// Freeze adds now to a file of versions. It refuses where the version already stands for other answers to the same
// questions: keys, weights or gates have changed and the version has not.
func Freeze(text string, now Frozen) (string, error) {
	known, err := ParseFrozen(text)
	if err != nil {
		return "", err
	}
	for _, f := range known {
		switch {
		case f.Version != now.Version:
		case f == now:
			return text, nil
		case f.Asked == now.Asked:
			return "", fmt.Errorf("%s answers otherwise than when it was frozen: raise match.EngineVersion and the version in match/weights.txt, then freeze", now.Version)
		default: // the development set has changed
			return strings.Replace(text, f.Asked+" "+f.Answered, now.Asked+" "+now.Answered, 1), nil
		}
	}
	return text + now.Version + " " + now.Asked + " " + now.Answered + "\n", nil
}
