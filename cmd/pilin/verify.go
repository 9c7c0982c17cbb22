package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/node"
	"github.com/pilinhub/pilin/record"
)

type verifyCmd struct {
	Dir     string   `arg:"" help:"pilin export 写出的目录 · Folder written by pilin export." type:"existingdir"`
	Charter []string `required:"" help:"信任的名册文件及尚未并入的成员声明,按序 · Trusted charter versions, and statements that none holds yet, in order." type:"existingfile"`
	Against string   `help:"peers:同时与各家持有的检查点比对 · Also compare with the checkpoints that peers hold." enum:"peers," default:""`
	Config  string   `help:"节点配置,--against peers 时需要 · Node configuration, for --against peers." type:"existingfile"`
}

// checked is what was found of one stream.
type checked struct {
	Stream   record.StreamID `json:"stream"`
	Intact   bool            `json:"intact"`
	Records  uint64          `json:"records"`            // that stand in an unbroken chain from the first on
	Peers    int             `json:"peer_checkpoints"`   // of others that were compared and agree
	Sequence *uint64         `json:"sequence,omitempty"` // where it is broken
	What     string          `json:"what,omitempty"`     // how
}

// Run verifies every stream in the folder. Nothing of the folder is believed but what the charter's keys prove.
func (c *verifyCmd) Run(ctx context.Context, out *printer) error {
	dir, err := trust(c.Charter)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	files, err := filepath.Glob(filepath.Join(c.Dir, "streams", "*.records*"))
	if err != nil || len(files) == 0 {
		return exit{exitUnchecked, fmt.Errorf("%s holds no exported streams", c.Dir)}
	}
	peers, err := c.peerCheckpoints(ctx)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	sort.Strings(files)
	ranges, err := filepath.Glob(filepath.Join(c.Dir, "streams", "*.records*", "*.range"))
	if err != nil {
		return exit{exitUnchecked, err}
	}
	b, read := newBar(out), 0
	defer b.end()
	all, code := []checked{}, 0
	for _, folder := range files {
		stream := record.StreamID(strings.Replace(filepath.Base(folder), ".", "/", 1))
		v := &record.Verifier{Federation: dir.Federation(), Stream: stream, SignKey: dir.SignKey}
		err := verifyStream(v, folder, func() { read++; b.see("verify", uint64(read), uint64(len(ranges))) })
		if err == nil {
			for _, note := range peers[stream] {
				if err = v.Compare(note); err != nil {
					break
				}
			}
		}
		var f *record.Fault
		switch {
		case errors.As(err, &f):
			all, code = append(all, checked{Stream: f.Stream, Records: v.Size(), Sequence: &f.Seq, What: f.What}), exitBroken
		case err != nil:
			return exit{exitUnchecked, err}
		default:
			all = append(all, checked{Stream: stream, Intact: true, Records: v.Size(), Peers: len(peers[stream])})
		}
		if code != 0 {
			break
		}
	}
	if err := out.answer(all, func(w io.Writer) { printChecked(w, all) }); err != nil || code == 0 {
		return err
	}
	return exit{code, nil}
}

func printChecked(out io.Writer, all []checked) {
	for _, c := range all {
		if c.Intact {
			fmt.Fprintf(out, "完好 intact  %s  %d 条 records, %d 份他家检查点一致 peer checkpoints agree\n", c.Stream, c.Records, c.Peers)
		} else {
			fmt.Fprintf(out, "损坏 BROKEN  %s  序号 sequence %d  %s\n", c.Stream, *c.Sequence, c.What)
		}
	}
}

// trust builds the directory of keys from the given charter versions, the first of which names the federation.
func trust(files []string) (*federation.Directory, error) {
	var dir *federation.Directory
	for i, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		_, other := federation.ParseStatement(b)
		switch {
		case i == 0:
			dir, err = federation.NewDirectory(nil, b)
		case other == nil:
			_, err = dir.AddStatement(b)
		default:
			_, err = dir.Add(b)
		}
		if err != nil {
			return nil, fmt.Errorf("charter %s: %w", f, err)
		}
	}
	return dir, nil
}

// verifyStream feeds one stream's exported ranges, in order.
func verifyStream(v *record.Verifier, folder string, one func()) error {
	ranges, err := filepath.Glob(filepath.Join(folder, "*.range"))
	if err != nil {
		return err
	}
	sort.Strings(ranges)
	for _, name := range ranges {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		frames, err := record.DecodeRange(b)
		if err != nil {
			return &record.Fault{Stream: v.Stream, Seq: v.Size(), What: "malformed"}
		}
		for _, f := range frames {
			if err := v.Add(f); err != nil {
				return err
			}
		}
		one()
	}
	return nil
}

// peerCheckpoints returns what other members hold: from the exported receipts, and live when asked for.
func (c *verifyCmd) peerCheckpoints(ctx context.Context) (map[record.StreamID][][]byte, error) {
	if c.Against == "" {
		return nil, nil
	}
	if c.Config == "" {
		return nil, errors.New("--against peers needs --config: only a member may ask the others")
	}
	cfg, err := node.ReadConfig(c.Config)
	if err != nil {
		return nil, err
	}
	return node.PeerHeads(ctx, cfg)
}
