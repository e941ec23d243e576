// An option that is put together of named parts (a policy, a ring) is checked part by part, so that each mistake is told by
// the name of its part and with the form that this part has.

import type { z } from 'zod';
import type { Option } from './option.ts';
import { quote } from './quote.ts';
import { nearestName } from './suggest.ts';

/** One part: as an option, though it has no flag. A value that may hold a secret is never quoted. */
export type Part<T = unknown> = Pick<Option<T>, 'schema' | 'form' | 'help' | 'secret'>;

/** The parts by name. */
export type Parts = Readonly<Record<string, Part>>;

/** Take one mistake. Shape: `form` as accepted instead; that of the whole option when absent. */
export type Report = (message: string, form?: string) => void;

/** Report a schema's issue with one of the `parts` of `given`. */
export function reportPartIssue(
  issue: z.core.$ZodIssue,
  given: Readonly<Record<string, unknown>>,
  parts: Parts,
  report: Report,
): void {
  const names = Object.keys(parts);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const nearest = nearestName(key, names);
      report(`no such part as ${key}${nearest ? `; did you mean ${nearest}?` : ''}`, names.join(', '));
    }
    return;
  }
  const name = String(issue.path[0]);
  const { form, secret } = parts[name] as Part;
  if (!(name in given)) report(`needs a ${name}`, form);
  else if (issue.code === 'custom') report(`${name} ${issue.message}`, form);
  else report(`${name}${secret === true ? '' : ` ${quote(given[name])}`} is not accepted`, form);
}

/** Whether it is a map of a YAML file. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
