/** Read a prefix as a user writes it. Shape: UTF-8; `\xNN` is any byte, `\\` a backslash.
 *  Errors: undefined when a backslash begins neither. */
export function parsePrefix(text: string): Buffer | undefined {
  const parts = text.split(/(\\x[0-9a-fA-F]{2}|\\\\)/);
  // The odd parts are the escapes; a backslash left in an even one begins none.
  if (parts.some((part, index) => index % 2 === 0 && part.includes('\\'))) return undefined;
  return Buffer.concat(
    parts.map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part, 'utf8');
      return part === '\\\\' ? Buffer.from('\\') : Buffer.from(part.slice(2), 'hex');
    }),
  );
}

/** Print a prefix so that `parsePrefix` gives it back, in visible ASCII alone and without the separators of `--policy`. */
export function printPrefix(prefix: Uint8Array): string {
  return [...prefix].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : escaped(byte))).join('');
}

/** As `\xNN`, which every byte may be written as. */
export function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function isPlain(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && !'\\,;'.includes(String.fromCharCode(byte));
}
