/**
 * What an agent and its Envoy have in the agent's folder, which nobody else may enter. Envoy is started in it, so that it
 * names these relatively: paths of sockets are short, and configuration that crosses the wire knows no folder.
 */

/** gRPC: secrets, and discovery passed on. Served by the agent. */
export const AGENT_SOCKET = "agent.sock";
/** Served by Envoy. */
export const ENVOY_ADMIN_SOCKET = "envoy.sock";
export const BOOTSTRAP_FILE = "bootstrap.json";
/** Who may use the HTTP proxy, as `htpasswd -s` writes it. */
export const PROXY_USERS_FILE = "http-proxy-users";
/** Of Envoy's sockets for the destinations whose ports the agent holds. */
export const CALLS_FOLDER = "calls";
/** Which process the last Envoy was. */
export const ENVOY_PROCESS_FILE = "envoy.json";
