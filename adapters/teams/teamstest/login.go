package teamstest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// login is what Microsoft's login and the Bot Framework keep: keys that inbound
// tokens are signed with, and the tokens that the app was given.
type login struct {
	mu     sync.Mutex
	key    int            // the one that signs now
	listed map[int]string // published ones, with the channel that endorses them
	tokens map[string]grant

	token   string // the newest right one, for half an hour
	tokenIs string // what it was made for
	tokenTo time.Time
}

// A grant is what a token of the app's is good for.
type grant struct {
	audience string
	ends     time.Time
}

// botAudience is the Bot Connector's.
const botAudience = "https://api.botframework.com"

// Keys that are not signed with in turn.
const (
	firstKey   = 0
	skypeKey   = 1_000 // published, but not endorsed for Teams
	secretKey  = 2_000 // not published
	entraKey   = 3_000 // of the tenant's own issuer, for people
	botIssuer  = "https://api.botframework.com"
	teamsAppID = "1fec8e78-bce4-4aaf-ab1b-5451cc387264" // Teams' clients; page "Enable SSO for tab app"
)

// Making a key takes long, and every tenant's issuer is the same: keys are shared.
var keyPairs sync.Map // by number, a func() (*rsa.PrivateKey, error)

func keyPair(n int) (*rsa.PrivateKey, error) {
	f, _ := keyPairs.LoadOrStore(n, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }))
	return f.(func() (*rsa.PrivateKey, error))()
}

func kid(k *rsa.PrivateKey) string {
	sum := sha256.Sum256(k.N.Bytes())
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

func (l *login) init() error {
	l.tokens = map[string]grant{}
	l.listed = map[int]string{firstKey: "msteams", skypeKey: "skype"}
	_, err := keyPair(firstKey)
	return err
}

// RotateKeys signs with another key from now on. The one before stays published
// only if told so.
func (t *Tenant) RotateKeys(keep bool) {
	l := &t.login
	l.mu.Lock()
	defer l.mu.Unlock()
	if !keep {
		delete(l.listed, l.key)
	}
	l.key++
	l.listed[l.key] = "msteams"
}

// RevokeTokens makes every token that the app has worthless.
func (t *Tenant) RevokeTokens() {
	t.login.mu.Lock()
	defer t.login.mu.Unlock()
	clear(t.login.tokens)
}

// OpenIDURL is the metadata document of who issues inbound tokens.
func (t *Tenant) OpenIDURL() string {
	return t.URL() + "/botframework/v1/.well-known/openidconfiguration"
}

// TokenURL is where the app gets its own tokens.
func (t *Tenant) TokenURL() string { return t.URL() + "/login/" + t.id + "/oauth2/v2.0/token" }

// SSOIssuer is who issues people's tokens for the tab; its metadata is below it
// at /.well-known/openid-configuration.
func (t *Tenant) SSOIssuer() string { return t.URL() + "/login/" + t.id + "/v2.0" }

func (t *Tenant) loginRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /login/{tenant}/oauth2/v2.0/token", t.serveToken)
	mux.HandleFunc("GET /login/{tenant}/v2.0/.well-known/openid-configuration", t.open("ssoMetadata", func(r *http.Request) any {
		issuer := t.SSOIssuer()
		return map[string]any{
			"issuer": issuer, "jwks_uri": t.URL() + "/login/" + t.id + "/discovery/v2.0/keys",
			"authorization_endpoint": t.URL() + "/login/" + t.id + "/oauth2/v2.0/authorize", "token_endpoint": t.TokenURL(),
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code", "id_token"},
			"subject_types_supported": []string{"pairwise"},
		}
	}))
	mux.HandleFunc("GET /login/{tenant}/discovery/v2.0/keys", t.open("ssoKeys", func(*http.Request) any {
		return map[string]any{"keys": t.jwks(map[int]string{entraKey: ""})}
	}))
	mux.HandleFunc("GET /botframework/v1/.well-known/openidconfiguration", t.open("metadata", func(*http.Request) any {
		return map[string]any{
			"issuer": botIssuer, "authorization_endpoint": "https://invalid.botframework.com",
			"jwks_uri":                              t.URL() + "/botframework/v1/.well-known/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
			"token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
		}
	}))
	mux.HandleFunc("GET /botframework/v1/.well-known/keys", t.open("keys", func(*http.Request) any {
		t.login.mu.Lock()
		listed := map[int]string{}
		for n, channel := range t.login.listed {
			listed[n] = channel
		}
		t.login.mu.Unlock()
		return map[string]any{"keys": t.jwks(listed)}
	}))
}

