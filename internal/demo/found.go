package demo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

// ErrRealCharter: the folder holds a charter that is not synthetic. The demo never runs on it.
var ErrRealCharter = errors.New("this folder holds the charter of a real federation: the demo refuses to run on it")

// Name of the demo's federation; every screen shows it.
const Name = "毗邻卫监6+1(合成数据 SYNTHETIC)"

// charterFile is version 1 in the demo's folder.
const charterFile = "charter-1.note"

// Layout is a founded demo federation on disk.
type Layout struct {
	Dir     string
	Charter []byte        // version 1, signed by all
	Configs []node.Config // one for each of Bureaux, in their order
	Founded bool          // made by this call, so nothing is loaded yet
}

// Found makes the seven identities and their charter in dir, or reads them back. People's listeners get the ports
// from port on, members' listeners those from port+100 on, all on 127.0.0.1.
func Found(dir string, fresh bool, port int, now time.Time) (Layout, error) {
	l := Layout{Dir: dir}
	name := filepath.Join(dir, charterFile)
	old, err := os.ReadFile(name)
	switch {
	case err == nil:
		c, err := federation.ParseCharter(old)
		if err != nil {
			return l, fmt.Errorf("read %s: %w", name, err)
		}
		if !c.Synthetic {
			return l, fmt.Errorf("%s: %w", name, ErrRealCharter)
		}
		if !fresh {
			l.Charter = old
		}
	case !errors.Is(err, os.ErrNotExist):
		return l, fmt.Errorf("read %s: %w", name, err)
	}
	for i, b := range Bureaux {
		l.Configs = append(l.Configs, node.Config{
			Member: b.Member, Data: filepath.Join(dir, string(b.Member)),
			People:  node.People{Listen: fmt.Sprintf("127.0.0.1:%d", port+i)},
			Members: node.Members{Listen: fmt.Sprintf("127.0.0.1:%d", port+100+i)},
			Limits:  limits,
		})
	}
	if l.Charter != nil {
		return l, nil
	}
	l.Founded = true
	return l, l.found(name, now)
}

// limits let a visitor, and a test that plays the story, ask as fast as he can type.
var limits = node.Limits{OfficerPerMinute: 600, OfficerSubjectsPerDay: 10_000, MemberPerMinute: 6_000, MemberSubjectsPerDay: 100_000}

// found clears what an earlier demo left, and only that, then makes keys, requests and the charter.
func (l *Layout) found(name string, now time.Time) error {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return fmt.Errorf("make demo folder: %w", err)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clear demo folder: %w", err)
	}
	var requests [][]byte
	for i, c := range l.Configs {
		if err := os.RemoveAll(c.Data); err != nil {
			return fmt.Errorf("clear demo folder: %w", err)
		}
		id, err := node.Init(c.Data, c.Member, federation.Entry{
			Name: Bureaux[i].Name, Address: "https://" + c.Members.Listen,
			AgreementNo: "测毗邻协议〔2026〕9001号", PIPIANo: "测评估〔2026〕9001号", Retention: "测保存期限表-9001",
		}, now)
		if err != nil {
			return fmt.Errorf("identity of %s: %w", c.Member, err)
		}
		b, err := os.ReadFile(id.RequestFile)
		if err != nil {
			return fmt.Errorf("request of %s: %w", c.Member, err)
		}
		requests = append(requests, b)
	}
	note, err := federation.Found(rand.Reader, federation.Founding{Name: Name, Synthetic: true, Day: record.CivilDay(now)}, requests...)
	if err != nil {
		return fmt.Errorf("found demo federation: %w", err)
	}
	for _, c := range l.Configs {
		k, err := node.ReadKeys(c.Data)
		if err != nil {
			return err
		}
		if note, err = federation.Sign(note, c.Member, k.Signer()); err != nil {
			return fmt.Errorf("sign demo charter for %s: %w", c.Member, err)
		}
	}
	l.Charter = note
	return node.WriteDurably(name, note, 0o644)
}
