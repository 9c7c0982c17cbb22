#!/usr/bin/env python3
"""Second reader of Pilin's formats (docs/design/log.md, wire.md, charter.md), written from those pages alone.

It shares no code with the Go packages and needs nothing but the Python standard library (3.11). For each file of this
folder it accepts every good vector and refuses every bad one, prints counts and exits 0, or says what went wrong and
exits 1. With --self-test it also changes a character of every member of every good vector and must refuse each time.
"""
import base64, datetime, json, pathlib, re, struct, sys

sys.set_int_max_str_digits(0)
sys.dont_write_bytecode = True  # this folder holds vectors, not caches
from slowcrypto import Refused, ed25519, expand, gcm, hpke_open, mac, need, sha, x25519

def full(form, s): return isinstance(s, str) and re.fullmatch(form, s, re.ASCII) is not None

def b64(s, n=None, url=False):
    try:
        b = base64.b64decode(s + ("=" * (-len(s) % 4) if url else ""), altchars=b"-_" if url else None, validate=True)
    except ValueError:
        raise Refused("base64")
    back = base64.urlsafe_b64encode(b).decode().rstrip("=") if url else base64.b64encode(b).decode()
    need(back == s and n in (None, len(b)), "base64 is not canonical")
    return b

def number(s):
    need(full(r"0|[1-9][0-9]{0,18}", s) and int(s) < 1 << 62, "number")
    return int(s)

# --- JSON, notes ------------------------------------------------------------------------------------------------------
def ijson(text):
    def unique(pairs):
        need(len({k for k, _ in pairs}) == len(pairs), "duplicate member")
        return dict(pairs)
    def never(_): raise Refused("number that is none")
    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=never)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8
    except (ValueError, RecursionError) as e:
        raise Refused(f"JSON: {e}")
    return value

def plain(b):
    need(len(b) <= 8192 and all(0x20 <= c <= 0x7E for c in b), "size or byte outside ASCII")
    text = b.decode()
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    depth = top = 0
    for c in bare:
        depth += (c in "{[") - (c in "]}")
        top = max(top, depth)
    need(" " not in bare and top <= 32, "white space or depth")
    value = ijson(text)
    need(isinstance(value, dict), "not an object")
    return value

def key_hash(name, algorithm, public): return sha(name.encode() + b"\n" + bytes([algorithm]) + public)[:4]

def note(text_and_lines, *signers):
    """Checks that each (name, public key, algorithm) signed; returns the text and the times of cosignatures."""
    whole = text_and_lines.encode() if isinstance(text_and_lines, str) else text_and_lines
    cut = whole.rfind(b"\n\n")
    need(cut >= 0 and whole.endswith(b"\n") and all(c >= 0x20 or c == 10 for c in whole), "not a note")
    text, lines = whole[:cut + 1], whole[cut + 2:].decode().split("\n")[:-1]
    need(0 < len(lines) <= 100, "signature lines")
    found, times_seen = set(), []
    for line in lines:
        fields = line.split(" ")
        need(len(fields) == 3 and fields[0] == "—" and fields[1] and "+" not in fields[1], "signature line")
        sig = b64(fields[2])
        need(len(sig) >= 5, "signature line")
        for name, public, algorithm in signers:
            if fields[1] != name or sig[:4] != key_hash(name, algorithm, public) or (name, algorithm) in found:
                continue
            if algorithm == 1:
                ed25519(public, text, sig[4:])
            else:
                need(len(sig) == 76, "cosignature")
                times_seen.append(int.from_bytes(sig[4:12], "big"))
                ed25519(public, b"cosignature/v1\ntime %d\n" % times_seen[-1] + text, sig[12:])
            found.add((name, algorithm))
    need(found == {(n, a) for n, _, a in signers}, "a signature is missing")
    return text.decode(), times_seen

# --- log.md -----------------------------------------------------------------------------------------------------------
HEX32, HEX64, PARTS = r"[0-9a-f]{32}", r"[0-9a-f]{64}", ["meta", "card", "body", "home"]
STREAM = r"[0-9]{6}-[0-9]{2}/(records|audit|local)(\.[1-9][0-9]{0,3})?"

