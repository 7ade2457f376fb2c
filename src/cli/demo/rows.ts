/**
 * The eight rows of the demo. Each call is made by the calling workload's own process, and each verdict is read from the
 * log of the sidecar that decided: an HTTP call that reaches the callee is found there by its random id, any other by
 * the connection's own address or certificate serial number.
 */
import { randomUUID } from "node:crypto";
import type { Reason } from "../../policy/decision.ts";
import { summarize } from "../../policy/explain.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { Outcome } from "./order-client.ts";
import type { Stage } from "./stage.ts";

export interface Row {
  readonly caller: string;
  readonly callee: string;
  readonly request: string;
  /** What must come out, for people. */
  readonly expected: string;
  play(stage: Stage): Promise<Finding>;
}

/** What came out, and everything about it that should have been otherwise. */
export interface Finding {
  readonly verdict: string;
  readonly because: string;
  readonly identities: string;
  /** What was expected and what came, for a refusal that names its nearest rules. */
  readonly details: readonly string[];
  readonly surprises: readonly string[];
}

const TRUST_DOMAIN = "spiffe://cluster.local";
const idOf = (serviceAccount: string): string =>
  `${TRUST_DOMAIN}/ns/production/sa/${serviceAccount}`;
const RENEWAL_PATIENCE_MS = 10_000;

const httpRow = (what: {
  readonly request: string;
  readonly expected: string;
  readonly status: number;
  readonly because: Reason["because"];
  readonly check?: (reason: Reason) => string[];
}): Row => ({
  caller: "frontend",
  callee: "api:8080",
  request: what.request,
  expected: what.expected,
  async play(stage) {
    const [method = "", path = ""] = what.request.split(" ");
    const requestId = randomUUID();
    const outcome = await stage.order("frontend", {
      call: "http",
      service: "api",
      authority: "api:8080",
      method,
      path,
      requestId,
    });
    const entry = await stage.accessEntry(
      "api",
      (line) => line.request_id === requestId && line.reporter === "destination",
    );
    return finding(entry, outcome, [
      ...differs("status at the caller", outcome.status, what.status),
      ...differs("status in api's log", entry?.response_code, what.status),
      ...differs("reason", entry?.decision?.reason.because, what.because),
      ...differs("caller's identity", entry?.source_principal, idOf("frontend")),
      ...differs("callee's identity", entry?.destination_principal, idOf("api")),
      ...(entry?.decision ? (what.check?.(entry.decision.reason) ?? []) : []),
    ]);
  },
});

const tcpRow = (what: {
  readonly caller: "api" | "frontend";
  readonly expected: string;
  readonly answer: string | undefined;
  readonly because: Reason["because"];
}): Row => ({
  caller: what.caller,
  callee: "database:5432",
  request: "TCP",
  expected: what.expected,
  async play(stage) {
    const line = `hello ${randomUUID()}`;
    const outcome = await stage.order(what.caller, { call: "tcp", service: "database", line });
    const entry = await findTcpEntry(stage, what.caller, outcome);
    return finding(entry, outcome, [
      ...differs("answer", outcome.answer, what.answer && line.toUpperCase()),
      ...differs("reason", entry?.decision?.reason.because, what.because),
      ...differs("caller's identity", entry?.source_principal, idOf(what.caller)),
      ...differs("callee's identity", entry?.destination_principal, idOf("database")),
    ]);
  },
});

export const ROWS: readonly Row[] = [
  httpRow({
    request: "GET /api/orders",
    expected: "allowed over mutual TLS",
    status: 200,
    because: "matched-allow",
  }),
  httpRow({
    request: "GET /admin",
    expected: "refused by a DENY policy",
    status: 403,
    because: "matched-deny",
  }),
  httpRow({
    request: "DELETE /api/orders",
    expected: "refused for want of an ALLOW; the nearest rule is named",
    status: 403,
    because: "no-allow-matched",
    check: (reason) => {
      const nearest = reason.because === "no-allow-matched" ? reason.nearest[0] : undefined;
      return [
        ...differs("nearest policy", nearest?.rule.policy.name, "frontend-reads-api"),
        ...differs("its unmet field", nearest?.unmet[0]?.field, "to.operation.methods"),
      ];
    },
  }),
  {
    caller: "outsider",
    callee: "api:8080",
    request: "GET /api/orders",
    expected: "plaintext refused under STRICT",
    async play(stage) {
      const outcome = await stage.order("outsider", {
        call: "http",
        ...listenAddress(stage, "api", 8080),
        authority: "api:8080",
        method: "GET",
        path: "/api/orders",
        requestId: randomUUID(),
      });
      const entry = await stage.accessEntry("api", comesFrom(outcome.localPort));
      return finding(entry, outcome, [
        ...differs("status at the caller", outcome.status, undefined),
        ...differs("reason", entry?.decision?.reason.because, "plaintext-refused"),
      ]);
    },
  },
  tcpRow({ caller: "api", expected: "TCP allowed", answer: "echo", because: "matched-allow" }),
  tcpRow({
    caller: "frontend",
    expected: "TCP refused",
    answer: undefined,
    because: "no-allow-matched",
  }),
  {
    caller: "outsider",
    callee: "api:8080",
    request: "GET /api/orders through frontend's own listener",
    expected: "a borrowed outbound listener refused",
    async play(stage) {
      const borrowed = stage
        .workload("frontend")
        .outboundListeners.find(({ serviceName }) => serviceName === "api");
      if (borrowed === undefined) throw new Error("frontend has no listener for api");
      const outcome = await stage.order("outsider", {
        call: "http",
        host: borrowed.listen.address,
        port: borrowed.listen.port,
        authority: "api:8080",
        method: "GET",
        path: "/api/orders",
        requestId: randomUUID(),
      });
      const entry = await stage.accessEntry("frontend", comesFrom(outcome.localPort));
      return finding(entry, outcome, [
        ...differs("status at the caller", outcome.status, undefined),
        ...differs("reason", entry?.decision?.reason.because, "not-own-workload"),
      ]);
    },
  },
  {
    caller: "api",
    callee: "database:5432",
    request: "TCP, while database's certificate is renewed",
    expected: "the connection lives, new ones see the new certificate",
    play: playRenewal,
  },
];

