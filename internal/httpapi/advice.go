package httpapi

import (
	"cmp"
	"slices"

	"github.com/pilinhub/pilin/record"
)

// Advice is one thing that somebody should do about the federation's health.
type Advice struct {
	Code     string          `json:"code" doc:"Stable code"`
	Urgency  string          `json:"urgency" enum:"page,ticket" doc:"page: at once, whatever the hour; ticket: on a working day"`
	Member   record.MemberID `json:"member,omitempty" doc:"Whom it is about; empty: this node"`
	Stream   string          `json:"stream,omitempty"`
	Detail   string          `json:"detail" doc:"What to do, in Chinese"`
	DetailEn string          `json:"detail_en" doc:"What to do, in English"`
}

// From when on something is worth a ticket (docs/operate, day to day).
const (
	lagTicket  = 5 * 60  // seconds that a stream may be behind
	skewTicket = 60      // seconds that a clock may be off
	deafTicket = 60 * 60 // seconds that an active member may be silent
)

const page, ticket = "page", "ticket"

// advices are the words by code: how urgent, and what to do.
var advices = map[string]struct{ urgency, zh, en string }{
	"storage":           {page, "数据库写不进:写入和核查都已停。看磁盘空间、只读挂载、数据库服务;恢复后节点自行继续", "The database cannot be written: writing and looking up have stopped. Look at disk space, read-only mounts and the server; the node goes on by itself"},
	"charter_frozen":    {page, "名册有两个后继版本,已冻结。召集各家,签一个同时承接两版的新版本", "The charter has two successors and is frozen. Call the members together and sign a version that names both"},
	"fork":              {page, "该单位的日志出现两个版本。停止信任它的新记录,保存证据,召集联盟", "Two histories of this log exist. Stop trusting its new records, keep the evidence, call the federation together"},
	"self_fork":         {page, "别家持有与本节点日志不符的签名。停止发布,先查密钥是否外泄,再运行 pilin rejoin", "Somebody holds a signature of ours that does not fit our log. Publish nothing, find out whether the key leaked, then pilin rejoin"},
	"unreleased":        {page, "本节点尚未与任何成员核对,写下的内容不外发。检查到各家 8443 端口的网络;从备份恢复的运行 pilin rejoin", "No member has confirmed this node's log yet, so nothing leaves. Check the network to the members' port 8443; after a restore run pilin rejoin"},
	"index_behind":      {ticket, "索引落后于日志,核查会答「部分」。稍候;久不恢复则重启", "The index is behind the log and answers are partial. Wait; if it stays, restart the node"},
	"no_peer_heard":     {ticket, "一分钟内没有听到任何成员。检查本机网络和防火墙", "No member was heard within a minute. Check this machine's network and firewall"},
	"kafka_down":        {ticket, "Kafka 不通,改走 HTTP:慢一些,不缺数据。运行 pilin kafka check", "Kafka is down; HTTP carries everything, slower. Run pilin kafka check"},
	"redis_down":        {ticket, "Redis 不通,节点照常工作,只是慢些。检查 redis 段", "Redis is down; the node works without it, slower. Check the redis section"},
	"disk_filling":      {ticket, "数据所在磁盘将满(缺省 80%)。清理或扩容;写满后写入和核查都会停。见《运行一个节点》第 15 节", "The disk of the data is filling (80 % by default). Make room or enlarge it: full, it stops writing and looking up. See the operator's guide, 15"},
	"lag":               {ticket, "该日志落后超过五分钟。看该单位是否在线、有无待收部分", "This log has been behind for more than five minutes. See whether its member is up and what is pending"},
	"unusable":          {ticket, "有已证实但在此不生效的记录:原因 pending_upgrade 请升级本节点,其余请告知来源单位", "Proven records have no effect here: for pending_upgrade upgrade this node, otherwise tell the origin"},
	"silent":            {ticket, "该单位超过一小时没有消息。打电话给它的值班联系人", "This member has been silent for more than an hour. Call its duty contact"},
	"erase_overdue":     {ticket, "该单位逾 72 小时未显示已执行本局的更正、撤回或删除,可能仍在出示旧内容。致电其值班联系人:节点是否在线、有无待收或隔离的记录;查到为止书面记下", "This member has not shown for 72 hours that it applied a correction, withdrawal or erasure of ours and may still show what it took away. Call its duty contact: is its node up, is anything pending or quarantined there? Keep a note in writing until it is applied"},
	"charter_behind":    {ticket, "该单位的名册版本较旧。请它检查节点是否在线,或把名册文件交给它执行 pilin charter take", "This member holds an older charter. Ask it to look at its node, or give it the file for pilin charter take"},
	"charter_ahead":     {ticket, "该单位的名册版本比本节点新,本节点会自行取来;久不取到则手工执行 pilin charter take", "This member holds a newer charter; this node fetches it by itself. If it does not, pilin charter take by hand"},
	"clock_skew":        {ticket, "该单位与本机的时钟相差超过一分钟。对时(chrony);差五分钟以上会拒绝彼此的令牌", "This member's clock and ours differ by more than a minute. Set the time (chrony); beyond five minutes tokens are refused"},
	"key_overdue":       {ticket, "本单位密钥轮换已到期。停节点后运行 pilin key rotate", "Rotation of this member's keys is overdue. Stop the node and run pilin key rotate"},
	"calendar_missing":  {page, "本年没有工作日历:现场核查号、暂停、撤回等按工作日计的期限无法算出,系统不猜。把国务院办公厅通知写成日历文件,列入配置 calendars,重启节点", "There is no working-day calendar of this year: terms in working days have no last day, and none is guessed. Write the State Council's notice as a calendar file, name it under calendars, restart"},
	"calendar_ends":     {ticket, "明年的工作日历尚未装入。通知发布后写成日历文件,列入配置 calendars,重启节点;未发布前可用只有年份和来源的文件,仅按周末计", "Next year's working-day calendar is not here. When the notice is out, write it as a calendar file and name it under calendars; until then a file of year and source alone counts weekends alone"},
	"calendar_weekends": {ticket, "有一年的工作日仅按周末计,未计法定节假日和调休。通知发布后换上完整的日历文件", "In one year weekends alone count, without holidays and swapped days. Replace the file when the notice is out"},
	"alarm":             {ticket, "启动以来出现过此报警,见日志和《运行一个节点》", "This alarm was raised since the start; see the log and the operator's guide"},
	"taken_back":        {ticket, "本机日志少了已外发的记录,已从别家取回。查数据库是否被旧备份覆盖", "Our log lacked records that had left; they were taken back. Find out whether the database was overwritten by an old backup"},
	"charter_split":     {ticket, "该单位持有同一版本号的另一份名册。电话核对摘要(pilin charter show),错的一方用 pilin charter take 换", "Somebody holds another charter of the same version. Compare the hashes by telephone (pilin charter show); who is wrong takes the right one (pilin charter take)"},
	"bad_receipt":       {ticket, "某家的回执验不过。刚换钥的会自愈;持续则问该家", "A receipt does not verify. After a change of keys it mends by itself; otherwise ask that member"},
	"unproven_bytes":    {ticket, "某家交来的字节证明不了,已丢弃并向别家取。反复出现则告知该家并查中间的代理", "A member's bytes do not prove; they were dropped and fetched elsewhere. If it goes on, tell that member and look for a proxy in between"},
	"budget_spent":      {ticket, "有人或某家用完了当日核查对象数。请稽查看 pilin audit:是谁、为何", "A person or member used up a day's budget of subjects. Let the auditor read pilin audit: who, what for"},
	"wrong_stream":      {ticket, "某个主题里混入了别家的日志。查 Kafka 权限:pilin kafka check", "A topic carried frames of somebody else's log. Check Kafka's rights: pilin kafka check"},
	"relay_refused":     {ticket, "Kafka 拒收一帧,其他成员改由 HTTP 取。查主题的 max.message.bytes:pilin kafka check", "The broker refuses a frame; members pull it over HTTP. Check max.message.bytes: pilin kafka check"},
	"release_different": {ticket, "该单位的软件版本与本节点不同。版本相邻可互通,请尽快统一", "This member runs another release. Neighbouring releases work together; bring them in step"},
}

