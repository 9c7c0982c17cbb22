"""Ed25519, X25519, AES-256-GCM, HKDF and HPKE for verify.py, from the standards' pages, in the standard library's Python.

Plain and slow, and its running time depends on its secrets: it is for checking vectors and exports, never for use.
"""
import hashlib, hmac, struct

class Refused(Exception):
    """What was read must not be accepted."""

def need(ok, why):
    if not ok:
        raise Refused(why)

def sha(b): return hashlib.sha256(b).digest()
def mac(key, b): return hmac.new(key, b, hashlib.sha256).digest()

# --- Ed25519 (RFC 8032), without cofactor, as most libraries verify; X25519 (RFC 7748) -------------------------------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def decompress(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, "point is not canonical")
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    need((x * x - x2) % P == 0 and not (x == 0 and sign), "not a point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P

def plus(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = plus(q, p)
        p, n = plus(p, p), n >> 1
    return q

def compress(p):
    z = pow(p[2], -1, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")

BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def ed25519(public, message, signature):
    need(len(public) == 32 and len(signature) == 64, "length of key or signature")
    a, s = decompress(public), int.from_bytes(signature[32:], "little")
    need(compress(times(8, a)) != compress((0, 1, 1, 0)), "key of small order")
    need(s < L, "S is not canonical")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    need(compress(plus(times(s, BASE), times(k, (P - a[0], a[1], 1, P - a[3])))) == signature[:32], "signature")

def x25519(k, u):
    n = int.from_bytes(k, "little") & ~7 & (1 << 254) - 1 | 1 << 254
    x1 = int.from_bytes(u, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, x1, 1
    for t in range(254, -1, -1):
        if n >> t & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3, x2, z2 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P, aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
        if n >> t & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, -1, P) % P).to_bytes(32, "little")

# --- AES-256-GCM (FIPS 197, SP 800-38D), HKDF-Expand (RFC 5869), HPKE (RFC 9180) --------------------------------------
def double(b): return (b << 1 ^ (0x11B if b & 0x80 else 0)) & 0xFF

def make_sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= double(p)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        q ^= 9 if q & 0x80 else 0
        box[p] = (q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)) & 0xFF ^ 0x63
        if p == 1:
            return box

SBOX = make_sbox()

def aes(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        w = words[-1]
        if i % 8 == 0:
            w = [SBOX[w[1]] ^ rcon, SBOX[w[2]], SBOX[w[3]], SBOX[w[0]]]
            rcon = double(rcon)
        elif i % 8 == 4:
            w = [SBOX[b] for b in w]
        words.append([a ^ b for a, b in zip(words[-8], w)])
    keys = [sum(words[i:i + 4], []) for i in range(0, 60, 4)]

    def encrypt(block):
        s = [a ^ b for a, b in zip(block, keys[0])]
        for r in range(1, 15):
            s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if r < 14:
                mixed = []
                for c in (s[i:i + 4] for i in range(0, 16, 4)):
                    t = c[0] ^ c[1] ^ c[2] ^ c[3]
                    mixed += [c[i] ^ t ^ double(c[i] ^ c[(i + 1) % 4]) for i in range(4)]
                s = mixed
            s = [a ^ b for a, b in zip(s, keys[r])]
        return bytes(s)
    return encrypt

def ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        x, v, y = y ^ int.from_bytes(data[i:i + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            y ^= v if x >> bit & 1 else 0
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y

def gcm(key, nonce, text, aad, opening):
    enc = aes(key)
    if opening:
        text, tag = text[:-16], text[-16:]
    stream = b"".join(enc(nonce + struct.pack(">I", i + 2)) for i in range((len(text) + 15) // 16))
    out = bytes(a ^ b for a, b in zip(text, stream))
    pad, sealed = lambda b: b + bytes(-len(b) % 16), text if opening else out
    s = ghash(int.from_bytes(enc(bytes(16)), "big"), pad(aad) + pad(sealed) + struct.pack(">QQ", 8 * len(aad), 8 * len(sealed)))
    got = bytes(a ^ b for a, b in zip(s.to_bytes(16, "big"), enc(nonce + b"\0\0\0\1")))
    need(not opening or got == tag, "AEAD")
    return out if opening else out + got

def expand(prk, info, n):
    out, t = b"", b""
    while len(out) < n:
        t = mac(prk, t + info + bytes([len(out) // 32 + 1]))
        out += t
    return out[:n]

def hpke_open(private, info, sealed):
    enc, kem, suite = sealed[:32], b"KEM\0\x20", b"HPKE\0\x20\0\1\0\2"
    extract = lambda s, salt, label, ikm: mac(salt, b"HPKE-v1" + s + label + ikm)
    grow = lambda s, prk, label, more, n: expand(prk, struct.pack(">H", n) + b"HPKE-v1" + s + label + more, n)
    public = x25519(private, (9).to_bytes(32, "little"))
    shared = grow(kem, extract(kem, b"", b"eae_prk", x25519(private, enc)), b"shared_secret", enc + public, 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    return gcm(grow(suite, secret, b"key", context, 32), grow(suite, secret, b"base_nonce", context, 12), sealed[32:], b"", True)
