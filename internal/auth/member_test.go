package auth_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
)

var (
	b64  = base64.RawURLEncoding.EncodeToString
	body = []byte(`{"v":1}`)
)

const target = "/member/v1/ask?x=1"

// peers is the verifying side of a pair of members and the issuing one.
func peers(t *testing.T) (*auth.MemberTokens, *auth.MemberIssuer, *clock) {
	c := newClock()
	v := &auth.MemberTokens{Federation: fed, Self: ours, IDs: store(t, c), Now: c.Now, Key: func(m record.MemberID) (ed25519.PublicKey, bool) {
		switch m {
		case theirs:
			return key("theirs").Public().(ed25519.PublicKey), true
		case "330481-01":
			return key("third").Public().(ed25519.PublicKey), true
		case "310120-01":
			return make(ed25519.PublicKey, 32), true // a point of small order
		}
		return nil, false
	}}
	i := &auth.MemberIssuer{Federation: fed, Self: theirs, Key: func() (ed25519.PrivateKey, error) { return key("theirs"), nil }, Now: c.Now, Random: seeded("issuer")}
	return v, i, c
}

func request() auth.MemberRequest {
	return auth.MemberRequest{Peer: theirs, Method: "POST", Target: target, Body: sha256.Sum256(body)}
}

func kid(k ed25519.PrivateKey) string {
	s := sha256.Sum256(k.Public().(ed25519.PublicKey))
	return hex.EncodeToString(s[:8])
}

// forge signs any header and claims.
func forge(header, claims string) string { return forgeWith(key("theirs"), header, claims) }

func forgeWith(k ed25519.PrivateKey, header, claims string) string {
	s := b64([]byte(header)) + "." + b64([]byte(claims))
	return s + "." + b64(ed25519.Sign(k, []byte(s)))
}

func goodHeader() string {
	return fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":"%s"}`, kid(key("theirs")))
}

