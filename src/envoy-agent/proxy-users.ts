/** The one who may use the pod's HTTP proxy on loopback, as Envoy reads it: RFC 7617, SHA-1 as `htpasswd -s`. */
import { createHash } from "node:crypto";

/** @param password 24 random bytes: no table knows it, and its hash stays in a folder that nobody else may enter */
export function proxyUsers(user: string, password: string): string {
  const digest = createHash("sha1").update(password).digest("base64");
  return `${user}:{SHA}${digest}\n`;
}
