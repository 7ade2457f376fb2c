/** An API server on the loopback with a store of its own, and a client that trusts it. */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:https";
import type { TestContext } from "node:test";
import { newAccessToken } from "../../src/local/api-server/access/access-token.ts";
import {
  issueServingCertificate,
  type ServingCertificate,
} from "../../src/local/api-server/access/serving-certificate.ts";
import {
  type ApiServer,
  type ApiServerOptions,
  startApiServer,
} from "../../src/local/api-server/api-server.ts";
import type {
  JsonObject,
  KubernetesObject,
} from "../../src/local/api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../src/local/api-server/kinds/served-kind.ts";
import { SERVED_KINDS } from "../../src/local/api-server/kinds/served-kinds.ts";
import {
  ObjectStore,
  type ObjectStoreOptions,
} from "../../src/local/api-server/objects/object-store.ts";
import { prepareCreate } from "../../src/local/api-server/objects/prepare-create.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";

export interface StageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** Of the text, where it is JSON. */
  readonly body: JsonObject;
}

export interface StageCall {
  readonly method?: string;
  /** A text is sent as it is. */
  readonly body?: unknown;
  /** Absent ones are left out, others added. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface ApiServerStage {
  readonly store: ObjectStore;
  readonly server: ApiServer;
  readonly certificate: ServingCertificate;
  readonly token: string;
  /** As a client that has the token. */
  ask(path: string, call?: StageCall): Promise<StageAnswer>;
  /** A watch, or another stream of lines: what it has told so far, and its end. */
  follow(path: string, call?: StageCall): Promise<FollowedStream>;
}

export interface FollowedStream {
  readonly status: number;
  readonly events: readonly JsonObject[];
  readonly ended: Promise<void>;
  stop(): void;
}

export function servedKind(kind: string, group?: string): ServedKind {
  const found = SERVED_KINDS.find(
    (one) => one.kind === kind && (group === undefined || one.group === group),
  );
  if (found === undefined) throw new Error(`${kind} is not served`);
  return found;
}

export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

export function configMap(name: string, fields: JsonObject = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...fields };
}

export function post(body: unknown, headers: NonNullable<StageCall["headers"]> = {}): StageCall {
  return { method: "POST", body, headers };
}

/** A store with the namespaces `default` and `shop`. */
export function stageStore(options: Partial<ObjectStoreOptions> = {}): ObjectStore {
  const store = new ObjectStore({
    kinds: SERVED_KINDS,
    clock: systemClock,
    newUid: randomUUID,
    ...options,
  });
  for (const name of ["default", "shop"])
    put(store, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return store;
}

/** Makes an object past the gate. */
export function put(store: ObjectStore, object: KubernetesObject): KubernetesObject {
  const [group] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : [""];
  const kind = servedKind(object.kind, group);
  const namespace = kind.namespaced ? (object.metadata.namespace ?? "default") : "";
  return store.commit(prepareCreate(store, { kind, namespace, object, status: "kept" }));
}

export async function apiServerStage(
  test: TestContext,
  {
    store = stageStore(),
    ...options
  }: Partial<Pick<ApiServerOptions, "store" | "issueToken" | "streams">> = {},
): Promise<ApiServerStage> {
  const certificate = issueServingCertificate(systemClock);
  const token = newAccessToken();
  const server = await startApiServer({
    ...options,
    store,
    address: "127.0.0.1",
    port: 0,
    certificate,
    token,
    log: silentLog,
  });
  const agent = new Agent({ keepAlive: true });
  test.after(async () => {
    agent.destroy();
    await server.close();
  });
  const open = (path: string, call: StageCall = {}): ReturnType<typeof request> => {
    const { method = "GET", body } = call;
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (text !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(text));
    }
    for (const [name, value] of Object.entries(call.headers ?? {})) {
      if (value === undefined) delete headers[name];
      else headers[name] = value;
    }
    const { authorityPem: ca } = certificate;
    const opened = request(`${server.url}${path}`, {
      method,
      headers,
      ca,
      agent,
      servername: "localhost", // whatever the header says
    });
    opened.end(text);
    return opened;
  };
  return {
    store,
    server,
    certificate,
    token,
    ask: (path, call) =>
      new Promise((resolve, reject) => {
        open(path, call)
          .on("error", reject)
          .on("response", (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("error", reject);
            response.on("data", (part: string) => {
              text += part;
            });
            response.on("end", () => {
              const { statusCode: status = 0, headers } = response;
              resolve({
                status,
                headers,
                text,
                body: text.startsWith("{") ? JSON.parse(text) : {},
              });
            });
          });
      }),
    follow: (path, call) =>
      new Promise((resolve, reject) => {
        const opened = open(path, call);
        opened.on("error", reject);
        opened.on("response", (response) => {
          const events: JsonObject[] = [];
          let rest = "";
          response.setEncoding("utf8");
          response.on("error", () => {});
          response.on("data", (part: string) => {
            const lines = `${rest}${part}`.split("\n");
            rest = lines.pop() ?? "";
            events.push(...lines.map((line) => JSON.parse(line)));
          });
          const ended = new Promise<void>((end) => response.once("close", end));
          const stop = (): void => void opened.destroy();
          test.after(stop);
          resolve({ status: response.statusCode ?? 0, events, ended, stop });
        });
      }),
  };
}
