package httpapi

import (
	"net/http"

	"github.com/pilinhub/pilin/federation"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/internal/sheets"
)

// word is what a code means at the border: a status and one sentence in each language. A sentence says what to do; it
// never repeats what was sent.
type word struct {
	status int
	zh, en string
}

// codes is the one table of problem codes. Codes of single fields have their words in schemas.Texts.
var codes = map[string]word{
	// the request as such
	"malformed":           {http.StatusBadRequest, "请求格式有误", "The request is ill-formed"},
	"path_invalid":        {http.StatusBadRequest, "地址中含有不允许的字符", "The path contains characters that are not allowed"},
	"query_invalid":       {http.StatusBadRequest, "查询参数有误、重复或不存在", "A query parameter is unknown, repeated or ill-formed"},
	"cursor_invalid":      {http.StatusBadRequest, "翻页标记无效,请从第一页重新查询", "The cursor is not valid for this caller and filter; start again from the first page"},
	"pii_in_url":          {http.StatusBadRequest, "地址中不得出现姓名、证件号码或电话,请用 POST 提交", "No name, identity or telephone number may stand in a URL; send it by POST"},
	"body_unexpected":     {http.StatusBadRequest, "此请求不应带内容", "This request takes no body"},
	"header_invalid":      {http.StatusBadRequest, "请求头有误", "A request header is ill-formed"},
	"not_found":           {http.StatusNotFound, "没有此项内容", "There is no such thing"},
	"method_not_allowed":  {http.StatusMethodNotAllowed, "此地址不支持这种方法", "The method is not allowed here"},
	"not_acceptable":      {http.StatusNotAcceptable, "只能以 JSON 答复", "Answers are JSON only"},
	"too_large":           {http.StatusRequestEntityTooLarge, "提交的内容过大", "The body is too large"},
	"uri_too_long":        {http.StatusRequestURITooLong, "地址过长", "The URI is too long"},
	"media_type":          {http.StatusUnsupportedMediaType, "内容类型须为 application/json,编码须为 UTF-8", "The content type must be application/json in UTF-8"},
	"content_encoding":    {http.StatusUnsupportedMediaType, "不接受压缩的请求内容", "Compressed bodies are not accepted"},
	"transfer_encoding":   {http.StatusBadRequest, "不接受分块传输,请注明 Content-Length", "Transfer-Encoding is not accepted; state a Content-Length"},
	"invalid":             {http.StatusUnprocessableEntity, "提交的内容有误,见各字段说明", "The content is not acceptable; see the fields"},
	"rate_limited":        {http.StatusTooManyRequests, "请求过多,请稍后再试", "Too many requests; try again later"},
	"act_elsewhere":       {http.StatusUnprocessableEntity, "执法行为须由行为地单位的执法人员签认(行政处罚法第二十二条)", "An act is signed by officers of the member in whose county it happened (行政处罚法 art. 22)"},
	"act_differs":         {http.StatusConflict, "与已签认的日期、地点或资格不一致,请核对后再签", "Day, place or qualification differ from what was signed before; check and sign again"},
	"range_in_flight":     {http.StatusTooManyRequests, "上一个补取请求尚未结束", "Another range request of this peer is in flight"},
	"timeout":             {http.StatusServiceUnavailable, "处理超时,请稍后以同一幂等键重试", "It took too long; repeat with the same idempotency key"},
	"outcome_unknown":     {http.StatusServiceUnavailable, "存储中途断开,不知是否已写入;请用同一幂等键重发,会得到确切结果", "Storage broke off and may or may not have written; send it again with the same idempotency key to be told"},
	"storage_full":        {http.StatusServiceUnavailable, "存储不可用,暂时不能写入和核查", "Storage is unavailable; nothing can be written or looked up for now"},
	"unavailable":         {http.StatusServiceUnavailable, "暂时不能处理,请稍后再试", "It cannot be done just now; try again later"},
	"internal":            {http.StatusInternalServerError, "系统内部错误,请把请求编号告诉管理员", "An internal error; tell the administrator the request id"},
	"idempotency_missing": {http.StatusBadRequest, "写入请求须带 Idempotency-Key", "A request that writes needs an Idempotency-Key"},
	"idempotency_body":    {http.StatusUnprocessableEntity, "此幂等键已用于另一内容", "The idempotency key was used with another body"},

	// people
	"forbidden":                     {http.StatusForbidden, "您的岗位无权进行此操作", "Your role may not do this"},
	expired:                         {http.StatusForbidden, "您的执法证已过有效期,现场执法权限已自动停止;换证后请管理员重新导入执法证名册", "Your enforcement certificate has expired and your rights in the field have ended; when it is renewed the administrator imports the certificate roster"},
	"cross_site":                    {http.StatusForbidden, "来自其他网站的请求不予接受", "Requests from other sites are refused"},
	string(auth.SignInFailed):       {http.StatusUnauthorized, "账号或口令不正确", "The name or the password is wrong"},
	string(auth.Locked):             {http.StatusTooManyRequests, "连续失败次数过多,请 15 分钟后再试", "Too many failures; try again in 15 minutes"},
	string(auth.AccountDisabled):    {http.StatusUnauthorized, "账号已停用", "The account is disabled"},
	string(auth.SessionEnded):       {http.StatusUnauthorized, "登录已失效,请重新登录", "The session has ended; sign in again"},
	string(auth.SessionReused):      {http.StatusUnauthorized, "登录凭据被重复使用,已全部注销;如非本人操作请告知管理员", "A refresh token was used twice; the session has been ended"},
	string(auth.LinkInvalid):        {http.StatusForbidden, "一次性链接无效或已用过", "The one-time link is not valid or was used"},
	string(auth.PasswordWeak):       {http.StatusUnprocessableEntity, "口令须为 12 至 128 个字符,且不得包含账号名", "A password has 12 to 128 characters and does not contain the account's name"},
	string(auth.NameInvalid):        {http.StatusUnprocessableEntity, "账号名、部门或执法证号格式不符", "The account name, unit or certificate number is ill-formed"},
	string(auth.RoleRefused):        {http.StatusUnprocessableEntity, "岗位有误,或这些岗位不得由一人兼任", "A role is unknown, or these roles must be apart"},
	string(auth.DelegateUnknown):    {http.StatusUnprocessableEntity, "没有此账号,或账号已停用", "No such account, or it is disabled"},
	string(auth.DelegationTerm):     {http.StatusUnprocessableEntity, "委托期限须有起止日期、尚未届满且不超过一年", "A delegation has a first and a last day, is not over, and lasts a year at most"},
	string(auth.DelegationDocument): {http.StatusUnprocessableEntity, "须附已签字委托书的 SHA-256", "The SHA-256 of the signed delegation is needed"},
	string(auth.DelegationOverlaps): {http.StatusConflict, "该期间已有人主持工作,请先终止原委托", "Somebody acts as head on one of these days; end that delegation first"},
	string(auth.UnitInvalid):        {http.StatusUnprocessableEntity, "编码(字母、数字、横线,20 字符内)、名称(40 字内)或类别(section 科室、branch 分所、town 街镇)不符合要求", "Code (letters, digits, hyphens, 20 at most), name (40 characters at most) or kind (section, branch, town) is not acceptable"},
	string(auth.UnitUnknown):        {http.StatusUnprocessableEntity, "本单位没有此科室、分所或街镇,或已撤销", "The bureau has no such unit, or it is closed"},
	string(auth.UnitTaken):          {http.StatusConflict, "编码已被使用;撤销后的编码不得再用", "The code is taken; that of a closed unit is not given again"},
	string(auth.UnitCycle):          {http.StatusUnprocessableEntity, "不能归到自己或自己的下级之下", "A unit cannot stand below itself"},
	string(auth.UnitInUse):          {http.StatusConflict, "尚有人员或下级,请先调整,或注明移往何处", "People or units belong to it; move them first, or say where they go"},
	"account_taken":                 {http.StatusConflict, "账号名已被使用", "The account name is taken"},
	"last_administrator":            {http.StatusConflict, "不能停用自己的账号", "An administrator cannot disable his own account"},

	// tokens
	string(auth.TokenMissing):   {http.StatusUnauthorized, "未登录或未出示令牌", "No token"},
	string(auth.TokenMalformed): {http.StatusUnauthorized, "令牌格式有误", "The token is ill-formed"},
	string(auth.TokenHeader):    {http.StatusUnauthorized, "令牌头不被接受", "The token's header is not accepted"},
	string(auth.TokenClaims):    {http.StatusUnauthorized, "令牌内容不被接受", "The token's claims are not accepted"},
	string(auth.TokenKey):       {http.StatusUnauthorized, "令牌的签名密钥不在名录中", "The token's key is not in the charter"},
	string(auth.TokenSignature): {http.StatusUnauthorized, "令牌签名不正确", "The token's signature is wrong"},
	string(auth.TokenExpired):   {http.StatusUnauthorized, "令牌已过期", "The token has expired"},
	string(auth.TokenAudience):  {http.StatusUnauthorized, "令牌不是给本节点的", "The token is for another audience"},
	string(auth.TokenBinding):   {http.StatusUnauthorized, "令牌不是给此请求的", "The token is for another request"},
	string(auth.TokenPeer):      {http.StatusForbidden, "令牌与连接的证书不属于同一成员", "Token and connection are of different members"},
	string(auth.Replayed):       {http.StatusUnauthorized, "令牌或询问已经用过", "The token or the ask was used before"},
	string(auth.ClockSkew):      {http.StatusUnauthorized, "双方时钟相差超过 5 分钟", "The clocks differ by more than five minutes"},

	// members
	"peer_unknown":     {http.StatusForbidden, "连接的证书不在名录中", "The connection's certificate is not in the charter"},
	"not_member":       {http.StatusForbidden, "不是有效成员", "Not an active member"},
	"not_sender":       {http.StatusForbidden, "询问单位与发送单位不一致", "The ask names another member than its sender"},
	"other_federation": {http.StatusForbidden, "属于另一协作联盟", "Of another federation"},
	"stale_charter":    {http.StatusConflict, "双方名录版本不同", "The two hold different charter versions"},
	"not_served":       {http.StatusNotFound, "不提供此数据流", "This stream is not served"},

	// the federated question
	string(federation.RefusedPurpose):  {http.StatusUnprocessableEntity, "须注明核查目的", "A purpose is required"},
	string(federation.RefusedWorkRef):  {http.StatusUnprocessableEntity, "须注明工作编号", "A work reference is required"},
	string(federation.RefusedNotHeld):  {http.StatusUnprocessableEntity, "现场核查号不是本单位发给您的,或已经销号;请另取一个,或填写案件等工作编号", "The on-the-spot check number was not issued to you by this bureau, or is closed; take a new one, or name a case or other work"},
	federation.RefusedUntied:           {http.StatusConflict, "您有 3 个现场核查号尚未了结,请先并入案件、线索或说明理由销号", "Three of your on-the-spot check numbers are untied; tie one to a case or lead, or close it with a reason, first"},
	federation.RefusedCertificate:      {http.StatusUnprocessableEntity, "现场核查须由两名持证执法人员进行:请核对本账号和第二名人员的执法证号", "A visit is made by two officers with certificates: check this account's number and the second officer's"},
	federation.RefusedSecondOver:       {http.StatusUnprocessableEntity, "第二名执法人员的执法证已过有效期,请由其他持证人员同行", "The second officer's certificate has expired; go with somebody whose is valid"},
	federation.RefusedPlace:            {http.StatusUnprocessableEntity, "地点须为六位区划代码", "The place is a county code of six digits"},
	federation.RefusedTie:              {http.StatusUnprocessableEntity, "只能并入案件或线索", "A number is tied to a case or a lead"},
	federation.RefusedReason:           {http.StatusUnprocessableEntity, "销号理由须为 4 至 200 字,且不得含证件号码或电话", "A reason has 4 to 200 characters and contains no number of a person"},
	string(federation.SpentSubjects):   {http.StatusTooManyRequests, "今日核查的对象数已达上限,请明日再查或请管理员核实后调整限额", "Today's budget of distinct subjects is used up; ask tomorrow, or have the administrator look into it"},
	string(federation.RefusedQuestion): {http.StatusUnprocessableEntity, "请填写姓名、号码、车牌、地址或单位名称之一;只有绰号、缺字姓名或太短的号码片段时,请再补出生年、区县、地址或电话", "Ask by a name, number, plate, address or institution; a bare nickname, a name with lost characters or a very short part of a number needs a birth year, county, address or telephone beside it"},
	string(federation.RefusedAsOf):     {http.StatusUnprocessableEntity, "截至日无效", "The day of reckoning is not valid"},
	string(federation.RefusedScope):    {http.StatusUnprocessableEntity, "询问范围中有非成员单位", "The scope names somebody who is not a member"},
	string(federation.RefusedTestOnly): {http.StatusForbidden, "本单位尚未补齐协议资料,只能以 TEST 目的演练", "This member may take part in exercises only, with purpose TEST"},
	string(federation.RefusedPerson):   {http.StatusUnprocessableEntity, "账号或执法证号无效", "The account or certificate number is not valid"},

	// records
	"version_conflict": {http.StatusConflict, "内容已被他人更新,请刷新后重试", "Somebody else has changed it; read it again"},
	"duplicate":        {http.StatusConflict, "编号已存在", "The id exists already"},
	"record_too_large": {http.StatusRequestEntityTooLarge, "记录超过 256 KiB", "The record is larger than 256 KiB"},
	"transition":       {http.StatusConflict, "当前状态不允许此操作", "The present state does not allow this"},
	"type_unknown":     {http.StatusUnprocessableEntity, "没有这种记录类型,或不能由此拟稿", "There is no such record type, or it cannot be drafted here"},
	"other_subject":    {http.StatusUnprocessableEntity, "记录类型与对象不一致", "The record type is not that of the subject"},
	"not_lead":         {http.StatusForbidden, "只有牵头单位可以进行此操作", "Only the lead may do this"},
	"not_invited":      {http.StatusForbidden, "本单位未受邀参加此行动", "This member is not invited"},
	"guard":            {http.StatusConflict, "不满足此操作的条件", "A condition of this step is not met"},
	// spreadsheets
	sheets.Unsupported:       {http.StatusUnsupportedMediaType, "不支持这种文件:请另存为不含宏、外部链接和密码的 .xlsx 或 CSV", "Not supported: save it as .xlsx without macros, links and password, or as CSV"},
	sheets.Malformed:         {http.StatusUnprocessableEntity, "工作簿已损坏或不合规范,请用表格软件打开后另存为 .xlsx", "The workbook is damaged or not as the format says; open it and save it again"},
	sheets.Bomb:              {http.StatusUnprocessableEntity, "文件展开后过大,不予读取", "The file unpacks to more than is allowed"},
	sheets.TooManyRows:       {http.StatusUnprocessableEntity, "行数超过 50000,请拆分文件,并删除数据下方的空白行", "More than 50,000 rows; split the file and delete empty rows below the data"},
	sheets.TooManyColumns:    {http.StatusUnprocessableEntity, "列数超过 64,请删除不需要的列", "More than 64 columns; delete those that are not needed"},
	sheets.CellTooLong:       {http.StatusUnprocessableEntity, "单元格文字过长", "A cell is too long"},
	sheets.EncodingAmbiguous: {http.StatusUnprocessableEntity, "文字编码无法确定,请在映射方案中注明(gbk 或 utf-8)", "The text encoding is not certain; state gbk or utf-8 in the profile"},
	sheets.EncodingMixed:     {http.StatusUnprocessableEntity, "文件中混有两种文字编码,请统一后重试", "The file mixes two encodings"},
	sheets.EncodingInvalid:   {http.StatusUnprocessableEntity, "文件不是所注明的文字编码", "The file is not in the encoding stated, or in none that is known"},
	sheets.CSVMalformed:      {http.StatusUnprocessableEntity, "CSV 的引号不成对", "Quotes of the CSV file do not match"},
	sheets.NoSheet:           {http.StatusUnprocessableEntity, "没有可见的工作表,或没有此名称的工作表", "No visible sheet, or none of that name"},
	sheets.NoHeader:          {http.StatusUnprocessableEntity, "找不到表头:前 20 行中没有两个以上认识的列名", "No header: none of the first 20 rows has two known headings"},
	sheets.FileTooLarge:      {http.StatusRequestEntityTooLarge, "文件超过 20 MiB", "The file is larger than 20 MiB"},
	sheets.Running:           {http.StatusConflict, "此文件正在处理中", "This file is being worked on"},
	sheets.BatchChanged:      {http.StatusConflict, "批次与您看到的不一致,请刷新后重新核对", "The batch is not what you have seen; read it again"},
	sheets.NothingToDo:       {http.StatusConflict, "没有可以处理的行", "No row is waiting for this step"},
	sheets.FileErased:        {http.StatusConflict, "此文件含有已依规删除的记录,原文件已一并删除;请去掉该行,作为新文件上传", "A record made from this file was erased, and the file with it; hand the other rows in as a new file"},
	sheets.FileGone:          {http.StatusConflict, "原文件已过保存期,请重新上传", "The file is past its retention; hand it in again"},
	sheets.Elsewhere:         {http.StatusConflict, "本单位其他科室已导入此文件", "Another unit of the bureau has handed this file in"},
	"export_too_large":       {http.StatusUnprocessableEntity, "超过 5000 行,请按日期分次导出", "More than 5,000 rows; export by days"},
	"import_profile_unknown": {http.StatusUnprocessableEntity, "没有此映射方案", "There is no such profile"},

	"unreleased": {http.StatusServiceUnavailable, "本节点正在与其他成员核对,请稍后再试", "This node is still comparing itself with the others"},
}