/** A connection is opened, the callee's certificate is renewed, the same connection still answers. */
async function playRenewal(stage: Stage): Promise<Finding> {
  const say = (keep: string): Promise<Outcome> =>
    stage.order("api", { call: "tcp", service: "database", line: keep, keep });
  const before = await say("first");
  const opened = await stage.sidecarLine("api", opensFrom(before.localPort));
  const serialBefore = opened?.["upstreamSerial"];
  const renewed = await stage.sidecarLine(
    "database",
    (line) => line["message"] === "certificate renewed" && line["previousSerial"] === serialBefore,
    RENEWAL_PATIENCE_MS,
  );
  const after = await say("first");
  const fresh = await say("second");
  const reopened = await stage.sidecarLine("api", opensFrom(fresh.localPort));
  const serialAfter = reopened?.["upstreamSerial"];
  const surprises = [
    ...differs("answer before", before.answer, "FIRST"),
    ...differs("answer after, on the same connection", after.answer, "FIRST"),
    ...differs("port of the same connection", after.localPort, before.localPort),
    ...differs("answer on a new connection", fresh.answer, "SECOND"),
    ...differs("a renewal in database's log", renewed !== undefined, true),
    ...differs("another certificate on the new connection", serialAfter !== serialBefore, true),
    ...differs("the renewed certificate is the one served", typeof serialAfter, "string"),
  ];
  return {
    verdict: surprises.length === 0 ? "kept alive" : "broken",
    because: `serial ${shorten(serialBefore)} became ${shorten(serialAfter)}`,
    identities: `${shortId(idOf("api"))} -> ${shortId(idOf("database"))}`,
    details: [],
    surprises,
  };
}

const shorten = (serial: unknown): string =>
  typeof serial === "string" ? `${serial.slice(0, 8)}…` : "unknown";

const opensFrom =
  (port: number | undefined) =>
  (line: Readonly<Record<string, unknown>>): boolean =>
    line["message"] === "outbound connection opened" && String(line["from"]).endsWith(`:${port}`);

const comesFrom =
  (port: number | undefined) =>
  (entry: AccessLogEntry): boolean =>
    port !== undefined && (entry.downstream_remote_address?.endsWith(`:${port}`) ?? false);

/** The caller's sidecar names its own end of the connection; the callee's sidecar names the same as its peer. */
async function findTcpEntry(
  stage: Stage,
  caller: string,
  { localPort }: Outcome,
): Promise<AccessLogEntry | undefined> {
  const source = await stage.accessEntry(
    caller,
    (entry) => entry.reporter === "source" && comesFrom(localPort)(entry),
  );
  const end = source?.upstream_local_address;
  if (end === undefined || end === null) return undefined;
  return stage.accessEntry("database", (entry) => entry.downstream_remote_address === end);
}

function listenAddress(
  stage: Stage,
  owner: string,
  containerPort: number,
): { host: string; port: number } {
  const port = stage.workload(owner).ports.find((one) => one.containerPort === containerPort);
  if (port === undefined) throw new Error(`${owner} has no port ${containerPort}`);
  return { host: port.listen.address, port: port.listen.port };
}

function finding(
  entry: AccessLogEntry | undefined,
  outcome: Outcome,
  surprises: readonly string[],
): Finding {
  if (entry === undefined) {
    const seen = outcome.status ?? outcome.answer ?? outcome.error ?? "nothing";
    return {
      verdict: String(seen),
      because: "no sidecar wrote about it",
      identities: "",
      details: [],
      surprises: ["no log line of a sidecar is about this call", ...surprises],
    };
  }
  const decision = entry.decision;
  return {
    verdict: `${decision?.verdict === "allow" ? "allowed" : "refused"}${entry.response_code ? ` ${entry.response_code}` : ""}`,
    because: decision === null ? "" : summarize(decision.reason),
    identities: identitiesOf(entry),
    details: decision === null ? [] : unmetConditions(decision.reason),
    surprises,
  };
}

function identitiesOf({ source_principal, destination_principal }: AccessLogEntry): string {
  if (source_principal === null && destination_principal === null) return "nobody proved anything";
  return `${shortId(source_principal)} -> ${shortId(destination_principal)}`;
}

function unmetConditions(reason: Reason): string[] {
  const nearest = reason.because === "no-allow-matched" ? reason.nearest[0] : undefined;
  return (nearest?.unmet ?? []).map(
    ({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`,
  );
}

/** The part of an identity that differs between workloads of one mesh. */
function shortId(id: string | null): string {
  return id === null ? "nobody" : id.replace(`${TRUST_DOMAIN}/`, "");
}

function differs(what: string, got: unknown, expected: unknown): string[] {
  return got === expected ? [] : [`${what}: expected ${String(expected)}, got ${String(got)}`];
}
