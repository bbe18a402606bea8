import { AdapterError, type AdapterErrorKind } from '../adapter.js';
import { type UpstreamAnswer, UpstreamError } from '../upstream.js';

/** A failure that ConPaaS told in its own words: `{"error": true, "msg": …}`, `{"id", "error": …}`. */
export class ConpaasRefusal extends Error {
  override readonly name = 'ConpaasRefusal';
  /** Seconds after which our own Director or managers expect to work again; absent: the refusal stands. */
  readonly retryAfter: number | undefined;

  constructor(message: string, headers: UpstreamAnswer['headers']) {
    super(message);
    const seconds = Number(headers['retry-after'] ?? Number.NaN);
    this.retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  }
}

/** The manager does not know the method: it is one of the years before ours. */
export class UnknownMethod extends Error {
  override readonly name = 'UnknownMethod';
}

/** ConPaaS' failures in the contract's words. An abort passes as it is; anything unknown is a bug and passes too. */
export function translate(error: unknown): unknown {
  if (error instanceof ConpaasRefusal) {
    const { retryAfter } = error;
    if (retryAfter !== undefined) return new AdapterError('unavailable', error.message, { cause: error, retryAfter });
    return new AdapterError(kindOf(error.message), error.message, { cause: error });
  }
  if (error instanceof UnknownMethod) return new AdapterError('not-supported', error.message, { cause: error });
  if (error instanceof UpstreamError) return translateUpstream(error);
  return error;
}

/** All have status 200, and most no code: their words tell them apart. */
function kindOf(message: string): AdapterErrorKind {
  if (/credits|addresses is in use/i.test(message)) return 'quota';
  // An agent went away, say, since the state was read.
  if (/operation in current state|wrong service state/i.test(message)) return 'conflict';
  return 'rejected';
}

function translateUpstream(error: UpstreamError): AdapterError {
  const { status, trouble, retryAfter } = error;
  const options = { cause: error, ...(retryAfter === undefined ? {} : { retryAfter }) };
  if (status === 401 || status === 403) {
    return new AdapterError('unauthorized', 'ConPaaS refuses the certificate of the gateway.', options);
  }
  if (status === 413) return new AdapterError('rejected', 'The archive is larger than this ConPaaS takes.', options);
  if (trouble === 'timeout') return new AdapterError('timeout', error.message, options);
  if (trouble === 'status' && !error.passing) return new AdapterError('rejected', error.message, options);
  return new AdapterError('unavailable', error.message, options);
}
