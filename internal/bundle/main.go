// Command bundle makes the offline install bundles: one archive for each machine type with the static binary, unit file,
// example configuration, documents, a bill of materials, the licences of everything linked in, and checksums. The same
// commit makes the same bytes, wherever and whenever it is built (make release-check). Each is read back before it is kept.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/node"
)

func main() {
	out := flag.String("out", "build/release", "folder of the bundles")
	arches := flag.String("arch", "amd64,arm64", "machine types, by commas")
	flag.Parse()
	if err := run(context.Background(), *out, strings.Split(*arches, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

// run makes the bundles and a file of their checksums.
func run(ctx context.Context, out string, arches []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	stamp, err := committed(ctx)
	if err != nil {
		return err
	}
	completion, err := completions(ctx)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, arch := range arches {
		name := fmt.Sprintf("pilin-%s-linux-%s", node.Release, arch)
		files, err := contents(ctx, filepath.Join(out, "pilin-"+arch), arch, stamp)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		files = append(files, completion...)
		var b bytes.Buffer
		if err := pack(&b, name, withSums(files), stamp); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		if err := verify(b.Bytes(), name, arch); err != nil {
			return fmt.Errorf("%s: the bundle is not whole: %w", arch, err)
		}
		if err := os.WriteFile(filepath.Join(out, name+".tar.gz"), b.Bytes(), 0o644); err != nil { //nolint:gosec // to be handed on
			return err
		}
		line := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(b.Bytes()), name)
		sums.WriteString(line)
		fmt.Print(line)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644) //nolint:gosec // to be handed on
}

// committed is the time of the commit that is built: the only time that gets into a bundle.
func committed(ctx context.Context) (time.Time, error) {
	b, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the commit: %w", err)
	}
	s, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return time.Unix(s, 0).UTC(), err
}

// goTool runs the go command and returns what it prints.
func goTool(ctx context.Context, env []string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Env = append(os.Environ(), env...)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	b, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, complaint.String())
	}
	return b, nil
}

// completions are the shells' scripts, by the binary of this machine.
func completions(ctx context.Context) ([]file, error) {
	var out []file
	for shell, name := range map[string]string{"bash": "pilin.bash", "zsh": "_pilin", "fish": "pilin.fish"} {
		b, err := goTool(ctx, nil, "run", "./cmd/pilin", "completion", shell)
		if err != nil {
			return nil, err
		}
		out = append(out, file{name: "completion/" + name, data: b, mode: 0o644})
	}
	return out, nil
}

// contents builds the binary of one machine type and gathers what goes with it.
func contents(ctx context.Context, binary, arch string, stamp time.Time) ([]file, error) {
	// Paths of this machine and the build id, which depends on them, are left out; without cgo nothing is linked at run time.
	if _, err := goTool(ctx, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS="},
		"build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", binary, "./cmd/pilin"); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	linked, err := modulesOf(ctx, info)
	if err != nil {
		return nil, err
	}
	bill, err := billOf(linked, info, arch, stamp)
	if err != nil {
		return nil, err
	}
	files := []file{{"bin/pilin", b, 0o755}, {"sbom.cdx.json", bill, 0o644}}
	for _, m := range linked {
		files = append(files, m.texts...)
	}
	shipped, err := shipped()
	return append(files, shipped...), err
}

// shipped are the files of the repository that an operator needs without a network.
func shipped() ([]file, error) {
	var out []file
	for _, root := range []string{"README.md", "CHANGELOG.md", "deploy", "docs", "schemas/openapi.yaml", "schemas/asyncapi.yaml"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			mode := int64(0o644)
			if strings.HasSuffix(path, ".sh") {
				mode = 0o755
			}
			name := filepath.ToSlash(path)
			if path == filepath.Join("deploy", "install.sh") {
				name = "install.sh"
			}
			out = append(out, file{name, b, mode})
			return nil
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return out, nil
}

// withSums adds the checksums of all files, in the form of sha256sum(1).
func withSums(files []file) []file {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var sums strings.Builder
	for _, f := range files {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(f.data), f.name)
	}
	return append(files, file{"SHA256SUMS", []byte(sums.String()), 0o644})
}
