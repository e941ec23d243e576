/** Redis's rule for connection names, and its words. Source: Redis 7.0.15, networking.c, validateClientName. */
export const NAME_ERROR = 'ERR Client names cannot contain spaces, newlines or special characters.';

/** Printable ASCII without the space; empty is allowed. Shape: latin1. */
export function isValidName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}
