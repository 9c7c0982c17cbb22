package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pilinhub/pilin/internal/kafkabus"
	"github.com/pilinhub/pilin/internal/rediscache"
	"github.com/pilinhub/pilin/internal/sqlstore"
	"github.com/pilinhub/pilin/record"
)

// This file is what the command line does to a node from outside: examine, export, lay topics.

// Finding is one line of an examination: what was looked at, whether it is as it must be, and what to do when not.
type Finding = kafkabus.Finding

// Topics returns the names of a member's topics on the broker.
func Topics(m record.MemberID) []string { return []string{kafkabus.LogTopic(m), kafkabus.AckTopic(m)} }

// ProvisionKafka lays topics and rights on the broker that cfg names with an administrator's credentials.
func ProvisionKafka(ctx context.Context, cfg Config, table []byte, members []record.MemberID, replicas int) ([]string, error) {
	t, err := kafkabus.ParseTable(table)
	if err != nil {
		return nil, err
	}
	b, err := kafkabus.Open(cfg.Kafka)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return kafkabus.Provision(ctx, b, t, members, replicas)
}

// CheckKafka tries with this member's credentials what must work and what must not.
func CheckKafka(ctx context.Context, cfg Config) ([]Finding, error) {
	b, err := kafkabus.Open(cfg.Kafka)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	other := record.MemberID("")
	if store, err := openForTools(ctx, cfg); err == nil {
		if dir, err := readDirectory(ctx, store, nil); err == nil {
			for _, m := range dir.Active() {
				if m != cfg.Member {
					other = m
					break
				}
			}
		}
		if err := store.Close(); err != nil {
			return nil, err
		}
	}
	return kafkabus.Check(ctx, b, cfg.Member, other), nil
}

// openForTools opens the store only to read documents and groups; nothing is signed, and a running node is fenced off by
// nothing here because nothing is appended.
func openForTools(ctx context.Context, cfg Config) (*sqlstore.Store, error) {
	keys, err := readStorageKeys(&cfg)
	if err != nil && !errors.Is(err, ErrNoStorageKeys) { // without them headers and documents are read, and no content
		return nil, err
	}
	return sqlstore.OpenReader(ctx, sqlstore.Config{Keys: keys, Driver: cfg.Database.Driver, DSN: cfg.Database.DSN, Self: cfg.Member, Now: time.Now, UnsafeTest: cfg.UnsafeTest, Progress: cfg.Progress.of(StepCopy)})
}

