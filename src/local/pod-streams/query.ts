/** Whether a parameter of a request is set, as Kubernetes reads them. */
export function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === "true" || value === "1";
}
