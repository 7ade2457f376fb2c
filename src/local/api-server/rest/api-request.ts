/** A request that has been let in: its path in parts, its query, its body when somebody wants it. */
import type { IncomingHttpHeaders } from "node:http";

export interface ApiRequest {
  readonly method: string;
  /** Decoded, without empty ends: `/api/v1/namespaces` is ["api", "v1", "namespaces"]. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** @throws StatusError 413 */
  readonly readBody: () => Promise<Buffer>;
}
