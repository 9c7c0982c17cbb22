package federation_test

import (
	"testing"

	"github.com/pilinhub/pilin/federation"
)

// TestQuestion_Who: a part of a number names nobody, in whatever way it is written.
func TestQuestion_Who(t *testing.T) {
	for no, want := range map[string]bool{testID: true, "320623190001159011": true, "３２０６２３１９０００１１５９０１６": true, "320623000115901": true,
		"19800505": false, "310116…1234": false, "310116＊＊＊＊＊＊＊＊1234": false, "310116********1234": false, "": false} {
		if got := (federation.Question{IDNo: secret(no)}).Who(); got != want {
			t.Errorf("%s: %t", no, got)
		}
	}
	if !(federation.Question{IDNo: secret("E12345678"), IDType: "PPT", IDCountry: "CHN"}).Who() || !(federation.Question{Name: secret(testName)}).Who() {
		t.Error("a passport or a name")
	}
}
