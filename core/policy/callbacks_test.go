package policy_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/policy"
)

func TestWhereTheDeskCalls(t *testing.T) {
	t.Parallel()
	allowed := policy.Callbacks{Hosts: []string{"ci.example.com", "build.corp:8080", "10.1.2.3", "192.168.1.1"}, Networks: []string{"10.1.0.0/16"}}
	for address, want := range map[string]string{
		"https://ci.example.com/hook":     "",
		"https://CI.example.com/hook?a=1": "",
		"http://build.corp:8080/":         "", // where it is, is known when it is called
		"https://10.1.2.3/x":              "",
		"https://ci.example.com:444/":     "I may not call ci.example.com:444",
		"https://evil.ci.example.com/":    "I may not call",
		"https://ci.example.com@evil/":    "no address",
		"https://build.corp/":             "I may not call",
		"https://192.168.1.1/":            "into this network",
		"ftp://ci.example.com/":           "no address",
		"/hook":                           "no address",
		"":                                "no address",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := allowed.Refuses(u); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: said %q, want %q", address, got, want)
		}
	}
	plain := policy.Callbacks{Hosts: []string{"ci.example.com"}}
	if got := plain.Refuses(&url.URL{Scheme: "http", Host: "ci.example.com"}); !strings.Contains(got, "https:// only") {
		t.Errorf("in the clear: said %q", got)
	}
}

func TestWhichAddressesAreReached(t *testing.T) {
	t.Parallel()
	allowed := policy.Callbacks{Networks: []string{"10.1.0.0/16", "fd00:1::1"}}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.255.1": true, "::ffff:10.1.0.7": true, "fd00:1::1": true,
		"10.2.0.1": false, "127.0.0.1": false, "::1": false, "169.254.169.254": false, "::ffff:169.254.169.254": false, "100.64.1.1": false,
		"64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "fe80::1": false, "fd00:1::2": false, "0.0.0.0": false, "224.0.0.1": false, "::7f00:1": false,
	} {
		if got := allowed.Reaches(netip.MustParseAddr(address), true); got != want {
			t.Errorf("%s: reached %v, want %v", address, got, want)
		}
	}
	if allowed.Reaches(netip.MustParseAddr("93.184.216.34"), false) {
		t.Error("the public internet is called in the clear")
	}
}