def part_rank(name): return (PARTS.index(name) if name in PARTS else 4, name)

def read_day(s):
    need(full(r"(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}", s), "day")
    try:
        return datetime.date.fromisoformat(s)
    except ValueError:
        raise Refused("no such day")

def read_meaning(o, record):
    need(full(r"[a-z][a-z0-9_.-]{0,63}", o.get("type")) and full(r"[0-9a-z][0-9a-z.-]{0,15}", o.get("schema")), "type or schema")
    read_day(o.get("day"))
    audience, refs = o.get("audience"), o.get("refs")
    need(isinstance(audience, dict) and len(audience) <= 16 and isinstance(refs, list), "audience or refs")
    for group, level in audience.items():
        need((group == "all" or full(HEX32, group)) and level in ("L1", "L2", "L3"), "group or level")
    out, subject, version = [], record, 1
    changes = ("follows", "supersedes", "withdraws", "erases")
    for r in refs:
        need(isinstance(r, dict) and r.get("rel") in changes + ("cites", "answers") and full(HEX32, r.get("id")), "ref")
        out.append([r["rel"], r["id"], number(r.get("version"))])
        if r["rel"] in changes:
            need(version == 1 and out[-1][2] > 0, "two changes, or after version 0")
            subject, version = r["id"], out[-1][2] + 1
    return {"id": record, "type": o["type"], "schema": o["schema"], "day": o["day"], "audience": audience, "refs": out,
            "subject": subject, "version": version}

def read_header(b):
    o = plain(b)
    need(type(o.get("v")) is int and o["v"] == 1, "v")
    need(full(STREAM, o.get("stream")) and full(HEX32, o.get("id")) and isinstance(o.get("parts"), list), "stream, id or parts")
    o["seq"], names = number(o.get("seq")), []
    for p in o["parts"]:
        need(isinstance(p, dict) and full(r"[a-z][a-z0-9_]{0,15}", p.get("part")) and full(HEX64, p.get("mac")), "part")
        names.append(p["part"])
    need(len(names) <= 16 and all(part_rank(a) < part_rank(b) for a, b in zip(names, names[1:])), "order of parts")
    records, open_members = o["stream"].split("/")[1].startswith("records"), {"type", "schema", "day", "audience", "refs"}
    o["sealed"] = "week" in o or "keys" in o
    need(o["sealed"] == (names[:1] == ["meta"]), "meta")
    if o["sealed"]:
        keys = o.get("keys")
        need(records and not open_members & o.keys() and isinstance(keys, list) and len(keys) <= 16, "form")
        need(full(r"(19|[2-9][0-9])[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])", o.get("week")), "week")
        need(all(full(HEX32, k) for k in keys) and all(a < b for a, b in zip(keys, keys[1:])), "keys")
    else:
        o["meaning"] = read_meaning(o, o["id"])
        need("all" in o["audience"] if records else not o["audience"], "audience of an open header")
    return o

def read_meta(header, b):
    o = plain(b)
    m = read_meaning(o, header["id"])
    year, week, _ = read_day(m["day"]).isocalendar()
    need("all" not in m["audience"] and f"{year:04}-W{week:02}" == header["week"] and len(m["audience"]) == len(header["keys"]), "meta")
    return m

def leaf(header): return sha(b"\0" + header)

def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))

def included(proof, size, seq, h):  # RFC 9162 §2.1.3.2
    need(seq < size, "sequence")
    fn, sn = seq, size - 1
    for p in proof:
        need(sn > 0, "proof too long")
        if fn & 1 or fn == sn:
            h = sha(b"\1" + p + h)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            h = sha(b"\1" + h + p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "proof too short")
    return h

