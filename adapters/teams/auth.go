package teams

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
)

// skew is how far Microsoft's clock and this machine's may differ.
const skew = 5 * time.Minute

// maxToken is far above the 2 KB that the Bot Connector's tokens have.
const maxToken = 16 << 10

// algorithms are all that a token may be signed with, fixed before it is read:
// what the token itself says of it only chooses among these.
var (
	algorithms     = []string{oidc.RS256, oidc.RS384, oidc.RS512}
	joseAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}
)

// A refusal is why a request is not taken.
type refusal struct {
	reason string // for metrics, and all that the caller is told
	status int
}

func (r *refusal) Error() string { return r.reason }

var (
	errUnsigned = &refusal{"unsigned", http.StatusUnauthorized}
	errForged   = &refusal{"forged", http.StatusUnauthorized}
	errExpired  = &refusal{"expired", http.StatusUnauthorized}
	errMismatch = &refusal{"mismatch", http.StatusForbidden}
	errForeign  = &refusal{"foreign", http.StatusForbidden}
	errKeysAway = &refusal{"keys_away", http.StatusServiceUnavailable}
)

// proof is what a token that was verified says of the activity that it came
// with.
type proof struct {
	serviceURL string
	key        signingKey
}

// verify checks the token of a request as far as that can be done without the
// activity: signature, issuer, audience, time.
// See learn.microsoft.com, "Authentication with the Bot Connector API".
func (a *Adapter) verify(ctx context.Context, h http.Header) (proof, *refusal) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return proof{}, errUnsigned
	}
	if len(token) > maxToken {
		return proof{}, errForged
	}
	jws, err := jose.ParseSigned(token, joseAlgorithms)
	if err != nil || len(jws.Signatures) != 1 || jws.Signatures[0].Header.KeyID == "" {
		return proof{}, errForged
	}
	key, issuer, err := a.keys.find(ctx, jws.Signatures[0].Header.KeyID)
	if errors.Is(err, errNoKeys) {
		return proof{}, errKeysAway
	}
	if err != nil {
		return proof{}, errForged
	}
	// Time is checked here: go-oidc leaves no room for a clock that is slow.
	checked, err := oidc.NewVerifier(issuer, oneKey{key}, &oidc.Config{
		ClientID: a.app, SupportedSigningAlgs: algorithms, SkipExpiryCheck: true}).Verify(ctx, token)
	if err != nil {
		return proof{}, errForged
	}
	var claims struct {
		NotBefore  float64 `json:"nbf"`
		ServiceURL string  `json:"serviceurl"`
	}
	if checked.Claims(&claims) != nil {
		return proof{}, errForged
	}
	now := a.now()
	if checked.Expiry.Add(skew).Before(now) || claims.NotBefore > float64(now.Add(skew).Unix()) {
		return proof{}, errExpired
	}
	return proof{serviceURL: claims.ServiceURL, key: key}, nil
}

// oneKey is the key that a token names, for go-oidc.
type oneKey struct{ signingKey }

// VerifySignature implements oidc.KeySet.
func (k oneKey) VerifySignature(_ context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSigned(token, joseAlgorithms)
	if err != nil {
		return nil, err
	}
	if alg := jws.Signatures[0].Header.Algorithm; k.Algorithm != "" && k.Algorithm != alg {
		return nil, fmt.Errorf("the key is for %s", k.Algorithm)
	}
	return jws.Verify(k.JSONWebKey)
}

// match checks that the token was made for this activity: without it, one token
// would open the door to any activity, with any address to answer to.
func (a *Adapter) match(p proof, act *activity) *refusal {
	switch {
	case p.serviceURL == "" || p.serviceURL != act.ServiceURL, !p.key.endorses(act.ChannelID):
		return errMismatch
	case act.ChannelID != channelID, !a.ours(act):
		return errForeign
	case !trustworthy(act.ServiceURL):
		return errMismatch
	}
	return nil
}

// ours says that an activity is of the desk's tenant: whatever names one names
// this one.
func (a *Adapter) ours(act *activity) bool {
	named := false
	for _, tenant := range []string{act.Conversation.TenantID, act.ChannelData.Tenant.ID} {
		if tenant == "" {
			continue
		}
		if !strings.EqualFold(tenant, a.tenant) {
			return false
		}
		named = true
	}
	return named
}

// admit is verify and match for the development mode: the caller must sit on
// this machine, and so must whom it wants to be answered. A page in a browser
// on this machine is kept out by its Content-Type and by the name that it
// called.
func (a *Adapter) admit(r *http.Request) *refusal {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopbackHost(host) {
		return errUnsigned
	}
	called := r.Host
	if h, _, err := net.SplitHostPort(called); err == nil {
		called = h
	}
	if !loopbackHost(strings.Trim(called, "[]")) || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return errUnsigned
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return errUnsigned
	}
	return nil
}

func (a *Adapter) matchAnonymous(act *activity) *refusal {
	switch {
	case act.ChannelID != channelID, !a.ours(act):
		return errForeign
	case !loopbackURL(act.ServiceURL) || !trustworthy(act.ServiceURL):
		return errMismatch
	}
	return nil
}
