package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/deskhand/deskhand/bot/chat"
)

// Entra is the tenant whose people Teams signs in, and the app that they are
// signed in to.
type Entra struct {
	Platform string // of the accounts: the name of the Teams adapter
	TenantID string
	AppID    string // application (client) id
	// Issuer is who signs; empty: the tenant in the public cloud. Sovereign
	// clouds and doubles have others.
	Issuer string
}

const (
	entraTime = 5 * time.Second // for a call to Entra
	// entraPause is the least time between two calls for its keys. Anybody can
	// send a token that names a key nobody knows.
	entraPause = 10 * time.Second
	mostKeys   = 1 << 20 // bytes of an answer of Entra's
)

// verifier checks the tokens that TeamsJS gets for a page. They are access
// tokens for the app's own API, of version 2, as Microsoft's instructions for
// single sign-on in tabs have it: issued by the tenant for the app, on behalf
// of a user, with the scope access_as_user.
type verifier struct {
	o        Entra
	audience []string
	client   *http.Client
	now      func() time.Time

	mu    sync.Mutex
	ready *oidc.IDTokenVerifier // nil until Entra has told of itself
	asked time.Time
}

func newVerifier(o Entra, host string, now func() time.Time) (*verifier, error) {
	if o.Platform == "" || o.TenantID == "" || o.AppID == "" {
		return nil, errors.New("web: sign-in needs a platform, a tenant id and an app id")
	}
	if o.Issuer == "" {
		o.Issuer = "https://login.microsoftonline.com/" + o.TenantID + "/v2.0"
	}
	return &verifier{o: o, now: now,
		// The id, and the URIs that Microsoft documents for an app with a tab, with
		// a bot, or both.
		audience: []string{o.AppID, "api://" + o.AppID, "api://" + host + "/" + o.AppID, "api://botid-" + o.AppID, "api://" + host + "/botid-" + o.AppID},
		client:   &http.Client{Timeout: entraTime, Transport: &paced{now: now}},
	}, nil
}

// Whether a token is no good, or could not be looked at.
var (
	errRefused  = errors.New("the token is not one for this desk")
	errNoAnswer = errors.New("Entra does not answer")
)

// verify returns the account that a token was issued for.
func (v *verifier) verify(ctx context.Context, token string) (chat.User, error) {
	check, err := v.check(ctx)
	if err != nil {
		return chat.User{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	t, err := check.Verify(ctx, token)
	if err != nil {
		return chat.User{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	var c struct {
		Tenant string `json:"tid"`
		Object string `json:"oid"`
		Scopes string `json:"scp"`
	}
	if err := t.Claims(&c); err != nil {
		return chat.User{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	switch {
	case !slices.ContainsFunc(t.Audience, func(a string) bool { return slices.Contains(v.audience, a) }):
		err = errors.New("it is for another app")
	case c.Tenant != v.o.TenantID:
		err = errors.New("it is of another tenant")
	case !slices.Contains(strings.Fields(c.Scopes), "access_as_user"):
		err = errors.New("it does not have the scope access_as_user")
	case c.Object == "":
		err = errors.New("it names nobody")
	default:
		return chat.User{Platform: v.o.Platform, Workspace: c.Tenant, ID: c.Object}, nil
	}
	return chat.User{}, fmt.Errorf("%w: %w", errRefused, err)
}

// check is made when it is first needed: a desk starts without Entra.
func (v *verifier) check(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ready != nil {
		return v.ready, nil
	}
	if wait := entraPause - v.now().Sub(v.asked); !v.asked.IsZero() && wait > 0 {
		return nil, fmt.Errorf("it was asked a moment ago; again in %s", wait.Round(time.Second))
	}
	v.asked = v.now()
	// The keys are fetched with this context for as long as the verifier lives.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), v.client), v.o.Issuer)
	if err != nil {
		return nil, err
	}
	v.asked = time.Time{}
	v.ready = p.Verifier(&oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{oidc.RS256}, Now: v.now})
	return v.ready, nil
}

// paced keeps calls to each of Entra's addresses apart, and their answers
// short.
type paced struct {
	now func() time.Time

	mu   sync.Mutex
	last map[string]time.Time
}

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	now, at := p.now(), r.URL.String()
	if last, ok := p.last[at]; ok && now.Sub(last) < entraPause {
		p.mu.Unlock()
		return nil, errors.New("asked a moment ago")
	}
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[at] = now
	p.mu.Unlock()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, mostKeys)
	}
	return res, err
}
