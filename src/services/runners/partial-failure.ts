import { Fault } from '../../domain/errors.js';

/** Some of several pieces of work failed; the others were done. */
export class PartialFailure extends Fault {
  /** By the names of their steps. */
  readonly failures: ReadonlyMap<string, Fault>;

  constructor(failures: ReadonlyMap<string, Fault>, all: number) {
    const faults = [...failures.values()];
    const codes = new Set(faults.map((one) => one.code));
    const [first] = faults;
    const text = [...failures].map(([step, fault]) => `${step}: ${fault.message}`).join(' ');
    super(
      first && codes.size === 1 ? first.code : 'Conflict',
      all === 1 && first ? first.message : `${failures.size} of ${all} failed. ${text}`,
      { cause: first?.cause ?? first },
    );
    this.failures = failures;
  }
}
