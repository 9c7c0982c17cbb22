package httpapi

// For the fuzz targets, which need no listener.
var (
	CheckJSON   = checkJSON
	Personal    = personal
	SafePointer = safePointer
	Scrub       = scrub
)
