// Package apppackage writes the package by which a tenant gets the desk as a
// Teams app: the manifest and two icons, zipped. The same options give the same
// bytes.
//
// The manifest follows version 1.25 of its schema, which is the first that lets
// an app into private and shared channels:
// developer.microsoft.com/json-schemas/teams/v1.25/MicrosoftTeams.schema.json
package apppackage

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Options say whose app it is and where the desk answers.
type Options struct {
	// URL is the desk's public address, https and without a path of its own unless
	// a proxy strips it.
	URL string
	// AppID is the application (client) id in Entra, a GUID. It is the bot's id
	// and the app's.
	AppID string
	// Version is the app's, such as 1.0.0. Teams takes a package as an update only
	// if it is higher than before.
	Version string
	// Company is the developer's name that people see, at most 32 characters.
	Company string
	// Website is the page about the desk, its privacy and its terms, for the
	// three addresses that Teams demands. Empty: URL.
	Website string
}

var (
	guid   = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	semver = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
)

// Write writes the package.
func Write(w io.Writer, o Options) error {
	m, err := newManifest(o)
	if err != nil {
		return err
	}
	js, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"manifest.json", func(w io.Writer) error { _, err := w.Write(append(js, '\n')); return err }},
		{colorIcon, func(w io.Writer) error { return png.Encode(w, drawColor()) }},
		{outlineIcon, func(w io.Writer) error { return png.Encode(w, drawOutline()) }},
	} {
		// One time for all, or no two packages would be equal.
		entry, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return err
		}
		if err := f.write(entry); err != nil {
			return err
		}
	}
	return z.Close()
}

// public says whether Teams can reach u, which people's clients and Microsoft's
// service both call.
func public(what, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s %q is not an address like https://desk.example.com", what, s)
	case u.Scheme != "https":
		return nil, fmt.Errorf("%s %q has to begin with https://: Teams calls nothing else", what, s)
	case u.Hostname() == "localhost", net.ParseIP(u.Hostname()) != nil, !strings.Contains(u.Hostname(), "."):
		return nil, fmt.Errorf("%s %q has to have a public host name", what, s)
	}
	return u, nil
}

func (o Options) check() (*url.URL, error) {
	var errs []error
	at, err := public("the address", o.URL)
	errs = append(errs, err)
	if !guid.MatchString(o.AppID) {
		errs = append(errs, fmt.Errorf("the app id %q is not one like 00000000-0000-0000-0000-000000000000", o.AppID))
	}
	if !semver.MatchString(o.Version) || len(o.Version) > 256 {
		errs = append(errs, fmt.Errorf("the version %q is not one like 1.0.0", o.Version))
	}
	if n := len([]rune(o.Company)); n == 0 || n > 32 {
		errs = append(errs, errors.New("the company's name has to have 1 to 32 characters"))
	}
	if o.Website != "" {
		_, err := public("the website", o.Website)
		errs = append(errs, err)
	}
	return at, errors.Join(errs...)
}