// claims builds the claims of a good token, with some replaced (value "" leaves one out).
func claims(c *clock, replace ...string) string {
	now := c.Now().Unix()
	sum := sha256.Sum256(body)
	all := [][2]string{
		{"iss", `"pilin/` + fed.String() + `/` + string(theirs) + `"`}, {"aud", `"pilin/` + fed.String() + `/` + string(ours) + `"`},
		{"fed", `"` + fed.String() + `"`}, {"iat", fmt.Sprint(now)}, {"exp", fmt.Sprint(now + 60)}, {"jti", `"` + strings.Repeat("ab", 16) + `"`},
		{"htm", `"POST"`}, {"htu", `"` + target + `"`}, {"bh", `"` + hex.EncodeToString(sum[:]) + `"`},
	}
	var out []string
	for _, kv := range all {
		v := kv[1]
		for i := 0; i < len(replace); i += 2 {
			if replace[i] == kv[0] {
				v = replace[i+1]
			}
		}
		if v != "" {
			out = append(out, `"`+kv[0]+`":`+v)
		}
	}
	for i := 0; i < len(replace); i += 2 { // names that a good token has not
		if !strings.Contains(strings.Join(out, ","), `"`+replace[i]+`":`) && replace[i+1] != "" {
			out = append(out, `"`+replace[i]+`":`+replace[i+1])
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

// TestMemberTokens is the catalogue of reliability-security.md §4.5 as far as it is about tokens between members.
func TestMemberTokens_catalogue(t *testing.T) {
	t.Log("left out of §4.5, because Pilin has neither: DPoP, RFC 9421 message signatures, JWKS refresh, ECDSA")
	v, i, c := peers(t)
	good := func() string { return forge(goodHeader(), claims(c)) }
	hs256 := func() string {
		s := b64([]byte(fmt.Sprintf(`{"alg":"HS256","typ":"at+jwt","kid":"%s"}`, kid(key("theirs"))))) + "." + b64([]byte(claims(c)))
		m := hmac.New(sha256.New, key("theirs").Public().(ed25519.PublicKey))
		m.Write([]byte(s))
		return s + "." + b64(append(m.Sum(nil), m.Sum(nil)...))
	}
	withHeader := func(member string) string {
		return forge(strings.TrimSuffix(goodHeader(), "}")+","+member+"}", claims(c))
	}
	alg := func(a string) string { return forge(strings.Replace(goodHeader(), "EdDSA", a, 1), claims(c)) }
	withKid := func(k string) string {
		return forge(fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":%q}`, k), claims(c))
	}
	now := c.Now().Unix()
	for _, row := range []struct {
		name  string
		token string
		want  auth.Code
	}{
		{"no token", "", auth.TokenMissing},
		{"alg none, no signature", b64([]byte(`{"alg":"none","typ":"at+jwt","kid":"x"}`)) + "." + b64([]byte(claims(c))) + ".", auth.TokenMalformed},
		{"alg none, some signature", alg("none"), auth.TokenHeader},
		{"alg None", alg("None"), auth.TokenHeader},
		{"alg eddsa", alg("eddsa"), auth.TokenHeader},
		{"HS256 with the public key", hs256(), auth.TokenHeader},
		{"alg RS256", alg("RS256"), auth.TokenHeader},
		{"alg ES256", alg("ES256"), auth.TokenHeader},
		{"empty signature", good()[:strings.LastIndex(good(), ".")+1], auth.TokenMalformed},
		{"kid with a path", withKid("../../etc/passwd"), auth.TokenKey},
		{"kid with SQL", withKid("' OR 1=1 --"), auth.TokenKey},
		{"kid with a URL", withKid("https://example.org/key"), auth.TokenKey},
		{"kid unknown", withKid(kid(key("nobody"))), auth.TokenKey},
		{"kid of a megabyte", withKid(strings.Repeat("a", 1<<20)), auth.TokenMalformed},
		{"jwk", withHeader(`"jwk":{"kty":"OKP"}`), auth.TokenHeader},
		{"jku", withHeader(`"jku":"https://example.org"`), auth.TokenHeader},
		{"x5u", withHeader(`"x5u":"https://example.org"`), auth.TokenHeader},
		{"x5c", withHeader(`"x5c":["AA=="]`), auth.TokenHeader},
		{"crit", withHeader(`"crit":["exp"]`), auth.TokenHeader},
		{"crit empty", withHeader(`"crit":[]`), auth.TokenHeader},
		{"typ twice", withHeader(`"typ":"at+jwt"`), auth.TokenHeader},
		{"TYP beside typ", withHeader(`"TYP":"JWT"`), auth.TokenHeader},
		{"typ JWT", forge(strings.Replace(goodHeader(), "at+jwt", "JWT", 1), claims(c)), auth.TokenHeader},
		{"typ missing", forge(strings.Replace(goodHeader(), `"typ":"at+jwt",`, "", 1), claims(c)), auth.TokenHeader},
		{"iss twice", forge(goodHeader(), strings.Replace(claims(c), "{", `{"iss":"x",`, 1)), auth.TokenClaims},
		{"EXP beside an expired exp", forge(goodHeader(), strings.Replace(claims(c, "exp", fmt.Sprint(now-600)), "{", fmt.Sprintf(`{"EXP":%d,`, now+60), 1)), auth.TokenClaims},
		{"ſ in a claim", forge(goodHeader(), strings.Replace(claims(c), `"iss"`, `"iſſ"`, 1)), auth.TokenClaims},
		{"unknown claim", forge(goodHeader(), claims(c, "scope", `"all"`)), auth.TokenClaims},
		{"over 8 KiB", forge(goodHeader(), claims(c, "pad", `"`+strings.Repeat("a", 8<<10)+`"`)), auth.TokenMalformed},
		{"three dots", good() + ".x", auth.TokenMalformed},
		{"ten thousand dots", strings.Repeat(".", 10_000), auth.TokenMalformed},
		{"one dot", "a.b", auth.TokenMalformed},
		{"base64 with padding", good() + "==", auth.TokenMalformed},
		{"base64 with a line end", good()[:20] + "\n" + good()[20:], auth.TokenMalformed},
		{"standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(forge(goodHeader(), claims(c))) + "+", auth.TokenMalformed},
		{"other trailing bits", otherBits(good()), auth.TokenMalformed},
		{"header not an object", forge(`"EdDSA"`, claims(c)), auth.TokenHeader},
		{"header with a byte FF", forge("{\"alg\":\"EdDSA\xff\"}", claims(c)), auth.TokenHeader},
		{"claims not an object", forge(goodHeader(), `[]`), auth.TokenClaims},
		{"claims with trailing data", forge(goodHeader(), claims(c)+"{}"), auth.TokenClaims},
		{"no iss", forge(goodHeader(), claims(c, "iss", "")), auth.TokenPeer},
		{"no aud", forge(goodHeader(), claims(c, "aud", "")), auth.TokenAudience},
		{"no fed", forge(goodHeader(), claims(c, "fed", "")), auth.TokenAudience},
		{"no iat", forge(goodHeader(), claims(c, "iat", "")), auth.TokenClaims},
		{"no exp", forge(goodHeader(), claims(c, "exp", "")), auth.TokenClaims},
		{"no jti", forge(goodHeader(), claims(c, "jti", "")), auth.TokenClaims},
		{"jti with a path", forge(goodHeader(), claims(c, "jti", `"../x"`)), auth.TokenClaims},
		{"no htm", forge(goodHeader(), claims(c, "htm", "")), auth.TokenBinding},
		{"no htu", forge(goodHeader(), claims(c, "htu", "")), auth.TokenBinding},
		{"no bh", forge(goodHeader(), claims(c, "bh", "")), auth.TokenClaims},
		{"lives 61 s", forge(goodHeader(), claims(c, "exp", fmt.Sprint(now+61))), auth.TokenClaims},
		{"ends before it begins", forge(goodHeader(), claims(c, "exp", fmt.Sprint(now-1))), auth.TokenClaims},
		{"exp 1e300", forge(goodHeader(), claims(c, "exp", "1e300")), auth.TokenClaims},
		{"exp a fraction", forge(goodHeader(), claims(c, "exp", fmt.Sprint(now+30)+".5")), auth.TokenClaims},
		{"exp a string", forge(goodHeader(), claims(c, "exp", `"`+fmt.Sprint(now+30)+`"`)), auth.TokenClaims},
		{"exp wraps round", forge(goodHeader(), claims(c, "iat", "9223372036854775807", "exp", "-9223372036854775808")), auth.TokenClaims},
		{"aud a list", forge(goodHeader(), claims(c, "aud", `["pilin/x"]`)), auth.TokenClaims},
		{"issued 5:01 ahead", forge(goodHeader(), claims(c, "iat", fmt.Sprint(now+301), "exp", fmt.Sprint(now+361))), auth.ClockSkew},
		{"issued 5:01 ago", forge(goodHeader(), claims(c, "iat", fmt.Sprint(now-301), "exp", fmt.Sprint(now-241))), auth.ClockSkew},
		{"for another node", forge(goodHeader(), claims(c, "aud", `"pilin/`+fed.String()+`/330481-01"`)), auth.TokenAudience},
		{"for another federation", forge(goodHeader(), strings.ReplaceAll(claims(c), fed.String(), strings.Repeat("0", 64))), auth.TokenAudience},
		{"for people", forge(goodHeader(), claims(c, "aud", `"pilin/`+fed.String()+`/`+string(ours)+`/people"`)), auth.TokenAudience},
		{"issued by another than the peer", forge(goodHeader(), claims(c, "iss", `"pilin/`+fed.String()+`/330481-01"`)), auth.TokenPeer},
		{"signed by another member", forgeWith(key("third"), goodHeader(), claims(c)), auth.TokenSignature},
		{"another method", forge(goodHeader(), claims(c, "htm", `"GET"`)), auth.TokenBinding},
		{"another URL", forge(goodHeader(), claims(c, "htu", `"/member/v1/range"`)), auth.TokenBinding},
		{"another query", forge(goodHeader(), claims(c, "htu", `"/member/v1/ask?x=2"`)), auth.TokenBinding},
		{"another body", forge(goodHeader(), claims(c, "bh", `"`+strings.Repeat("0", 64)+`"`)), auth.TokenBinding},
		{"body hash in capitals", forge(goodHeader(), claims(c, "bh", `"`+strings.Repeat("AB", 32)+`"`)), auth.TokenClaims},
		{"S not canonical", addOrder(t, good()), auth.TokenSignature},
		{"signature one byte short", good()[:len(good())-2], auth.TokenMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), row.token, request())
			if got := auth.CodeOf(err); got != row.want {
				t.Errorf("refused as %q (%v), want %q", got, err, row.want)
			}
		})
	}
	t.Run("key of small order", func(t *testing.T) {
		r := request()
		r.Peer = "310120-01"
		sum := sha256.Sum256(make([]byte, 32))
		token := forge(fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":"%x"}`, sum[:8]), claims(c))
		if _, err := v.Verify(t.Context(), token, r); auth.CodeOf(err) != auth.TokenKey {
			t.Errorf("%v", err)
		}
	})
	t.Run("peer that has left the charter", func(t *testing.T) {
		r := request()
		r.Peer = "340000-01"
		if _, err := v.Verify(t.Context(), good(), r); auth.CodeOf(err) != auth.TokenKey {
			t.Errorf("%v", err)
		}
	})
	t.Run("and the good ones pass", func(t *testing.T) {
		issued, err := i.Issue(ours, "POST", target, body)
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{"issued": issued, "as written in wire.md": good(),
			"issued 5:00 ahead": forge(goodHeader(), claims(c, "iat", fmt.Sprint(now+300), "exp", fmt.Sprint(now+360))),
			"issued 5:00 ago":   forge(goodHeader(), claims(c, "iat", fmt.Sprint(now-300), "exp", fmt.Sprint(now-240)))} {
			u, err := v.Verify(t.Context(), token, request())
			if err != nil || u.Kind != "jti" || !strings.HasPrefix(u.ID, string(theirs)+"/") || u.Expires == 0 {
				t.Errorf("%s: %v %v", name, u, err)
			}
		}
	})
}

// otherBits changes the bits of the last character that decode to nothing.
func otherBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

// addOrder adds the order of the group to S: the same signature mathematically, other bytes.
func addOrder(t *testing.T, token string) string {
	dot := strings.LastIndex(token, ".")
	sig, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := bytes.Clone(sig[32:])
	reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order)
	s = sum.FillBytes(make([]byte, 32))
	reverse(s)
	return token[:dot+1] + b64(append(sig[:32:32], s...))
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

func TestMemberTokens_clock_skew_names_both_times(t *testing.T) {
	v, i, c := peers(t)
	token, err := i.Issue(ours, "POST", target, body)
	if err != nil {
		t.Fatal(err)
	}
	issued := c.Now()
	c.move(6 * time.Minute)
	_, err = v.Verify(t.Context(), token, request())
	var skew *auth.SkewError
	if !errors.As(err, &skew) || !skew.Theirs.Equal(issued) || !skew.Ours.Equal(c.Now()) {
		t.Errorf("%v", err)
	}
}

func TestMemberTokens_are_used_once(t *testing.T) {
	v, i, c := peers(t)
	token, err := i.Issue(ours, "POST", target, body)
	if err != nil {
		t.Fatal(err)
	}
	var used, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := v.Use(context.Background(), token, request())
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				used++
			case auth.CodeOf(err) == auth.Replayed:
				refused++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used != 1 || refused != 19 {
		t.Errorf("used %d times, refused %d times", used, refused)
	}

	// After pruning the row is gone; the floor refuses the id even when the clock is set back.
	s := v.IDs.(interface{ Maintain(context.Context) error })
	c.move(10 * time.Minute)
	if err := s.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.move(-10 * time.Minute)
	if err := v.Use(t.Context(), token, request()); auth.CodeOf(err) != auth.Replayed {
		t.Errorf("after pruning and with the clock set back: %v", err)
	}
	if floor, err := v.IDs.Floor(t.Context()); err != nil || floor == 0 {
		t.Errorf("floor %d, %v: the line above showed nothing", floor, err)
	}
	// Another id of the same member is not touched by it once it expires behind the floor.
	c.move(2 * time.Minute)
	next, err := i.Issue(ours, "POST", target, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Use(t.Context(), next, request()); err != nil {
		t.Error(err)
	}
}

type noFloor struct{ auth.UsedIDs }

func (noFloor) Floor(context.Context) (int64, error) { return 0, errors.New("database is gone") }

func TestMemberTokens_a_store_that_cannot_be_asked_refuses(t *testing.T) {
	v, i, _ := peers(t)
	v.IDs = noFloor{v.IDs}
	token, err := i.Issue(ours, "POST", target, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), token, request()); err == nil || auth.CodeOf(err) != "" {
		t.Errorf("%v", err)
	}
}

func FuzzMemberToken(f *testing.F) {
	c := newClock()
	f.Add(forge(goodHeader(), claims(c)))
	f.Add(forge(goodHeader(), claims(c, "exp", "1e300")))
	f.Add("a.b.c")
	f.Add("..")
	v := &auth.MemberTokens{Federation: fed, Self: ours, IDs: noFloor{}, Now: c.Now,
		Key: func(record.MemberID) (ed25519.PublicKey, bool) {
			return key("theirs").Public().(ed25519.PublicKey), true
		}}
	want := forge(goodHeader(), claims(c))
	f.Fuzz(func(t *testing.T, token string) {
		// Only the store that is gone stops a genuine token: whatever else comes that far is a forgery.
		if _, err := v.Verify(context.Background(), token, request()); err == nil || auth.CodeOf(err) == "" && token != want {
			t.Errorf("accepted: %v", err)
		}
	})
}
