package record_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenVectors are made by hand from wire.md §6; the library of the node reads the good one.
func tokenVectors(t *testing.T) vectors {
	v := vectors{About: "Member tokens (wire.md §6) as the receiver aud sees them at Unix second now, for a request htm htu with this body."}
	priv := keyOf("sign " + string(origin))
	public := priv.Public().(ed25519.PublicKey)
	sum := sha(public)
	fed := strings.Repeat("fe", 32)
	body := []byte(`{"v":1}`)
	bh := sha(body)
	kid := hexOf(sum[:8])
	iss, aud := "pilin/"+fed+"/"+string(origin), "pilin/"+fed+"/"+string(other)
	header := `{"alg":"EdDSA","typ":"at+jwt","kid":"` + kid + `"}`
	claims := fmt.Sprintf(`{"iss":"%s","aud":"%s","fed":"%s","iat":1772000000,"exp":1772000060,"jti":"%s","htm":"POST","htu":"/member/v1/ask","bh":"%x"}`, iss, aud, fed, hex32a, bh)
	b64 := base64.RawURLEncoding.EncodeToString
	sign := func(header, claims string) string {
		text := b64([]byte(header)) + "." + b64([]byte(claims))
		return text + "." + b64(ed25519.Sign(priv, []byte(text)))
	}
	expected := func(name, token string) vector {
		return vector{"name": name, "token": token, "public": hexOf(public), "iss": iss, "aud": aud, "fed": fed, "htm": "POST", "htu": "/member/v1/ask", "body": string(body), "now": 1772000030}
	}
	good := sign(header, claims)
	v.Good = []vector{expected("ask", good)}
	parsed, err := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithTimeFunc(func() time.Time { return time.Unix(1772000030, 0) })).
		Parse(good, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil || !parsed.Valid {
		t.Fatalf("the library refuses the good token: %v", err)
	}

	h := func(old, new string) string { return sign(strings.Replace(header, old, new, 1), claims) }
	c := func(old, new string) string { return sign(header, strings.Replace(claims, old, new, 1)) }
	parts := strings.Split(good, ".")
	stray := parts[2][:85] + string(parts[2][85]+1) // 64 bytes leave four bits over
	for _, x := range [][2]string{
		{"alg none", h("EdDSA", "none")},
		{"alg HS256", h("EdDSA", "HS256")},
		{"typ JWT", h("at+jwt", "JWT")},
		{"crit", h(`"alg"`, `"crit":["x"],"alg"`)},
		{"jwk", h(`"alg"`, `"jwk":{},"alg"`)},
		{"jku", h(`"alg"`, `"jku":"https://127.0.0.1/","alg"`)},
		{"x5u", h(`"alg"`, `"x5u":"https://127.0.0.1/","alg"`)},
		{"x5c", h(`"alg"`, `"x5c":[],"alg"`)},
		{"kid of another key", h(kid, "0000000000000000")},
		{"duplicate member of the header", h(`"alg":"EdDSA"`, `"alg":"EdDSA","alg":"EdDSA"`)},
		{"case variant", h(`"alg":"EdDSA"`, `"alg":"EdDSA","Alg":"none"`)},
		{"duplicate claim", c(`"htm"`, `"htm":"GET","htm"`)},
		{"case variant of a claim", c(`"htm"`, `"Aud":"x","htm"`)},
		{"other audience", c(aud, iss)},
		{"other issuer", c(iss, aud)},
		{"other federation", c(`"fed":"fe`, `"fed":"ff`)},
		{"other method", c("POST", "GET")},
		{"other path", c("/member/v1/ask", "/member/v1/ask?x=1")},
		{"other body", c(hexOf(bh[:]), strings.Repeat("0", 64))},
		{"61 seconds", c("1772000060", "1772000061")},
		{"expires before it begins", c("1772000060", "1771999999")},
		{"long expired", sign(header, strings.NewReplacer("1772000000", "1771999600", "1772000060", "1771999660").Replace(claims))},
		{"not yet, beyond the leeway", sign(header, strings.NewReplacer("1772000000", "1772000331", "1772000060", "1772000391").Replace(claims))},
		{"times as text", c("1772000000", `"1772000000"`)},
		{"fraction of a second", c("1772000000", "1772000000.5")},
		{"no jti", c(`"jti":"`+hex32a+`",`, ``)},
		{"over 8 KiB", c(`"htm"`, `"x":"`+strings.Repeat("x", 8192)+`","htm"`)},
		{"two parts", parts[0] + "." + parts[1]},
		{"four parts", good + "."},
		{"padding", good + "=="},
		{"stray bits in base64", parts[0] + "." + parts[1] + "." + stray},
		{"signature of other claims", parts[0] + "." + strings.Split(c("POST", "PUT"), ".")[1] + "." + parts[2]},
	} {
		v.Bad = append(v.Bad, expected(x[0], x[1]))
	}
	late := expected("read six minutes later", good)
	late["now"] = 1772000361
	v.Bad = append(v.Bad, late)
	return v
}
