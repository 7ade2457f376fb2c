/** What either of two meshes says that have one name, so that nobody could tell whose service is whose. */

export function sameNameProblem(cluster: string): string {
  return `both meshes call themselves ${cluster}: give one of them --cluster`;
}
