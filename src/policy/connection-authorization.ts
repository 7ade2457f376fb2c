/** The requests of one connection that stands: bound to its peer's rules again only when the policies change. */
import {
  authorizeBound,
  authorizeLocally,
  bindConnection,
  type CompiledAuthorization,
  findDelegations,
  type PeerAuthorization,
} from "./authorize.ts";
import type { Decision, Delegation } from "./decision.ts";
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
    return authorizeBound(this.#bind(compiled), request);
  }

  /** The first stage alone: whoever has to be asked. */
  delegations(compiled: CompiledAuthorization, request: HttpRequest): readonly Delegation[] {
    return findDelegations(this.#bind(compiled), request);
  }

  /** The second stage alone, once they have all allowed. */
  judgeLocally(compiled: CompiledAuthorization, request: HttpRequest): Decision {
    return authorizeLocally(this.#bind(compiled), request);
  }

  #bind(compiled: CompiledAuthorization): PeerAuthorization {
    if (this.#bound === undefined || this.#compiled !== compiled) {
      this.#bound = bindConnection(compiled, this.#connection);
      this.#compiled = compiled;
    }
    return this.#bound;
  }
}
