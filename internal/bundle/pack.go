package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"time"
)

// file is one file of a bundle; its name is below the bundle's folder.
type file struct {
	name string
	data []byte
	mode int64
}

// pack writes an archive whose bytes depend on the files and the stamp alone: one owner, one time, in the order given.
func pack(w io.Writer, folder string, files []file, stamp time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: folder + "/" + f.name, Size: int64(len(f.data)), Mode: f.mode, ModTime: stamp, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
		if len(h.Name) > 100 {
			h.Format = tar.FormatPAX
		}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := t.Write(f.data); err != nil {
			return fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return z.Close()
}
