/** One rule taken away by the smallest edit, and the tests that must notice. */
export interface Mutant {
  /** The rule, and what happens instead. */
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly killers: readonly Killer[];
}

/** Shape: `find` occurs exactly once in `file`. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Tests of one file. Shape: `titles` are parts of titles; all tests of the file when absent. */
export interface Killer {
  readonly file: string;
  readonly titles?: readonly string[];
}
