/** Audiences of tokens as they are compared: `https://api.example.com/` is `api.example.com` (JWT-33). */
export function comparableAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, "").replace(/\/$/, "");
}
