/** Seconds to wait for a durable action (RFC 7240): `wait=n`, `respond-async` alone 0, else the configured patience. */
export function waitOf(prefer: string | undefined, patience: number): number {
  if (prefer === undefined) return patience;
  const preferences = prefer.split(/[,;]/).map((part) => part.trim().toLowerCase());
  const wait = preferences
    .map((part) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(part)?.[1])
    .find((found) => found !== undefined);
  if (wait !== undefined) return Math.min(Number(wait), patience);
  return preferences.includes('respond-async') ? 0 : patience;
}
