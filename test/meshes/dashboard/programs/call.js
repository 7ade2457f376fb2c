/** Calls each URL every 200 ms, whatever is answered. */
import { request } from "node:http";

/** Through the pod's proxy; without one, to where the environment says the service is, or its name leads. */
export function call(url) {
  const { host, hostname, port, pathname } = new URL(url);
  const proxy = process.env.HTTP_PROXY && new URL(process.env.HTTP_PROXY);
  const name = hostname.split(".")[0].toUpperCase();
  const way = proxy
    ? {
        host: proxy.hostname,
        port: proxy.port,
        path: url,
        headers: {
          host,
          "proxy-authorization": `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString("base64")}`,
        },
      }
    : {
        host: process.env[`${name}_SERVICE_HOST`] ?? hostname,
        port: process.env[`${name}_SERVICE_PORT`] ?? port,
        path: pathname,
        headers: { host },
      };
  return new Promise((resolve) => {
    const outgoing = request({ ...way, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => resolve(undefined));
    outgoing.end();
  });
}

if (process.argv[1]?.endsWith("/call.js"))
  for (const url of process.argv.slice(2)) setInterval(() => call(url), 200);
