/**
 * What every answer carries: its type is not guessed, it is shown in no frame, loads nothing, runs nothing, and tells nobody where a
 * reader came from. No Strict-Transport-Security: it would hold for all ports of the host, and embedded applications speak http there.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};