// open serves a document that anybody may read. It counts as a call, and can be
// made to fail.
func (t *Tenant) open(op string, f func(*http.Request) any) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		call, w, done := t.begin(rw, r, op, "", "")
		defer done()
		if w == nil {
			return
		}
		if tenant := r.PathValue("tenant"); tenant != "" && tenant != t.id {
			t.refuseLogin(w, call, http.StatusBadRequest, "invalid_tenant", 90002, "Tenant '"+tenant+"' not found.")
			return
		}
		w.json(http.StatusOK, f(r))
	}
}

func (t *Tenant) jwks(listed map[int]string) []any {
	numbers := make([]int, 0, len(listed))
	for n := range listed {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	keys := []any{}
	for _, n := range numbers {
		k, err := keyPair(n)
		if err != nil {
			t.log.Error("no key", "err", err)
			continue
		}
		jwk := map[string]any{
			"kty": "RSA", "use": "sig", "kid": kid(k), "x5t": kid(k), "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
		}
		if channel := listed[n]; channel != "" {
			jwk["endorsements"] = []string{channel, "webchat"}
		}
		keys = append(keys, jwk)
	}
	return keys
}

// serveToken gives the app a token for its client secret, and refuses as Entra
// does; page "Microsoft identity platform and the OAuth 2.0 client credentials
// flow", and "Microsoft Entra authentication and authorization error codes".
func (t *Tenant) serveToken(rw http.ResponseWriter, r *http.Request) {
	call, w, done := t.begin(rw, r, "token", "", "")
	defer done()
	if w == nil {
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		t.refuseLogin(w, call, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
		return
	}
	f := r.PostForm
	for _, need := range []string{"grant_type", "client_id", "scope"} {
		if f.Get(need) == "" {
			t.refuseLogin(w, call, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: '"+need+"'.")
			return
		}
	}
	tenant := r.PathValue("tenant")
	audience, whole := strings.CutSuffix(f.Get("scope"), "/.default") // all that client credentials may ask for
	switch {
	case tenant != t.id:
		t.refuseLogin(w, call, http.StatusBadRequest, "invalid_request", 90002, "Tenant '"+tenant+"' not found.")
	case f.Get("grant_type") != "client_credentials":
		t.refuseLogin(w, call, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+f.Get("grant_type")+"'.")
	case f.Get("client_id") != t.app.ID:
		t.refuseLogin(w, call, http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '"+f.Get("client_id")+"' was not found in the directory '"+t.name+"'.")
	case f.Get("client_secret") == "":
		t.refuseLogin(w, call, http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	case f.Get("client_secret") != t.app.Secret:
		t.refuseLogin(w, call, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+t.app.ID+"'.")
	case !whole || audience != botAudience && audience != t.GraphURL():
		t.refuseLogin(w, call, http.StatusBadRequest, "invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.")
	default:
		var b [32]byte
		rand.Read(b[:]) // never fails
		token := "ey." + hex.EncodeToString(b[:])
		l := &t.login
		l.mu.Lock()
		l.tokens[token] = grant{audience, t.now().Add(t.tokenLife)}
		for old, g := range l.tokens {
			if g.ends.Before(t.now()) {
				delete(l.tokens, old)
			}
		}
		l.mu.Unlock()
		seconds := int(t.tokenLife/time.Second) - 1
		w.Header().Set("Cache-Control", "no-store, no-cache")
		w.json(http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
		})
	}
}

func (t *Tenant) refuseLogin(w *reply, call *Call, status int, code string, number int, says string) {
	call.Error = code
	now := t.now().UTC()
	trace := madeUp("trace", now.String())
	w.json(status, map[string]any{
		"error": code, "error_codes": []int{number}, "timestamp": now.Format("2006-01-02 15:04:05Z"),
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, says, trace, trace, now.Format("2006-01-02 15:04:05Z")),
		"trace_id":          trace, "correlation_id": trace, "error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	})
}

// known says whether the app was given this token for that audience, and it has
// not ended.
func (l *login) known(token, audience string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.tokens[token]
	return ok && g.audience == audience && now.Before(g.ends)
}
