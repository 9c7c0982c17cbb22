package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/pilinhub/pilin/internal/httpapi"
)

// Probe asks the node that runs on this machine under cfg, at its people's listener, what it can do just now: all
// capabilities, or the one of that name. ready says whether all that it needs works. For health checks of places that have
// no HTTP client, such as a container of the binary alone.
func Probe(ctx context.Context, cfg Config, capability string) (ready bool, all []httpapi.Capability, err error) {
	host, port, err := net.SplitHostPort(cfg.People.Listen)
	if err != nil {
		return false, nil, fmt.Errorf("people.listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/readyz"}
	if capability != "" {
		u = *u.JoinPath(capability)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	if cfg.People.CertFile != "" {
		u.Scheme = "https"
		cert, err := tls.LoadX509KeyPair(cfg.People.CertFile, cfg.People.KeyFile)
		if err != nil {
			return false, nil, fmt.Errorf("people's certificate: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS13,
			InsecureSkipVerify: true, // it names a host that people use, not this address: the whole check is below
			VerifyConnection: func(c tls.ConnectionState) error {
				if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, cert.Certificate[0]) {
					return errors.New("the certificate is not the one that the configuration names: was it changed since the start?")
				}
				return nil
			},
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, nil, err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return false, nil, fmt.Errorf("no answer: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return false, nil, fmt.Errorf("no capability is called %q", capability)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return false, nil, fmt.Errorf("no answer: %w", err)
	}
	var body struct {
		Ready        bool                 `json:"ready"`
		Capabilities []httpapi.Capability `json:"capabilities"`
	}
	if err := json.Unmarshal(b, &body); err != nil || !slices.Contains([]int{http.StatusOK, http.StatusServiceUnavailable}, res.StatusCode) {
		return false, nil, fmt.Errorf("what answers at %s is not a node: %s", u.Host, res.Status)
	}
	return body.Ready, body.Capabilities, nil
}
