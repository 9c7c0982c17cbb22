package sheets_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pilinhub/pilin/internal/sheets"
)

// childFile names the file that a child process of these tests reads.
const childFile = "PILIN_SHEETS_CHILD"

// TestMain is the child where a parent asks for one: memory is a process's, so it is measured in one that does nothing else.
func TestMain(m *testing.M) {
	if file := os.Getenv(childFile); file != "" {
		if err := child(file); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child reads a whole file as an import does, writes its copy to nowhere, and prints how far its memory went.
func child(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p := profile()
	small, err := sheets.Open([]byte(csvText), "")
	if err != nil {
		return err
	}
	if _, err := small.Look(p.Type, ""); err != nil { // the catalogue is compiled: it is no part of what a file costs
		return err
	}
	before, err := highWater()
	if err != nil {
		return err
	}
	rows, good, refused, err := read(b, p)
	if err != nil {
		return err
	}
	after, err := highWater()
	if err != nil {
		return err
	}
	fmt.Println("done", rows, good, refused, before, after)
	return nil
}

func read(b []byte, p sheets.Profile) (rows, good int, refused string, err error) {
	f, err := sheets.Open(b, "")
	var s *sheets.Survey
	if err == nil {
		s, err = f.Look(p.Type, "")
	}
	var no *sheets.Refusal
	if errors.As(err, &no) {
		return 0, 0, no.Code, nil
	}
	if err != nil {
		return 0, 0, "", err
	}
	k := &sheets.Checker{Profile: p, Synthetic: true, Today: "2026-03-13"}
	err = k.Check(f, s, func(c *sheets.Checked) error {
		rows++
		if c.Payload != nil {
			good++
		}
		return nil
	})
	if err == nil {
		err = f.Copy(io.Discard, s, func(row int) (sheets.RowState, []sheets.Issue) {
			return sheets.RowProblem, []sheets.Issue{{Column: "C", Heading: "身份证号", Code: "id_lost_precision"}}
		})
	}
	return rows, good, "none", err
}

// highWater is VmHWM of this process in KiB (proc_pid_status(5)).
func highWater() (int, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil || !ok {
		return 0, fmt.Errorf("no VmHWM: %w", err)
	}
	return kib, nil
}

// fifty writes a workbook of 50,000 rows; its texts differ, so that its strings are as many.
func fifty(t *testing.T) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	w, err := x.NewStreamWriter("Sheet1")
	must(t, err)
	must(t, w.SetRow("A1", header))
	for i := range sheets.MaxRows {
		id := idOf(i, "310116")
		must(t, w.SetRow(fmt.Sprintf("A%d", i+2), []any{i, "测甲" + string(rune(0x4E00+i%5000)), id, sexOf(id), fmt.Sprintf("测金卫医罚〔2025〕%d号", 10000+i), "2025-03-05", "非医师行医", 20000}))
	}
	must(t, w.Flush())
	var b bytes.Buffer
	must(t, x.Write(&b))
	return b.Bytes()
}

// sharedFifty gives a workbook's texts to the table of shared strings, as Excel itself writes them.
func sharedFifty(t *testing.T) []byte {
	t.Helper()
	var table, rows bytes.Buffer
	table.WriteString("<sst>")
	n := 0
	text := func(cell, s string) {
		fmt.Fprintf(&table, "<si><t>%s</t></si>", s)
		fmt.Fprintf(&rows, `<c r="%s" t="s"><v>%d</v></c>`, cell, n)
		n++
	}
	row := func(i int, cells ...string) {
		fmt.Fprintf(&rows, `<row r="%d">`, i)
		for c, s := range cells {
			text(fmt.Sprint(sheets.ColumnName(c), i), s)
		}
		rows.WriteString("</row>")
	}
	rows.WriteString("<worksheet><sheetData>")
	row(1, "姓名", "身份证号", "性别", "文号", "处罚日期", "案由")
	for i := range sheets.MaxRows {
		id := idOf(i, "310116")
		row(i+2, "测甲"+string(rune(0x4E00+i%5000)), id, sexOf(id), fmt.Sprintf("测金卫医罚〔2025〕%d号", 10000+i), "2025-03-05", "非医师行医")
	}
	table.WriteString("</sst>")
	rows.WriteString("</sheetData></worksheet>")
	return packed(t, sheetPart(rows.String()), entry{name: "xl/sharedStrings.xml", body: table.Bytes()})
}

// bomb is a workbook of half a megabyte whose sheet unpacks to 512 MiB.
func bomb(t *testing.T, honest bool) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{"[Content_Types].xml": typesXML, "xl/workbook.xml": bookXML, "xl/_rels/workbook.xml.rels": relsXML} {
		w, err := z.Create(name)
		must(t, err)
		_, err = io.WriteString(w, text)
		must(t, err)
	}
	w, err := z.Create("xl/worksheets/sheet1.xml")
	must(t, err)
	_, err = io.WriteString(w, "<worksheet><sheetData>")
	must(t, err)
	block := bytes.Repeat([]byte("<row/>"), 1<<17)
	for range 512 << 20 / len(block) {
		_, err = w.Write(block)
		must(t, err)
	}
	must(t, z.Close())
	out := b.Bytes()
	if honest {
		return out
	}
	// The directory says that it is small: what is declared is not what is counted.
	at := bytes.LastIndex(out, []byte("PK\x01\x02"))
	copy(out[at+24:], []byte{0, 0, 1, 0})
	return out
}

// The memory that a file costs is bounded: 50,000 rows are read, checked and copied as a stream, and a bomb is refused
// before it has unfolded (reliability-security.md §4.3: RSS < +64 MiB).
func TestTimedMemory_is_bounded(t *testing.T) {
	for name, c := range map[string]struct {
		file    []byte
		rows    int
		refused string
		most    int // MiB above what the process has before
	}{
		"inline strings": {fifty(t), sheets.MaxRows, "none", 64},
		"shared strings": {sharedFifty(t), sheets.MaxRows, "none", 64},
		"bomb":           {bomb(t, true), 0, sheets.Bomb, 64},
		"bomb that lies": {bomb(t, false), 0, sheets.Malformed, 64},
	} {
		file := filepath.Join(t.TempDir(), "file.xlsx")
		must(t, os.WriteFile(file, c.file, 0o600))
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childFile+"="+file)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		var rows, good, before, after int
		var refused string
		if _, err := fmt.Sscanf(string(out), "done %d %d %s %d %d", &rows, &good, &refused, &before, &after); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		t.Logf("%s: %d KiB file, %d rows, %d good, refused %s, VmHWM %d → %d KiB", name, len(c.file)>>10, rows, good, refused, before, after)
		if rows != c.rows || good != c.rows || refused != c.refused {
			t.Errorf("%s: %s", name, out)
		}
		if got := (after - before) >> 10; got > c.most {
			t.Errorf("%s: %d MiB more, at most %d", name, got, c.most)
		}
	}
}
