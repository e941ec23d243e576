import { readFileSync } from 'node:fs';

/** `NODE_OPTIONS` of the image: what is measured runs as what is deployed.
 *  Errors: throws where the Dockerfile has none. */
export function imageNodeOptions(): string {
  const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');
  const [, options] = /^ENV NODE_OPTIONS=(.+)$/m.exec(dockerfile) ?? [];
  if (options === undefined) throw new Error('the Dockerfile sets no NODE_OPTIONS');
  return options.replaceAll('"', '');
}
