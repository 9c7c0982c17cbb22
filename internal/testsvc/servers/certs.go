package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// CA is a certificate authority of one test run.
type CA struct {
	CertFile string // PEM, for clients to trust
	KeyFile  string // PEM, PKCS#8
	cert     *x509.Certificate
	key      *ecdsa.PrivateKey
}

// NewCA makes a CA whose files lie in dir as NAME.pem and NAME.key.
func NewCA(dir, name string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	t := template("pilin test CA " + name)
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make CA certificate: %w", err)
	}
	c := &CA{CertFile: filepath.Join(dir, name+".pem"), KeyFile: filepath.Join(dir, name+".key"), key: key}
	if c.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("read CA certificate back: %w", err)
	}
	if err := os.WriteFile(c.CertFile, encode("CERTIFICATE", der), 0o644); err != nil {
		return nil, fmt.Errorf("write CA certificate: %w", err)
	}
	return c, writeKey(c.KeyFile, key)
}

// LoadCA reads a CA that NewCA wrote.
func LoadCA(certFile, keyFile string) (*CA, error) {
	cert, err := readPEM(certFile)
	if err != nil {
		return nil, err
	}
	c := &CA{CertFile: certFile, KeyFile: keyFile}
	if c.cert, err = x509.ParseCertificate(cert); err != nil {
		return nil, fmt.Errorf("CA certificate %s: %w", certFile, err)
	}
	der, err := readPEM(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("CA key %s: %w", keyFile, err)
	}
	var ok bool
	if c.key, ok = key.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("CA key %s: want ECDSA, have %T", keyFile, key)
	}
	return c, nil
}

// Issue makes a certificate for 127.0.0.1 and localhost with the given common name, good for both ends of a connection,
// and writes it to dir as NAME.pem and NAME.key.
func (c *CA) Issue(dir, name, commonName string) (certFile, keyFile string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make key of %s: %w", name, err)
	}
	t := template(commonName)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	t.DNSNames, t.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, &key.PublicKey, c.key)
	if err != nil {
		return "", "", fmt.Errorf("issue certificate of %s: %w", name, err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if err := os.WriteFile(certFile, encode("CERTIFICATE", der), 0o644); err != nil {
		return "", "", fmt.Errorf("write certificate of %s: %w", name, err)
	}
	return certFile, keyFile, writeKey(keyFile, key)
}

func template(commonName string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand never fails on the systems we run on
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0)}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	if err := os.WriteFile(file, encode("PRIVATE KEY", der), 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

func readPEM(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read PEM: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("read PEM: %s holds none", file)
	}
	return block.Bytes, nil
}

// concat writes the contents of files, in order, to out: Kafka wants key, certificate and chain in one file.
func concat(out string, files ...string) error {
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("join PEM files: %w", err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(out, all, 0o600); err != nil {
		return fmt.Errorf("join PEM files: %w", err)
	}
	return nil
}

// secret draws a password of 26 characters.
func secret() string { return rand.Text() }