def consistent(proof, old, size, old_root, new_root):  # RFC 9162 §2.1.4.2
    need(0 < old < size, "sizes")
    path = ([old_root] if old & old - 1 == 0 else []) + proof
    need(path, "proof too short")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn > 0, "proof too long")
        if fn & 1 or fn == sn:
            fr, sr = sha(b"\1" + c + fr), sha(b"\1" + c + sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha(b"\1" + sr + c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == new_root, "consistency")

def read_checkpoint(b, public, *more):
    whole = b.encode() if isinstance(b, str) else b
    need(len(whole) <= 16384, "size of the note")
    origin = whole.split(b"\n")[0].decode()
    text, when = note(whole, (origin, public, 1), *more)
    lines = text.split("\n")[:-1]
    need(4 <= len(lines) <= 32 and all(0 < len(x.encode()) <= 512 for x in lines), "lines")
    need(full("pilin/" + HEX64 + "/" + STREAM, origin) and full(r"charter [1-9][0-9]* " + HEX64, lines[3]), "origin or charter")
    size, top, charter = number(lines[1]), b64(lines[2], 32), lines[3].split(" ")
    need(size > 0 or top == sha(b""), "root of the empty tree")
    return {"federation": origin[6:70], "stream": origin[71:], "size": size, "root": top, "charter": number(charter[1]),
            "charter_hash": charter[2], "text": text, "origin": origin, "times": when}

def read_evidence(text, public):
    o = ijson(text)
    need(isinstance(o, dict) and o.keys() == {"v", "a", "b", "leaves"} and type(o["v"]) is int and o["v"] == 1 and all(full(HEX64, x) for x in o["leaves"]), "form")
    small, large = sorted((read_checkpoint(o[x], public) for x in "ab"), key=lambda c: c["size"])
    leaves = [bytes.fromhex(x) for x in o["leaves"]]
    need(small["origin"] == large["origin"], "two streams")
    if small["size"] == large["size"]:
        need(small["root"] != large["root"] and len(leaves) in (0, large["size"]), "no fork")
    else:
        need(len(leaves) == large["size"] and root(leaves) == large["root"] and root(leaves[:small["size"]]) != small["root"], "no fork")

# --- wire.md ----------------------------------------------------------------------------------------------------------
def box_key(salt, h, part): return expand(salt, b"pilin box 1" + h + part, 32)

def open_wrap(wrap, key_id, key, h, part):
    need(wrap[:16] == key_id, "wrap for another key")
    return gcm(expand(key, b"pilin wrap 1" + h + part, 32), bytes(12), wrap[16:], h + part, True)

def open_box(k, box, h, part):
    need(len(box) >= 48, "short box")
    b = gcm(k, bytes(12), box, h + part, True)
    return b[:32], b[32:]

class Reader:
    def __init__(self, b): self.b = b
    def take(self, n):
        need(n <= len(self.b), "length past the end")
        out, self.b = self.b[:n], self.b[n:]
        return out
    def number(self, n): return int.from_bytes(self.take(n), "big")
    def long(self): return self.take(self.number(4))

def read_frame(b, public, kinds, before):
    """Reads an unpadded frame that follows the leaves before; returns it with the number of bytes that it took."""
    need(b[:8] == b"PILINF\0\1" and len(b) >= 12, "magic")
    n = int.from_bytes(b[8:12], "big")
    need(12 + n <= len(b), "truncated")
    r = Reader(b[12:12 + n])
    f = {"federation": r.take(32).hex(), "stream": r.take(r.number(1)).decode("ascii"), "first": r.number(8)}
    count = r.number(2)
    need(1 <= count <= 200, "count")
    f["headers"] = [r.long() for _ in range(count)]
    f["checkpoint"], f["boxes"] = read_checkpoint(r.long(), public), []
    for _ in range(r.number(2)):
        x = {"index": r.number(2), "part": r.take(r.number(1)).decode("ascii"), "kind": r.number(1), "data": r.long()}
        x["wraps"] = [r.take(64) for _ in range(r.number(1))]
        ids = [w[:16] for w in x["wraps"]]
        need(x["index"] < count and full(r"[a-z][a-z0-9_]{0,15}", x["part"]) and x["kind"] in kinds, "box")
        need(all(a < b for a, b in zip(ids, ids[1:])) and (1 <= len(ids) <= 16 if x["kind"] == 0 else not ids), "wraps")
        need(len(x["data"]) >= (48, 32, 8)[x["kind"]] and (x["kind"] != 2 or len(x["data"]) == 8), "data")
        f["boxes"].append(x)
    order = [(x["index"], part_rank(x["part"])) for x in f["boxes"]]
    need(not r.b and all(a < b for a, b in zip(order, order[1:])), "bytes left, or boxes out of order")
    c = f["checkpoint"]
    need(c["size"] == f["first"] + count and (c["federation"], c["stream"]) == (f["federation"], f["stream"]), "checkpoint of something else")
    need(len(before) == f["first"] and root(before + [leaf(h) for h in f["headers"]]) == c["root"], "root")
    return f, 12 + n

def prove(header, name, salt, content):
    macs = {p["part"]: p["mac"] for p in read_header(header)["parts"]}
    need(mac(salt, content).hex() == macs.get(name), "commitment")

def token_json(part):
    b = b64(part, url=True)
    o = ijson(b)
    need(isinstance(o, dict) and len({k.lower() for k in o}) == len(o), "case variants")
    return o

# --- vectors ----------------------------------------------------------------------------------------------------------
def raw(v, name): return bytes.fromhex(v[name])

def check_header(v):
    b = raw(v, "header_hex") if "header_hex" in v else v["header"].encode()
    h = read_header(b)
    m = read_meta(h, v["meta"].encode()) if h["sealed"] else h["meaning"]
    if "leaf" in v:
        need(leaf(b) == raw(v, "leaf") and [h["stream"], h["seq"], h["sealed"]] == [v["stream"], v["seq"], v["sealed"]] and m == v["meaning"], "expectation")

def check_part(v): need(mac(raw(v, "salt"), raw(v, "bytes")) == raw(v, "mac"), "commitment")

def check_box(v):
    h, part = raw(v, "leaf"), v["part"].encode()
    k = open_wrap(raw(v, "wrap"), raw(v, "key_id"), raw(v, "key"), h, part)
    salt, content = open_box(k, raw(v, "box"), h, part)
    need(mac(salt, content) == raw(v, "mac"), "commitment")
    if "salt" in v:
        need(salt == raw(v, "salt") and content == raw(v, "bytes") and k == box_key(salt, h, part), "expectation")
        wrapped = gcm(expand(raw(v, "key"), b"pilin wrap 1" + h + part, 32), bytes(12), k, h + part, False)
        need(gcm(k, bytes(12), salt + content, h + part, False) == raw(v, "box") and raw(v, "key_id") + wrapped == raw(v, "wrap"), "rebuilt")

def check_tree(v):
    leaves, top = [bytes.fromhex(x) for x in v["leaves"]], raw(v, "root")
    need(root(leaves) == top, "root")
    for p in v["inclusion"]:
        need(p["seq"] < len(leaves), "sequence")
        need(included([bytes.fromhex(x) for x in p["proof"]], len(leaves), p["seq"], leaves[p["seq"]]) == top, "inclusion")
    for p in v["consistency"]:
        need(root(leaves[:p["old"]]) == raw(p, "root"), "old root")
        consistent([bytes.fromhex(x) for x in p["proof"]], p["old"], len(leaves), raw(p, "root"), top)

def check_checkpoint(v):
    c = read_checkpoint(v["note"], raw(v, "public"))
    if "root" in v:
        need(c["root"].hex() == v["root"] and all(c[k] == v[k] for k in ("federation", "stream", "size", "charter", "charter_hash")), "expectation")

def check_frame(v):
    b = b64(v["frame"])
    f, n = read_frame(b, raw(v, "public"), (0,), [bytes.fromhex(x) for x in v["before"]])
    steps = [s << 10 for s in (1, 4, 16, 64, 256, 576) if s << 10 >= n]
    need(steps and len(b) == steps[0] and not any(b[n:]), "padding")
    if "boxes" not in v:
        return
    need([f["federation"], f["stream"], f["first"], len(f["headers"])] == [v["federation"], v["stream"], v["first"], v["count"]], "expectation")
    need(len(f["boxes"]) == len(v["boxes"]), "number of boxes")
    epochs = {e["id"]: raw(e, "key") for e in v["epochs"]}
    for x, want in zip(f["boxes"], v["boxes"]):
        header, part = f["headers"][x["index"]], x["part"].encode()
        need([x["index"], x["part"], [w[:16].hex() for w in x["wraps"]]] == [want["index"], want["part"], want["keys"]], "box")
        for wrap in x["wraps"]:
            need(wrap[:16].hex() in epochs, "no key")
            k = open_wrap(wrap, wrap[:16], epochs[wrap[:16].hex()], leaf(header), part)
            salt, content = open_box(k, x["data"], leaf(header), part)
            prove(header, x["part"], salt, content)
            need(salt == raw(want, "salt") and content == raw(want, "bytes"), "content")

def check_range(v):
    b, frames, leaves = b64(v["range"]), [], [bytes.fromhex(x) for x in v["before"]]
    need(b[:8] == b"PILINR\0\1", "magic")
    r = Reader(b[8:])
    while r.b:
        one = r.long()
        f, n = read_frame(one, raw(v, "public"), (1, 2), leaves)
        leaves += [leaf(h) for h in f["headers"]]
        need(n == len(one), "padded")
        need(not frames or (f["stream"], f["federation"], f["first"]) == (frames[0]["stream"], frames[0]["federation"], frames[-1]["checkpoint"]["size"]), "gap")
        for x in f["boxes"]:
            if x["kind"] == 1:
                prove(f["headers"][x["index"]], x["part"], x["data"][:32], x["data"][32:])
        frames.append(f)
    need(len(frames) < 2 or len(b) <= 4 << 20 and sum(len(f["headers"]) for f in frames) <= 1000, "limits")
    if "groups" in v:
        got = [{"stream": f["stream"], "federation": f["federation"], "first": f["first"], "count": len(f["headers"]), "boxes": [
            {"index": x["index"], "part": x["part"], "kind": x["kind"], "data": x["data"].hex()} for x in f["boxes"]]} for f in frames]
        need(got == v["groups"], "expectation")

def check_receipt(v):
    o = ijson(v["receipt"])
    need(isinstance(o, dict) and o.keys() == {"v", "checkpoint", "held"} and type(o["v"]) is int and o["v"] == 1, "form")
    name, member = f"pilin/{v['federation']}/{v['by']}/receipt", raw(v, "member_public")
    c = read_checkpoint(o["checkpoint"], raw(v, "origin_public"), (name, member, 4))
    text, _ = note(o["held"], (name, member, 1))
    head = f"{name}\n{c['origin']}\n{c['size']}\n{sha(c['text'].encode()).hex()}\n"
    need(c["federation"] == v["federation"] and text.startswith(head), "about something else")
    held = []
    for line in text[len(head):].split("\n")[:-1]:
        seq, _, reason = line.partition(" ")
        held.append([number(seq), reason])
        need(held[-1][0] < c["size"] and reason in ("pending", "unusable", "withheld"), "held line")
    need(all(a[0] < b[0] for a, b in zip(held, held[1:])), "held lines out of order")
    if "time" in v:
        need([c["stream"], c["size"], c["root"].hex(), c["times"][0], held] == [v["stream"], v["size"], v["root"], v["time"], v["held"]], "expectation")

def check_evidence(v): read_evidence(v["evidence"], raw(v, "public"))

def check_charter(v):
    body = v["note"].encode()
    text = body[:body.rfind(b"\n\n") + 1]
    need(text.count(b"\n") == 1 and sha(text) == raw(v, "federation"), "one line, and its hash")
    o = ijson(text)
    codes = [m["code"] for m in o["members"]]
    need(o["pilin"] == "charter" and o["v"] == 1 and o["version"] == "1" and o["federation"] == "" and o["prev"] == [], "founding")
    need(all(m["state"] == "active" and len(m["sign"]) == 1 and m["sign"][0]["from"] == "0" and "revoked" not in m for m in o["members"]), "founders")
    need(codes == sorted(set(codes)) and all(full(r"[0-9]{6}-[0-9]{2}", c) for c in codes), "members")
    note(body, *((f"pilin/charter/{m['code']}", b64(m["sign"][0]["key"], 32), 1) for m in o["members"]))
    group = o["groups"][0]
    epoch = group["epochs"][-1]
    need(group["group"] == "all" and group["history"] == "all" and group["members"] == codes and [w["member"] for w in epoch["wraps"]] == codes, "group all")
    private = {k["member"]: raw(k, "private") for k in v["kem"]}
    need(sorted(private) == codes, "keys")
    for m, w in zip(o["members"], epoch["wraps"]):
        need(x25519(private[m["code"]], (9).to_bytes(32, "little")) == b64(m["kem"], 32), "KEM key")
        info = b"pilin epoch 1" + group["group"].encode() + bytes.fromhex(epoch["key"]) + m["code"].encode()
        need(hpke_open(private[m["code"]], info, b64(w["enc"], 80)) == raw(v, "epoch"), "epoch key")

def check_token(v):
    need(len(v["token"]) <= 8192 and v["token"].count(".") == 2, "size or dots")
    head, claims, signature = v["token"].split(".")
    h, c, public = token_json(head), token_json(claims), raw(v, "public")
    need(h == {"alg": "EdDSA", "typ": "at+jwt", "kid": sha(public).hex()[:16]}, "header")
    ed25519(public, f"{head}.{claims}".encode(), b64(signature, 64, url=True))
    need(type(c.get("iat")) is int and type(c.get("exp")) is int and 0 <= c["exp"] - c["iat"] <= 60, "times")
    need(abs(c["iat"] - v["now"]) <= 300 and v["now"] <= c["exp"] + 300, "clock")
    need(full(HEX32, c.get("jti")) and c.get("bh") == sha(v["body"].encode()).hex(), "jti or body")
    need(all(c.get(k) == v[k] for k in ("iss", "aud", "fed", "htm", "htu")), "claim")

CHECKS = {f.__name__[6:]: f for f in (check_header, check_part, check_box, check_tree, check_checkpoint, check_frame, check_range,
                                      check_receipt, check_evidence, check_charter, check_token)}

def refuses(check, v):
    try:
        check(v)
    except (Refused, ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error):
        return True
    return False

def flips(v, place=()):
    """Yields (where, changed copy) for some characters of every text and for every number of a vector."""
    if isinstance(v, str):
        for i in sorted({0, len(v) // 3, len(v) // 2, len(v) - 1}) if v else ():
            c = "0123456789abcdef"
            yield place + (i,), v[:i] + (c[c.index(v[i]) ^ 1] if v[i] in c else chr(ord(v[i]) ^ 1)) + v[i + 1:]
    elif isinstance(v, int) and not isinstance(v, bool):
        yield place, v + 1
    elif isinstance(v, (dict, list)):
        for k in v if isinstance(v, dict) else range(len(v)):
            if k in ("name", "now"):
                continue
            for where, changed in flips(v[k], place + (k,)):
                copy = v.copy()
                copy[k] = changed
                yield where, copy

def main():
    folder, faults, self_test = pathlib.Path(__file__).parent, 0, "--self-test" in sys.argv[1:]
    for name, check in CHECKS.items():
        v, changed = ijson((folder / f"{name}.json").read_text("utf-8")), 0
        wrong = [f"refused: {x['name']}" for x in v["good"] if refuses(check, x)] + [f"accepted: {x['name']}" for x in v["bad"] if not refuses(check, x)]
        for x in v["good"] if self_test else ():
            for where, copy in flips(x):
                changed += 1
                if not refuses(check, copy):
                    wrong.append(f"accepted: {x['name']} changed at {where}")
        print(f"{name}: {len(v['good'])} good, {len(v['bad'])} bad" + (f", {changed} changed" if self_test else ""))
        for w in wrong:
            print(f"  {w}")
        faults += len(wrong)
    return 1 if faults else 0

if __name__ == "__main__":
    sys.exit(main())
