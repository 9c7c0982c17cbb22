// Package sheets brings old spreadsheets into the register and writes new ones: Excel and CSV as bureaux really have them
// (domain.md §1.2, §2.1.3 补录, §3; reliability-security.md §4.3).
//
// One road for every import: a file is read, its columns are mapped to fields by a Profile, every row is checked (Check),
// the person gets his own file back with the reason beside each bad row (Copy), and the rows that he chooses become drafts
// of blacklist.Register, reviewed and published as one batch (Intake). Nothing is guessed: a number that a spreadsheet has
// damaged, a date that can be read in two ways, an encoding that fits twice is refused with advice.
//
// Workbooks are read as a stream by a reader of our own: excelize's streaming reader tells neither formulas nor hidden rows
// nor merged cells, and its full reader keeps a whole sheet in memory. Workbooks are written with excelize.
package sheets

// Limits of a file (reliability-security.md §4.3). Bytes are counted as they are unpacked, never taken from a declaration.
const (
	MaxFile    = 20 << 20  // bytes as uploaded
	MaxRows    = 50_000    // rows with content below the header
	MaxColumns = 64        // columns with content
	maxEntries = 2_000     // of a zip
	maxUnzip   = 200 << 20 // bytes unpacked in one reading of a workbook
	maxRatio   = 100       // unpacked : packed
	ratioFrom  = 1 << 20   // below this an entry may have any ratio
	maxStrings = 24 << 20  // bytes of shared strings that are kept
	maxCell    = 32_767    // characters of a cell, Excel's own limit
	maxStyles  = 65_000    // cell formats, Excel's own limit
	headRoom   = 100       // rows above and below the data: titles, header, totals
)

// Refusal is why a whole file is not read: a stable code, its place in the file where there is one, and nothing of its
// content.
type Refusal struct {
	Code string
	At   string // sheet, zip entry or row, in words of ours
}

// Error returns code and place.
func (r *Refusal) Error() string { return "file refused: " + r.Code + " " + r.At }

// Codes of refusals. Unsupported is answered 415, the others 422.
const (
	Unsupported       = "unsupported_workbook" // macros, external links, DDE, OLE, encrypted, .xls, another kind of file
	Malformed         = "workbook_malformed"   // zip or XML that is not as the format says
	Bomb              = "workbook_bomb"        // unpacks to more than the limits allow
	TooManyRows       = "too_many_rows"
	TooManyColumns    = "too_many_columns"
	CellTooLong       = "cell_too_long"
	EncodingAmbiguous = "encoding_ambiguous" // fits two encodings: the person says which
	EncodingMixed     = "encoding_mixed"
	EncodingInvalid   = "encoding_invalid" // not the encoding that was stated, or none that we know
	CSVMalformed      = "csv_malformed"
	NoSheet           = "no_sheet" // no visible sheet, or none of that name
	NoHeader          = "no_header"
	FileTooLarge      = "file_too_large"
)

func refuse(code, at string) error { return &Refusal{Code: code, At: at} }
