import type { AgentErrorKind } from './protocol.js';

/** What a manager gets instead of an answer. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly kind: AgentErrorKind;
  /** The last lines of the application's output, with `failed`. */
  readonly lastLines: string[];
  /** With `rejected` for an archive: its ArchiveFaultKind. */
  readonly archive?: string;

  constructor(
    kind: AgentErrorKind,
    message: string,
    options: { cause?: unknown; lastLines?: string[]; archive?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.lastLines = options.lastLines ?? [];
    if (options.archive !== undefined) this.archive = options.archive;
  }
}
