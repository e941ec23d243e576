import { type TargetId, targetIds } from '../targets.ts';
import type { Series } from './svg.ts';

/** A target has the same colour in every plot. */
const colours: Readonly<Record<TargetId, string>> = {
  direct: '#4c566a',
  twemproxy: '#d08770',
  haproxy: '#b48ead',
  'nearcache-off': '#5e81ac',
  'nearcache-hit': '#2e8b57',
};

/** The bars of a plot: the targets that the rows name, in their usual order. */
export function seriesOf(rows: readonly { readonly target: TargetId }[]): (Series & { name: TargetId })[] {
  return targetIds
    .filter((id) => rows.some(({ target }) => target === id))
    .map((name) => ({ name, colour: colours[name] }));
}

export function connectionCount(connections: number): string {
  return `${connections} connection${connections === 1 ? '' : 's'}`;
}
