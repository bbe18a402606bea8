/** Whether `If-None-Match` names the tag (RFC 9110 §13.1.2, weak comparison). */
export function isMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
