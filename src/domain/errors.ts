/**
 * The closed set of faults that the gateway reports (COAPS 1.6 §4, widened by the HTTP statuses that the specification leaves open).
 * The key is the `code` that a client reads; the value is the HTTP status.
 */
export const FAULT_STATUS = {
  'Invalid signature': 400,
  'Invalid Action': 400,
  InvalidParameter: 400,
  InvalidValue: 400,
  MissingParameter: 400,
  RequestExpired: 400,
  Unauthorized: 401,
  InvalidKeyId: 403,
  MissingAuthentication: 403,
  AccessDenied: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestTimeout: 408,
  Conflict: 409,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  RangeNotSatisfiable: 416,
  TooManyRequests: 429,
  HeadersTooLarge: 431,
  'Internal Failure': 500,
  NotSupported: 501,
  ServiceUnavailable: 503,
  PlatformTimeout: 504,
} as const;

export type FaultCode = keyof typeof FAULT_STATUS;

export interface FaultOptions {
  /** What lies behind it: kept for the log, never shown. */
  cause?: unknown;
  /** Seconds after which a repetition may succeed (`Retry-After`). */
  retryAfter?: number;
  /** Methods that the resource knows (`Allow`), with MethodNotAllowed. */
  allow?: string[];
}

/**
 * The one error that crosses layers. `message` is the text for a person: it says what is wrong and what to do, and holds no secret.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly status: number;
  readonly retryAfter?: number;
  readonly allow?: string[];

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = FAULT_STATUS[code];
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter;
    if (options.allow !== undefined) this.allow = options.allow;
  }
}

export function isFault(error: unknown): error is Fault {
  return error instanceof Fault;
}
