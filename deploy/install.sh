#!/bin/sh
# Installs or upgrades a node from this unpacked bundle; needs no network. Run as root. It makes the user, lays binary,
# unit file and completion, keeps a configuration that is there, and starts nothing.
# 从解开的安装包安装或升级节点,不需要网络;以 root 运行。已有的配置不动,不启动任何服务。
set -eu
cd "$(dirname "$0")"
root="${DESTDIR:-}" # of packagers and tests: lays the files below another folder and makes no user

sha256sum -c --strict --quiet SHA256SUMS || { echo "install: 文件校验失败 a file does not match SHA256SUMS" >&2; exit 1; }
if [ -z "$root" ]; then
  [ "$(id -u)" = 0 ] || { echo "install: 请以 root 运行 run as root" >&2; exit 1; }
  getent passwd pilin >/dev/null || adduser --system --group --home /var/lib/pilin pilin
fi
install -D -m 0755 bin/pilin "$root/usr/bin/pilin"
install -D -m 0644 deploy/systemd/pilin.service "$root/etc/systemd/system/pilin.service"
install -D -m 0644 completion/pilin.bash "$root/usr/share/bash-completion/completions/pilin"
install -D -m 0644 completion/_pilin "$root/usr/share/zsh/vendor-completions/_pilin"
install -D -m 0644 completion/pilin.fish "$root/usr/share/fish/vendor_completions.d/pilin.fish"
mkdir -p "$root/usr/share/doc/pilin"
cp -r docs licences sbom.cdx.json deploy schemas README.md CHANGELOG.md "$root/usr/share/doc/pilin/"
install -d -m 0750 "$root/etc/pilin"
install -d -m 0700 "$root/etc/pilin/secret"
if [ ! -e "$root/etc/pilin/pilin.yaml" ]; then
  install -m 0640 deploy/pilin.example.yaml "$root/etc/pilin/pilin.yaml"
fi
if [ -z "$root" ]; then
  chgrp pilin /etc/pilin /etc/pilin/pilin.yaml
  systemctl daemon-reload || true # a machine that is being built has no systemd yet
fi
echo "已安装 installed: $("$root/usr/bin/pilin" version)"
echo "下一步 next: /etc/pilin/pilin.yaml, docs/operate.zh.md · docs/operate.en.md"
