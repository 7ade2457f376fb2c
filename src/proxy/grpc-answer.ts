/**
 * Answers of our own to who speaks gRPC: a head that says it all, as no client of gRPC goes by the status of HTTP (AP-130).
 * Source: `Utility::sendLocalReply` in `source/common/http/utility.cc`, `Utility::httpToGrpcStatus` in
 * `source/common/grpc/status.cc` of envoyproxy/envoy
 */
import { GRPC_CONTENT_TYPE } from "./balancing/outlier-status.ts";
import type { Answer, Exchange } from "./exchange.ts";

/** `grpc-status` by the status of HTTP. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const UNKNOWN = 2;
const ENCODED = /[^ -$&-}]/g;

/** @returns `answer` itself, unless the request is one of gRPC */
export function answerInKind(
  answer: Answer,
  { method, headers }: Pick<Exchange, "method" | "headers">,
): Answer {
  const status = grpcStatusOf(answer, headers);
  if (status === undefined) return answer;
  const message = method === "HEAD" ? "" : percentEncoded(answer.body.trimEnd());
  const fields = ["content-type", "application/grpc", "grpc-status", String(status)];
  if (message !== "") fields.push("grpc-message", message);
  return { ...answer, status: 200, body: "", headers: [...(answer.headers ?? []), ...fields] };
}

/** @returns undefined: the request is not one of gRPC */
export function grpcStatusOf(
  { status, grpcStatus }: Pick<Answer, "status" | "grpcStatus">,
  headers: { get(name: string): string | undefined },
): number | undefined {
  if (!GRPC_CONTENT_TYPE.test(headers.get("content-type") ?? "")) return undefined;
  return grpcStatus ?? STATUSES.get(status) ?? UNKNOWN;
}

/** As gRPC has it: UTF-8, of which what is no visible ASCII is written in hexadecimal. */
function percentEncoded(text: string): string {
  const octets = Buffer.from(text).toString("latin1");
  return octets.replace(ENCODED, (octet) => {
    const code = octet.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(2, "0")}`;
  });
}
