/** What ends a command: one line on stderr and an exit code (1 a fault at run time, 2 a wrong use or configuration). */
export class CommandFault extends Error {
  override readonly name = 'CommandFault';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options: { cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
