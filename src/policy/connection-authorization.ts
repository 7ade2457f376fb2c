/** The requests of one connection that stands: bound to its peer's rules again only when the policies change. */
import {
  authorizeBound,
  bindConnection,
  type CompiledAuthorization,
  type PeerAuthorization,
} from "./authorize.ts";
import type { Decision } from "./decision.ts";
import type { Connection, HttpRequest } from "./traffic.ts";

export class ConnectionAuthorization {
  readonly #connection: Connection;
  #compiled: CompiledAuthorization | undefined = undefined;
  #bound: PeerAuthorization | undefined = undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @param compiled the policies in force now, compiled for HTTP */
  judge(compiled: CompiledAuthorization, request: HttpRequest): Decision {
    if (this.#bound === undefined || this.#compiled !== compiled) {
      this.#bound = bindConnection(compiled, this.#connection);
      this.#compiled = compiled;
    }
    return authorizeBound(this.#bound, request);
  }
}
