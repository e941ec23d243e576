import { z } from 'zod';
import type { Option, Settings } from './option.ts';
import { OPTION_ROWS } from './options.ts';

/** Checks and reads a whole set of raw settings. Errors: zod issues; a `custom` one carries our own words, an
 *  unknown key is one too. */
export const configSchema: z.ZodType<Settings> = z.strictObject(
  Object.fromEntries(OPTION_ROWS.map(([key, option]) => [key, describe(option)])),
  // The rows' types are known (`OptionRows`), but `fromEntries` forgets which key has which.
) as unknown as z.ZodType<Settings>;

/** The JSON Schema of the configuration file, for editors (`nearcache config-schema`). */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'nearcache configuration' }, null, 2)}\n`;
}

function describe({ schema, initial, help }: Option): z.ZodType {
  return (initial === undefined ? schema : schema.prefault(initial)).describe(help);
}
