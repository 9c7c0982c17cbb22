// Package archtest holds the import table of the project as data and checks it: who may import whom of our packages, and
// what a package must not reach even through others. A package that is missing from the table fails, so that a new one
// starts with a thought about where it stands. Why the table is as it is stands in docs/design/ and in the comments here;
// what a package may do with its imports is for review and lint.
package archtest

import (
	"maps"
	"slices"
)

// Module is the path that all our import paths begin with.
const Module = "github.com/pilinhub/pilin"

// rule is one package's line of the table. Our packages are named without the module path.
type rule struct {
	may    []string // our packages that it may import; anything stands for all of them
	reach  []string // import paths (with everything below) that it must not reach, through whatever
	direct []string // import paths that it must not import itself
	tests  bool     // its tests keep to may as well, plus testOnly: a domain package
}

const anything = "*"

// What the domain must not know: the world outside enters through parameters.
var (
	web   = []string{"net/http"}
	echo  = []string{"github.com/labstack/echo", "github.com/danielgtaylor/huma"}
	sql   = []string{"database/sql", "github.com/lib/pq", "modernc.org/sqlite", "github.com/pressly/goose"}
	kafka = []string{"github.com/segmentio/kafka-go", "github.com/twmb/franz-go"}
	redis = []string{"github.com/redis/go-redis", "github.com/alicebob/miniredis", "github.com/go-redis/redis_rate"}
	world = join(web, echo, sql, kafka, redis)
)

// domain are the eight packages that hold the rules of the field.
var domain = []string{"schemas", "schemas/identifier", "record", "match", "workflow", "blacklist", "events", "transfer", "federation"}

// testOnly are our packages that the tests of a domain package may import besides.
var testOnly = []string{"record/recordtest", "match/develop"}

// table says for every package of ours what it may import and must not reach. Whoever may import schemas may import
// schemas/identifier; it is written out.
var table = map[string]rule{
	// Leaves.
	"schemas/identifier":   {tests: true, reach: world},
	"schemas":              {may: []string{"schemas/identifier"}, reach: world, tests: true},
	"web":                  {reach: join(sql, kafka, redis)},
	"match/internal/hanzi": {reach: world}, // characters: readings, variants, look-alikes
	"internal/budget":      {reach: world}, // how much an officer and a member may ask
	"internal/rediscache":  {may: []string{"internal/budget"}, reach: join(sql, kafka, echo)},
	"internal/embedded":    {reach: join(sql, echo)},
	"internal/fault":       {reach: world}, // named points that end the process, for the kill tests
	"internal/keystore":    {reach: world}, // storage keys

	// The field.
	"record":               {may: []string{"schemas", "schemas/identifier"}, reach: world, tests: true},
	"match":                {may: []string{"schemas", "schemas/identifier", "match/internal/hanzi", "match/normal"}, reach: world, tests: true},
	"match/normal":         {may: []string{"schemas/identifier", "match/internal/hanzi"}, reach: world, tests: true}, // the one normaliser
	"match/internal/bench": {may: []string{anything}},                                                                // measurements: tests only
	"workflow":             {may: []string{"schemas", "schemas/identifier"}, reach: world, tests: true},
	"blacklist":            {may: []string{"schemas", "schemas/identifier", "record", "match", "workflow"}, reach: world, tests: true},
	"events":               {may: []string{"schemas", "schemas/identifier", "record", "workflow"}, reach: world, tests: true},
	"transfer":             {may: []string{"schemas", "schemas/identifier", "record", "workflow", "blacklist", "match/normal"}, reach: world, tests: true},
	"federation":           {may: []string{"schemas", "schemas/identifier", "record", "match", "workflow"}, reach: world, tests: true},

	// Adapters.
	"client":            {may: domain, reach: join(sql, kafka, redis, ours("internal"))},
	"internal/auth":     {may: []string{"record", "federation"}, reach: join(sql, echo)},
	"internal/sheets":   {may: []string{"schemas", "schemas/identifier", "record", "blacklist"}, reach: join(sql, echo)},
	"internal/sqlstore": {may: join(domain, []string{"internal/auth", "internal/fault", "internal/keystore", "internal/sheets"}), reach: join(echo, kafka, redis)},
	"internal/kafkabus": {may: []string{"record", "internal/fault"}, reach: join(sql, echo)},
	"internal/httpapi": {may: join(domain, []string{"internal/auth", "internal/sheets", "web"}),
		reach: ours("internal/sqlstore", "internal/kafkabus", "internal/rediscache")},

	// The house.
	"internal/exchange": {may: []string{"record", "internal/fault"}, reach: world}, // state machines, driven by node and sim
	"internal/demo":     {may: join(domain, []string{"client", "internal/node", "internal/embedded"})},
	"internal/node": {may: join(domain, []string{"client", "web", "internal/auth", "internal/sheets", "internal/sqlstore", "internal/kafkabus",
		"internal/rediscache", "internal/httpapi", "internal/exchange", "internal/fault", "internal/budget", "internal/keystore"}), reach: join([]string{"testing"}, ours("internal/embedded"))},
	"cmd/pilin": {may: []string{"internal/node", "internal/embedded", "internal/demo", "client", "record", "schemas", "schemas/identifier", "federation", "match", "transfer"},
		reach: []string{"testing"}, direct: join(sql, echo, kafka, redis)},

	// Tools and tests.
	"match/internal/hanzi/gen":   {reach: world},
	"match/develop":              {may: []string{"match", "schemas/identifier"}, reach: world}, // must not know the engine's tables
	"match/develop/measure":      {may: []string{"match", "match/develop"}, reach: world, direct: []string{"testing"}},
	"match/develop/write":        {may: []string{"match/develop"}, reach: world, direct: []string{"testing"}},
	"schemas/gen":                {may: []string{"schemas", "schemas/identifier"}, reach: world},
	"record/recordtest":          {may: []string{"record"}, reach: world},
	"internal/archtest":          {},
	"internal/bundle":            {may: []string{"internal/node"}, direct: []string{"testing"}}, // makes the install bundles
	"internal/histories":         {may: []string{anything}, reach: join(sql, kafka, redis)},
	"internal/nodetest":          {may: []string{anything}},
	"internal/sim/memlog":        {may: []string{"record"}, reach: world},
	"internal/sim":               {may: []string{anything}, reach: world, direct: []string{"net", "os"}},
	"internal/testsvc":           {may: []string{anything}},
	"internal/testsvc/servers":   {may: []string{anything}, direct: []string{"testing"}},
	"internal/testsvc/testsvcd":  {may: []string{anything}, direct: []string{"testing"}},
	"internal/testsvc/tally":     {may: []string{anything}, direct: []string{"testing"}},
	"internal/testsvc/fuzzround": {may: []string{anything}, direct: []string{"testing"}},
}

// ours returns the import paths of our packages.
func ours(names ...string) []string {
	var paths []string
	for _, n := range names {
		paths = append(paths, Module+"/"+n)
	}
	return paths
}

func join(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// Names returns the packages of the table, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }
