package node

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// whys are the reasons for which a capability does not work (status.go).
var whys = []string{"storage", "index_behind", "no_peer_heard", "kafka_down", "redis_down", "calendar_missing"}

// said collects from the sources of the program what an operator meets: the values of constants named Alarm… and Count…, the
// names of metrics, what becomes of asking a member, and the capabilities of /readyz.
func said(t *testing.T) (alarms, metrics, capabilities []string) {
	t.Helper()
	text := func(e ast.Expr) string {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			s, _ := strconv.Unquote(l.Value)
			return s
		}
		return ""
	}
	exchange := false // whose counters internal/node exports
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i >= len(n.Values) || text(n.Values[i]) == "" {
					continue
				}
				typ, _ := n.Type.(*ast.Ident)
				switch {
				case typ != nil && typ.Name == "MemberState":
					capabilities = append(capabilities, text(n.Values[i]))
				case strings.HasPrefix(name.Name, "Alarm"):
					alarms = append(alarms, text(n.Values[i]))
				case exchange && strings.HasPrefix(name.Name, "Count"), name.Name == "countGranted", name.Name == "countRefused":
					metrics = append(metrics, "pilin_"+text(n.Values[i]))
				}
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Name" {
				if s := text(n.Value); strings.HasPrefix(s, "pilin_") {
					metrics = append(metrics, s)
				}
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && f.Name == "gauge" {
				metrics = append(metrics, "pilin_"+text(n.Args[0]))
			}
		}
		return true
	}
	err := filepath.WalkDir("../..", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || e.Name() == "node_modules" || e.Name() == "build" || e.Name() == "sim" || e.Name() == "tools"):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err == nil {
			exchange = f.Name.Name == "exchange"
			ast.Inspect(f, look)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range newDirect(t, onHTTP).nodes[three[0]].ready(t.Context()) {
		capabilities = append(capabilities, c.Name)
	}
	return alarms, metrics, capabilities
}

// Every alarm, metric and capability stands in the operator's documents, in both languages, in a row that says what to do.
func TestDocs_explainWhatOperatorsMeet(t *testing.T) {
	alarms, metrics, capabilities := said(t)
	if len(alarms) < 10 || len(metrics) < 35 || len(capabilities) < 12 {
		t.Fatalf("found only %v, %v, %v", alarms, metrics, capabilities)
	}
	general := httpapi.Advise(&httpapi.Status{Alarms: []string{"nothing"}})[0]
	for _, c := range alarms {
		if c == "fork" || c == "clock_skew" {
			continue // told by the stream and the member that they are about
		}
		if a := httpapi.Advise(&httpapi.Status{Alarms: []string{c}}); len(a) != 1 || a[0].Detail == general.Detail {
			t.Errorf("pilin status does not say what to do about the alarm %s", c)
		}
	}
	for _, c := range whys {
		if a := httpapi.Advise(&httpapi.Status{Capabilities: []httpapi.Capability{{Name: "x", Why: c}}}); len(a) != 1 || a[0].Detail == general.Detail {
			t.Errorf("pilin status does not say what to do about %s", c)
		}
	}
	for _, name := range []string{"trouble.zh.md", "trouble.en.md"} {
		b, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range slices.Concat(alarms, metrics, capabilities) {
			explained := false
			for line := range strings.Lines(string(b)) {
				explained = explained || strings.HasPrefix(line, "|") && strings.Contains(line, "`"+word+"`")
			}
			if !explained {
				t.Errorf("%s does not explain %s", name, word)
			}
		}
	}
}
