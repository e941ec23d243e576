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

/** `text`, which is what `file` holds, with the edit made. Throws an Error when `find` does not occur exactly once. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${file} has ${places} times what is to be replaced:\n${find}`);
  return text.replace(find, () => replace);
}

/** Tests of one file. Shape: `titles` are parts of titles; all tests of the file when absent. */
export interface Killer {
  readonly file: string;
  readonly titles?: readonly string[];
}
