package identifier

import (
	"regexp"
	"strings"
)

// Plate is a read number plate of a vehicle (GA 36, domain.md §3.7).
type Plate struct {
	Parsed        // Normalised: without dot, spaces and dashes, in upper case
	Energy string // of a new-energy plate small or large; empty otherwise
}

// plateProvinces are the characters with which plates of the mainland begin.
const plateProvinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

var (
	ordinaryPlate    = regexp.MustCompile(`^[` + plateProvinces + `][A-Z][0-9A-Z]{5}$`)
	smallEnergyPlate = regexp.MustCompile(`^[` + plateProvinces + `][A-Z][A-HJK][0-9A-Z][0-9]{4}$`) // letters beside D and F since capacity ran out [K]
	largeEnergyPlate = regexp.MustCompile(`^[` + plateProvinces + `][A-Z][0-9]{5}[A-HJK]$`)
	specialPlate     = regexp.MustCompile(`^([` + plateProvinces + `][A-Z][0-9A-Z]{4}[学警挂港澳领]|使[0-9]{6}|[` + plateProvinces + `][A-Z]?[0-9A-Z]{4,5}临|临[0-9A-Z]{5,6})$`)
)

// ParsePlate reads a plate as people write it. The letters I and O are never used in a serial: a plate with one is invalid
// and stays as it was typed. Plates of e-bikes and three-wheelers are local and no plates in this sense.
func ParsePlate(raw string, _ Date) Plate {
	p, ok := begin(raw, stable(raw, func(s string) string {
		return squeeze(s, func(r rune) bool { return r == '-' || r == '·' || r == '•' || r == '・' || r == '.' })
	}))
	pl := Plate{Parsed: p}
	if !ok {
		return pl
	}
	n := []rune(pl.Normalised)
	switch {
	case excelNumber(pl.Normalised):
		pl.fail(ReasonExcel)
	case specialPlate.MatchString(pl.Normalised):
		pl.doubt(ReasonSeries)
	case smallEnergyPlate.MatchString(pl.Normalised):
		pl.Energy = "small"
	case largeEnergyPlate.MatchString(pl.Normalised):
		pl.Energy = "large"
	case !ordinaryPlate.MatchString(pl.Normalised):
		pl.fail(ReasonPattern)
	}
	if pl.Quality == Valid && strings.ContainsAny(string(n[2:]), "IO") {
		pl.Energy = ""
		pl.fail(ReasonLetter)
	}
	return pl
}
