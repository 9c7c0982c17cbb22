package keystore_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/keystore"
)

var day = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func generate(t *testing.T) *keystore.Store {
	t.Helper()
	s, err := keystore.Generate(rand.Reader, day)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rotate(t *testing.T, s *keystore.Store, now time.Time) *keystore.Store {
	t.Helper()
	n, err := s.Rotate(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStore_unwraps_what_it_wrapped_and_nothing_else(t *testing.T) {
	s := generate(t)
	data := bytes.Repeat([]byte{7}, 32)
	by, wrapped := s.Wrap(data, "seal 1")
	if bytes.Contains(wrapped, data) {
		t.Fatal("wrapped in clear")
	}
	got, err := s.Unwrap(by, wrapped, "seal 1")
	if err != nil || !bytes.Equal(got, data) {
		t.Fatal(got, err)
	}
	if _, err := s.Unwrap(by, wrapped, "seal 2"); !errors.Is(err, keystore.ErrForged) {
		t.Error("under another label:", err)
	}
	wrapped[len(wrapped)-1] ^= 1
	if _, err := s.Unwrap(by, wrapped, "seal 1"); !errors.Is(err, keystore.ErrForged) {
		t.Error("changed:", err)
	}
	if _, err := generate(t).Unwrap(by, wrapped, "seal 1"); !errors.Is(err, keystore.ErrUnknownKey) {
		t.Error("by another store:", err)
	}
}

func TestStore_Rotate_keeps_a_key_for_as_long_as_backups_need_it(t *testing.T) {
	first := generate(t)
	by, wrapped := first.Wrap([]byte("key"), "x")
	second := rotate(t, first, day.Add(24*time.Hour))
	if second.Current() == first.Current() || bytes.Equal(second.Derive("index"), first.Derive("index")) {
		t.Fatal("the new key is the old one")
	}
	if _, err := second.Unwrap(by, wrapped, "x"); err != nil {
		t.Fatal(err)
	}
	soon := rotate(t, second, day.Add(24*time.Hour+keystore.Kept-time.Second))
	if _, err := soon.Unwrap(by, wrapped, "x"); err != nil {
		t.Error("a second before its time:", err)
	}
	late := rotate(t, second, day.Add(24*time.Hour+keystore.Kept))
	if _, err := late.Unwrap(by, wrapped, "x"); !errors.Is(err, keystore.ErrUnknownKey) {
		t.Error("after its time:", err)
	}
	if got := late.IDs(); len(got) != 2 || got[0] != second.Current() {
		t.Error("the key that was current until now must stay:", got)
	}
}

func TestStore_is_the_same_from_its_file(t *testing.T) {
	s := rotate(t, generate(t), day.Add(time.Hour))
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := keystore.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(s) || !bytes.Equal(got.Derive("index"), s.Derive("index")) || bytes.Equal(s.Derive("index"), s.Derive("other")) {
		t.Error(got, s)
	}
	for name, bad := range map[string]string{"empty": "", "torn": string(b[:len(b)/2]), "other file": `{"pilin":"keys","v":1,"keys":[]}`, "no key": `{"pilin":"storage-keys","v":1,"keys":[]}`,
		"short key": `{"pilin":"storage-keys","v":1,"keys":[{"made":"2026-03-02T08:00:00Z","key":"AAAA"}]}`} {
		if _, err := keystore.Decode([]byte(bad)); err == nil {
			t.Error(name, "is taken")
		}
	}
	for _, print := range []string{fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", s)} {
		if !strings.HasPrefix(print, "storage keys [") || strings.Contains(print, "secret") {
			t.Error("prints as", print)
		}
	}
}

func TestStore_With_keeps_the_current_key(t *testing.T) {
	a, b := generate(t), generate(t)
	by, wrapped := b.Wrap([]byte("key"), "x")
	both := a.With(b)
	if both.Current() != a.Current() {
		t.Error("another key is current")
	}
	if _, err := both.Unwrap(by, wrapped, "x"); err != nil {
		t.Error(err)
	}
	if got := both.With(b).IDs(); len(got) != 2 {
		t.Error("twice:", got)
	}
}
