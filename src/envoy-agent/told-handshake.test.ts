import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf, inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { HANDSHAKE_TIMED_OUT } from "../envoy/decision-log.ts";
import { decidedCall } from "./decided-call.ts";

const LISTEN = inboundPort({ listen: 15_006, application: 8_080 });
const VIEW = workloadView({ rootsPem: [], ports: [LISTEN] });
const UNTRUSTED =
  "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:";
const RESET =
  "TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end";

/** As Envoy 1.40 writes them. */
const ENDED = {
  ending: "handshake",
  reporter: "destination",
  start_time: "2026-11-23T10:00:00.000Z",
  duration: 2,
  response_flags: "-",
  connection_termination_details: null,
  bytes_received: 0,
  upstream_host: null,
  downstream_local_address: "127.0.0.1:15006",
  downstream_remote_address: "127.0.0.1:40000",
  requested_server_name: "outbound_.8080_._.api.production.svc.cluster.local",
  handshake_problem: null,
  handshake_duration: null,
  presented_serial: "3036a3c3",
  local_close_reason: null,
};

const FAILED: readonly [what: string, told: object, problem: string][] = [
  [
    "no certificate",
    {
      presented_serial: null,
      handshake_problem:
        "TLS_error:|268435648:SSL_routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE:peer_did_not_provide_required_client_certificate:TLS_error_end",
    },
    "no certificate was presented",
  ],
  [
    "another authority's",
    {
      handshake_problem: `${UNTRUSTED}_X509_verify_cert:_certificate_verification_error_at_depth_0:_unable_to_get_local_issuer_certificate:TLS_error_end`,
    },
    "the certificate is not trusted: UNABLE_TO_GET_ISSUER_CERT_LOCALLY; trusted here is nothing",
  ],
  [
    "an expired one (QK-28)",
    {
      handshake_problem: `${UNTRUSTED}_X509_verify_cert:_certificate_verification_error_at_depth_0:_certificate_has_expired:TLS_error_end`,
    },
    "the certificate is not trusted: CERT_HAS_EXPIRED",
  ],
  [
    "one of a foreign trust domain (TLS-4)",
    {
      handshake_problem: `${UNTRUSTED}_SAN_matcher,_certificate_SANs_are_[spiffe://else.where/ns/a/sa/b]:TLS_error_end`,
    },
    '"spiffe://else.where/ns/a/sa/b" is of a foreign trust domain',
  ],
  [
    "one that names nobody of a mesh",
    {
      handshake_problem: `${UNTRUSTED}_SAN_matcher,_certificate_SANs_are_[api.example]:TLS_error_end`,
    },
    "none of the certificate's names is accepted: api.example",
  ],
  [
    "an old version of TLS",
    {
      presented_serial: null,
      handshake_problem:
        "TLS_error:|268435696:SSL_routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL:TLS_error_end",
    },
    "the TLS handshake failed: unsupported protocol",
  ],
  [
    "silence",
    { presented_serial: null, connection_termination_details: HANDSHAKE_TIMED_OUT },
    "TLS handshake timeout",
  ],
  ["a client that leaves", { presented_serial: null }, "the client left during the handshake"],
];

for (const [what, told, problem] of FAILED) {
  test(`tells of ${what}, by the port that was called, and of nobody's identity`, () => {
    const entry = decidedCall(
      JSON.stringify({ ...ENDED, source_principal: idOf("frontend"), ...told }),
      VIEW,
    );
    assert.deepEqual(entry?.decision, {
      verdict: "deny",
      reason: { because: "peer-not-verified", problem },
    });
    assert.equal(entry?.upstream_cluster, "inbound|8080||");
    assert.equal(entry?.response_code_details, "peer_not_verified");
    assert.deepEqual([entry?.source_principal, entry?.source_certificate_serial], [null, null]);
  });
}

const REJECTED =
  "TLS_error:|268435589:SSL_routines:OPENSSL_internal:CONNECTION_REJECTED:TLS_error_end";