// guardTexts are the words of guards, by name: the sentence of domain.md §5 that is not fulfilled.
var guardTexts = map[string][2]string{
	"supported":     {"须至少有一项有效处罚,或为在办案件", "At least one penalty that stands is needed, or an open case"},
	"complete":      {"内容不完整", "The content is not complete"},
	"reason":        {"须说明理由", "A reason is needed"},
	"document":      {"须附文书摘要", "The hash of a document is needed"},
	"not_author":    {"审核人不得是拟稿人", "The reviewer must not be an author"},
	"reviewed":      {"尚未由他人审核", "Nobody else has reviewed it"},
	"not_suspender": {"确认人不得是提出暂停的人", "Who suspended it must not confirm"},
	"purpose":       {"须注明目的", "A purpose is needed"},
	"covered":       {"协议或影响评估未涵盖此类型和级别", "Agreement or impact assessment does not cover type and level"},
	"served_or_l1":  {"所附处罚均未送达时只能以 L1 共享", "Without a served penalty it can be shared at L1 only"},
	"open_case":     {"仅适用于在办案件", "Only for an open case"},
	"new_penalty":   {"须有新的处罚", "A new penalty is needed"},
	"valid_until":   {"有效期未满", "It is still valid"},
	"nothing_lost":  {"更正内容不得遗漏已登记的送达和救济事项", "A correction must not leave out service or remedies that were recorded"},
	"invited":       {"须邀请至少一个其他单位", "At least one other member must be invited"},
	"open":          {"行动已不能答复", "The operation can no longer be replied to"},
	"not_served":    {"已经送达", "It is served already"},
}

// wordOf returns a code's word; an unknown code is an internal error, so that a forgotten line shows itself.
func wordOf(code string) word {
	if w, ok := codes[code]; ok {
		return w
	}
	return codes["internal"]
}