// Advise says what to do about a status, the most urgent first. It depends on the status alone.
func Advise(s *Status) []Advice {
	out := []Advice{}
	add := func(code string, m record.MemberID, stream string) {
		w, ok := advices[code]
		if !ok {
			w = advices["alarm"]
		}
		a := Advice{Code: code, Urgency: w.urgency, Member: m, Stream: stream, Detail: w.zh, DetailEn: w.en}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	for _, c := range s.Capabilities {
		switch {
		case c.Ready:
		case c.Name == "release":
			add("unreleased", "", "")
		default:
			add(c.Why, "", "")
		}
	}
	if s.CharterFrozen {
		add("charter_frozen", "", "")
	}
	for _, code := range s.Alarms {
		if code != "clock_skew" && code != "fork" { // what is so now is told below, by name
			add(code, "", "")
		}
	}
	if s.Calendar.Missing != 0 {
		add("calendar_missing", "", "")
	}
	if s.Calendar.Ending != 0 {
		add("calendar_ends", "", "")
	}
	if s.Calendar.WeekendsAlone != 0 {
		add("calendar_weekends", "", "")
	}
	for i := range s.Members {
		adviseMember(s, &s.Members[i], add)
	}
	for i := range s.Streams {
		adviseStream(&s.Streams[i], add)
	}
	slices.SortStableFunc(out, func(a, b Advice) int { return cmp.Compare(a.Urgency, b.Urgency) }) // page before ticket
	return out
}

func adviseMember(s *Status, m *MemberStatus, add func(string, record.MemberID, string)) {
	if m.State != "active" {
		return
	}
	if m.Self {
		for _, k := range m.Keys {
			if k.DaysLeft != nil && *k.DaysLeft < 0 {
				add("key_overdue", m.Member, "")
			}
		}
		return
	}
	if m.HeardSecAgo > deafTicket {
		add("silent", m.Member, "")
	}
	if m.EraseOverdue > 0 {
		add("erase_overdue", m.Member, "")
	}
	if m.CharterVersion > 0 && m.CharterVersion < s.CharterVersion {
		add("charter_behind", m.Member, "")
	}
	if m.CharterVersion > s.CharterVersion {
		add("charter_ahead", m.Member, "")
	}
	if m.ClockOffset != nil && (*m.ClockOffset > skewTicket || *m.ClockOffset < -skewTicket) {
		add("clock_skew", m.Member, "")
	}
	if m.Release != "" && m.Release != s.Release {
		add("release_different", m.Member, "")
	}
}

func adviseStream(st *StreamStatus, add func(string, record.MemberID, string)) {
	m := record.StreamID(st.Stream).Member()
	if st.Frozen != "" {
		add("fork", m, st.Stream)
	}
	if st.LagSeconds > lagTicket {
		add("lag", m, st.Stream)
	}
	if len(st.Unusable) > 0 {
		add("unusable", m, st.Stream)
	}
}
