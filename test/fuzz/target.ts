/** Something that reads what strangers send. */
export interface Target {
  name: string;
  /** What inputs begin with. */
  seeds(): Promise<Buffer[]> | Buffer[];
  /** Pieces that its language is made of: mutations put them in. */
  words: readonly string[];
  /** Parts of paths of the code under test: covering more of it makes an input interesting. */
  covers: readonly string[];
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  /** Resolves when everything held that must hold; how the input was judged is not its matter. Throws what did not. */
  run(input: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** A property did not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
