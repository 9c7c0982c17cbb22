"""Schemathesis over the emitted OpenAPI document against one real node: no 5xx, no ignored authentication.

    check.py PILIN SCHEMATHESIS [--minutes 8] [--most 50] [--each 10] [--only OPERATION ...]

It founds a federation of one in a folder of its own, serves it with SQLite on a loopback port, makes one account for each
role, and one with the roles that together may do most. Exit code 0: nothing found; 1: something; 2: it could not be tried.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PASSWORD = "Ceshi-Mima-2026"
MOST = "officer,liaison,coordinator,legal_reviewer,head"
# The system administrator comes last: ids that an answer told are tried again, and he may disable all the others.
EACH = ["officer", "liaison", "coordinator", "legal_reviewer", "head", "auditor", "aide", "sentinel", "supervisor",
        "security_admin", "audit_admin", "sys_admin"]
# What the answers are held to. The last two are more than the task: an answer is what its document says.
CHECKS = "not_a_server_error,ignored_auth,content_type_conformance,response_schema_conformance"
# hear never ends, so a client that reads to the end would not either; it has tests of its own. sign-out would end the
# session that all others are tried with: it is tried last.
APART = ["hear", "sign-out"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    def __init__(self, pilin, folder):
        self.pilin, self.folder = pilin, folder
        self.port, members = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "pilin.yaml"
        config.write_text(
            "member: 310116-01\ndata: keys\ndatabase:\n  driver: sqlite\n  dsn: pilin.db\n"
            f"people:\n  listen: 127.0.0.1:{self.port}\nmembers:\n  listen: 127.0.0.1:{members}\n")
        self.run("init", "--dir", "keys", "--member", "310116-01", "--name", "测金山", "--address", f"https://127.0.0.1:{members}")
        self.run("charter", "found", "--name", "测联盟", "--synthetic", "--out", "charter.note", "keys/310116-01.request")
        self.run("charter", "sign", "--dir", "keys", "charter.note")
        self.run("join", "--config", "pilin.yaml", "charter.note")
        self.log = open(folder / "node.log", "w+")
        self.process = subprocess.Popen([pilin, "serve", "--config", "pilin.yaml"], cwd=folder, stdout=self.log, stderr=subprocess.STDOUT)
        self.until_ready()

    def run(self, *args, **env):
        r = subprocess.run([self.pilin, *args], cwd=self.folder, capture_output=True, text=True, env={**os.environ, "PILIN_NODE": self.url, **env})
        if r.returncode:
            raise SystemExit(f"pilin {args[0]}: {r.stdout}{r.stderr}")
        return r.stdout

    def until_ready(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if urllib.request.urlopen(self.url + "/readyz", timeout=2).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        print(self.text())
        raise SystemExit("the node does not come up")

    def text(self):
        self.log.flush()
        return (self.folder / "node.log").read_text()

    def post(self, path, body, token=None):
        r = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        if token:
            r.add_header("Authorization", "Bearer " + token)
        return json.load(urllib.request.urlopen(r, timeout=20))

    def accounts(self):
        """Signs everybody in and returns their sessions: fuzzing sign-in locks this address later."""
        secret = re.search(r"one-time secret\([^)]*\): (\S+)", self.text()).group(1)
        self.run("account", "password", "--secret=" + secret, PILIN_PASSWORD=PASSWORD)
        admin = {"PILIN_ACCOUNT": "admin", "PILIN_PASSWORD": PASSWORD}
        out = {}
        for i, roles in enumerate([MOST, *EACH]):
            name = "most" if i == 0 else roles.replace("_", ".")
            told = self.run("account", "create", name, "--roles", roles, "--certificate", f"990000000{i:02d}", **admin)
            self.run("account", "password", "--secret=" + told.rsplit(" ", 1)[1].strip(), PILIN_PASSWORD=PASSWORD)
            out[name] = self.post("/api/v1/sign-in", {"name": name, "password": PASSWORD})
        return out

    def answers(self):
        """Counts answers by status, as the node itself counted them."""
        out = {}
        for line in urllib.request.urlopen(self.url + "/metrics", timeout=20).read().decode().splitlines():
            m = re.match(r'pilin_http_requests_total\{.*route="(/api/[^"]*)",status="(\d+)"\} (\S+)', line)
            if m:
                out.setdefault(m[1], {})[m[2]] = out.get(m[1], {}).get(m[2], 0) + int(float(m[3]))
        return out

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def schemathesis(args, node, spec, token, phases, examples, operations, except_for, left):
    command = [args.schemathesis, "run", str(spec), "--url", node.url, "--header", "Authorization: Bearer " + token,
               "--checks", CHECKS, "--phases", phases, "--max-examples", str(examples),
               "--continue-on-failure", "--no-color", "--seed", "20260313", "--request-timeout", "20", "--suppress-health-check", "all", "--warnings", "off"]
    if not operations:
        command += ["--include-path-regex", "^/api/"] # the other paths are the members' listener's
    for o in operations:
        command += ["--include-operation-id", o]
    for o in except_for:
        command += ["--exclude-operation-id", o]
    try:
        r = subprocess.run(command, cwd=node.folder, capture_output=True, text=True, timeout=left, env={**os.environ, "COLUMNS": "160"})
    except subprocess.TimeoutExpired as e:
        return 2, (e.stdout or b"").decode() + "\nout of time"
    return r.returncode, r.stdout + r.stderr


def main():
    p = argparse.ArgumentParser()
    p.add_argument("pilin")
    p.add_argument("schemathesis")
    p.add_argument("--minutes", type=float, default=8)
    p.add_argument("--most", type=int, default=50)
    p.add_argument("--each", type=int, default=10)
    p.add_argument("--only", nargs="*", default=[])
    p.add_argument("--as", dest="names", nargs="*", default=[])
    args = p.parse_args()
    args.pilin, args.schemathesis = os.path.abspath(args.pilin), os.path.abspath(args.schemathesis)
    end = time.monotonic() + 60 * args.minutes
    with tempfile.TemporaryDirectory(prefix="pilin-") as t:
        folder = pathlib.Path(t)
        node = Node(args.pilin, folder)
        try:
            return check(args, node, folder, end)
        finally:
            node.stop()


def check(args, node, folder, end):
    spec = folder / "openapi.yaml"
    spec.write_text(node.run("openapi"))
    sessions = node.accounts()

    def one(name):
        begun = time.monotonic()
        s = node.post("/api/v1/refresh", {"refresh": sessions[name]["refresh"]})
        # The systematic cases of the coverage phase are the same for everybody: they are tried as the one who may do most.
        phases, examples = ("examples,coverage,fuzzing", args.most) if name == "most" else ("fuzzing", args.each)
        code, text = schemathesis(args, node, spec, s["access"], phases, examples, args.only, APART, max(1, end - begun))
        # A token that is no longer good would make all that follows empty: the session must have lived through it.
        sessions[name] = node.post("/api/v1/refresh", {"refresh": s["refresh"]})
        print(f"{name:16} exit {code}  {time.monotonic() - begun:5.1f} s", flush=True)
        if code:
            print(text)
        return code

    names = args.names or list(sessions)
    with concurrent.futures.ThreadPoolExecutor(2) as two:  # two processes for two cores
        bad = max(two.map(one, [n for n in names if n != "sys.admin"]), default=0)
    if "sys.admin" in names:
        bad = max(bad, one("sys.admin"))
    if not args.only:
        s = node.post("/api/v1/refresh", {"refresh": sessions[names[-1]]["refresh"]})
        code, text = schemathesis(args, node, spec, s["access"], "coverage,fuzzing", args.each, ["sign-out"], [], max(1, end - time.monotonic()))
        if code:
            print(text)
        bad = max(bad, code)
    return max(bad, summary(node, spec.read_text(), args.only))


def summary(node, spec, only):
    """Prints what was answered; fails when a route was never reached or anything was answered with 5xx."""
    total, bad, answers = {}, 0, node.answers()
    for route in re.findall(r"^  (/api/\S+):$", spec, re.M):
        if not only and route not in answers and route != "/api/v1/events":
            print(f"{route}: never reached")
            bad = 1
    for route, by in sorted(answers.items()):
        for status, n in by.items():
            total[status] = total.get(status, 0) + n
            if status.startswith("5"):
                print(f"{route}: {n} answers {status}")
                bad = 1
    print("answers by status:", ", ".join(f"{k}: {v}" for k, v in sorted(total.items())))
    return bad


if __name__ == "__main__":
    sys.exit(main())
