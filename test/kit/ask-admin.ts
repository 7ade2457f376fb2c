/** One request to a sidecar's administration, over TCP or its Unix socket, as a stranger would make it. */
import { once } from "node:events";
import { request } from "node:http";

export interface AdminQuestion {
  readonly path: string;
  readonly method?: string;
  readonly host?: string;
  readonly body?: string;
}

/** @param where a port of loopback, or the path of a socket */
export async function askAdmin(
  where: number | string,
  { path, method = "GET", host = "localhost", body }: AdminQuestion,
): Promise<{
  readonly status: number;
  readonly body: string;
  readonly allow: string | undefined;
}> {
  const place =
    typeof where === "number" ? { host: "127.0.0.1", port: where } : { socketPath: where };
  const outgoing = request({ ...place, path, method, headers: { host }, agent: false }).end(body);
  const [incoming] = await once(outgoing, "response");
  let answer = "";
  for await (const part of incoming) answer += part;
  return { status: incoming.statusCode, body: answer, allow: incoming.headers.allow };
}
