/**
 * The groups that our TLS servers and clients agree to for the exchange of keys. Left to itself OpenSSL takes ffdhe8192, too:
 * a stranger's handshake would cost fifty times as much.
 */

/** Of TLS options, as `ecdhCurve`. From OpenSSL 3.5 on the hybrid one comes first (it and X25519 are offered at once). */
export const TLS_GROUPS: string = knowsHybridGroup()
  ? "*X25519MLKEM768:*X25519:P-256:P-384"
  : "X25519:P-256:P-384";

function knowsHybridGroup(): boolean {
  const [major = 0, minor = 0] = process.versions.openssl.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 5);
}
