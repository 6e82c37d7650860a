package teamstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Bad names a token that an app has to refuse.
type Bad string

// The bad tokens. Each is right but for one thing.
const (
	Expired         Bad = "expired"          // by more than the 5 minutes of skew
	NotYet          Bad = "not yet"          // valid only later
	WrongAudience   Bad = "wrong audience"   // for another app
	WrongIssuer     Bad = "wrong issuer"     // by another issuer, with the right key
	AlgNone         Bad = "alg none"         // not signed
	PublicAsSecret  Bad = "HS256"            // signed with the public key as a shared secret
	UnknownKey      Bad = "unknown kid"      // by a key that is not published
	StolenKid       Bad = "stolen kid"       // by another key under the name of a published one
	WrongServiceURL Bad = "wrong serviceurl" // for another service
	NoServiceURL    Bad = "no serviceurl"    // for none
	NotEndorsed     Bad = "missing endorsement"
	Tampered        Bad = "tampered" // changed after it was signed
)

// Bads are all of them.
var Bads = []Bad{
	Expired, NotYet, WrongAudience, WrongIssuer, AlgNone, PublicAsSecret, UnknownKey, StolenKid,
	WrongServiceURL, NoServiceURL, NotEndorsed, Tampered,
}

// Token is a right token for one delivery to the app.
func (t *Tenant) Token() string {
	service, now := t.ServiceURL(), t.now()
	l := &t.login
	l.mu.Lock()
	is := fmt.Sprint(l.key, " ", service)
	if l.token != "" && l.tokenIs == is && now.Before(l.tokenTo) && now.After(l.tokenTo.Add(-time.Hour)) {
		defer l.mu.Unlock()
		return l.token
	}
	l.mu.Unlock()
	token := t.token("") // signing takes a while
	l.mu.Lock()
	defer l.mu.Unlock()
	l.token, l.tokenIs, l.tokenTo = token, is, now.Add(30*time.Minute)
	return token
}

// BadToken is one with something wrong.
func (t *Tenant) BadToken(b Bad) string { return t.token(b) }

func (t *Tenant) token(b Bad) string {
	now := t.now()
	claims := map[string]any{
		"iss": botIssuer, "aud": t.app.ID, "serviceurl": t.ServiceURL(),
		"nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	t.login.mu.Lock()
	key := t.login.key
	t.login.mu.Unlock()
	name := ""
	switch b {
	case Expired:
		claims["nbf"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-6*time.Minute).Unix()
	case NotYet:
		claims["nbf"] = now.Add(10 * time.Minute).Unix()
	case WrongAudience:
		claims["aud"] = madeUp("another app")
	case WrongIssuer:
		claims["iss"] = "https://sts.windows.net/" + t.id + "/"
	case UnknownKey:
		key = secretKey
	case StolenKid:
		k, err := keyPair(key)
		if err != nil {
			panic("teamstest: " + err.Error()) // the one key was made by New
		}
		name, key = kid(k), secretKey
	case WrongServiceURL:
		claims["serviceurl"] = "https://smba.example.com/emea/"
	case NoServiceURL:
		delete(claims, "serviceurl")
	case NotEndorsed:
		key = skypeKey
	}
	token := sign(key, name, b, claims)
	if b == Tampered {
		tail := []byte(token)
		at := len(tail) - 20
		if tail[at]++; tail[at] > 'z' || tail[at] < 'a' {
			tail[at] = 'a'
		}
		token = string(tail)
	}
	return token
}

func sign(key int, name string, b Bad, claims map[string]any) string {
	k, err := keyPair(key)
	if err != nil {
		panic("teamstest: no key: " + err.Error()) // crypto/rand does not fail
	}
	if name == "" {
		name = kid(k)
	}
	switch b {
	case AlgNone:
		return unsigned("none", name, claims) + "."
	case PublicAsSecret:
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			panic("teamstest: " + err.Error()) // an RSA key has a form
		}
		body := unsigned("HS256", name, claims)
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		mac.Write([]byte(body))
		return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", name).WithHeader("x5t", name)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k}, opts)
	if err != nil {
		panic("teamstest: " + err.Error()) // RS256 takes RSA keys
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic("teamstest: " + err.Error()) // the claims are made here
	}
	return token
}

func unsigned(alg, kid string, claims map[string]any) string {
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(mustJSON(v)) }
	return part(map[string]string{"alg": alg, "typ": "JWT", "kid": kid}) + "." + part(claims)
}

// SSOToken is what Teams gives the app's tab for this person; page "Enable SSO
// for tab app". change may alter its claims before it is signed; nil does not.
func (p *Person) SSOToken(change func(claims map[string]any)) (string, error) {
	p.t.mu.Lock()
	u, err := p.present()
	p.t.mu.Unlock()
	if err != nil {
		return "", err
	}
	now := p.t.now()
	claims := map[string]any{
		"iss": p.t.SSOIssuer(), "aud": p.t.app.ID, "tid": p.t.id, "oid": u.ObjectID, "sub": madeUp("sub", u.ID),
		"name": u.DisplayName, "preferred_username": u.UPN, "scp": "access_as_user", "ver": "2.0", "azp": teamsAppID,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(claims)
	}
	return sign(entraKey, "", "", claims), nil
}

// OpenTab is the address of the app's personal tab as Teams opens it.
func (p *Person) OpenTab() (string, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if _, err := p.present(); err != nil {
		return "", err
	}
	if p.t.app.TabURL == "" || !p.t.personal(p.id).Installed {
		return "", fmt.Errorf("%w: the app has no tab, or is not installed", ErrRefused)
	}
	return p.t.app.TabURL, nil
}
