package policy

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Callbacks are where the desk may call by itself. Whoever holds a token could
// otherwise have it call anything that it can reach.
type Callbacks struct {
	// Hosts are names or addresses, each with its port if that is not the usual
	// one: ci.example.com, 10.1.2.3:8443.
	Hosts []string `yaml:"hosts"`
	// Networks are those of one's own that a host may be in: 10.1.0.0/16, or one
	// address. Within them http:// will do.
	Networks []string `yaml:"networks"`
}

// Refuses says in words why an address may not be called; empty: it may, as far
// as can be told without asking where its host is.
func (c Callbacks) Refuses(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	switch {
	case u.Scheme != "https" && u.Scheme != "http", host == "", u.User != nil, u.Fragment != "":
		return "This is no address that I could call. It looks like https://ci.example.com/hooks/deskhand."
	case !slices.ContainsFunc(c.Hosts, func(h string) bool {
		return strings.EqualFold(h, host) && u.Port() == "" || strings.EqualFold(h, u.Host)
	}):
		return "I may not call " + u.Host + ". Hosts that I may call stand in the policy, under changes.callbacks."
	case u.Scheme == "http" && len(c.Networks) == 0:
		return "I call by https:// only, except in networks that the policy names under changes.callbacks."
	}
	if at, err := netip.ParseAddr(host); err == nil && !c.Reaches(at, u.Scheme == "https") {
		return "I may not call into this network. Those of your own that I may stand in the policy, under changes.callbacks."
	}
	return ""
}

// Reaches tells whether a host at this address may be called: it is in one of
// the networks, or public and the call is private.
func (c Callbacks) Reaches(at netip.Addr, encrypted bool) bool {
	at = at.Unmap().WithZone("")
	for _, n := range c.Networks {
		if p, err := network(n); err == nil && p.Contains(at) {
			return true
		}
	}
	return encrypted && public(at)
}

// ReachesIP is Reaches for an address as text.
func (c Callbacks) ReachesIP(at string, encrypted bool) bool {
	ip, err := netip.ParseAddr(at)
	return err == nil && c.Reaches(ip, encrypted)
}

// special are the networks that are not the public internet's, or may lead back
// into one that is not: those of IANA's registries of special-purpose addresses
// (RFC 6890) that are not globally reachable, and the ways from IPv6 into IPv4.
var special = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8")

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, s := range all {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func public(at netip.Addr) bool {
	return at.IsValid() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(at) })
}

func network(s string) (netip.Prefix, error) {
	if at, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(at, at.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func (c *checker) callbacks(path string, cb Callbacks) {
	for i, h := range cb.Hosts {
		if u, err := url.Parse("https://" + h); err != nil || u.Host != h || u.Hostname() == "" || u.User != nil || strings.ContainsAny(h, "*/?# ") {
			c.say(fmt.Sprintf("%s.hosts[%d]", path, i), "%q is not a host such as ci.example.com or 10.1.2.3:8443", h)
		}
	}
	for i, n := range cb.Networks {
		if _, err := network(n); err != nil {
			c.say(fmt.Sprintf("%s.networks[%d]", path, i), "%q is not a network such as 10.1.0.0/16 or an address", n)
		}
	}
}
