/** One HTTP request, the way any program of a mesh makes it. */
import { request } from "node:http";

const PATIENCE_MS = 5_000;

/**
 * `service` is who is meant, such as `api:8080` or `api.production:8080`; `at`, where given, is where to connect instead
 * of the way the mesh offers. Resolves with the status, the body and the port that the connection came from.
 */
export function callHttp({ service, at, method = "GET", path, headers = {}, agent = false }) {
  const way = at === undefined ? wayTo(service, path) : { ...at, path, headers: {} };
  return new Promise((resolve, reject) => {
    let localPort;
    const outgoing = request({
      ...way,
      method,
      headers: { host: service, ...said(headers), ...way.headers },
      agent,
      timeout: PATIENCE_MS,
    });
    outgoing.on("socket", (socket) => {
      localPort = socket.localPort;
      if (!socket.connecting) return;
      socket.once("connect", () => {
        localPort = socket.localPort;
      });
    });
    outgoing.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode, body, localPort }));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", (error) => reject(Object.assign(error, { localPort })));
    outgoing.end();
  });
}

/** Whoever calls without a sidecar sends no `x-request-id` to hand on. */
function said(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/**
 * A service of the own namespace is where the environment says; any other is reached by its name where pods have
 * networks of their own, and through the pod's HTTP proxy where they do not.
 */
function wayTo(service, path) {
  const [name] = service.split(":");
  const prefix = name.toUpperCase().replaceAll("-", "_");
  const host = process.env[`${prefix}_SERVICE_HOST`];
  if (host !== undefined) {
    return { host, port: process.env[`${prefix}_SERVICE_PORT`], path, headers: {} };
  }
  if (process.env.HTTP_PROXY === undefined) {
    const [, port] = service.split(":");
    return { host: name, port, path, headers: {} };
  }
  const { hostname, port, username, password } = new URL(process.env.HTTP_PROXY);
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  const headers = { "proxy-authorization": `Basic ${credentials}` };
  return { host: hostname, port, path: `http://${service}${path}`, headers };
}
