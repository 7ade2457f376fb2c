/** What the server answers: one value, or a stream of them. */
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import type { StatusError } from "../objects/status-error.ts";

export interface ValueAnswer {
  readonly status: number;
  readonly value: JsonObject;
  readonly contentType?: string;
  readonly warnings?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly contentType?: string;
}

/** Lines of JSON until the stream ends, or the client goes. */
export interface StreamAnswer {
  readonly stream: (write: (value: JsonObject) => boolean, signal: AbortSignal) => Promise<void>;
  readonly contentType?: string;
}

export type ApiAnswer = ValueAnswer | TextAnswer | StreamAnswer;

export function value(
  object: JsonObject,
  { status = 200, ...rest }: Partial<Omit<ValueAnswer, "value">> = {},
): ValueAnswer {
  return { status, value: object, ...rest };
}

/** Source: meta/v1 Status. */
export function statusOf(error: StatusError): JsonObject {
  const { message, reason, details, status } = error;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details: { ...details, causes: causesOf(details.causes) } }),
    code: status,
  };
}

function causesOf(
  causes: NonNullable<StatusError["details"]>["causes"],
): readonly JsonObject[] | undefined {
  return causes?.map(({ reason, message, field }) => ({ reason, message, field }));
}
