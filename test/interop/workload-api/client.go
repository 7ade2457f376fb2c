// A workload that uses go-spiffe, which none of us wrote, and prints what it gets as JSON lines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const patience = 60 * time.Second
const audience = "database"

func say(event string, fields map[string]any) {
	fields["event"] = event
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func fail(what string, err error) {
	say("failed", map[string]any{"what": what, "problem": err.Error(), "code": status.Code(err).String()})
	os.Exit(1)
}

// Hears of every certificate that is pushed, and verifies each against the bundle beside it.
type rotations struct {
	wanted int
	seen   map[string]bool
	roots  int
	done   chan struct{}
}

func (r *rotations) OnX509ContextUpdate(update *workloadapi.X509Context) {
	svid := update.DefaultSVID()
	id, _, err := x509svid.Verify(svid.Certificates, update.Bundles)
	if err != nil {
		fail("verify the certificate", err)
	}
	bundle, err := update.Bundles.GetX509BundleForTrustDomain(id.TrustDomain())
	if err != nil {
		fail("find the bundle", err)
	}
	serial := svid.Certificates[0].SerialNumber.Text(16)
	say("certificate", map[string]any{"id": id.String(), "serial": serial, "roots": len(bundle.X509Authorities())})
	r.seen[serial] = true
	if len(r.seen) == r.wanted {
		close(r.done)
	}
}

func (r *rotations) OnX509ContextWatchError(err error) {
	say("watch error", map[string]any{"problem": err.Error(), "code": status.Code(err).String()})
}

func watch(ctx context.Context, client *workloadapi.Client, wanted int) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watcher := &rotations{wanted: wanted, seen: map[string]bool{}, done: make(chan struct{})}
	go func() { _ = client.WatchX509Context(watching, watcher) }()
	select {
	case <-watcher.done:
	case <-ctx.Done():
		fail("wait for rotations", ctx.Err())
	}
}

func fetchToken(ctx context.Context, client *workloadapi.Client) {
	svid, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		fail("fetch a token", err)
	}
	told, err := client.ValidateJWTSVID(ctx, svid.Marshal(), audience)
	if err != nil {
		fail("have the token validated", err)
	}
	bundles, err := client.FetchJWTBundles(ctx)
	if err != nil {
		fail("fetch token keys", err)
	}
	own, err := jwtsvid.ParseAndValidate(svid.Marshal(), bundles, []string{audience})
	if err != nil {
		fail("validate the token", err)
	}
	_, elsewhere := client.ValidateJWTSVID(ctx, svid.Marshal(), "elsewhere")
	_, unknown := jwtsvid.ParseAndValidate(svid.Marshal(), jwtbundle.NewSet(), []string{audience})
	say("token", map[string]any{
		"id":        told.ID.String(),
		"own":       own.ID.String(),
		"life":      time.Until(own.Expiry).Round(time.Second).Seconds(),
		"elsewhere": status.Code(elsewhere).String(),
		"unknown":   unknown != nil,
	})
}

// The client above always sends the metadata, so this one is the bare service.
func callWithoutMetadata(ctx context.Context, address string) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fail("connect", err)
	}
	defer connection.Close()
	api := workload.NewSpiffeWorkloadAPIClient(connection)
	_, unary := api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{audience}})
	stream, err := api.FetchX509SVID(ctx, &workload.X509SVIDRequest{})
	if err != nil {
		fail("open a stream", err)
	}
	_, streamed := stream.Recv()
	say("without metadata", map[string]any{
		"unary":    status.Code(unary).String(),
		"streamed": status.Code(streamed).String(),
	})
}

// As another trust domain would, which knows our roots so far.
func fetchBundle(ctx context.Context, client *workloadapi.Client, url string) {
	known, err := client.FetchX509Bundles(ctx)
	if err != nil {
		fail("fetch roots", err)
	}
	trustDomain := spiffeid.RequireTrustDomainFromString("cluster.local")
	endpoint := spiffeid.RequireFromString("spiffe://cluster.local/ns/istio-system/sa/istiod")
	bundle, err := federation.FetchBundle(ctx, trustDomain, url, federation.WithSPIFFEAuth(known, endpoint))
	if err != nil {
		fail("fetch the bundle", err)
	}
	sequence, _ := bundle.SequenceNumber()
	hint, _ := bundle.RefreshHint()
	say("bundle", map[string]any{
		"roots":    len(bundle.X509Authorities()),
		"keys":     len(bundle.JWTAuthorities()),
		"sequence": sequence,
		"hint":     hint.Seconds(),
	})
}

// Parameters: how many certificates to wait for; then, if wanted, the URL of a bundle endpoint, and "stay".
func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	wanted, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail("read the parameters", err)
	}
	address := os.Getenv("SPIFFE_ENDPOINT_SOCKET")
	if !strings.HasPrefix(address, "unix://") {
		fail("find the socket", fmt.Errorf("SPIFFE_ENDPOINT_SOCKET is %q", address))
	}
	client, err := workloadapi.New(ctx)
	if err != nil {
		fail("connect", err)
	}
	watch(ctx, client, wanted)
	fetchToken(ctx, client)
	callWithoutMetadata(ctx, address)
	for _, parameter := range os.Args[2:] {
		if parameter != "stay" {
			fetchBundle(ctx, client, parameter)
		}
	}
	say("done", map[string]any{})
	if os.Args[len(os.Args)-1] == "stay" {
		time.Sleep(time.Hour)
	}
}