// Export writes charter, statements, all replicated streams with checkpoints, and receipts to a new folder, for
// `pilin verify`. It returns the number of records.
func Export(ctx context.Context, cfg Config, dir string) (n uint64, err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return 0, fmt.Errorf("%s is not empty", dir)
	}
	store, err := openForTools(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	d, err := readDirectory(ctx, store, nil)
	if err != nil {
		return 0, err
	}
	docs, err := store.Documents(ctx)
	if err != nil {
		return 0, err
	}
	for i, doc := range docs {
		if doc.Kind == sqlstore.AgreementDocument {
			continue // names of a closed group's members leave a node to nobody
		}
		if err := writeInto(dir, fmt.Sprintf("%s/%04d.note", doc.Kind, i+1), doc.Note); err != nil {
			return 0, err
		}
	}
	heads, err := store.Heads(ctx)
	if err != nil {
		return 0, err
	}
	total := uint64(0)
	for _, h := range heads {
		if h.Stream.Kind() == record.Records {
			total += h.Signed
		}
	}
	for _, h := range heads {
		if h.Stream.Kind() != record.Records || h.Signed == 0 {
			continue
		}
		folder := filepath.Join("streams", strings.Replace(string(h.Stream), "/", ".", 1))
		m, err := exportStream(ctx, store, d.Federation(), h.Stream, filepath.Join(dir, folder), func(m uint64) { cfg.Progress.at(StepExport, n+m, total) })
		if err != nil {
			return n, err
		}
		n += m
		receipts, err := store.Receipts(ctx, h.Stream)
		if err != nil {
			return n, err
		}
		for by, r := range receipts {
			if err := writeInto(dir, filepath.Join("receipts", strings.Replace(string(h.Stream), "/", ".", 1), string(by)+".json"), r); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// exportStream writes one stream as ranges: headers and checkpoints of everything, content of nothing.
func exportStream(ctx context.Context, store *sqlstore.Store, fed record.FederationID, s record.StreamID, dir string, at func(records uint64)) (uint64, error) {
	from := uint64(0)
	for {
		gs, err := store.Groups(ctx, s, from, record.MaxGroupRecords)
		if err != nil || len(gs) == 0 {
			return from, err
		}
		first := from
		var frames []*record.Frame
		for _, g := range gs {
			if g.Checkpoint == nil {
				break
			}
			fr, err := record.OpenFrame(fed, g, nil)
			if err != nil {
				return from, err
			}
			fr.Boxes = nil
			frames = append(frames, fr)
			from = fr.End()
		}
		if len(frames) == 0 {
			return from, nil
		}
		b, err := record.EncodeRange(frames)
		if err != nil {
			return from, err
		}
		if err := writeInto(dir, fmt.Sprintf("%020d.range", first), b); err != nil {
			return from, err
		}
		at(from)
	}
}

func writeInto(dir, name string, b []byte) error {
	full := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", full, err)
	}
	return WriteDurably(full, b, 0o600)
}

// Doctor examines a node's keys, database, charter, peers' addresses, broker and Redis without changing anything.
func Doctor(ctx context.Context, cfg Config) []Finding {
	var out []Finding
	add := func(what string, err error, do string) bool {
		f := Finding{What: what, OK: err == nil}
		if err != nil {
			f.What, f.Do = what+": "+err.Error(), do
		}
		out = append(out, f)
		return err == nil
	}
	keys, err := ReadKeys(cfg.Data)
	if add("密钥 keys", err, "运行 pilin init,或把 keys.json 改为 600 · run pilin init, or chmod 600 keys.json") && keys.Recovery != nil {
		add("恢复密钥不在本机 recovery key is offline", errors.New("it is in keys.json"), "移到离线介质 · move it to offline media")
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, recoveryFile)); err == nil {
		add("恢复密钥不在本机 recovery key is offline", fmt.Errorf("%s is still here", recoveryFile), "立即移到离线介质并锁好 · move it to offline media and lock it away")
	}
	if c, err := cfg.calendar(); add("工作日历文件 calendar files", err, "检查配置 calendars · check calendars in the configuration") {
		if s := calendarStatus(c, time.Now()); s.Missing+s.Ending != 0 {
			add("工作日历 working-day calendar", fmt.Errorf("none of %d", max(s.Missing, s.Ending)), "按国务院办公厅通知写日历文件,列入 calendars · write the State Council's notice as a calendar file and name it under calendars")
		}
	}
	_, err = readStorageKeys(&cfg)
	add("存储密钥 storage keys", err, "从另处保管的备份取回 storage.keys,或检查 storage.credential · bring storage.keys back from where it is kept apart, or check storage.credential")
	store, err := openForTools(ctx, cfg)
	if add("数据库 database", err, "检查 database.dsn、服务是否在运行、fsync 与 synchronous_commit 是否为 on · check dsn, server, fsync and synchronous_commit") {
		dir, err := readDirectory(ctx, store, keys)
		if add("名册 charter", err, "运行 pilin join · run pilin join") {
			if frozen, ok := dir.Frozen(); ok {
				add("名册未冻结 charter not frozen", fmt.Errorf("frozen at version %d", frozen.At.Version), "召集各家,签一个同时承接两版的新版本 · sign a version that names both")
			}
			if dir.TestOnly(cfg.Member) {
				add("可以发布 may publish", errors.New("test_ok"), "在名册中补齐协议号、评估号、保存期限表 · add agreement, assessment and retention numbers to the charter")
			}
		}
		evidence, err := store.Evidence(ctx)
		if add("分叉证据 fork evidence", err, "检查数据库 · check the database") && len(evidence) > 0 {
			for s := range evidence {
				add("日志一致 "+string(s), errors.New("the member signed two histories"), "停止信任该家新记录,保存证据,召集联盟 · keep the evidence and call the federation together")
			}
		}
		add("关闭数据库 close database", store.Close(), "")
	}
	if len(cfg.Kafka.Brokers) == 0 {
		out = append(out, Finding{What: "Kafka 未配置:只走 HTTP · not configured: HTTP alone", OK: true})
	} else if found, err := CheckKafka(ctx, cfg); add("Kafka 配置 configuration", err, "检查 kafka 段 · check the kafka section") {
		out = append(out, found...)
	}
	if cfg.Redis.URL != "" {
		c, err := rediscache.Open(cfg.Redis.URL, "doctor", string(cfg.Member))
		if err == nil {
			err = errors.Join(c.Ping(ctx), c.Close())
		}
		add("Redis", err, "没有 Redis 节点照常工作,只是慢些;检查 redis.url · the node works without it, slower")
	}
	return out
}