for (const [what, told] of [
  ["a limit of connections a second", { local_close_reason: "local_ratelimit_close_over_limit" }],
  ["a limit of open connections", { local_close_reason: "over_connection_limit" }],
  [
    "such a limit where no TLS is spoken, as its chain tells it",
    {
      ending: undefined,
      handshake_problem: null,
      response_flags: "URX",
      local_close_reason: "local_ratelimit_close_over_limit",
      upstream_cluster: "inbound|8080||",
    },
  ],
] as const) {
  test(`tells of ${what}, and says nothing of the client`, () => {
    const line = { ...ENDED, presented_serial: null, handshake_problem: REJECTED, ...told };
    const entry = decidedCall(JSON.stringify(line), VIEW);
    const reason = { because: "told-by-envoy", details: told.local_close_reason };
    assert.deepEqual(entry?.decision, { verdict: "deny", reason });
    assert.equal(entry?.upstream_cluster, "inbound|8080||");
  });
}

const OTHERS: readonly [what: string, told: object][] = [
  ["a connection that stood, and was reset", { handshake_problem: RESET, handshake_duration: 2 }],
  ["one that carried bytes", { handshake_problem: RESET, bytes_received: 40 }],
  [
    "one that was led to the application",
    { presented_serial: null, upstream_host: "127.0.0.1:80" },
  ],
  ["one that says nothing, and was reset", { handshake_problem: RESET }],
  [
    "one that a policy refused",
    { handshake_problem: RESET, connection_termination_details: "rbac_access_denied" },
  ],
  [
    "one that Envoy closed while it was drained",
    { presented_serial: null, local_close_reason: "listener_draining" },
  ],
  [
    "what a chain tells once more",
    { ending: undefined, handshake_problem: `${UNTRUSTED}_anything:TLS_error_end` },
  ],
  [
    "a timeout that a chain tells once more",
    { ending: undefined, connection_termination_details: HANDSHAKE_TIMED_OUT },
  ],
  [
    "a gateway's client that leaves: it needs no certificate",
    { reporter: "source", presented_serial: null },
  ],
];

for (const [what, told] of OTHERS) {
  test(`is silent of ${what}`, () => {
    assert.equal(decidedCall(JSON.stringify({ ...ENDED, ...told }), VIEW), undefined);
  });
}

test("plaintext that finds no chain is told with the port that it called (PA-37)", () => {
  const refused = { response_flags: "NR", response_code_details: "filter_chain_not_found" };
  const told = { ...ENDED, ...refused, ending: undefined, requested_server_name: null };
  const entry = decidedCall(JSON.stringify(told), VIEW);
  assert.deepEqual(entry?.decision?.reason, { because: "plaintext-refused", origin: "default" });
  assert.equal(entry?.upstream_cluster, "inbound|8080||");
  assert.equal(entry?.response_code_details, "filter_chain_not_found");
});

test("plaintext that was let in is told as ever, whatever the inspector of TLS said of it", () => {
  const inspected =
    "TLS_error|error:1000009c:SSL_routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end";
  const told = { ending: undefined, handshake_problem: inspected, requested_server_name: null };
  assert.equal(decidedCall(JSON.stringify({ ...ENDED, ...told }), VIEW)?.protocol, "TCP");
});

test("a gateway's failed handshake is told of its client, whom other roots than the mesh's may judge", () => {
  const handshake_problem = `${UNTRUSTED}_X509_verify_cert:_certificate_verification_error_at_depth_0:_unable_to_get_local_issuer_certificate:TLS_error_end`;
  const told = { reporter: "source", handshake_problem };
  const entry = decidedCall(JSON.stringify({ ...ENDED, ...told }), VIEW);
  assert.deepEqual(entry?.decision?.reason, {
    because: "peer-not-verified",
    problem: "the certificate is not trusted: UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  });
  assert.equal(entry?.upstream_cluster, null);
});
