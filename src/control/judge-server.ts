/**
 * Why no connection to another control plane comes about: gRPC tells no more than an error, and whoever reads the log
 * wants to know which root stands behind the other. Nothing is sent, and no certificate of ours is shown.
 */
import { connect } from "node:tls";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { untrustedProblem } from "../identity/foreign-chain.ts";

const TIMEOUT_MS = 5_000;

export interface ServerToJudge {
  /** IP address. */
  readonly address: string;
  readonly port: number;
  readonly rootsPem: readonly string[];
}

/** @returns in words; also where nothing is wrong that can be seen from here */
export function serverProblem({ address, port, rootsPem }: ServerToJudge): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      servername: CONTROL_PLANE_NAME,
      ca: [...rootsPem],
      rejectUnauthorized: false, // it is looked at, not spoken to
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      timeout: TIMEOUT_MS,
    });
    const end = (problem: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.once("timeout", () => end(`no TLS handshake within ${TIMEOUT_MS / 1000} s`));
    socket.once("close", () => end("it closes connections before it has shown a certificate"));
    socket.on("error", (error) => end(errorInWords(error)));
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      const error = String(socket.authorizationError);
      end(
        socket.authorized || certificate === undefined
          ? "it ends connections at once: perhaps it does not trust the root of this mesh; its log says why"
          : untrustedProblem(certificate, { error, rootsPem }),
      );
    });
  });
}

/** Of a connection; what speaks no TLS is told by OpenSSL in a line of its sources. */
function errorInWords(error: NodeJS.ErrnoException): string {
  const { code = "", message } = error;
  return code.startsWith("ERR_SSL_") ? `it does not speak TLS as expected: ${code}` : message;
}
