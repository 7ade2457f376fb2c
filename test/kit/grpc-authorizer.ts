/** An external authorizer over gRPC, by the gRPC library and Envoy's own message definitions: it reads what sidecars write by hand. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type ServiceError,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { LOOPBACK } from "./sidecar-fixture.ts";

/** A message as the library has it: names as in the definition, numbers as numbers, enums as texts. */
export type Message = { readonly [name: string]: unknown };

/** What it answers; a number is gRPC's status of a call that fails; "never": nothing. */
export type CheckAnswer = Message | number | "never";

export interface GrpcAuthorizer {
  readonly port: number;
  /** `attributes` of each question, in order. */
  readonly questions: readonly Attributes[];
  answer: CheckAnswer | ((attributes: Attributes) => CheckAnswer | Promise<CheckAnswer>);
  /** Cuts all connections; `start` serves at the same port again. */
  stop(): void;
  start(): Promise<void>;
}

export interface Peer {
  readonly address: { readonly socket_address: { address: string; port_value: number } };
  readonly service: string;
  readonly principal: string;
}

export interface Attributes {
  readonly source: Peer;
  readonly destination: Peer;
  readonly request: {
    readonly time: { readonly seconds: number; readonly nanos: number };
    readonly http: {
      readonly id: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly path: string;
      readonly host: string;
      readonly scheme: string;
      readonly size: number;
      readonly protocol: string;
      readonly body: string;
      readonly raw_body: Buffer;
      readonly header_map: unknown;
    } | null;
  } | null;
  readonly metadata_context: Message | null;
  readonly context_extensions: Message;
}

const DEFINITIONS = join(
  dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")),
  "deps",
);
let service: ServiceClientConstructor["service"] | undefined;

/** Lets everybody pass until told otherwise. */
export async function grpcAuthorizer(
  context: Pick<TestContext, "after"> | undefined,
  answer: GrpcAuthorizer["answer"] = allowing(),
): Promise<GrpcAuthorizer> {
  const questions: Attributes[] = [];
  let server: Server | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    server = new Server();
    server.addService(checkService(), { check });
    port = await bind(server, port);
  };
  const stop = (): void => server?.forceShutdown();
  const check = async (
    call: ServerUnaryCall<{ attributes: Attributes }, Message>,
    respond: sendUnaryData<Message>,
  ): Promise<void> => {
    questions.push(call.request.attributes);
    const found = authorizer.answer;
    const said = typeof found === "function" ? await found(call.request.attributes) : found;
    if (said === "never") return;
    if (typeof said === "number") respond({ code: said, details: "asked to" } as ServiceError);
    else respond(null, said);
  };
  const authorizer: GrpcAuthorizer = {
    get port() {
      return port;
    },
    questions,
    answer,
    stop,
    start,
  };
  context?.after(stop);
  await start();
  return authorizer;
}

export function allowing(ok?: Message): Message {
  return { status: { code: status.OK }, ...(ok && { ok_response: ok }) };
}

export function denying(denied?: Message): Message {
  const code = status.PERMISSION_DENIED;
  return { status: { code }, ...(denied && { denied_response: denied }) };
}

function checkService(): ServiceClientConstructor["service"] {
  service ??= loadService();
  return service;
}

function loadService(): ServiceClientConstructor["service"] {
  const definition = loadSync("envoy/service/auth/v3/external_auth.proto", {
    includeDirs: ["envoy-api", "googleapis", "xds", "protoc-gen-validate"].map((one) =>
      join(DEFINITIONS, one),
    ),
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    readonly envoy: {
      readonly service: {
        readonly auth: { readonly v3: { readonly Authorization: ServiceClientConstructor } };
      };
    };
  };
  return loaded.envoy.service.auth.v3.Authorization.service;
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${LOOPBACK}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}
